#!/usr/bin/env python3
"""Makes a source of the examples in headers' reference comments, so that the compiler sees them.

usage: comment_examples.py NAMES SOURCE HEADER...

An example is what a reference comment indents by four columns more than its text:

    /// Sums up.
    ///
    ///     const int sum = add(1, 2);

Functions, classes and aliases go into the source as they are, and statements into a coroutine, where co_await is
allowed. NAMES is a header that declares what examples refer to without declaring it themselves.
"""

import pathlib
import re
import sys

EXAMPLE = re.compile(r"^\s*///     (.*)$")
COMMENT = re.compile(r"^\s*///")
BLANK = re.compile(r"^\s*///\s*$")
STATEMENT = re.compile(r"(if|for|while|switch|do|try|return|co_\w+|else)\b")
DEFINITION = re.compile(
    r"(template|struct|class|enum|using|namespace|inline)\b|#"
    r"|[\w:<>,&* ]+ \w+\(.*\)( const)?( noexcept)? \{$"
)


def examples(text: str) -> list[list[tuple[int, str]]]:
    """The examples of a header: of each its lines, as number and code."""
    found: list[list[tuple[int, str]]] = []
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        example = EXAMPLE.match(line)
        if example:
            if not inside:
                found.append([])
            found[-1].append((number, example.group(1)))
        # A blank line does not end an example, if more of it follows.
        inside = bool(example) or (inside and bool(BLANK.match(line)))
    return found


def parts(lines: list[tuple[int, str]]):
    """The definitions and the statements of an example, each as whether it is a definition and its lines."""
    rest = list(lines)
    while rest:
        code = rest[0][1]
        defines = bool(DEFINITION.match(code)) and not STATEMENT.match(code)
        size = 1
        if defines and not code.rstrip().endswith(";") and not code.startswith("#"):
            while size < len(rest) and not rest[size - 1][1].startswith("}"):
                size += 1
        yield defines, rest[:size]
        del rest[:size]


def source_of(header: pathlib.Path) -> list[str]:
    made = []

    def write(lines):
        expected = None
        for number, code in lines:
            if number != expected:
                made.append(f'#line {number} "{header.resolve()}"')
            made.append(code)
            expected = number + 1

    for count, example in enumerate(examples(header.read_text()), 1):
        statements = []
        made.append(f"namespace example_{count} {{")
        made.append("using namespace example;")
        for defines, lines in parts(example):
            if defines:
                write(lines)
            else:
                statements += lines
        if statements:
            made.append("leat::task<> run() {")
            write(statements)
            made.extend(["co_return;", "}"])
        made.append("}")
    return made


def main() -> None:
    names, source, *headers = sys.argv[1:]
    paths = [pathlib.Path(header) for header in headers]
    made = [f'#include "{path.resolve()}"' for path in paths] + [f'#include "{names}"']
    for count, path in enumerate(paths, 1):
        made += [f"namespace header_{count} {{", *source_of(path), "}"]
    pathlib.Path(source).write_text("\n".join(made) + "\n")


if __name__ == "__main__":
    main()
