"""Talks to `sockman http` by requests. The argument is the beginning of its URLs."""

import sys
from concurrent.futures import ThreadPoolExecutor

import requests

BASE = sys.argv[1]


def pieces():
    for _ in range(100):
        yield b"y" * 5000


def main():
    with requests.Session() as session:
        session.trust_env = False
        assert session.get(BASE + "/hello", timeout=60).text == "Hello, world!"
        for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
            response = session.request(method, BASE + "/echo", data=b"body", timeout=60)
            assert (response.status_code, response.content) == (200, b"body"), method
        assert session.head(BASE + "/hello", timeout=60).headers["content-length"] == "13"
        assert session.post(BASE, json={"a": [1, 2]}, timeout=60).json() == {"a": [1, 2]}
        assert session.post(BASE, data=pieces(), timeout=60).content == b"y" * 500_000
        files = {"file": ("name", b"z" * 2_000_000)}
        assert b"z" * 2_000_000 in session.post(BASE, files=files, timeout=60).content
        assert session.get(BASE + "/nowhere", timeout=60).status_code == 404
        with session.get(BASE + "/stream/1000000?chunked", stream=True, timeout=60) as response:
            assert sum(len(piece) for piece in response.iter_content(10_000)) == 1_000_000
        with session.get(BASE + "/sse", stream=True, timeout=60) as response:
            lines = response.iter_lines(chunk_size=1)
            assert [next(lines) for _ in range(4)] == [b"id: 0", b"data: tick 0", b"", b"id: 1"]

        with ThreadPoolExecutor(8) as pool:
            texts = pool.map(lambda _: session.get(BASE + "/worker", timeout=60).text, range(200))
            assert set(texts) == {"Hello, world!"}
    print("good")


main()
