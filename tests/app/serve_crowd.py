#!/usr/bin/env python3
"""leat-serve and crowds of 10,000 and more: who is slow keeps nothing, who is held back is not idle."""

import contextlib
import pathlib
import re
import resource
import socket
import sys
import threading
import time

sys.dont_write_bytecode = True  # the source tree stays as it is
sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
from serving import Server, check, finish, receive_all, serving, until  # noqa: E402

KIB = 1 << 10
MIB = 1 << 20
PINNED = 'leat_cache_memory_bytes{part="pinned"}'
ENDED = 'leat_shard_idle_connections_ended_total{shard="0"}'
REQUEST = b"GET /file HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def metric(server: Server, name: str) -> float:
    port = int(re.search(r"status page on http://127\.0\.0\.1:(\d+)/", server.said()).group(1))
    with socket.create_connection(("127.0.0.1", port), timeout=20) as peer:
        peer.sendall(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n" % port)
        text = receive_all(peer).decode()
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
               if line.startswith(name + " "))


def affordable(most: int, kib: int = 128) -> int:
    """As many connections as there are descriptors and memory for: so much of the kernel's, on both sides."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    pages = int(pathlib.Path("/proc/sys/net/ipv4/tcp_mem").read_text().split()[1])
    free = next(int(row.split()[1]) for row in pathlib.Path("/proc/meminfo").read_text().splitlines()
                if row.startswith("MemAvailable"))
    return min(most, limit - 200, pages * resource.getpagesize() // (kib * KIB), free // (2 * kib))


class Crowd:
    """Clients that take about 10 KB/s each, in turn."""

    def __init__(self, server: Server, count: int) -> None:
        self.peers = []
        for _ in range(count):
            peer = server.slow_socket(8192)
            peer.sendall(REQUEST)
            peer.setblocking(False)
            self.peers.append(peer)
        self.taken = [0] * count
        self.ended = 0

    def take_a_turn(self) -> None:
        """A tenth of a second's share of each, or what it can of that."""
        begun = time.monotonic()
        for at, peer in enumerate(self.peers):
            try:
                piece = peer.recv(1000)
                self.taken[at] += len(piece)
                self.ended += not piece
            except BlockingIOError:
                pass
            except OSError:
                self.ended += 1
        time.sleep(max(0.0, begun + 0.1 - time.monotonic()))

    def go(self) -> None:
        for peer in self.peers:
            peer.close()


def check_slow_crowd() -> None:
    """10,000 slow clients keep neither memory nor each other's and quick ones' answers."""
    count = affordable(10_000)
    if count < 1000:
        print(f"with room for {count} connections there is no crowd: not run")
        return
    with serving("--send-timeout", "5s", "--max-connections", "19000", "--max-connections-per-address", "19000",
                 "--open-files", "100", "--admin", "127.0.0.1:0") as server:
        (server.root / "file").write_bytes(b"x" * (4 * MIB))
        (server.root / "other").write_bytes(b"y" * (128 * KIB))
        server.ask("/file")
        server.ask("/other")
        before = server.resident()
        crowd = Crowd(server, count)
        waits = []
        stopping = threading.Event()

        def be_quick() -> None:
            while not stopping.wait(0.2):
                begun = time.monotonic()
                check(server.ask("/other")[1] == b"y" * (128 * KIB), "a quick client beside them")
                waits.append(time.monotonic() - begun)

        quick = threading.Thread(target=be_quick)
        quick.start()
        pinned = []
        end = time.monotonic() + 12
        while time.monotonic() < end:
            crowd.take_a_turn()
            pinned.append(metric(server, PINNED))
        stopping.set()
        quick.join()
        each = (server.resident() - before) / count
        waits.sort()
        print(f"{count} clients took {sum(crowd.taken) // count} bytes each; {each:.0f} bytes of memory for each; "
              f"quick ones waited {waits[len(waits) // 2]:.3f} s in the median, {waits[-1]:.3f} s at most; "
              f"{max(pinned) / MIB:.1f} MiB were pinned at most")
        check(crowd.ended == 0, f"{crowd.ended} of those who take something were cut off")
        check(min(crowd.taken) > 5000, f"each gets something: {min(crowd.taken)} bytes")
        check(waits[len(waits) // 2] < 1.5, f"a quick one is served promptly: {waits[len(waits) // 2]} s")
        check(max(pinned) <= 8 * MIB, f"nobody's slowness pins: {max(pinned)} bytes")
        check(each < 16 * KIB, f"a slow connection takes {each:.0f} bytes")
        crowd.go()
        until(lambda: server.connections() == 0, "all have gone", 30)
        until(lambda: metric(server, PINNED) == 0, "nothing is pinned any more")
        # What the allocator keeps is there for the next ones.
        peak = server.resident()
        crowd = Crowd(server, count)
        for _ in range(10):
            crowd.take_a_turn()
        check(server.resident() < peak + 0.1 * each * count + 8 * MIB,
              f"a second crowd takes no more: {(server.resident() - peak) / MIB:.1f} MiB beyond {peak / MIB:.1f}")
        crowd.go()
        until(lambda: server.connections() == 0, "these have gone, too", 30)


def check_rate_is_not_idleness() -> None:
    """Where connections are short the one idle longest goes; one that --rate holds back is not idle."""
    count = affordable(12_500, 16)
    if count < 12_500:
        print(f"with room for {count} connections none has to go: not run")
        return
    with serving("--shards", "1", "--rate", "4K", "--max-connections", "19000", "--max-connections-per-address",
                 "19000", "--open-files", "100", "--idle-timeout", "5min", "--admin", "127.0.0.1:0") as server:
        (server.root / "file").write_bytes(b"x" * (48 * KIB))
        with server.socket() as first:
            first.sendall(REQUEST)
            answer = first.recv(1000)
            with contextlib.ExitStack() as crowd:
                for _ in range(count):
                    crowd.enter_context(server.socket())
                until(lambda: metric(server, ENDED) > 0, "some have to go")
                answer += receive_all(first)
            check(answer.startswith(b"HTTP/1.1 200") and answer.count(b"x") >= 48 * KIB,
                  f"the one that is held back is served: {len(answer)} bytes")


def main() -> None:
    check_slow_crowd()
    check_rate_is_not_idleness()
    finish()


if __name__ == "__main__":
    main()
