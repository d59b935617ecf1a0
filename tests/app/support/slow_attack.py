"""slowhttptest against a server that goes on serving others."""

import shutil
import subprocess
import time

from serving import Server, check, until


def withstand(server: Server, *options: str) -> None:
    """Attacks /file, and asks for another file meanwhile and afterwards."""
    if shutil.which("slowhttptest") is None:
        print("slowhttptest is not installed: not run")
        return
    (server.root / "other").write_text("12345")
    attack = subprocess.Popen(["slowhttptest", *options, "-u", f"http://127.0.0.1:{server.port}/file"],
                              stdout=subprocess.DEVNULL)
    try:
        for _ in range(50):
            check(server.ask("/other")[1] == b"12345", "served beside slow ones")
            time.sleep(0.1)
        attack.wait(30)
    finally:
        attack.kill()
        attack.wait()
    until(lambda: server.connections() == 0, "slow ones have gone")
    check(server.ask("/other")[1] == b"12345", "it goes on")
