#!/usr/bin/env python3
"""Requests for a file, sent to the HTTP example and to nginx: the same answers, but for those listed here, which are
others. Skipped where nginx is not installed."""

import email.message
import email.parser
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # the source tree stays as it is
sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
from server import connected, free_port  # noqa: E402

CONTENT = bytes(range(100))
MODIFIED = 784111777  # Sun, 06 Nov 1994 08:49:37 GMT
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
LATER = "Sun, 06 Nov 1994 08:49:38 GMT"
EARLIER = "Sun, 06 Nov 1994 08:49:36 GMT"

RANGES = [
    "bytes=0-", "bytes=0-0", "bytes=0-99", "bytes=0-100", "bytes=5-9", "bytes=99-", "bytes=99-1000", "bytes=100-",
    "bytes=100-200", "bytes=007-0009", "bytes=-1", "bytes=-100", "bytes=-101", "bytes=0-1,3-4",
    "bytes=0-1, 3-4", "bytes=50-59,0-9", "bytes=0-9,200-300", "bytes=200-300,0-9", "bytes=200-,300-", "pages=0-1",
    "bytes=0-0,-1", "BYTES=0-1", "bytes=", "bytes=0-1,5-6,10-11,20-29,90-",
]

FIELDS = [
    "", "If-None-Match: *", "If-None-Match: {tag}", "If-None-Match: W/{tag}", "If-None-Match: \"a\", {tag}",
    "If-None-Match: \"a\"", "If-None-Match: \"a\"\r\nIf-Modified-Since: " + DATE,
    "If-Match: *", "If-Match: {tag}", "If-Match: \"a\", {tag}", "If-Match: \"a\"", "If-Match: W/{tag}",
    f"If-Modified-Since: {DATE}", f"If-Modified-Since: {EARLIER}",
    "If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT", "If-Modified-Since: Sun Nov  6 08:49:37 1994",
    "If-Modified-Since: yesterday", f"If-Unmodified-Since: {DATE}", f"If-Unmodified-Since: {LATER}",
    f"If-Unmodified-Since: {EARLIER}", "If-Unmodified-Since: Sunday, 06-Nov-94 08:49:36 GMT",
    "If-Unmodified-Since: Sun Nov  6 08:49:36 1994",
    "If-Range: {tag}\r\nRange: bytes=5-9", "If-Range: \"a\"\r\nRange: bytes=5-9",
    "If-Range: W/{tag}\r\nRange: bytes=5-9",
    f"If-Range: {DATE}\r\nRange: bytes=5-9", f"If-Range: {EARLIER}\r\nRange: bytes=5-9",
    f"If-Range: {LATER}\r\nRange: bytes=5-9", "If-Range: \"a\"\r\nRange: bytes=200-",
    "If-None-Match: *\r\nRange: bytes=200-", "If-Match: \"a\"\r\nIf-None-Match: {tag}",
    "If-Match: \"a\"\r\nRange: bytes=200-", "Content-Length: -1", "Content-Length: 5x",
    "Content-Length: 99999999999999999999999", "Content-Length: 1\r\nContent-Length: 1", "Host: b", "Name\0: x",
    "X: \0",
    "X: y\r\n z", "Transfer-Encoding: gzip", "Content-Length: 1\r\nTransfer-Encoding: chunked",
]

LINES = [
    "HEAD /file HTTP/1.1", "GET //file HTTP/1.1", "GET /./file HTTP/1.1", "GET http://a/file HTTP/1.1",
    "GET /file?a HTTP/1.1", "GET /file HTTP/1.0", "GET /file HTTP/2.0", "GET /file HTTP/1,1", "GET /file http/1.1",
    "GET /a b HTTP/1.1", "GET /\0 HTTP/1.1", "FETCH", "POST /file HTTP/1.1",
]

GET = "GET /file HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"

# What is answered otherwise: the request, the status here, that of nginx.
DIFFERENT = [
    # Malformed ranges are as if absent (RFC 9110, 14.2); nginx takes them for ones that lie outside the file.
    (GET + "Range: bytes=9-3\r\n", "200", "416"),
    (GET + "Range: bytes=--1\r\n", "200", "416"),
    (GET + "Range: bytes=1-2;3-4\r\n", "200", "416"),
    (GET + "Range: bytes=0-1,x\r\n", "200", "416"),
    # The opposite: a last byte beyond 2^63 is the file's last one.
    (GET + "Range: bytes=0-99999999999999999999\r\n", "206", "416"),
    # A list's elements may be missing (5.6.1).
    (GET + "Range: bytes=0-1,,3-4\r\n", "206", "416"),
    (GET + "Range: bytes=,0-1\r\n", "206", "416"),
    # Several lines of a field that is no list: none counts.
    (GET + "Range: bytes=0-1\r\nRange: bytes=3-4\r\n", "200", "206"),
    # Ranges are of GET alone (14.2).
    (GET.replace("GET", "HEAD") + "Range: bytes=0-1\r\n", "200", "206"),
    # Those that overlap or touch are one (15.3.7.2).
    (GET + "Range: bytes=0-1,2-3\r\n", "206", "206"),
    (GET + "Range: bytes=0-50,40-60\r\n", "206", "206"),
    # Lines that end in LF alone (RFC 9112, 2.2), and a Host that is none (3.2).
    (GET.replace("\r", ""), "400", "200"),
    (GET.replace("Host: a", "Host: a\"b"), "400", "200"),
]


def requests() -> list[str]:
    """Those that are answered alike, without the empty line."""
    fields = [f"Range: {one}" for one in RANGES] + FIELDS
    lines = [f"{line}\r\nHost: a\r\nConnection: close\r\n" for line in LINES]
    return [GET + (f"{one}\r\n" if one else "") for one in fields] + lines


def answer(port: int, text: str) -> tuple[email.message.Message, str, bytes]:
    """Fields, status and content."""
    with connected(port) as one:
        one.sendall(text.encode("latin-1") + b"\r\n")
        head, _, content = one.makefile("rb").read().partition(b"\r\n\r\n")
    line, _, fields = head.decode("latin-1").partition("\r\n")
    return email.parser.Parser().parsestr(fields, headersonly=True), line[9:12], content


def parts(fields: email.message.Message, content: bytes) -> list[str]:
    """Each part's range and bytes."""
    boundary = b"--" + fields.get_param("boundary").encode()
    return [
        " ".join(email.parser.BytesParser().parsebytes(part.strip(b"\r\n")).get_all("Content-Range", []))
        + " " + part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n").hex()
        for part in content.split(boundary)[1:-1]
    ]


def seen(port: int, text: str, tag: str) -> str:
    """What counts of an answer."""
    fields, status, content = answer(port, text.replace("{tag}", tag))
    if status == "206" and fields.get_content_type() == "multipart/byteranges":
        return "\n".join([status, *parts(fields, content)])
    ranges = fields.get("Content-Range", "")
    return f"{status} {ranges} {content.hex() if status in ('200', '206') else ''}".strip()


def start_nginx(folder: pathlib.Path, port: int) -> subprocess.Popen:
    folder.joinpath("nginx.conf").write_text(
        f"""daemon off; master_process off; pid {folder}/pid; error_log {folder}/errors;
        events {{}}
        http {{
            access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
            uwsgi_temp_path {folder}; scgi_temp_path {folder}; if_modified_since before;
            server {{ listen 127.0.0.1:{port}; root {folder}; }}
        }}""", encoding="ascii")
    return subprocess.Popen(["nginx", "-e", "stderr", "-c", folder / "nginx.conf"], stderr=subprocess.DEVNULL)


def main() -> None:
    if not shutil.which("nginx"):
        print("skipped: no nginx")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        file = folder / "file"
        file.write_bytes(CONTENT)
        os.utime(file, (MODIFIED, MODIFIED))
        ports = (free_port(), free_port())
        servers = [subprocess.Popen([os.environ["EXAMPLE_HTTP_SERVER"], file, str(ports[0])]),
                   start_nginx(folder, ports[1])]
        try:
            compare(ports)
        finally:
            for one in servers:
                one.kill()
                one.wait()


def compare(ports: tuple[int, int]) -> None:
    tags = [answer(port, GET)[0]["ETag"] for port in ports]
    wrong = []
    for text, *expected in [(text,) for text in requests()] + DIFFERENT:
        both = [seen(port, text, tag) for port, tag in zip(ports, tags)]
        same = both[0] == both[1]
        if same if expected else not same:
            wrong.append(f"{text!r}\n  here  {both[0]!r}\n  nginx {both[1]!r}")
        if expected and [one[:3] for one in both] != expected:
            wrong.append(f"{text!r}: expected {expected}, not {both}")
    if wrong:
        sys.exit("\n".join(["failed:", *wrong]))


if __name__ == "__main__":
    main()
