"""What the tests of servers share: a port, and a connection to it."""

import socket
import sys
import time


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def connected(port: int) -> socket.socket:
    """A connection to a server that may still be starting."""
    for _ in range(200):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=20)
        except ConnectionRefusedError:
            time.sleep(0.05)
    sys.exit("failed: the server does not listen")
