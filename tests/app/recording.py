#!/usr/bin/env python3
"""leat-cat records its requests, and leat-bench replay serves them again."""

import json
import os
import subprocess
import sys
import tempfile

CAT = os.environ["LEAT_CAT"]
BENCH = os.environ.get("LEAT_BENCH")
CHUNKS = 19


def run(*words: str, code: int = 0) -> subprocess.CompletedProcess:
    ended = subprocess.run(words, capture_output=True, check=False)
    if ended.returncode != code:
        sys.exit(f"{words} ends with {ended.returncode} instead of {code}: {ended.stderr}")
    return ended


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        with open("film", "wb") as file:
            file.write(os.urandom(CHUNKS * 65536))
        small = ["--memory", "1M", "--chunk-size", "64K"]
        told = json.loads(run(CAT, *small, "--stats=json", "--record", "a.rec", "film").stderr)["recorded"]
        if told != {"requests": CHUNKS, "lost": 0, "bytes": os.path.getsize("a.rec")}:
            sys.exit(f"recorded: {told}")
        refused = run(CAT, "--record", "absent/a.rec", "film", code=3).stderr
        if b"absent/a.rec" not in refused:
            sys.exit(f"a file that cannot be made: {refused}")
        if BENCH is None:
            return
        said = run(BENCH, "replay", "a.rec", *small, "--policy", "lru").stdout.decode()
        for words in (f"{CHUNKS} requests for 1.19 MiB of 1 file", "recorded: hit ratio 0.", "\nmiss ratio 1.0000\n"):
            if words not in said:
                sys.exit(f"no {words!r} in {said}")
        run(BENCH, "replay", "a.rec", "--recommend")
        run(BENCH, "replay", "a.rec", "--sweep", "--points", "3")
        run(BENCH, "replay", "a.rec", "--real", "film", *small)


if __name__ == "__main__":
    main()
