#!/usr/bin/env python3
"""A file that changes behind a FUSE mount, its attributes kept for an hour, is seen to within a second."""

import time

from support.fault import KiB, MiB, Scratch, check, made_up
from support.fuse import GETATTR, FuseFiles

CHUNK = 64 * KiB


def main() -> None:
    with Scratch() as here:
        for backend in ("auto", "thread"):
            files = FuseFiles(here, f"fuse-{backend}", attributes_s=3600)
            old, new = made_up(20 * CHUNK, 1), made_up(20 * CHUNK, 2)
            path = files.add("f", old)
            of = files.files["f"]
            probe = here.probe("--backend", backend, "--chunk-size", CHUNK, "--memory", 4 * MiB)
            for change in ("mtime", "ctime only", "size"):
                check(probe.open("f", path).ok, "it was to open")
                probe.get("f", 0, CHUNK).has(of.bytes[:CHUNK])
                probe.wait_idle()
                of.bytes = new if of.bytes == old else old
                if change == "size":
                    of.bytes = of.bytes + b"more"
                of.mtime_ns += 10**9 if change == "mtime" else 0
                of.ctime_ns += 10**9
                time.sleep(1.1)
                probe.get("f", 10 * CHUNK, CHUNK).fails_as("the file has changed")
                # And for ever, whatever else is asked for.
                probe.get("f", 11 * CHUNK, CHUNK).fails_as("the file has changed")
                check(probe.open("f", path).ok, "it was to open again")
                probe.read("f", 0, 5 * CHUNK).has(of.bytes[: 5 * CHUNK])
                probe.drop("f")

            # What does not change costs its server one look a second.
            probe.open("f", path)
            before, begin = files.count(GETATTR), time.monotonic()
            for index in range(20):
                probe.get("f", index * CHUNK, CHUNK).has(of.bytes[index * CHUNK : (index + 1) * CHUNK])
                time.sleep(0.1)
            asked = files.count(GETATTR) - before
            check(asked <= 1 + time.monotonic() - begin, f"{asked} looks in {time.monotonic() - begin} s")
            probe.finish()


main()
