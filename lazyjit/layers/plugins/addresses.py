"""Where things went: addresses of an object's sections, symbols and functions, for plugins.

To be asked in a post-fixup pass, when every address is final, those of externals included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lazyjit._native import ffi, lib

if TYPE_CHECKING:
    from lazyjit.link.graph import LinkGraph

__all__ = ["Function", "functions", "section_addresses", "symbol_addresses"]


def symbol_addresses(graph: LinkGraph) -> memoryview:
    """An address (uint64) for each symbol of the object file, by its number there; 0 for what has
    none."""
    native = graph.native
    addresses = memoryview(bytearray(8 * native.symbol_count)).cast("Q")
    lib.lj_graph_symbol_addresses(native, ffi.from_buffer("uint64_t[]", addresses))
    return addresses


def section_addresses(graph: LinkGraph) -> dict[int, int]:
    """The addresses of the sections that have memory, by their numbers in the object file."""
    native = graph.native
    found = {}
    for number in range(native.section_count):
        section = native.sections[number]
        if section.region != lib.LJ_REGION_NONE and section.block_count:
            found[number] = native.blocks[section.first_block].address
    return found


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
    import numpy as np  # a tenth of a second, for profilers only

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
