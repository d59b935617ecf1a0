#!/usr/bin/env python3
"""leat-bench replay serves tiny traces as worked by hand, tells what is wrong with others, and explains itself."""

import json
import os
import re
import subprocess
import sys
import tempfile

BENCH = os.environ["LEAT_BENCH"]
POLICIES = "lru fifo clock sieve twoq arc s3fifo s3fifo-e".split()
# A chunk of 64 KiB and one of a file's end; the last request reads two chunks at once.
REQUESTS = """time,object,offset,size,op
0,9,0,4096,R
1,9,8192,4096,R
2,7,65536,1000,R
3,9,65536,131072,R
"""


def replay(*words: str, code: int = 0) -> subprocess.CompletedProcess:
    ended = subprocess.run([BENCH, "replay", *words], capture_output=True, text=True, check=False)
    if ended.returncode != code:
        sys.exit(f"replay {words} ends with {ended.returncode} instead of {code}: {ended.stdout}{ended.stderr}")
    return ended


def expect(what: str, good: bool, shown: object) -> None:
    if not good:
        sys.exit(f"{what}: {shown}")


def write(name: str, text: str) -> None:
    with open(name, "w", encoding="utf-8") as file:
        file.write(text)


def check_objects() -> None:
    write("loop.ids", "".join(f"{1000 + i % 4}\n" for i in range(40)))
    one = replay("loop.ids", "--policy", "lru", "--capacity", "3").stdout
    expect("a loop", "miss ratio 1.0000\n" in one and "40 requests for 4 objects" in one, one)
    one = replay("loop.ids", "--policy", "lru", "--capacity", "4").stdout
    expect("a loop that fits", "miss ratio 0.1000\n" in one, one)
    one = replay("loop.ids", "--policy", "lru", "--capacity", "4", "--count", "second-half").stdout
    expect("its second half", "miss ratio 0.0000\n" in one and "20 requests" in one, one)
    table = replay("loop.ids", "--policy", "all", "--capacity", "3,4").stdout.splitlines()
    expect("a line for each", len(table) == 2 + 2 * len(POLICIES), table)
    rows = {tuple(line.split()[:2]): line.split()[2] for line in table[2:]}
    expect("its ratios", all(rows[name, "4"] == "0.1000" for name in POLICIES), rows)
    expect("as alone", rows["lru", "3"] == "1.0000", rows)


def check_files() -> None:
    write("tiny.io.csv", REQUESTS)
    words = ["tiny.io.csv", "--policy", "lru", "--memory", "1M", "--chunk-size", "64K"]
    one = replay(*words, "--json", "tiny.json", "--read-time", "1ms", "--device-rate", "1G").stdout
    expect("what is asked for", "4 requests for 136.98 KiB of 2 files" in one, one)
    expect("the miss ratio", "\nmiss ratio 0.7500\n" in one, one)
    with open("tiny.json", encoding="utf-8") as file:
        found = json.load(file)
    point = found["points"][0]
    bytes_read = 3 * 65536 + 1000
    for name, value in {"requests": 4, "missed": 3, "loads": 4, "reads": 3, "bytes_read": bytes_read,
                        "bytes_served": 8192 + 1000 + 131072, "chunks": 16, "policy": "lru"}.items():
        expect(f"the JSON's {name}", point[name] == value, point)
    seconds = 3 * 1e-3 + bytes_read / 1e9
    expect("the device's time", abs(point["device_seconds"] - seconds) < 1e-9, point)
    split = replay(*words, "--split", "4K").stdout
    expect("split", "counted: 35 requests" in split and "\nreads: 4, " in split, split)


def check_sweep() -> None:
    swept = replay("--workload", "smallfiles", "--requests", "20000", "--chunk-size", "64K", "--sweep", "--points", "4",
                   "--plot", "sweep.svg", "--json", "sweep.json").stdout
    header = next(line for line in swept.splitlines() if "memory" in line)
    expect("a column for each policy", header.split()[1:9] == POLICIES, swept)
    expect("a recommendation", re.search(r"^recommended: chunks of .* and .* of memory: the device works .*$", swept,
                                         re.MULTILINE), swept)
    with open("sweep.json", encoding="utf-8") as file:
        found = json.load(file)
    expect("its points", len(found["points"]) == 4 * len(POLICIES) and found["recommended"]["memory"] > 0, found)
    with open("sweep.svg", encoding="utf-8") as file:
        expect("its plot", file.read().startswith("<svg"), "no SVG")
    alone = replay("--workload", "smallfiles", "--requests", "20000", "--recommend").stdout
    expect("a recommendation alone", alone.count("\n") == 2 and "\nrecommended: " in alone, alone)
    same = replay("--workload", "smallfiles", "--requests", "20000", "--recommend").stdout
    expect("it repeats", alone == same, same)


def check_real() -> None:
    made = subprocess.run([BENCH, "--create", "sample", "--size", "8M"], capture_output=True, text=True, check=False)
    expect("--create", made.returncode == 0, made.stderr)
    write("big.io.csv", REQUESTS + "4,9,20000000,100,R\n")
    words = ["--memory", "4M", "--chunk-size", "64K", "--real", "sample", "--no-pin"]
    one = replay("tiny.io.csv", *words).stdout
    expect("for real", "for real: sample, 1 client\n" in one, one)
    expect("it loads", re.search("^chunks loaded: [45]$", one, re.MULTILINE), one)
    expect("it waits", re.search(r"^miss ratio (0\.75|1\.00)00$", one, re.MULTILINE) and "wall time: " in one, one)
    expect("it fits", "note: " not in one, one)
    many = replay("big.io.csv", *words, "--clients", "3", "--shards", "2").stdout
    expect("many clients", "3 clients\nnote: the trace's files are more than sample holds" in many, many)
    expect("each is counted", "\ncounted: 5 requests\n" in many, many)


def check_complaints() -> None:
    write("bad.io.csv", REQUESTS + "5,9,abc,1,R\n")
    write("empty.ids", "")
    write("tiny.csv", "1\n")
    for code, words, said in (
        (1, ["bad.io.csv"], 'bad.io.csv:6: "abc" is no offset'),
        (1, ["empty.ids", "--capacity", "1"], "empty.ids: there is no request in it"),
        (3, ["missing.ids", "--capacity", "1"], "missing.ids: No such file"),
        (2, ["tiny.csv"], "is no recording, and else a trace's name is to end in .ids or .io.csv"),
        (2, [], "a trace is needed, or --workload"),
        (2, ["loop.ids"], "--capacity: how many objects fit"),
        (2, ["loop.ids", "--memory", "1M"], "--memory: the objects of an .ids trace have no size"),
        (2, ["tiny.io.csv", "--policy", "lfu"], '"lfu" is no policy: there are lru, fifo, clock'),
        (2, ["--workload", "week"], '"week" is no workload: there are records:N, '),
        (2, ["tiny.io.csv", "--memory", "1M"], "memory of 1 MiB holds no chunk of 10 MiB"),
        (2, ["tiny.io.csv", "--memory", "1M", "--capacity", "7"], "excludes"),
        (2, ["tiny.io.csv", "--seed", "7"], "--seed requires --workload"),
        (2, ["tiny.io.csv", "--shards", "1"], "--shards requires --real"),
        (2, ["tiny.io.csv", "--sweep", "--memory", "1M"], "without --memory"),
        (2, ["tiny.io.csv", "--recommend", "--chunk-size", "1M"], "without --chunk-size"),
        (2, ["tiny.io.csv", "--sweep", "--plot", "a.jpg"], "is to end in .svg or .png"),
        (2, ["tiny.io.csv", "--real", "sample", "--policy", "lru,arc"], "one policy"),
    ):
        ended = replay(*words, code=code)
        expect(f"{words} is told", said in ended.stderr and ended.stderr.startswith("leat-bench: "), ended.stderr)


def check_help() -> None:
    text = replay("--help").stdout
    for word in ("--workload", "--policy", "--sweep", "--recommend", "--real", "--memory", "Examples:", "Traces:",
                 "Exit codes:"):
        expect("--help", word in text, word)
    expect("what is of no use here", "--rounds" not in text and "--against" not in text, text)
    longest = max(text.splitlines(), key=len)
    expect("at most 100 columns", len(longest) <= 100, longest)


def main() -> None:
    # Beside the build: /tmp may be a tmpfs, which knows no direct reads.
    with tempfile.TemporaryDirectory(dir=os.getcwd()) as folder:
        os.chdir(folder)
        check_objects()
        check_files()
        check_sweep()
        check_real()
        check_complaints()
        check_help()


if __name__ == "__main__":
    main()
