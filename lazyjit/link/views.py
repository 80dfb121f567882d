"""A link graph's records as Python objects: `Section`, `Block`, `Symbol` and `Edge`.

A view is a graph and a number; nothing is copied, and nothing is made before it is asked for. What
is set through a view is set in the graph, and what breaks the graph's rules raises `GraphError`, as
does using a view of what was removed. Views keep the records alive, also after the graph was
finalized. Memory goes with the code: `Block.content` raises `GraphError` once it was given back,
and what `mutable_content` gave before may not be used any more. A view belongs to its graph's
thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lazyjit._native import ffi, held, lib
from lazyjit.errors import GraphError
from lazyjit.link.model import Lifetime, MemProt
from lazyjit.link.view_base import View, check, kind_name, kind_number
from lazyjit.link.view_symbol import Symbol

__all__ = ["Block", "Edge", "Section", "Symbol"]

_PROTS: list[MemProt] = [MemProt(bits) for bits in range(8)]
_LIFETIMES: list[Lifetime] = list(Lifetime)


def _check_addend(addend: int) -> None:
    if not -(2**63) <= addend < 2**63:
        raise GraphError(f"an addend of {addend}: it has 64 bits and a sign")


class Section(View):
    """A named group of blocks with one protection and lifetime."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<Section {self.number} {self.name!r}>"

    @property
    def _row(self) -> Any:
        row = self._graph.sections[self.number]
        if not row.linked:
            raise GraphError("the section was removed")
        return row

    @property
    def name(self) -> str:
        """The section's name, `.text` say; `$__GOT` and `$__PLT` are the linker's own."""
        return self._string(self._row.name)

    @property
    def ordinal(self) -> int:
        """Its place in the order in which sections are laid out."""
        return self.number

    @property
    def linked(self) -> bool:
        """Whether it goes to the program's memory."""
        return bool(self._row.region != lib.LJ_REGION_NONE)

    @property
    def region(self) -> int:
        """A `lazyjit.link.arena.Region` number, or -1."""
        return int(self._row.region)

    @property
    def flags(self) -> int:
        """ELF's sh_flags."""
        return int(self._row.flags)

    @property
    def prot(self) -> MemProt:
        """What its memory allows. Can be set before layout, but for thread-local sections and the
        linker's own; never to WRITE and EXEC.
        """
        return _PROTS[int(self._row.prot)]

    @prot.setter
    def prot(self, prot: MemProt) -> None:
        self._keep_in(MemProt(prot).value, self._row.lifetime)

    @property
    def lifetime(self) -> Lifetime:
        """How long its memory is needed. Can be set before layout, but for sections that have a
        part in running the program: unwind tables, initializers, thread-local ones, the linker's.
        """
        return _LIFETIMES[int(self._row.lifetime)]

    @lifetime.setter
    def lifetime(self, lifetime: Lifetime) -> None:
        self._keep_in(self._row.prot, Lifetime(lifetime).value)

    def _keep_in(self, prot: int, lifetime: int) -> None:
        graph = self._graph
        check(graph, lib.lj_graph_set_memory(graph, self.number, prot, lifetime))

    @property
    def block_count(self) -> int:
        """How many blocks it has."""
        return int(self._row.block_count)

    @property
    def address_range(self) -> tuple[int, int]:
        """Addresses from the first block's start to the last one's end, once allocated; (0, 0) of a
        section without blocks.
        """
        row, graph = self._row, self._graph
        if row.first_block == lib.LJ_NONE or not graph.allocated:
            return 0, 0
        last = graph.blocks[row.last_block]
        return int(graph.blocks[row.first_block].address), int(last.address + last.size)

    def blocks(self) -> Iterator[Block]:
        """Its blocks, in the order in which they are laid out."""
        number, graph = self._row.first_block, self._graph
        while number != lib.LJ_NONE:
            following = graph.blocks[number].next
            yield Block(graph, number)
            number = following

    def symbols(self) -> Iterator[Symbol]:
        """The symbols in its blocks."""
        for block in self.blocks():
            yield from block.symbols()


class Block(View):
    """Bytes, or zeros, that stay together."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<Block {self.number} of {self.section.name!r}, {self.size} bytes>"

    @property
    def _row(self) -> Any:
        row = self._graph.blocks[self.number]
        if row.state & lib.LJ_BLOCK_GONE:
            raise GraphError("the block was removed")
        return row

    @property
    def section(self) -> Section:
        """Where it belongs."""
        return Section(self._graph, self._row.section)

    @property
    def size(self) -> int:
        """In bytes."""
        return int(self._row.size)

    @property
    def align(self) -> int:
        """A power of two, up to 2 MiB; `align_offset` is below it. Can be set before layout."""
        return int(self._row.align)

    @align.setter
    def align(self, align: int) -> None:
        self._align_at(align, self._row.align_offset)

    @property
    def align_offset(self) -> int:
        """What is left of its address when divided by `align`. Can be set before layout."""
        return int(self._row.align_offset)

    @align_offset.setter
    def align_offset(self, offset: int) -> None:
        self._align_at(self._row.align, offset)

    def _align_at(self, align: int, offset: int) -> None:
        graph = self._graph
        if min(align, offset) < 0 or max(align, offset) >= 2**63:
            raise GraphError(f"alignment {align}, alignment offset {offset}")
        check(graph, lib.lj_graph_set_align(graph, self.number, align, offset))

    @property
    def address(self) -> int:
        """In the running program, once allocated; before, what it was made with."""
        graph = self._graph
        return int(self._row.address) if graph.allocated or not graph.laid_out else 0

    @property
    def zero_fill(self) -> bool:
        """Whether it has no content of its own."""
        return bool(self._row.state & lib.LJ_BLOCK_ZERO_FILL)

    def _check_memory(self) -> None:
        gone, section = self._graph.memory_gone, self._graph.sections[self._row.section]
        if section.region == lib.LJ_REGION_NONE:
            return  # its bytes are the graph's own
        if gone == lib.LJ_MEMORY_FREED or (
            gone == lib.LJ_MEMORY_FINALIZED and section.lifetime == lib.LJ_LIFETIME_FINALIZE
        ):
            raise GraphError("the block's memory was given back")

    @property
    def content(self) -> bytes:
        """A copy of its bytes as they are now. Set it, to bytes of any size that leaves the block's
        symbols and edges inside, before layout. Raises GraphError when its memory was given back.
        """
        self._check_memory()
        row = self._row
        if not row.content:
            return bytes(row.size)
        given = row.size if self._graph.allocated else row.input_size
        raw: bytes = ffi.unpack(ffi.cast("char *", row.content), given) if given else b""
        return raw.ljust(row.size, b"\0")

    @content.setter
    def content(self, data: bytes) -> None:
        graph, given = self._graph, ffi.from_buffer("uint8_t[]", data)
        check(graph, lib.lj_graph_set_content(graph, self.number, given, len(given)))

    def mutable_content(self) -> memoryview:
        """Its bytes, to be written: once allocated, the working memory itself. Raises GraphError
        for a zero-fill block that isn't allocated, and when its memory was given back.
        """
        self._check_memory()
        graph = self._graph
        check(graph, lib.lj_graph_own_content(graph, self.number))
        row = self._row
        if not row.content:
            raise GraphError("the block has no content of its own")
        return memoryview(held(row.content, row.size, graph))

    def edges(self) -> Iterator[Edge]:
        """Its edges, in the order in which they are applied."""
        position = 0
        while position < self._row.edge_count:
            row = self._row
            if not self._graph.edges[row.first_edge + position].gone:
                yield Edge(self, position)
            position += 1

    def symbols(self) -> Iterator[Symbol]:
        """The symbols in it, in no particular order."""
        graph = self._graph
        lib.lj_graph_index(graph)
        number = self._row.first_symbol
        while number != lib.LJ_NONE:
            following = graph.symbols[number].next
            yield Symbol(graph, number)
            number = following

    def add_edge(self, kind: str | int, offset: int, target: Symbol, addend: int = 0) -> Edge:
        """A new edge at `offset`. Raises GraphError for an unknown kind, bytes outside, or an
        addend beyond 64 bits."""
        graph = self._graph
        if not 0 <= offset < 2**32:
            raise GraphError(f"{offset} is outside of the block")
        _check_addend(addend)
        fresh = ffi.new("lj_link_edge *")
        fresh.kind = kind_number(graph, kind)
        fresh.offset, fresh.target, fresh.addend = offset, target.in_graph(graph), addend
        position = ffi.new("uint32_t *")
        check(graph, lib.lj_graph_add_edge(graph, self.number, fresh, position))
        return Edge(self, position[0])

    def remove_edge(self, edge: Edge) -> None:
        """Remove one of its edges."""
        if edge.block != self:
            raise GraphError("the edge belongs to another block")
        check(self._graph, lib.lj_graph_remove_edge(self._graph, self.number, edge.position))


class Edge:
    """A place whose bytes are computed from a symbol: number `position` of a block's edges."""

    __slots__ = ("block", "position")

    def __init__(self, block: Block, position: int) -> None:
        self.block = block
        self.position = position

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Edge) and (other.block, other.position) == (
            self.block,
            self.position,
        )

    def __hash__(self) -> int:
        return hash((self.block, self.position))

    def __repr__(self) -> str:
        return f"<Edge {self.kind} at {self.offset} of block {self.block.number}>"

    @property
    def _row(self) -> Any:
        block = self.block._row
        if self.position < block.edge_count:
            row = self.block._graph.edges[block.first_edge + self.position]
            if not row.gone:
                return row
        raise GraphError("the edge was removed, or moved to another block")

    @property
    def kind(self) -> str:
        """The ABI's name, or one of the linker's own. Can be set."""
        return kind_name(self.block._graph, self._row.kind)

    @kind.setter
    def kind(self, kind: str | int) -> None:
        graph, row = self.block._graph, self._row
        number = kind_number(graph, kind)
        written = lib.lj_relocation_bytes(graph.arch, number)
        if written > self.block.size - row.offset:
            raise GraphError(f"{kind} doesn't fit into its block at {row.offset}")
        row.kind = number

    @property
    def number(self) -> int:
        """Its row among all edges, until its block gets more."""
        return int(self.block._row.first_edge) + self.position

    @property
    def offset(self) -> int:
        """In its block."""
        return int(self._row.offset)

    @property
    def target(self) -> Symbol:
        """What it refers to. Can be set."""
        return Symbol(self.block._graph, self._row.target)

    @target.setter
    def target(self, target: Symbol) -> None:
        graph, row = self.block._graph, self._row
        number = target.in_graph(graph)
        found = target._row
        if not found.traits & lib.LJ_TRAIT_USED:
            found.traits |= lib.LJ_TRAIT_USED
            graph.listed = 0
        row.target = number

    @property
    def addend(self) -> int:
        """The formula's A. Can be set."""
        return int(self._row.addend)

    @addend.setter
    def addend(self, addend: int) -> None:
        _check_addend(addend)
        self._row.addend = addend
