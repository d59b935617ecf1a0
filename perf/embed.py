#!/usr/bin/env python3
"""usage: embed.py TEXT HEADER: writes a header that holds the text as leat::perf::NAME_text."""

import pathlib
import sys

source, header = map(pathlib.Path, sys.argv[1:])
header.write_text(
    "#pragma once\n\n#include <string_view>\n\nnamespace leat::perf {\n"
    f'inline constexpr std::string_view {source.stem}_text = R"embedded({source.read_text()})embedded";\n'
    "}  // namespace leat::perf\n"
)
