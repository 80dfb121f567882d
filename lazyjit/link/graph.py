"""One object on its way to running code: the link graph.

    graph = LinkGraph.from_object(object_bytes, file="a.o", arena=arena)
    addresses = [lookup(name) for name in graph.externals]
    graph.fix_up(addresses)
    graph.finalize()
    ...
    graph.deallocate()

Between `from_object` and `fix_up` the caller publishes `graph.resolved()` (names, addresses, flags)
and looks up `graph.externals`; how long that takes is nobody's concern here. The graph itself,
sections, blocks, symbols and edges, is native records (`native/link_graph.h`); `lazyjit.link.views`
shows them to Python when asked, and a link without passes never asks.

The long way stops at each station, for passes to work on the graph (`lazyjit.link.editing` has what
they can do) and for memory that isn't an arena's:

    graph = LinkGraph("by hand") or LinkGraph.from_object(object_bytes)
    graph.prune()                  what no live symbol needs goes
    graph.plan()                   GOT, PLT; the names that it needs are final
    graph.layout()                 sizes of segments
    graph.allocate(arena)          or: fill segments in, and graph.place()
    graph.bind(addresses)          externals
    graph.apply()                  edges
    graph.register()               unwind tables and thread-local image: this process runs the code

A graph belongs to one thread at a time; different graphs are independent.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

from lazyjit._native import ffi, lib
from lazyjit.errors import UsageError
from lazyjit.link.editing import EditableGraph
from lazyjit.link.native_graph import memory_gone

__all__ = ["LinkGraph"]

#: R_X86_64_32 to R_X86_64_32S.
_ABSOLUTE_32 = (10, 11)

_NO_POINTER = (0, 2**64 - 1)


class LinkGraph(EditableGraph):
    """Sections, blocks, symbols and edges, and their memory once allocated."""

    __slots__ = ()

    def __init__(self, name: str, triple: str = "x86_64-unknown-linux-gnu") -> None:
        """An empty graph, to be filled by hand. Raises GraphError for a target that lazyjit doesn't
        link for.
        """
        out = ffi.new("lj_graph **")
        status = lib.lj_graph_new(triple.split("-")[0].encode(), out)
        if out[0] == ffi.NULL:
            raise MemoryError("no memory for the link graph")
        self._adopt(out[0], name, triple)
        self._check(status)
        self._viewed = out[0].touched = True

    @classmethod
    def from_object(
        cls,
        data: Any,
        size: int | None = None,
        *,
        file: str | None = None,
        arena: Any = None,
        no_alloc: bool = False,
    ) -> LinkGraph:
        """The graph of an ELF relocatable object.

        `data` is a bytes-like object, or an address (an int or a cffi pointer) with `size`. The
        bytes must stay until the graph is allocated, which happens here, in the same native call,
        when an `arena` is given. With `no_alloc` (and no arena), sections that get no memory, such
        as debug information, are read too, and decompressed if Python can. Any thread. Raises
        `ObjectFormatError`, `RelocationError` (a kind that no JIT'd code can use), and what
        `allocate` raises.
        """
        if size is None:
            pointer = ffi.from_buffer(data)
            size = len(pointer)
        else:
            pointer = ffi.cast("uint8_t *", data) if isinstance(data, int) else data
        out = ffi.new("lj_graph **")
        source = ffi.cast("uint8_t *", pointer)
        if arena is None:
            status = lib.lj_graph_read(source, size, lib.LJ_READ_NO_ALLOC if no_alloc else 0, out)
        else:
            status = lib.lj_graph_load(source, size, arena.handle, out)
        graph = cls.of_native(out[0], status, file=file, arena=arena)
        if arena is None:
            graph._input = pointer
        if no_alloc:
            from lazyjit.link.debug_sections import decompress  # debuggers and checks only

            decompress(graph)
        return graph

    @classmethod
    def of_native(
        cls, native: Any, status: int, *, file: str | None = None, arena: Any = None
    ) -> LinkGraph:
        """The graph around an `lj_graph *`, which becomes its own, in memory of `arena` if given.

        Raises what `status`, from the function that made it, says.
        """
        if native == ffi.NULL:
            raise MemoryError("no memory for the link graph")
        graph = cls.__new__(cls)
        graph._adopt(native, file, None)
        graph._arena = arena
        if status:
            raise graph._error(status)
        return graph

    # -- the stations --------------------------------------------------------------------------

    def prune(self) -> None:
        """Drop every block that no live symbol needs; see `Symbol.live`. Before `plan`."""
        self._check(lib.lj_graph_prune(self._records()))

    def plan(self) -> None:
        """Make GOT, PLT and entries of indirect functions; from here on `externals` is final but
        for what passes add.
        """
        self._check(lib.lj_graph_plan(self._records()))

    def layout(self) -> None:
        """Work out the sizes of segments (`lj_graph.segments`)."""
        self._check(lib.lj_graph_layout(self._records()))

    def place(self, zeroed: bool = False) -> None:
        """Give blocks their addresses in segments whose target and working memory are filled in."""
        self._check(lib.lj_graph_place(self._records(), zeroed))
        self._input = None

    def bind(self, addresses: Sequence[int]) -> None:
        """Set the externals' addresses: the first third of `fix_up`."""
        self._check(lib.lj_graph_bind(self._records(), addresses, len(addresses)))

    def apply(self) -> None:
        """Apply every edge: the second third."""
        self._check(lib.lj_graph_apply(self._records()))

    def register(self) -> None:
        """Make eh-frames and the TLS image known to this process: the last third."""
        self._check(lib.lj_graph_register(self._records()))

    def allocate(self, arena: Any) -> None:
        """Take memory from `arena` and copy the contents; the input is free to go. Raises
        `ArenaFull`, `MemoryError`.
        """
        status = lib.lj_graph_allocate(self._records(), arena.handle)
        self._input = None
        self._arena = arena
        if status:
            raise self._error(status)

    def fix_up(self, addresses: Sequence[int]) -> None:
        """Apply every edge; register eh-frames and thread-local images.

        `addresses` has an entry for each of `externals`, 0 for a missing weak one. Raises
        `RelocationError`, `ObjectFormatError` (malformed call frame information). After an error
        the graph is good for `deallocate` alone.
        """
        graph = self._records()
        status = lib.lj_graph_fix_up(graph, addresses, len(addresses))
        if status:
            raise self._error(status)

    def finalize(self) -> None:
        """Drop the records; what stays is the memory and what `deallocate` needs."""
        graph = self._records()
        if graph.initializers:
            self._inits, self._finis = self.initializers, self.finalizers
        else:
            self._inits = self._finis = []
        linked = ffi.new("lj_linked *")
        lib.lj_graph_finalize(graph, linked)
        self._linked = linked
        if self._viewed:
            graph.memory_gone = lib.LJ_MEMORY_FINALIZED
            self._lent = weakref.ref(graph)
        self._graph = None
        self._names = None

    def forget_memory(self) -> None:
        """For who gives its memory back, before: from here on `Block.content` raises GraphError."""
        if self._graph is not None and self._graph.allocated:
            self._graph.memory_gone = lib.LJ_MEMORY_FREED
        memory_gone(self._lent)

    def forget_handlers(self) -> None:
        """The code will be called no more: forget the exit handlers that lead into it."""
        if self._linked is not None:
            lib.lj_linked_forget(self._linked)

    def deallocate(self) -> None:
        """Deregister and free everything; nobody may run in the code. At any station; does nothing
        the second time.
        """
        self.forget_memory()
        if self._linked is not None:
            lib.lj_linked_release(self._linked)
        elif self._graph is not None and self._graph.allocated:
            lib.lj_linked_release(ffi.addressof(self._graph, "linked"))
        self._arena = None

    # -- what runs before and after main -------------------------------------------------------

    @property
    def needs_low_addresses(self) -> bool:
        """Whether it has absolute addresses of 32 bits, as code for fixed positions does."""
        return bool(lib.lj_graph_has_kinds(self._records(), *_ABSOLUTE_32))

    @property
    def has_initializers(self) -> bool:
        """Whether the object has initializers or finalizers. Before `finalize`."""
        return bool(self._records().initializers)

    @property
    def initializers(self) -> list[tuple[int, int]]:
        """(priority, address) of each initializer in the order to call them, lowest priority
        first. 65535 is the default. After `fix_up`.
        """
        if self._inits is None:
            self._inits = self._pointers(lib.LJ_ROLE_INIT, lib.LJ_ROLE_CTORS)
        return self._inits

    @property
    def finalizers(self) -> list[tuple[int, int]]:
        """(priority, address) of each finalizer in the order to call them, highest priority
        first. After `fix_up`.
        """
        if self._finis is None:
            pointers = self._pointers(lib.LJ_ROLE_FINI, lib.LJ_ROLE_DTORS)
            self._finis = pointers[::-1]
        return self._finis

    @property
    def init_array(self) -> list[int]:
        """Addresses of `initializers`."""
        return [address for _, address in self.initializers]

    @property
    def fini_array(self) -> list[int]:
        """Addresses of `finalizers`."""
        return [address for _, address in self.finalizers]

    def _pointers(self, straight: int, backward: int) -> list[tuple[int, int]]:
        graph = self._records()
        if not graph.initializers:
            return []
        if not graph.fixed:
            raise UsageError("the graph isn't fixed up")
        found: list[tuple[int, int]] = []
        for i in range(graph.section_count):
            section = graph.sections[i]
            if section.role not in (straight, backward) or not section.block_count:
                continue
            pointers: list[int] = []
            number = section.first_block
            while number != lib.LJ_NONE:
                block = graph.blocks[number]
                content = ffi.cast("uint64_t *", block.content)
                pointers += ffi.unpack(content, block.size // 8) if block.size >= 8 else []
                number = block.next
            if section.role == backward:
                pointers.reverse()
            # 0 and -1 end old-style tables.
            found += [(section.priority, value) for value in pointers if value not in _NO_POINTER]
        return sorted(found, key=lambda pair: pair[0])

    # -- to look at ----------------------------------------------------------------------------

    def dump(self) -> str:
        """The whole graph as text: sections, blocks, their symbols and edges."""
        from lazyjit.link import drawing  # to look at: no program needs it

        return drawing.dump(self)

    def to_dot(self) -> str:
        """A drawing for Graphviz: blocks by section, and who refers to whom."""
        from lazyjit.link import drawing  # to look at: no program needs it

        return drawing.to_dot(self)
