"""Linux perf: samples in JIT'd code get the names of its functions.

    with lazyjit.JIT(perf_support=True) as jit: ...

    $ perf record -e cpu-clock python program.py; perf report

There are two ways, and the option takes both:

**The map** (`PerfMap`): `/tmp/perf-PID.map` has a line `START SIZE name` for each function, and
perf looks there for addresses that lie in no file. What it takes for "no file" is its own:
anonymous memory, and mappings that are called `/dev/zero`, but not memfds, which is what a
session's code usually lies in. So the arena has to be of the kind `ArenaKind.PROFILED` (JIT's
option sees to it; a session with `debugger_support` can't have both). The file has no times: where
an address was used twice, samples go to whichever name perf finds.

**The dump** (`JitDump`): see `lazyjit.layers.plugins.jitdump`. Works in any arena, knows times,
instructions and lines, and needs `perf record -k mono` and `perf inject --jit`.

Each costs one system call for a link, and reading the object's symbols; the dump also copies code,
and reads line tables if there are any, which takes about as long as linking did.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lazyjit._native import ffi
from lazyjit.errors import ResourceError
from lazyjit.layers.plugins.addresses import Function, functions, symbol_addresses
from lazyjit.layers.plugins.elf import ElfObject
from lazyjit.layers.plugins.jitdump import DumpedFunction, open_dump
from lazyjit.layers.plugins.keeping import KeepingPlugin, ObjectKeepingPlugin
from lazyjit.layers.plugins.line_table import Line, line_table

if TYPE_CHECKING:
    from lazyjit.core import MaterializationResponsibility
    from lazyjit.link.graph import LinkGraph
    from lazyjit.link.passes import PassConfiguration

__all__ = ["JitDump", "PerfMap"]

#: perf looks nowhere else.
_FOLDER = Path("/tmp")


class PerfMap(KeepingPlugin[list[Function]]):
    """Writes `/tmp/perf-PID.map`. Any thread.

    Raises ResourceError, when it is made or at a link, if the file can't be written. Other writers
    of this process (CPython's own perf support) may append to the same file.
    """

    def __init__(self) -> None:
        super().__init__()
        self._file = _open_map()

    @property
    def path(self) -> Path:
        """The file's path."""
        return _FOLDER / f"perf-{os.getpid()}.map"

    def modify_pass_config(
        self,
        responsibility: MaterializationResponsibility,
        graph: LinkGraph,
        config: PassConfiguration,
    ) -> None:
        """See `Plugin`."""
        self.keep(config, functions)

    def begin(self, item: list[Function]) -> None:
        """Write the functions' lines."""
        _append(self._file, item)

    def after_fork(self, in_child: bool) -> None:
        """A child has another number, and so another file."""
        super().after_fork(in_child)
        if in_child:
            os.close(self._file)
            self._file = -1
            self._file = _open_map()
            for item in self.kept():
                _append(self._file, item)

    def __del__(self) -> None:
        file, self._file = getattr(self, "_file", -1), -1  # another finalizer may still use it
        if file >= 0:
            os.close(file)


def _open_map() -> int:
    path = _FOLDER / f"perf-{os.getpid()}.map"
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.open(path, flags, 0o600)
        found = os.fstat(file)
        if found.st_uid != os.geteuid():
            os.close(file)
            raise ResourceError(f"{path} belongs to somebody else")
        if found.st_mtime < Path("/proc/self").stat().st_ctime:
            os.ftruncate(file, 0)  # of an earlier process of this number
    except OSError as error:
        words = f"can't write {path}: {error.strerror}"
        raise ResourceError(words, errno=error.errno) from error
    return file


def _append(file: int, found: Sequence[Function]) -> None:
    # A name ends at its line's end; perf takes blanks as they are.
    text = "".join(
        f"{address:x} {size:x} {name.translate(_NO_BREAKS)}\n" for name, address, size in found
    )
    data = text.encode("utf-8", "surrogateescape")
    try:
        while data:
            data = data[os.write(file, data) :]
    except OSError as error:
        raise ResourceError(
            f"can't write a perf map: {error.strerror}", errno=error.errno
        ) from error


_NO_BREAKS = {ord("\n"): " ", ord("\r"): " ", 0: " "}


class _Dumped:
    """A link's functions, and what is to be written of them."""

    __slots__ = ("functions", "lines")

    def __init__(self, functions: list[Function], lines: list[list[Line]]) -> None:
        self.functions = functions
        self.lines = lines

    def records(self) -> list[DumpedFunction]:
        return [
            DumpedFunction(name, address, code_of(address, size), rows)
            for (name, address, size), rows in zip(self.functions, self.lines, strict=True)
        ]


class JitDump(ObjectKeepingPlugin[_Dumped]):
    """Writes a dump for `perf inject --jit`. Any thread.

    `folder` as in `open_dump`; without `lines`, line tables are not read. Raises ResourceError,
    when it is made or at a link, if the file can't be written. A line table that can't be read
    fails its link with ObjectFormatError.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None, *, lines: bool = True) -> None:
        super().__init__()
        self._folder = folder
        self._lines = lines
        self._dump = open_dump(folder)

    @property
    def path(self) -> Path:
        """The file's path."""
        return self._dump.path

    def wants(self, elf: ElfObject) -> bool:
        """Those that have lines."""
        return self._lines and bool(elf.named(".debug_line"))

    def modify_pass_config(
        self,
        responsibility: MaterializationResponsibility,
        graph: LinkGraph,
        config: PassConfiguration,
    ) -> None:
        """See `Plugin`: addresses are taken when all are known."""
        elf = self.object_of(responsibility)

        def make(graph: LinkGraph) -> _Dumped:
            rows = _Rows([] if elf is None else object_lines(elf, graph))
            found = functions(graph)
            return _Dumped(found, [rows.of(address, size) for _, address, size in found])

        self.keep(config, make)

    def begin(self, item: _Dumped) -> None:
        """Write it. What is kept, for a child of fork, is names and places."""
        self._dump.add(item.records())
        item.lines = [[] for _ in item.functions]

    def after_fork(self, in_child: bool) -> None:
        """A child has a dump of its own, with the code that it starts with (but not its lines)."""
        super().after_fork(in_child)
        if in_child:
            self._dump = open_dump(self._folder)
            for item in self.kept():
                self._dump.add(item.records())


def code_of(address: int, size: int) -> bytes:
    """What is in memory there."""
    return bytes(ffi.buffer(ffi.cast("char *", address), size))


def object_lines(elf: ElfObject, graph: LinkGraph) -> list[Line]:
    """The rows of all line tables of an object, with addresses of its link."""
    symbols = symbol_addresses(graph)
    strings = [b"".join(elf.plain(i) or b"" for i in elf.named(name)) for name in _STRINGS]
    rows: list[Line] = []
    for number in elf.named(".debug_line"):
        program = elf.relocated(number, symbols)
        if program is not None:
            rows += line_table(program, *strings, object_file=elf.file)
    return rows


_STRINGS = (".debug_line_str", ".debug_str")


class _Rows:
    """Rows to be asked for by address."""

    def __init__(self, rows: list[Line]) -> None:
        self._rows = sorted((row for row in rows if row.line and not row.end), key=_address)
        self._starts = [row.address for row in self._rows]

    def of(self, address: int, size: int) -> list[Line]:
        """Those of the instructions from `address` on."""
        starts = self._starts
        return self._rows[bisect_left(starts, address) : bisect_left(starts, address + size)]


def _address(row: Line) -> int:
    return row.address
