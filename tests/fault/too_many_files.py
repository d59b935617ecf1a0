#!/usr/bin/env python3
"""No descriptor is left: an error for who opens, none for who reads, and forgotten when there are some again."""

import errno
import os
import resource

from support.fault import Scratch, check, made_up


def main() -> None:
    with Scratch() as here:
        content = made_up(200_000)
        path = here.file("data", content)
        for backend in ("auto", "thread"):
            probe = here.probe("--backend", backend, "--chunk-size", "64K", "--memory", "1M")
            check(probe.open("f", path).ok, "the file was to open")
            descriptors = f"/proc/{probe.process.pid}/fd"
            full = 1 + max(int(number) for number in os.listdir(descriptors))
            taken = [f"x{number}" for number in range(full - len(os.listdir(descriptors)))]
            before = resource.prlimit(probe.process.pid, resource.RLIMIT_NOFILE)
            resource.prlimit(probe.process.pid, resource.RLIMIT_NOFILE, (full, before[1]))
            for name in taken:  # gaps below the limit
                here.file(name, b"other")
                check(probe.open(name, here.folder / name).ok, "a descriptor was free")
            for _ in range(3):
                probe.open("g", here.file("other", b"bytes")).fails_with(errno.EMFILE)
            probe.get("f", 150_000, 5000).has(content[150_000:155_000])
            resource.prlimit(probe.process.pid, resource.RLIMIT_NOFILE, before)
            check(probe.open("g", here.folder / "other").ok, "there are descriptors again")
            probe.get("g", 0, 5).has(b"bytes")
            probe.finish()


main()
