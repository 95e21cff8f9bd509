"""Talks to `sockman http` by http.client. The argument is where: HOST:PORT or unix:PATH."""

import http.client
import socket
import sys

AT = sys.argv[1]


class Connection(http.client.HTTPConnection):
    """A connection to where the server is."""

    def __init__(self):
        if AT.startswith("unix:"):
            super().__init__("localhost", timeout=60)
        else:
            host, port = AT.rsplit(":", 1)
            super().__init__(host, int(port), timeout=60)

    def connect(self):
        if AT.startswith("unix:"):
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(self.timeout)
            self.sock.connect(AT.removeprefix("unix:"))
        else:
            super().connect()


def ask(connection, method, path, body=None, headers=None, chunked=False):
    connection.request(method, path, body, headers or {}, encode_chunked=chunked)
    response = connection.getresponse()
    return response, response.read()


def main():
    connection = Connection()
    response, body = ask(connection, "GET", "/hello")
    assert (response.status, body) == (200, b"Hello, world!"), response.status
    assert response.version == 11
    kept = connection.sock
    for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
        response, body = ask(connection, method, "/echo", b"x" * 20_000)
        assert (response.status, body) == (200, b"x" * 20_000), method
    response, body = ask(connection, "HEAD", "/echo")
    assert (response.status, body) == (200, b"")
    large = bytes(range(256)) * 20_000
    response, body = ask(connection, "POST", "/", large)
    assert body == large
    pieces = [b"a" * size for size in (1, 1000, 100_000, 1)]
    response, body = ask(connection, "PUT", "/", iter(pieces), {"Transfer-Encoding": "chunked"}, chunked=True)
    assert body == b"".join(pieces)
    response, body = ask(connection, "GET", "/stream/1000000?chunked")
    assert response.getheader("transfer-encoding") == "chunked"
    assert len(body) == 1_000_000
    response, body = ask(connection, "GET", "/nowhere")
    assert response.status == 404
    response, body = ask(connection, "POST", "/hello", b"unwanted")
    assert (response.status, response.getheader("allow")) == (405, "GET, HEAD, OPTIONS")
    response, body = ask(connection, "GET", "/worker")
    assert body == b"Hello, world!"
    assert connection.sock is kept, "all on one connection"

    connection.request("GET", "/sse")
    response = connection.getresponse()
    lines = [response.readline() for _ in range(6)]
    assert lines == [b"id: 0\n", b"data: tick 0\n", b"\n", b"id: 1\n", b"data: tick 1\n", b"\n"], lines
    connection.close()

    response, body = ask(connection, "GET", "/hello", None, {"Connection": "close"})
    assert response.getheader("connection") == "close"
    assert connection.sock is None, "closed as it was asked"
    print("good")


main()
