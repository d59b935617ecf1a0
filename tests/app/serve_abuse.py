#!/usr/bin/env python3
"""leat-serve against peers that are malformed, slow, many or gone, and files that change: nothing is left behind."""

import contextlib
import os
import pathlib
import resource
import socket
import struct
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True  # the source tree stays as it is
sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
from serving import Server, check, finish, receive_all, serving, until  # noqa: E402
from slow_attack import withstand  # noqa: E402

MIB = 1 << 20
HOST = b"\r\nHost: a"


def check_malformed(server: Server) -> None:
    """Each is answered with its status, and then closed; what is behind it is not answered."""
    get = b"GET /file HTTP/1.1"
    cases = {
        400: [b"GET /file HTTP/1.1\n\n", b"GET  /file HTTP/1.1" + HOST, b"GET /file  HTTP/1.1" + HOST,
              b"GET /file HTTP/1.1 " + HOST, b" GET /file HTTP/1.1" + HOST, b"GET /fi\0le HTTP/1.1" + HOST,
              b"GET /file HTTP/1.1" + HOST + b"\nX: y", b"GET\t/file HTTP/1.1" + HOST, b"\x16\x03\x01\x02\0\x01\0",
              get, get + b"\r\nHost: a\r\nHost: b", get + b"\r\nHost : a", get + HOST + b"\r\n folded",
              get + HOST + b"\r\nX: y\r\n\tfolded", get + HOST + b"\r\nX\x01: y", get + HOST + b"\r\nX: \x01",
              get + HOST + b"\r\nX: y\rz", get + HOST + b"\r\n: y", get + HOST + b"\r\nno colon",
              get + HOST + b"\r\nContent-Length: 1, 1", get + HOST + b"\r\nContent-Length: -1",
              get + HOST + b"\r\nContent-Length: +1", get + HOST + b"\r\nContent-Length: 0x1",
              get + HOST + b"\r\nContent-Length: 1\r\nContent-Length: 2", get + HOST + b"\r\nContent-Length: ",
              get + HOST + b"\r\nContent-Length: 99999999999999999999",
              get + HOST + b"\r\nContent-Length: 4\r\nTransfer-Encoding: chunked",
              get + HOST + b"\r\nTransfer-Encoding: chunked\r\nContent-Length: 4",
              b"GET /file HTTP/1.0\r\nTransfer-Encoding: chunked", b"GET file HTTP/1.1" + HOST,
              b"GET a:b HTTP/1.1" + HOST, b"CONNECT a:80 HTTP/1.1\r\nHost: b:80"],
        501: [get + HOST + b"\r\nTransfer-Encoding: gzip", get + HOST + b"\r\nTransfer-Encoding: gzip, chunked"],
        505: [b"GET /file HTTP/2.0" + HOST, b"GET /file HTTP/0.9" + HOST],
        431: [get + HOST + b"\r\nX: " + b"y" * 20_000],
        414: [b"GET /" + b"x" * 12_000 + b" HTTP/1.1" + HOST],
    }
    for status, requests in cases.items():
        for request in requests:
            smuggled = b"\r\n\r\nGET /file HTTP/1.1\r\nHost: smuggled\r\n\r\n"
            answer = server.raw(request + smuggled)
            told = answer.split(b" ")[1:2]
            allowed = [b"405", b"400"] if request.startswith(b"CONNECT") else [str(status).encode()]
            check(told and told[0] in allowed, f"{request[:60]!r}: {answer[:60]!r}, not {status}")
            if told != [b"405"]:
                check(answer.count(b"HTTP/1.1 ") == 1, f"{request[:60]!r}: one answer, then the end")
    check(server.raw(b"\r\n" + get + HOST + b"\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 200"),
          "an empty line before a request")


def check_slow_heads(server: Server) -> None:
    """--head-timeout is for all of a head, however it trickles; a peer that says nothing is closed."""
    with server.socket() as peer, server.socket() as silent:
        begun = time.monotonic()
        peer.sendall(b"GET /file HTTP/1.1\r\nHost: a\r\n")
        stopping = threading.Event()

        def trickle() -> None:
            with contextlib.suppress(OSError):
                while not stopping.wait(0.1):
                    peer.sendall(b"X: y\r\n")

        thread = threading.Thread(target=trickle)
        thread.start()
        answer = peer.recv(4096)
        stopping.set()
        thread.join()
        check(answer.startswith(b"HTTP/1.1 408"), f"a head that trickles: {answer[:40]!r}")
        check(time.monotonic() - begun < 10, "in its time")
        check(receive_all(silent) == b"", "a peer that says nothing is closed")


def check_full_buffer(server: Server) -> None:
    """A head that fills its buffer to the last byte, behind an empty line, is waited for like any other."""
    head = b"GET /file HTTP/1.1" + HOST + b"\r\nX: "
    with server.socket() as peer:
        peer.sendall(b"\r\n" + head + b"y" * (16384 - len(head)))
        check(receive_all(peer).startswith(b"HTTP/1.1 408"), "a head of the greatest size without its end")


def check_former_request() -> None:
    """A head that does not come is no request: nothing of the one before it is told again."""
    with tempfile.TemporaryDirectory(dir=".") as folder:
        log = pathlib.Path(folder).resolve() / "log"
        with serving("--head-timeout", "1s", "--access-log", str(log)) as server:
            (server.root / "file").write_bytes(b"12345")
            answer = server.raw(b"HEAD /file?former HTTP/1.1" + HOST + b"\r\nX: " + b"y" * 5000 + b"\r\n\r\nGET /la")
            check(answer.endswith(b"408 Request Timeout\n"), f"an answer with its content: {answer[-60:]!r}")
            until(lambda: log.read_text().count("\n") == 2, "two lines")
            check(log.read_text().count("former") == 1 and ' "" 408 ' in log.read_text(), f"{log.read_text()}")


def check_stalled_answers(server: Server) -> None:
    """A peer that takes nothing is cut off after --send-timeout, and holds nothing."""
    peers = []
    for _ in range(20):
        peer = socket.socket()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.connect(("127.0.0.1", server.port))
        peer.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        peers.append(peer)
    check(server.ask("/file")[1] == b"12345", "others are served meanwhile")
    until(lambda: server.connections() == 0, "those that take nothing are cut off")
    for peer in peers:
        peer.close()


def check_resets(server: Server) -> None:
    before = server.descriptors()
    reset = struct.pack("ii", 1, 0)
    for _ in range(1000):
        peer = server.socket()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        peer.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        if _ % 2:
            peer.recv(1000)
        peer.close()
    until(lambda: server.connections() == 0, "no connection is left after 1,000 resets")
    until(lambda: server.descriptors() <= before + 2, "no descriptor is left")
    check(server.ask("/file")[1] == b"12345", "it goes on")


def admitted(server: Server, source: str | None = None) -> socket.socket:
    """A connection that has its place, as it was answered: the kernel calls open what no shard has met yet."""
    peer = server.socket(source)
    peer.sendall(b"HEAD /file HTTP/1.1\r\nHost: a\r\n\r\n")
    answer = peer.recv(4096)
    check(answer.startswith(b"HTTP/1.1 200"), f"one within the limits: {answer[:60]!r}")
    return peer


def check_limits() -> None:
    with serving("--max-connections", "20", "--max-connections-per-address", "10") as server:
        (server.root / "file").write_text("12345")
        mine = [admitted(server) for _ in range(10)]
        answer = server.raw(b"GET /file HTTP/1.1\r\nHost: a\r\n\r\n")
        check(answer.startswith(b"HTTP/1.1 503") and b"\r\nRetry-After: " in answer, f"the eleventh: {answer[:60]!r}")
        others = [admitted(server, "127.0.0.2") for _ in range(10)]
        with server.socket("127.0.0.3") as peer:
            check(receive_all(peer).startswith(b"HTTP/1.1 503"), "the twenty-first of all")
        for one in mine + others:
            one.close()
        until(lambda: server.ask("/file")[1] == b"12345", "there is room again")
        before = server.descriptors()
        crowd = [server.socket() for _ in range(300)]
        for _ in range(30):
            for one in crowd:
                with contextlib.suppress(OSError):
                    one.send(b"x")
            time.sleep(0.02)
        check(server.descriptors() - before < 80, f"those turned away go: {server.descriptors() - before} are left")
        for one in crowd:
            one.close()
    with serving("--rate", "1M") as server:
        (server.root / "file").write_bytes(b"x" * MIB)
        begun = time.monotonic()
        check(len(server.ask("/file")[1]) == MIB and time.monotonic() - begun > 0.7, "--rate slows down")
        begun = time.monotonic()
        part = b"GET /file HTTP/1.1\r\nHost: a\r\nRange: bytes=0-50000\r\n"
        answers = server.raw((part + b"\r\n") * 19 + part + b"Connection: close\r\n\r\n")
        check(len(answers) > 1_000_000 and time.monotonic() - begun > 0.7, "--rate is not evaded by short ranges")


def check_changes(server: Server) -> None:
    """Never a short body under a 200: a file that is cut off ends the connection."""
    path = server.root / "changing"
    path.write_bytes(b"1" * (8 * MIB))
    with server.socket() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.sendall(b"GET /changing HTTP/1.1\r\nHost: a\r\n\r\n")
        got = peer.recv(1000)
        os.truncate(path, 100)
        got += receive_all(peer)
    head, body = got.split(b"\r\n\r\n", 1)
    check(b"Content-Length: 8388608" in head and len(body) < 8 * MIB and set(body) <= {ord("1")},
          f"a file that was cut off: {len(body)} bytes")
    time.sleep(1.1)
    check(server.ask("/changing")[1] == b"1" * 100, "what it has become")


def check_links(server: Server, outside: pathlib.Path) -> None:
    secret = outside / "secret"
    secret.write_text("secret")
    (server.root / "in").symlink_to("file")
    for name, target in (("out", secret), ("up", pathlib.Path("../" + outside.name + "/secret")),
                         ("folder", outside), ("self", pathlib.Path("self")), ("proc", pathlib.Path("/proc/self/root")),
                         ("gone", pathlib.Path("nowhere"))):
        (server.root / name).symlink_to(target)
    os.mkfifo(server.root / "fifo")
    check(server.ask("/in")[1] == b"12345", "a link inside")
    for path in ("/out", "/up", "/folder/secret", "/folder/", "/folder", "/self", "/proc/etc/passwd", "/gone", "/fifo"):
        answer, body = server.ask(path)
        check(answer.status == 404 and b"secret" not in body, f"{path}: {answer.status}")


def check_descriptors() -> None:
    """With few descriptors, connections wait or are turned away, and files that are open go on."""
    limit = (64, 64)

    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)

    with serving(preexec_fn=few) as server:
        for at in range(200):
            (server.root / str(at)).write_text(str(at))
        served = [server.ask(f"/{at}") for at in range(200)]
        check(all(answer.status in (200, 503) for answer, _ in served), "200 or 503, nothing else")
        check(sum(answer.status == 200 for answer, _ in served) > 150, "most are served")
        peers = []
        for _ in range(100):
            with contextlib.suppress(OSError):
                peers.append(server.socket())
        for peer in peers:
            peer.close()
        until(lambda: server.ask("/7")[1] == b"7", "it goes on afterwards")


def check_many_idle() -> None:
    """Thousands of idle connections and of slow ones take little memory, and others are served."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(10_000, (hard - 200) // 2)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with serving("--max-connections", "19000", "--max-connections-per-address", "19000", "--open-files", "100",
                 "--idle-timeout", "10min") as server:
        (server.root / "file").write_text("12345")
        server.ask("/file")
        before = server.resident()
        peers = []
        for _ in range(count):
            peers.append(server.socket())
            if _ % 500 == 0:
                server.ask("/file")
        until(lambda: server.descriptors() >= count, "all are accepted, but for a few", 60)
        each = (server.resident() - before) / count
        print(f"{each:.0f} bytes of memory for each of {count} idle connections")
        check(each <= 8192, f"an idle connection takes {each:.0f} bytes")
        for peer in peers[::10]:
            peer.sendall(b"GET /file HTTP/1.1\r\nHost: a\r\n\r\n")
        check(all(b"12345" in peer.recv(4096) for peer in peers[::10]), "any of them is answered")
        check(server.ask("/file")[1] == b"12345", "others, too")
        for peer in peers:
            peer.close()
        until(lambda: server.connections() == 0, "all have gone", 60)


def check_slow_attack() -> None:
    """slowhttptest's slow heads."""
    with serving("--head-timeout", "2s") as server:
        (server.root / "file").write_text("12345")
        withstand(server, "-H", "-c", "200", "-r", "200", "-i", "1", "-l", "6")


def main() -> None:
    with serving("--head-timeout", "1s", "--idle-timeout", "1s", "--send-timeout", "1s") as server:
        (server.root / "file").write_text("12345")
        (server.root / "large").write_bytes(os.urandom(8 * MIB))
        check_malformed(server)
        check_slow_heads(server)
        check_full_buffer(server)
        check_stalled_answers(server)
        check_resets(server)
        check_changes(server)
        outside = server.root.with_name(server.root.name + "-outside")
        outside.mkdir()
        try:
            check_links(server, outside)
        finally:
            (outside / "secret").unlink()
            outside.rmdir()
    check_former_request()
    check_limits()
    check_descriptors()
    check_many_idle()
    check_slow_attack()
    finish()


if __name__ == "__main__":
    main()
