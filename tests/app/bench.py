#!/usr/bin/env python3
"""leat-bench measures on a small file, checks what it reads, writes the figures it promises, and says what they are."""

import json
import os
import re
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
KEYS = ["schema", "leat", "machine", "options", "figures", "spread", "rounds", "ratios", "void", "notes", "series",
        "histograms"]
COLUMNS = 80
SMALL = ["--file", "small", "-r", "0.01", "--rounds", "1", "--chunk-size", "1M", "--no-pin"]


def run(*words: str, path: str | None = None) -> subprocess.CompletedProcess:
    environment = os.environ | ({"PATH": path} if path is not None else {})
    return subprocess.run([BENCH, *words], capture_output=True, text=True, check=False, env=environment)


def expect(what: str, good: bool, shown: object) -> None:
    if not good:
        sys.exit(f"{what}: {shown}")


def found_in(name: str) -> dict:
    with open(name, encoding="utf-8") as file:
        return json.load(file)


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
    found = found_in("run.json")
    expect("schema", list(found) == KEYS and found["schema"] == 1, list(found))
    missing = [name for name in FIGURES if name not in found["figures"]]
    expect("figures", not missing, missing)
    expect("spreads", set(found["spread"]) == set(found["figures"]) | set(found["ratios"]), found["spread"])
    expect("rounds", set(found["rounds"]) == set(found["spread"]), found["rounds"])
    # What is told of the machine and the file is as long as it is.
    table = ended.stdout[ended.stdout.index("figure "):]
    longest = max(table.splitlines(), key=len)
    expect(f"at most {COLUMNS} columns", len(longest) <= COLUMNS, longest)
    verdict = " ".join(table.split("\n\n")[-1].split())
    expect("one sentence at the end", verdict.startswith("On this machine leat hands over") and
           verdict.endswith(".") and " where pread" in verdict and " goals" in verdict, verdict)
    expect("no allocation", found["figures"]["hit.allocations"] == 0, found["figures"])
    expect("one fill", found["figures"]["fanin.fills"] == 1, found["figures"])
    expect("read once", found["figures"]["fanin.bytes_read_ratio"] == 1, found["figures"])


def patterns_of(names: str) -> re.Pattern:
    """{a,b} stands for each of them, * for any letters but a dot and a slash."""
    text = re.escape(names).replace(r"\{", "(").replace(r"\}", ")").replace(",", "|").replace(r"\*", "[^./]+")
    return re.compile(text)


def listed_meanings() -> list[tuple[re.Pattern, str]]:
    """What --list tells: names behind four blanks, their meaning behind eight."""
    listed = run("--list")
    expect("--list", listed.returncode == 0, listed.stderr)
    longest = max(listed.stdout.splitlines(), key=len)
    expect(f"at most {COLUMNS} columns", len(longest) <= COLUMNS, longest)
    meanings = []
    for line in listed.stdout.splitlines():
        if line.startswith(" " * 8):
            meanings[-1][1] += " " + line.strip()
        elif line.startswith(" " * 4) and " " not in line.strip():
            meanings.append([patterns_of(line.strip()), ""])
    return [(names, meaning) for names, meaning in meanings]


def check_meanings() -> None:
    """Every figure and ratio that any workload gives has its line in --list."""
    meanings = listed_meanings()
    runs = {
        "cpu.json": ["remote", "messages", "asio-guest", "send", "mixed", "designs", "device", "asio", *SMALL,
                     "--against", "none"],
        "fio.json": ["scan", "device", "asio", *SMALL],
        "point.json": ["device", *SMALL, "-d", "2"],
        "memory.json": ["memory", *SMALL, "--memory", "32M"],
        "soak.json": ["soak", *SMALL, "--minutes", "0.01"],
        "patterns.json": ["patterns", "--only", "packed", "--requests", "200", "--memory", "32M"],
        "sizes.json": ["patterns", "--only", "packed", "--requests", "200", "--memory", "32M", "--chunk-sizes"],
    }
    for name, words in runs.items():
        ended = run(*words, "--json", name)
        expect(f"{words[0]} writes", os.path.exists(name), ended.stderr)
    for name in ("run.json", *runs):
        found = found_in(name)
        for figure in (*found["figures"], *found["ratios"], *found.get("void", {})):
            told = [meaning for names, meaning in meanings if names.fullmatch(figure)]
            expect(f"a line of meaning for {figure}", told and ": " in told[0], told)
        for figure, why in found.get("void", {}).items():
            expect(f"{figure} says what to do", "repeat `leat-bench " in why, why)


def check_pages() -> None:
    page = run("report", "run.json", "-o", "run.html")
    expect("report", page.returncode == 0, page.stderr)
    with open("run.html", encoding="utf-8") as file:
        text = file.read()
    expect("a page by itself", "http:" not in text and "https:" not in text, "it names an address")
    expect("meanings", "the least that a request can cost" in text, text[:2000])
    without = run("report", "run.json", "-o", "bare.html", path="/nonexistent")
    expect("report without gnuplot", without.returncode == 0, without.stderr)
    with open("bare.html", encoding="utf-8") as file:
        text = file.read()
    expect("what to do without gnuplot", "apt install gnuplot-nox" in text and "<svg" not in text, text[:2000])
    same = run("report", "run.json", "run.json", "-o", "same.html")
    expect("a comparison", same.returncode == 0, same.stderr)
    with open("same.html", encoding="utf-8") as file:
        text = file.read()
    expect("no change", "none has changed beyond its spread" in text and "<table" not in text, text[:2000])


def check_commands() -> None:
    goals = run("goals", "run.json")
    expect("goals", goals.returncode == 1 and "not measured" in goals.stdout, goals.stdout)
    for code, words in ((2, ["nonsense", "small"]), (2, ["--rounds", "0"]), (3, ["hit", "missing"]),
                        (3, ["goals", "missing.json"])):
        ended = run(*words)
        expect(f"{words} ends with {code}", ended.returncode == code, (ended.returncode, ended.stderr))


def main() -> None:
    # Beside the build: /tmp may be a tmpfs, which knows no direct reads.
    with tempfile.TemporaryDirectory(dir=os.getcwd()) as folder:
        os.chdir(folder)
        check_run()
        check_meanings()
        check_pages()
        check_commands()


if __name__ == "__main__":
    main()
