#!/usr/bin/env python3
"""leat-bench patterns counts what tiny traces must read, tells what it cannot serve, and explains itself."""

import json
import os
import subprocess
import sys
import tempfile

BENCH = os.environ["LEAT_BENCH"]
SIDE = {"requests", "hits", "bytes_served", "reads", "bytes_read", "read_per_served", "mean_read_bytes",
        "device_s_per_gib"}
NAMES = """small4 small12 records records16 packed streams20 streams80 streams200 streams1000 mix players readers
slow ahead8 ahead12 ahead16 tensors""".split()


def patterns(*words: str, code: int = 0) -> subprocess.CompletedProcess:
    ended = subprocess.run([BENCH, "patterns", *words], capture_output=True, text=True, check=False)
    if ended.returncode != code:
        sys.exit(f"patterns {words} ends with {ended.returncode} instead of {code}: {ended.stdout}{ended.stderr}")
    return ended


def expect(what: str, good: bool, shown: object) -> None:
    if not good:
        sys.exit(f"{what}: {shown}")


def found_in(name: str) -> dict:
    with open(name, encoding="utf-8") as file:
        return json.load(file)


def write_trace(name: str, requests: list) -> None:
    with open(name, "w", encoding="utf-8") as file:
        file.write("time,object,offset,size,op\n")
        file.writelines(f"{i},{file_id},{offset},{size},R\n" for i, (file_id, offset, size) in enumerate(requests))


def check_traces() -> None:
    new = [(i, 0, 4096) for i in range(100)]
    write_trace("new.io.csv", new)
    write_trace("again.io.csv", new + new)
    write_trace("large.io.csv", [(1, 5000, 300000), (1, 70000, 300000)])
    told = patterns("new.io.csv", "again.io.csv", "large.io.csv", "--memory", "32M", "--chunk-size", "64K",
                    "--json", "traces.json").stdout
    expect("a line for each side", told.count("\n") == 1 + 3 * 3 + 2, told)
    found = found_in("traces.json")
    new, again, large = found["patterns"]
    for side in ("leat", "pieces", "chunks"):
        expect(f"{side} of a trace", set(new[side]) == SIDE, new[side])
        for outcome, name, value in (
            (new, "requests", 50), (new, "hits", 0), (new, "reads", 50), (new, "bytes_read", 50 * 4096),
            (new, "read_per_served", 1), (again, "requests", 100), (again, "hits", 1), (again, "reads", 0),
            (again, "bytes_served", 100 * 4096), (large, "requests", 1), (large, "bytes_served", 300000),
        ):
            expect(f"{name} of {side}, {outcome['name']}", outcome[side][name] == value, outcome[side])
    seconds = (50 * 85e-6 + 50 * 4096 / 2.4e9) / (50 * 4096 / 2**30)
    expect("the device's time", abs(new["leat"]["device_s_per_gib"] - seconds) < 1e-9, new["leat"])
    expect("beside the better", abs(found["figures"]["patterns.new.device_over_pure"] - 1) < 1e-9, found["figures"])
    expect("the worst of all", found["figures"]["patterns.traces.device_over_pure"] >= 1, found["figures"])


def check_patterns() -> None:
    words = ["--requests", "600", "--memory", "32M", "--chunk-size", "1M"]
    told = patterns(*words, "--json", "all.json").stdout
    longest = max(told.splitlines(), key=len)
    expect("at most 100 columns", len(longest) <= 100, longest)
    found = found_in("all.json")
    expect("every pattern", [one["name"] for one in found["patterns"]] == NAMES, found["patterns"])
    for one in found["patterns"]:
        expect("every side", {"leat", "pages", "chunks"} <= set(one), one)
        for side in ("leat", "pages", "chunks"):
            expect("what is served", one[side]["requests"] == 300, one)
            expect("the same", one[side]["bytes_served"] == one["leat"]["bytes_served"], one)
            expect("what is read", (one[side]["reads"] > 0) == (one[side]["bytes_read"] > 0), one)
        expect("pages are read", one["pages"]["reads"] > 0, one)
        figures = found["figures"]
        prefix = f"patterns.{one['name']}."
        for figure in ("hits", "read_per_served", "device_s_per_gib"):
            expect(figure, figures[prefix + figure] == one["leat"][figure], figures)
        beyond = one["leat"]["hits"] - one["pages"]["hits"]
        expect("hits beyond pages", abs(figures[prefix + "hits_beyond_pages"] - beyond) < 1e-9, figures)
    expect("its goals", "patterns.records.read_per_served" in told, told)
    goals = subprocess.run([BENCH, "goals", "all.json"], capture_output=True, text=True, check=False)
    expect("goals read it", goals.returncode == 1 and "patterns.mix.hits" in goals.stdout, goals.stdout)
    again = patterns("--only", "packed,players", *words).stdout
    expect("it repeats", all(line in told for line in again.splitlines() if "leat" in line), again + told)


def check_chunk_sizes() -> None:
    told = patterns("--only", "packed", "--requests", "200", "--memory", "32M", "--chunk-sizes", "--json", "sizes.json",
                    code=1).stdout
    expect("what does not fit", told.count("\nnot served: packed, chunks of ") == 2, told)
    expect("at most 100 columns", max(map(len, told.splitlines())) <= 100, told)
    found = found_in("sizes.json")
    sizes = found["chunk_sizes"][0]["sizes"]
    expect("sizes", [one["chunk_size"] >> 16 for one in sizes] == [1, 16, 160, 1024, 16384], sizes)
    expect("why not", all("too small" in one["failure"] for one in sizes[3:]), sizes)
    ratios = [one["device_s_per_gib"] / sizes[2]["device_s_per_gib"] for one in sizes[:3]]
    worst = found["figures"]["patterns.packed.worst_chunk_size"]
    expect("the worst", abs(worst - max(ratios)) < 1e-9, (worst, ratios))


def check_complaints() -> None:
    with open("objects.ids", "w", encoding="utf-8") as file:
        file.write("1\n2\n")
    for code, words, said in (
        (2, ["--only", "mix,week"], '"week" is no pattern: there are small4, small12, records'),
        (2, ["objects.ids"], '"objects.ids" has objects without a size; give a trace of bytes'),
        (2, ["--chunk-sizes", "--chunk-size", "1M"], "without --chunk-size"),
        (2, ["--chunk-size", "100K"], "must be a multiple of 64 KiB"),
        (2, ["--requests", "1"], "--requests"),
        (3, ["missing.io.csv"], "missing.io.csv: No such file"),
    ):
        ended = patterns(*words, code=code)
        expect(f"{words} is told", said in ended.stderr and ended.stderr.startswith("leat-bench: "), ended.stderr)
    told = patterns("--only", "mix", "--memory", "1M", "--requests", "100", code=1).stdout
    expect("too little memory", "not served:\n    a memory budget of 1 MiB is too small" in told, told)
    expect("at most 100 columns", max(map(len, told.splitlines())) <= 100, told)


def check_help() -> None:
    listed = patterns("--list").stdout.splitlines()
    expect("--list", [line.split()[0] for line in listed] == NAMES, listed)
    text = patterns("--help").stdout
    for word in ("--only", "--list", "--requests", "--quick", "--chunk-sizes", "--json", "--memory", "Examples:"):
        expect("--help", word in text, word)
    longest = max(text.splitlines() + listed, key=len)
    expect("at most 100 columns", len(longest) <= 100, longest)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        check_traces()
        check_patterns()
        check_chunk_sizes()
        check_complaints()
        check_help()


if __name__ == "__main__":
    main()
