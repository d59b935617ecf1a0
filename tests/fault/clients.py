#!/usr/bin/env python3
"""Clients of the HTTP example that reset, hang up half-way, are slow, or send garbage. What they held comes back, and
others are served meanwhile."""

import os
import random
import select
import socket

from support.fault import KiB, MiB, Scratch, check, made_up
from support.http_server import Server, request, reset, status_of

CHUNK = 10 * MiB
CHUNKS = 6
SIZE = CHUNKS * CHUNK + 123
MEMORY = 4 * CHUNK  # for fewer than the file has
FEW = 40  # descriptors


def check_nothing_held(server: Server) -> None:
    server.check_descriptors()
    for chunk in range(CHUNKS):
        server.serve(chunk * CHUNK + 5, chunk * CHUNK + 4100)
    server.serve(CHUNK - 100, 3 * CHUNK + 100)


def stalled(server: Server, chunk: int) -> socket.socket:
    return server.stalled(chunk * CHUNK, (chunk + 1) * CHUNK - 1)


def check_resets(server: Server) -> None:
    """Resets before a request, within it, behind it, within the answer, with a second request waiting, within content
    that is not read, and when the server has said all and waits for the client's end."""
    for turn in range(168):
        first = turn % CHUNKS * CHUNK
        whole = request(first, first + CHUNK - 1)
        client = server.connect(room=4 * KiB)
        moment = turn // CHUNKS % 7
        if moment == 1:
            client.sendall(whole[: 1 + turn % (len(whole) - 2)])
        elif moment == 2:
            client.sendall(whole)
        elif moment == 3:
            client.sendall(whole)
            client.recv(1000)
        elif moment == 4:
            client.sendall(whole + whole)
            client.recv(1000)
        elif moment == 5:
            client.sendall(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 100000\r\n\r\nbegun")
        elif moment == 6:
            client.sendall(b"HEAD / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
            while client.recv(1000):
                pass
        reset(client)
    check_nothing_held(server)


def check_stalled(server: Server) -> None:
    """More clients in the middle of an answer than there are buffers: nobody waits for them. In the end they reset,
    hang up, or get the rest."""
    for turn in range(4):
        holders = [stalled(server, chunk) for chunk in range(CHUNKS)]
        for chunk in range(CHUNKS):
            server.serve(chunk * CHUNK + 70_000, chunk * CHUNK + 90_000)
        for index, holder in enumerate(holders):
            if turn < 2:
                reset(holder)
            elif turn == 2:
                holder.close()
            else:
                holder.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * MiB)
                first = index * CHUNK
                server.check_answer(holder, first, first + CHUNK - 1, b"HTTP/1.1")
        for holder in holders:
            holder.close()
    check_nothing_held(server)


def check_slow_readers(server: Server) -> None:
    slow = [stalled(server, 0) for _ in range(20)]
    received = [bytearray(b"HTTP/1.1") for _ in slow]
    for turn in range(20):
        for client, so_far in zip(slow, received):
            so_far += client.recv(1 + turn % 7)
        first = turn % CHUNKS * CHUNK + turn
        server.serve(first, first + 70_000)
    for index in (3, 10):  # after all that they get what they asked for
        slow[index].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * MiB)
        server.check_answer(slow[index], 0, CHUNK - 1, received[index])
    for client in slow:
        client.close()
    check_nothing_held(server)


def check_slow_senders(server: Server) -> None:
    slow = [server.connect() for _ in range(200)]
    whole = request(CHUNK + 7, CHUNK + 70_000)
    for index, byte in enumerate(whole):
        for client in slow:
            client.sendall(bytes([byte]))
        if index % 8 == 0:
            server.serve(index, 3 * CHUNK + index)
    for client in slow[:20]:
        server.check_answer(client, CHUNK + 7, CHUNK + 70_000)
    for client in slow:
        client.close()
    check_nothing_held(server)


def check_half_closed(server: Server) -> None:
    whole = request(2 * CHUNK - 5, 2 * CHUNK + 5 * MiB)
    for length in (0, 1, len(whole) // 2, len(whole) - 1):
        with server.connect() as client:
            client.sendall(whole[:length])
            client.shutdown(socket.SHUT_WR)
            check(status_of(client) == (400 if length else 0), f"a request that ends after {length} bytes")
    for _ in range(10):  # who says nothing more still gets the answer
        with server.connect() as client:
            client.sendall(whole)
            client.shutdown(socket.SHUT_WR)
            server.check_answer(client, 2 * CHUNK - 5, 2 * CHUNK + 5 * MiB)
            check(client.recv(1) == b"", "then the server ends the connection, too")
    check_nothing_held(server)


def ranged(text: bytes) -> bytes:
    return b"GET / HTTP/1.1\r\nHost: here\r\nRange: " + text + b"\r\n\r\n"


# What is sent, and the status of the answer.
GARBAGE = (
    (b"\0\1\2\r\n\r\n", 400),
    (b"\r\n" * 100 + b"\0", 400),
    (b"\x16\3\1\2\0\1\0\1\xfc\3\3" + bytes(range(256)), 400),  # TLS
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    (b"GET / HTTP/1.1\r\n\r\n", 400),  # no host
    (b"GET / HTTP/1.1\r\nHost: here\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (b"GET / HTTP/1.1\nHost: here\n\n", 400),
    (b"GET\r\n\r\n", 400),
    (b"GET /\r\n\r\n", 400),
    (b"GET / HTTP/9.9\r\n\r\n", 505),
    (b"GET / JUNK/1.1\r\n\r\n", 400),
    (b"GET /\0 HTTP/1.1\r\nHost: here\r\n\r\n", 400),
    (b"G\xffT / HTTP/1.1\r\nHost: here\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: here\r\nno colon\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: here\r\n: no name\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: here\r\nName : value\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: here\r\nRange: \0\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: here\r\nContent-Length: -1\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: here\r\nContent-Length: 99999999999999999999\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: here\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
    (b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\n\r\nhello", 405),
    (b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n", 405),
    (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: here\r\n\r\n", 414),
    (b"GET / HTTP/1.1\r\nHost: here\r\nName: " + b"x" * 1_000_000 + b"\r\n\r\n", 431),
    (b"GET / HTTP/1.1\r\nHost: here\r\n" + b"a: b\r\n" * 10_000 + b"\r\n", 431),
    (b"x" * 1_000_000, 501),
    (ranged(b"bytes=%d-" % SIZE), 416),
    (ranged(b"bytes=%d-%d" % (SIZE, SIZE + 5)), 416),
    (ranged(b"bytes=9-3"), 200),
    (ranged(b"bytes=18446744073709551615-"), 416),
    (ranged(b"bytes=18446744073709551615-18446744073709551615"), 416),
    (ranged(b"bytes=18446744073709551616-18446744073709551617"), 416),
    (ranged(b"bytes=" + b"9" * 1000 + b"-"), 416),
    (ranged(b"bytes=-0"), 416),
    (ranged(b"bytes=-99"), 206),
    (ranged(b"bytes=-"), 200),
    (ranged(b"bytes=--1"), 200),
    (ranged(b"bytes=-18446744073709551615"), 206),
    (ranged(b"bytes=0-" + b"9" * 1000), 206),
    (ranged(b"bytes=5-18446744073709551615"), 206),
    (ranged(b"bytes=1-2," + b"3-4," * 1000), 200),
    (ranged(b"bytes"), 200),
    (ranged(b"bytes=%n%s%d-%n"), 200),
    (ranged(b""), 200),
)




def check_garbage(server: Server) -> None:
    for text, wanted in GARBAGE:
        with server.connect(room=64 * KiB) as client:
            client.sendall(text)
            client.shutdown(socket.SHUT_WR)
            status = status_of(client)
            check(status == wanted, f"{status} for {text[:60]!r}")
    chance = random.Random(7)
    for turn in range(300):
        text = bytearray(request(turn, turn + 99))
        for _ in range(turn % 5):
            text[chance.randrange(len(text))] = chance.randrange(256)
        if turn % 5 == 0:
            text = chance.randbytes(turn)
        with server.connect(room=64 * KiB) as client:
            client.sendall(text)
            client.shutdown(socket.SHUT_WR)
            answers = (200, 206, 400, 405, 414, 416, 431, 501, 505) if text else (0,)
            check(status_of(client) in answers, f"the answer to {text!r}")
    check_nothing_held(server)


def check_crowd(server: Server) -> None:
    """More clients than descriptors: those without one wait, and are served when others go."""
    for _ in range(3):
        idle = [server.connect() for _ in range(2 * FEW)]
        late = [server.ask(5, 99) for _ in range(5)]
        check(not select.select(late, [], [], 0.2)[0], "who finds no descriptor waits")
        for client in idle:
            client.close()
        for client in late:
            server.check_answer(client, 5, 99)
            client.close()
    check_nothing_held(server)


def end(server: Server) -> None:
    """In the middle of something."""
    left = [stalled(server, 0), server.connect()]
    left[1].sendall(request(0, 1)[:20])
    server.end()
    for client in left:
        client.close()


def main() -> None:
    with Scratch() as here:
        content = made_up(SIZE)
        path = here.file("data", content)
        allowed = os.sched_getaffinity(0)
        one = Server(here, path, content, {min(allowed)}, MEMORY)
        for check_one in (check_resets, check_stalled, check_slow_readers, check_slow_senders, check_half_closed,
                          check_garbage):
            check_one(one)
        end(one)
        all_shards = Server(here, path, content, allowed, MEMORY)
        check_resets(all_shards)
        check_slow_readers(all_shards)
        end(all_shards)
        short = Server(here, path, content, {min(allowed)}, MEMORY, files=FEW)
        check_crowd(short)
        end(short)


main()
