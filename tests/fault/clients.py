#!/usr/bin/env python3
"""Clients of the HTTP example that reset, hang up half-way, are slow, or send garbage. What they held comes back, and
others are served meanwhile."""

import contextlib
import os
import pathlib
import random
import resource
import select
import signal
import socket
import struct
import sys

from support.fault import KiB, MiB, Scratch, check, made_up, wait_for

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "app" / "support"))
from server import connected, free_port  # noqa: E402

CHUNK = 10 * MiB
CHUNKS = 6
SIZE = CHUNKS * CHUNK + 123
BUFFERS = 4  # fewer than the file has chunks
FEW = 40  # descriptors


class Server:
    """The example, with room for BUFFERS chunks."""

    def __init__(self, here: Scratch, path: pathlib.Path, content: bytes, cpus, files: int = 1000) -> None:
        self.content = content
        self.port = free_port()
        self.process = here.process(
            os.environ["EXAMPLE_HTTP_SERVER"], path, str(self.port), f"{BUFFERS * CHUNK}",
            preexec_fn=lambda: limit_to(cpus, files))
        connected(self.port).close()
        wait_for(self.all_listen, "all shards")
        self.serve(0, 9)
        wait_for(lambda: self.sockets() == self.listeners(), "the end of the first connection")
        self.descriptors_at_first = self.descriptors()

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def sockets(self) -> int:
        count = 0
        for descriptor in pathlib.Path(f"/proc/{self.process.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                count += os.readlink(descriptor).startswith("socket:")
        return count

    def listeners(self) -> int:
        lines = pathlib.Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()
        return sum(f":{self.port:04X} 00000000:0000 0A" in line for line in lines)

    def all_listen(self) -> bool:
        """Whether each shard's thread has its name and its socket."""
        of_process = pathlib.Path(f"/proc/{self.process.pid}")
        names = []
        for thread in (of_process / "task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a worker of the kernel's has ended
                names.append((thread / "comm").read_text(encoding="ascii"))
        unnamed = names.count((of_process / "comm").read_text(encoding="ascii"))
        shards = {name for name in names if name.startswith("leat-")}
        return unnamed == 1 and self.listeners() == len(shards) > 0

    def connect(self, room: int = 0) -> socket.socket:
        """A connection, which keeps about `room` bytes that its client has not read."""
        if not room:
            return connected(self.port)
        client = socket.socket()
        client.settimeout(20)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        client.connect(("127.0.0.1", self.port))
        return client

    def ask(self, first: int, last: int, room: int = 0) -> socket.socket:
        client = self.connect(room)
        client.sendall(request(first, last))
        return client

    def stalled(self, chunk: int) -> socket.socket:
        """A client in the middle of an answer, which pins a chunk: more than the sockets between them hold."""
        client = self.ask(chunk * CHUNK, (chunk + 1) * CHUNK - 1, room=4 * KiB)
        check(client.recv(8) == b"HTTP/1.1", f"an answer begins with chunk {chunk}")
        return client

    def serve(self, first: int, last: int) -> None:
        """A client like any other."""
        with self.ask(first, last) as client:
            self.check_answer(client, first, last)

    def check_answer(self, client: socket.socket, first: int, last: int, begun: bytes = b"") -> None:
        head, body = read_head(client, begun)
        check(head.startswith(b"HTTP/1.1 206 "), f"{first}-{last}: {head!r}")
        wanted = self.content[first : last + 1]
        while len(body) < len(wanted):
            body += some(client)
        check(body == wanted, f"the bytes {first}-{last}")

    def check_nothing_held(self) -> None:
        wait_for(lambda: self.descriptors() == self.descriptors_at_first, "the descriptors of those who have gone")
        for chunk in range(CHUNKS):
            self.serve(chunk * CHUNK + 5, chunk * CHUNK + 4100)
        self.serve(CHUNK - 100, 3 * CHUNK + 100)


def limit_to(cpus, files: int) -> None:
    os.sched_setaffinity(0, cpus)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))


def request(first: int, last: int) -> bytes:
    return b"GET / HTTP/1.1\r\nRange: bytes=%d-%d\r\n\r\n" % (first, last)


def some(client: socket.socket) -> bytes:
    received = client.recv(1 << 20)
    check(received != b"", "the server goes on")
    return received


def read_head(client: socket.socket, begun: bytes = b"") -> tuple[bytes, bytearray]:
    received = bytearray(begun)
    while b"\r\n\r\n" not in received:
        received += some(client)
    head, _, rest = bytes(received).partition(b"\r\n\r\n")
    return head, bytearray(rest)


def reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def status_of(client: socket.socket) -> int:
    """Of the answer to what the client sent, 0 if the connection ends without one."""
    try:
        received = client.recv(12)
        while 0 < len(received) < 12:
            more = client.recv(12 - len(received))
            if not more:
                break
            received += more
    except (ConnectionResetError, BrokenPipeError):
        return 0
    check(received == b"" or received.startswith(b"HTTP/1.1 "), f"answered by {received!r}")
    return int(received[9:12] or 0)


def check_resets(server: Server) -> None:
    """Resets before a request, within it, behind it, within the answer, and with a second request waiting."""
    for turn in range(150):
        first = turn % CHUNKS * CHUNK
        whole = request(first, first + CHUNK - 1)
        client = server.connect(room=4 * KiB)
        moment = turn // CHUNKS % 5
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
        reset(client)
    server.check_nothing_held()


def check_pins(server: Server) -> None:
    """On one shard: clients hold each buffer, so the next one waits; when they go, however they do, it is served."""
    for turn in range(4):
        holders = [server.stalled(chunk) for chunk in range(BUFFERS)]
        last = BUFFERS * CHUNK + 999
        with server.ask(last - 999, last) as waiting:
            check(not select.select([waiting], [], [], 0.2)[0], "who finds no buffer waits")
            for index, holder in enumerate(holders):
                if turn < 2:
                    reset(holder)
                elif turn == 2:
                    holder.close()
                else:
                    holder.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * MiB)
                    first = index * CHUNK
                    server.check_answer(holder, first, first + CHUNK - 1, b"HTTP/1.1")
            server.check_answer(waiting, last - 999, last)
        for holder in holders:
            holder.close()
    server.check_nothing_held()


def check_slow_readers(server: Server) -> None:
    slow = [server.stalled(0) for _ in range(20)]
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
    server.check_nothing_held()


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
    server.check_nothing_held()


def check_half_closed(server: Server) -> None:
    whole = request(2 * CHUNK - 5, 2 * CHUNK + 5 * MiB)
    for length in (0, 1, len(whole) // 2, len(whole) - 1):
        with server.connect() as client:
            client.sendall(whole[:length])
            client.shutdown(socket.SHUT_WR)
            check(status_of(client) in (0, 400), f"a request that ends after {length} bytes")
    for _ in range(10):  # who says nothing more still gets the answer
        with server.connect() as client:
            client.sendall(whole)
            client.shutdown(socket.SHUT_WR)
            server.check_answer(client, 2 * CHUNK - 5, 2 * CHUNK + 5 * MiB)
            check(client.recv(1) == b"", "then the server ends the connection, too")
    server.check_nothing_held()


def ranged(text: bytes) -> bytes:
    return b"GET / HTTP/1.1\r\nRange: " + text + b"\r\n\r\n"


# What is sent, and what may be answered besides 400 and the end of the connection.
GARBAGE = (
    (b"\0\1\2\r\n\r\n", ()),
    (b"\r\n" * 100 + b"\0", ()),
    (b"\x16\3\1\2\0\1\0\1\xfc\3\3" + bytes(range(256)), ()),  # TLS
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ()),
    (b"GET\r\n\r\n", ()),
    (b"GET /\r\n\r\n", ()),
    (b"GET / HTTP/9.9\r\n\r\n", ()),
    (b"GET / JUNK/1.1\r\n\r\n", ()),
    (b"GET /\0 HTTP/1.1\r\n\r\n", ()),
    (b"G\xffT / HTTP/1.1\r\n\r\n", ()),
    (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", ()),
    (b"GET / HTTP/1.1\r\n: no name\r\n\r\n", ()),
    (b"GET / HTTP/1.1\r\nName : value\r\n\r\n", ()),
    (b"GET / HTTP/1.1\r\nRange: \0\r\n\r\n", ()),
    (b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", ()),
    (b"GET / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", ()),
    (b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", ()),
    (b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", ()),
    (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n", ()),
    (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n", ()),
    (b"GET / HTTP/1.1\r\nName: " + b"x" * 1_000_000 + b"\r\n\r\n", ()),
    (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 10_000 + b"\r\n", ()),
    (b"x" * 1_000_000, ()),
    (ranged(b"bytes=%d-" % SIZE), (416,)),
    (ranged(b"bytes=%d-%d" % (SIZE, SIZE + 5)), (416,)),
    (ranged(b"bytes=9-3"), (200, 416)),
    (ranged(b"bytes=18446744073709551615-"), (416,)),
    (ranged(b"bytes=18446744073709551615-18446744073709551615"), (416,)),
    (ranged(b"bytes=18446744073709551616-18446744073709551617"), (416,)),
    (ranged(b"bytes=" + b"9" * 1000 + b"-"), (416,)),
    (ranged(b"bytes=-0"), (416,)),
    (ranged(b"bytes=-99"), (206,)),
    (ranged(b"bytes=-"), (200, 416)),
    (ranged(b"bytes=--1"), (200, 416)),
    (ranged(b"bytes=-18446744073709551615"), (200, 206, 416)),
    (ranged(b"bytes=0-" + b"9" * 1000), (200,)),
    (ranged(b"bytes=5-18446744073709551615"), (206,)),
    (ranged(b"bytes=1-2," + b"3-4," * 1000), (200, 206, 416)),
    (ranged(b"bytes"), (200,)),
    (ranged(b"bytes=%n%s%d-%n"), (200,)),
    (ranged(b""), (200,)),
)


def check_garbage(server: Server) -> None:
    for text, allowed in GARBAGE:
        with server.connect(room=64 * KiB) as client:
            with contextlib.suppress(OSError):  # the server need not read it all
                client.sendall(text)
                client.shutdown(socket.SHUT_WR)
            status = status_of(client)
            check(status in (0, 400, *allowed), f"{status} for {text[:60]!r}")
            check(status != 0 or 416 not in allowed, f"no answer to {text[:60]!r}")
    chance = random.Random(7)
    for turn in range(300):
        text = bytearray(request(turn, turn + 99))
        for _ in range(turn % 5):
            text[chance.randrange(len(text))] = chance.randrange(256)
        if turn % 5 == 0:
            text = chance.randbytes(turn)
        with server.connect(room=64 * KiB) as client:
            with contextlib.suppress(OSError):  # the server need not read it all
                client.sendall(text)
                client.shutdown(socket.SHUT_WR)
            check(status_of(client) in (0, 200, 206, 400, 416), f"the answer to {text!r}")
    server.check_nothing_held()


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
    server.check_nothing_held()


def end(server: Server) -> None:
    """In the middle of something."""
    left = [server.stalled(0), server.connect()]
    left[1].sendall(request(0, 1)[:20])
    server.process.send_signal(signal.SIGTERM)
    check(server.process.wait(20) == 0, f"the server ended with {server.process.returncode}")
    for client in left:
        client.close()


def main() -> None:
    with Scratch() as here:
        content = made_up(SIZE)
        path = here.file("data", content)
        allowed = os.sched_getaffinity(0)
        one = Server(here, path, content, {min(allowed)})
        for check_one in (check_resets, check_pins, check_slow_readers, check_slow_senders, check_half_closed,
                          check_garbage):
            check_one(one)
        end(one)
        all_shards = Server(here, path, content, allowed)
        check_resets(all_shards)
        check_slow_readers(all_shards)
        end(all_shards)
        short = Server(here, path, content, {min(allowed)}, files=FEW)
        check_crowd(short)
        end(short)


main()
