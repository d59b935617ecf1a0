"""What the scripts here share: a scratch folder, things that fail on demand, fault-probe, and what to expect of it.

Everything is undone at the end, whatever ends the script: signals become exits, and exits undo.
"""

import contextlib
import errno
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zlib

LEAT_CAT = os.environ["LEAT_CAT"]
PROBE = os.environ["FAULT_PROBE"]
PATIENCE_S = 40  # below the test's own limit, so that what was waited for is told
KiB = 1024
MiB = 1024 * KiB


def skip(reason: str) -> None:
    print(f"skipped: {reason}")
    sys.exit(77)


def need(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            skip(f"there is no {program}")


def need_root(why: str) -> None:
    if os.geteuid() != 0:
        skip(f"only root {why}")


def check(good: bool, what: object) -> None:
    if not good:
        raise AssertionError(what)


def wait_for(ready, what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not ready():
        check(time.monotonic() < end, f"waited in vain for {what}")
        time.sleep(0.005)


def made_up(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def silently(*command: str) -> bool:
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0


class Scratch(contextlib.ExitStack):
    """A folder of its own, and all that is to be undone at the end."""

    def __enter__(self):
        super().__enter__()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: sys.exit(1))
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="fault-test.", dir=os.getcwd()))
        self.callback(shutil.rmtree, self.folder, ignore_errors=True)
        return self

    def file(self, name: str, content: bytes) -> pathlib.Path:
        path = self.folder / name
        path.write_bytes(content)
        # On the disk: dirty pages would be written in the middle of a test.
        with open(path, "rb") as written:
            os.fsync(written.fileno())
        return path

    def make_folder(self, name: str) -> pathlib.Path:
        path = self.folder / name
        path.mkdir()
        return path

    def probe(self, *options: str, under=()) -> "Probe":
        return self.enter_context(Probe(*options, under=under))

    def process(self, *command: str, **how) -> subprocess.Popen:
        started = subprocess.Popen(command, **how)
        self.callback(end_process, started)
        return started

    def loop_device(self, image: pathlib.Path) -> str:
        need_root("makes loop devices")
        need("losetup")
        made = subprocess.run(["losetup", "--find", "--show", image], capture_output=True, text=True, check=False)
        if made.returncode != 0:
            skip(f"no loop device can be had here: {made.stderr.strip()}")
        device = made.stdout.strip()
        self.callback(silently, "losetup", "--detach", device)
        return device

    def mount(self, kind: str, what: str, *options: str) -> pathlib.Path:
        need_root("mounts file systems")
        where = self.make_folder(f"mounted-{kind}")
        done = subprocess.run(["mount", "-t", kind, *options, what, where], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            skip(f"no {kind} can be mounted here: {done.stderr.strip()}")
        self.callback(silently, "umount", "--lazy", where)
        return where

    def nbd(self, *nbdkit: object) -> pathlib.Path:
        """A file whose reads nbdkit serves as it is told to."""
        need("nbdkit", "nbdfuse", "fusermount3")
        if not os.access("/dev/fuse", os.R_OK | os.W_OK):
            skip("/dev/fuse cannot be used here")
        where = self.make_folder("nbd")
        command = ["nbdfuse", "-r", where / "disk", "[", "nbdkit", "--exit-with-parent", *map(str, nbdkit), "]"]
        with open(self.folder / "nbd.log", "wb") as log:
            serving = self.process(*map(str, command), stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.callback(silently, "fusermount3", "-u", "-z", str(where))
        path = where / "disk"
        wait_for(lambda: serving.poll() is not None or path.exists(), "nbdfuse")
        if serving.poll() is not None:
            skip(f"nbdfuse does not run here: {(self.folder / 'nbd.log').read_text().strip()}")
        return path


def end_process(process: subprocess.Popen) -> None:
    process.kill()
    process.wait()


class Answer:
    """What fault-probe said to one request."""

    def __init__(self, line: str) -> None:
        outcome, _, rest = line.partition(" ")
        self.line = line
        self.ok = outcome == "ok"
        self.words = rest.split()
        self.category, self.code = (None, 0) if self.ok else (self.words[0], int(self.words[1]))

    def fails_with(self, number: int) -> None:
        check(self.category == "system" and self.code == number, f"not {errno.errorcode[number]}: {self.line}")

    def fails_as(self, sentence: str) -> None:
        check(self.category == "leat" and sentence in self.line, f'not "{sentence}": {self.line}')

    def has(self, content: bytes) -> None:
        wanted = [str(len(content)), str(zlib.crc32(content))]
        check(self.ok and self.words == wanted, f"not the {len(content)} bytes wanted: {self.line}")


class Probe:
    """fault-probe, started; requests may overlap."""

    def __init__(self, *options: str, under=()) -> None:
        command = [*under, PROBE, *map(str, options)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.process = subprocess.Popen(command, text=True, errors="replace", bufsize=1, **pipes)
        self.changed = threading.Condition()
        self.answers = {}
        self.events = []
        self.ready = False
        self.frames = None  # coroutine frames that are left at the end
        self.over = False
        self.tags = 0
        self.reader = threading.Thread(target=self.read_answers, daemon=True)
        self.reader.start()

    def __enter__(self):
        self.wait(lambda: self.ready or self.over, "fault-probe")
        return self

    def __exit__(self, *_) -> None:
        end_process(self.process)
        self.reader.join()

    def read_answers(self) -> None:
        for line in self.process.stdout:
            first, _, rest = line.rstrip("\n").partition(" ")
            with self.changed:
                if first == "ready":
                    self.ready = True
                elif first == "event":
                    self.events.append(rest)
                elif first == "end":
                    self.frames = int(rest)
                else:
                    self.answers[int(first)] = Answer(rest)
                self.changed.notify_all()
        with self.changed:
            self.over = True
            self.changed.notify_all()

    def wait(self, ready, what: object) -> None:
        with self.changed:
            check(self.changed.wait_for(ready, PATIENCE_S), f"waited in vain for {what}")

    def ask(self, verb: str, *words: object) -> int:
        """Sends a request and returns its tag."""
        self.tags += 1
        self.process.stdin.write(" ".join(map(str, (self.tags, verb, *words))) + "\n")
        return self.tags

    def answered(self, tag: int) -> bool:
        with self.changed:
            return tag in self.answers

    def answer(self, tag: int) -> Answer:
        self.wait(lambda: tag in self.answers or self.over, f"the answer to request {tag}")
        check(tag in self.answers, f"no answer to request {tag}: {self.process.stderr.read() if self.over else ''}")
        return self.answers[tag]

    def get(self, *words: object) -> Answer:
        """get NAME OFFSET SIZE [KEEP_AS]"""
        return self.answer(self.ask("get", *words))

    def read(self, *words: object) -> Answer:
        return self.answer(self.ask("read", *words))

    def open(self, name: str, path) -> Answer:
        return self.answer(self.ask("open", name, os.fsencode(path).hex() or "-"))

    def drop(self, *names: str) -> None:
        self.answer(self.ask("drop", *names))

    def statistics(self) -> dict:
        answer = self.answer(self.ask("statistics"))
        check(answer.ok, answer.line)
        return json.loads(answer.line.partition(" ")[2])

    def is_idle(self) -> bool:
        cache = self.statistics()["cache"]
        return cache["filling_chunks"] == 0 and cache["waiting"] == 0

    def wait_idle(self) -> None:
        wait_for(self.is_idle, "the end of all fills")

    def finish(self) -> None:
        """Ends it; nothing may be left."""
        self.wait_idle()
        self.drop()
        wait_for(lambda: self.statistics()["cache"]["pins"] == 0, "the end of all pins")
        self.end()

    def end(self) -> None:
        self.process.stdin.close()
        check(self.process.wait(PATIENCE_S) == 0, f"fault-probe ended with {self.process.returncode}")
        self.reader.join()
        check(self.frames == 0, f"{self.frames} coroutine frames are left")


class Meddler:
    """Does something to a file over and over, on a thread of its own, until it is left."""

    def __init__(self, meddle) -> None:
        self.meddle = meddle
        self.over = threading.Event()
        self.rounds = 0
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        while not self.over.is_set():
            self.meddle(self.rounds)
            self.rounds += 1

    def __enter__(self) -> "Meddler":
        self.thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.over.set()
        self.thread.join()


def cat(*words: object, under=()) -> subprocess.CompletedProcess:
    command = [*under, LEAT_CAT, *map(str, words)]
    return subprocess.run(command, capture_output=True, check=False, timeout=PATIENCE_S)
