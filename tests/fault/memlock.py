#!/usr/bin/env python3
"""Registered buffers are refused, as an ordinary user's limit of locked memory does: the same bytes by plain ones,
counted, and said once to who listens."""

import json
import os
import shutil

from support.fault import MiB, Scratch, cat, check, made_up, silently, skip

LIMITED = ("capsh", "--drop=cap_ipc_lock", "--", "-c", 'ulimit -l 8192 && exec "$0" "$@"')
REGISTER = "io_uring_register"
REFUSED = ("strace", "-f", "-o", "trace", "-e", f"trace={REGISTER}", "-e", f"inject={REGISTER}:error=ENOMEM")


def check_plain_buffers(here: Scratch, what: str, under: tuple) -> None:
    content = made_up(25 * MiB + 333)
    path = here.file("data", content)
    ended = cat("--memory", "64M", "--backend", "uring", "--stats=json", path, under=under)
    check(ended.returncode == 0 and ended.stdout == content, f"{what}: {ended.stderr}")
    buffers = json.loads(ended.stderr)["buffers"]
    check(buffers["registered_bytes"] == 0 and buffers["registration_failures"] == 1, f"{what}: {buffers}")
    for options in (["--backend", "thread"], ["--shards", "2", "--no-pin"]):
        ended = cat("--memory", "64M", *options, path, under=under)
        check(ended.returncode == 0 and ended.stdout == content, f"{what} {options}: {ended.stderr}")
        check(ended.stderr == b"", ended.stderr)

    probe = here.probe("--backend", "uring", "--shards", 2, "--memory", "64M", under=under)
    check(probe.open("f", path).ok, what)
    for offset in range(0, len(content), MiB):
        probe.get("f", offset, 100).has(content[offset : offset + 100])
    said = [event for event in probe.events if "buffers cannot be registered" in event]
    check(len(said) == 1, f"{what}: not said once: {probe.events}")
    probe.finish()


def main() -> None:
    ways = {}
    if os.geteuid() != 0:
        ways["a limit of 8 MiB"] = ("prlimit", "--memlock=8388608:8388608")
    elif shutil.which("capsh") and silently(*LIMITED, "true"):
        ways["a limit of 8 MiB"] = LIMITED
    if shutil.which("strace") and silently("strace", "-o", "/dev/null", "true"):
        ways["a refusing kernel"] = REFUSED
    if not ways:
        skip("there is neither capsh nor strace, or they may not be used here")
    with Scratch() as here:
        os.chdir(here.folder)
        if cat("--backend", "uring", "--memory", "20M", here.file("any", b"bytes")).returncode != 0:
            skip("io_uring is refused here")
        for what, under in ways.items():
            check_plain_buffers(here, what, under)


main()
