#!/usr/bin/env python3
"""Prints the files that match the given glob patterns, sorted and relative to a folder.

usage: list_files.py FOLDER PATTERN...
"""

import pathlib
import sys


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    found = {path for pattern in sys.argv[2:] for path in folder.glob(pattern)}
    for path in sorted(found):
        print(path.relative_to(folder).as_posix())


main()
