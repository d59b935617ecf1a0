#!/usr/bin/env python3
"""A device whose end has gone: requests for what is left are served, alone if need be, and the others get EIO."""

import errno
import os

from support.fault import KiB, MiB, Scratch, cat, check, made_up


def main() -> None:
    with Scratch() as here:
        content = made_up(4 * MiB)
        image = here.file("image", content)
        device = here.loop_device(image)
        probe = here.probe("--chunk-size", MiB, "--memory", 4 * MiB)
        check(probe.open("d", device).ok, "the device was to open")
        probe.get("d", 0, 100).has(content[:100])
        probe.wait_idle()

        os.truncate(image, MiB + 512 * KiB)
        # Both need the same chunk, of which only the first half is there, in one read.
        good = probe.ask("get", "d", MiB, 400 * KiB)
        bad = probe.ask("get", "d", MiB, 900 * KiB)
        probe.answer(good).has(content[MiB : MiB + 400 * KiB])
        probe.answer(bad).fails_with(errno.EIO)
        probe.get("d", 2 * MiB - 4096, 4096).fails_with(errno.EIO)
        probe.get("d", 3 * MiB, 4096).fails_with(errno.EIO)
        probe.get("d", 500_000, 100).has(content[500_000:500_100])

        ended = cat("--chunk-size", "256K", "--memory", "1M", device)
        check(ended.returncode == 5, ended)
        check(f"{device}: at offset {MiB + 512 * KiB}: Input/output error" in ended.stderr.decode(), ended.stderr)
        check(ended.stdout == content[: MiB + 512 * KiB], "other bytes before the failure")

        with open(image, "r+b") as again:
            again.seek(MiB)
            again.write(content[MiB:])
        probe.get("d", 3 * MiB, 4096).has(content[3 * MiB : 3 * MiB + 4096])
        probe.get("d", MiB, MiB).has(content[MiB : 2 * MiB])
        probe.finish()


main()
