#!/usr/bin/env python3
"""A FUSE program that answers with fewer bytes than asked for: the bytes are those of read(2), on both backends."""

import os

from support.fault import KiB, MiB, Scratch, cat, check, made_up
from support.fuse import FuseFiles


def main() -> None:
    with Scratch() as here:
        for direct_io in (True, False):
            for most in (5000, 4096, 1000, 1) if direct_io else (1 << 30,):
                files = FuseFiles(here, f"fuse-{direct_io}-{most}", most, direct_io)
                # Byte by byte a large one takes minutes where the machine is busy.
                content = made_up(513 if most == 1 else 8193)
                path = files.add("f", content)
                large = made_up(3 * 64 * KiB + 77, 2)
                files.add("large", large)
                for backend in ("auto", "thread"):
                    shown = cat("--backend", backend, path)
                    check(shown.returncode == 0 and shown.stdout == content, f"{most} {backend}: {shown.stderr}")
                    if most == 1:
                        continue
                    probe = here.probe("--backend", backend, "--chunk-size", 64 * KiB, "--memory", MiB)
                    probe.open("f", path)
                    probe.open("large", files.where / "large")
                    for offset, size in ((0, 8193), (1, 4999), (4999, 3), (8192, 1)):
                        probe.get("f", offset, size).has(content[offset : offset + size])
                    probe.read("large", 0, len(large)).has(large)
                    probe.get("large", 64 * KiB, 64 * KiB).has(large[64 * KiB : 128 * KiB])
                    probe.finish()
                with open(path, "rb", buffering=0) as opened:
                    answered = len(os.pread(opened.fileno(), 8193, 0))
                    check(answered == min(most, len(content)), "this server answers in full")


main()
