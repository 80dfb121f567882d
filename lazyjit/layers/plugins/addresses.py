"""Where things went: addresses of an object's sections, symbols and functions, for plugins.

To be asked in a post-fixup pass, when every address is final, those of externals included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from lazyjit._native import lib

if TYPE_CHECKING:
    from lazyjit.link.graph import LinkGraph

__all__ = ["Function", "functions", "section_addresses", "symbol_addresses"]


def symbol_addresses(graph: LinkGraph) -> npt.NDArray[np.uint64]:
    """An address for each symbol of the object file, by its number there; 0 for what has none."""
    symbols = graph.records.symbols
    nowhere = symbols["place"] == lib.LJ_PLACE_NOWHERE
    return np.where(nowhere, np.uint64(0), symbols["address"])


def section_addresses(graph: LinkGraph) -> dict[int, int]:
    """The addresses of the sections that have memory, by their numbers in the object file."""
    sections, blocks = graph.records.sections, graph.records.blocks
    there = np.flatnonzero(
        (sections["region"] != lib.LJ_REGION_NONE) & (sections["block_count"] > 0)
    )
    addresses = blocks["address"][sections["first_block"][there]]
    return dict(zip(there.tolist(), addresses.tolist(), strict=True))


class Function(NamedTuple):
    """A function as it was linked."""

    #: Of a module's function, its own: the linker's name for the body ends in `$body`.
    name: str
    address: int
    #: Bytes; at least 1.
    size: int


def functions(graph: LinkGraph) -> list[Function]:
    """The named functions that the graph defines, local ones included, in the order of the file.

    One without a size (assembly has such) reaches to the next symbol of its block, or to its end.
    """
    sections, blocks, symbols, _ = graph.records
    code = sections["region"] == lib.LJ_TEXT
    wanted = (symbols["place"] >= 0) & (symbols["traits"] & lib.LJ_TRAIT_CALLABLE != 0)
    places = np.where(wanted, symbols["place"], 0)
    if len(blocks):
        wanted &= code[blocks["section"][places]]
    found = []
    for symbol in graph.defined_symbols():
        if not wanted[symbol.number] or not symbol.name:
            continue
        size = symbol.size
        if not size:
            place = symbols["place"][symbol.number]
            later = symbols["offset"][symbols["place"] == place]
            later = later[later > symbol.offset]
            size = int(later.min() if len(later) else blocks["size"][place]) - symbol.offset
        if size > 0:
            found.append(Function(symbol.name.removesuffix("$body"), symbol.address, size))
    return found
