#!/usr/bin/env python3
"""Another process holds a lease on the file: who opens it waits, without using the CPU, and may be interrupted."""

import fcntl
import os
import signal
import subprocess
import time

from support.fault import LEAT_CAT, Scratch, check, made_up, skip, wait_for


def hold_lease(path, release_s: float) -> int:
    """A process that gives its lease up so long after it was told to; its number."""
    ready_read, ready_write = os.pipe()
    child = os.fork()
    if child == 0:
        file = os.open(path, os.O_RDWR)

        def told(*_) -> None:
            time.sleep(release_s)
            os._exit(0)  # which gives it up

        signal.signal(signal.SIGIO, told)
        try:
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
            os.write(ready_write, b"y")
        except OSError:
            os.write(ready_write, b"n")
        while True:
            signal.pause()
    held = os.read(ready_read, 1) == b"y"
    os.close(ready_read)
    os.close(ready_write)
    if not held:
        end(child)
        skip("leases cannot be had here")
    return child


def end(child: int) -> None:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def main() -> None:
    with Scratch() as here:
        content = made_up(100_000)
        path = here.file("leased", content)
        for backend in "uring", "thread":
            command = [LEAT_CAT, "--backend", backend, "--memory", "20M", path]
            free = subprocess.run(command, capture_output=True, check=False)
            if free.returncode == 7:
                print(f"{backend} is refused here")
                continue

            holder = hold_lease(path, 1.5)
            with open(here.folder / "out", "wb") as out:
                waiting = here.process(*map(str, command), stdout=out)
            _, status, used = os.wait4(waiting.pid, 0)
            waiting.returncode = os.waitstatus_to_exitcode(status)
            end(holder)
            check(waiting.returncode == 0, f"{backend}: ended with {waiting.returncode}")
            check((here.folder / "out").read_bytes() == content, f"{backend}: other bytes")
            cpu = used.ru_utime + used.ru_stime
            check(cpu < 0.7, f"{backend}: {cpu} s of CPU while it waited for 1.5 s")

            # One that waits obeys.
            holder = hold_lease(path, 30)
            waiting = here.process(*map(str, command), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(0.5)
            check(waiting.poll() is None, f"{backend}: did not wait for the lease")
            waiting.send_signal(signal.SIGINT)
            wait_for(lambda: waiting.poll() is not None, f"the end of one that waits for a lease, {backend}")
            end(holder)


main()
