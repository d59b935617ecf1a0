#!/usr/bin/env python3
"""The HTTP example: ranges inside, across and beyond chunks, methods, conditions, what is refused, what a browser does
to seek, an empty file, SIGTERM."""

import contextlib
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


@contextlib.contextmanager
def serving(file: pathlib.Path):
    """The port on which the example serves the file; ended by SIGTERM, with a connection left idle."""
    port = free_port()
    server = subprocess.Popen([os.environ["EXAMPLE_HTTP_SERVER"], file, str(port)])
    try:
        connected(port).close()
        yield port
        with connected(port):
            server.send_signal(signal.SIGTERM)
            check(server.wait(timeout=20) == 0, "SIGTERM ends it in order")
    finally:
        server.kill()
        server.wait()


class Peer:
    """A connection that goes on."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)

    def ask(self, method: str = "GET", **fields: str):
        """An answer and its content; If_Range is the field If-Range."""
        headers = {name.replace("_", "-"): value for name, value in fields.items()}
        self.connection.request(method, "/", headers=headers)
        answer = self.connection.getresponse()
        return answer, answer.read()


def check_ranges(port: int, content: bytes) -> None:
    peer = Peer(port)
    cases = [(0, 0), (0, 4095), (CHUNK - 10, CHUNK + 9), (SIZE - 1, SIZE - 1), (5, SIZE + 1000), (7, None), (0, None),
             (3, 2**64), (9, 10**30)]
    cases += [(first, first + random.randrange(1, 3 * CHUNK)) for first in random.sample(range(SIZE), 10)]
    for first, last in cases:
        answer, body = peer.ask(Range=f"bytes={first}-{'' if last is None else last}")
        end = SIZE if last is None else min(last + 1, SIZE)
        check(answer.status == 206, f"status {answer.status} for {first}-{last}")
        check(body == content[first:end], f"bytes of {first}-{last}")
        check(answer.headers["Content-Range"] == f"bytes {first}-{end - 1}/{SIZE}", f"range of {first}-{last}")
    for length in (1, 9, CHUNK + 5, SIZE, SIZE + 1, 2**64, 10**30):
        answer, body = peer.ask(Range=f"bytes=-{length}")
        check(answer.status == 206 and body == content[-min(length, SIZE):], f"the last {length} bytes")
    for requested in (f"bytes={SIZE}-", f"bytes={2**64 - 1}-", f"bytes={2**64}-{2**64 + 1}", "bytes=-0"):
        answer, body = peer.ask(Range=requested)
        check(answer.status == 416 and body.startswith(b"416 "), f"status {answer.status} for {requested}")
        check(answer.headers["Content-Range"] == f"bytes */{SIZE}", f"range of {requested}")
    for requested in ("pages=1-2", "bytes=9-3", "bytes", "bytes=-", "bytes=a-b", "bytes=1-2;3-4"):
        answer, body = peer.ask(Range=requested)
        check(answer.status == 200 and body == content, f"status {answer.status} for {requested}")
    # Several, in the order of the request.
    answer, body = peer.ask(Range=f"bytes={CHUNK - 5}-{CHUNK + 4},0-1,-3")
    kind, _, boundary = answer.headers["Content-Type"].partition("; boundary=")
    check(answer.status == 206 and kind == "multipart/byteranges", f"status {answer.status}, type {kind}")
    parts = body.split(b"--" + boundary.encode())
    check(len(parts) == 5 and parts[0] == b"" and parts[4] == b"--\r\n", f"{len(parts)} pieces")
    for part, (first, end) in zip(parts[1:4], ((CHUNK - 5, CHUNK + 5), (0, 2), (SIZE - 3, SIZE))):
        expected = b"\r\nContent-Range: bytes %d-%d/%d\r\n\r\n" % (first, end - 1, SIZE) + content[first:end] + b"\r\n"
        check(part.endswith(expected), f"the part from {first} on: {part!r}")
    # Several that are one.
    answer, body = peer.ask(Range=f"bytes=100-199, 50-99 ,150-{CHUNK},{SIZE}-")
    check(answer.status == 206 and body == content[50 : CHUNK + 1], "ranges that overlap or touch")


def check_methods(port: int) -> None:
    peer = Peer(port)
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "PROPFIND"):
        answer, body = peer.ask(method)
        check(answer.status == 405 and body.startswith(b"405 "), f"status {answer.status} for {method}")
        check(answer.headers["Allow"] == "GET, HEAD", f"what is allowed instead of {method}")
    for method in ("get", "FETCH"):
        answer, body = peer.ask(method)
        check(answer.status == 501 and body.startswith(b"501 "), f"status {answer.status} for {method}")
    for fields in ({}, {"Range": "bytes=5-9"}):
        with connected(port) as one:  # a client that knows HEAD would not see content
            ranged = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
            one.sendall(f"HEAD / HTTP/1.1\r\nHost: here\r\n{ranged}Connection: close\r\n\r\n".encode())
            head, end, body = one.makefile("rb").read().partition(b"\r\n\r\n")
            check(head.startswith(b"HTTP/1.1 200 ") and b"\r\nContent-Length: %d\r\n" % SIZE in head, f"HEAD: {head!r}")
            check(end != b"" and body == b"", "HEAD has no content")


def check_conditions(port: int, content: bytes) -> None:
    peer = Peer(port)
    answer, _ = peer.ask(Range="bytes=0-0")
    tag = answer.headers["ETag"]
    check(tag.startswith('"') and tag.endswith('"'), f"{tag} is a strong entity tag")
    answer, body = peer.ask(Range="bytes=5-9", If_Range=tag)
    check(answer.status == 206 and body == content[5:10], "If-Range by the tag")
    for other in ('"other"', f"W/{tag}", f'"other", {tag}', "Fri, 27 Nov 2026 20:36:04 GMT"):
        answer, body = peer.ask(Range="bytes=5-9", If_Range=other)
        check(answer.status == 200 and body == content, f"If-Range by {other}")
    for known in (tag, f"W/{tag}", "*"):
        answer, body = peer.ask(If_None_Match=known)
        check(answer.status == 304 and answer.headers["ETag"] == tag and body == b"", f"If-None-Match by {known}")
    answer, body = peer.ask(If_Match='"other"')
    check(answer.status == 412 and body.startswith(b"412 "), f"status {answer.status} for another version")


def check_refusals(port: int, content: bytes) -> None:
    long = "x" * 20_000
    texts = {
        "\0\1\2\r\n\r\n": 400,
        "GET\r\n\r\n": 400,
        "GET / HTTP/1.1\r\n\r\n": 400,
        "GET / HTTP/1.1\r\nHost: here\nContent-Length: 5\r\n\r\n": 400,
        f"GET / HTTP/1.1\r\nHost: here\r\nRange: {long}\r\n\r\n": 431,
        f"GET /{long} HTTP/1.1\r\nHost: here\r\n\r\n": 414,
        "GET / HTTP/1.1\r\nHost: here\r\n" + "Name: value\r\n" * 2000 + "\r\n": 431,
    }
    for text, status in texts.items():
        with connected(port) as one:
            one.sendall(text.encode())
            answer = one.makefile("rb").read()
            check(answer.startswith(b"HTTP/1.1 %d " % status), f"{answer[:50]!r} for {text[:20]!r}")
            check(b"\r\nConnection: close\r\n" in answer, "it is the last one")
    for _ in range(50):  # peers that go away in the middle of an answer
        one = connected(port)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        one.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        one.recv(100)
        one.close()
    answer, body = Peer(port).ask(Range="bytes=1-2")
    check(body == content[1:3], "the server goes on")


def check_seeking(port: int, content: bytes) -> None:
    """As Chromium plays a film: the whole of it as a range, dropped at each seek for another one."""
    for first in (0, SIZE - 1000, CHUNK + 77, 0):
        with connected(port) as one:
            one.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nRange: bytes=%d-\r\n\r\n" % first)
            stream = one.makefile("rb")
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += stream.readline()
            check(head.startswith(b"HTTP/1.1 206 "), f"a film from {first} on: {head!r}")
            check(b"\r\nAccept-Ranges: bytes\r\n" in head, "it can be sought in")
            check(b"\r\nContent-Range: bytes %d-%d/%d\r\n" % (first, SIZE - 1, SIZE) in head, f"which range: {head!r}")
            check(stream.read(1000) == content[first : first + 1000], f"the film from {first} on")


def check_several_requests(port: int, content: bytes) -> None:
    """Sent at once, answered in order."""
    with connected(port) as one:
        one.sendall(b"GET / HTTP/1.1\r\nHost: here\r\nRange: bytes=0-4\r\n\r\nHEAD / HTTP/1.1\r\nHost: here\r\n\r\n"
                    b"GET / HTTP/1.1\r\nHost: here\r\nRange: bytes=5-9\r\nConnection: close\r\n\r\nnever read")
        parts = one.makefile("rb").read().split(b"\r\n\r\n")
        check([part[-20:] for part in parts[1:]][-1] == content[5:10], "the last answer")
        check(parts[1].startswith(content[:5] + b"HTTP/1.1 200 "), "the answers in order")


def check_empty_file(port: int) -> None:
    peer = Peer(port)
    for fields in ({}, {"Range": "bytes=-5"}, {"Range": "bytes=9-3"}):
        answer, body = peer.ask(**fields)
        check(answer.status == 200 and body == b"", f"status {answer.status} for {fields} of an empty file")
        check(answer.headers["Content-Length"] == "0", "its length")
    answer, body = peer.ask(Range="bytes=0-")
    check(answer.status == 416 and answer.headers["Content-Range"] == "bytes */0", "the first byte of an empty file")
    answer, body = peer.ask("HEAD")
    check(answer.status == 200, "HEAD of an empty file")


def check_start(file: pathlib.Path) -> None:
    """What it cannot do it says, and ends."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        for words in ((file, port), (f"{file}-missing", str(free_port())), ()):
            command = [os.environ["EXAMPLE_HTTP_SERVER"], *words]
            ended = subprocess.run(command, capture_output=True, timeout=20, check=False)
            check(ended.returncode == 1 and ended.stderr != b"", f"the end with {words}: {ended}")


def main() -> None:
    content = random.Random(1).randbytes(SIZE)
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "file")
        file.write_bytes(content)
        empty = pathlib.Path(folder, "empty")
        empty.touch()
        with serving(file) as port:
            check_ranges(port, content)
            check_methods(port)
            check_conditions(port, content)
            check_refusals(port, content)
            check_seeking(port, content)
            check_several_requests(port, content)
        with serving(empty) as port:
            check_empty_file(port)
        check_start(file)


if __name__ == "__main__":
    main()
