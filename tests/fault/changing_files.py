#!/usr/bin/env python3
"""Files that are replaced, unlinked, cut and written in place while they are read: one version, or an error."""

import os
import pathlib
import time
import zlib

from support.fault import KiB, Answer, Meddler, Probe, Scratch, check, made_up

SIZE = 300 * KiB + 123
ROUNDS = 60
PATIENCE_S = 30


def sum_of(content: bytes) -> list:
    return [str(len(content)), str(zlib.crc32(content))]


def read_whole(probe: Probe, path: pathlib.Path) -> tuple[int, Answer]:
    """The size it had when it was opened, and what came of reading it."""
    opened = probe.open("f", path)
    check(opened.ok, opened.line)
    return int(opened.words[0]), probe.read("f", 0, 2 * SIZE)


def rounds(enough):
    """Some rounds, and as many more as it takes until `enough`: what is waited for is a race."""
    end = time.monotonic() + PATIENCE_S
    turn = 0
    while turn < ROUNDS or not enough():
        check(turn < ROUNDS or time.monotonic() < end, f"waited in vain for a race, {turn} rounds")
        yield turn
        turn += 1


def replaced(here: Scratch, probe: Probe) -> None:
    versions = [made_up(SIZE, seed) for seed in (1, 2)]
    path = here.file("replaced", versions[0])

    def rename(turn: int) -> None:
        new = here.folder / "new"
        new.write_bytes(versions[turn % 2])
        os.rename(new, path)

    wanted = [sum_of(version) for version in versions]
    seen = set()
    with Meddler(rename) as meddler:
        for _ in rounds(lambda: len(seen) == 2):
            _, got = read_whole(probe, path)
            check(got.ok and got.words in wanted, got.line)
            seen.add(got.words[1])
            probe.open("g", path)
            path.unlink(missing_ok=True)
            got = probe.read("g", 0, SIZE)
            check(got.ok and got.words in wanted, f"unlinked: {got.line}")
            turn = meddler.rounds
            while meddler.rounds < turn + 2:
                pass


def cut(here: Scratch, probe: Probe) -> None:
    content = made_up(SIZE)
    path = here.file("cut", content)

    def shorten_and_grow(turn: int) -> None:
        length = turn * 7919 % SIZE
        os.truncate(path, length)
        with open(path, "ab") as file:
            file.write(content[length:])

    failed = 0
    with Meddler(shorten_and_grow):
        for _ in rounds(lambda: failed > 0):
            size, got = read_whole(probe, path)
            if got.ok:
                check(got.words == sum_of(content[:size]), f"other bytes than those of a version: {got.line}")
            else:
                got.fails_as("the file has changed")
                failed += 1
    _, got = read_whole(probe, path)
    got.has(content)


def written_in_place(here: Scratch, probe: Probe) -> None:
    versions = [made_up(SIZE, seed) for seed in (1, 2)]
    path = here.file("written", versions[0])

    def write(turn: int) -> None:
        with open(path, "r+b") as file:
            file.write(versions[turn % 2])

    failed = 0
    with Meddler(write):
        for _ in rounds(lambda: failed > 0):
            # What is opened in mid-write may be of both versions: its time stamps were new before its bytes.
            _, got = read_whole(probe, path)
            if not got.ok:
                got.fails_as("the file has changed")
                failed += 1
    write(1)
    _, got = read_whole(probe, path)
    got.has(versions[1])


def main() -> None:
    with Scratch() as here:
        for backend in ("auto", "thread"):
            probe = here.probe("--backend", backend, "--shards", 2, "--chunk-size", "64K", "--memory", "1M")
            replaced(here, probe)
            cut(here, probe)
            written_in_place(here, probe)
            probe.finish()


main()
