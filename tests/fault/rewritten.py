#!/usr/bin/env python3
"""Written in place with the mtime set back, a file is another version; linked or renamed, it is not."""

import os
import time

from support.fault import KiB, MiB, Scratch, check, made_up

CHUNK = 64 * KiB


def main() -> None:
    with Scratch() as here:
        old, new = made_up(MiB, 1), made_up(MiB, 2)
        for backend in ("auto", "thread"):
            path = here.file("f", old)
            probe = here.probe("--backend", backend, "--chunk-size", CHUNK, "--memory", 4 * MiB)

            def opened_and_read() -> os.stat_result:
                time.sleep(0.05)  # its time stamps are old enough to tell versions apart
                check(probe.open("f", path).ok, "it was to open")
                probe.get("f", 0, CHUNK).has(old[:CHUNK])
                probe.wait_idle()
                time.sleep(0.05)
                return os.stat(path)

            opened_and_read()
            other = here.folder / "other"
            os.link(path, other)
            probe.get("f", CHUNK, CHUNK).has(old[CHUNK : 2 * CHUNK])
            os.unlink(other)
            probe.get("f", 2 * CHUNK, CHUNK).has(old[2 * CHUNK : 3 * CHUNK])
            os.rename(path, other)
            probe.get("f", 3 * CHUNK, CHUNK).has(old[3 * CHUNK : 4 * CHUNK])
            os.rename(other, path)
            probe.get("f", 4 * CHUNK, CHUNK).has(old[4 * CHUNK : 5 * CHUNK])

            before = opened_and_read()
            with open(path, "r+b") as file:
                file.write(new)
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
            after = os.stat(path)
            check(after.st_mtime_ns == before.st_mtime_ns and after.st_size == before.st_size, "it was set back")
            probe.get("f", 5 * CHUNK, CHUNK).fails_as("the file has changed")
            probe.read("f", 0, MiB).fails_as("the file has changed")
            check(probe.open("f", path).ok, "it was to open")
            probe.read("f", 0, MiB).has(new)

            # Written twice within a tick of the clock: nothing of the first may stay warm.
            for turn in range(20):
                path.write_bytes(old if turn % 2 else new)
                check(probe.open("f", path).ok, "it was to open")
                got = probe.read("f", 0, MiB)
                check(got.ok, got.line)
                got.has(old if turn % 2 else new)
                probe.drop("f")
            probe.finish()


main()
