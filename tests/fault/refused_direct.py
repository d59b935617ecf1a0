#!/usr/bin/env python3
"""An overlay takes O_DIRECT for a file of squashfs below it and then refuses the first read: the bytes all the same."""

import pathlib
import subprocess

from support.fault import KiB, MiB, Scratch, cat, check, made_up, need, need_root


def image_of(here: Scratch, folder: pathlib.Path, name: str) -> pathlib.Path:
    image = here.folder / name
    subprocess.run(["mksquashfs", folder, image, "-quiet", "-no-progress"], check=True, stdout=subprocess.DEVNULL)
    return image


def main() -> None:
    need("mksquashfs")
    need_root("mounts file systems")
    with Scratch() as here:
        content = made_up(3_000_123)
        below = here.make_folder("below")
        (below / "data").write_bytes(content)
        lower = here.mount("squashfs", image_of(here, below, "image"), "-o", "loop,ro")
        upper, work = here.make_folder("upper"), here.make_folder("work")
        tree = here.mount("overlay", "overlay", "-o", f"lowerdir={lower},upperdir={upper},workdir={work}")
        for folder in (lower, tree):
            for backend in ("auto", "thread"):
                shown = cat("--backend", backend, "--chunk-size", MiB, "--memory", 8 * MiB, folder / "data")
                check(shown.returncode == 0, f"{folder} {backend}: {shown.stderr}")
                check(shown.stdout == content, f"{folder} {backend}: other bytes")
                probe = here.probe("--backend", backend, "--chunk-size", 64 * KiB, "--memory", MiB)
                probe.open("f", folder / "data")
                # Several at once meet the refusal.
                asked = [(offset, probe.ask("get", "f", offset, 100)) for offset in range(1, 3_000_000, 300_001)]
                for offset, tag in asked:
                    if offset % (64 * KiB) <= 64 * KiB - 100:
                        probe.answer(tag).has(content[offset : offset + 100])
                probe.finish()


main()
