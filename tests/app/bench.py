#!/usr/bin/env python3
"""leat-bench measures on a small file, checks what it reads, and writes the figures it promises."""

import json
import os
import subprocess
import sys
import tempfile

BENCH = os.environ["LEAT_BENCH"]
FIGURES = """
hit.hot.ns hit.uniform.ns hit.sequential.ns hit.zipf.ns
hit.hot.read_all_ns hit.uniform.read_all_ns hit.sequential.read_all_ns hit.zipf.read_all_ns
floor.hot.ns floor.uniform.ns pread.uniform.ns mmap.uniform.ns hit.copy.ns hit.allocations
miss.first_byte.p50_us miss.first_byte.p99_us miss.chunk.p50_us miss.chunk.p99_us
raw4k.p50_us raw4k.p99_us raw_chunk.p50_us raw_chunk.p99_us miss.depth32.iops raw4k.depth32.iops
miss.read_amplification loaded.1m.first_byte.p50_us loaded.1m.first_byte.p99_us loaded.2m.gbps
loaded_raw.512k.first_byte.p50_us loaded_raw.512k.gbps
crowd.gbps crowd.read_mib crowd.read_amplification crowd.raw_gbps
scan.gbps scan.4k_gbps raw.gbps scan.cpu_us_per_chunk raw.cpu_us_per_chunk
fanin.fills fanin.bytes_read_ratio fanin.ns_per_waiter
""".split()
KEYS = ["schema", "leat", "machine", "options", "figures", "spread", "ratios", "series", "histograms"]
SMALL = ["--file", "small", "-r", "0.01", "--rounds", "1", "--chunk-size", "1M", "--no-pin"]


def run(*words: str) -> subprocess.CompletedProcess:
    return subprocess.run([BENCH, *words], capture_output=True, text=True, check=False)


def expect(what: str, good: bool, shown: object) -> None:
    if not good:
        sys.exit(f"{what}: {shown}")


def check_run() -> None:
    made = run("--create", "small", "--size", "64M")
    expect("--create", made.returncode == 0, made.stderr)
    again = run("--create", "small", "--size", "64M")
    expect("overwrites nothing", again.returncode != 0 and "exists" in again.stderr, again.stderr)
    before = os.stat("small")
    ended = run("hit", "miss", "loaded", "crowd", "scan", "fanin", *SMALL, "--against", "pread,mmap",
                "--json", "run.json")
    # A busy machine voids the comparisons, not the figures.
    expect("exit code", ended.returncode in (0, 8), ended.stderr)
    expect("quiet", ended.stderr == "", ended.stderr)
    after = os.stat("small")
    expect("reads only", before.st_mtime_ns == after.st_mtime_ns, after)
    with open("run.json", encoding="utf-8") as file:
        found = json.load(file)
    expect("schema", list(found) == KEYS and found["schema"] == 1, list(found))
    missing = [name for name in FIGURES if name not in found["figures"]]
    expect("figures", not missing, missing)
    expect("spreads", set(found["spread"]) == set(found["figures"]), found["spread"])
    expect("no allocation", found["figures"]["hit.allocations"] == 0, found["figures"])
    expect("one fill", found["figures"]["fanin.fills"] == 1, found["figures"])
    expect("read once", found["figures"]["fanin.bytes_read_ratio"] == 1, found["figures"])


def check_commands() -> None:
    goals = run("goals", "run.json")
    expect("goals", goals.returncode == 1 and "not measured" in goals.stdout, goals.stdout)
    page = run("report", "run.json", "run.json", "-o", "run.html")
    expect("report", page.returncode == 0, page.stderr)
    with open("run.html", encoding="utf-8") as file:
        text = file.read()
    expect("a page by itself", "http:" not in text and "https:" not in text, "it names an address")
    expect("the change", "+0.0 %" in text, text[:2000])
    listed = run("--list")
    expect("--list", listed.returncode == 0 and "miss.{first_byte" in listed.stdout, listed.stdout)
    for code, words in ((2, ["nonsense", "small"]), (2, ["--rounds", "0"]), (3, ["hit", "missing"]),
                        (3, ["goals", "missing.json"])):
        ended = run(*words)
        expect(f"{words} ends with {code}", ended.returncode == code, (ended.returncode, ended.stderr))


def main() -> None:
    # Beside the build: /tmp may be a tmpfs, which knows no direct reads.
    with tempfile.TemporaryDirectory(dir=os.getcwd()) as folder:
        os.chdir(folder)
        check_run()
        check_commands()


if __name__ == "__main__":
    main()
