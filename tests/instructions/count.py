#!/usr/bin/env python3
"""Counts with callgrind how many instructions one more step of a program takes, and compares with a limit.

usage: count.py LIMIT PROGRAM

The program is run twice, with two numbers of steps as its only argument; what both runs have in common falls out.
Ends with 77, skipped, where valgrind is not installed.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

STEPS = (20_000, 320_000)
# Valgrind has been seen to wait for ever on a program that waits in the kernel.
SECONDS = 120


def instructions(program: str, steps: int, folder: pathlib.Path) -> int:
    run = subprocess.run(
        ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", program, str(steps)],
        capture_output=True, text=True, timeout=SECONDS,
    )
    if run.returncode != 0:
        sys.exit(f"{program} {steps} ended with {run.returncode}:\n{run.stderr}")
    found = re.search(r"Collected\s*:\s*(\d+)", run.stderr)
    if found is None:
        sys.exit(f"callgrind printed no count:\n{run.stderr}")
    return int(found.group(1))


def main() -> None:
    limit, program = float(sys.argv[1]), sys.argv[2]
    if shutil.which("valgrind") is None:
        print("skipped: valgrind is not installed")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        few, many = (instructions(program, steps, pathlib.Path(folder)) for steps in STEPS)
    # What the shard does besides, above all while it waits for the first step, takes some hundredths more or less.
    each = round((many - few) / (STEPS[1] - STEPS[0]), 1)
    print(f"{each:.1f} instructions a step, at most {limit:.1f} allowed")
    sys.exit(each > limit)


if __name__ == "__main__":
    main()
