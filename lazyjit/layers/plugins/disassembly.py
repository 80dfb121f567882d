"""Disassembly: what was linked, as it will run.

    jit.add_plugin(Disassembly(sys.stderr))

Of each link, its code when every edge is applied, function by function, with the names of what
branches and data references lead to. With capstone, which comes with the extra `lazyjit[link]`.

    .text of first.o
    add$body:
        7f5a1c000010:  8d 04 37                        lea eax, [rdi + rsi]
"""

from __future__ import annotations

import re
import threading
from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from lazyjit._native import lib
from lazyjit.layers.plugin import Plugin
from lazyjit.link.capstone import disassembler
from lazyjit.link.disassembly import disassemble

if TYPE_CHECKING:
    from lazyjit.core import MaterializationResponsibility
    from lazyjit.link.graph import LinkGraph
    from lazyjit.link.passes import PassConfiguration
    from lazyjit.link.views import Block, Section

__all__ = ["Disassembly", "disassembled"]


class Writer(Protocol):
    """Where text goes: a file, say."""

    def write(self, text: str, /) -> object:
        """Write it."""


class Disassembly(Plugin):
    """Writes the code of each link, in one piece. Any thread."""

    def __init__(self, out: Writer, functions: str | None = None) -> None:
        """To `out`; with `functions`, a regular expression, of those functions only whose names it
        finds. Raises LibraryNotFound without capstone.
        """
        disassembler("x86_64")
        self._out = out
        self._wanted = re.compile(functions) if functions is not None else None
        self._lock = threading.Lock()

    def modify_pass_config(
        self,
        responsibility: MaterializationResponsibility,
        graph: LinkGraph,
        config: PassConfiguration,
    ) -> None:
        """See `Plugin`."""
        config.post_fixup.append(self._write)

    def _write(self, graph: LinkGraph) -> None:
        lines = list(disassembled(graph, self._wanted))
        if lines:
            with self._lock:
                self._out.write("\n".join(lines) + "\n")


def disassembled(graph: LinkGraph, wanted: re.Pattern[str] | None = None) -> Iterator[str]:
    """Lines for the code of a graph, after fix-up; `wanted` as for `Disassembly`."""
    names = _Names(graph)
    for section in graph.sections():
        if section.region != lib.LJ_TEXT:
            continue
        lines = list(_section(graph, section, names, wanted))
        if lines:
            yield f"{section.name} of {graph.name}"
            yield from lines


def _section(
    graph: LinkGraph, section: Section, names: _Names, wanted: re.Pattern[str] | None
) -> Iterator[str]:
    for block in section.blocks():
        labels = _labels(block)
        starts = sorted({0, *labels, block.size})
        content = block.content
        for start, end in pairwise(starts):
            here = labels.get(start, [])
            if wanted is not None and not any(map(wanted.search, here)):
                continue
            yield from (f"{name}:" for name in here)
            for insn in disassemble(content[start:end], block.address + start, graph.triple):
                yield insn.line(names.of)


def _labels(block: Block) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for symbol in block.symbols():
        if symbol.name and symbol.offset < block.size:
            found.setdefault(symbol.offset, []).append(symbol.name)
    return {offset: sorted(names) for offset, names in found.items()}


class _Names:
    """What addresses are called: the graph's definitions, with what lies within them, and the
    starts of what it refers to.
    """

    def __init__(self, graph: LinkGraph) -> None:
        inside = {
            symbol.address: (symbol.size, symbol.name)
            for symbol in graph.defined_symbols()
            if symbol.name and not symbol.thread_local
        }
        self._starts = sorted(inside)
        self._inside = inside
        self._outside = {
            symbol.address: symbol.name for symbol in graph.external_symbols() if symbol.address
        }

    def of(self, address: int) -> str | None:
        """`f`, `f+0x10`, or None."""
        place = bisect_right(self._starts, address)
        if place:
            start = self._starts[place - 1]
            size, name = self._inside[start]
            if address == start or address < start + size:
                return name if address == start else f"{name}+{address - start:#x}"
        return self._outside.get(address)
