"""A FUSE file system inside the test's own process, which answers as the test tells it and counts what it is asked."""

import ctypes
import dataclasses
import errno
import os
import pathlib
import stat
import struct
import threading

from support.fault import Scratch, need_root, silently, skip

FORGET, BATCH_FORGET, INTERRUPT, DESTROY = 2, 42, 36, 38
LOOKUP, GETATTR, OPEN, READ, STATFS, RELEASE, FLUSH, INIT = 1, 3, 14, 15, 17, 18, 25, 26
DIRECT_IO = 1
# Several reads at once, also direct ones, and names while a folder is read; new times drop cached pages.
WANTED = 1 << 0 | 1 << 12 | 1 << 15 | 1 << 18
ROOT = 1


@dataclasses.dataclass
class Content:
    """A file as the server has it."""

    node: int
    bytes: bytes
    mtime_ns: int = 1_600_000_000_000_000_001
    ctime_ns: int = 1_600_000_000_000_000_001
    links: int = 1


class FuseFiles:
    """Serves flat files: `most` bytes a read, attributes that the kernel may keep for `attributes_s` seconds."""

    def __init__(self, here: Scratch, name="fuse", most=1 << 30, direct_io=True, attributes_s=1) -> None:
        need_root("mounts file systems")
        self.most, self.direct_io, self.attributes_s = most, direct_io, attributes_s
        self.files = {}
        self.counts = {}
        self.where = here.make_folder(name)
        try:
            self.device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        except OSError as failure:
            skip(f"/dev/fuse cannot be used here: {failure}")
        here.callback(os.close, self.device)
        libc = ctypes.CDLL(None, use_errno=True)
        options = f"fd={self.device},rootmode=40000,user_id=0,group_id=0,allow_other"
        where = os.fsencode(self.where)
        if libc.mount(b"leat-test", where, b"fuse", ctypes.c_ulong(2 | 4), options.encode()) != 0:
            skip(f"no FUSE can be mounted here: {os.strerror(ctypes.get_errno())}")
        here.callback(silently, "umount", "--lazy", self.where)
        # First of all undone: who waits for an answer is released.
        here.callback(silently, "umount", "--force", self.where)
        threading.Thread(target=self.serve, daemon=True).start()

    def add(self, name: str, content: bytes) -> pathlib.Path:
        self.files[name] = Content(len(self.files) + 2, content)
        return self.where / name

    def count(self, what: int) -> int:
        return self.counts.get(what, 0)

    def of(self, node: int) -> Content | None:
        return next((one for one in self.files.values() if one.node == node), None)

    def serve(self) -> None:
        while True:
            try:
                message = os.read(self.device, 1 << 20)
            except OSError as failure:
                if failure.errno in (errno.EINTR, errno.ENOENT, errno.EAGAIN):
                    continue
                return  # unmounted
            _, code, unique, node, *_ = struct.unpack_from("<IIQQIIII", message)
            if code in (FORGET, BATCH_FORGET, INTERRUPT):
                continue
            self.counts[code] = self.counts.get(code, 0) + 1
            self.reply(unique, code, node, message[40:])
            if code == DESTROY:
                return

    def reply(self, unique: int, code: int, node: int, body: bytes) -> None:
        answer = self.answer(code, node, body)
        error, body = (-answer, b"") if isinstance(answer, int) else (0, answer)
        try:
            os.write(self.device, struct.pack("<IiQ", 16 + len(body), error, unique) + body)
        except OSError:
            pass  # nobody waits any more

    def answer(self, code: int, node: int, body: bytes):
        """The body of an answer, or an errno."""
        if code == INIT:
            _, minor, readahead, flags = struct.unpack_from("<IIII", body)
            return struct.pack(
                "<IIIIHHIIHHI28x", 7, min(minor, 31), readahead, flags & WANTED, 16, 12, 1 << 17, 1, 256, 0, 0
            )
        if code == LOOKUP:
            found = self.files.get(os.fsdecode(body[:-1]))
            if found is None:
                return errno.ENOENT
            valid = self.attributes_s
            return struct.pack("<QQQQII", found.node, 0, valid, valid, 0, 0) + self.attributes(found.node)
        if code == GETATTR:
            return struct.pack("<QII", self.attributes_s, 0, 0) + self.attributes(node)
        if code == OPEN:
            return struct.pack("<QII", node, DIRECT_IO if self.direct_io else 0, 0)
        if code == READ:
            _, offset, size = struct.unpack_from("<QQI", body)
            return self.of(node).bytes[offset : offset + min(size, self.most)]
        if code == STATFS:
            return struct.pack("<QQQQQIIII24x", 0, 0, 0, 0, 0, 4096, 255, 4096, 0)
        return b"" if code in (RELEASE, FLUSH, DESTROY) else errno.ENOSYS

    def attributes(self, node: int) -> bytes:
        of = self.of(node) or Content(node, b"")
        mode = stat.S_IFDIR | 0o755 if node == ROOT else stat.S_IFREG | 0o444
        times = [divmod(time, 10**9) for time in (0, of.mtime_ns, of.ctime_ns)]
        seconds, nanoseconds = [time[0] for time in times], [time[1] for time in times]
        return struct.pack(
            "<QQQQQQIIIIIIIIII",
            *(node, len(of.bytes), 0, *seconds, *nanoseconds, mode, of.links, 0, 0, 0, 4096, 0),
        )
