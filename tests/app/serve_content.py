#!/usr/bin/env python3
"""leat-serve: statuses, fields, ranges, conditions, folders and connections, from the outside."""

import contextlib
import datetime
import email.utils
import http.client
import os
import pathlib
import random
import re
import sys
import time

sys.dont_write_bytecode = True  # the source tree stays as it is
sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
from serving import Server, ask_on, check, finish, receive_all, serving  # noqa: E402

MIB = 1 << 20
SIZE = 3 * MIB + 123  # four chunks, the last one short


def date(seconds: float) -> str:
    return email.utils.formatdate(seconds, usegmt=True)


def make_files(root: pathlib.Path) -> bytes:
    content = random.Random(1).randbytes(SIZE)
    (root / "film.mp4").write_bytes(content)
    (root / "empty").touch()
    (root / "one").write_bytes(b"x")
    (root / "page.html").write_text("<p>page")
    (root / "with space & <b>.txt").write_text("odd")
    (root / "ünï.txt").write_text("letters")
    (root / ".hidden").write_text("secret")
    for folder in ("home", "plain", "plain/inner"):
        (root / folder).mkdir()
    (root / "home/index.html").write_text("<p>home")
    (root / "plain/a.txt").write_text("a")
    old = time.time() - 10_000
    for path in root.rglob("*"):
        os.utime(path, (old, old))
    time.sleep(0.05)  # the times of change are young until then
    return content


def check_whole(server: Server, content: bytes) -> None:
    answer, body = server.ask("/film.mp4")
    check(answer.status == 200 and body == content, "the whole file")
    check(answer.headers["Content-Length"] == str(SIZE), "its length")
    check(answer.headers["Accept-Ranges"] == "bytes", "Accept-Ranges")
    check(answer.headers["Content-Type"] == "video/mp4", f"its type {answer.headers['Content-Type']}")
    check(answer.headers["X-Content-Type-Options"] == "nosniff", "nosniff")
    check(bool(re.fullmatch('"[0-9a-f]{16}"', answer.headers["ETag"])), f"tag {answer.headers['ETag']}")
    check(answer.headers["Last-Modified"] == date((server.root / "film.mp4").stat().st_mtime), "Last-Modified")
    now = email.utils.parsedate_to_datetime(answer.headers["Date"])
    check(abs((datetime.datetime.now(datetime.timezone.utc) - now).total_seconds()) < 5, "Date")
    head, nothing = server.ask("/film.mp4", "HEAD")
    same = [name for name in answer.headers if name != "Date"]
    check(head.status == 200 and nothing == b"", "HEAD")
    check(all(head.headers[name] == answer.headers[name] for name in same), "HEAD has the fields of GET")
    for path, text in (("/one", b"x"), ("/empty", b""), ("/with%20space%20%26%20%3Cb%3E.txt", b"odd"),
                       ("/%C3%BCn%C3%AF.txt", b"letters"), ("/./plain/../one", b"x"), ("//one", b"x"),
                       ("/one?query", b"x"), ("http://elsewhere.example/one", b"x")):
        answer, body = server.ask(path)
        check(answer.status == 200 and body == text, f"{path}: {answer.status} {body!r}")


def check_ranges(server: Server, content: bytes) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    cases = [(0, 0), (0, 4095), (MIB - 10, MIB + 9), (SIZE - 1, SIZE - 1), (5, SIZE + 1000), (7, None), (0, None),
             (3, 2**64), (9, 10**30)]
    cases += [(first, first + random.randrange(1, 2 * MIB)) for first in random.sample(range(SIZE), 10)]
    for first, last in cases:
        answer, body = ask_on(connection, "/film.mp4", Range=f"bytes={first}-{'' if last is None else last}")
        end = SIZE if last is None else min(last + 1, SIZE)
        check(answer.status == 206 and body == content[first:end], f"{answer.status} for {first}-{last}")
        check(answer.headers["Content-Range"] == f"bytes {first}-{end - 1}/{SIZE}", f"range of {first}-{last}")
    for length in (1, 9, MIB + 5, SIZE, SIZE + 1, 10**30):
        answer, body = ask_on(connection, "/film.mp4", Range=f"bytes=-{length}")
        check(answer.status == 206 and body == content[-min(length, SIZE):], f"the last {length} bytes")
    for asked in (f"bytes={SIZE}-", f"bytes={2**64}-{2**64 + 1}", "bytes=-0"):
        answer, body = ask_on(connection, "/film.mp4", Range=asked)
        check(answer.status == 416 and answer.headers["Content-Range"] == f"bytes */{SIZE}", f"416 for {asked}")
    for asked in ("pages=1-2", "bytes=9-3", "bytes", "bytes=-", "bytes=a-b", "bytes=1-2;3-4"):
        answer, body = ask_on(connection, "/film.mp4", Range=asked)
        check(answer.status == 200 and body == content, f"{answer.status} for {asked}")
    head, _ = ask_on(connection, "/film.mp4", "HEAD", Range="bytes=1-2")
    check(head.status == 200 and head.headers["Content-Length"] == str(SIZE), "HEAD heeds no range")
    answer, _ = ask_on(connection, "/empty", Range="bytes=0-")
    check(answer.status == 416, "a range of an empty file")


def check_several_ranges(server: Server, content: bytes) -> None:
    def parts_of(asked: str):
        answer, body = server.ask("/film.mp4", Range=asked)
        kind = answer.headers["Content-Type"]
        check(answer.status == 206 and kind.startswith("multipart/byteranges; boundary="), f"{asked}: {kind}")
        check(answer.headers["Content-Length"] == str(len(body)), f"{asked}: the length")
        boundary = kind.split("boundary=")[1].strip('"').encode()
        pieces = re.split(rb"(?:^|\r\n)--" + re.escape(boundary), body)
        check(pieces[0] == b"" and pieces[-1].startswith(b"--"), f"{asked}: begin and end")
        found = []
        for piece in pieces[1:-1]:
            head, data = piece.split(b"\r\n\r\n", 1)
            first, last = map(int, re.search(rb"Content-Range: bytes (\d+)-(\d+)/" + str(SIZE).encode(),
                                             head).groups())
            check(data == content[first:last + 1], f"{asked}: bytes of {first}-{last}")
            found.append((first, last))
        return found

    check(parts_of("bytes=0-0,5-9,-1") == [(0, 0), (5, 9), (SIZE - 1, SIZE - 1)], "three parts")
    check(parts_of(f"bytes={MIB}-{MIB + 9},0-4") == [(MIB, MIB + 9), (0, 4)], "parts keep their order")
    check(parts_of(f"bytes=0-9,20-29,5-15,{MIB - 1}-{2 * MIB}") == [(0, 15), (20, 29), (MIB - 1, 2 * MIB)],
          "those that overlap are one")
    answer, body = server.ask("/film.mp4", Range="bytes=0-4,5-9")
    check(answer.status == 206 and body == content[:10], "two that touch are one")
    answer, body = server.ask("/film.mp4", Range=f"bytes=0-1,{SIZE}-")
    check(answer.status == 206 and body == content[:2], "those outside are left out")
    many = ",".join(f"{3 * i}-{3 * i}" for i in range(65))
    answer, body = server.ask("/film.mp4", Range="bytes=" + many)
    check(answer.status == 200 and body == content, "too many ranges are not heeded")


def check_conditions(server: Server, content: bytes) -> None:
    answer, _ = server.ask("/film.mp4")
    tag, modified = answer.headers["ETag"], answer.headers["Last-Modified"]
    stamp = (server.root / "film.mp4").stat().st_mtime
    before, after = date(stamp - 60), date(stamp + 60)
    moment = datetime.datetime.fromtimestamp(int(stamp), datetime.timezone.utc)
    rfc850 = moment.strftime("%A, %d-%b-%y %H:%M:%S GMT")
    asctime = moment.strftime("%a %b %e %H:%M:%S %Y")
    cases = [
        (304, {"If_None_Match": tag}), (304, {"If_None_Match": f'"x", W/{tag}'}), (304, {"If_None_Match": "*"}),
        (200, {"If_None_Match": '"x"'}), (304, {"If_Modified_Since": modified}), (304, {"If_Modified_Since": after}),
        (200, {"If_Modified_Since": before}), (304, {"If_Modified_Since": rfc850}),
        (304, {"If_Modified_Since": asctime}), (200, {"If_Modified_Since": "yesterday"}),
        (200, {"If_None_Match": '"x"', "If_Modified_Since": after}), (200, {"If_Match": tag}),
        (412, {"If_Match": '"x"'}), (200, {"If_Match": "*"}), (412, {"If_Match": f"W/{tag}"}),
        (412, {"If_Unmodified_Since": before}), (200, {"If_Unmodified_Since": modified}),
        (206, {"Range": "bytes=0-1", "If_Range": tag}), (200, {"Range": "bytes=0-1", "If_Range": '"x"'}),
        (206, {"Range": "bytes=0-1", "If_Range": modified}), (200, {"Range": "bytes=0-1", "If_Range": after}),
        (200, {"Range": "bytes=0-1", "If_Range": f"W/{tag}"}), (304, {"Range": "bytes=0-1", "If_None_Match": tag}),
        (412, {"Range": f"bytes={SIZE}-", "If_Match": '"x"'}),
    ]
    for status, fields in cases:
        answer, body = server.ask("/film.mp4", **fields)
        check(answer.status == status, f"{answer.status} instead of {status} for {fields}")
        if status == 304:
            check(body == b"" and answer.headers["ETag"] == tag, f"304 has the tag and no content: {fields}")


def check_folders(server: Server) -> None:
    for path, status, text in (("/home/", 200, b"<p>home"), ("/plain/", 403, None), ("/", 403, None),
                               ("/one/", 404, None), ("/nothing", 404, None), ("/nothing/", 404, None),
                               ("/one/two", 404, None), ("/.hidden", 404, None), ("/plain/../.hidden", 404, None),
                               ("/%2ehidden", 404, None)):
        answer, body = server.ask(path)
        check(answer.status == status and text in (None, body), f"{path}: {answer.status}")
    for path, location in (("/home", "/home/"), ("/plain/inner?a=b", "/plain/inner/?a=b"), ("//home", "/home/"),
                           ("//home/../home", "/home/")):
        answer, _ = server.ask(path)
        check(answer.status == 301 and answer.headers["Location"] == location,
              f"{path}: {answer.status} {answer.headers['Location']}")
    for path in ("/..", "/../one", "/%2e%2e/one", "/plain/..%2f..%2fone", "/plain/../../one", "/%00", "/%", "/%zz",
                 "/a%0"):
        answer, _ = server.ask(path)
        check(answer.status in (400, 404), f"{path}: {answer.status}")


def check_methods(server: Server) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"):
        answer, _ = server.ask("/one", method)
        check(answer.status == 405 and answer.headers["Allow"] == "GET, HEAD", f"{method}: {answer.status}")
    answer, _ = server.ask("/one", "BREW")
    check(answer.status == 501, f"an unknown method: {answer.status}")


def check_connections(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.connect()
    mine = connection.sock
    for path in ("/one", "/nothing", "/home", "/film.mp4", "/one"):
        ask_on(connection, path)
    check(connection.sock is mine, "a connection goes on, after errors, too")
    both = server.raw(b"GET /one HTTP/1.1\r\nHost: a\r\n\r\nHEAD /film.mp4 HTTP/1.1\r\nHost: a\r\n\r\n"
                      b"GET /page.html HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    check(both.count(b"HTTP/1.1 200 OK") == 3 and both.endswith(b"<p>page"), "pipelined requests")
    old = server.raw(b"GET /one HTTP/1.0\r\n\r\n")
    check(old.startswith(b"HTTP/1.1 200") and old.endswith(b"x"), "HTTP/1.0 ends with the answer")
    kept = server.raw(b"GET /one HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /one HTTP/1.0\r\n\r\n")
    check(kept.count(b"200 OK") == 2 and b"\r\nConnection: keep-alive\r\n" in kept, "HTTP/1.0 with keep-alive")
    slowly = b"GET /one HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    with server.socket() as peer:
        for byte in slowly:
            peer.sendall(bytes([byte]))
        check(receive_all(peer).endswith(b"x"), "a head byte by byte")
    long = b"GET /one HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: " + b"y" * 12_000 + b"\r\n\r\n"
    check(server.raw(long).endswith(b"x"), "a long head")
    content = server.raw(b"GET /one HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + b"z" * 100_000)
    check(content.startswith(b"HTTP/1.1 200") and b"Connection: close" in content and content.endswith(b"x"),
          "a request with content is answered, and is the last")


def check_options() -> None:
    with serving("--list", "--dotfiles", "--header", "Cache-Control: max-age=60", "--header",
                 "Access-Control-Allow-Origin: *", "--cache-status", "--etag", "size-mtime",
                 "--max-requests", "3") as server:
        make_files(server.root)
        answer, body = server.ask("/")
        page = body.decode()
        check(answer.status == 200 and answer.headers["Content-Type"] == "text/html; charset=utf-8", "a listing")
        check("with%20space%20%26%20%3Cb%3E.txt" in page and "with space &amp; &lt;b&gt;.txt" in page, "escaped names")
        check(".hidden" in page and page.index("plain") < page.index("film.mp4"), "dotfiles; folders first")
        check(server.ask("/.hidden")[0].status == 200, "a dotfile")
        first, _ = server.ask("/film.mp4", Range="bytes=0-99")
        check(first.headers["Cache-Control"] == "max-age=60", "Cache-Control")
        check(first.headers["Access-Control-Allow-Origin"] == "*", "CORS")
        check(first.headers["Cache-Status"] == "leat; fwd=miss", f"a miss: {first.headers['Cache-Status']}")
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        said = [ask_on(connection, "/film.mp4", Range="bytes=0-99")[0] for _ in range(3)]
        check(said[2].headers["Cache-Status"] == "leat; hit", f"a hit: {said[2].headers['Cache-Status']}")
        check(said[2].headers["Connection"] == "close", "no more requests than --max-requests")
        copy = server.root / "copy.mp4"
        copy.write_bytes((server.root / "film.mp4").read_bytes())
        stamp = (server.root / "film.mp4").stat().st_mtime_ns
        os.utime(copy, ns=(stamp, stamp))
        time.sleep(0.05)
        check(server.ask("/copy.mp4")[0].headers["ETag"] == first.headers["ETag"], "copies have one tag")


def check_replaced() -> None:
    """A file that is replaced is seen within a second; one looked at again keeps its tag."""
    with serving() as server:
        path = server.root / "file"
        path.write_bytes(b"1" * 1000)
        time.sleep(0.05)
        first = server.ask("/file")[0].headers["ETag"]
        check(not first.startswith("W/"), "the tag is strong after a while")
        time.sleep(1.1)
        check(server.ask("/file")[0].headers["ETag"] == first, "the tag stays")
        new = server.root / "new"
        new.write_bytes(b"2" * 2000)
        new.rename(path)
        time.sleep(1.1)
        answer, body = server.ask("/file")
        check(body == b"2" * 2000 and answer.headers["ETag"] != first, "a replaced file")
        path.unlink()
        time.sleep(1.1)
        check(server.ask("/file")[0].status == 404, "a file that has gone")
        path.write_bytes(b"3")
        time.sleep(1.1)
        check(server.ask("/file")[1] == b"3", "a file that has come")


def check_use_order() -> None:
    """Of the files that are kept, a path that is looked at again counts as used."""
    with serving("--shards", "1", "--open-files", "2") as server:
        for name in "abc":
            (server.root / name).write_text(name)
        (server.root / "new").write_text("new")
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)) as connection:
            def content_of(name: str) -> bytes:
                return ask_on(connection, "/" + name)[1]

            check([content_of("a"), content_of("b")] == [b"a", b"b"], "both that are kept")
            time.sleep(1.1)
            check([content_of("a"), content_of("c")] == [b"a", b"c"], "one again, and a third one")
            (server.root / "new").rename(server.root / "a")
            check(content_of("a") == b"a", "the one used longest ago went for the third")
            time.sleep(1.1)
            check(content_of("a") == b"new", "the other is looked at after a second, as ever")


def main() -> None:
    with serving() as server:
        content = make_files(server.root)
        for one in (check_whole, check_ranges, check_several_ranges, check_conditions):
            one(server, content)
        for one in (check_folders, check_methods, check_connections):
            one(server)
    check_options()
    check_replaced()
    check_use_order()
    finish()


if __name__ == "__main__":
    main()
