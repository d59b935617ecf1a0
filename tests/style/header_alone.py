#!/usr/bin/env python3
"""Writes a source that includes one header and nothing else.

usage: header_alone.py HEADER SOURCE
"""

import pathlib
import sys

header, source = map(pathlib.Path, sys.argv[1:])
# Twice, as the first inclusion must not declare anything that a second one repeats.
source.write_text(f'#include "{header.resolve()}"\n' * 2)
