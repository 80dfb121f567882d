"""Graphs by hand: what a pass, or whoever has no object file, can do to a link graph.

    graph = LinkGraph("answer")
    text = graph.create_section("text", MemProt.READ | MemProt.EXEC)
    code = graph.create_content_block(text, b"\\xb8\\x2a\\0\\0\\0\\xc3")  # mov $42, %eax; ret
    graph.add_defined_symbol(code, 0, "answer", code.size, callable=True)

The operations are JITLink's. Each keeps the graph's rules or raises `GraphError` and changes
nothing. Sections and blocks are fixed once the graph is laid out; symbols and edges once edges are
applied. An edge that needs an entry of GOT or PLT gets it when it is added before layout, after
`plan` even. From layout on it can use those that there are: one that has to have another is
refused.

A graph that Python has looked into is verified before each station that relies on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from lazyjit._native import ffi, lib
from lazyjit.errors import GraphError
from lazyjit.link.model import Lifetime, Linkage, MemProt, Scope
from lazyjit.link.native_graph import NativeGraph
from lazyjit.link.view_base import View
from lazyjit.link.views import Block, Section, Symbol
from lazyjit.symbols import encode_name

if TYPE_CHECKING:
    from lazyjit.link.records import Records

__all__ = ["EditableGraph"]


class EditableGraph(NativeGraph):
    """Looking at a graph's parts, and changing them."""

    __slots__ = ()

    # -- what it is ----------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The file that it was read from, or the name that it was made with."""
        return self.file or ""

    @property
    def arch(self) -> str:
        """The architecture's name: the first part of `triple`."""
        return str(ffi.string(lib.lj_arch_name(self._records().arch)).decode())

    @property
    def triple(self) -> str:
        """LLVM's name of the target."""
        return self._triple or f"{self.arch}-unknown-linux-gnu"

    @property
    def pointer_size(self) -> int:
        """In bytes."""
        return 8

    @property
    def endianness(self) -> str:
        """As `int.from_bytes` takes it."""
        return "little"

    # -- its parts -----------------------------------------------------------------------------

    @property
    def records(self) -> Records:
        """The graph as four NumPy record arrays over native memory (see `lazyjit.link.records`)."""
        from lazyjit.link.records import records  # NumPy: a tenth of a second

        return records(self._view())

    def sections(self) -> Iterator[Section]:
        """Every section that is part of the graph, by ordinal."""
        graph = self._view()
        number = 0
        while number < graph.section_count:
            if graph.sections[number].linked:
                yield Section(graph, number)
            number += 1

    def blocks(self) -> Iterator[Block]:
        """Every block."""
        graph = self._view()
        number = 0
        while number < graph.block_count:
            if not graph.blocks[number].state & lib.LJ_BLOCK_GONE:
                yield Block(graph, number)
            number += 1

    def symbols(self) -> Iterator[Symbol]:
        """Every symbol that has a place: in a block, absolute, or elsewhere."""
        return self._symbols(lambda place: bool(place >= lib.LJ_PLACE_ABSOLUTE))

    def defined_symbols(self) -> Iterator[Symbol]:
        """Symbols in blocks."""
        return self._symbols(lambda place: bool(place >= 0))

    def external_symbols(self) -> Iterator[Symbol]:
        """Symbols that are defined elsewhere."""
        return self._symbols(lambda place: bool(place == lib.LJ_PLACE_EXTERNAL))

    def absolute_symbols(self) -> Iterator[Symbol]:
        """Symbols that are numbers."""
        return self._symbols(lambda place: bool(place == lib.LJ_PLACE_ABSOLUTE))

    def _symbols(self, wanted: Any) -> Iterator[Symbol]:
        graph = self._view()
        number = 1  # 0 is nobody's
        while number < graph.symbol_count:
            if wanted(graph.symbols[number].place):
                yield Symbol(graph, number)
            number += 1

    def find_section(self, name: str) -> Section | None:
        """The first section of this name, or None."""
        graph = self._view()
        number = lib.lj_graph_find_section(graph, encode_name(name))
        return None if number == 2**32 - 1 else Section(graph, number)

    def find_symbol(self, name: str) -> Symbol | None:
        """The first symbol of this name, one that others see before a local one; or None."""
        graph = self._view()
        number = lib.lj_graph_find_symbol(graph, encode_name(name))
        return None if number == 2**32 - 1 else Symbol(graph, number)

    #: Shorter names.
    section = find_section
    symbol = find_symbol

    # -- sections and blocks -------------------------------------------------------------------

    def create_section(
        self, name: str, prot: MemProt, lifetime: Lifetime = Lifetime.STANDARD
    ) -> Section:
        """A new, empty section.

        What it is to the running program follows from its name, as in an object file: the unwinder
        is told of `.eh_frame`, `.init_array` and `.fini_array` (also with a priority behind a dot)
        hold pointers to what runs before and after main, `.tdata` and `.tbss` are thread-local.
        """
        graph, raw, out = self._view(), encode_name(name), ffi.new("uint32_t *")
        self._check(lib.lj_graph_add_section(graph, raw, len(raw), prot.value, lifetime.value, out))
        return Section(graph, out[0])

    def create_content_block(
        self,
        section: Section,
        content: bytes | bytearray | memoryview,
        *,
        align: int = 1,
        align_offset: int = 0,
        address: int = 0,
    ) -> Block:
        """A block with a copy of `content`. Its address will be `align_offset` modulo `align`;
        `address` is what `Block.address` says until then.
        """
        given = ffi.from_buffer("uint8_t[]", content)
        return self._create_block(section, given, len(given), align, align_offset, address)

    def create_zero_fill_block(
        self,
        section: Section,
        size: int,
        *,
        align: int = 1,
        align_offset: int = 0,
        address: int = 0,
    ) -> Block:
        """A block of zeros that takes no bytes until it has memory."""
        return self._create_block(section, ffi.NULL, size, align, align_offset, address)

    def _create_block(
        self, section: Section, content: Any, size: int, align: int, offset: int, address: int
    ) -> Block:
        graph, out = self._view(), ffi.new("uint32_t *")
        if min(size, align, offset) < 0 or max(size, align, offset) >= 2**63:
            raise GraphError("a size or alignment beyond 63 bits")
        number = self._own(section).number
        status = lib.lj_graph_add_block(graph, number, content, size, align, offset, out)
        self._check(status)
        graph.blocks[out[0]].address = address
        return Block(graph, out[0])

    def remove_block(self, block: Block) -> None:
        """Remove a block and its edges. Raises GraphError while a symbol is in it."""
        self._check(lib.lj_graph_remove_block(self._view(), self._own(block).number))

    def split_block(self, block: Block, offset: int) -> Block:
        """Cut a block: it keeps the first `offset` bytes, and the new one has the rest, with the
        symbols and edges there. Edges that move are new ones: views of the old say that they were
        removed. A symbol across the cut ends there. Raises GraphError when an edge is across.
        """
        graph, out = self._view(), ffi.new("uint32_t *")
        if not 0 <= offset <= block.size:
            raise GraphError(f"{offset} is outside of the block")
        self._check(lib.lj_graph_split_block(graph, self._own(block).number, offset, out))
        return Block(graph, out[0])

    def transfer_block(self, block: Block, section: Section) -> None:
        """Move a block, with its symbols, to the end of another section."""
        number = self._own(section).number
        self._check(lib.lj_graph_move_block(self._view(), self._own(block).number, number))

    def merge_sections(
        self, destination: Section, source: Section, *, preserve_source: bool = False
    ) -> None:
        """Move all blocks of `source` to the end of `destination`, and remove the empty section
        unless it is to be preserved.
        """
        target, emptied = self._own(destination).number, self._own(source).number
        self._check(lib.lj_graph_merge_sections(self._view(), target, emptied, preserve_source))

    # -- symbols -------------------------------------------------------------------------------

    def add_external_symbol(self, name: str, size: int = 0, weak: bool = False) -> Symbol:
        """A symbol that is defined elsewhere; a weak one may be missing, and is 0 then."""
        linkage = Linkage.WEAK if weak else Linkage.STRONG
        return self._add(lib.LJ_PLACE_EXTERNAL, 0, name, size, linkage, Scope.DEFAULT, 0)

    def add_absolute_symbol(
        self,
        name: str,
        address: int,
        size: int = 0,
        linkage: Linkage = Linkage.STRONG,
        scope: Scope = Scope.DEFAULT,
        live: bool = False,
    ) -> Symbol:
        """A symbol whose value is a number."""
        traits = lib.LJ_TRAIT_LIVE if live else 0
        return self._add(lib.LJ_PLACE_ABSOLUTE, address, name, size, linkage, scope, traits)

    def add_common_symbol(
        self,
        name: str,
        section: Section,
        size: int,
        align: int = 1,
        scope: Scope = Scope.DEFAULT,
        live: bool = False,
    ) -> Symbol:
        """A tentative definition: zeros of its own in `section`, unless others define it."""
        block = self.create_zero_fill_block(section, size, align=align)
        traits = lib.LJ_TRAIT_COMMON | (lib.LJ_TRAIT_LIVE if live else 0)
        return self._add(block.number, 0, name, size, Linkage.WEAK, scope, traits)

    def add_anonymous_symbol(
        self,
        block: Block,
        offset: int,
        size: int = 0,
        callable: bool = False,
        live: bool = False,
    ) -> Symbol:
        """A place in a block for edges to refer to, without a name."""
        return self.add_defined_symbol(
            block, offset, "", size, scope=Scope.LOCAL, callable=callable, live=live
        )

    def add_defined_symbol(
        self,
        block: Block,
        offset: int,
        name: str,
        size: int = 0,
        linkage: Linkage = Linkage.STRONG,
        scope: Scope = Scope.DEFAULT,
        callable: bool = False,
        live: bool = False,
    ) -> Symbol:
        """A name for a place in a block."""
        traits = (lib.LJ_TRAIT_CALLABLE if callable else 0) | (lib.LJ_TRAIT_LIVE if live else 0)
        return self._add(self._own(block).number, offset, name, size, linkage, scope, traits)

    def _add(
        self,
        place: int,
        offset: int,
        name: str,
        size: int,
        linkage: Linkage,
        scope: Scope,
        traits: int,
    ) -> Symbol:
        graph, raw, out = self._view(), encode_name(name), ffi.new("uint32_t *")
        if not (0 <= offset < 2**64 and 0 <= size < 2**64):
            raise GraphError("an offset, address or size beyond 64 bits")
        row = ffi.new("lj_link_symbol *")
        row.place, row.offset, row.size, row.traits = place, offset, size, traits
        row.linkage, row.scope = linkage.value, scope.value
        if place == lib.LJ_PLACE_ABSOLUTE:
            row.address = offset
        self._check(lib.lj_graph_add_symbol(graph, row, raw, len(raw), out))
        return Symbol(graph, out[0])

    def make_external(self, symbol: Symbol | Iterable[str]) -> None:
        """Let a symbol be defined elsewhere, whatever it was; the block that it was in stays.

        Of names instead of a symbol: let these weak definitions be external, since other
        definitions won. Those that the graph refers to are appended to `externals`. Before
        `fix_up`. Raises GraphError for a symbol without a name, UsageError for a name that isn't
        defined here or whose definition is strong.
        """
        if not isinstance(symbol, Symbol):
            self._give_up(symbol)
            return
        self._move(symbol, lib.LJ_PLACE_EXTERNAL, 0)
        if symbol.scope is Scope.LOCAL:
            symbol.scope = Scope.DEFAULT
        symbol.linkage = Linkage.STRONG

    def make_absolute(self, symbol: Symbol, address: int) -> None:
        """Let a symbol be a number."""
        if not 0 <= address < 2**64:
            raise GraphError("an address beyond 64 bits")
        self._move(symbol, lib.LJ_PLACE_ABSOLUTE, address)

    def make_defined(
        self,
        symbol: Symbol,
        block: Block,
        offset: int,
        size: int = 0,
        linkage: Linkage = Linkage.STRONG,
        scope: Scope = Scope.DEFAULT,
        live: bool = False,
    ) -> None:
        """Let an external or absolute symbol be a place in a block."""
        self._place(symbol, block, offset, size)
        symbol.linkage, symbol.scope, symbol.live = linkage, scope, live

    def transfer_defined_symbol(
        self, symbol: Symbol, block: Block, offset: int, size: int | None = None
    ) -> None:
        """Move a symbol to another place, with its size unless another is given."""
        if symbol.block is None:
            raise GraphError("the symbol isn't defined here")
        self._place(symbol, block, offset, symbol.size if size is None else size)

    def remove_symbol(self, symbol: Symbol) -> None:
        """Remove a symbol. Edges to it have to go, too, before the next station."""
        self._move(symbol, lib.LJ_PLACE_GONE, 0)

    def _place(self, symbol: Symbol, block: Block, offset: int, size: int) -> None:
        if not (0 <= offset <= block.size and 0 <= size <= block.size - offset):
            raise GraphError(f"{size} bytes at {offset} of a block of {block.size}")
        row = self._own(symbol)._row
        before, row.size = row.size, size
        try:
            self._move(symbol, self._own(block).number, offset)
        except GraphError:
            row.size = before
            raise

    def _move(self, symbol: Symbol, place: int, offset: int) -> None:
        status = lib.lj_graph_move_symbol(self._view(), self._own(symbol).number, place, offset)
        self._check(status)

    # -- what holds of it ----------------------------------------------------------------------

    def mark_exported(self) -> None:
        """Make every definition that others may see live."""
        lib.lj_graph_mark_exported(self._records())

    def split_eh_frames(self) -> None:
        """Make a block of each unwind record, living with its function by a KeepAlive edge: what
        `prune` does first. Does nothing the second time. Raises ObjectFormatError for malformed
        ones.
        """
        self._check(lib.lj_graph_relate(self._records()))

    def verify(self) -> None:
        """Check every invariant (`native/link_verify.c` lists them). Raises GraphError."""
        self._check(lib.lj_graph_verify(self._records()))

    def _own(self, view: Any) -> Any:
        """The view, if it is of this graph and not removed."""
        if not isinstance(view, View) or view._graph != self._records():
            raise GraphError("that belongs to another graph")
        view._row  # noqa: B018  # raises when it was removed
        return view
