#!/usr/bin/env python3
"""How long the HTTP example waits for a client: as long as that takes bytes, however slowly, and no longer than it is
told to for one that does nothing. Its last answer arrives whole, whatever the client still sends."""

import os
import select
import socket
import time

from support.fault import KiB, MiB, PATIENCE_S, Scratch, check, made_up, wait_for
from support.http_server import Server, read_head, request, status_of

CHUNK = MiB
SIZE = 16 * MiB
PATIENCE = 2  # seconds
RATE = 100_000  # bytes a second
WHOLE = b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"


def check_slow_reader(server: Server) -> None:
    """At 100 KB/s for three times as long as the server would wait for one that takes nothing."""
    end = time.monotonic() + PATIENCE_S
    while not slow_reader_is_served(server):
        check(time.monotonic() < end, "the test's own process is kept waiting too long")


def slow_reader_is_served(server: Server) -> bool:
    """False if this process was not quick enough to take what it should have."""
    with server.ask(0, SIZE - 1, room=64 * KiB) as client:
        received = bytearray()
        begun = before = time.monotonic()
        while before - begun < 3 * PATIENCE:
            time.sleep(0.1)
            now = time.monotonic()
            if now - before > PATIENCE / 2:
                return False
            before = now
            due = int((now - begun) * RATE) - len(received)
            received += client.recv(max(due, 1))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * MiB)
        server.check_answer(client, 0, SIZE - 1, received)
    return True


def check_who_does_nothing(server: Server) -> None:
    silent, begun = server.connect(), server.connect()
    begun.sendall(request(0, 9)[:20])
    stalled = server.stalled(0, SIZE - 1)
    check(silent.recv(1) == b"", "who asks nothing gets nothing")
    check(status_of(begun) == 408, "who does not end a request is told so")
    wait_for(lambda: server.sockets() == server.listeners(), "the end of the one that takes nothing")
    received = 8
    while (content := client_recv(stalled)) != b"":
        received += len(content)
    check(received < SIZE, "it got less than it asked for, and sees the end")
    for client in (silent, begun, stalled):
        client.close()


def client_recv(client: socket.socket) -> bytes:
    try:
        return client.recv(MiB)
    except ConnectionResetError:
        return b""


def check_head_in_drops(server: Server) -> None:
    """A byte now and then does not keep a connection for ever."""
    client = server.connect()
    end = time.monotonic() + PATIENCE_S
    client.sendall(b"GET / HTTP/1.1\r\nHost: here\r\nName: ")
    while not select.select([client], [], [], 0.2)[0]:
        check(time.monotonic() < end, "the server is too patient")
        client.sendall(b"x")
    check(status_of(client) == 408, "the head took too long")
    client.close()


def check_last_answer(server: Server) -> None:
    """More than the sockets hold, to one that has sent what is not read any more."""
    for behind in (b"x" * 100_000, request(0, 9) * 2000):
        with server.connect(room=4 * KiB) as client:
            client.sendall(WHOLE + behind)
            head, body = read_head(client)
            check(head.startswith(b"HTTP/1.1 200 "), f"{head!r}")
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, MiB)
            while len(body) < SIZE:
                content = client.recv(MiB)
                check(content, f"the last answer ends after {len(body)} bytes")
                body += content
            check(body == server.content, "the last answer")
            check(client.recv(1) == b"", "then the server ends the connection")
    with server.connect() as client:  # its content is taken, and dropped
        client.sendall(b"PUT / HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n\r\n" % (8 * MiB))
        check(select.select([client], [], [], PATIENCE_S)[0], "an answer before all has been sent")
        client.sendall(bytes(8 * MiB))
        client.shutdown(socket.SHUT_WR)
        check(status_of(client) == 405, "the answer to content that is not wanted")
    with server.connect() as client:  # who never ends is left in the end
        client.sendall(WHOLE[:-2] + b"Range: bytes=0-9\r\n\r\n")
        wait_for(lambda: server.sockets() == server.listeners(), "the end of a connection that its client keeps")


def main() -> None:
    with Scratch() as here:
        content = made_up(SIZE)
        path = here.file("data", content)
        server = Server(here, path, content, {min(os.sched_getaffinity(0))}, 8 * MiB, CHUNK, patience=PATIENCE)
        for check_one in (check_slow_reader, check_who_does_nothing, check_head_in_drops, check_last_answer):
            check_one(server)
            server.check_descriptors()
        server.end()


main()
