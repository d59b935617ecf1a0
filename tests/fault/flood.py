#!/usr/bin/env python3
"""Clients of the HTTP example that send without end and read nothing, on the only shard: 100 others get each answer
meanwhile."""

import multiprocessing
import os
import select
import socket

from support.fault import KiB, MiB, Scratch, check, made_up, wait_for
from support.http_server import Server, request

CHUNK = 256 * KiB
SIZE = 16 * CHUNK
OTHERS = 100
ROUNDS = 10


class Flood:
    """A process that sends `first`, then `repeated` over and over, until it is left."""

    def __init__(self, server: Server, first: bytes, repeated: bytes) -> None:
        self.socket = server.connect(room=4 * KiB)
        self.socket.setblocking(False)
        self.first = first
        self.repeated = repeated
        forked = multiprocessing.get_context("fork")
        self.sent = forked.Value("Q", 0)
        self.process = forked.Process(target=self.run, daemon=True)

    def run(self) -> None:
        rest = memoryview(self.first)
        endless = memoryview(self.repeated * (1 + 64 * KiB // len(self.repeated)))
        while True:
            if not rest:
                rest = endless
            select.select([], [self.socket], [])
            count = self.socket.send(rest)
            self.sent.value += count
            rest = rest[count:]

    def __enter__(self) -> "Flood":
        self.process.start()
        return self

    def __exit__(self, *_) -> None:
        self.process.kill()
        self.process.join()
        self.socket.close()


def check_others(server: Server, others: list[socket.socket]) -> None:
    for turn in range(ROUNDS):
        for index, one in enumerate(others):
            one.sendall(request(*asked(turn, index)))
        for index, one in enumerate(others):
            server.check_answer(one, *asked(turn, index))


def asked(turn: int, index: int) -> tuple[int, int]:
    first = (turn + index) * 7919 % (SIZE - 5000)
    return first, first + 4095


def main() -> None:
    whole = request(0, SIZE - 1)
    floods = {
        "requests whose answers are not read": (b"", whole),
        "requests without content in the answer": (b"", b"HEAD / HTTP/1.1\r\nHost: here\r\n\r\n"),
        "content behind a method that is not allowed": (
            b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 9999999999\r\n\r\n", b"x"),
        "a head without end": (b"GET / HTTP/1.1\r\nHost: here\r\n", b"Name: value\r\n"),
        "what is no request": (b"", b"\0\0\0\0"),
        "empty lines": (b"", b"\r\n"),
    }
    with Scratch() as here:
        content = made_up(SIZE)
        path = here.file("data", content)
        server = Server(here, path, content, {min(os.sched_getaffinity(0))}, 8 * MiB, CHUNK)
        for name, texts in floods.items():
            with Flood(server, *texts) as flood:
                wait_for(lambda: flood.sent.value >= 100 * KiB, f"the flood of {name}")
                others = [server.connect() for _ in range(OTHERS)]
                check_others(server, others)
                check(flood.process.is_alive(), f"the flood of {name} was ended before its time")
                print(f"{OTHERS * ROUNDS} answers beside {flood.sent.value / 1e6:.1f} MB of {name}")
            for one in others:
                one.close()
            server.check_descriptors()
        server.end()


main()
