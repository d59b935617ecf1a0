#!/usr/bin/env python3
"""leat-serve's pages of folders: one look at a folder for all who ask, little memory, and no harm to others."""

import os
import pathlib
import shutil
import socket
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True  # the source tree stays as it is
sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
from serving import Server, check, finish, serving, until  # noqa: E402

MIB = 1 << 20
HEAD = b"\r\nHost: a\r\n\r\n"


def fill(folder: pathlib.Path, count: int, end: str = "x" * 120) -> None:
    folder.mkdir(exist_ok=True)
    for number in range(count):
        (folder / f"{number:06}{end}").touch()


def ask_at_once(server: Server, path: str, count: int) -> list[int]:
    """The statuses of so many requests that come together."""
    statuses = []

    def ask() -> None:
        statuses.append(server.ask(path)[0].status)

    asking = [threading.Thread(target=ask) for _ in range(count)]
    for one in asking:
        one.start()
    for one in asking:
        one.join()
    return statuses


def check_one_look() -> None:
    """However many ask for a folder at a time, it is opened and read once in a second."""
    if shutil.which("strace") is None:
        print("strace is not installed: looks are not counted")
        return
    with tempfile.TemporaryDirectory(dir=".") as folder:
        trace = pathlib.Path(folder).resolve() / "trace"
        with serving("--list", under=("strace", "-D", "-f", "-qq", "-e", "trace=getdents64", "-o", str(trace)),
                     environment={"LEAT_BACKEND": "thread"}) as server:
            fill(server.root / "large", 300)
            check(set(ask_at_once(server, "/large/", 40)) == {200}, "all are answered")
            looks = trace.read_text().count("= 0")
            check(1 <= looks <= 2, f"{looks} looks for 40 requests at once")
            time.sleep(1.1)
            (server.root / "large" / "new").touch()
            check(b">new</a>" in server.ask("/large/")[1], "what is new is seen after a second")
            before = trace.read_text().count("= 0")
            time.sleep(1.1)
            answer, body = server.ask("/large/", "HEAD")
            check(answer.status == 200 and body == b"", "HEAD")
            check(trace.read_text().count("= 0") == before, "HEAD reads no folder")
            page = server.ask("/large/")[1]
            answer, _ = server.ask("/large/", "HEAD")
            check(answer.headers["Content-Length"] == str(len(page)), "HEAD of a page that is there tells its length")


def check_others(server: Server) -> None:
    """Who asks for a small folder does not wait for all who ask for a large one."""
    fill(server.root / "small", 3)
    begun = time.monotonic()
    server.ask("/large/")
    alone = time.monotonic() - begun
    time.sleep(1.1)
    peers = []
    for _ in range(60):
        peer = server.socket()
        peer.sendall(b"GET /large/ HTTP/1.1" + HEAD)
        peers.append(peer)
    begun = time.monotonic()
    check(server.ask("/small/")[0].status == 200, "a small folder")
    waited = time.monotonic() - begun
    check(waited < 0.3 + 4 * alone, f"it waits {waited:.2f} s beside a page that takes {alone:.2f} s")
    for peer in peers:
        check(peer.recv(12) == b"HTTP/1.1 200", "each gets its page")
        peer.close()


def check_most_names(server: Server) -> None:
    page = server.ask("/large/")[1].decode()
    check(page.count("<tr>") == 10_000 + 2, f"{page.count('<tr>')} rows")
    check("There are more: these are the first 10000 by their names." in page, "the page says that there are more")
    check("000000x" in page and "009999x" in page and "010000x" not in page, "the first ones by their names")
    for number in range(50):
        next((server.root / "large").glob(f"{number:06}x*")).unlink()
    time.sleep(1.1)
    page = server.ask("/large/")[1].decode()
    check("There are more" not in page and page.count("<tr>") == 10_000 + 2, "one that is listed whole says nothing")


def check_large() -> None:
    with serving("--list") as server:
        fill(server.root / "large", 10_050)
        check_others(server)
        check_most_names(server)


def check_memory() -> None:
    """Pages on their way to slow clients are shared; those of too many folders are not made."""
    with serving("--list", "--send-timeout", "30s") as server:
        folders = [f"/{number}/" for number in range(40)]
        fill(server.root / "0", 1000, "&" * 245)  # which take eight bytes each
        for path in folders[1:]:
            (server.root / path.strip("/")).symlink_to("0")
        page = len(server.ask(folders[0])[1])
        peers = [server.socket() for _ in range(100)]
        for peer in peers:
            peer.sendall(b"GET /0/ HTTP/1.1" + HEAD)
        check({peer.recv(12) for peer in peers} == {b"HTTP/1.1 200"}, "one page is for all")
        for path in folders[1:]:
            peers.append(server.socket())
            peers[-1].sendall(b"GET " + path.encode() + b" HTTP/1.1" + HEAD)
        told = [peer.recv(12) for peer in peers[100:]]
        held = told.count(b"HTTP/1.1 200") * page
        check(told.count(b"HTTP/1.1 200") >= 4 and told.count(b"HTTP/1.1 503") >= 1, f"some get theirs: {told}")
        check(held < 80 * MIB, f"{page} bytes for each, {held >> 20} MiB in all")
        for peer in peers:
            peer.close()
        until(lambda: server.connections() == 0, "all have gone")
        until(lambda: server.ask(folders[-1])[0].status == 200, "there is room again")


def check_refusals() -> None:
    with serving("--list") as server:
        (server.root / "closed").mkdir()
        (server.root / "gone").mkdir()
        for method in ("GET", "HEAD"):
            check(server.ask("/closed/", method)[0].status == 200, f"{method} of a folder")
        (server.root / "gone").rmdir()
        time.sleep(1.1)
        check(server.ask("/gone/")[0].status == 404, "a folder that has gone")
        if os.geteuid() == 0:
            print("root may read all folders: none is refused")
            return
        (server.root / "closed").chmod(0)
        time.sleep(1.1)
        for method in ("GET", "HEAD"):
            check(server.ask("/closed/", method)[0].status == 403, f"{method} of a folder that may not be read")


def check_cut_off() -> None:
    """A peer that goes before its page is whole leaves nothing, and others get the rest."""
    with serving("--list") as server:
        fill(server.root / "large", 5000)
        whole = server.ask("/large/")[1]
        before = server.descriptors()
        for _ in range(50):
            with server.socket() as peer:
                peer.sendall(b"GET /large/ HTTP/1.1" + HEAD)
                peer.recv(10)
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as peer:
            peer.sendall((b"GET /large/ HTTP/1.1\r\nHost: a\r\n\r\n") * 3)
            got = b""
            while got.count(b"</html>") < 3:
                got += peer.recv(1 << 20)
            check(got.count(whole) == 3, "pages one after the other on one connection")
        until(lambda: server.descriptors() <= before + 1, "no descriptor is left")


def main() -> None:
    check_one_look()
    check_large()
    check_memory()
    check_refusals()
    check_cut_off()
    finish()


if __name__ == "__main__":
    main()
