"""leat-serve under test: started in a folder of its own, asked, and ended."""

import contextlib
import http.client
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

PROGRAM = os.environ["LEAT_SERVE"]
SMALL = ["--memory", "48M", "--chunk-size", "1M", "--shards", "2", "--no-pin"]
failures: list[str] = []


def check(holds: bool, what: str) -> None:
    """Notes what does not hold; finish() tells."""
    if not holds:
        failures.append(what)
        print(f"failed: {what}", file=sys.stderr)


def finish() -> None:
    sys.exit(1 if failures else 0)


def skip(why: str) -> None:
    print(f"skipped: {why}")
    sys.exit(77)


def until(holds, what: str, seconds: float = 20) -> bool:
    """Waits until holds() is true; one thing more to check."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.02)
    check(False, f"{what}, in {seconds} s")
    return False


class Server:
    """A running leat-serve. `root` is the folder that it serves."""

    def __init__(self, root: pathlib.Path, *options: str, under: tuple = (), environment: dict | None = None,
                 listen: str = "127.0.0.1:0", **start) -> None:
        self.root = root
        self.log = tempfile.TemporaryFile(mode="w+")
        command = [*under, PROGRAM, *SMALL, "--listen", listen, *NO_ADMIN, *map(str, options), str(root)]
        self.process = subprocess.Popen(command, stderr=self.log, env={**os.environ, **(environment or {})}, **start)
        self.port = 0
        until(self._ready, "the server starts")

    def _ready(self) -> bool:
        if self.process.poll() is not None:
            sys.exit(f"failed: the server ended with {self.process.returncode}: {self.said()}")
        for line in self.said().splitlines():
            if ": serving " in line:
                address = line.split(" on ", 1)[1].split(" with ")[0]
                if "://" in address:
                    self.port = int(address.split("/")[2].rsplit(":", 1)[1])
                return True
        return False

    def said(self) -> str:
        self.log.seek(0)
        return self.log.read()

    def slow_socket(self, room: int = 4096) -> socket.socket:
        """With as little room as a slow network has, in segments as small."""
        peer = socket.socket()
        peer.settimeout(20)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1400)
        peer.connect(("127.0.0.1", self.port))
        return peer

    def socket(self, source: str | None = None) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20,
                                        source_address=(source, 0) if source else None)

    def ask(self, path: str, method: str = "GET", **fields: str):
        """An answer and its content, on a connection of its own; If_Range is the field If-Range."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            return ask_on(connection, path, method, **fields)
        finally:
            connection.close()

    def raw(self, request: bytes) -> bytes:
        """All that comes back until the server closes."""
        with self.socket() as peer:
            peer.sendall(request)
            return receive_all(peer)

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def connections(self) -> int:
        """Of clients that are open, by what the kernel says."""
        table = pathlib.Path(f"/proc/{self.process.pid}/net/tcp").read_text().splitlines()[1:]
        end = f":{self.port:04X}"
        return sum(1 for row in table if row.split()[1].endswith(end) and row.split()[3] == "01")

    def resident(self) -> int:
        """Bytes of memory of its own that are not the cache's buffers."""
        rows = pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(row.split()[1]) * 1024 for row in rows if row.startswith("RssAnon"))

    def stop(self, code: int = 0) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            ended = self.process.wait(20)
            check(ended == code, f"the server ends with {code}, not {ended}: {self.said()}")
        except subprocess.TimeoutExpired:
            check(False, f"the server ends: {self.said()}")
            self.process.kill()
            self.process.wait()


NO_ADMIN = ["--admin", "none"]  # one address serves one server


def ask_on(connection: http.client.HTTPConnection, path: str, method: str = "GET", **fields: str):
    connection.putrequest(method, path, skip_accept_encoding=True)
    for name, value in fields.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    answer = connection.getresponse()
    return answer, answer.read()


def receive_all(peer: socket.socket) -> bytes:
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := peer.recv(1 << 16):
            received += piece
    return received


def self_signed(folder: str) -> tuple[pathlib.Path, pathlib.Path]:
    """A certificate and its key, new files in `folder`."""
    site, key = (pathlib.Path(folder).resolve() / name for name in ("site", "key"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", site, "-subj",
                    "/CN=a"], check=True, capture_output=True)
    return site, key


def trusting() -> ssl.SSLContext:
    """A client that takes any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@contextlib.contextmanager
def serving(*options: str, root: pathlib.Path | None = None, **start):
    """A server of a new folder, or of `root`; ended in order at the end."""
    with tempfile.TemporaryDirectory(dir=".") as made:
        server = Server(root or pathlib.Path(made).resolve(), *options, **start)
        try:
            yield server
        finally:
            server.stop()
