#!/usr/bin/env python3
"""The HTTP example when its file fails it: an answer that has not begun becomes a 5xx, one that has begun ends early,
and the next one is as ever. It ends in order in the middle of a read."""

import os
import pathlib
import socket

from support.fault import KiB, MiB, Scratch, check, made_up, wait_for
from support.http_server import Server, read_head, request

CHUNK = 64 * KiB
SIZE = 16 * MiB


def answer(server: Server, first: int, last: int) -> tuple[bytes, bytes]:
    """Head and content, up to the connection's end."""
    with server.connect() as client:
        client.sendall(request(first, last)[:-2] + b"Connection: close\r\n\r\n")
        head, body = read_head(client)
        with client.makefile("rb") as rest:
            return head, bytes(body) + rest.read()


def rewrite(server: Server, path: pathlib.Path, at: int) -> None:
    """Some bytes in place, at once."""
    changed = made_up(1000, seed=at)
    with open(path, "r+b", buffering=0) as file:
        os.pwrite(file.fileno(), changed, at)
    server.content = server.content[:at] + changed + server.content[at + len(changed) :]


def check_changed_file(here: Scratch) -> None:
    """One that is written in place, not replaced."""
    path = here.file("changed", made_up(SIZE))
    server = Server(here, path, path.read_bytes(), {min(os.sched_getaffinity(0))}, 16 * CHUNK, CHUNK)
    at = SIZE // 4
    rewrite(server, path, at)
    head, body = answer(server, at, at + 999)
    check(head.startswith(b"HTTP/1.1 503 ") and b"\r\nRetry-After: 1" in head, f"a version that has gone: {head!r}")
    check(body.endswith(b"\n") and body[:4] == head[9:13], "its status and reason are the content")
    server.serve(at, at + 999)  # opened again meanwhile

    before = server.content
    begun = server.stalled(0, SIZE - 1)
    rewrite(server, path, SIZE - 1000)
    received = bytearray(b"HTTP/1.1")
    begun.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * MiB)
    while (content := until_end(begun)) != b"":
        received += content
    body = bytes(received).partition(b"\r\n\r\n")[2]
    check(len(body) < SIZE and body == before[: len(body)], "what had begun ends, with bytes of one version")
    begun.close()
    # The end of that answer is seen before the file has been opened again.
    wait_for(lambda: answer(server, 0, 0)[0].startswith(b"HTTP/1.1 206 "), "the new version")
    server.serve(SIZE - 1000, SIZE - 1)
    server.check_descriptors()
    server.end()


def until_end(client: socket.socket) -> bytes:
    try:
        return client.recv(MiB)
    except ConnectionResetError:
        return b""


def check_failing_disk(here: Scratch) -> None:
    content = made_up(SIZE)
    switch = here.folder / "broken"
    image = here.file("image", content)
    disk = here.nbd("--filter=error", "file", image, "error=EIO", "error-rate=100%", f"error-file={switch}")
    server = Server(here, disk, content, {min(os.sched_getaffinity(0))}, 16 * CHUNK, CHUNK)
    switch.touch()
    head, body = answer(server, SIZE // 2, SIZE // 2 + 999)
    check(head.startswith(b"HTTP/1.1 500 ") and body.startswith(b"500 "), f"bytes that cannot be read: {head!r}")
    switch.unlink()
    server.serve(SIZE // 2, SIZE // 2 + 999)
    server.check_descriptors()
    server.end()


def check_end_in_mid_read(here: Scratch) -> None:
    """The cache outlives those who wait for it."""
    content = made_up(SIZE)
    disk = here.nbd("--filter=delay", "file", here.file("slow image", content), "rdelay=1")
    server = Server(here, disk, content, os.sched_getaffinity(0), 32 * CHUNK, CHUNK)
    waiting = [server.ask(chunk * CHUNK, chunk * CHUNK + 999) for chunk in range(1, 9)]
    server.end()
    for client in waiting:
        client.close()


def main() -> None:
    with Scratch() as here:
        check_changed_file(here)
        check_failing_disk(here)
    with Scratch() as here:
        check_end_in_mid_read(here)


main()
