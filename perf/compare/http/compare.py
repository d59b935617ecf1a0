#!/usr/bin/env python3
"""Runs the servers of http.sh and measures them in alternating rounds."""

import contextlib
import http.client
import os
import pathlib
import random
import re
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time

ROUNDS = int(os.environ.get("ROUNDS", 5))
SECONDS = int(os.environ.get("SECONDS_A_ROUND", 3))
FILE_BYTES = 1 << 30
COLD_BYTES = 8 << 30
SMALL = 64
RANGE = 4096
LARGE = 10 << 20
BUILD = pathlib.Path(sys.argv[1]).resolve()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Server:
    """A process on the first CPU that listens on a port of 127.0.0.1."""

    def __init__(self, name: str, command: list, port: int, tls: bool = False) -> None:
        self.name, self.port, self.tls = name, port, tls
        self.process = subprocess.Popen(["taskset", "--cpu-list", "0", *map(str, command)],
                                        stderr=subprocess.DEVNULL if name == "nginx" else None)
        for _ in range(600):
            with contextlib.suppress(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port)).close()
                return
            time.sleep(0.1)
        sys.exit(f"http.sh: {name} does not listen")

    def cpu_ns(self) -> int:
        """What its threads have used."""
        used = 0
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            used += int((task / "schedstat").read_text().split()[0])
        return used

    def connection(self) -> http.client.HTTPConnection:
        if self.tls:
            anyone = ssl.create_default_context()
            anyone.check_hostname = False
            anyone.verify_mode = ssl.CERT_NONE
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=anyone)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def make_file(path: pathlib.Path, size: int) -> None:
    source = random.Random(1)
    with path.open("wb") as out:
        for _ in range(0, size, 1 << 20):
            out.write(source.randbytes(min(size, 1 << 20)))


def check_bytes(server: Server, path: pathlib.Path) -> None:
    """Compares answers with the file, and reads all of it, so that memory holds it."""
    size = path.stat().st_size
    connection = server.connection()
    with path.open("rb") as file:
        for length in [RANGE] * 2000 + [LARGE] * 30:
            first = random.randrange(0, size - length)
            connection.request("GET", f"/{path.name}", headers={"Range": f"bytes={first}-{first + length - 1}"})
            body = connection.getresponse().read()
            file.seek(first)
            if body != file.read(length):
                sys.exit(f"http.sh: wrong bytes at {first} from {server.name}")
    connection.request("GET", f"/{path.name}")
    answer = connection.getresponse()
    while answer.read(1 << 20):
        pass


class Comparison:
    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.servers: list[Server] = []
        make_file(folder / "file", FILE_BYTES)
        (folder / "small").write_bytes(random.randbytes(SMALL))

    def start(self, name: str, command: list, port: int, tls: bool = False) -> Server:
        server = Server(name, command, port, tls)
        self.servers.append(server)
        return server

    def leat(self, *options: str, tls: bool = False) -> Server:
        port = free_port()
        command = [BUILD / "apps/leat-serve", "--listen", f"127.0.0.1:{port}", "--memory", "1400M", "--shards", "1",
                   "--cpus", "0", "--max-requests", 1 << 40, "--touch-memory", *options, self.folder]
        return self.start("leat", command, port, tls)

    def nginx(self, tls: bool = False) -> Server:
        port = free_port()
        listen = f"listen 127.0.0.1:{port}{' ssl' if tls else ''};"
        if tls:
            listen += f" ssl_certificate {self.folder}/site.pem; ssl_certificate_key {self.folder}/site.key;"
        config = self.folder / f"nginx{port}.conf"
        config.write_text(f"""
daemon off;
master_process off;
pid {self.folder}/nginx{port}.pid;
error_log stderr crit;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    open_file_cache max=100;
    client_body_temp_path {self.folder}; proxy_temp_path {self.folder}; fastcgi_temp_path {self.folder};
    uwsgi_temp_path {self.folder}; scgi_temp_path {self.folder};
    server {{ {listen} root {self.folder}; }}
}}
""")
        return self.start("nginx", ["nginx", "-p", self.folder, "-c", config], port, tls)

    def bare(self, length: int) -> Server:
        port = free_port()
        return self.start("bare", [BUILD / "perf/bare-ring-server", self.folder / "file", port, length], port)

    def stop(self) -> None:
        for server in self.servers:
            server.stop()
        self.servers.clear()

    def ask(self, server: Server, length: int, connections: int, path: str = "file") -> dict:
        """One round of wrk: requests a second, CPU a request in us, latency in us."""
        script = self.folder / "ranges.lua"
        ranged = f"""
    local first = math.random(0, {FILE_BYTES - length})
    return wrk.format("GET", "/{path}", {{ Range = string.format("bytes=%d-%d", first, first + {length - 1}) }})"""
        script.write_text(f"""
function setup(thread) thread:set("seed", {random.randrange(1 << 30)}) end
function init() math.randomseed(seed) end
function request() {ranged if path == "file" else f'return wrk.format("GET", "/{path}")'}
end
function done(summary, latency)
    local errors = summary.errors
    io.write(string.format("%d %d %d %d %d\\n", summary.requests, summary.duration, latency:percentile(50),
        latency:percentile(99), errors.status + errors.read + errors.timeout + errors.connect))
end
""")
        scheme = "https" if server.tls else "http"
        before = server.cpu_ns()
        printed = subprocess.run(
            ["taskset", "--cpu-list", "1", "wrk", "--threads", "1", "--connections", str(connections), "--duration",
             f"{SECONDS}s", "--latency", "--script", script, f"{scheme}://127.0.0.1:{server.port}/{path}"],
            check=True, capture_output=True, text=True).stdout
        used = server.cpu_ns() - before
        requests, duration, p50, p99, errors = map(int, printed.strip().splitlines()[-1].split())
        if errors or requests == 0:
            sys.exit(f"http.sh: {server.name} answered {errors} of {requests} requests with errors")
        return {"rate": requests / duration * 1e6, "cpu": used / 1e3 / requests, "p50": p50, "p99": p99}

    def rounds(self, title: str, servers: list[Server], length: int, connections: int, path: str = "file") -> dict:
        results: dict[str, list[dict]] = {server.name: [] for server in servers}
        for server in servers:  # once unmeasured: what a server makes at first use is there then
            self.ask(server, length, connections, path)
        for _ in range(ROUNDS):
            for server in servers:
                results[server.name].append(self.ask(server, length, connections, path))
        print(title)
        median = {}
        for name, rows in results.items():
            median[name] = {key: statistics.median(row[key] for row in rows) for key in rows[0]}
            rates = [row["rate"] for row in rows]
            one = median[name]
            print(f"  {name:6} {one['rate']:9.0f} requests/s {one['rate'] * length / 1e9:6.2f} GB/s"
                  f" {one['cpu']:9.2f} us of CPU a request, p50 {one['p50']:6.0f} us, p99 {one['p99']:6.0f} us,"
                  f" spread {(max(rates) - min(rates)) / one['rate']:.0%}")
        first = servers[0].name
        for name in list(median)[1:]:
            parts = [f"{what} {median[first][key] / median[name][key]:.3f}"
                     for key, what in (("rate", "rate"), ("cpu", "CPU a request"), ("p99", "p99"))]
            print(f"  {first}/{name}: {', '.join(parts)}")
        sys.stdout.flush()
        return median

    def warm(self, servers: list[Server]) -> list[Server]:
        for server in servers:
            if server.name != "bare":
                check_bytes(server, self.folder / "file")
        return servers

    def ranges(self) -> None:
        servers = self.warm([self.leat(), self.nginx(), self.bare(RANGE)])
        self.rounds("random ranges of 4 KiB, 32 connections", servers, RANGE, 32)

    def large(self) -> None:
        servers = self.warm([self.leat(), self.nginx(), self.bare(LARGE)])
        self.rounds("random ranges of 10 MiB, 8 connections", servers, LARGE, 8)

    def small(self) -> None:
        self.rounds("a file of 64 bytes, 32 connections", [self.leat(), self.nginx()], SMALL, 32, "small")

    def many(self) -> None:
        # The others tell what wrk makes of so many: it needs the more CPU for a request, too.
        servers = self.warm([self.leat(), self.nginx(), self.bare(RANGE)])
        few = self.rounds("random ranges of 4 KiB, 32 connections", servers, RANGE, 32)
        many = self.rounds("the same, 1,000 connections", servers, RANGE, 1000)
        for name in few:
            ratio = many[name]["rate"] / few[name]["rate"]
            cpu = many[name]["cpu"] / few[name]["cpu"]
            print(f"  {name}, 1,000 connections to 32: rate {ratio:.3f}, CPU a request {cpu:.3f}")

    def tls(self) -> None:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                        "/CN=127.0.0.1", "-keyout", self.folder / "site.key", "-out", self.folder / "site.pem"],
                       check=True, capture_output=True)
        servers = self.warm([self.leat("--tls-certificate", self.folder / "site.pem", "--tls-key",
                                       self.folder / "site.key", tls=True), self.nginx(tls=True)])
        self.rounds("random ranges of 10 MiB over TLS, 8 connections", servers, LARGE, 8)

    def latency(self) -> None:
        make_file(self.folder / "cold", COLD_BYTES)
        servers = self.warm([self.leat(), self.nginx()])
        self.rounds("random ranges of 4 KiB, 32 connections, alone", servers, RANGE, 32)
        for server in servers:
            asking = subprocess.Popen([sys.executable, __file__, str(BUILD), "--cold", str(server.port),
                                       str(COLD_BYTES)])
            try:
                self.rounds(f"the same from {server.name} while others ask for cold ranges of 1 MiB", [server], RANGE,
                            32)
            finally:
                asking.kill()
                asking.wait()


def ask_cold(port: int, size: int) -> None:
    """Asks for ranges of 1 MiB that no memory holds, for ever."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    while True:
        first = random.randrange(0, size - (1 << 20))
        connection.request("GET", "/cold", headers={"Range": f"bytes={first}-{first + (1 << 20) - 1}"})
        connection.getresponse().read()


def processor() -> str:
    found = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return found[1] if found else "an unknown processor"


def main() -> None:
    if sys.argv[2:3] == ["--cold"]:
        ask_cold(int(sys.argv[3]), int(sys.argv[4]))
    workloads = sys.argv[2:] or ["ranges", "large", "small", "many", "tls", "latency"]
    unknown = [one for one in workloads if not callable(getattr(Comparison, one, None))]
    if unknown:
        sys.exit(f"http.sh: there is no workload {unknown[0]}")
    print(f"on {processor()}")
    with tempfile.TemporaryDirectory(prefix="http.", dir=BUILD) as folder:
        comparison = Comparison(pathlib.Path(folder))
        try:
            for one in workloads:
                getattr(comparison, one)()
                comparison.stop()
        finally:
            comparison.stop()


if __name__ == "__main__":
    main()
