"""An object file's sections as a debugger wants them: uncompressed, with relocations applied.

The linker itself places code and data; sections without memory, debug sections above all, are none
of its business. But in a relocatable object they are full of relocations: an offset into
`.debug_str` is 0 until one is applied, and so is the address of every function. What a debugger or
a profiler is to read has to be relocated with the addresses that the link has given to symbols.

    formulas (x86-64)   S + A          R_X86_64_64, _32, _32S, _DTPOFF64, _DTPOFF32
                        S + A - P      R_X86_64_PC32, _PC64, _PLT32

S is the symbol's address. Symbols of sections without memory, and of what was left out of the link,
have S = 0 (a debugger takes code at 0 for code that isn't there). `native/plugin_elf.c` applies
them. Sections with other kinds, or compressed by something else than zlib,
are left as they are, together with their relocations: debuggers can apply these themselves.

`ElfObject` is for bytes that the linker's own reader has accepted, so that headers lie inside the
file. Its methods don't change it: any thread.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any, NamedTuple

from lazyjit._native import ffi, lib, new_fault
from lazyjit.errors import ObjectFormatError

__all__ = ["ElfObject", "SectionHeader"]


class SectionHeader(NamedTuple):
    """An Elf64_Shdr."""

    name: int = 0
    type: int = 0
    flags: int = 0
    addr: int = 0
    offset: int = 0
    size: int = 0
    link: int = 0
    info: int = 0
    align: int = 0
    entsize: int = 0


#: How it is written, little-endian.
HEADER = struct.Struct("<IIQQQQIIQQ")
#: Bytes of an Elf64_Rela.
RELA_SIZE = 24

SHT_NULL, SHT_RELA, SHT_NOBITS, SHT_GROUP = 0, 4, 8, 17
SHF_ALLOC, SHF_GROUP, SHF_COMPRESSED, SHF_EXCLUDE = 0x2, 0x200, 0x800, 0x80000000
EM_X86_64 = 62
_ZLIB = 1
_COMPRESSION_HEADER = 24  # Elf64_Chdr: type, reserved (4 bytes each), size, alignment (8 each)


class ElfObject:
    """The section table of an ELF64 object, and what is in its sections."""

    def __init__(self, data: bytes, *, file: str | None = None) -> None:
        """Of `data`, which the linker has read before. Raises ObjectFormatError for less."""
        self.data = data
        self.file = file
        if len(data) < 64 or data[:6] != b"\x7fELF\x02\x01":
            raise self.malformed("not a little-endian ELF64 file", 0)
        start = int.from_bytes(data[0x28:0x30], "little")
        count = int.from_bytes(data[0x3C:0x3E], "little")
        names = int.from_bytes(data[0x3E:0x40], "little")
        self.machine = int.from_bytes(data[0x12:0x14], "little")
        if not count or names == 0xFFFF:  # what doesn't fit into the ELF header is in section 0's
            if not start or start + HEADER.size > len(data):
                raise self.malformed("no section table", start)
            first = SectionHeader._make(HEADER.unpack_from(data, start))
            count = count or first.size
            names = first.link if names == 0xFFFF else names
        if start + count * HEADER.size > len(data):
            raise self.malformed("the section table lies outside of the file", start)
        table = memoryview(data)[start : start + count * HEADER.size]
        #: By section number.
        self.headers = [SectionHeader._make(row) for row in HEADER.iter_unpack(table)]
        self._names = self.raw(names) if names < count else b""
        self._tables: dict[int, list[int]] = {}
        for number, header in enumerate(self.headers):
            if header.type == SHT_RELA:
                self._tables.setdefault(header.info, []).append(number)

    def malformed(self, words: str, offset: int) -> ObjectFormatError:
        """The exception for a finding at `offset`."""
        return ObjectFormatError(words, file=self.file, offset=offset)

    def name(self, number: int) -> str:
        """A section's name."""
        start = self.headers[number].name
        end = self._names.find(b"\0", start)
        return self._names[start : end if end >= 0 else None].decode("utf-8", "replace")

    def named(self, name: str) -> list[int]:
        """Numbers of the sections of this name; debug sections of comdat groups share theirs."""
        return [number for number in range(len(self.headers)) if self.name(number) == name]

    def raw(self, number: int) -> bytes:
        """A section's bytes as they are in the file."""
        header = self.headers[number]
        start, size = header.offset, header.size
        if header.type in (SHT_NULL, SHT_NOBITS):
            return b""
        if start + size > len(self.data):
            raise self.malformed(f"section {number} lies outside of the file", start)
        return self.data[start : start + size]

    def plain(self, number: int) -> bytes | None:
        """A section's bytes, uncompressed; None when they are compressed in an unknown way."""
        raw = self.raw(number)
        header = self.headers[number]
        if not header.flags & SHF_COMPRESSED:
            return raw
        at = header.offset
        if len(raw) < _COMPRESSION_HEADER:
            raise self.malformed("a compressed section without a header", at)
        if int.from_bytes(raw[:4], "little") != _ZLIB:
            return None
        size = int.from_bytes(raw[8:16], "little")
        # zlib's best is 1032 to 1: a size beyond that is a lie, and is not allocated.
        if size > 1032 * len(raw) + 1032:
            raise self.malformed("a compressed section that can't be as large as it says", at)
        try:
            machine = zlib.decompressobj()
            found = machine.decompress(raw[_COMPRESSION_HEADER:], max(size, 1))
        except zlib.error as error:
            raise self.malformed(f"a compressed section: {error}", at) from error
        if len(found) != size:
            raise self.malformed("a compressed section of another size than it says", at)
        return found

    def relocations(self, number: int) -> list[int]:
        """Numbers of the RELA sections that belong to a section."""
        return self._tables.get(number, [])

    def relocated(self, number: int, symbols: Any, address: int = 0) -> bytes | None:
        """A section's bytes, uncompressed, with its relocations applied.

        `symbols` (a buffer of uint64) has an address for each symbol of the file, `address` is the
        section's own. None for what has to be left as it is. Raises ObjectFormatError for
        relocations outside of the section or of symbols that the file doesn't have.
        """
        plain = self.plain(number)
        if plain is None or self.machine != EM_X86_64:
            return None
        content = bytearray(plain)
        into = ffi.from_buffer("uint8_t[]", content)
        known, applied = ffi.from_buffer("uint64_t[]", symbols), ffi.new("int *")
        for table in self.relocations(number):
            raw, fault = self.raw(table), new_fault()
            rows, count = ffi.from_buffer("uint8_t[]", raw), len(raw) // RELA_SIZE
            status = lib.lj_elf_apply(
                into, len(content), rows, count, known, len(known), address, applied, fault
            )
            if status:
                words = ffi.string(fault.detail).decode()
                raise self.malformed(words, self.headers[table].offset)
            if not applied[0]:
                return None
        return bytes(content)
