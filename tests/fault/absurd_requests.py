#!/usr/bin/env python3
"""Offsets and sizes at every edge of 64 bits are refused, and never wrap into the file."""

from support.fault import KiB, Scratch, check, made_up

CHUNK = 64 * KiB
SIZE = 3 * CHUNK + 17
EDGES = [0, 1, CHUNK, SIZE, 2**31, 2**32, 2**47, 2**62, 2**63, 2**64 - CHUNK, 2**64 - 4096]


def main() -> None:
    with Scratch() as here:
        content = made_up(SIZE)
        path = here.file("data", content)
        probe = here.probe("--chunk-size", CHUNK, "--memory", 4 * CHUNK)
        probe.open("f", path)
        offsets = sorted({edge + near for edge in EDGES for near in (-1, 0, 1) if 0 <= edge + near < 2**64})
        for offset in offsets:
            for size in (0, 1, 2, CHUNK, CHUNK + 1, SIZE, 2**31, 2**32 - 1):
                answer = probe.get("f", offset, size)
                if size == 0 or offset + size > SIZE:
                    answer.fails_as("range is empty or lies beyond")
                elif offset % CHUNK + size > CHUNK:
                    answer.fails_as("not lie inside one chunk")
                else:
                    answer.has(content[offset : offset + size])
            answer = probe.read("f", offset, CHUNK)
            if offset > SIZE:
                answer.fails_as("lies beyond the end")
            else:
                answer.has(content[offset : offset + CHUNK])
        check(probe.statistics()["cache"]["failed_reads"] == 0, "an absurd request was read")
        probe.finish()


main()
