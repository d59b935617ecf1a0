#!/usr/bin/env python3
"""leat-serve on other file systems, without its root, and without memory: it answers as well as it can, and goes on."""

import contextlib
import os
import pathlib
import resource
import shutil
import struct
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True  # the source tree stays as it is
sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "fault"))
os.environ.setdefault("FAULT_PROBE", "")  # is not used here
os.environ.setdefault("LEAT_CAT", "")
from serving import Server, check, finish, serving, until  # noqa: E402
from support.fault import Scratch, made_up, silently  # noqa: E402
from support.fuse import FuseFiles  # noqa: E402

MIB = 1 << 20


def run(test) -> None:
    """Where its means are missing it says so, and the others go on."""
    with contextlib.suppress(SystemExit):
        test()


def check_fuse() -> None:
    content = made_up(3 * MIB + 17)
    with Scratch() as here:
        for direct_io in (True, False):
            files = FuseFiles(here, f"fuse-{direct_io}", 65536 if direct_io else 1 << 30, direct_io)
            files.add("file", content)
            files.add("small", b"12345")
            with serving("--list", root=files.where) as server:
                check(server.ask("/file")[1] == content, f"a file of FUSE, direct_io {direct_io}")
                answer, body = server.ask("/file", Range="bytes=1000000-1999999")
                check(answer.status == 206 and body == content[1_000_000:2_000_000], "a part of it")
                check(server.ask("/none")[0].status == 404, "a file that is not there")
                check(server.ask("/")[0].status < 600, "a folder that cannot be read")
                silently("umount", "--force", str(files.where))
                time.sleep(1.1)
                for path in ("/small", "/file", "/"):
                    status = server.ask(path)[0].status
                    check(status >= 400 or path == "/file", f"{path} of a file system that has gone: {status}")
                check(server.process.poll() is None, "it goes on")


class Hanging(FuseFiles):
    """A file system that has a folder, and does not say what is in it until it is released."""

    OPENDIR, READDIR = 27, 28

    def __init__(self, here: Scratch, name: str = "fuse") -> None:
        self.released = threading.Event()
        super().__init__(here, name)
        here.callback(self.released.set)

    def reply(self, unique: int, code: int, *asked) -> None:
        if code == self.READDIR:  # others are answered meanwhile
            threading.Thread(target=super().reply, args=(unique, code, *asked), daemon=True).start()
        else:
            super().reply(unique, code, *asked)

    def answer(self, code: int, node: int, body: bytes):
        if code == self.OPENDIR:
            return struct.pack("<QII", node, 0, 0)
        if code == self.READDIR:
            self.released.wait(60)
            return b""
        return super().answer(code, node, body)


def check_hung_file_system() -> None:
    """One that does not answer keeps neither others waiting nor the end."""
    with Scratch() as here:
        files = Hanging(here)
        files.add("file", b"12345")
        path = here.folder / "socket"
        with serving("--list", "--drain-timeout", "1s", "--stop-timeout", "1s", "--listen", f"unix:{path}",
                     "--shards", "1", root=files.where) as server:
            check(server.ask("/file")[1] == b"12345", "a file")
            with server.socket() as peer:
                peer.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                time.sleep(0.3)
                check(server.ask("/file")[1] == b"12345", "others are served")
                begun = time.monotonic()
                server.process.terminate()
                until(lambda: not path.exists(), "it gives up waiting, and leaves no path behind", 8)
                check(time.monotonic() - begun < 6, f"in {time.monotonic() - begun:.1f} s")
                # The kernel itself waits for such a file system, whatever ends the process.
                files.released.set()
                check(server.process.wait(20) == 1, f"with an error: {server.process.returncode}")
                server.process.returncode = 0


def check_hung_folders() -> None:
    """Folders that do not answer are given up, however many ask for them, and keep no other folder waiting."""
    with Scratch() as here:
        hung = [Hanging(here, f"hung{number}") for number in range(3)]
        here.make_folder("other")
        with serving("--list", root=here.folder) as server, contextlib.ExitStack() as peers:
            waiting = []
            for request in [f"GET /{files.where.name}/ HTTP/1.1\r\nHost: a\r\n\r\n" for files in hung] * 4:
                waiting.append(peers.enter_context(server.socket()))
                waiting[-1].sendall(request.encode())
            for files in hung:
                until(lambda files=files: files.count(Hanging.READDIR) == 1, "it is read")
            check(server.ask("/other/")[0].status == 200, "another folder")
            check(server.ask("/")[0].status == 200, "the folder that they are in")
            for peer in waiting:
                answer = peer.recv(4096)
                check(answer.startswith(b"HTTP/1.1 503") and b"\r\nRetry-After:" in answer, f"given up: {answer}")
            check({files.count(Hanging.READDIR) for files in hung} == {1}, "each is read once for all")
            for files in hung:
                files.released.set()
            for files in hung:
                path = f"/{files.where.name}/"
                until(lambda path=path: server.ask(path)[0].status == 200, "one that answers again is listed")


def check_overlay() -> None:
    content = made_up(3 * MIB + 17)
    with Scratch() as here:
        # Overlays do not lie on overlays.
        layers = here.mount("tmpfs", "tmpfs")
        for name in ("lower", "upper", "work"):
            (layers / name).mkdir()
        (layers / "lower" / "file").write_bytes(content)
        (layers / "lower" / "gone").write_text("1")
        options = f"lowerdir={layers}/lower,upperdir={layers}/upper,workdir={layers}/work"
        root = here.mount("overlay", "overlay", "-o", options)
        with serving("--list", root=root) as server:
            first = server.ask("/file")
            check(first[1] == content, "a file of a lower layer")
            with open(root / "file", "r+b") as file:
                file.write(b"changed")  # which makes a copy above
            (root / "gone").unlink()
            (root / "new").write_text("new")
            time.sleep(1.1)
            answer, body = server.ask("/file")
            check(body == b"changed" + content[7:], "what was changed comes from the upper layer")
            check(answer.headers["ETag"] != first[0].headers["ETag"], "by another tag")
            check(server.ask("/gone")[0].status == 404 and server.ask("/new")[1] == b"new", "files that go and come")
            page = server.ask("/")[1]
            check(b">new</a>" in page and b">gone</a>" not in page, "its listing")


def check_root_that_goes() -> None:
    with tempfile.TemporaryDirectory(dir=".") as folder:
        root = pathlib.Path(folder).resolve() / "root"
        root.mkdir()
        (root / "file").write_text("12345")
        with serving("--list", root=root) as server:
            with contextlib.closing(server.socket()), contextlib.closing(server.socket()):
                check(server.ask("/file")[1] == b"12345" and server.ask("/")[0].status == 200, "a root")
                shutil.rmtree(root)
                time.sleep(1.2)
                for path in ("/file", "/other", "/", "/folder/"):
                    for method in ("GET", "HEAD"):
                        status = server.ask(path, method)[0].status
                        check(status in (404, 503), f"{method} {path} without a root: {status}")
                root.mkdir()
                (root / "file").write_text("again")
                until(lambda: server.ask("/file")[1] == b"again", "a new root is found", 5)
                until(lambda: server.ask("/")[0].status == 200, "and listed", 5)


def check_little_memory() -> None:
    """Where no memory can be had requests fail, each for itself; what is there is served."""
    def address_space(server: Server) -> int:
        return int(pathlib.Path(f"/proc/{server.process.pid}/statm").read_text().split()[0]) * resource.getpagesize()

    with serving("--max-head", "1M", "--list", "--head-timeout", "5s") as server:
        (server.root / "file").write_bytes(b"x" * 1000)
        (server.root / "folder").mkdir()
        for number in range(3000):
            (server.root / "folder" / f"{number}{'&' * 100}").touch()
        with contextlib.closing(server.socket()) as warm:
            warm.sendall(b"GET /file HTTP/1.1\r\nHost: a\r\n\r\n")
            check(warm.recv(65536).startswith(b"HTTP/1.1 200"), "a file")
            limit = address_space(server) + 4 * MIB
            before = resource.prlimit(server.process.pid, resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
            peers = []
            for _ in range(80):
                with contextlib.suppress(OSError):
                    peer = server.socket()
                    peers.append(peer)
                    peer.settimeout(0.5)
                    peer.sendall(b"GET /file HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 700_000)
            for _ in range(20):
                with contextlib.suppress(OSError, ValueError):
                    server.ask("/folder/")
            check(server.process.poll() is None, "it goes on without memory")
            warm.sendall(b"GET /file HTTP/1.1\r\nHost: a\r\nRange: bytes=0-9\r\n\r\n")
            check(b"xxxxxxxxxx" in warm.recv(65536), "what needs none is answered")
            resource.prlimit(server.process.pid, resource.RLIMIT_AS, before)
            for peer in peers:
                peer.close()
        until(lambda: server.connections() == 0, "all have gone", 10)
        connection = server.socket()
        connection.close()
        until(lambda: server.ask("/file")[1] == b"x" * 1000, "with memory all is well again", 5)
        until(lambda: server.ask("/folder/")[0].status == 200, "pages, too", 5)


def main() -> None:
    run(check_fuse)
    run(check_hung_file_system)
    run(check_hung_folders)
    run(check_overlay)
    run(check_root_that_goes)
    run(check_little_memory)
    finish()


if __name__ == "__main__":
    main()
