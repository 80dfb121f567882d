"""jitdump: a file with the JIT'd code itself, for `perf inject`.

    $ perf record -k mono -e cpu-clock python program.py
    $ perf inject --jit -i perf.data -o jitted.data
    $ perf report -i jitted.data                       (or annotate: instructions and lines)

The file `jit-PID.dump` is a header and a sequence of records, each with a time stamp of the
monotonic clock, which is why perf has to record by it (`-k mono`):

    JIT_CODE_LOAD         a function: name, address, and its bytes
    JIT_CODE_DEBUG_INFO   ... its lines; comes right before
    JIT_CODE_CLOSE        the end

`perf inject` makes an ELF file of each function and has the recording say that it was mapped at the
function's address at that time. So it works in any memory, survives the reuse of addresses, and
knows nothing of /tmp/perf-PID.map. How perf finds the file: see `native/plugin_perf.h`.

There is one dump for a process and folder, which lasts as long as the process; whoever writes into
that folder shares it. Records of one link are written by one system call. A child of fork has a
dump of its own, for whoever writes there next.
"""

from __future__ import annotations

import atexit
import os
import platform
import struct
import tempfile
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from lazyjit import forking
from lazyjit._native import check, lib, new_fault
from lazyjit.errors import ResourceError
from lazyjit.layers.plugins.line_table import Line

__all__ = ["Dump", "DumpedFunction", "open_dump"]

MAGIC, VERSION = 0x4A695444, 1
LOAD, DEBUG_INFO, CLOSE = 0, 2, 3

#: magic, version, size, machine, padding, process, time, flags
HEADER = struct.Struct("<IIIIIIQQ")
#: kind, size of the whole record, time
PREFIX = struct.Struct("<IIQ")
#: process, thread, address (twice: where it runs and where it is), size, index
CODE = struct.Struct("<IIQQQQ")
#: address, number of entries; then for each: address, line, discriminator, name
LINES = struct.Struct("<QQ")
LINE = struct.Struct("<QII")

_MACHINES = {"x86_64": 62, "aarch64": 183}


class DumpedFunction(NamedTuple):
    """A function in memory."""

    name: str
    address: int
    code: bytes
    #: Rows within the function, by address.
    lines: Sequence[Line] = ()


class Dump:
    """An open dump. Any thread; see `open_dump`."""

    def __init__(self, folder: Path) -> None:
        """Makes the file in `folder` and marks it for perf. Raises ResourceError."""
        self.pid = os.getpid()
        self.path = folder / f"jit-{self.pid}.dump"
        self._lock = threading.Lock()
        self._index = 0
        try:
            # What is left of an earlier process of this number goes. In a folder that others can
            # write to, their file or link of that name is not followed.
            self.path.unlink(missing_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            self._file = os.open(self.path, flags, 0o600)
        except OSError as error:
            words = f"can't make {self.path}: {error.strerror}"
            raise ResourceError(words, errno=error.errno) from error
        machine = _MACHINES.get(platform.machine(), 0)
        self._write(
            HEADER.pack(MAGIC, VERSION, HEADER.size, machine, 0, self.pid, time.monotonic_ns(), 0)
        )
        fault = new_fault()
        try:
            check(lib.lj_perf_mark(self._file, fault), fault)
        except BaseException:
            os.close(self._file)
            self.path.unlink(missing_ok=True)
            raise

    def add(self, functions: Iterable[DumpedFunction]) -> None:
        """Write records for `functions`, in memory from now on. Raises ResourceError."""
        thread = threading.get_native_id()
        with self._lock:
            if self._file < 0:
                return
            now = time.monotonic_ns()
            parts: list[bytes] = []
            for name, address, code, lines in functions:
                if lines:
                    parts += _debug_info(now, address, lines)
                raw = name.encode("utf-8", "surrogateescape") + b"\0"
                size = PREFIX.size + CODE.size + len(raw) + len(code)
                parts.append(PREFIX.pack(LOAD, size, now))
                parts.append(CODE.pack(self.pid, thread, address, address, len(code), self._index))
                parts += (raw, code)
                self._index += 1
            self._write(b"".join(parts))

    def close(self) -> None:
        """Write the end. Twice is fine."""
        with self._lock:
            if self._file >= 0 and os.getpid() == self.pid:
                self._write(PREFIX.pack(CLOSE, PREFIX.size, time.monotonic_ns()))
            self._forget_locked()

    def _forget_locked(self) -> None:
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)

    def _write(self, data: bytes) -> None:
        try:
            while data:
                data = data[os.write(self._file, data) :]
        except OSError as error:
            words = f"can't write {self.path}: {error.strerror}"
            raise ResourceError(words, errno=error.errno) from error


def _debug_info(now: int, address: int, lines: Sequence[Line]) -> list[bytes]:
    entries = []
    for row in lines:
        entries.append(LINE.pack(row.address, row.line, 0))
        entries.append(row.file.encode("utf-8", "surrogateescape") + b"\0")
    body = b"".join(entries)
    size = PREFIX.size + LINES.size + len(body)
    return [PREFIX.pack(DEBUG_INFO, size, now), LINES.pack(address, len(lines)), body]


class _Dumps:
    """The process's dumps, by folder."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[Path, Dump] = {}
        forking.join(forking.Phase.MEMORY, self)
        atexit.register(self.close)

    def open(self, folder: Path) -> Dump:
        with self._lock:
            dump = self._open.get(folder)
            if dump is None:
                dump = self._open[folder] = Dump(folder)
            return dump

    def close(self) -> None:
        with self._lock:
            for dump in self._open.values():
                dump.close()

    def before_fork(self) -> None:
        self._lock.acquire()
        for dump in self._open.values():
            dump._lock.acquire()

    def after_fork(self, in_child: bool) -> None:
        for dump in self._open.values():
            if in_child:
                dump._forget_locked()
            dump._lock.release()
        if in_child:
            self._open.clear()
        self._lock.release()


_dumps = _Dumps()


def open_dump(folder: str | os.PathLike[str] | None = None) -> Dump:
    """This process's dump in `folder`; a new one if there is none yet.

    The default is the environment's JITDUMPDIR, or the system's folder for temporary files. `perf
    inject` puts its ELF files there too. Any thread. Raises ResourceError, also when the file
    system is mounted noexec: perf learns of the file from an executable mapping.
    """
    chosen = folder or os.environ.get("JITDUMPDIR") or tempfile.gettempdir()
    return _dumps.open(Path(chosen).resolve())
