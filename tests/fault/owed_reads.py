#!/usr/bin/env python3
"""A device that does not answer in time: stopping ends within its limit and names what is owed; so do exits."""

import signal
import subprocess

from support.fault import LEAT_CAT, PATIENCE_S, KiB, MiB, Scratch, check, made_up, wait_for

CHUNK = 64 * KiB
DELAY_MS = 800


def main() -> None:
    with Scratch() as here:
        log = here.file("reads", b"")
        image = here.file("image", made_up(2 * MiB))
        arguments = (f"delay-read={DELAY_MS}ms", f"logfile={log}")
        disk = here.nbd("--filter=log", "--filter=delay", "file", image, *arguments)

        def reads() -> int:
            return log.read_text().count(" Read ")

        for backend in ("uring", "thread"):
            options = ("--backend", backend, "--chunk-size", CHUNK, "--memory", 8 * CHUNK)
            options += ("--stop-timeout", "100ms")
            begun = reads()
            probe = here.probe(*options)
            check(probe.open("f", disk).ok, "the disk was to open")
            waiting = probe.ask("get", "f", 10 * CHUNK, 4096)
            wait_for(lambda: reads() > begun, "the read to begin")
            stopped = probe.answer(probe.ask("stop"))
            check(stopped.words[0] != "0", f"nothing was owed: {stopped.line}")
            check("shard 0: " in stopped.line and "read" in stopped.line, stopped.line)
            check(any("gave up waiting" in event for event in probe.events), probe.events)
            check(not probe.answered(waiting), "the read was not over")

            # A process that ends in the middle of a read just ends.
            begun = reads()
            probe = here.probe(*options)
            probe.open("f", disk)
            probe.ask("get", "f", 20 * CHUNK, 4096)
            wait_for(lambda: reads() > begun, "the read to begin")
            probe.ask("exit")
            check(probe.process.wait(PATIENCE_S) == 0, "the exit was to succeed")

            begun = reads()
            pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
            reader = here.process(LEAT_CAT, *map(str, options), str(disk), **pipes)
            wait_for(lambda: reads() > begun, "the read to begin")
            reader.send_signal(signal.SIGINT)
            said = reader.communicate(timeout=PATIENCE_S)[1].decode()
            check(reader.returncode == -signal.SIGINT, f"leat-cat ended with {reader.returncode}")
            check("gave up waiting" in said, said)


main()
