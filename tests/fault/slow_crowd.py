#!/usr/bin/env python3
"""10,000 clients of the HTTP example at 10 KB/s, each in a chunk of its own, with memory for 50: all are served at
once, at their own pace, since nobody's slowness keeps a chunk. The clients are this process, the server is another, so
that either has descriptors for all."""

import os
import pathlib
import resource
import socket
import time

from support.fault import KiB, PATIENCE_S, Scratch, check, skip
from support.http_server import Server, reset

CLIENTS = 10_000
CHUNK = 256 * KiB
MEMORY = 50 * CHUNK
RATE = 10_000  # bytes a second
LEAST_RATE = 0.9 * RATE
SECONDS = 8
ROOM = 16 * KiB  # what a client's socket keeps
DESCRIPTORS = CLIENTS + 200
GROUPS = 100  # that read in turn
LONGEST_TURN_S = 1.1  # from one turn of a client to its next, as far as it counts
MARKED = 100  # each so manieth chunk begins with its number; the others are holes


class Client:
    """Reads what it is entitled to, and never waits."""

    def __init__(self, server: Server, index: int) -> None:
        self.index = index
        self.head = bytearray()
        self.received = 0
        self.last = 0.0  # when it had its last turn, since its first byte
        self.seconds = 0.0  # in which it could take bytes
        self.rate = 0.0  # over SECONDS at least, from the first byte on
        self.content = bytearray()  # the first of it
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM)
        # As on a network: over loopback a segment would be as large as all of the client's room.
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1400)
        self.socket.connect(("127.0.0.1", server.port))
        first = index * CHUNK
        self.socket.sendall(b"GET / HTTP/1.1\r\nHost: here\r\nRange: bytes=%d-%d\r\n\r\n" % (first, first + CHUNK - 1))
        self.socket.setblocking(False)

    def read(self, now: float) -> None:
        if not self.last:
            self.read_head(now)
            return
        # Where this process does not get its turn it takes nothing, whatever is there for it.
        self.seconds += min(now - self.last, LONGEST_TURN_S)
        self.last = now
        due = int(self.seconds * RATE) - self.received
        while due > 0:
            try:
                content = self.socket.recv(due)
            except BlockingIOError:
                break
            check(content, f"the answer to client {self.index} ends after {self.received} bytes")
            self.take(content)
            due -= len(content)
        if self.seconds >= SECONDS and not self.satisfied():
            self.rate = self.received / self.seconds

    def read_head(self, now: float) -> None:
        try:
            self.head += self.socket.recv(512)
        except BlockingIOError:
            return
        head, end, content = bytes(self.head).partition(b"\r\n\r\n")
        if not end:
            return
        check(head.startswith(b"HTTP/1.1 206 "), f"client {self.index} is answered by {head!r}")
        check(b"Content-Range: bytes %d-" % (self.index * CHUNK) in head, f"client {self.index} got {head!r}")
        self.last = now
        self.take(content)

    def take(self, content: bytes) -> None:
        if len(self.content) < 8:
            self.content += content[: 8 - len(self.content)]
        self.received += len(content)

    def satisfied(self) -> bool:
        return self.rate >= LEAST_RATE


def sparse_file(here: Scratch) -> pathlib.Path:
    path = here.folder / "sparse"
    with open(path, "wb") as file:
        file.truncate(CLIENTS * CHUNK)
        for index in range(0, CLIENTS, MARKED):
            os.pwrite(file.fileno(), index.to_bytes(8, "little"), index * CHUNK)
        os.fsync(file.fileno())
    return path


def affordable_clients() -> int:
    """As many as the kernel has memory for, before it gives all sockets less: each takes some 80 KiB, on both sides."""
    pages = int(pathlib.Path("/proc/sys/net/ipv4/tcp_mem").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() // (96 * KiB)


def resident_mb(server: Server) -> float:
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def read_all(clients: list[Client]) -> None:
    """Until each has had what it can take for SECONDS, or longer: a client that had to wait for a moment, on a machine
    that is busy otherwise, catches up."""
    waiting = clients
    end = time.monotonic() + 2 * PATIENCE_S
    while waiting:
        for group in range(GROUPS):
            begun = time.monotonic()
            for one in clients[group::GROUPS]:
                one.read(time.monotonic())
            # So that each group has its turn once a second.
            time.sleep(max(0.0, begun + 1 / GROUPS - time.monotonic()))
        waiting = [one for one in waiting if not one.satisfied()]
        late = [int(one.rate) for one in waiting]
        check(time.monotonic() < end, f"{len(late)} clients are kept waiting, at a rate of {sorted(late)[:20]} B/s")


def main() -> None:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if most < DESCRIPTORS:
        skip(f"a process may have {most} descriptors, and {DESCRIPTORS} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, most))
    with Scratch() as here:
        path = sparse_file(here)
        server = Server(here, path, bytes(10), os.sched_getaffinity(0), MEMORY, CHUNK, files=DESCRIPTORS)
        begun = time.monotonic()
        clients = [Client(server, index) for index in range(min(CLIENTS, affordable_clients()))]
        connected = time.monotonic()
        read_all(clients)
        for one in clients[::MARKED]:
            check(int.from_bytes(one.content, "little") == one.index, f"client {one.index} got {one.content!r}")
        rates = sorted(one.rate for one in clients)
        print(f"{len(clients)} clients, connected in {connected - begun:.1f} s, received {rates[0]:.0f} B/s at least, "
              f"{rates[len(rates) // 2]:.0f} in the median; the server took {resident_mb(server):.0f} MB at most")
        for one in clients:
            reset(one.socket)
        server.check_descriptors()
        server.end()


main()
