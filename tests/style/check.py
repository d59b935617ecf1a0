#!/usr/bin/env python3
"""Checks the project's style where no compiler does.

usage: check.py SOURCE_FOLDER [BUILD_FOLDER]

Prints one line a finding, FILE:LINE: what is wrong, and ends with 1 if there is any. Given a build folder it also
checks that every C++ source is part of that build.
"""

import json
import pathlib
import re
import sys

COLUMNS = 100
CODE_FOLDERS = ("io", "engine", "cache", "apps", "perf", "tests")
CODE_ENDINGS = (".cpp", ".hpp")
SCRIPT_ENDINGS = (".py", ".sh")
BUILD_NAMES = ("meson.build", "meson_options.txt")

# What each folder may include by <leat/...>: itself and what lies below it.
LAYERS = {
    "io": ("io", "version"),
    "engine": ("io", "engine", "version"),
}

# Pattern in code without comments and literals; what to say.
FORBIDDEN_CODE = [
    (re.compile(r"\busing\s+namespace\s+std\s*;"), "using namespace std"),
    (re.compile(r"#\s*include\s*<(format|expected)>"), "this header is absent or empty in C++20 mode"),
    (re.compile(r"\bauto\s*&{0,2}\s*\[[^\]]*\]\s*=\s*co_await\b"),
     "structured binding of a co_await: name the result first (docs/coroutines.md)"),
]

# Names in the code of the libraries for which docs/design.md, Words, has another; which.
OTHER_WORDS = {
    "extension": r"set_guest|move_in",
    "version": r"identity|identity_of",
}

# Pattern in whole lines, comments included.
FORBIDDEN_TEXT = [
    (re.compile(r"\b(TODO|FIXME|XXX|HACK)\b"), "a note of unfinished work"),
    (re.compile(r"\b(issue|task|ticket|part)\s+#?\d+\b", re.IGNORECASE), "the number of an issue or task"),
    (re.compile(r"(^|\s)#\d+\b"), "the number of an issue or task"),
]

CONTROL = re.compile(r"\s*(else\s+)?(if|while|for|switch)\s*(constexpr\s*)?\(")
CONDITION = re.compile(r"\b(if|while|switch)\s*(constexpr\s*)?\(")
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')
LITERAL = re.compile(
    r'R"(?P<mark>[^()\\\s]{0,16})\((?s:.*?)\)(?P=mark)"'  # raw strings
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-zA-Z_])'(?:\\.|[^'\\\n])+'"  # characters, not the separators of digits
    r"|//[^\n]*"
    r"|/\*(?s:.*?)\*/"
)


def blank(match: re.Match) -> str:
    return re.sub(r"[^\n]", " ", match.group())


def code_only(text: str) -> str:
    """The text with comments and literals blanked, lines and columns kept."""
    return LITERAL.sub(blank, text)


def line_of(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def condition_end(code: str, start: int) -> int:
    """The position after the parenthesis that closes the one before start."""
    depth = 1
    for position in range(start, len(code)):
        if code[position] == "(":
            depth += 1
        elif code[position] == ")":
            depth -= 1
            if depth == 0:
                return position
    return len(code)


def co_await_in_conditions(code: str):
    for match in CONDITION.finditer(code):
        condition = code[match.end() : condition_end(code, match.end())]
        if re.search(r"(?<!operator )\bco_(await|yield)\b", condition):
            yield line_of(code, match.start()), (
                f"co_await in the condition of {match.group(1)}: name the result first, "
                "GCC 12 drops or garbles the body without a warning"
            )


def statement_around(code: str, position: int) -> tuple[int, int]:
    """Where the statement begins and ends that contains this position, without the condition that it may hang on."""
    start = max(code.rfind(mark, 0, position) for mark in ";{}") + 1
    control = CONTROL.match(code, start)
    while control:  # its own full expression
        start = condition_end(code, control.end()) + 1
        control = CONTROL.match(code, start)
    depth = 0
    for end in range(position, len(code)):
        if code[end] in "([{":
            depth += 1
        elif code[end] in ")]}":
            depth -= 1
        if depth <= 0 and code[end] == ";":
            return start, end
    return start, len(code)


def without_bodies(code: str) -> str:
    """The code with groups in braces that hold statements, such as the bodies of lambdas, blanked."""
    kept = list(code)
    opened = []
    for position, letter in enumerate(code):
        if letter == "{":
            opened.append(position)
        elif letter == "}" and opened:
            first = opened.pop()
            if ";" in code[first:position]:
                kept[first : position + 1] = " " * (position + 1 - first)
    return "".join(kept)


def conditionals_in_awaited_calls(code: str):
    for match in re.finditer(r"(?<!operator )\bco_await\b", code):
        start, end = statement_around(code, match.start())
        depth = 0
        for letter in without_bodies(code[start:end]):
            if letter in "([{":
                depth += 1
            elif letter in ")]}":
                depth -= 1
            elif letter == "?" and depth > 0:
                yield line_of(code, match.start()), (
                    "a conditional operator among the arguments of an awaited call: name its value first, "
                    "GCC 12 destroys the temporary twice (docs/coroutines.md)"
                )
                break


def other_words(path: pathlib.PurePosixPath, code: str):
    if path.parts[0] not in ("io", "engine", "cache"):
        return
    for word, others in OTHER_WORDS.items():
        for match in re.finditer(rf"\b({others})\b", code):
            yield line_of(code, match.start()), f"{match.group()}: the word is {word} (docs/design.md, Words)"


def may_include(path: pathlib.PurePosixPath, header: str) -> str | None:
    """What is wrong with this file including this header, if anything."""
    top = path.parts[0]
    if header.startswith("leat/"):
        component = header.split("/")[1].removesuffix(".hpp")
        if top in LAYERS and component not in LAYERS[top]:
            return f"{top} must not include <{header}>: the direction is io, engine, cache, apps"
    if header.startswith("liburing") and top not in ("io", "perf") and "unit/io" not in str(path):
        return "only io (and perf, which measures raw rings) includes liburing"
    if top == "apps" and re.match(r"leat/.*\bdetail/", header):
        return f"<{header}> is leat's own: programs use the public headers"
    if re.match(r"boost/(asio|beast)\b", header) and top in ("io", "engine", "cache"):
        if "asio" not in str(path.relative_to(top)):
            return "Asio is included by <leat/asio.hpp> and its parts only"
    if header.startswith(("apps/", "tests/", "perf/")) or header.startswith("../"):
        return "no include by a path through other folders"
    return None


def check_code(path: pathlib.PurePosixPath, text: str):
    code = code_only(text)
    for number, line in enumerate(text.splitlines(), 1):
        include = INCLUDE.match(line)
        fault = include and may_include(path, include.group(1))
        if fault:
            yield number, fault
    for pattern, message in FORBIDDEN_CODE:
        for match in pattern.finditer(code):
            yield line_of(code, match.start()), message
    if path.name != "compiler_test.cpp":
        yield from co_await_in_conditions(code)
        yield from conditionals_in_awaited_calls(code)
    yield from other_words(path, code)
    yield from cases_outside_of_the_suite(path, code)
    if not text.startswith("// "):
        yield 1, "the first line says what the file is for: // ..."
    # A precompiled header is compiled as a main file, where GCC warns of the pragma.
    if path.suffix == ".hpp" and path.parent.name != "precompiled":
        if not re.search(r"^#pragma once$", text, re.MULTILINE):
            yield 1, "a header without #pragma once"


def cases_outside_of_the_suite(path: pathlib.PurePosixPath, code: str):
    """Unit tests that share a program are run by their suites, which bear their files' names."""
    if path.parts[:2] != ("tests", "unit") or not path.name.endswith("_test.cpp") or path.parent.name == "alone":
        return
    depth = 0
    for match in re.finditer(r"\bBOOST_(AUTO_TEST_SUITE|AUTO_TEST_SUITE_END|\w*TEST_CASE)\b\(\s*(\w*)", code):
        if match.group(1) == "AUTO_TEST_SUITE_END":
            depth -= 1
        elif match.group(1) != "AUTO_TEST_SUITE":
            if depth == 0:
                yield line_of(code, match.start()), f"a case outside of the suite {path.stem}: nothing runs it"
        else:
            if depth == 0 and match.group(2) != path.stem:
                yield line_of(code, match.start()), f"a suite that is not {path.stem}: nothing runs it"
            depth += 1


def check_lines(path: pathlib.PurePosixPath, text: str):
    columns = COLUMNS if path.suffix in CODE_ENDINGS else 120
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > columns:
            yield number, f"{len(line)} columns, of {columns}"
        if "\t" in line:
            yield number, "a tab"
        if line != line.rstrip():
            yield number, "white space at the end of the line"
        for pattern, message in FORBIDDEN_TEXT:
            # A shell's or a preprocessor's # is no number.
            if pattern.search(line):
                yield number, message
    if text and not text.endswith("\n"):
        yield len(text.splitlines()), "no newline at the end of the file"


def check_text(path: str, text: str) -> list[tuple[int, str]]:
    """All findings in one file, as line and message."""
    pure = pathlib.PurePosixPath(path)
    findings = list(check_lines(pure, text))
    if pure.suffix in CODE_ENDINGS:
        findings += check_code(pure, text)
    return sorted(set(findings))


def checked_files(source: pathlib.Path):
    wanted = CODE_ENDINGS + SCRIPT_ENDINGS
    for folder in CODE_FOLDERS:
        for path in sorted((source / folder).rglob("*")):
            if path.is_file() and (path.suffix in wanted or path.name in BUILD_NAMES):
                # These two spell out what is forbidden.
                if path.parent.name != "style" or path.name not in ("check.py", "check_test.py"):
                    yield path
    for name in (*BUILD_NAMES, "dev", ".ci/run"):
        if (source / name).is_file():
            yield source / name


def built_sources(build: pathlib.Path) -> set[pathlib.Path]:
    commands = json.loads((build / "compile_commands.json").read_text())
    built = {(pathlib.Path(entry["directory"]) / entry["file"]).resolve() for entry in commands}
    # Where sources are compiled several at once it is what their common one includes.
    for common in [path for path in built if re.search(r"-unity\d+\.cpp$", path.name)]:
        names = re.findall(r"^#include<(.*)>$", common.read_text(), re.MULTILINE)
        built |= {(build / name).resolve() for name in names}
    return built


def check_build(source: pathlib.Path, build: pathlib.Path):
    """Every C++ source belongs to the build, if the build has any source of its folder."""
    built = built_sources(build)
    built_folders = {path.relative_to(source).parts[0] for path in built if source in path.parents}
    for folder in CODE_FOLDERS:
        if folder not in built_folders:
            continue  # switched off, as apps and perf can be
        for path in sorted((source / folder).rglob("*.cpp")):
            # The install test builds its own; the fuzzers need a build of theirs.
            elsewhere = path.parent in (source / "tests/install", source / "tests/fuzz")
            if path.resolve() not in built and not elsewhere:
                yield path, 1, "not part of the build: name it in meson.build, or run meson setup --reconfigure"


def purpose_of(text: str) -> str:
    """The first sentence of the comment that a file begins with."""
    comment = re.match(r"(//[^\n]*\n)+", text)
    words = " ".join(line[2:].strip() for line in comment.group().splitlines()) if comment else ""
    sentence = re.match(r".*?[.:](?= |$)", words)
    return sentence.group() if sentence else words


def check_readmes(source: pathlib.Path):
    """The READMEs of the libraries and of the programs have a line for every file, and it is the file's first."""
    for folder in ("io", "engine", "cache", "apps"):
        readme = source / folder / "README.md"
        text = readme.read_text()
        for path in sorted((source / folder).rglob("*.[ch]pp")):
            include = path.relative_to(source).as_posix().partition("include/")[2]
            name = f"`<{include}>`" if include else f"`{path.name}`"
            if name not in text:
                yield readme, 1, f"no line for {name}"
                continue
            # Programs have files of one name.
            lines = [" ".join(after.split()) for after in text.split(name)[1:]]
            purpose = purpose_of(path.read_text())
            if not any(line.startswith(purpose) for line in lines):
                yield readme, 1, f"says something else of {path.relative_to(source)} than its first line"


FAULT = re.compile(r"^const char\* (?:\w+::)*(fault\w*)\(.*?^}", re.MULTILINE | re.DOTALL)
SENTENCE = re.compile(r'return\s+((?:"[^"]*"\s*)+);|\bwrong =\s*((?:"[^"]*"\s*)+);')


def joined(literals: str) -> str:
    """What adjacent literals say together."""
    return "".join(re.findall(r'"([^"]*)"', literals))


def fault_sentences(text: str):
    """The line and the text of each sentence that a function fault() gives."""
    for function in FAULT.finditer(text):
        for sentence in SENTENCE.finditer(function.group()):
            position = function.start() + sentence.start()
            yield line_of(text, position), joined(sentence.group(1) or sentence.group(2))


def check_invariants(source: pathlib.Path):
    """Invariants are tested by a function fault(), and for each of its sentences a unit test breaks one."""
    tests = "".join(path.read_text() for path in sorted((source / "tests/unit").rglob("*.cpp")))
    tested = {joined(literals.group()) for literals in re.finditer(r'"[^"\n]*"(\s*"[^"\n]*")*', tests)}
    for folder in ("io", "engine", "cache"):
        for path in sorted((source / folder).rglob("*.[ch]pp")):
            text = path.read_text()
            if re.search(r"^ *///? .*\bInvariants?:", text, re.MULTILINE) and "fault" not in code_only(text):
                yield path, 1, "invariants are listed, but no fault() tests them"
            for line, sentence in fault_sentences(text):
                if sentence not in tested:
                    yield path, line, f'no unit test breaks this invariant: "{sentence}"'


def check_glossary(source: pathlib.Path):
    """Each word of the glossary is one of the sources'."""
    page = source / "docs/design.md"
    text = page.read_text()
    words = text[text.index("## Words") : text.index("## Layers")]
    code = "".join(
        code_only(path.read_text())
        for folder in ("io", "engine", "cache")
        for path in sorted((source / folder).rglob("*.[ch]pp"))
    )
    for match in re.finditer(r"\*\*([^*]+)\*\*", words):
        if match.group(1).replace(" ", "_") not in code:
            yield page, line_of(text, text.index(match.group())), f"no source uses this word: {match.group(1)}"


def check_version(source: pathlib.Path):
    """The version stands in three places: they must agree."""
    version = re.search(r"version: '([^']+)'", (source / "meson.build").read_text()).group(1)
    header = source / "io/include/leat/version.hpp"
    if f'#define LEAT_VERSION "{version}"' not in header.read_text():
        yield header, 1, f"not the version in meson.build, {version}"
    changes = source / "CHANGELOG.md"
    if f"## {version}" not in changes.read_text():
        yield changes, 1, f"no section for the version in meson.build, {version}"


def main() -> int:
    source = pathlib.Path(sys.argv[1]).resolve()
    findings = []
    for path in checked_files(source):
        relative = path.relative_to(source).as_posix()
        findings += [(path, *finding) for finding in check_text(relative, path.read_text())]
    findings += check_version(source)
    findings += check_readmes(source)
    findings += check_invariants(source)
    findings += check_glossary(source)
    if len(sys.argv) > 2:
        findings += check_build(source, pathlib.Path(sys.argv[2]).resolve())
    for path, line, message in findings:
        print(f"{path.relative_to(source)}:{line}: {message}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
