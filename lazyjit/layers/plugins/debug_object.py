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

import numpy as np
import numpy.typing as npt

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
)

__all__ = ["debug_object"]

_EH_FRAME = ".eh_frame"


def debug_object(
    elf: ElfObject, symbols: npt.NDArray[np.uint64], sections: Mapping[int, int]
) -> bytes:
    """The bytes of a debug object for `elf`, linked.

    `symbols` has the address of each symbol of the file, by number, 0 where it has none;
    `sections` those of the sections that have memory. Any thread. Raises ObjectFormatError.
    """
    headers = elf.headers.copy()
    contents: list[bytes] = [b""] * len(headers)
    applied: set[int] = set()  # sections whose relocations are done
    for number in range(1, len(headers)):
        header = headers[number]
        flags = int(header["flags"])
        if header["type"] in (SHT_NULL, SHT_NOBITS, SHT_RELA, SHT_GROUP) or flags & SHF_EXCLUDE:
            continue
        if flags & SHF_ALLOC and elf.name(number) != _EH_FRAME:
            applied.add(number)
            header["type"] = SHT_NOBITS
            continue
        # Relocations of .eh_frame are relative: a section that was left out has nowhere to start.
        if flags & SHF_ALLOC and number not in sections:
            applied.add(number)
            header["type"], header["size"] = SHT_NOBITS, 0
            continue
        content = elf.relocated(number, symbols, sections.get(number, 0))
        if content is None:
            contents[number] = elf.raw(number)
            continue
        applied.add(number)
        contents[number] = content
        header["flags"] = flags & ~SHF_COMPRESSED
    for number in range(1, len(headers)):
        header = headers[number]
        if header["type"] == SHT_RELA and int(header["info"]) not in applied:
            contents[number] = elf.raw(number)
        elif header["type"] in (SHT_RELA, SHT_GROUP) or int(header["flags"]) & SHF_EXCLUDE:
            headers[number] = np.zeros((), HEADER)  # SHT_NULL
        header["flags"] = int(header["flags"]) & ~SHF_GROUP
        header["addr"] = sections.get(number, 0)
    return _write(elf, headers, contents)


def _write(elf: ElfObject, headers: npt.NDArray[np.void], contents: list[bytes]) -> bytes:
    out = bytearray(elf.data[:64])
    for header, content in zip(headers, contents, strict=True):
        if header["type"] == SHT_NULL:
            continue
        out += bytes(-len(out) % min(max(int(header["align"]), 1), 4096))
        header["offset"] = len(out)
        if content or header["type"] != SHT_NOBITS:
            header["size"] = len(content)
        out += content
    out += bytes(-len(out) % 8)
    out[0x28:0x30] = len(out).to_bytes(8, "little")  # e_shoff
    return bytes(out + headers.tobytes())
