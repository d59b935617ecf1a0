#!/usr/bin/env python3
"""leat-serve: TLS with its certificates, and passwords."""

import base64
import http.client
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True  # the source tree stays as it is
sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
from serving import Server, ask_on, check, finish, serving, skip, until  # noqa: E402

MIB = 1 << 20


def make_certificate(folder: pathlib.Path, name: str) -> None:
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1",
                    "-keyout", folder / "site.key", "-out", folder / "site.pem"], check=True, capture_output=True)


class Client:
    def __init__(self, server: Server, protocols: tuple = ("http/1.1",), **versions) -> None:
        self.context = ssl.create_default_context()
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE
        if protocols:
            self.context.set_alpn_protocols(list(protocols))
        for name, value in versions.items():
            setattr(self.context, name, value)
        self.server = server

    def connect(self, session=None) -> ssl.SSLSocket:
        return self.context.wrap_socket(self.server.socket(), session=session)

    def ask(self, path: str, **fields: str):
        connection = http.client.HTTPSConnection("127.0.0.1", self.server.port, timeout=20, context=self.context)
        try:
            return ask_on(connection, path, **fields)
        finally:
            connection.close()


def name_of(client: Client) -> bytes:
    with client.connect() as peer:
        return peer.getpeercert(binary_form=True)


def check_tls(folder: pathlib.Path) -> None:
    make_certificate(folder, "first.test")
    content = os.urandom(3 * MIB + 5)
    with serving("--tls-certificate", str(folder / "site.pem"), "--tls-key", str(folder / "site.key")) as server:
        (server.root / "file").write_bytes(content)
        (server.root / "small").write_text("12345")
        client = Client(server)
        check("https://" in server.said(), "it says https")
        answer, body = client.ask("/file")
        check(answer.status == 200 and body == content, "a file over TLS")
        answer, body = client.ask("/file", Range=f"bytes={MIB - 5}-{MIB + 100_000}")
        check(answer.status == 206 and body == content[MIB - 5:MIB + 100_001], "a range over TLS")
        with client.connect() as peer:
            check(peer.selected_alpn_protocol() == "http/1.1", "ALPN")
            check(peer.version() == "TLSv1.3", "TLS 1.3")
            for _ in range(3):
                peer.sendall(b"GET /small HTTP/1.1\r\nHost: a\r\n\r\n")
                check(receive_answer(peer).endswith(b"12345"), "one after the other on a connection")
        two = Client(server, maximum_version=ssl.TLSVersion.TLSv1_2)
        with two.connect() as peer:
            check(peer.version() == "TLSv1.2", "TLS 1.2")
            session = peer.session
            check(session.has_ticket, "a session ticket")
        with two.connect(session) as peer:
            check(peer.session_reused, "the session goes on")
        check(fails(Client(server, ("h2",))), "a client that speaks HTTP/2 only is refused")
        old = Client(server)
        old.context.minimum_version = ssl.TLSVersion.TLSv1
        old.context.maximum_version = ssl.TLSVersion.TLSv1_1
        check(fails(old), "TLS 1.1 is refused")
        check(b"HTTP" not in server.raw(b"GET /small HTTP/1.1\r\nHost: a\r\n\r\n"), "plain HTTP is refused")
        check_reload(folder, server, client)
        check_idle_memory(server, client)


def fails(client: Client) -> bool:
    try:
        client.connect().close()
    except (ssl.SSLError, OSError):
        return True
    return False


def receive_answer(peer: ssl.SSLSocket) -> bytes:
    received = b""
    while not received.endswith(b"12345"):
        piece = peer.recv(4096)
        if not piece:
            break
        received += piece
    return received


def check_reload(folder: pathlib.Path, server: Server, client: Client) -> None:
    before = name_of(client)
    with client.connect() as kept:
        (folder / "site.pem").write_text("no certificate")
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "the former certificate stays" in server.said(), "a bad certificate is said")
        check(name_of(client) == before, "the former one stays")
        make_certificate(folder, "second.test")
        server.process.send_signal(signal.SIGHUP)
        until(lambda: name_of(client) != before, "HUP reads the new one")
        kept.sendall(b"GET /small HTTP/1.1\r\nHost: a\r\n\r\n")
        check(receive_answer(kept).endswith(b"12345"), "connections go on")


def check_idle_memory(server: Server, client: Client) -> None:
    def resident() -> int:
        rows = pathlib.Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
        return next(int(row.split()[1]) * 1024 for row in rows if row.startswith("RssAnon"))

    count = 400
    first = [client.connect() for _ in range(50)]
    before = resident()
    peers = [client.connect() for _ in range(count)]
    for peer in peers:
        peer.sendall(b"GET /small HTTP/1.1\r\nHost: a\r\n\r\n")
        receive_answer(peer)
    each = (resident() - before) / count
    print(f"{each:.0f} bytes of memory for each idle connection with TLS")
    check(each <= 160 * 1024, f"an idle connection with TLS takes {each:.0f} bytes")
    for peer in first + peers:
        peer.close()


def check_passwords(folder: pathlib.Path) -> None:
    if shutil.which("htpasswd") is None:
        print("htpasswd is not installed: passwords are not checked")
        return
    file = folder / "passwords"
    subprocess.run(["htpasswd", "-cbB", "-C", "6", file, "ann", "a secret"], check=True, capture_output=True)
    subprocess.run(["htpasswd", "-bB", "-C", "6", file, "bob", "ä:b"], check=True, capture_output=True)

    def basic(user: str, password: str) -> str:
        return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    with serving("--password-file", str(file), "--realm", "my files", "--access-log", str(folder / "log")) as server:
        (server.root / "file").write_text("12345")
        answer, body = server.ask("/file")
        check(answer.status == 401 and answer.headers["WWW-Authenticate"].startswith('Basic realm="my files"'),
              f"without: {answer.status} {answer.headers['WWW-Authenticate']}")
        for user, password, status in (("ann", "a secret", 200), ("bob", "ä:b", 200), ("ann", "ä:b", 401),
                                       ("eve", "a secret", 401), ("ann", "", 401), ("", "", 401),
                                       ("ann", "a secret" + "x" * 80, 401)):
            for _ in range(2):
                answer, _body = server.ask("/file", Authorization=basic(user, password))
                check(answer.status == status, f"{user}:{password}: {answer.status}")
        for value in ("Basic", "Basic ?", "Bearer abc", "Basic " + base64.b64encode(b"nocolon").decode()):
            check(server.ask("/file", Authorization=value)[0].status == 401, value)
        check(server.ask("/none")[0].status == 401, "what is there is not told")
        until(lambda: "ann" in (folder / "log").read_text(), "the log has the name")
        # A flood of wrong passwords keeps no shard from those who are known.
        flood = [threading.Thread(target=server.ask, args=("/file",), kwargs={"Authorization": basic("ann", str(i))})
                 for i in range(30)]
        for thread in flood:
            thread.start()
        begun = time.monotonic()
        check(server.ask("/file", Authorization=basic("ann", "a secret"))[0].status == 200, "beside a flood")
        print(f"{(time.monotonic() - begun) * 1e3:.0f} ms beside a flood of wrong passwords")
        for thread in flood:
            thread.join()
    file.write_text("ann:plain\n")
    refused = subprocess.run([os.environ["LEAT_SERVE"], "--password-file", str(file), "--listen", "127.0.0.1:0",
                              str(folder)], capture_output=True, text=True, timeout=20)
    check(refused.returncode != 0 and "line 1" in refused.stderr, f"a plain password: {refused.stderr}")


def main() -> None:
    if shutil.which("openssl") is None:
        skip("openssl is not installed")
    with tempfile.TemporaryDirectory(dir=".") as folder:
        check_tls(pathlib.Path(folder).resolve())
        check_passwords(pathlib.Path(folder).resolve())
    finish()


if __name__ == "__main__":
    main()
