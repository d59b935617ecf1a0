"""The HTTP example as a process whose descriptors can be counted, and clients that behave as they are told to."""

import contextlib
import os
import pathlib
import resource
import signal
import socket
import struct
import sys

from support.fault import KiB, MiB, Scratch, check, wait_for

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "app" / "support"))
from server import connected, free_port  # noqa: E402


class Server:
    """The example, serving `content` at `path`. With `patience`, in seconds, for those who do nothing."""

    def __init__(self, here: Scratch, path: pathlib.Path, content: bytes, cpus, memory: int, chunk: int = 10 * MiB,
                 files: int = 1000, patience: int = 60) -> None:
        self.content = content
        self.port = free_port()
        self.process = here.process(
            os.environ["EXAMPLE_HTTP_SERVER"], path, str(self.port), str(memory), str(chunk),
            str(patience), preexec_fn=lambda: limit_to(cpus, files))
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

    def stalled(self, first: int, last: int) -> socket.socket:
        """A client in the middle of an answer, of more bytes than the sockets between them hold."""
        client = self.ask(first, last, room=4 * KiB)
        check(client.recv(8) == b"HTTP/1.1", f"an answer begins with {first}")
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

    def check_descriptors(self) -> None:
        wait_for(lambda: self.descriptors() == self.descriptors_at_first, "the descriptors of those who have gone")

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        check(self.process.wait(20) == 0, f"the server ended with {self.process.returncode}")


def limit_to(cpus, files: int) -> None:
    os.sched_setaffinity(0, cpus)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))


def request(first: int, last: int) -> bytes:
    return b"GET / HTTP/1.1\r\nHost: here\r\nRange: bytes=%d-%d\r\n\r\n" % (first, last)


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
