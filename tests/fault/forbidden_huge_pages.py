#!/usr/bin/env python3
"""Huge pages are reserved, but a control group forbids them to the process: others serve, said once, counted."""

import json
import os
import pathlib

from support.fault import MiB, Scratch, cat, check, made_up, need_root, skip, wait_for

RESERVED = pathlib.Path("/proc/sys/vm/nr_hugepages")
V1 = pathlib.Path("/sys/fs/cgroup/hugetlb")
UNIFIED = (pathlib.Path("/sys/fs/cgroup/unified"), pathlib.Path("/sys/fs/cgroup"))


def remove(group: pathlib.Path) -> None:
    def gone() -> bool:
        try:
            group.rmdir()
        except OSError:
            return False
        return True

    wait_for(gone, f"the end of {group}")


def forbidding_group(here: Scratch) -> pathlib.Path:
    name = f"leat-fault-{os.getpid()}"
    if V1.is_dir():
        group, limit = V1 / name, "hugetlb.2MB.limit_in_bytes"
    else:
        root = next((one for one in UNIFIED if (one / "cgroup.subtree_control").exists()), None)
        if root is None or "hugetlb" not in (root / "cgroup.controllers").read_text().split():
            skip("no control group of this machine limits huge pages")
        control = root / "cgroup.subtree_control"
        if "hugetlb" not in control.read_text().split():
            control.write_text("+hugetlb")
            here.callback(control.write_text, "-hugetlb")
        group, limit = root / name, "hugetlb.2MB.max"
    try:
        group.mkdir()
        here.callback(remove, group)
        (group / limit).write_text("0")
    except OSError as failure:
        skip(f"huge pages cannot be forbidden here: {failure}")
    return group


def reserve_pages(here: Scratch, count: int) -> None:
    before = RESERVED.read_text()
    try:
        RESERVED.write_text(str(int(before) + count))
        here.callback(RESERVED.write_text, before)
    except OSError as failure:
        skip(f"huge pages cannot be reserved here: {failure}")
    if int(RESERVED.read_text()) < int(before) + count:
        skip("the kernel has no huge pages left to reserve")


def main() -> None:
    need_root("makes control groups and reserves huge pages")
    with Scratch() as here:
        try:
            group = forbidding_group(here)
        except OSError as failure:
            skip(f"control groups cannot be used here: {failure}")
        reserve_pages(here, 40)
        content = made_up(5 * MiB + 17)
        path = here.file("data", content)
        inside = ("sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$0" "$@"')
        options = ("--chunk-size", "1M", "--memory", "64M")
        for backend in "uring", "thread":
            for more in (), ("--no-register",):
                what = f"{backend} {more}"
                ended = cat("--backend", backend, *more, *options, "--stats=json", path, under=inside)
                if ended.returncode == 7:
                    print(f"{backend} is refused here")
                    continue
                check(ended.returncode == 0 and ended.stdout == content, f"{what}: {ended.stderr}")
                buffers = json.loads(ended.stderr)["buffers"]
                check(buffers["hugetlb_segments"] == 0 and buffers["hugetlb_refusals"] == 1, f"{what}: {buffers}")
                refused = buffers["registration_failures"]
                check(refused == 0, f"{what}: {refused} registrations have failed for it")

        probe = here.probe("--shards", 2, *options[:2], "--memory", "64M", under=inside)
        check(probe.open("f", path).ok, "the file was to open")
        for offset in range(0, 5 * MiB, MiB):
            probe.get("f", offset, 100).has(content[offset : offset + 100])
        said = [event for event in probe.events if "huge pages are reserved" in event]
        check(len(said) == 1, f"not said once: {probe.events}")
        probe.finish()


main()
