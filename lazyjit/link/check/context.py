"""What a check may ask of a link: the protocol between the language and the memory.

An expression names five sorts of places, and reads bytes. Whoever has linked something answers; the
language knows neither graphs nor processes. `lazyjit.link.check.recorder` answers from link graphs;
a test answers from a dictionary.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

__all__ = ["CheckContext", "Region"]


@dataclass(frozen=True)
class Region:
    """A place in the linked program: where it will run, and its bytes after fix-up.

    `content` is None for zero-fill, and for what has an address only (an absolute symbol);
    `size` is then what is known of its extent.
    """

    address: int
    content: bytes | None = None
    size: int = 0

    @property
    def code(self) -> bytes:
        """What can be disassembled here: zeros where nothing was written."""
        return bytes(self.size) if self.content is None else self.content


class CheckContext(Protocol):
    """Linked memory, as the check language sees it.

    Each method raises `LookupError` with a sentence when there is no such thing; the sentence ends
    up in the `CheckError`. Called on the thread that runs the checks.
    """

    @property
    def triple(self) -> str:
        """The target, such as `x86_64-unknown-linux-gnu`: it chooses the decoder."""

    def is_symbol_valid(self, name: str) -> bool:
        """Whether `symbol` would answer."""

    def symbol(self, name: str) -> Region:
        """A symbol, local ones included; its code reaches to its end, or its block's if that isn't
        known.
        """

    def section(self, file: str, name: str, symbol: str | None = None) -> Region:
        """A section of an input file; `symbol` chooses among several of that name."""

    def stub(self, container: str, symbol: str, section: str | None, kind: str) -> Region:
        """The stub through which `container` calls `symbol`.

        `kind` is a regular expression, or empty, that the stub's kind must match.
        """

    def got_entry(self, container: str, symbol: str) -> Region:
        """The word in which `container` keeps the address of `symbol`."""

    def read(self, address: int, size: int) -> bytes:
        """The bytes at a target address."""
