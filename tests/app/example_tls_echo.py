#!/usr/bin/env python3
"""The TLS example: lines come back; a peer that speaks no TLS ends its own connection only."""

import os
import pathlib
import shutil
import ssl
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # the source tree stays as it is
sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
from server import connected, free_port  # noqa: E402


def main() -> None:
    if shutil.which("openssl") is None or "EXAMPLE_TLS_ECHO" not in os.environ:
        print("skipped: OpenSSL is not installed")
        sys.exit(77)
    port = free_port()
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
