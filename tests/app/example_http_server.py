#!/usr/bin/env python3
"""The HTTP example: ranges inside, across and beyond chunks, connections that go on, bad requests, SIGTERM."""

import http.client
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # the source tree stays as it is
sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
from server import connected, free_port  # noqa: E402

SIZE = 25 * 1024 * 1024 + 123  # three chunks, the last one short
CHUNK = 10 * 1024 * 1024


def check(holds: bool, what: str) -> None:
    if not holds:
        sys.exit(f"failed: {what}")


def get(port: int, requested: str | None, connection: http.client.HTTPConnection):
    connection.request("GET", "/", headers={"Range": requested} if requested else {})
    answer = connection.getresponse()
    return answer, answer.read()


def check_ranges(port: int, content: bytes) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    cases = [(0, 0), (0, 4095), (CHUNK - 10, CHUNK + 9), (SIZE - 1, SIZE - 1), (5, SIZE + 1000), (7, None)]
    cases += [(first, first + random.randrange(1, 3 * CHUNK)) for first in random.sample(range(SIZE), 10)]
    for first, last in cases:
        answer, body = get(port, f"bytes={first}-{'' if last is None else last}", connection)
        end = SIZE if last is None else min(last + 1, SIZE)
        check(answer.status == 206, f"status {answer.status} for {first}-{last}")
        check(body == content[first:end], f"bytes of {first}-{last}")
        check(answer.headers["Content-Range"] == f"bytes {first}-{end - 1}/{SIZE}", f"range of {first}-{last}")
    others = ((None, 200), ("pages=1-2", 200), (f"bytes={SIZE}-", 416), ("bytes=9-3", 416), ("bytes=-0", 416))
    for requested, status in others:
        answer, body = get(port, requested, connection)
        check(answer.status == status, f"status {answer.status} for {requested}")
        check(body == (content if status == 200 else b""), f"body for {requested}")
    answer, body = get(port, "bytes=-9", connection)
    check(answer.status == 206 and body == content[-9:], "the last nine bytes")


def check_bad_requests(port: int, content: bytes) -> None:
    for text in (b"\0\1\2\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nRange: " + b"x" * 100_000 + b"\r\n\r\n"):
        with connected(port) as one:
            try:
                one.sendall(text)
                check(not one.recv(100).startswith(b"HTTP/1.1 2"), f"an answer to {text[:20]!r}")
            except (ConnectionResetError, BrokenPipeError):
                pass
    for _ in range(50):  # peers that go away in the middle of an answer
        one = connected(port)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        one.sendall(b"GET / HTTP/1.1\r\n\r\n")
        one.recv(100)
        one.close()
    answer, body = get(port, "bytes=1-2", http.client.HTTPConnection("127.0.0.1", port, timeout=20))
    check(body == content[1:3], "the server goes on")


def main() -> None:
    content = random.Random(1).randbytes(SIZE)
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "file")
        file.write_bytes(content)
        server = subprocess.Popen([os.environ["EXAMPLE_HTTP_SERVER"], file, str(port)])
        try:
            connected(port).close()
            check_ranges(port, content)
            check_bad_requests(port, content)
            idle = connected(port)
            server.send_signal(signal.SIGTERM)
            check(server.wait(timeout=20) == 0, "SIGTERM ends it in order")
            idle.close()
        finally:
            server.kill()
            server.wait()


if __name__ == "__main__":
    main()
