"""JSON-RPC over HTTP, as Bitcoin Core has it."""

import base64
import http.client
import json


class Refused(Exception):
    """An error that the server answered."""

    def __init__(self, error):
        super().__init__(f"{error.get('message')} ({error.get('code')})")
        self.code = error.get("code")


class Rpc:
    """A server's methods are this object's: Rpc(port, …).getblockcount()."""

    def __init__(self, port, credentials):
        """`credentials` is called for each connection: a cookie is another after a restart."""
        self._port = port
        self._credentials = credentials

    def __getattr__(self, method):
        return lambda *params, within=60: self.call(method, list(params), within)

    def call(self, method, params, within=60):
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=within)
        try:
            body = json.dumps({"id": 1, "method": method, "params": params})
            token = base64.b64encode(self._credentials().encode()).decode()
            headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
            connection.request("POST", "/", body, headers)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        try:
            answer = json.loads(text)
        except ValueError:
            raise Refused({"code": response.status, "message": f"HTTP {response.status}: {text[:200]!r}"}) from None
        if answer.get("error"):
            raise Refused(answer["error"])
        return answer["result"]
