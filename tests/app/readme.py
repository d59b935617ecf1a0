#!/usr/bin/env python3
"""The README's example is apps/examples/first_page.cpp, so it compiles and runs."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main() -> int:
    readme = (ROOT / "README.md").read_text()
    example = (ROOT / "apps/examples/first_page.cpp").read_text()
    blocks = re.findall(r"^```cpp\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    if example in blocks:
        return 0
    print("README.md shows another example than apps/examples/first_page.cpp")
    return 1


sys.exit(main())
