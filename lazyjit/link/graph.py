"""One object file on its way to running code: the link graph.

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

A graph belongs to one thread at a time; different graphs are independent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from sys import intern
from typing import Any

from lazyjit._native import error, ffi, lib
from lazyjit.errors import InternalError, ObjectFormatError, RelocationError, UsageError
from lazyjit.link import views
from lazyjit.symbols import ExecutorSymbolDef, SymbolFlags, decode_name

__all__ = ["LinkGraph"]

#: By native flag byte: calling the enum costs more than an index.
_FLAGS = [SymbolFlags(bits) for bits in range(32)]


#: R_X86_64_32 and R_X86_64_32S.
_ABSOLUTE_32 = frozenset((10, 11))


class LinkGraph:
    """An object's sections, blocks, symbols and edges, and its memory once allocated."""

    __slots__ = (
        "__weakref__",
        "_addresses",
        "_arena",
        "_defined",
        "_externals",
        "_finis",
        "_graph",
        "_inits",
        "_input",
        "_linked",
        "_named",
        "_names",
        "_viewed",
        "_weak",
        "file",
    )

    def __init__(self, graph: Any, file: str | None) -> None:
        """Internal: use `from_object`."""
        self._graph = graph
        self._named = int(graph.external_count)
        self._linked: Any = None
        self._arena: Any = None
        self._input: Any = None
        self._names: list[str] | None = None
        self._externals: list[str] | None = None
        self._weak: bytes | None = None
        self._defined: dict[str, SymbolFlags] | None = None
        self._addresses: dict[str, int] | None = None
        self._inits: list[tuple[int, int]] | None = None
        self._finis: list[tuple[int, int]] | None = None
        self._viewed = False
        self.file = file

    @classmethod
    def from_object(
        cls,
        data: Any,
        size: int | None = None,
        *,
        file: str | None = None,
        arena: Any = None,
    ) -> LinkGraph:
        """The graph of an ELF x86-64 relocatable object.

        `data` is a bytes-like object, or an address (an int or a cffi pointer) with `size`. The
        bytes must stay until the graph is allocated, which happens here, in the same native call,
        when an `arena` is given. Any thread. Raises `ObjectFormatError`, `RelocationError` (a kind
        that no JIT'd code can use), and what `allocate` raises.
        """
        if size is None:
            pointer = ffi.from_buffer(data)
            size = len(pointer)
        else:
            pointer = ffi.cast("uint8_t *", data) if isinstance(data, int) else data
        out = ffi.new("lj_graph **")
        source = ffi.cast("uint8_t *", pointer)
        if arena is None:
            status = lib.lj_graph_read(source, size, out)
        else:
            status = lib.lj_graph_load(source, size, arena.handle, out)
        if out[0] == ffi.NULL:
            raise MemoryError("no memory for the link graph")
        graph = cls(ffi.gc(out[0], lib.lj_graph_free), file)
        if status:
            raise graph._error(status)
        if arena is None:
            graph._input = pointer
        else:
            graph._arena = arena
        return graph

    # -- names ---------------------------------------------------------------------------------

    def _all_names(self) -> list[str]:
        """Names of externals, then of definitions: one decode for all of them."""
        if self._names is None:
            graph = self._records()
            blob = ffi.unpack(graph.names, graph.names_size) if graph.names_size else b""
            names = blob.decode("utf-8", "surrogateescape").split("\0")
            names.pop()
            self._names = list(map(intern, names))
        return self._names

    @property
    def external_count(self) -> int:
        """How many externals there are."""
        return int(self._records().external_count)

    @property
    def external_names(self) -> tuple[int, Any]:
        """The names of the externals in place: how many, and a cffi `char *` to them, each ended by
        a NUL. Those that `make_external` has added are not among them.
        """
        return self._named, self._records().names

    @property
    def externals(self) -> list[str]:
        """Names that the object needs from elsewhere, in the order that `fix_up` takes."""
        if self._externals is None:
            self._externals = self._all_names()[: self._records().external_count]
        return self._externals

    @property
    def external_weak(self) -> bytes:
        """A byte per external: 1 when it may be missing, and is 0 then."""
        if self._weak is None:
            graph = self._records()
            count = graph.external_count
            self._weak = (
                ffi.unpack(ffi.cast("char *", graph.external_weak), count) if count else b""
            )
        return self._weak

    @property
    def defined(self) -> dict[str, SymbolFlags]:
        """Definitions that other objects may see, hidden ones included, with their flags."""
        if self._defined is None:
            graph = self._records()
            count = graph.defined_count
            if count:
                names = self._all_names()[-count:]
                flags = ffi.unpack(graph.defined_flags, count)
                self._defined = dict(zip(names, map(_FLAGS.__getitem__, flags), strict=True))
            else:
                self._defined = {}
            if len(self._defined) != count:
                raise ObjectFormatError("the object defines a name twice", file=self.file)
        return self._defined

    @property
    def addresses(self) -> dict[str, int]:
        """Addresses of `defined`, once allocated. A thread-local variable has a token in its
        place, which `lazyjit.link.runtime.thread_local_address` turns into a thread's address.
        """
        if self._addresses is None:
            graph = self._records()
            if not graph.allocated:
                raise UsageError("the graph isn't allocated")
            count = graph.defined_count
            values = ffi.unpack(graph.defined_address, count) if count else []
            names = self._all_names()[-count:] if count else []
            kept = self.defined
            self._addresses = {
                name: value for name, value in zip(names, values, strict=True) if name in kept
            }
        return self._addresses

    def resolved(self) -> dict[str, ExecutorSymbolDef]:
        """`defined` with addresses, as the session takes it."""
        graph = self._records()
        defined = self.defined
        count = graph.defined_count
        if not graph.allocated or len(defined) != count or not count:
            addresses = self.addresses
            return {name: ExecutorSymbolDef(addresses[name], defined[name]) for name in defined}
        values = ffi.unpack(graph.defined_address, count)
        return dict(zip(defined, map(ExecutorSymbolDef, values, defined.values()), strict=True))

    def make_external(self, names: Iterable[str]) -> None:
        """Let these weak definitions be external, since other definitions won.

        Those that the object refers to are appended to `externals`. Before `fix_up`. Raises
        `UsageError` for a name that isn't defined here or whose definition is strong.
        """
        graph = self._records()
        defined = self.defined
        externals = self.externals
        all_names = self._all_names()[-graph.defined_count :] if graph.defined_count else []
        wanted = set(names)
        for name in wanted:
            if name not in defined or not defined[name].overridable():
                raise UsageError(f"{name} has no weak definition in {self.file or 'this object'}")
        positions = [i for i, name in enumerate(all_names) if name in wanted]
        if lib.lj_graph_make_external(graph, positions, len(positions)):
            raise UsageError("externals can't change after fix-up")
        for name in wanted:
            del defined[name]
        for i in range(len(externals), graph.external_count):
            symbol = graph.symbols[graph.externals[i]]
            externals.append(decode_name(ffi.string(graph.strings + symbol.name)))
        self._weak = self._addresses = None

    # -- the stations --------------------------------------------------------------------------

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
        if not self._viewed:
            ffi.release(graph)
        self._graph = None
        self._names = None

    def deallocate(self) -> None:
        """Deregister and free everything; nobody may run in the code. At any station; does nothing
        the second time.
        """
        if self._linked is not None:
            lib.lj_linked_release(self._linked)
        elif self._graph is not None and self._graph.allocated:
            lib.lj_linked_release(ffi.addressof(self._graph, "linked"))
        self._arena = None

    # -- what runs before and after main -------------------------------------------------------

    @property
    def needs_low_addresses(self) -> bool:
        """Whether it has absolute addresses of 32 bits, as code for fixed positions does."""
        graph = self._records()
        return any(graph.edges[i].kind in _ABSOLUTE_32 for i in range(graph.edge_count))

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
            block = graph.blocks[section.first_block]
            values = (
                ffi.unpack(ffi.cast("uint64_t *", block.content), block.size // 8)
                if block.size
                else []
            )
            if section.role == backward:
                values.reverse()
            # 0 and -1 end old-style tables.
            found += [(section.priority, value) for value in values if value not in (0, 2**64 - 1)]
        return sorted(found, key=lambda pair: pair[0])

    # -- the records ---------------------------------------------------------------------------

    @property
    def records(self) -> views.Records:
        """The graph as four NumPy record arrays over native memory (see `lazyjit.link.views`)."""
        return views.records(self._view())

    def sections(self) -> Iterator[views.Section]:
        """Every section, those that aren't linked included."""
        graph = self._view()
        for number in range(graph.section_count):
            yield views.section(graph, number)

    def symbols(self) -> Iterator[views.Symbol]:
        """Every symbol, local ones included."""
        graph = self._view()
        for number in range(graph.symbol_count):
            yield views.symbol(graph, number)

    def section(self, name: str) -> views.Section | None:
        """The first section of this name, or None."""
        return next((section for section in self.sections() if section.name == name), None)

    def symbol(self, name: str) -> views.Symbol | None:
        """The first symbol of this name, or None."""
        return next((symbol for symbol in self.symbols() if symbol.name == name), None)

    # -- inside --------------------------------------------------------------------------------

    def _view(self) -> Any:
        """The records for a view, which then outlive `finalize`."""
        self._viewed = True
        return self._records()

    def _records(self) -> Any:
        if self._graph is None:
            raise UsageError("the graph was finalized; its records are gone")
        return self._graph

    def _error(self, status: int) -> Exception:
        graph = self._graph
        fault = graph.fault
        name = ffi.string(lib.lj_status_name(status)).decode()
        if name == "MISUSE":
            return UsageError(ffi.string(fault.detail).decode())
        if name not in ("OBJ_RELOCATION", "LINK_OVERFLOW"):
            return error(status, ffi.addressof(fault), file=self.file)
        bad = graph.bad
        kind = lib.lj_relocation_name(graph.arch, bad.kind)
        symbol = graph.symbols[bad.symbol]
        section = graph.sections[bad.section]
        words = ffi.string(fault.detail).decode() or (
            f"the target is out of range: {bad.value:#x} doesn't fit"
        )
        return RelocationError(
            words,
            kind=ffi.string(kind).decode() if kind else self._unknown_kind(bad.kind),
            symbol=self._symbol_name(symbol),
            file=self.file,
            section=decode_name(ffi.string(graph.strings + section.name)),
            offset=bad.offset,
            value=bad.value if name == "LINK_OVERFLOW" else None,
        )

    def _unknown_kind(self, number: int) -> str:
        prefix: str = ffi.string(lib.lj_arch_prefix(self._graph.arch)).decode()
        return f"{prefix}{number}"

    def _symbol_name(self, symbol: Any) -> str | None:
        """A symbol's name; a section symbol has its section's."""
        graph = self._graph
        name = decode_name(ffi.string(graph.strings + symbol.name))
        if not name and symbol.place >= 0:
            if symbol.place >= graph.block_count:
                raise InternalError("a symbol's block doesn't exist")
            section = graph.sections[graph.blocks[symbol.place].section]
            name = decode_name(ffi.string(graph.strings + section.name))
        return name or None
