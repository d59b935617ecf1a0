#!/usr/bin/env python3
"""Images that take turns at one device or mount point, equal but for their bytes: nothing is warm of the former."""

import os
import subprocess

from support.fault import KiB, MiB, Scratch, check, made_up, need, need_root, silently, skip

TIME = 1_600_000_000


def devices(here: Scratch, backend: str) -> None:
    contents = [made_up(2 * MiB, seed) for seed in (1, 2)]
    images = [here.file(f"image-{backend}-{number}", content) for number, content in enumerate(contents)]
    device = here.loop_device(images[0])
    probe = here.probe("--backend", backend, "--chunk-size", 64 * KiB, "--memory", 4 * MiB)
    for turn in range(4):
        check(probe.open("f", device).ok, "the device was to open")
        probe.read("f", 0, 2 * MiB).has(contents[turn % 2])
        probe.wait_idle()
        probe.drop("f")
        check(silently("losetup", "--detach", device), "losetup failed")
        if not silently("losetup", device, images[(turn + 1) % 2]):
            skip(f"{device} is somebody else's now")
    probe.finish()


def mounts(here: Scratch, backend: str) -> None:
    contents = [made_up(MiB, seed) for seed in (3, 4)]
    images = []
    for number, content in enumerate(contents):
        folder = here.make_folder(f"tree-{backend}-{number}")
        (folder / "f").write_bytes(content)
        os.utime(folder / "f", (TIME, TIME))
        image = here.folder / f"squash-{backend}-{number}"
        command = ["mksquashfs", folder, image, "-quiet", "-no-progress", "-noD", "-noI", "-mkfs-time", str(TIME)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        images.append(image)
    probe = here.probe("--backend", backend, "--chunk-size", 64 * KiB, "--memory", 4 * MiB)
    where = here.make_folder(f"mount-{backend}")
    here.callback(silently, "umount", "--lazy", where)
    seen = set()
    for turn in range(4):
        if not silently("mount", "-t", "squashfs", "-o", "loop,ro", images[turn % 2], where):
            skip("no squashfs can be mounted here")
        status = os.stat(where / "f")
        seen.add((status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns))
        check(probe.open("f", where / "f").ok, "the file was to open")
        probe.read("f", 0, MiB).has(contents[turn % 2])
        probe.wait_idle()
        probe.drop("f")
        check(silently("umount", where), "umount failed")
    probe.finish()
    print(f"{len(seen)} different answers of stat in four mounts")


def main() -> None:
    need("mksquashfs", "losetup")
    need_root("mounts file systems")
    with Scratch() as here:
        for backend in ("auto", "thread"):
            devices(here, backend)
            mounts(here, backend)


main()
