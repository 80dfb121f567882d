"""Debug objects: an object file told again for a debugger, with the addresses of a link in it.

A debugger that is handed a relocatable object needs three things that the file doesn't have:

- where each section went: `sh_addr`, from which it computes symbols' addresses
- debug sections with their relocations applied, so that it need not do that (again, for each
  object, while the program stands still)
- only those: code and data are in memory already, so these sections become NOBITS, as in the file
  that `objcopy --only-keep-debug` makes, and the copy has the size of the debug information

`.eh_frame` stays with its bytes: a debugger unwinds by it and reads it from the file.

Sections keep their numbers, so the symbol table stays as it is. Comdat groups are dissolved.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lazyjit.layers.plugins.elf import (
    HEADER,
    SHF_ALLOC,
    SHF_COMPRESSED,
    SHF_EXCLUDE,
    SHF_GROUP,
    SHT_GROUP,
    SHT_NOBITS,
    SHT_NULL,
    SHT_RELA,
    ElfObject,
    SectionHeader,
)

__all__ = ["debug_object"]

_EH_FRAME = ".eh_frame"


def debug_object(elf: ElfObject, symbols: Any, sections: Mapping[int, int]) -> bytes:
    """The bytes of a debug object for `elf`, linked.

    `symbols` (a buffer of uint64) has the address of each symbol of the file, by number, 0 where it
    has none; `sections` those of the sections that have memory. Any thread. Raises
    ObjectFormatError.
    """
    headers = list(elf.headers)
    contents: list[bytes] = [b""] * len(headers)
    applied: set[int] = set()  # sections whose relocations are done
    for number, header in enumerate(elf.headers[1:], 1):
        flags = header.flags
        if header.type in (SHT_NULL, SHT_NOBITS, SHT_RELA, SHT_GROUP) or flags & SHF_EXCLUDE:
            continue
        if flags & SHF_ALLOC and elf.name(number) != _EH_FRAME:
            applied.add(number)
            headers[number] = header._replace(type=SHT_NOBITS)
            continue
        # Relocations of .eh_frame are relative: a section that was left out has nowhere to start.
        if flags & SHF_ALLOC and number not in sections:
            applied.add(number)
            headers[number] = header._replace(type=SHT_NOBITS, size=0)
            continue
        content = elf.relocated(number, symbols, sections.get(number, 0))
        if content is None:
            contents[number] = elf.raw(number)
            continue
        applied.add(number)
        contents[number] = content
        headers[number] = header._replace(flags=flags & ~SHF_COMPRESSED)
    for number in range(1, len(headers)):
        header = headers[number]
        if header.type == SHT_RELA and header.info not in applied:
            contents[number] = elf.raw(number)
        elif header.type in (SHT_RELA, SHT_GROUP) or header.flags & SHF_EXCLUDE:
            header = SectionHeader()  # SHT_NULL
        headers[number] = header._replace(
            flags=header.flags & ~SHF_GROUP, addr=sections.get(number, 0)
        )
    return _write(elf, headers, contents)


def _write(elf: ElfObject, headers: list[SectionHeader], contents: list[bytes]) -> bytes:
    out = bytearray(elf.data[:64])
    for number, (header, content) in enumerate(zip(headers, contents, strict=True)):
        if header.type == SHT_NULL:
            continue
        out += bytes(-len(out) % min(max(header.align, 1), 4096))
        size = len(content) if content or header.type != SHT_NOBITS else header.size
        headers[number] = header._replace(offset=len(out), size=size)
        out += content
    out += bytes(-len(out) % 8)
    out[0x28:0x30] = len(out).to_bytes(8, "little")  # e_shoff
    return bytes(out + b"".join(HEADER.pack(*header) for header in headers))
