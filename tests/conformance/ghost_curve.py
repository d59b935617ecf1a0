#!/usr/bin/env python3
"""What a cache estimates of half its memory, twice and four times while it runs is what it does with them.

usage: ghost_curve.py FOLDER

FOLDER, or the one that LEAT_TRACES names, has the traces; where it is absent the test is skipped. Objects are chunks;
requests for files are cut into 4 KiB, for chunks of 1 MiB.
"""

import os
import pathlib
import subprocess
import sys

BENCH = os.environ["LEAT_BENCH"]
SKIPPED = 77
MOST = 0.02
FILES = ["--chunk-size", "1M", "--split", "4K"]
# Trace, its options, and memories in chunks. Those of a thousand and more are estimated by a sample of the chunks.
CASES = [
    ("lirs_2pools.ids.zst", [], "50,200,1000"),
    ("lirs_multi2.ids.zst", [], "50,200,1000"),
    ("lirs_sprite.ids.zst", [], "50,200,1000"),
    ("cp_io.ids.zst", [], "200,1000,5000"),
    ("arc_OLTP.ids.zst", [], "1000,5000"),
    ("cp_io.io.csv.zst", FILES, "50,200,1000"),
    ("arc_P3.io.csv.zst", FILES, "50,200,1000"),
    ("meta_block.io.csv.zst", FILES, "50,200"),
]


def estimates(trace: pathlib.Path, options: list[str], capacities: str) -> list[list[str]]:
    """Policy, memory, factor, estimated, replayed and difference, of each."""
    words = ["replay", str(trace), "--curve", "--policy", "lru,s3fifo-e", "--capacity", capacities, *options]
    ended = subprocess.run([BENCH, *words], capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        sys.exit(f"{trace.name}: leat-bench replay ends with {ended.returncode}: {ended.stderr}")
    rows = [line.split() for line in ended.stdout.splitlines()]
    return [[row[0], *row[-5:]] for row in rows if row and row[0] in ("lru", "s3fifo-e")]


def main() -> int:
    folder = pathlib.Path(os.environ.get("LEAT_TRACES") or sys.argv[1])
    if not folder.is_dir():
        print(f"{folder} is absent")
        return SKIPPED
    faults = 0
    compared = 0
    for name, options, capacities in CASES:
        for row in estimates(folder / name, options, capacities):
            compared += 1
            if abs(float(row[-1])) > MOST:
                faults += 1
                print(f"{name}, {capacities}: {' '.join(row)}")
    expected = sum(2 * 3 * len(capacities.split(",")) for _, _, capacities in CASES)
    print(f"{compared} estimates of {expected}, {faults} of them wrong")
    return 1 if faults or compared != expected else 0


if __name__ == "__main__":
    sys.exit(main())
