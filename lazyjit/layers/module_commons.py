"""A module's common variables (`@x = common global [64 x i8] zeroinitializer`), as zeros to link.

Code of the module reaches them by name, as it reaches what other modules have. Their units would
each be compiled alone, to a definition of one size; so they are not compiled at all but become a
link graph, whose common symbols grow to what others of the same name want (`layers.commons`). For
that their sizes are worked out from their types, as LLVM lays them out for x86-64.

What has a type without such a size (an integer of odd width), or must be defined along with
something else, stays the module's own, and is taken as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lazyjit.call.ir_head import IRType, read_variable
from lazyjit.ir import ModuleIndex, carve
from lazyjit.link.graph import LinkGraph
from lazyjit.link.model import MemProt, Scope
from lazyjit.symbols import SymbolFlags

__all__ = ["commons_of", "extent_of"]

#: Types that are aligned to their size, by that.
_SIZES: Final = {
    1: ("i1", "i8"),
    2: ("i16", "half", "bfloat"),
    4: ("i32", "float"),
    8: ("i64", "double", "ptr"),
    16: ("i128", "x86_fp80", "fp128"),
}
_SIMPLE: Final = {word: (size, size) for size, words in _SIZES.items() for word in words}


def extent_of(kind: IRType) -> tuple[int, int] | None:
    """A type's size and alignment in memory, in bytes; None for what is not laid out here."""
    if kind.word not in ("struct", "packed", "array", "vector"):
        return _SIMPLE.get(kind.word)
    parts = [extent for part in kind.parts if (extent := extent_of(part)) is not None]
    if len(parts) < len(kind.parts):
        return None
    if kind.word == "array":
        return parts[0][0] * kind.count, parts[0][1]
    if kind.word == "vector":
        size = parts[0][0] * kind.count
        # Elements that fill their bytes, as many as a power of two.
        whole = size and not size & (size - 1) and kind.parts[0].word not in ("i1", "x86_fp80")
        return (size, size) if whole else None
    size, most = 0, 1
    for part, align in parts:
        if kind.word == "struct":
            size, most = -(-size // align) * align, max(most, align)
        size += part
    return -(-size // most) * most, most


def commons_of(index: ModuleIndex) -> LinkGraph | None:
    """A graph with the module's common variables; None when it has none. Any thread."""
    found = list(_extents(index)) if index.counts.commons else []
    if not found:
        return None
    graph = LinkGraph(f"{index.file}:<common>")
    section = graph.create_section("COMMON", MemProt.READ | MemProt.WRITE)
    for name, flags, (size, align) in found:
        scope = Scope.DEFAULT if flags & SymbolFlags.EXPORTED else Scope.HIDDEN
        graph.add_common_symbol(name, section, size, align, scope)
    return graph


def _extents(index: ModuleIndex) -> Iterator[tuple[str, SymbolFlags, tuple[int, int]]]:
    entities = [each for each in index.commons() if index.together(each) == [each]]
    texts: list[bytes] = []

    def types() -> bytes:
        """The definitions of the types that they have, taken once."""
        if not texts:
            texts.append(carve(index, entities).text)
        return texts[0]

    for entity in entities:
        variable = read_variable(index.source(entity), types)
        extent = extent_of(variable.type) if variable.plain else None
        if extent is not None:
            size, align = extent
            # Without a word on it, LLVM aligns what is larger than a register to 16 bytes.
            align = variable.align or max(align, 16 if size >= 16 else 1)
            yield *index.symbol(entity), (size, align)
