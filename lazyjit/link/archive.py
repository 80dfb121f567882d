"""Static archives: files of object files, with an index from symbols to members.

An archive is a magic line, then members, each a 60-byte header of ASCII fields and its bytes, at
even offsets. Three variations on that are in use:

  names    up to 15 characters stand in the header (GNU: ended by "/"). Longer ones stand in a
           member named "//" (GNU: the header has "/offset"), or before the data (BSD: "#1/length")
  index    a first member named "/" or "/SYM64/" (GNU: big-endian counts and offsets), or
           "__.SYMDEF" (BSD: little-endian pairs). Without one, the members' symbol tables are read
  thin     the magic is "!<thin>": members are files beside the archive, named relative to it. One
           that was in an archive has the archive's name, and where in it: "/offset:header"

A member is read when it is asked for. An `Archive` may be used by any thread.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Iterator
from os import PathLike, fspath
from pathlib import Path
from typing import NamedTuple

from lazyjit._native import ffi, lib
from lazyjit.errors import ArchiveFormatError, LibraryNotFound
from lazyjit.symbols import decode_name, encode_name

__all__ = ["Archive", "Member", "is_archive"]

MAGIC, THIN_MAGIC = b"!<arch>\n", b"!<thin>\n"
HEADER_SIZE = 60
GNU_INDEXES = (b"/", b"/SYM64/")
BSD_INDEXES = (b"__.SYMDEF", b"__.SYMDEF SORTED", b"__.SYMDEF_64", b"__.SYMDEF_64 SORTED")


def is_archive(data: bytes) -> bool:
    """Whether these bytes start as an archive does, regular or thin."""
    return data[:8] in (MAGIC, THIN_MAGIC)


class Member(NamedTuple):
    """One file in an archive. `offset` is its header's, and tells members apart."""

    name: str
    offset: int
    data: bytes


class _Header(NamedTuple):
    name: bytes
    start: int  # of the data
    size: int
    after: int  # offset of the next header


class Archive:
    """An archive's members, by symbol. Raises `ArchiveFormatError` when malformed."""

    def __init__(
        self,
        source: str | PathLike[str] | bytes,
        *,
        file: str | None = None,
        path: str | PathLike[str] | None = None,
    ) -> None:
        """`source` is a path or the archive's bytes, `file` its name in errors. A thin archive
        needs its `path`, which bytes may come with. Raises `OSError` when it can't be read.
        """
        if isinstance(source, bytes):
            self._data = source
        else:
            path = source
            with open(path, "rb") as opened:  # noqa: PTH123  # Path("") would be "."
                self._data = opened.read()
            file = file or fspath(path)
        self._directory = None if path is None else Path(path).parent
        self.file = file
        if not is_archive(self._data):
            raise self._malformed("not an archive")
        #: Members are files beside the archive.
        self.thin = self._data[:8] == THIN_MAGIC
        self._lock = threading.Lock()
        self._members: dict[int, Member] = {}
        #: Archives that a thin one refers to, by the name that it has for them.
        self._nested: dict[str, Archive] = {}
        self._long_names = b""
        self._offsets: dict[str, int] | None = self._read_front()

    # -- asking --------------------------------------------------------------------------------

    def member_for(self, symbol: str) -> Member | None:
        """The first member that defines `symbol`, or None. Raises `LibraryNotFound` when a thin
        archive's file is missing.
        """
        offset = self._index().get(symbol)
        return None if offset is None else self._member_at(offset)

    @property
    def symbols(self) -> list[str]:
        """Every name of the index."""
        return list(self._index())

    def __contains__(self, symbol: str) -> bool:
        """Whether a member defines `symbol`."""
        return symbol in self._index()

    def members(self) -> Iterator[Member]:
        """Every member, in order; the index and the names are not members."""
        at = len(MAGIC)
        while at < len(self._data):
            header = self._header(at)
            if not self._is_special(header.name):
                yield self._member_at(at)
            at = header.after

    # -- the format ----------------------------------------------------------------------------

    def _malformed(self, reason: str) -> ArchiveFormatError:
        return ArchiveFormatError(reason, file=self.file)

    @staticmethod
    def _is_special(name: bytes) -> bool:
        return name == b"//" or name in GNU_INDEXES or name in BSD_INDEXES

    def _header(self, at: int) -> _Header:
        """The header at an offset, checked; a BSD long name is part of it."""
        raw = self._data[at : at + HEADER_SIZE]
        if len(raw) < HEADER_SIZE or raw[58:] != b"`\n":
            raise self._malformed(f"no member header at offset {at:#x}")
        name, digits = raw[:16].rstrip(b" "), raw[48:58].rstrip(b" ")
        if not digits.isdigit():
            raise self._malformed(f"the member at offset {at:#x} has no size")
        start, size = at + HEADER_SIZE, int(digits)
        stored = not self.thin or name == b"//" or name in GNU_INDEXES
        if stored and size > len(self._data) - start:
            raise self._malformed(f"the member at offset {at:#x} lies outside of the file")
        after = start + (size + (size & 1) if stored else 0)
        if name.startswith(b"#1/"):
            length = name[3:]
            if not length.isdigit() or int(length) > size:
                raise self._malformed(f"the member at offset {at:#x} has a bad name length")
            start, size = start + int(length), size - int(length)
            name = self._data[start - int(length) : start].rstrip(b"\0")
        return _Header(name, start, size, after)

    def _read_front(self) -> dict[str, int] | None:
        """The index, when there is one, and the table of long names: both come first."""
        at, offsets = len(MAGIC), None
        while at < len(self._data):
            header = self._header(at)
            body = self._data[header.start : header.start + header.size]
            if header.name in GNU_INDEXES and offsets is None:
                offsets = self._gnu_index(body, ">Q" if header.name == b"/SYM64/" else ">I")
            elif header.name in BSD_INDEXES and offsets is None:
                offsets = self._bsd_index(body, "<Q" if b"_64" in header.name else "<I")
            elif header.name == b"//":
                self._long_names = body
            elif header.name not in GNU_INDEXES:  # COFF archives have two named "/"
                break
            at = header.after
        return offsets

    def _gnu_index(self, body: bytes, word: str) -> dict[str, int]:
        """A count, so many offsets of headers, so many names."""
        size = struct.calcsize(word)
        if len(body) < size:
            raise self._malformed(f"an index of {len(body)} bytes")
        count = struct.unpack_from(word, body)[0]
        if count > len(body) // (size + 1):
            raise self._malformed(f"an index of {count} symbols in {len(body)} bytes")
        offsets = struct.unpack_from(f">{count}{word[1]}", body, size)
        names = body[size * (count + 1) :].split(b"\0", count)
        if len(names) <= count:
            raise self._malformed("the index ends inside its names")
        table: dict[str, int] = {}
        for raw, offset in zip(names, offsets, strict=False):
            table.setdefault(decode_name(raw), offset)
        return table

    def _bsd_index(self, body: bytes, word: str) -> dict[str, int]:
        """Bytes of pairs {place of the name, offset of the header}, the pairs, the names."""
        size = struct.calcsize(word)
        pairs = struct.unpack_from(word, body)[0] if len(body) >= size else 0
        if pairs % (2 * size) or pairs + 2 * size > len(body):
            raise self._malformed(f"an index of {pairs} bytes of pairs in {len(body)} bytes")
        values = struct.unpack_from(f"<{pairs // size}{word[1]}", body, size)
        names = body[pairs + 2 * size :]
        table: dict[str, int] = {}
        for place, offset in zip(values[::2], values[1::2], strict=True):
            end = names.find(b"\0", place)
            if end < 0:
                raise self._malformed("a name of the index lies outside of its names")
            table.setdefault(decode_name(names[place:end]), offset)
        return table

    def _index(self) -> dict[str, int]:
        if self._offsets is None:
            table: dict[str, int] = {}
            for member in self.members():
                for name in _defined_names(member.data):
                    table.setdefault(name, member.offset)
            self._offsets = table
        return self._offsets

    def _long_name(self, place: bytes) -> bytes:
        """The name at a place in the table: GNU ends it by "/" and newline."""
        start = int(place)
        ends = [self._long_names.find(mark, start) for mark in (b"/\n", b"\n", b"\0")]
        ends = [end for end in ends if end >= 0]
        if start >= len(self._long_names) or not ends:
            raise self._malformed(f"a long name at {start} of {len(self._long_names)} bytes")
        return self._long_names[start : min(ends)]

    def _member_at(self, at: int) -> Member:
        with self._lock:
            member = self._members.get(at)
        if member is not None:
            return member
        header = self._header(at)
        name, place, inner = header.name, header.name[1:], b""
        if self.thin:
            place, _, inner = place.partition(b":")
        if name[:1] == b"/" and place.isdigit():
            name = self._long_name(place)
        elif name.endswith(b"/"):
            name = name[:-1]
        if inner:
            member = self._within(decode_name(name), inner)._replace(offset=at)
        elif self.thin:
            member = Member(decode_name(name), at, self._beside(self._path_of(decode_name(name))))
        else:
            data = self._data[header.start : header.start + header.size]
            member = Member(decode_name(name), at, data)
        with self._lock:
            return self._members.setdefault(at, member)

    def _within(self, name: str, place: bytes) -> Member:
        """A member of another archive, which this one refers to."""
        if not place.isdigit():
            raise self._malformed(f"a member within {name} has a bad place")
        with self._lock:
            nested = self._nested.get(name)
        if nested is None:
            path = self._path_of(name)
            nested = Archive(self._beside(path), path=path, file=str(path))
            with self._lock:
                self._nested[name] = nested
        if nested.thin:  # ar would have referred to the file itself; and circles end here
            raise self._malformed(f"{name} within it is thin itself")
        return nested._member_at(int(place))

    def _path_of(self, name: str) -> Path:
        if self._directory is None:
            raise self._malformed("a thin archive must be given as a path")
        return self._directory / encode_name(name).decode("utf-8", "surrogateescape")

    def _beside(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except (OSError, ValueError) as reason:
            words = reason.strerror if isinstance(reason, OSError) else str(reason)
            raise LibraryNotFound(f"{self.file}: member {path}: {words}") from None


def _defined_names(data: bytes) -> list[str]:
    """What an index would say of a member; nothing for what isn't an x86-64 object."""
    out = ffi.new("lj_graph **")
    source = ffi.from_buffer(data)
    status = lib.lj_graph_scan(ffi.cast("uint8_t *", source), len(source), out)
    if out[0] == ffi.NULL:
        raise MemoryError("no memory to read an archive's member")
    try:
        graph = out[0]
        if status or not graph.defined_count:
            return []
        blob = ffi.unpack(graph.names, graph.names_size)
        return [decode_name(name) for name in blob.split(b"\0")[: graph.defined_count]]
    finally:
        lib.lj_graph_free(out[0])
