#!/usr/bin/env python3
"""leat-serve: what it answers administrators: who may ask, metrics, JSON, the status page, warm, evict, drain."""

import contextlib
import http.client
import json
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

sys.dont_write_bytecode = True  # the source tree stays as it is
sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
from serving import NO_ADMIN, PROGRAM, SMALL, Server, check, finish, serving, until  # noqa: E402

MIB = 1 << 20
DIRECT = ("--admin", "127.0.0.1:0")
MAY = {"Leat-Admin": "1"}


class Admin:
    """The administrator's side of a server."""

    def __init__(self, server: Server, address: str = "127.0.0.1") -> None:
        self.address = address
        shown = f"[{address}]" if ":" in address else address
        self.port = int(re.search(rf"status page on http://{re.escape(shown)}:(\d+)/", server.said()).group(1))
        self.host = f"{shown}:{self.port}"

    def ask(self, path: str, method: str = "GET", host: str | None = None, **fields: str):
        connection = http.client.HTTPConnection(self.address, self.port, timeout=20)
        with contextlib.closing(connection):
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            connection.putheader("Host", host or self.host)
            for name, value in fields.items():
                connection.putheader(name, value)
            connection.endheaders()
            answer = connection.getresponse()
            return answer, answer.read()

    def json(self, path: str):
        answer, content = self.ask(path)
        check(answer.status == 200 and answer.headers["Content-Type"] == "application/json", f"{path}: {answer.status}")
        return json.loads(content)

    def cache(self) -> dict:
        """What the cache tells, not what it told within the last second."""
        time.sleep(1.05)
        return self.json("/stats.json")["cache"]

    def post(self, path: str) -> dict:
        answer, content = self.ask(path, "POST", **MAY)
        check(answer.status in (200, 202), f"POST {path}: {answer.status}, {content!r}")
        return json.loads(content)

    def status(self, path: str, method: str = "GET", **fields: str) -> int:
        return self.ask(path, method, **fields)[0].status

    def metrics(self) -> dict[str, float]:
        """Each sample by its name with labels, and the sum over its labels by its name alone."""
        samples: dict[str, float] = {}
        for line in self.ask("/metrics")[1].decode().splitlines():
            if line.startswith("#"):
                continue
            name, value = line.rsplit(" ", 1)
            samples[name] = float(value)
            if "{" in name:
                alone = name.split("{")[0]
                samples[alone] = samples.get(alone, 0) + float(value)
        return samples


def check_who_may_ask() -> None:
    with serving(*DIRECT) as server:
        admin = Admin(server)
        (server.root / "file").write_bytes(b"x" * 1000)
        server.ask("/file")
        for path in ("/", "/metrics", "/stats.json", "/healthz"):
            check(admin.status(path) == 200, f"{path} is answered")
            check(admin.status(path, host=f"localhost:{admin.port}") == 200, f"{path}, of localhost")
            for host in ("evil.example", f"evil.example:{admin.port}", "127.0.0.1", f"127.0.0.1:{server.port}",
                         f"127.0.0.1.evil.example:{admin.port}"):
                check(admin.status(path, host=host) == 421, f"{path} is not answered for the host {host}")
        with socket.create_connection(("127.0.0.1", admin.port), timeout=20) as peer:
            peer.sendall(b"GET /stats.json HTTP/1.0\r\n\r\n")
            check(peer.recv(100).startswith(b"HTTP/1.1 421"), "a request without a host is not answered")
        own = f"http://127.0.0.1:{admin.port}"
        evict = "/evict?path=/file"
        check(admin.status(evict, "POST") == 403, "POST without Leat-Admin")
        check(admin.status(evict, "POST", **{"Leat-Admin": "yes"}) == 403, "POST with another Leat-Admin")
        for origin in ("http://evil.example", "null", f"https://127.0.0.1:{admin.port}", own + ".evil.example"):
            check(admin.status(evict, "POST", Origin=origin, **MAY) == 403, f"POST from {origin}")
        check(admin.json("/chunks") != [], "none of them has done anything")
        check(admin.status(evict, "POST", Origin=own, **MAY) == 200, "POST from the page itself")
        for path in ("/evict?path=/file", "/warm?path=/file", "/drain"):
            answer, _ = admin.ask(path, **MAY)
            check(answer.status == 405 and answer.headers["Allow"] == "POST", f"GET {path}: {answer.status}")
        answer, _ = admin.ask("/metrics", "POST", **MAY)
        check(answer.status == 405 and answer.headers["Allow"] == "GET, HEAD", "POST /metrics")
        answer, content = admin.ask("/stats.json", "HEAD")
        check(answer.status == 200 and content == b"" and int(answer.headers["Content-Length"]) > 100, "HEAD")
        check(admin.status("/absent") == 404, "an absent page")
        check(server.process.poll() is None, "nobody has ended it")


def check_page() -> None:
    with serving(*DIRECT) as server:
        admin = Admin(server)
        answer, page = admin.ask("/")
        policy = answer.headers["Content-Security-Policy"]
        check("default-src 'none'" in policy and "unsafe" not in policy and "*" not in policy, f"the policy: {policy}")
        check(answer.headers["X-Content-Type-Options"] == "nosniff", "nothing is sniffed")
        check(answer.headers["Cache-Control"] == "no-store", "nothing is stored")
        text = page.decode()
        check("<html lang" in text and "viewport" in text, "the page names its language, and fits phones")
        check(not re.search(r"style=|onclick|<style|<script>|https?://", text), "nothing that the policy forbids")
        parts = re.findall(r'(?:href|src)="(/[^"]*)"', text)
        check("/status.css" in parts and "/status.js" in parts, f"it refers to {parts}")
        for part in parts:
            check(admin.status(part) == 200, f"{part} is there")
        check(admin.ask("/status.js")[0].headers["Content-Type"].startswith("text/javascript"), "a script")
        check(admin.ask("/status.css")[0].headers["Content-Type"].startswith("text/css"), "a style")
        style = admin.ask("/status.css")[1].decode()
        check("prefers-color-scheme: dark" in style and ".legend" in style, "both stylesheets are there")


def check_metrics() -> None:
    with serving(*DIRECT) as server:
        admin = Admin(server)
        (server.root / "file").write_bytes(b"x" * 100_000)
        before = admin.metrics()
        for _ in range(5):
            check(server.ask("/file")[0].status == 200, "a file")
        server.ask("/absent")
        server.ask("/file", Range="bytes=10-19")
        time.sleep(1)  # what the cache tells may be so old
        after = admin.metrics()

        def more(name: str) -> float:
            return after[name] - before.get(name, 0)

        check(more("leat_http_requests_total") == 7, f"requests: {more('leat_http_requests_total')}")
        by_code = {code: sum(value for name, value in after.items() if f'code="{code}"' in name)
                   for code in ("2xx", "4xx")}
        check(by_code == {"2xx": 6, "4xx": 1}, f"requests by status: {by_code}")
        check(more("leat_http_request_duration_seconds_count") == 7, "each is in the histogram")
        check(0 < more("leat_http_request_duration_seconds_sum") < 20, "and its time")
        check(more("leat_http_response_bytes_total") == 5 * 100_000 + 10, "bytes of content")
        check(more("leat_http_partial_responses_total") == 1, "parts of files")
        check(more("leat_http_connections_accepted_total") == 7, "connections")
        check(more("leat_cache_misses_total") >= 1 and more("leat_cache_hits_total") >= 4, "hits and misses")
        check(more("leat_cache_read_bytes_total") >= 100_000, "bytes read")
        check(after["leat_cache_chunks"] >= 1, "something is in memory")
        parts = sum(value for name, value in after.items() if name.startswith("leat_cache_memory_bytes{"))
        check(parts == after["leat_cache_memory_budget_bytes"] == 48 * MIB, f"the parts of memory add up to {parts}")
        check(after["leat_shard_up"] == 2, "both shards have answered")
        check(more("leat_shard_turns_total") > 0 and more("leat_ring_operations_completed_total") > 0, "the engine")
        time.sleep(1)
        idle = admin.metrics()["leat_shard_idle_seconds_total"] - after["leat_shard_idle_seconds_total"]
        check(1 < idle < 60, f"shards without requests are idle: {idle} s of two")
        dashboard = (pathlib.Path(__file__).parents[2] / "docs" / "grafana-leat-serve.json").read_text()
        asked = {target["expr"] for panel in json.loads(dashboard)["panels"] for target in panel["targets"]}
        named = {name for one in asked for name in re.findall(r"leat_\w+", one)}
        check(len(named) > 20 and named <= after.keys(), f"the dashboard asks for {named - after.keys()}")
        if promtool := shutil.which("promtool"):
            text = admin.ask("/metrics")[1]
            said = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, timeout=60,
                                  check=False)
            check(said.returncode == 0 and not said.stderr, f"promtool: {said.stdout!r} {said.stderr!r}")
        else:
            print("without promtool, names are not checked")


def check_json() -> None:
    with serving(*DIRECT) as server:
        admin = Admin(server)
        name = 'a "film" <b>&\\ \u00e9.mkv'
        (server.root / name).write_bytes(b"x" * (2 * MIB))
        (server.root / "small").write_bytes(b"x" * 10)
        for _ in range(3):
            server.ask("/" + urllib.parse.quote(name))
        server.ask("/small")
        stats = admin.json("/stats.json")
        check(stats["requests"]["by_status"]["2xx"] == 4, "requests")
        check(sum(stats["requests"]["duration"]["counts"]) == 4, "their durations")
        check(len(stats["shards"]) == 2 and sum(one["requests"] for one in stats["shards"]) == 4, "each shard's")
        check(stats["files"][0] == {"path": name, "requests": 3, "size": 2 * MIB}, f"hottest files: {stats['files']}")
        check(stats["cache"]["memory_bytes"] == 48 * MIB, "the memory")
        check(0 <= stats["cache"]["hit_ratio"]["half"] <= stats["cache"]["hit_ratio"]["four_times"] <= 1, "the ghosts")
        check(stats["oldest"] == [], "nothing is under way")
        chunks = admin.json("/chunks?top=50")
        check({one["file"] for one in chunks} == {name, "small"}, "chunks of both files")
        check(sum(one["size"] for one in chunks if one["file"] == name) >= 2 * MIB, "all of the film")
        check({one["kind"] for one in chunks} <= {"chunk", "fragment"}, "kinds")
        check(len(admin.json("/chunks?top=1")) == 1 and admin.json("/chunks?top=0") == [], "so many as are asked for")
        for top in ("many", "-1", "1001", ""):
            check(admin.status(f"/chunks?top={top}") == 400, f"top={top} is refused")


def check_in_flight() -> None:
    with serving(*DIRECT) as server:
        admin = Admin(server)
        size = 16 * MIB
        (server.root / "film").write_bytes(b"x" * size)
        with contextlib.ExitStack() as peers:
            ports = []
            for _ in range(2):
                peer = peers.enter_context(socket.socket())
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                peer.connect(("127.0.0.1", server.port))
                peer.sendall(b"GET /film HTTP/1.1\r\nHost: a\r\n\r\n")
                peer.recv(100)
                ports.append(peer.getsockname()[1])
                time.sleep(0.1)
            found = admin.json("/inflight")
            told = found["requests"]
            check([one["peer"] for one in told] == [f"127.0.0.1:{port}" for port in ports], f"the oldest first: {told}")
            check(all(one["target"] == "/film" and one["length"] == size for one in told), "what is asked for")
            check(all(0 < one["sent"] < size and one["age_ms"] > 0 for one in told), "how far it has come")
            names = [one["name"] for one in found["waiting"]]
            check(f"127.0.0.1:{ports[0]}" in names, f"tasks have names: {names}")
            ages = [one["age_ms"] for one in found["waiting"]]
            check(ages == sorted(ages, reverse=True), "the oldest wait first")
            sent = admin.metrics()["leat_http_response_bytes_total"]
            check(sent >= sum(one["sent"] for one in told) > 0, "bytes count while they go")
            check(admin.metrics()["leat_http_connections_answering"] == 2, "connections with an answer under way")
        until(lambda: admin.json("/inflight")["requests"] == [], "nothing is under way any more")
        after = admin.metrics()
        check(after["leat_http_responses_cut_off_total"] == 2, "both were cut off")
        check(after["leat_http_response_bytes_total"] >= sent, "what has been counted stays so")


def check_warm_and_evict() -> None:
    with serving(*DIRECT) as server:
        admin = Admin(server)
        (server.root / "films").mkdir()
        (server.root / "films" / "a b.mkv").write_bytes(b"x" * (5 * MIB))
        (server.root / ".hidden").write_bytes(b"x")
        time.sleep(0.2)  # what may change within a tick of the kernel's clock is not kept when it is closed
        path = "path=%2Ffilms%2Fa%20b.mkv"
        check(admin.post(f"/warm?{path}&offset={MIB}&length=100000") == {"done": True, "bytes": 100_000}, "a part")
        first = admin.cache()
        check(first["bytes_read"] < 3 * MIB, f"no more than is asked for is read: {first['bytes_read']}")
        check(admin.post(f"/warm?{path}") == {"done": True, "bytes": 5 * MIB}, "all of it")
        warm = admin.cache()
        check(warm["cached_bytes"] >= 5 * MIB and warm["pins"] == 0, "it is in memory, and nothing is pinned")
        server.ask("/films/a%20b.mkv")
        served = admin.cache()
        check(served["bytes_read"] == warm["bytes_read"], "a warm file is served without a read")
        check(admin.post(f"/evict?{path}")["bytes"] >= 5 * MIB, "evicting tells what goes")
        until(lambda: admin.json("/stats.json")["cache"]["cached_bytes"] == 0, "it is gone")
        check(admin.json("/chunks") == [], "nothing is left")
        check(len(server.ask("/films/a%20b.mkv")[1]) == 5 * MIB, "it is served all the same")
        check(admin.cache()["bytes_read"] >= warm["bytes_read"] + 5 * MIB, "read anew")
        for verb in ("warm", "evict"):
            for wrong, code in (("", 400), ("?path=%2", 400), ("?path=/absent", 404), ("?path=/films", 404),
                                ("?path=/../../etc/passwd", 404), ("?path=/.hidden", 404), ("?path=/a%00b", 404)):
                found = admin.status(f"/{verb}{wrong}", "POST", **MAY)
                check(found == code, f"POST /{verb}{wrong}: {found}")
        for wrong in ("offset=x", "length=-1", "offset=99999999999999999999"):
            check(admin.status(f"/warm?{path}&{wrong}", "POST", **MAY) == 400, wrong)


def check_health() -> None:
    with tempfile.TemporaryDirectory(dir=".") as made:
        root = pathlib.Path(made).resolve() / "root"
        root.mkdir()
        with serving(*DIRECT, root=root) as server:
            admin = Admin(server)
            check(admin.ask("/readyz")[1] == b"ready\n" and admin.status("/healthz") == 200, "it is ready")
            root.rename(root.parent / "elsewhere")
            check(admin.status("/readyz") == 503 and admin.status("/healthz") == 200, "without its root it is not")
            (root.parent / "elsewhere").rename(root)
            check(admin.status("/readyz") == 200, "with it, it is again")


def check_drain() -> None:
    with serving(*DIRECT) as server:
        admin = Admin(server)
        (server.root / "film").write_bytes(b"x" * (16 * MIB))
        with socket.socket() as peer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            peer.connect(("127.0.0.1", server.port))
            peer.sendall(b"GET /film HTTP/1.0\r\n\r\n")
            received = len(peer.recv(100))
            for _ in range(2):
                check(admin.post("/drain") == {"draining": True}, "draining begins, and is told again")
            until(lambda: "finishing" in server.said(), "it says so")
            answer, content = admin.ask("/readyz")
            check(answer.status == 503 and content == b"draining\n", "it is not ready any more")
            check(admin.status("/healthz") == 200, "and healthy")
            check(admin.metrics()["leat_draining"] == 1, "metrics tell")
            while piece := peer.recv(1 << 20):
                received += len(piece)
            check(received > 16 * MIB, "the answer is whole")
        check(server.process.wait(20) == 0, "it has ended")


def check_addresses() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        path = f"{folder}/admin"
        with serving("--admin", f"unix:{path}") as server:
            check(f"status page on unix:{path}" in server.said(), "the start tells the path")
            with socket.socket(socket.AF_UNIX) as peer:
                peer.settimeout(20)
                peer.connect(path)
                peer.sendall(b"GET /healthz HTTP/1.1\r\nHost: whatever\r\nConnection: close\r\n\r\n")
                check(peer.recv(4096).startswith(b"HTTP/1.1 200"), "a unix socket takes any host")
        check(not pathlib.Path(path).exists(), "the path is removed")
    with serving() as server:
        check("status page" not in server.said(), "--admin none: there is none")
    with serving(*DIRECT) as server:
        taken = f"127.0.0.1:{Admin(server).port}"
        command = [PROGRAM, *SMALL, "--listen", "127.0.0.1:0", "--admin", taken, str(server.root)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        check(ended.returncode != 0 and f"--admin {taken}: " in ended.stderr, f"a taken address: {ended.stderr}")


def check_slow_administrators() -> None:
    with serving(*DIRECT) as server:
        admin = Admin(server)
        with contextlib.ExitStack() as peers:
            for _ in range(20):
                peer = peers.enter_context(socket.create_connection(("127.0.0.1", admin.port), timeout=20))
                peer.sendall(b"GET /stats.json HT")
            begun = time.monotonic()
            check(admin.status("/healthz") == 200 and time.monotonic() - begun < 5, "others hold up nobody")
            peer.settimeout(20)
            check(peer.recv(100) == b"" and 5 < time.monotonic() - begun < 18, "who says nothing more is let go")
        with socket.create_connection(("127.0.0.1", admin.port), timeout=20) as peer:
            peer.sendall(b"nonsense\r\n\r\n")
            check(peer.recv(4096).startswith(b"HTTP/1.1 400"), "what is no request is refused")
            check(admin.status("/healthz") == 200, "and harms nobody")


def check_permissions() -> None:
    """A unix path is for its owner alone, whatever the process's mask, unless it is said otherwise."""
    for options, mode in ((), 0o600), (("--admin-mode", "660"), 0o660), (("--admin-mode", "0666"), 0o666):
        for mask in (0, 0o077):
            with tempfile.TemporaryDirectory(dir="/tmp") as folder:
                path = pathlib.Path(folder) / "admin"
                with serving("--admin", f"unix:{path}", *options, umask=mask):
                    found = path.stat().st_mode & 0o777
                    check(found == mode, f"{found:o} instead of {mode:o} with {options} and the mask {mask:o}")
    for wrong in ("rw", "9", "1777", "", "-600"):
        ended = subprocess.run([PROGRAM, *SMALL, f"--admin-mode={wrong}", "/"], capture_output=True, text=True,
                               timeout=60, check=False)
        check(ended.returncode == 2 and "--admin-mode" in ended.stderr, f"--admin-mode={wrong}: {ended.stderr}")


def check_ipv6() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as failure:
        print(f"there is no ::1 here: {failure}")
        return
    with serving("--admin", "[::1]:0", "--listen", "[::1]:0") as server:
        admin = Admin(server, "::1")
        for host in (None, f"localhost:{admin.port}"):
            check(admin.status("/metrics", host=host) == 200, f"the host {host}")
        for host in ("::1", f"::1:{admin.port}", f"127.0.0.1:{admin.port}", f"[::2]:{admin.port}", "[::1]"):
            check(admin.status("/metrics", host=host) in (400, 421), f"not the host {host}")
        check(admin.status("/drain", "POST", Origin=f"http://127.0.0.1:{admin.port}", **MAY) == 403, "another origin")
        check(admin.status("/readyz") == 200, "nobody drained it")
        origin = f"http://[::1]:{admin.port}"
        check(admin.status("/evict?path=/none", "POST", Origin=origin, **MAY) == 404, "the page's own origin")


def check_one_census() -> None:
    """However many scrape, the cache is looked through once in a second."""
    with serving(*DIRECT) as server:
        admin = Admin(server)
        (server.root / "file").write_bytes(b"x" * 1000)
        first = admin.json("/stats.json")["cache"]["misses"]
        server.ask("/file")
        again = [admin.json("/stats.json")["cache"]["misses"] for _ in range(5)]
        check(set(again) == {first}, f"what the cache tells is kept for a second: {again}, first {first}")
        check(admin.json("/stats.json")["requests"]["by_status"]["2xx"] == 1, "what the server counts is not")
        time.sleep(1.05)
        check(admin.json("/stats.json")["cache"]["misses"] > first, "after a second it is looked at again")


assert NO_ADMIN  # each test says where its administrators ask
check_who_may_ask()
check_page()
check_metrics()
check_json()
check_in_flight()
check_warm_and_evict()
check_health()
check_drain()
check_addresses()
check_slow_administrators()
check_permissions()
check_ipv6()
check_one_census()
finish()
