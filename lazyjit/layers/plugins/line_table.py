"""Line tables: which line of which file each instruction came from.

DWARF keeps this as programs for a little machine with a handful of registers (address, file, line),
in `.debug_line`, a program for each compilation unit. Most of its bytes are *special opcodes*, each
of which moves address and line a little and emits a row; a row holds from its address up to the
next one's. A sequence of rows ends with a row that only says where its code ends.

    byte >= opcode_base      special: address and line move, a row is emitted
    byte 1 .. opcode_base-1  standard: copy, advance_pc, advance_line, set_file, ...
    byte 0, length, byte     extended: end_sequence, set_address, ...

Versions 2 to 5 are read. The section is one of a relocatable object, with its relocations applied
(`lazyjit.layers.plugins.elf`), so that addresses are those in memory. Every read is checked: what
ends too early raises ObjectFormatError. A program makes at most one row a byte.
"""

from __future__ import annotations

import posixpath
from typing import NamedTuple

from lazyjit.errors import ObjectFormatError

__all__ = ["Line", "line_table"]


class Line(NamedTuple):
    """A row: the instructions from `address` on, up to the next row's."""

    address: int
    #: A path, relative to the compiler's folder where that isn't known; "" for an unknown file.
    file: str
    #: From 1; 0 for code that no line stands for, and in a row that ends a sequence.
    line: int
    column: int
    #: Whether no instruction of the sequence is at `address` any more.
    end: bool


def line_table(
    program: bytes,
    line_strings: bytes = b"",
    strings: bytes = b"",
    *,
    object_file: str | None = None,
) -> list[Line]:
    """All rows of a `.debug_line`, with the sections that its names are in, sequence by sequence.

    Units of other versions are left out. Raises ObjectFormatError. Any thread.
    """
    reader = _Reader(program, 0, len(program), 4, object_file)
    rows: list[Line] = []
    while reader.at < len(program):
        length = reader.fixed(4)
        wide = length == 0xFFFFFFFF
        if wide:
            length = reader.fixed(8)
        end = reader.at + length
        if end > len(program):
            raise reader.malformed("a line table that ends after its section")
        unit = _Reader(program, reader.at, end, 8 if wide else 4, object_file)
        _unit(unit, line_strings, strings, rows)
        reader.at = end
    return rows


class _Reader:
    """A place in a section, and where the section's part ends."""

    __slots__ = ("at", "data", "end", "file", "offset_size")

    def __init__(self, data: bytes, at: int, end: int, offset_size: int, file: str | None) -> None:
        self.data = data
        self.at = at
        self.end = end
        self.offset_size = offset_size
        self.file = file

    def malformed(self, words: str) -> ObjectFormatError:
        return ObjectFormatError(f".debug_line: {words}", file=self.file, offset=self.at)

    def fixed(self, size: int) -> int:
        at = self.at
        if at + size > self.end:
            raise self.malformed("a line table that ends too early")
        self.at = at + size
        return int.from_bytes(self.data[at : at + size], "little")

    def uleb(self) -> int:
        value = shift = 0
        while True:
            byte = self.fixed(1)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
            if shift > 63:
                raise self.malformed("a number of more than 64 bits")

    def sleb(self) -> int:
        start = self.at
        value = self.uleb()
        bits = 7 * (self.at - start)
        return value - (1 << bits) if value >> (bits - 1) else value

    def string(self) -> str:
        stop = self.data.find(b"\0", self.at, self.end)
        if stop < 0:
            raise self.malformed("a name without an end")
        text = self.data[self.at : stop]
        self.at = stop + 1
        return text.decode("utf-8", "surrogateescape")


class _Header(NamedTuple):
    """What a unit's program starts with, as far as it matters here."""

    #: By file number.
    files: list[str]
    minimum_length: int
    line_base: int
    line_range: int
    opcode_base: int
    #: Operands of standard opcodes, by opcode - 1.
    lengths: bytes


def _unit(reader: _Reader, line_strings: bytes, strings: bytes, rows: list[Line]) -> None:
    version = reader.fixed(2)
    if not 2 <= version <= 5:
        return
    if version == 5:
        reader.fixed(2)  # sizes of an address and of a segment selector
    header_length = reader.fixed(reader.offset_size)
    start = reader.at + header_length
    if start > reader.end:
        raise reader.malformed("a header that ends after its line table")
    minimum_length = reader.fixed(1)
    if version >= 4:
        reader.fixed(1)  # operations per instruction: not 1 only on VLIW machines
    reader.fixed(1)  # default_is_stmt
    line_base = reader.fixed(1)
    line_base -= (line_base & 0x80) << 1
    line_range = reader.fixed(1)
    opcode_base = reader.fixed(1)
    if not line_range or not opcode_base:
        raise reader.malformed("a line range or an opcode base of 0")
    lengths = bytes(reader.fixed(1) for _ in range(opcode_base - 1))
    if version == 5:
        folders = _entries(reader, line_strings, strings)
        named = _entries(reader, line_strings, strings)
        if folders is None or named is None:
            return
        files = [_join([path for path, _ in folders], *each) for each in named]
    else:
        files = _old_files(reader)
    reader.at = start
    _run(
        reader,
        _Header(files, minimum_length, line_base, line_range, opcode_base, lengths),
        rows,
    )


def _join(folders: list[str], name: str, folder: int) -> str:
    """A file's path: folders are relative to the first, the compiler's."""
    parts = folders[:1] + ([folders[folder]] if 0 < folder < len(folders) else [])
    return posixpath.normpath(posixpath.join(*parts, name)) if name else ""


def _old_files(reader: _Reader) -> list[str]:
    """The names of versions 2 to 4, numbered from 1. The compiler's folder isn't among them."""
    folders = [""]
    while folder := reader.string():
        folders.append(folder)
    files = [""]
    while reader.data[reader.at : reader.at + 1] != b"\0":
        files.append(_old_file(reader, folders))
    return files


def _old_file(reader: _Reader, folders: list[str]) -> str:
    name, folder = reader.string(), reader.uleb()
    reader.uleb()  # time
    reader.uleb()  # size
    return _join(folders, name, folder)


#: Forms that have a fixed size.
_FIXED = {0x0B: 1, 0x05: 2, 0x06: 4, 0x07: 8, 0x1E: 16}
_PATH, _DIRECTORY = 1, 2


def _entries(reader: _Reader, line_strings: bytes, strings: bytes) -> list[tuple[str, int]] | None:
    """Version 5's list of folders or of files: (name, number of a folder). None for forms that no
    compiler uses here.
    """
    format = [(reader.uleb(), reader.uleb()) for _ in range(reader.fixed(1))]
    count = reader.uleb()
    if count and (not format or count > reader.end - reader.at):
        raise reader.malformed("more names than bytes")
    found = []
    for _ in range(count):
        name, folder = "", 0
        for content, form in format:
            value: int | str
            if form in _FIXED:
                value = reader.fixed(_FIXED[form])
            elif form == 0x0F:  # DW_FORM_udata
                value = reader.uleb()
            elif form == 0x08:  # DW_FORM_string
                value = reader.string()
            elif form in (0x1F, 0x0E):  # DW_FORM_line_strp, DW_FORM_strp
                pool = line_strings if form == 0x1F else strings
                at = reader.fixed(reader.offset_size)
                if at >= len(pool):
                    raise reader.malformed("a name that lies outside of its section")
                value = _Reader(pool, at, len(pool), 4, reader.file).string()
            elif form == 0x09:  # DW_FORM_block
                value = reader.uleb()
                reader.fixed(value)
            else:
                return None
            if content == _PATH and isinstance(value, str):
                name = value
            elif content == _DIRECTORY and isinstance(value, int):
                folder = value
        found.append((name, folder))
    return found


def _run(reader: _Reader, header: _Header, rows: list[Line]) -> None:
    """Run a unit's program."""
    files, minimum, base, span, opcode_base, lengths = header
    data, end = reader.data, reader.end
    address, file, line, column = 0, 1, 1, 0
    name = files[1] if len(files) > 1 else ""
    while reader.at < end:
        opcode = data[reader.at]
        reader.at += 1
        if opcode >= opcode_base:
            step = opcode - opcode_base
            address += step // span * minimum
            line += base + step % span
            rows.append(Line(address, name, line, column, False))
        elif opcode == 0:
            size = reader.uleb()
            stop = reader.at + size
            if not size or stop > end:
                raise reader.malformed("an extended opcode that ends too late")
            extended = reader.fixed(1)
            if extended == 1:  # DW_LNE_end_sequence
                rows.append(Line(address, name, 0, 0, True))
                address, file, line, column = 0, 1, 1, 0
                name = files[1] if len(files) > 1 else ""
            elif extended == 2:  # DW_LNE_set_address
                if size > 9:
                    raise reader.malformed("an address of more than 8 bytes")
                address = reader.fixed(size - 1)
            elif extended == 3:  # DW_LNE_define_file
                files.append(_old_file(reader, [""]))
            reader.at = stop
        elif opcode == 1:  # DW_LNS_copy
            rows.append(Line(address, name, line, column, False))
        elif opcode == 2:  # DW_LNS_advance_pc
            address += reader.uleb() * minimum
        elif opcode == 3:  # DW_LNS_advance_line
            line += reader.sleb()
        elif opcode == 4:  # DW_LNS_set_file
            file = reader.uleb()
            name = files[file] if file < len(files) else ""
        elif opcode == 5:  # DW_LNS_set_column
            column = reader.uleb()
        elif opcode == 8:  # DW_LNS_const_add_pc
            address += (255 - opcode_base) // span * minimum
        elif opcode == 9:  # DW_LNS_fixed_advance_pc
            address += reader.fixed(2)
        else:  # flags that don't matter here, and what later versions may add
            for _ in range(lengths[opcode - 1]):
                reader.uleb()
