#!/usr/bin/env python3
"""Limits of control groups above the process's own: budgets that are not given stay below them, page cache does not
count as used, and a budget above the limit is warned of."""

import json
import os
import pathlib
import time

from support.fault import MiB, Scratch, cat, check, made_up, need, need_root, silently, skip

GROUPS = pathlib.Path("/sys/fs/cgroup/memory")


class Group:
    """A group of version 1 with a limit, and one below it without, where programs run."""

    def __init__(self, limit: int) -> None:
        self.upper = GROUPS / f"leat-test-{os.getpid()}"
        self.lower = self.upper / "lower"
        self.limit = limit

    def __enter__(self) -> "Group":
        self.lower.mkdir(parents=True)
        (self.upper / "memory.limit_in_bytes").write_text(str(self.limit))
        return self

    def __exit__(self, *_) -> None:
        (self.upper / "memory.force_empty").write_text("0")
        self.lower.rmdir()
        self.upper.rmdir()

    @property
    def spare_cache(self) -> int:
        lines = (self.upper / "memory.stat").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("total_inactive_file "))

    @property
    def inside(self) -> tuple:
        return ("sh", "-c", f'echo $$ > {self.lower}/cgroup.procs; exec "$0" "$@"')


def budget(ended) -> int:
    check(ended.returncode == 0, ended.stderr)
    return json.loads(ended.stderr)["memory"]


def check_limit_above(path: pathlib.Path, content: bytes) -> None:
    with Group(200 * MiB) as group:
        for under in (group.inside, (*group.inside, "unshare", "-C")):
            ended = cat("--stats=json", path, under=under)
            check(ended.stdout == content, "wrong bytes")
            check(20 * MiB <= budget(ended) <= 50 * MiB, f"{under}: {budget(ended) / MiB} MiB")

        # Whoever reads a page first has it counted; and what the kernel holds for used often is no page cache to
        # spare, nor what it has not counted as such yet.
        for _ in range(20):
            with open(path, "rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            check(silently(*group.inside, "cat", path), "cat")
            if group.spare_cache > 100 * MiB:
                break
            time.sleep(0.2)
        check(group.spare_cache > 100 * MiB, f"the page cache is not the group's: {group.spare_cache / MiB} MiB")
        after = budget(cat("--stats=json", path, under=group.inside))
        check(after >= 40 * MiB, f"page cache counts as used: {after / MiB} MiB")

        ended = cat("--memory", "400M", "--length", "1M", path, under=group.inside)
        check(ended.stdout == content[:MiB], "wrong bytes")
        limit = f"the 200 MiB that {group.upper}/memory.limit_in_bytes allows"
        check(f"a memory budget of 400 MiB is more than {limit}" in ended.stderr.decode(), ended.stderr)
        ended = cat("--memory", "100M", "--length", "1M", path, under=group.inside)
        check(ended.stderr == b"", ended.stderr)


def main() -> None:
    need_root("control groups are made")
    need("unshare")
    if not (GROUPS / "memory.limit_in_bytes").exists():
        skip("memory is no control group of version 1 here")
    with Scratch() as here:
        content = made_up(150 * MiB)
        check_limit_above(here.file("data", content), content)


main()
