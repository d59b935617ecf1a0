#!/usr/bin/env python3
"""A disk that a control group has throttled: requests wait, hits do not."""

import os
import pathlib

from support.fault import KiB, MiB, Scratch, check, made_up, need_root, skip, wait_for

CHUNK = 256 * KiB
GROUPS = pathlib.Path("/sys/fs/cgroup/blkio")


def remove(group: pathlib.Path) -> None:
    """Once the processes have left it."""

    def gone() -> bool:
        try:
            group.rmdir()
        except OSError:
            return False
        return True

    wait_for(gone, f"the end of {group}")


def throttled_group(here: Scratch) -> pathlib.Path:
    need_root("makes control groups")
    group = GROUPS / f"leat-fault-{os.getpid()}"
    number = os.stat(here.folder).st_dev
    device = f"{os.major(number)}:{os.minor(number)}"
    try:
        group.mkdir()
        here.callback(remove, group)
        (group / "blkio.throttle.read_bps_device").write_text(f"{device} {MiB}")
    except OSError as failure:
        skip(f"reads of device {device} cannot be throttled here: {failure}")
    return group


def main() -> None:
    with Scratch() as here:
        content = made_up(8 * CHUNK)
        path = here.file("data", content)
        group = throttled_group(here)
        probe = here.probe("--chunk-size", CHUNK, "--memory", 8 * CHUNK)
        check(probe.open("f", path).ok, "the file was to open")
        probe.get("f", 0, CHUNK).has(content[:CHUNK])
        (group / "cgroup.procs").write_text(str(probe.process.pid))

        # More than a second's worth of bytes.
        before = probe.statistics()["cache"]["misses"]
        slow = [probe.ask("get", "f", chunk * CHUNK, CHUNK) for chunk in range(2, 8)]
        hits = 0
        while not probe.answered(slow[-1]):
            probe.get("f", hits * 64 % CHUNK, 64).has(content[hits * 64 % CHUNK :][:64])
            hits += 1
        check(hits >= 10, f"only {hits} hits while reads were under way")
        check(probe.statistics()["cache"]["misses"] == before + len(slow), "a hit has waited")
        for chunk, waiting in enumerate(slow, start=2):
            probe.answer(waiting).has(content[chunk * CHUNK : (chunk + 1) * CHUNK])
        probe.finish()


main()
