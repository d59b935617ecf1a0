#!/usr/bin/env python3
"""usage: embed.py TEXT HEADER NAMESPACE: writes a header that holds the text as NAMESPACE::NAME_text."""

import pathlib
import sys

source, header = map(pathlib.Path, sys.argv[1:3])
header.write_text(
    f"#pragma once\n\n#include <string_view>\n\nnamespace {sys.argv[3]} {{\n"
    f'inline constexpr std::string_view {source.stem}_text = R"embedded({source.read_text()})embedded";\n'
    "}\n"
)
