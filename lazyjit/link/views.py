"""A link graph as Python objects and as NumPy arrays, for passes and for the curious.

The records live in native memory (`native/link_graph.h`); nothing here is made until it is asked
for. `records(graph)` gives the four arrays, to be worked on as a whole; `Section`, `Block`,
`Symbol` and `Edge` are a graph and a row number each. Arrays and views keep the records alive, also
after the graph was finalized. What they say of memory (`Block.content`) holds until it is freed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lazyjit._native import ffi, lib
from lazyjit.symbols import decode_name

__all__ = ["Block", "Edge", "Records", "Section", "Symbol", "records"]


def _dtype(name: str) -> np.dtype[Any]:
    """The NumPy twin of a C structure, made from what the compiler says of it."""
    kind = ffi.typeof(name)
    names, formats, offsets = [], [], []
    for field, info in kind.fields:
        code = "i" if info.type.cname.startswith("int") else "u"
        names.append(field)
        formats.append(f"<{code}{ffi.sizeof(info.type)}")
        offsets.append(info.offset)
    return np.dtype(
        {"names": names, "formats": formats, "offsets": offsets, "itemsize": ffi.sizeof(kind)}
    )


SECTION = _dtype("lj_link_section")
BLOCK = _dtype("lj_link_block")
SYMBOL = _dtype("lj_link_symbol")
EDGE = _dtype("lj_link_edge")


class Records(NamedTuple):
    """The graph as arrays, one row per record; the rows' numbers refer to each other."""

    sections: npt.NDArray[Any]
    blocks: npt.NDArray[Any]
    symbols: npt.NDArray[Any]
    edges: npt.NDArray[Any]


def _array(native: Any, pointer: Any, count: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    if not count:
        return np.empty(0, dtype)
    # The array holds the buffer, that the pointer, and that the graph, by this empty destructor.
    held = ffi.gc(ffi.cast("char *", pointer), lambda _, owner=native: None)
    return np.frombuffer(ffi.buffer(held, count * dtype.itemsize), dtype)


def records(native: Any) -> Records:
    """The four arrays over native memory, writable, without a copy."""
    return Records(
        _array(native, native.sections, native.section_count, SECTION),
        _array(native, native.blocks, native.block_count, BLOCK),
        _array(native, native.symbols, native.symbol_count, SYMBOL),
        _array(native, native.edges, native.edge_count, EDGE),
    )


class _View:
    """A row of a graph."""

    __slots__ = ("_graph", "_row", "number")

    def __init__(self, graph: Any, number: int, row: Any) -> None:
        self._graph = graph
        self._row = row
        self.number = number

    def __eq__(self, other: object) -> bool:
        return (
            type(other) is type(self)
            and isinstance(other, _View)
            and other._graph == self._graph
            and other.number == self.number
        )

    def __hash__(self) -> int:
        return hash((type(self), self.number))

    def _string(self, offset: int) -> str:
        return decode_name(ffi.string(self._graph.strings + offset))


class Section(_View):
    """A named group of blocks that go to one region."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The section's name, `.text` say; `$__GOT` and `$__PLT` are the linker's own."""
        return self._string(self._row.name)

    @property
    def linked(self) -> bool:
        """Whether it goes to memory."""
        return bool(self._row.region != lib.LJ_REGION_NONE)

    @property
    def region(self) -> int:
        """A `lazyjit.link.arena.Region` number, or -1."""
        return int(self._row.region)

    @property
    def flags(self) -> int:
        """ELF's sh_flags."""
        return int(self._row.flags)

    def blocks(self) -> Iterator[Block]:
        """Its blocks, in order."""
        for i in range(self._row.block_count):
            yield block(self._graph, self._row.first_block + i)


class Block(_View):
    """Bytes that stay together."""

    __slots__ = ()

    @property
    def section(self) -> Section:
        """Where it belongs."""
        return section(self._graph, self._row.section)

    @property
    def size(self) -> int:
        """In bytes."""
        return int(self._row.size)

    @property
    def align(self) -> int:
        """A power of two."""
        return int(self._row.align)

    @property
    def address(self) -> int:
        """In the running program, once allocated; before: 0."""
        return int(self._row.address) if self._graph.allocated else 0

    @property
    def zero_fill(self) -> bool:
        """Whether the object gives no content for it."""
        return not self._row.input_size

    @property
    def content(self) -> bytes:
        """A copy of its bytes as they are now."""
        if not self._row.content:
            return bytes(self._row.size)
        given = self._row.size if self._graph.allocated else self._row.input_size
        raw: bytes = ffi.unpack(ffi.cast("char *", self._row.content), given) if given else b""
        return raw.ljust(self._row.size, b"\0")

    def edges(self) -> Iterator[Edge]:
        """Its edges, in the object's order."""
        for i in range(self._row.edge_count):
            number = self._row.first_edge + i
            yield Edge(self._graph, number, self._graph.edges[number])


class Symbol(_View):
    """A name for a place."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """Empty for an anonymous one."""
        return self._string(self._row.name)

    @property
    def external(self) -> bool:
        """Whether it is defined elsewhere."""
        return bool(self._row.place == lib.LJ_PLACE_EXTERNAL)

    @property
    def absolute(self) -> bool:
        """Whether it is a number that no layout changes."""
        return bool(self._row.place == lib.LJ_PLACE_ABSOLUTE)

    @property
    def block(self) -> Block | None:
        """Where it is defined, or None."""
        return block(self._graph, self._row.place) if self._row.place >= 0 else None

    @property
    def offset(self) -> int:
        """In its block."""
        return int(self._row.offset)

    @property
    def size(self) -> int:
        """In bytes; 0 when unknown."""
        return int(self._row.size)

    @property
    def address(self) -> int:
        """Its value, once known; a token for a thread-local variable."""
        return int(self._row.address)

    @property
    def weak(self) -> bool:
        """Whether another definition overrides it, or, if external, whether it may be missing."""
        return bool(self._row.linkage == lib.LJ_LINKAGE_WEAK)

    @property
    def local(self) -> bool:
        """Whether no other object sees it."""
        return bool(self._row.scope == lib.LJ_SCOPE_LOCAL)

    @property
    def hidden(self) -> bool:
        """Whether no other dylib sees it."""
        return bool(self._row.scope != lib.LJ_SCOPE_DEFAULT)


class Edge(_View):
    """A place whose bytes are computed from a symbol."""

    __slots__ = ()

    @property
    def kind(self) -> str:
        """The ABI's name."""
        return str(ffi.string(lib.lj_relocation_name(self._graph.arch, self._row.kind)).decode())

    @property
    def offset(self) -> int:
        """In its block."""
        return int(self._row.offset)

    @property
    def target(self) -> Symbol:
        """What it refers to."""
        return symbol(self._graph, self._row.target)

    @property
    def addend(self) -> int:
        """The formula's A."""
        return int(self._row.addend)


def section(graph: Any, number: int) -> Section:
    """The view of a section of a native graph."""
    return Section(graph, number, graph.sections[number])


def block(graph: Any, number: int) -> Block:
    """The view of a block."""
    return Block(graph, number, graph.blocks[number])


def symbol(graph: Any, number: int) -> Symbol:
    """The view of a symbol."""
    return Symbol(graph, number, graph.symbols[number])
