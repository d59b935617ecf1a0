#!/usr/bin/env python3
"""leat-serve: TERM, HUP, sockets of a service manager and of unix paths, the PROXY protocol, logs."""

import json
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # the source tree stays as it is
sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
from serving import NO_ADMIN, PROGRAM, SMALL, Server, check, finish, receive_all, serving, until  # noqa: E402

MIB = 1 << 20
REQUEST = b"GET /file HTTP/1.1\r\nHost: a\r\n\r\n"


def slow_answer(server: Server, size: int) -> socket.socket:
    """A connection whose answer is under way: its peer has taken the beginning only."""
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.settimeout(20)
    peer.connect(("127.0.0.1", server.port))
    peer.sendall(REQUEST)
    check(peer.recv(100).startswith(b"HTTP/1.1 200"), "an answer begins")
    return peer


def check_drain() -> None:
    with serving() as server:
        (server.root / "file").write_bytes(b"x" * (8 * MIB))
        idle = server.socket()
        idle.sendall(REQUEST.replace(b"GET", b"HEAD"))
        check(idle.recv(4096).startswith(b"HTTP/1.1 200"), "a connection that goes on")
        under_way = slow_answer(server, 8 * MIB)
        server.process.send_signal(signal.SIGTERM)
        check(receive_all(idle) == b"", "an idle connection is closed")
        until(lambda: refuses(server.port), "nobody listens any more")
        check(server.process.poll() is None, "the server waits for the answer")
        rest = receive_all(under_way)
        check(len(rest) > 8 * MIB - 1000 and rest.endswith(b"x"), f"the answer is whole: {len(rest)}")
        server.process.wait(20)
        check(server.process.returncode == 0, "it has ended")


def refuses(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


def check_second_term() -> None:
    with serving() as server:
        (server.root / "file").write_bytes(b"x" * (8 * MIB))
        with slow_answer(server, 8 * MIB) as peer:
            server.process.send_signal(signal.SIGTERM)
            until(lambda: "finishing" in server.said(), "it says what it waits for")
            server.process.send_signal(signal.SIGTERM)
            server.process.wait(20)
            check("ended 1 connection" in server.said(), f"it says what it cut off: {server.said()}")
            check(len(receive_all(peer)) < 8 * MIB, "the answer was cut off")
    with serving("--drain-timeout", "200ms") as server:
        (server.root / "file").write_bytes(b"x" * (8 * MIB))
        with slow_answer(server, 8 * MIB):
            server.process.send_signal(signal.SIGTERM)
            check(server.process.wait(20) == 0, "--drain-timeout ends it")


def check_logs() -> None:
    with tempfile.TemporaryDirectory(dir=".") as folder:
        log = pathlib.Path(folder).resolve() / "access.log"
        with serving("--access-log", str(log)) as server:
            (server.root / "file").write_text("12345")
            server.ask("/file", User_Agent='a "quoted" \\ name', Referer="http://b/")
            server.ask("/none")
            server.raw(b"nonsense\r\n\r\n")
            until(lambda: log.read_text().count("\n") == 3, "three lines")
            lines = sorted(log.read_text().splitlines(), key=lambda line: int(line.split('" ')[1].split()[0]))
            stamp = r"\[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]"
            check(bool(re.fullmatch(rf'127\.0\.0\.1 - - {stamp} "GET /file HTTP/1\.1" 200 5 "http://b/" '
                                    r'"a \\x22quoted\\x22 \\x5C name"', lines[0])), lines[0])
            check('"" 400 ' in lines[1] and '"GET /none HTTP/1.1" 404 ' in lines[2], f"{lines[1:]}")
            log.rename(log.with_suffix(".1"))
            server.process.send_signal(signal.SIGHUP)
            until(log.exists, "HUP opens the log again")
            server.ask("/file")
            until(lambda: log.read_text().count("\n") == 1, "a line in the new file")
            log.unlink()
            os.chmod(folder, 0o555)
            log.mkdir() if os.geteuid() == 0 else None
            server.process.send_signal(signal.SIGHUP)
            until(lambda: "is written on" in server.said(), "a log that cannot be opened is said")
            check(server.ask("/file")[0].status == 200, "and it goes on")
            os.chmod(folder, 0o755)
        with serving("--access-log", str(log.with_suffix(".json")), "--log-format", "json") as server:
            (server.root / "file").write_text("12345")
            server.ask("/file", Range="bytes=1-2", User_Agent="é\\")
            path = log.with_suffix(".json")
            until(lambda: path.read_text().endswith("\n"), "a line of JSON")
            line = json.loads(path.read_text())
            check((line["status"], line["bytes"], line["target"], line["range"], line["peer"]) ==
                  (206, 2, "/file", "bytes=1-2", "127.0.0.1"), f"{line}")
    if pathlib.Path("/dev/full").exists():
        with serving("--access-log", "/dev/full") as server:
            (server.root / "file").write_text("12345")
            for _ in range(50):
                check(server.ask("/file")[0].status == 200, "a full disk holds nothing up")


def check_log_of_a_crowd() -> None:
    """Requests with long fields, as fast as they come, do not push others out of the log."""
    with tempfile.TemporaryDirectory(dir=".") as folder:
        log = pathlib.Path(folder).resolve() / "log"
        with serving("--access-log", str(log)) as server, server.socket() as peer:
            (server.root / "file").write_text("12345")
            long = b"HEAD /file HTTP/1.1\r\nHost: a\r\nReferer: " + b"r" * 2040 + b"\r\nUser-Agent: " + b"u" * 2040
            # Beside busy programs the thread that writes may have no turn for a while: the best of three counts.
            best = before = 0
            for _ in range(3):
                for _ in range(150):
                    peer.sendall((long + b"\r\n\r\n") * 4)
                    answered = 0
                    while answered < 4:
                        answered += peer.recv(1 << 16).count(b"HTTP/1.1 200")
                time.sleep(0.5)
                lines = log.read_text().count("\n")
                best, before = max(best, lines - before), lines
                if best > 400:
                    break
            check(best > 400, f"{best} lines of 600 requests")


def check_unread_log() -> None:
    """A log whose reader has stopped holds up neither requests nor HUP nor the end."""
    with tempfile.TemporaryDirectory(dir=".") as folder:
        pipe = folder + "/pipe"
        os.mkfifo(pipe)
        reader, writer = os.pipe()
        named = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        for what, where, start in (("standard output", "-", {"stdout": writer}), ("a named pipe", pipe, {})):
            with serving("--access-log", where, "--drain-timeout", "5s", **start) as server:
                (server.root / "file").write_text("12345")
                for _ in range(100):
                    server.ask("/file", Referer="x" * 2000)
                server.process.send_signal(signal.SIGHUP)
                check(server.ask("/file")[1] == b"12345", f"nobody reads {what}")
                time.sleep(0.3)  # the log has got as far as it can
                begun = time.monotonic()
                server.process.send_signal(signal.SIGTERM)
                until(lambda: server.process.poll() is not None, f"one TERM ends it, with {what} full", 6)
                check(time.monotonic() - begun < 5, f"within --drain-timeout, with {what} full")
                check("lines of the log were not taken" in server.said(), f"and says so: {server.said()}")
                if server.process.poll() is None:
                    server.process.kill()
        check(os.get_blocking(writer), "the pipe is as it was for others")
        for one in (reader, writer, named):
            os.close(one)


def check_slow_log() -> None:
    """A reader that is slow gets the rest of the log at the end."""
    reader, writer = os.pipe()
    with serving("--access-log", "-", stdout=writer) as server:
        os.close(writer)
        (server.root / "file").write_text("12345")
        for _ in range(200):
            server.ask("/file", Referer="x" * 2000)
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        lines = 0
        with open(reader, "rb", buffering=0) as log:
            while piece := log.read(8192):
                lines += piece.count(b"\n")
                time.sleep(0.02)
        check(lines == 200, f"{lines} of 200 lines")


def check_what_would_wait() -> None:
    """A pipe without a reader, a key with a password, a descriptor that is no socket: said at once."""
    with tempfile.TemporaryDirectory(dir=".") as folder:
        pipe = folder + "/pipe"
        os.mkfifo(pipe)
        key = folder + "/key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-passout", "pass:secret", "-keyout", key,
                        "-out", folder + "/site", "-subj", "/CN=a"], check=True, capture_output=True)
        for saying, *options in (("nobody reads this pipe", "--access-log", pipe),
                                 ("--tls-key", "--tls-certificate", folder + "/site", "--tls-key", key)):
            ended = subprocess.run([PROGRAM, *SMALL, "--listen", "127.0.0.1:0", *NO_ADMIN, *options, folder],
                                   capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)
            check(ended.returncode == 1 and saying in ended.stderr, f"{options}: {ended.stderr}")
            check("pass phrase" not in ended.stderr, "no password is asked for")
        ended = subprocess.run(["bash", "-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@" 3</dev/null', "bash", PROGRAM,
                                *SMALL, *NO_ADMIN, folder], capture_output=True, text=True, timeout=20)
        check(ended.returncode == 1 and "no socket that listens" in ended.stderr, f"{ended.stderr}")
        with open(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)) as reader, serving("--access-log", pipe) as server:
            reader.close()
            server.process.send_signal(signal.SIGHUP)
            until(lambda: "is written on" in server.said(), "HUP does not wait for a reader")


def check_sockets() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/socket"
        with serving("--listen", f"unix:{path}", listen="127.0.0.1:0") as server:
            (server.root / "file").write_text("12345")
            with socket.socket(socket.AF_UNIX) as peer:
                peer.connect(path)
                peer.sendall(REQUEST.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
                check(receive_all(peer).endswith(b"12345"), "a unix path")
            second = subprocess.run([PROGRAM, *SMALL, "--listen", f"127.0.0.1:{server.port}", *NO_ADMIN,
                                     folder], capture_output=True, text=True)
            check(second.returncode == 1 and "another program listens there" in second.stderr, f"{second.stderr}")
        check(not pathlib.Path(path).exists(), "the path is removed at the end")
        # One that was killed leaves it behind.
        left = socket.socket(socket.AF_UNIX)
        left.bind(path)
        left.close()
        with serving("--listen", f"unix:{path}"):
            pass
        with serving("--listen", f"unix:{path}"):
            pathlib.Path(path).unlink()
            newer = socket.socket(socket.AF_UNIX)
            newer.bind(path)
        check(pathlib.Path(path).exists(), "the path of a newer server stays")
        newer.close()
        pathlib.Path(path).unlink()
        pathlib.Path(path).write_text("precious")
        refused = subprocess.run([PROGRAM, *SMALL, "--listen", f"unix:{path}", *NO_ADMIN, folder], capture_output=True,
                                 text=True, timeout=20)
        check(refused.returncode == 1 and "is in the way" in refused.stderr, f"{refused.stderr}")
        check(pathlib.Path(path).read_text() == "precious", "a file that is no socket stays")
        pathlib.Path(path).unlink()
        check_service_manager(folder)


def check_after_kill() -> None:
    """A server that was killed may be started again at once, on the same addresses, while the kernel still ends it."""
    ended = []
    with tempfile.TemporaryDirectory() as folder:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        for _ in range(20):
            server = subprocess.Popen([PROGRAM, *SMALL, "--listen", f"127.0.0.1:{port}", "--listen",
                                       f"unix:{folder}/socket", *NO_ADMIN, folder], stderr=subprocess.PIPE, text=True)
            said = server.stderr.readline()
            check("serving" in said, f"started right after a KILL: {said}")
            if "serving" in said:
                peers = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(50)]
                server.kill()
                for one in peers:
                    one.close()
            server.stderr.close()
            ended.append(server)
        for server in ended:
            server.wait(20)


def check_address_in_use() -> None:
    """Another program on the address is told at once, by its name, and so is an address given twice."""
    def refused(saying: str, *options: str) -> None:
        begun = time.monotonic()
        ended = subprocess.run([PROGRAM, *SMALL, *options, folder], capture_output=True, text=True, timeout=20)
        took = time.monotonic() - begun
        check(ended.returncode == 1 and saying in ended.stderr, f"{options}: {ended.returncode} {ended.stderr!r}")
        check(took < 1.5, f"{options}: told after {took:.1f} s")

    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as other, \
            socket.socket(socket.AF_UNIX) as at_path:
        port = other.getsockname()[1]
        at_path.bind(folder + "/socket")
        at_path.listen()
        mine = f"another program listens there: {pathlib.Path('/proc/self/comm').read_text().strip()}, process " \
               f"{os.getpid()}"
        refused(mine, "--listen", f"127.0.0.1:{port}", *NO_ADMIN)
        refused(mine, "--listen", f":{port}", *NO_ADMIN)
        refused(mine, "--listen", f"unix:{folder}/socket", *NO_ADMIN)
        refused(mine, "--listen", "127.0.0.1:0", "--admin", f"127.0.0.1:{port}")
        other.close()
        at_path.close()
        free = f"127.0.0.1:{port}"
        for options in (("--listen", free, "--listen", free, *NO_ADMIN), ("--listen", free, "--admin", free),
                        ("--listen", f":{port}", "--listen", f"[::]:{port}", *NO_ADMIN),
                        ("--listen", f"unix:{folder}/a", "--listen", f"unix:{folder}/a", *NO_ADMIN)):
            refused("is given twice", *options)
        refused("another address given covers it", "--listen", f":{port}", "--listen", free, *NO_ADMIN)


def check_service_manager(folder: str) -> None:
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(folder + "/notify")
    manager.settimeout(20)
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    # LISTEN_PID is the program's own: a shell that becomes it knows.
    script = f'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@" 3<&{listening.fileno()}'
    server = subprocess.Popen(["bash", "-c", script, "bash", PROGRAM, *SMALL, *NO_ADMIN, folder],
                              env={**os.environ, "NOTIFY_SOCKET": folder + "/notify"},
                              pass_fds=[listening.fileno()], stderr=subprocess.DEVNULL)
    try:
        check(manager.recv(1000) == b"READY=1", "READY=1")
        listening.close()
        pathlib.Path(folder, "file").write_text("12345")
        with socket.create_connection(("127.0.0.1", port), timeout=20) as peer:
            peer.sendall(REQUEST.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            check(receive_all(peer).endswith(b"12345"), "a socket that was passed on")
        server.send_signal(signal.SIGHUP)
        check(manager.recv(1000).startswith(b"RELOADING=1\nMONOTONIC_USEC="), "RELOADING=1")
        check(manager.recv(1000) == b"READY=1", "READY=1 again")
        server.send_signal(signal.SIGTERM)
        check(manager.recv(1000) == b"STOPPING=1", "STOPPING=1")
        check(server.wait(20) == 0, "it ends")
    finally:
        server.kill()
        server.wait()


def check_proxy_protocol() -> None:
    signature = b"\r\n\r\n\0\r\nQUIT\n"
    header = signature + bytes([0x21, 0x11]) + struct.pack(">H", 12) + bytes([10, 1, 2, 3, 127, 0, 0, 1]) + \
        struct.pack(">HH", 1234, 80)
    local = signature + bytes([0x20, 0x00, 0, 0])
    request = REQUEST.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with tempfile.TemporaryDirectory(dir=".") as folder:
        log = pathlib.Path(folder).resolve() / "log"
        with serving("--proxy-protocol", "--access-log", str(log)) as server:
            (server.root / "file").write_text("12345")
            check(server.raw(header + request).endswith(b"12345"), "a proxied request")
            check(server.raw(local + request).endswith(b"12345"), "the proxy's own")
            check(server.raw(request) == b"", "without the header nothing is answered")
            until(lambda: log.read_text().count("\n") == 2, "two lines")
            check(sorted(line.split()[0] for line in log.read_text().splitlines()) == ["10.1.2.3", "127.0.0.1"],
                  log.read_text())


def check_limit_of_proxied() -> None:
    """Connections count before the proxy has said whose they are; one shard meets them in their order."""
    with serving("--proxy-protocol", "--max-connections", "3", "--shards", "1") as server:
        silent = [server.socket() for _ in range(3)]
        check(server.raw(b"").startswith(b"HTTP/1.1 503"), "the fourth")
        for one in silent:
            one.close()
        local = b"\r\n\r\n\0\r\nQUIT\n" + bytes([0x20, 0x00, 0, 0])
        request = b"GET /none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        for _ in range(5):
            until(lambda: server.raw(local + request).startswith(b"HTTP/1.1 404"), "there is room again")


def check_closed_streams() -> None:
    """Where standard streams are closed, nothing is written into what would have got their numbers."""
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "file").write_text("12345")
        for closed in ("2>&-", "1>&-", "0<&- 1>&- 2>&-"):
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            server = subprocess.Popen(["bash", "-c", f'exec "$@" {closed}', "bash", PROGRAM, *SMALL, "--listen",
                                       f"127.0.0.1:{port}", *NO_ADMIN, "--access-log", folder + "/log", folder],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL)
            try:
                until(lambda: not refuses(port), f"it serves with {closed}")
                opened = {os.readlink(f"/proc/{server.pid}/fd/{one}") for one in range(3)}
                check(opened == {"/dev/null"}, f"with {closed}, the standard streams are {opened}")
                server.terminate()
                check(server.wait(20) == 0, f"it ends with {closed}")
            finally:
                server.kill()
                server.wait()


def check_root() -> None:
    """A root that disappears, and one that is replaced by another."""
    with tempfile.TemporaryDirectory(dir=".") as folder:
        whole = pathlib.Path(folder).resolve()
        (whole / "1").mkdir()
        (whole / "2").mkdir()
        (whole / "1/file").write_text("one")
        (whole / "2/file").write_text("two")
        link = whole / "now"
        link.symlink_to("1")
        with serving(root=link) as server:
            check(server.ask("/file")[1] == b"one", "the root")
            link.unlink()
            time.sleep(1.1)
            check(server.ask("/file")[0].status in (200, 404, 503), "a root that has gone")
            link.symlink_to("2")
            time.sleep(2.2)
            check(server.ask("/file")[1] == b"two", "a root that was replaced")


def main() -> None:
    check_drain()
    check_second_term()
    check_logs()
    check_unread_log()
    check_slow_log()
    check_log_of_a_crowd()
    check_what_would_wait()
    check_sockets()
    check_after_kill()
    check_address_in_use()
    check_proxy_protocol()
    check_limit_of_proxied()
    check_root()
    check_closed_streams()
    finish()


if __name__ == "__main__":
    main()
