#!/usr/bin/env python3
"""The policies miss as often as those of a published simulator, on public traces.

usage: expected_miss_ratios.py FOLDER

FOLDER, or the one that LEAT_TRACES names, has expected_miss_ratios.tsv and the traces that it speaks of; where it is
absent the test is skipped. Each object is one chunk there, and each request one visit.
"""

import collections
import csv
import os
import pathlib
import subprocess
import sys

BENCH = os.environ["LEAT_BENCH"]
SKIPPED = 77
# How far two simulators are apart that were written from the same papers. The first four leave nothing open: they are
# the same to the last digit.
TOLERANCES = {
    "lru": 0.00005,
    "fifo": 0.00005,
    "clock": 0.00005,
    "sieve": 0.00005,
    "arc": 0.0005,
    "twoq": 0.004,
    "s3fifo": 0.002,
}


def replay(trace: pathlib.Path, capacities: list[str]) -> dict[tuple[str, str], float]:
    """The miss ratio of each policy and capacity."""
    words = ["replay", str(trace), "--policy", ",".join(TOLERANCES), "--capacity", ",".join(capacities)]
    ended = subprocess.run([BENCH, *words], capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        sys.exit(f"{trace.name}: leat-bench replay ends with {ended.returncode}: {ended.stderr}")
    found = {}
    for line in ended.stdout.splitlines():
        fields = line.split()
        if fields and fields[0] in TOLERANCES:
            found[fields[0], fields[1]] = float(fields[2])
    return found


def main() -> int:
    folder = pathlib.Path(os.environ.get("LEAT_TRACES") or sys.argv[1])
    table = folder / "expected_miss_ratios.tsv"
    if not table.exists():
        print(f"{table} is absent")
        return SKIPPED
    expected = collections.defaultdict(list)
    with open(table, encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            expected[row["trace"]].append(row)
    faults = 0
    compared = 0
    for name, rows in expected.items():
        found = replay(folder / f"{name}.ids.zst", [row["cache_objects"] for row in rows])
        for row in rows:
            for policy, tolerance in TOLERANCES.items():
                ratio = found.get((policy, row["cache_objects"]), 1e9)
                compared += 1
                if abs(ratio - float(row[policy])) > tolerance + 1e-9:
                    faults += 1
                    print(f"{name}, {row['cache_objects']} objects, {policy}: {ratio} instead of {row[policy]}")
    print(f"{compared} miss ratios, {faults} of them wrong")
    return 1 if faults or not compared else 0


if __name__ == "__main__":
    sys.exit(main())
