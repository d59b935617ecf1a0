#!/usr/bin/env python3
"""Two bytes of a btrfs image have changed: reads stop short there, and reading on gives EIO."""

import errno
import mmap
import os
import pathlib

from support.fault import KiB, MiB, Scratch, cat, check, made_up, need, need_root, silently, skip

IMAGE_BYTES = 128 * MiB  # sparse
BAD = [MiB + 40 * KiB, 3 * MiB + 200 * KiB]


def mounted(here: Scratch, image: pathlib.Path) -> pathlib.Path:
    return here.mount("btrfs", here.loop_device(image))


def damage(image: pathlib.Path, content: bytes) -> None:
    """Changes the bytes of the file at the offsets BAD where they lie in the image."""
    with open(image, "r+b") as file, mmap.mmap(file.fileno(), 0) as whole:
        for offset in BAD:
            place = whole.find(content[offset : offset + 64])
            check(place >= 0, f"the file's byte {offset} is not in the image")
            whole[place] ^= 0xFF


def gives_short_reads(path: pathlib.Path) -> bool:
    """Whether a direct read across the damage ends before it."""
    file = os.open(path, os.O_RDONLY | os.O_DIRECT)
    with mmap.mmap(-1, MiB) as memory:
        try:
            count = os.preadv(file, [memory], MiB)
        finally:
            os.close(file)
    return count == BAD[0] - MiB


def main() -> None:
    need("mkfs.btrfs")
    need_root("mounts file systems")
    with Scratch() as here:
        content = made_up(4 * MiB)
        image = here.file("image", b"")
        os.truncate(image, IMAGE_BYTES)
        check(silently("mkfs.btrfs", "--metadata", "single", str(image)), "mkfs.btrfs failed")
        with Scratch() as first:
            folder = mounted(first, image)
            with open(folder / "data", "wb") as file:
                file.write(content)
                os.fsync(file.fileno())
            check(silently("umount", str(folder)), "the image cannot be unmounted")
        damage(image, content)
        path = mounted(here, image) / "data"
        try:
            if not gives_short_reads(path):
                skip("this kernel's btrfs gives no short reads")
        except OSError as failure:
            skip(f"this kernel's btrfs gives no short reads: {failure}")

        for backend in ("auto", "thread"):
            ended = cat("--backend", backend, "--chunk-size", "1M", "--memory", "4M", path)
            check(ended.returncode == 5, ended.stderr)
            check(f"at offset {MiB}".encode() in ended.stderr and b"Input/output error" in ended.stderr, ended.stderr)
            check(content.startswith(ended.stdout) and len(ended.stdout) == MiB, f"{len(ended.stdout)} bytes")

            probe = here.probe("--backend", backend, "--chunk-size", MiB, "--memory", 4 * MiB)
            check(probe.open("f", path).ok, "the file was to open")
            whole = probe.ask("get", "f", MiB, MiB)
            before = probe.ask("get", "f", MiB, 40 * KiB)
            after = probe.ask("get", "f", MiB + 44 * KiB, 500 * KiB)
            probe.answer(whole).fails_with(errno.EIO)
            probe.answer(before).has(content[MiB : MiB + 40 * KiB])
            probe.answer(after).has(content[MiB + 44 * KiB : MiB + 544 * KiB])
            for offset in BAD:
                probe.get("f", offset, 1).fails_with(errno.EIO)
                probe.get("f", offset - 4096, 4096).has(content[offset - 4096 : offset])
            probe.get("f", 2 * MiB, MiB).has(content[2 * MiB : 3 * MiB])
            probe.finish()


main()
