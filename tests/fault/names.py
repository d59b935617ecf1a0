#!/usr/bin/env python3
"""No name leads out of a root: not by .., links, links of /proc, a NUL, or a folder that becomes a link."""

import errno
import os

from support.fault import Meddler, Probe, Scratch, check

OUTSIDE = b"this must not be seen"
INSIDE = b"this may be seen"


def make_tree(here: Scratch) -> None:
    root = here.make_folder("root")
    (here.folder / "outside").write_bytes(OUTSIDE)
    (root / "inner").mkdir()
    for name in ("inside", "inner/inside", "...", "..a", "two\nlines", " ", "-", "~", "%2e%2e"):
        (root / name).write_bytes(INSIDE)
    with open(os.fsencode(root) + b"/no \xff utf-8", "wb") as file:
        file.write(INSIDE)
    for link, target in (
        ("staying", "inside"),
        ("inner/up", "../inside"),
        ("here", "."),
        ("leaving", "../outside"),
        ("absolute", str(here.folder / "outside")),
        ("own", str(root / "inside")),
        ("parent", ".."),
        ("chain", "inner/../parent"),
        ("magic", "/proc/self/root"),
        ("loop", "loop"),
        ("nowhere", "missing"),
    ):
        (root / link).symlink_to(target)


def check_corpus(probe: Probe, outside: str) -> None:
    good = ["inside", "./inside", "inner/../inside", "inner//inside", "staying", "inner/up", "here/here/inside"]
    good += ["...", "..a", "two\nlines", " ", "-", "~", "%2e%2e", b"no \xff utf-8"]
    for name in good:
        opened = probe.open("f", name)
        check(opened.ok, f"{name!r}: {opened.line}")
        probe.get("f", 0, len(INSIDE)).has(INSIDE)
    leaving = ["../outside", "inner/../../outside", "./../outside", ".././../outside", "..//outside", "../root/inside"]
    leaving += [outside, "/" + outside, "leaving", "absolute", "own", "parent/outside", "chain/outside"]
    leaving += ["magic", "magic/etc/passwd", "/proc/self/fd/0", "..", "/", "here/../../outside"]
    for number, names in (
        (errno.EXDEV, leaving),
        (errno.ELOOP, ["loop"]),
        (errno.ENOENT, ["", "missing", "nowhere", "inner/missing", "inside\n"]),
        (errno.ENOTDIR, ["inside/", "inside/..", "inside/../../outside"]),
        (errno.EISDIR, [".", "inner", "inner/", "here"]),
        (errno.EINVAL, ["inside\0", "\0", "inside\0/../../outside", "../outside\0", "inner\0/inside"]),
        (errno.ENAMETOOLONG, ["x" * 256, "x/" * 3000, "../" * 2000]),
    ):
        for name in names:
            answer = probe.open("f", name)
            check(not answer.ok, f"{name!r} was opened")
            answer.fails_with(number)


def check_magic_links(here: Scratch, backend: str) -> None:
    with open(here.folder / "outside", "rb"):  # for /proc/self/fd of who looks there
        probe = here.probe("--backend", backend, "--memory", "20M", "--root", "/proc")
        for name in ("self/exe", "self/root/etc/passwd", "self/cwd/probe", "self/fd/0", "thread-self/fd/0"):
            probe.open("f", name).fails_with(errno.ELOOP)
        probe.end()


def check_race(here: Scratch, probe: Probe) -> None:
    """inner/ becomes a link that leads out, and a folder again."""
    root = here.folder / "root"
    (here.folder / "away").mkdir(exist_ok=True)
    (here.folder / "away" / "inside").write_bytes(OUTSIDE)
    (root / "trap").symlink_to("../away")

    def swap(_) -> None:
        os.rename(root / "inner", root / "aside")
        os.rename(root / "trap", root / "inner")
        os.rename(root / "inner", root / "trap")
        os.rename(root / "aside", root / "inner")

    refused = 0
    with Meddler(swap):
        for _ in range(300):
            answer = probe.open("f", "inner/inside")
            if answer.ok:
                probe.get("f", 0, len(INSIDE)).has(INSIDE)
            else:
                check(answer.code in (errno.EXDEV, errno.ENOENT, errno.EAGAIN), answer.line)
                refused += 1
    check(refused > 0, "the race was never met")
    (root / "trap").unlink()


def main() -> None:
    with Scratch() as here:
        make_tree(here)
        for backend in ("auto", "thread"):
            probe = here.probe("--backend", backend, "--memory", "20M", "--root", here.folder / "root")
            check_corpus(probe, str(here.folder / "outside"))
            check_race(here, probe)
            probe.finish()
            check_magic_links(here, backend)


main()
