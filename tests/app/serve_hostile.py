#!/usr/bin/env python3
"""leat-serve and hostile outsiders: half-closed pipelines, PROXY headers, broken TLS, storms of HUP, floods."""

import base64
import contextlib
import os
import pathlib
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True  # the source tree stays as it is
sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
from serving import Server, check, finish, receive_all, self_signed, serving, trusting, until  # noqa: E402

MIB = 1 << 20
HOST = b"\r\nHost: a\r\n\r\n"
CLOSE = b"GET /file HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def last_words(server: Server, request: bytes) -> bytes:
    """What comes back when the client sends this and nothing more for ever."""
    with server.socket() as peer:
        peer.settimeout(6)
        with contextlib.suppress(OSError):
            peer.sendall(request)
            peer.shutdown(socket.SHUT_WR)
        try:
            return receive_all(peer)
        except TimeoutError:
            return b"nothing in 6 s"


def check_half_closed(server: Server) -> None:
    """A client that has said all gets all, however much of it was asked for at once."""
    large = (server.root / "large").read_bytes()
    small, film, page = (b"GET " + path + b" HTTP/1.1" + HOST for path in (b"/file", b"/large", b"/"))
    check(last_words(server, small * 3).count(b"12345") == 3, "three answers")
    check(last_words(server, film * 2).count(large) == 2, "two large ones")
    mixed = last_words(server, page + small + b"GET /none HTTP/1.1" + HOST + film)
    check(mixed.count(b"HTTP/1.1 ") == 4 and mixed.endswith(large), "answers of all kinds")
    check(last_words(server, small + b"GET /fi").count(b"HTTP/1.1 ") == 1, "half a request gets nothing")
    check(last_words(server, b"") == b"", "nor does nothing")
    unanswered = b"GET /file HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc"
    check(last_words(server, unanswered + small).count(b"HTTP/1.1 ") == 1, "what was content is no request")


def check_oddities(server: Server) -> None:
    """What is odd, long or both has an answer, and one only."""
    get = b"GET /file HTTP/1.1\r\nHost: a\r\n"
    for request, status in (
            (b"GET * HTTP/1.1" + HOST, 400), (b"OPTIONS * HTTP/1.1" + HOST, 405),
            (b"GET http://u:p@h/file HTTP/1.1" + HOST, 400), (b"GET /" + b"a" * 300 + b" HTTP/1.1" + HOST, 404),
            (b"GET " + b"/." * 3000 + b" HTTP/1.1" + HOST, 200), (b"GET " + b"/" * 7000 + b"file HTTP/1.1" + HOST, 200),
            (b"GET /%ff%fe HTTP/1.1" + HOST, 404), (b"GET /\\..\\file HTTP/1.1" + HOST, 404),
            (get + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n\r\n", 200),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505), (get + b"a:\r\n" * 3000 + b"\r\n", 200),
            (get + b"Range: bytes=" + b",".join(b"%d-" % at for at in range(60)) + b"\r\n\r\n", 206),
            (get + b"Range: bytes=" + b"0-0," * 3000 + b"\r\n\r\n", 200), (b"\r\n" * 8000, 400), (b"\0" * 100, 400),
            (get + b"If-None-Match: " + b'"x",' * 3000 + b"\r\n\r\n", 200), (b"GET /file#x HTTP/1.1" + HOST, 400)):
        answer = last_words(server, request)
        check(answer.startswith(b"HTTP/1.1 %d " % status) and answer.count(b"HTTP/1.1 ") == 1,
              f"{request[:50]!r}: {answer[:40]!r}, not {status}")


def check_unread_answers(server: Server) -> None:
    """Whoever asks and asks, and reads nothing, fills no memory, and is cut off."""
    before = server.resident()
    peers = []
    for _ in range(100):
        peer = server.socket()
        peer.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            peer.send((b"GET /large HTTP/1.1" + HOST) * 20_000)
        peers.append(peer)
    time.sleep(0.5)
    check(server.resident() - before < 8 * MIB, f"they take {(server.resident() - before) / MIB:.1f} MiB")
    check(server.ask("/file")[1] == b"12345", "others are served")
    until(lambda: server.connections() == 0, "they are cut off", 8)
    for peer in peers:
        peer.close()


def check_proxy_headers() -> None:
    v4 = SIGNATURE + b"\x21\x11" + struct.pack(">H", 12) + bytes([10, 1, 2, 3, 127, 0, 0, 1, 0, 1, 0, 2])
    taken = {"v4": v4, "v6": SIGNATURE + b"\x21\x21\0\x24" + bytes(36),
             "datagrams": SIGNATURE + b"\x21\x12\0\x0c" + bytes(12),
             "more fields": SIGNATURE + b"\x21\x11" + struct.pack(">H", 312) + bytes(312),
             "a unix path": SIGNATURE + b"\x21\x31\0\xd8" + bytes(216), "nobody": SIGNATURE + b"\x21\0\0\0",
             "its own, with addresses": SIGNATURE + b"\x20\x11\0\x0c" + bytes(12)}
    refused = {"the first version": b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n", "none": b"", "a part": SIGNATURE[:7],
               "no addresses": SIGNATURE + b"\x21\x11\0\0", "too much": SIGNATURE + b"\x21\x11\xff\xff" + bytes(65535),
               "version 1": SIGNATURE + b"\x11\x11\0\0", "another command": SIGNATURE + b"\x2f\x11\0\0",
               "another family": SIGNATURE + b"\x21\x41\0\0"}
    with serving("--proxy-protocol", "--head-timeout", "2s") as server:
        (server.root / "file").write_text("12345")
        for what, header in taken.items():
            check(last_words(server, header + CLOSE).endswith(b"12345"), f"a header with {what}")
        for what, header in refused.items():
            check(last_words(server, header + CLOSE) == b"", f"a header with {what} is not answered")
        check(last_words(server, v4 + v4 + CLOSE).startswith(b"HTTP/1.1 400"), "a second header is no request")
        with server.socket() as peer:
            for byte in v4 + CLOSE:
                peer.sendall(bytes([byte]))
            check(receive_all(peer).endswith(b"12345"), "byte by byte")
        with server.socket() as silent:
            silent.sendall(SIGNATURE)
            begun = time.monotonic()
            check(receive_all(silent) == b"" and time.monotonic() - begun < 5, "a header that does not end is let go")


def check_tls() -> None:
    with tempfile.TemporaryDirectory(dir=".") as folder:
        site, key = self_signed(folder)
        log = site.with_name("log")

        def ask(server: Server) -> bytes:
            with trusting().wrap_socket(server.socket()) as peer:
                peer.sendall(CLOSE)
                return receive_all(peer)

        with serving("--tls-certificate", site, "--tls-key", key, "--access-log", log, "--head-timeout",
                     "2s") as server:
            (server.root / "file").write_text("12345")
            (server.root / "large").write_bytes(os.urandom(8 * MIB))
            check(ask(server).endswith(b"12345"), "TLS")
            for garbage in (b"", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"x" * 100,
                            b"\x80\x2e\x01\0\x02" + bytes(50), b"\x15\x03\x01\0\x02\x02\x28",
                            b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + os.urandom(500)):
                check(b"12345" not in last_words(server, garbage), f"{garbage[:12]!r} is no TLS")
            half_open = [server.socket() for _ in range(300)]
            for peer in half_open:
                peer.sendall(b"\x16\x03\x01\x02\0")
            begun = time.monotonic()
            check(ask(server).endswith(b"12345"), "beside handshakes that do not go on")
            check(time.monotonic() - begun < 2, "it does not wait for them")
            until(lambda: server.connections() == 0, "which are let go", 6)
            for peer in half_open:
                peer.close()
            with trusting().wrap_socket(server.socket()) as peer:
                peer.sendall(b"GET /large HTTP/1.1" + HOST + CLOSE)
                socket.socket.shutdown(peer, socket.SHUT_WR)
                check(len(receive_all(peer)) > 8 * MIB, "half-closed without a word of TLS")
            check_hups(server, ask, site)


def check_hups(server: Server, ask, site: pathlib.Path) -> None:
    before = server.descriptors()
    stopping = threading.Event()

    def storm() -> None:
        while not stopping.wait(0.001):
            server.process.send_signal(signal.SIGHUP)

    thread = threading.Thread(target=storm)
    thread.start()
    answered = sum(ask(server).endswith(b"12345") for _ in range(50))
    stopping.set()
    thread.join()
    check(answered == 50, f"{answered} of 50 requests are answered in a storm of HUP")
    until(lambda: server.descriptors() <= before + 2, "which leaves no descriptors")
    site.write_text("garbage")
    server.process.send_signal(signal.SIGHUP)
    until(lambda: "the former certificate stays" in server.said(), "a certificate that is none is told")
    check(ask(server).endswith(b"12345"), "and not used")


def check_passwords() -> None:
    """A flood of wrong passwords keeps nobody out whose password is known to be right."""
    if shutil.which("htpasswd") is None:
        print("htpasswd is not installed: passwords are not attacked")
        return
    with tempfile.TemporaryDirectory(dir=".") as folder:
        passwords = pathlib.Path(folder).resolve() / "passwords"
        subprocess.run(["htpasswd", "-cbB", passwords, "user", "secret"], check=True, capture_output=True)
        with serving("--password-file", passwords) as server:
            (server.root / "file").write_text("12345")

            def ask(credentials: bytes) -> int:
                field = "Basic " + base64.b64encode(credentials).decode()
                return server.ask("/file", Authorization=field)[0].status

            check(ask(b"user:secret") == 200, "the right password")
            stopping = threading.Event()

            def guess() -> None:
                while not stopping.is_set():
                    check(ask(b"user:%d" % random.randrange(1 << 40)) in (401, 503), "a guess")

            guessing = [threading.Thread(target=guess) for _ in range(8)]
            for one in guessing:
                one.start()
            time.sleep(0.2)
            begun = time.monotonic()
            check({ask(b"user:secret") for _ in range(10)} == {200}, "the right password beside guesses")
            check(time.monotonic() - begun < 2, f"at once: {time.monotonic() - begun:.1f} s")
            stopping.set()
            for one in guessing:
                one.join()
            for field in ("Basic", "Basic ", "Basic !!!", "Basic " + "A" * 9000, "Bearer x", "Basic Og==",
                          "Basic " + base64.b64encode(b"user\0:secret").decode()):
                check(server.ask("/file", Authorization=field)[0].status == 401, f"{field[:20]}")


def main() -> None:
    with serving("--list", "--head-timeout", "2s", "--idle-timeout", "2s", "--send-timeout", "2s") as server:
        (server.root / "file").write_text("12345")
        (server.root / "large").write_bytes(os.urandom(3 * MIB))
        check_half_closed(server)
        check_oddities(server)
        check_unread_answers(server)
    check_proxy_headers()
    check_tls()
    check_passwords()
    finish()


if __name__ == "__main__":
    main()
