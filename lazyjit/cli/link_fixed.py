"""Programs for fixed positions (`-fno-pic`), which hold absolute addresses of 32 bits.

Such an object has to be below 2 GiB, and so does whatever it refers to directly, be that the C
library's. A linker that writes files answers with two tricks of the dynamic loader's, and this one
plays them in its own process:

- a *stub* stands for a function: a jump to it, from below 2 GiB, whose address is the function's
  for the whole program (the loader's word: a canonical PLT entry).
- a *copy* stands for a variable, `stdout` or `environ`: the bytes move to where the program can
  reach them. Every library that refers to the variable does so through a pointer in its own data,
  which is made to point to the copy before the program starts (a copy relocation).

Both are link graphs made by hand, when a lookup needs them. They are in a dylib of their own, which
all others find before the process's symbols.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import struct
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from lazyjit.errors import LibraryNotFound

__all__ = ["ProcessBelow", "load", "needs_fixed_position"]

# -- which objects ---------------------------------------------------------------------------------

_SECTION = struct.Struct("<IIQQQQIIQQ")
_RELA, _ALLOC, _RELA_SIZE = 4, 2, 24
_ABSOLUTE_32 = (10, 11)  # R_X86_64_32, R_X86_64_32S


def needs_fixed_position(data: bytes) -> bool:
    """Whether an x86-64 object has absolute addresses of 32 bits in what is loaded.

    False for what is malformed: the reader tells what is wrong with it.
    """
    if len(data) < 64 or data[4:6] != b"\x02\x01" or data[18:20] != b"\x3e\0":
        return False
    start, count = int.from_bytes(data[40:48], "little"), int.from_bytes(data[60:62], "little")
    end = start + count * _SECTION.size
    if end > len(data):
        return False
    sections = list(_SECTION.iter_unpack(data[start:end]))
    for _, kind, _, _, offset, size, _, target, _, _ in sections:
        if kind == _RELA and target < count and sections[target][2] & _ALLOC:
            kinds = data[offset + 8 : offset + size : _RELA_SIZE]  # the low byte of each r_info
            if any(each in kinds for each in _ABSOLUTE_32):
                return True
    return False


# -- what the process has --------------------------------------------------------------------------


class _DLInfo(ctypes.Structure):
    _fields_ = (
        ("file", ctypes.c_char_p),
        ("base", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
    )


class _ELFSymbol(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_uint32),
        ("info", ctypes.c_uint8),
        ("other", ctypes.c_uint8),
        ("section", ctypes.c_uint16),
        ("value", ctypes.c_uint64),
        ("size", ctypes.c_uint64),
    )


class _LinkMap(ctypes.Structure):
    _fields_ = (
        ("base", ctypes.c_uint64),
        ("file", ctypes.c_char_p),
        ("dynamic", ctypes.c_uint64),
    )


_DL_SYMENT, _DL_LINKMAP = 1, 2
_NOTYPE, _OBJECT, _TLS = 0, 1, 6  # STT_NOTYPE, STT_OBJECT, STT_TLS


def _at(address: int, what: int, kind: Any) -> tuple[_DLInfo, Any]:
    """What the loader knows of an address, with one thing more, or None."""
    info, more = _DLInfo(), ctypes.POINTER(kind)()
    found = ctypes.CDLL(None).dladdr1(
        ctypes.c_void_p(address), ctypes.byref(info), ctypes.byref(more), what
    )
    return info, more[0] if found and more else None


def _kind_and_size(name: str, address: int) -> tuple[int, int]:
    """The type and size of the symbol of this name that is at this address; zeros if unknown."""
    info, entry = _at(address, _DL_SYMENT, _ELFSymbol)
    if entry is None or info.address != address:
        return 0, 0  # the resolved form of an indirect function, say
    if entry.info & 15 == _NOTYPE:
        # Another name for the place: `__bss_start`, where an interpreter has its `environ`.
        entry = _by_name(name, address) or entry
    return entry.info & 15, entry.size


def _by_name(name: str, address: int) -> _ELFSymbol | None:
    """A symbol in the hash table of the library that has the address."""
    library = _at(address, _DL_LINKMAP, _LinkMap)[1]
    entries = _dynamic(library.dynamic) if library else {}
    if not {_DT_GNU_HASH, _DT_SYMTAB, _DT_STRTAB} <= entries.keys():
        return None
    hashed = 5381
    for byte in name.encode():
        hashed = (hashed * 33 + byte) & 0xFFFFFFFF
    table = entries[_DT_GNU_HASH]
    buckets, first, words, _ = struct.unpack("<IIII", ctypes.string_at(table, 16))
    bucket = table + 16 + 8 * words
    chain = bucket + 4 * buckets
    number = ctypes.c_uint32.from_address(bucket + 4 * (hashed % buckets)).value
    while number >= first:  # 0: an empty bucket
        link = ctypes.c_uint32.from_address(chain + 4 * (number - first)).value
        found = _ELFSymbol.from_address(entries[_DT_SYMTAB] + ctypes.sizeof(_ELFSymbol) * number)
        if (
            link | 1 == hashed | 1
            and library.base + found.value == address
            and ctypes.string_at(entries[_DT_STRTAB] + found.name) == name.encode()
        ):
            return found
        if link & 1:  # the chain's last
            break
        number += 1
    return None


def load(path: str) -> None:
    """Load a shared library into the process, for everyone to see. Raises LibraryNotFound."""
    from pathlib import Path  # where a library was given

    try:
        ctypes.CDLL(str(Path(path).resolve()), ctypes.RTLD_GLOBAL | os.RTLD_NOW)
    except OSError as error:
        raise LibraryNotFound(str(error)) from None


class _Copy(NamedTuple):
    """A variable that moves: its name, where it was, and its size."""

    name: str
    address: int
    size: int


class ProcessBelow:
    """This process's functions and variables, within reach of a program for fixed positions.

    A generator of definitions. Lookups call it on any thread, one at a time.
    """

    def __init__(self, jit: Any) -> None:
        """Makes the dylib that they are in; the caller puts it into link orders."""
        self._jit = jit
        #: What to link against, before the process.
        self.dylib = jit.create_dylib("<process, below>")
        self.dylib.add_generator(self._make)
        self._lock = threading.Lock()
        self._copies: list[_Copy] = []

    def _make(self, names: Sequence[str]) -> Mapping[str, Any]:
        """Add a graph with stubs and copies for those of `names` that the process has."""
        from lazyjit.link.graph import LinkGraph
        from lazyjit.link.model import MemProt

        graph = LinkGraph("<process, below>")
        text = graph.create_section(".stubs", MemProt.READ | MemProt.EXEC)
        data = graph.create_section(".copies", MemProt.READ | MemProt.WRITE)
        process = ctypes.CDLL(None)
        made = False
        for name in names:
            try:
                address = ctypes.cast(process[name], ctypes.c_void_p).value or 0
            except (AttributeError, ValueError):
                continue
            kind, size = _kind_and_size(name, address)
            if not address or name == "main" or kind == _TLS or (kind == _OBJECT and not size):
                continue
            if kind == _OBJECT:
                content = ctypes.string_at(address, size)
                align = min(address & -address, 64)
                block = graph.create_content_block(data, content, align=align)
                with self._lock:
                    self._copies.append(_Copy(name, address, size))
            else:
                code = b"\xff\x25\x02\0\0\0\xcc\xcc"  # jmp *2(%rip); int3; int3; the address
                content = code + address.to_bytes(8, "little")
                block = graph.create_content_block(text, content, align=16)
            graph.add_defined_symbol(block, 0, name, len(content), callable=kind != _OBJECT)
            made = True
        if made:
            self._jit.add_graph(graph, dylib=self.dylib)
        return {}

    def redirect(self) -> None:
        """Have the libraries of this process use the copies made so far. Before the program runs,
        while nobody else is running.
        """
        from lazyjit.core import LookupFlags, SymbolState

        with self._lock:
            copies = list(self._copies)
        if not copies:
            return
        order = [(self.dylib, LookupFlags.ALL_SYMBOLS)]
        names = [copy.name for copy in copies]
        found = self._jit.session.lookup(order, names, SymbolState.READY)
        moved = {copy.address: found[copy.name].address for copy in copies}
        for copy in copies:
            ctypes.memmove(found[copy.name].address, copy.address, copy.size)
        for library in _libraries():
            _redirect(library, moved)


# -- the pointers of libraries ---------------------------------------------------------------------

_GLOB_DAT, _DIRECT_64 = 6, 1  # relocations that leave a symbol's address in a library's data
_DT_STRTAB, _DT_SYMTAB, _DT_RELA, _DT_RELASZ, _DT_GNU_HASH = 5, 6, 7, 8, 0x6FFFFEF5
_PT_DYNAMIC, _PT_GNU_RELRO = 2, 0x6474E552


class _Library(NamedTuple):
    """A loaded library: its base, its relocations, and what is read-only since these were made."""

    base: int
    relocations: int
    size: int
    sealed: range


class _Phdr(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("offset", ctypes.c_uint64),
        ("address", ctypes.c_uint64),
        ("physical", ctypes.c_uint64),
        ("file_size", ctypes.c_uint64),
        ("size", ctypes.c_uint64),
        ("align", ctypes.c_uint64),
    )


class _PhdrInfo(ctypes.Structure):
    _fields_ = (
        ("base", ctypes.c_uint64),
        ("name", ctypes.c_char_p),
        ("headers", ctypes.POINTER(_Phdr)),
        ("count", ctypes.c_uint16),
    )


def _libraries() -> Iterator[_Library]:
    """Everything that the loader has loaded."""
    found: list[tuple[int, list[tuple[int, int, int]]]] = []

    def note(info: Any, size: int, data: Any) -> int:
        seen = info[0]
        headers = [seen.headers[number] for number in range(seen.count)]
        found.append((seen.base, [(each.type, each.address, each.size) for each in headers]))
        return 0

    prototype = ctypes.CFUNCTYPE(
        ctypes.c_int, ctypes.POINTER(_PhdrInfo), ctypes.c_size_t, ctypes.c_void_p
    )
    ctypes.CDLL(None).dl_iterate_phdr(prototype(note), None)
    for base, headers in found:
        dynamic, sealed = 0, range(0)
        for kind, address, size in headers:
            if kind == _PT_DYNAMIC:
                dynamic = base + address
            elif kind == _PT_GNU_RELRO:
                page = mmap.PAGESIZE
                sealed = range((base + address) & -page, (base + address + size) & -page)
        entries = _dynamic(dynamic) if dynamic else {}
        if _DT_RELA in entries and entries[_DT_RELA] > base:  # else the vdso's
            yield _Library(base, entries[_DT_RELA], entries.get(_DT_RELASZ, 0), sealed)


def _dynamic(address: int) -> dict[int, int]:
    entries: dict[int, int] = {}
    while True:
        tag, value = struct.unpack("<QQ", ctypes.string_at(address, 16))
        if not tag:
            return entries
        entries[tag] = value
        address += 16


def _redirect(library: _Library, moved: Mapping[int, int]) -> None:
    """Change the pointers of one library that hold an address in `moved`."""
    mprotect = ctypes.CDLL(None).mprotect
    for offset, info, addend in struct.iter_unpack(
        "<QQq", ctypes.string_at(library.relocations, library.size)
    ):
        if info & 0xFFFFFFFF not in (_GLOB_DAT, _DIRECT_64) or addend:
            continue
        place = library.base + offset
        target = moved.get(ctypes.c_uint64.from_address(place).value)
        if target is None:
            continue
        page = ctypes.c_void_p(place & -mmap.PAGESIZE)
        if place in library.sealed:
            mprotect(page, mmap.PAGESIZE, mmap.PROT_READ | mmap.PROT_WRITE)
        ctypes.c_uint64.from_address(place).value = target
        if place in library.sealed:
            mprotect(page, mmap.PAGESIZE, mmap.PROT_READ)
