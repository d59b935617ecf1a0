#!/usr/bin/env python3
"""An ordinary user's file that may not be read: an error for who asks for it, forgotten when it may."""

import errno
import os

from support.fault import PROBE, Scratch, check, made_up, need, silently, skip


def main() -> None:
    with Scratch() as here:
        under = ()
        if os.geteuid() == 0:
            need("setpriv")
            under = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
        here.folder.chmod(0o755)
        if not silently(*under, PROBE, "--memory", "20M") or not silently(*under, "test", "-x", str(here.folder)):
            skip("an ordinary user cannot come here")
        secret = here.file("secret", made_up(5000, 1))
        public = here.file("public", made_up(5000, 2))
        secret.chmod(0)
        for backend in ("auto", "thread"):
            probe = here.probe("--backend", backend, "--memory", "20M", under=under)
            check(probe.open("p", public).ok, "the public file was to open")
            for _ in range(3):
                probe.open("s", secret).fails_with(errno.EACCES)
            probe.get("p", 0, 5000).has(made_up(5000, 2))
            secret.chmod(0o444)
            check(probe.open("s", secret).ok, "the secret was to open now")
            probe.get("s", 0, 5000).has(made_up(5000, 1))
            secret.chmod(0)
            probe.finish()


main()
