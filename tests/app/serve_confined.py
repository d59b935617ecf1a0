#!/usr/bin/env python3
"""leat-serve as containers run it: an ordinary user, little locked memory, no io_uring. It serves the same."""

import os
import pathlib
import resource
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True  # the source tree stays as it is
sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import serve_content  # noqa: E402
import serving  # noqa: E402

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all")


def as_nobody() -> tuple:
    """The command that runs the server as an ordinary user, where that can reach it."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        return ()
    tried = subprocess.run([*NOBODY, serving.PROGRAM, "--version"], capture_output=True)
    return NOBODY if tried.returncode == 0 else ()


def little_memory() -> None:
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (64 << 10, 64 << 10))


def main() -> None:
    under = as_nobody()
    if not under:
        print("the server runs as this user: another cannot reach it, or this is no root")
    usual = serving.Server.__init__

    def confined(self, root, *options, environment=None, **start) -> None:
        os.chmod(root, 0o755)
        usual(self, root, *options, under=under, preexec_fn=little_memory,
              environment={"LEAT_BACKEND": "thread", **(environment or {})}, **start)

    serving.Server.__init__ = confined
    serve_content.main()


if __name__ == "__main__":
    main()
