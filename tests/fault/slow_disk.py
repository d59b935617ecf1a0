#!/usr/bin/env python3
"""Behind a slow disk hits are served as ever, and cancelling one waiter cancels no other."""

from support.fault import KiB, MiB, Scratch, check, made_up

CHUNK = 64 * KiB
DELAY_MS = 700


def main() -> None:
    with Scratch() as here:
        content = made_up(2 * MiB)
        disk = here.nbd("--filter=delay", "file", here.file("image", content), f"delay-read={DELAY_MS}ms")
        probe = here.probe("--chunk-size", CHUNK, "--memory", 16 * CHUNK)
        check(probe.open("f", disk).ok, "the disk was to open")
        probe.get("f", 0, CHUNK).has(content[:CHUNK])

        before = probe.statistics()["cache"]["misses"]
        slow = probe.ask("get", "f", 8 * CHUNK, 4096)
        hits = 0
        while not probe.answered(slow):
            probe.get("f", hits * 64 % CHUNK, 64).has(content[hits * 64 % CHUNK :][:64])
            hits += 1
        check(hits >= 10, f"only {hits} hits while a read was under way")
        check(probe.statistics()["cache"]["misses"] == before + 1, "a hit has waited")
        probe.answer(slow).has(content[8 * CHUNK : 8 * CHUNK + 4096])

        probe.wait_idle()
        before = probe.statistics()["cache"]["demand_reads"]
        waiting = [probe.ask("get", "f", 12 * CHUNK, 4096) for _ in range(3)]
        probe.answer(probe.ask("cancel", waiting[1]))
        probe.answer(waiting[1]).fails_as("the operation was cancelled")
        check(not probe.answered(waiting[0]), "the read of others was not waited for")
        for kept in (waiting[0], waiting[2]):
            probe.answer(kept).has(content[12 * CHUNK : 12 * CHUNK + 4096])
        check(probe.statistics()["cache"]["demand_reads"] == before + 1, "more than one read")
        probe.finish()


main()
