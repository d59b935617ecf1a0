#!/usr/bin/env python3
"""leat-serve under programs that people use: curl, wget, aria2c, ffprobe, ffmpeg and a browser that plays a film."""

import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # the source tree stays as it is
sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
from serving import Server, check, finish, serving, skip, until  # noqa: E402

MIB = 1 << 20
SIZE = 24 * MIB + 77


def run(*command) -> subprocess.CompletedProcess:
    result = subprocess.run([*map(str, command)], capture_output=True, timeout=60)
    check(result.returncode == 0, f"{command[0]} ends with {result.returncode}: {result.stderr[-300:]!r}")
    return result


def check_curl(url: str, content: bytes, here: pathlib.Path) -> None:
    check(run("curl", "-sf", "-r", f"1000-{MIB}", url).stdout == content[1000:MIB + 1], "curl -r")
    check(run("curl", "-sf", "-r", "-1000", url).stdout == content[-1000:], "curl -r of the end")
    part = here / "curl"
    part.write_bytes(content[:5 * MIB + 1])
    run("curl", "-sf", "-C", "-", "-o", part, url)
    check(part.read_bytes() == content, "curl -C -")
    tag = here / "tag"
    run("curl", "-sf", "--etag-save", tag, "-o", part, url)
    part.write_bytes(b"")
    run("curl", "-sf", "--etag-compare", tag, "-o", part, url)
    check(part.read_bytes() == b"", "curl --etag-compare gets 304")
    run("curl", "-sf", "-z", here.parent / here / "curl", "-o", here / "new", url)


def check_wget(url: str, content: bytes, here: pathlib.Path) -> None:
    part = here / "film"
    part.write_bytes(content[:7 * MIB])
    run("wget", "-q", "-c", "-P", here, url)
    check(part.read_bytes() == content, "wget -c")
    run("wget", "-q", "-N", "-P", here, url)
    part.unlink()


def check_aria2c(url: str, content: bytes, here: pathlib.Path) -> None:
    run("aria2c", "-q", "-x16", "-s16", "-k1M", "--file-allocation=none", "-d", here, "-o", "aria", url)
    check((here / "aria").read_bytes() == content, "aria2c with 16 parts")


def make_film(path: pathlib.Path) -> None:
    run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=120", "-c:v", "libx264",
        "-preset", "ultrafast", "-g", "50", "-pix_fmt", "yuv420p", path)


def check_ffmpeg(server: Server, here: pathlib.Path) -> None:
    url = f"http://127.0.0.1:{server.port}/film.mp4"
    duration = run("ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", url).stdout
    check(abs(float(duration) - 120) < 0.2, f"ffprobe: {duration!r}")
    frames = []
    for source in (url, server.root / "film.mp4"):
        frame = here / "frame.png"
        run("ffmpeg", "-v", "error", "-y", "-ss", "90", "-i", source, "-frames:v", "1", frame)
        frames.append(frame.read_bytes())
    check(frames[0] == frames[1], "ffmpeg -ss gives the frame of the file")


PAGE = """<!doctype html><title>film</title><video id=v muted src=film.mp4></video><script>
const tell = what => fetch('/told-' + what);
v.onerror = () => tell('error');
v.onloadedmetadata = () => { v.currentTime = v.duration / 2; };
v.onseeked = () => { v.onseeked = null; tell('seeked'); v.play(); };
v.ontimeupdate = () => { if (v.currentTime > v.duration / 2 + 0.5) { v.ontimeupdate = null; tell('played'); } };
</script>"""


def check_browser(server: Server, log: pathlib.Path, here: pathlib.Path) -> None:
    (server.root / "film.html").write_text(PAGE)
    browser = subprocess.Popen(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--mute-audio",
                                "--no-first-run", f"--user-data-dir={here}/profile", "--remote-debugging-port=0",
                                "--autoplay-policy=no-user-gesture-required",
                                f"http://127.0.0.1:{server.port}/film.html"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        until(lambda: "/told-played" in log.read_text(), "a browser seeks to the middle and plays on", 60)
        check("/told-seeked" in log.read_text() and "/told-error" not in log.read_text(), "it has sought")
    finally:
        os.killpg(browser.pid, signal.SIGKILL)
        browser.wait()


def main() -> None:
    content = random.Random(1).randbytes(SIZE)
    missing = [tool for tool in ("curl", "wget", "aria2c", "ffmpeg", "chromium") if shutil.which(tool) is None]
    if len(missing) == 5:
        skip("neither curl nor any other client is installed")
    if missing:
        print(f"not installed and not run: {', '.join(missing)} (./dev setup clients)")
    with tempfile.TemporaryDirectory(dir=".", ignore_cleanup_errors=True) as folder:
        here = pathlib.Path(folder).resolve()
        log = here / "log"
        with serving("--access-log", str(log)) as server:
            (server.root / "film").write_bytes(content)
            url = f"http://127.0.0.1:{server.port}/film"
            for tool, one in (("curl", check_curl), ("wget", check_wget), ("aria2c", check_aria2c)):
                if tool not in missing:
                    one(url, content, here)
            if "ffmpeg" not in missing:
                make_film(server.root / "film.mp4")
                check_ffmpeg(server, here)
                if "chromium" not in missing:
                    check_browser(server, log, here)
    finish()


if __name__ == "__main__":
    main()
