#!/usr/bin/env python3
"""A read that fails is the error of those who waited for it and of nobody else, and the next call reads again."""

import errno

from support.fault import KiB, MiB, Scratch, check, made_up

CHUNK = 64 * KiB


def main() -> None:
    with Scratch() as here:
        content = made_up(4 * MiB)
        switch = here.folder / "broken"
        image = here.file("image", content)
        disk = here.nbd("--filter=error", "file", image, "error=EIO", "error-rate=100%", f"error-file={switch}")
        probe = here.probe("--chunk-size", CHUNK, "--memory", 16 * CHUNK)
        check(probe.open("f", disk).ok, "the disk was to open")
        probe.get("f", 0, CHUNK).has(content[:CHUNK])
        probe.wait_idle()

        switch.touch()
        at = 20 * CHUNK
        for waiting in [probe.ask("get", "f", at, 4096) for _ in range(5)]:
            probe.answer(waiting).fails_with(errno.EIO)
        probe.read("f", at, 3 * CHUNK).fails_with(errno.EIO)
        probe.get("f", 30 * CHUNK, CHUNK).fails_with(errno.EIO)
        check(probe.statistics()["cache"]["failed_reads"] > 0, "no failed read was counted")
        before = probe.statistics()["cache"]
        probe.get("f", 50_000, 1000).has(content[50_000:51_000])
        check(probe.statistics()["cache"]["reads"] == before["reads"], "what is in memory was read again")

        switch.unlink()
        probe.get("f", at, 4096).has(content[at : at + 4096])
        probe.read("f", at, 3 * CHUNK).has(content[at : at + 3 * CHUNK])
        probe.get("f", 30 * CHUNK, CHUNK).has(content[30 * CHUNK : 31 * CHUNK])
        probe.finish()


main()
