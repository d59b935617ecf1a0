#!/usr/bin/env python3
"""The TLS example: lines come back; a peer that speaks no TLS ends its own connection only."""

import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time


def connected(port: int) -> socket.socket:
    for _ in range(200):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=20)
        except ConnectionRefusedError:
            time.sleep(0.05)
    sys.exit("failed: the server does not listen")


def main() -> None:
    if shutil.which("openssl") is None or "EXAMPLE_TLS_ECHO" not in os.environ:
        print("skipped: OpenSSL is not installed")
        sys.exit(77)
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = f"{folder}/certificate.pem", f"{folder}/key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
             "-out", certificate, "-keyout", key],
            check=True, capture_output=True,
        )
        server = subprocess.Popen(
            [os.environ["EXAMPLE_TLS_ECHO"], certificate, key, str(port)], stderr=subprocess.DEVNULL)
        try:
            with connected(port) as plain:
                plain.sendall(b"no TLS at all\n")
                plain.recv(100)
            trusted = ssl.create_default_context(cafile=certificate)
            with trusted.wrap_socket(connected(port), server_hostname="localhost") as secure:
                lines = secure.makefile("rwb")
                for line in (b"one\n", b"x" * 100_000 + b"\n", b"end\n"):
                    lines.write(line)
                    lines.flush()
                    if lines.readline() != line:
                        sys.exit("failed: another line came back")
            if server.wait(timeout=20) != 0:
                sys.exit("failed: it ended with an error")
        finally:
            server.kill()
            server.wait()


if __name__ == "__main__":
    main()
