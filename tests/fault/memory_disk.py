#!/usr/bin/env python3
"""A tmpfs, which has no device below it, gives the same bytes, and the same errors of files that change."""

import os
import pathlib
import shutil
import tempfile

from support.fault import MiB, Scratch, cat, check, made_up, skip


def memory_folder(here: Scratch) -> pathlib.Path:
    if os.geteuid() == 0:
        return here.mount("tmpfs", "leat-fault", "-o", "size=16m")
    if not os.path.ismount("/dev/shm"):
        skip("only root mounts file systems, and /dev/shm is none")
    folder = tempfile.mkdtemp(prefix="leat-fault.", dir="/dev/shm")
    here.callback(shutil.rmtree, folder)
    return pathlib.Path(folder)


def main() -> None:
    with Scratch() as here:
        content = made_up(5 * MiB + 321)
        folder = memory_folder(here)
        path = folder / "data"
        path.write_bytes(content)
        for backend in ("auto", "thread"):
            ended = cat("--backend", backend, "--chunk-size", "256K", "--memory", "1M", path)
            check(ended.returncode == 0 and ended.stdout == content, ended.stderr)
            probe = here.probe("--backend", backend, "--chunk-size", "1M", "--memory", "4M")
            probe.open("f", path)
            probe.get("f", 5 * MiB, 321).has(content[5 * MiB :])
            probe.wait_idle()
            os.truncate(path, MiB)
            probe.get("f", 5 * MiB, 321).has(content[5 * MiB :])
            probe.get("f", 2 * MiB, 4096).fails_as("the file has changed")
            path.write_bytes(content)
            probe.open("f", path)
            probe.read("f", 0, 6 * MiB).has(content)
            probe.finish()


main()
