#!/usr/bin/env python3
"""The limit of locked memory has room for smaller rings only: still io_uring, with fewer operations in flight, said
once; demanded, and with no room at all, it is an error that names the cause. What one has locked the next may lock."""

import json
import os
import shutil

from support.fault import MiB, Scratch, cat, check, made_up, silently, skip


def limited(kib: int) -> tuple:
    if os.geteuid() != 0:
        return ("prlimit", f"--memlock={kib * 1024}:{kib * 1024}")
    return ("capsh", "--drop=cap_ipc_lock", "--", "-c", f'ulimit -l {kib} && exec "$0" "$@"')


def main() -> None:
    if not shutil.which(limited(64)[0]) or not silently(*limited(64), "true"):
        skip("locked memory cannot be limited here")
    with Scratch() as here:
        content = made_up(3 * MiB + 17)
        path = here.file("data", content)
        ordinary = ("--backend", "uring", "--chunk-size", "256K", "--memory", "4M", "--stats=json", path)
        if cat(*ordinary).returncode != 0:
            skip("io_uring is refused here")
        if cat(*ordinary, under=limited(0)).returncode == 0:
            skip("this kernel does not count rings as locked memory")

        # Smaller and smaller, until there is no room for any. What others of this user lock counts, too.
        seen = set()
        for kib in (4096, 256, 128, 64, 32, 16, 8, 4, 0):
            ended = cat(*ordinary, under=limited(kib))
            if ended.returncode == 7:
                check(b"memlock" in ended.stderr, f"{kib} KiB: the cause is not told: {ended.stderr}")
                seen.add("refused")
                ended = cat("--backend", "auto", *ordinary[2:], under=limited(kib))
                check(ended.returncode == 0 and ended.stdout == content, f"{kib} KiB: {ended.stderr}")
                continue
            check(ended.returncode == 0 and ended.stdout == content, f"{kib} KiB: {ended.stderr}")
            report = ended.stderr[ended.stderr.index(b"{") :]
            smaller = "completions" in json.loads(report)["backend"]["mode"]
            seen.add("smaller" if smaller else "whole")
        check({"smaller", "refused"} <= seen, f"this test tests nothing: {seen}")

        # By default as well, and each of an engine's shards by a ring of its own: said once.
        probe = here.probe("--shards", 2, "--chunk-size", "256K", "--memory", "4M", under=limited(256))
        check(probe.open("f", path).ok, "the file was to open")
        probe.get("f", 0, 100).has(content[:100])
        said = [event for event in probe.events if "memlock" in event and "rings" in event]
        check(len(said) == 1, f"not said once: {probe.events}")
        probe.finish()

        # One after the other, with memory for one ring only.
        for number in range(5):
            ended = cat(*ordinary, under=limited(400))
            check(ended.returncode == 0 and ended.stdout == content, f"ring {number} in a row: {ended.stderr}")


main()
