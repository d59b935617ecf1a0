#!/usr/bin/env python3
"""leat-serve and peers that are slow: who takes something is served to the end, at any rate."""

import contextlib
import os
import pathlib
import socket
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # the source tree stays as it is
sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
from serving import Server, check, finish, receive_all, self_signed, serving, trusting, until  # noqa: E402
from slow_attack import withstand  # noqa: E402

KIB = 1 << 10
MIB = 1 << 20
REQUEST = b"GET /file HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def take_slowly(peer: socket.socket, seconds: float) -> bytes:
    """About 30 KB/s: a record of TLS in half a second."""
    end = time.monotonic() + seconds
    taken = b""
    with contextlib.suppress(ConnectionResetError):
        while time.monotonic() < end and (piece := peer.recv(3000)):
            taken += piece
            time.sleep(0.1)
    return taken


def check_steady_peer(server: Server, what: str, over=lambda peer: peer) -> None:
    """Several times --send-timeout goes by until the kernel tells the server that there is room again."""
    size = (server.root / "file").stat().st_size
    with server.slow_socket() as plain, over(plain) as peer:
        peer.sendall(REQUEST)
        taken = take_slowly(peer, 5)
        with contextlib.suppress(OSError):
            taken += receive_all(peer)
        body = taken.partition(b"\r\n\r\n")[2]
        check(len(body) == size, f"{what}: {len(body)} of {size} bytes")


def check_steady_peers() -> None:
    with tempfile.TemporaryDirectory(dir=".") as folder:
        site, key = self_signed(folder)
        for what, options, over in (
                ("HTTP", (), lambda peer: peer),
                ("TLS", ("--tls-certificate", site, "--tls-key", key), trusting().wrap_socket)):
            with serving("--send-timeout", "1s", *options) as server:
                (server.root / "file").write_bytes(b"x" * MIB)
                check_steady_peer(server, f"a slow peer that takes something, by {what}", over)
                with server.slow_socket() as plain, over(plain) as peer:
                    begun = time.monotonic()
                    peer.sendall(REQUEST)
                    until(lambda: server.connections() == 0, f"by {what}, a peer that takes nothing is cut off", 5)
                    check(time.monotonic() - begun > 0.9, "and not before its time")


def check_rate() -> None:
    """What --rate holds back is not the peer's slowness: no other deadline counts meanwhile."""
    with serving("--rate", "16K", "--idle-timeout", "1s", "--head-timeout", "1s", "--send-timeout", "1s",
                 "--list") as server:
        (server.root / "file").write_bytes(b"x" * (64 * KIB))
        begun = time.monotonic()
        answer, body = server.ask("/file")
        check(answer.status == 200 and len(body) == 64 * KIB, f"all of it: {len(body)} bytes")
        check(3 < time.monotonic() - begun < 10, f"at its rate: {time.monotonic() - begun:.1f} s")
        for number in range(200):
            (server.root / f"{number:03}{'x' * 60}").touch()
        begun = time.monotonic()
        page = server.ask("/")[1]
        least = len(page) / (16 * KIB) - 0.5
        check(len(page) > 32 * KIB and time.monotonic() - begun > least, "a page keeps to the rate, too")


def check_slow_reads() -> None:
    """slowhttptest's slow reads: windows of a few bytes."""
    with serving("--send-timeout", "1s") as server:
        (server.root / "file").write_bytes(os.urandom(2 * MIB))
        withstand(server, "-X", "-c", "300", "-r", "200", "-w", "10", "-y", "20", "-n", "1", "-z", "5", "-k", "3",
                  "-l", "8")


def main() -> None:
    check_steady_peers()
    check_rate()
    check_slow_reads()
    finish()


if __name__ == "__main__":
    main()
