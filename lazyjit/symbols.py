"""Names, flags and addresses of symbols: the vocabulary that every floor shares.

A name is a Python `str`, interned so that equal names are one object and compare by identity first.
Linkers deal in bytes; names that are not UTF-8 round-trip through `surrogateescape`.
"""

from __future__ import annotations

import enum
import sys
from typing import NamedTuple

__all__ = ["FLAGS", "ExecutorSymbolDef", "SymbolFlags", "decode_name", "encode_name", "intern"]


def intern(name: str) -> str:
    """The one `str` object for this name. Any thread."""
    return sys.intern(name)


def decode_name(raw: bytes) -> str:
    """The interned name for a linker's bytes. Any thread."""
    return sys.intern(raw.decode("utf-8", "surrogateescape"))


def encode_name(name: str) -> bytes:
    """The linker's bytes for a name. Any thread."""
    return name.encode("utf-8", "surrogateescape")


class SymbolFlags(enum.IntFlag):
    """What a symbol is, as ORC's JITSymbolFlags. A plain int at run time."""

    NONE = 0
    #: Visible to other dylibs (default or protected visibility). Without it: hidden.
    EXPORTED = 1
    #: A strong definition elsewhere in the dylib overrides this one.
    WEAK = 2
    #: A tentative definition: weak, and sized by the largest.
    COMMON = 4
    #: Code; a call to it may go through a stub.
    CALLABLE = 8
    #: An address that the linker does not own.
    ABSOLUTE = 16
    #: Has no address: looked up for the effect of materializing it (initializers).
    SIDE_EFFECTS_ONLY = 32

    def overridable(self) -> bool:
        """Whether another definition may take this one's place."""
        return bool(self & (SymbolFlags.WEAK | SymbolFlags.COMMON))


#: By their bits: calling an enum costs more than an index.
FLAGS = tuple(SymbolFlags(bits) for bits in range(64))


class ExecutorSymbolDef(NamedTuple):
    """A symbol with a place: its address in this process and its flags."""

    #: Where it is.
    address: int
    #: What it is.
    flags: SymbolFlags
