"""The native graph behind a `LinkGraph`: its life, its errors, its lists of names."""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Iterable, Mapping
from sys import intern
from typing import Any

from lazyjit._native import error, ffi, lib, owned
from lazyjit.errors import (
    GraphError,
    InternalError,
    ObjectFormatError,
    RelocationError,
    UsageError,
)
from lazyjit.symbols import FLAGS, ExecutorSymbolDef, SymbolFlags, decode_name

__all__ = ["Lent", "NativeGraph", "memory_gone"]

#: Kinds that hold whole addresses in 32 bits.
_FIXED_POSITION = (b"R_X86_64_32", b"R_X86_64_32S")

#: All bytes of flags that say of no common symbol.
_NOT_COMMON = bytes(each for each in range(256) if not each & SymbolFlags.COMMON)

#: Records that views may still have when the graph was finalized.
Lent = weakref.ref[Any] | None


def memory_gone(lent: Lent) -> None:
    """For who gives a finalized graph's memory back: from here on views don't look there."""
    records = lent() if lent is not None else None
    if records is not None:
        records.memory_gone = lib.LJ_MEMORY_FREED


class NativeGraph:
    """Records, and what the session wants to know of them."""

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
        "_lent",
        "_linked",
        "_listing",
        "_names",
        "_triple",
        "_viewed",
        "_weak",
        "file",
    )

    def _adopt(self, graph: Any, file: str | None, triple: str | None) -> None:
        """Take over an `lj_graph *`."""
        self._graph = owned(graph, lib.lj_graph_free)
        self._linked: Any = None
        self._arena: Any = None
        self._input: Any = None
        self._listing = 0
        self._names: list[str] | None = None
        self._externals: list[str] | None = None
        self._weak: bytes | None = None
        self._defined: dict[str, SymbolFlags] | None = None
        self._addresses: dict[str, int] | None = None
        self._inits: list[tuple[int, int]] | None = None
        self._finis: list[tuple[int, int]] | None = None
        self._viewed = False
        self._lent: Lent = None
        #: Where it came from, or the name that it was made with.
        self.file = file
        self._triple = triple

    # -- names ---------------------------------------------------------------------------------

    def _listed(self) -> Any:
        """The records, with the lists of names made."""
        graph = self._graph
        if graph is None or not graph.listed:
            self._check(lib.lj_graph_list(self._records()))
        if graph.listings != self._listing:
            self._names = self._externals = self._weak = self._defined = self._addresses = None
            self._listing = graph.listings
        return graph

    def _all_names(self) -> list[str]:
        """Names of externals, then of definitions: one decode for all of them."""
        graph = self._listed()
        if self._names is None:
            blob = ffi.unpack(graph.names, graph.names_size) if graph.names_size else b""
            names = blob.decode("utf-8", "surrogateescape").split("\0")
            names.pop()
            self._names = list(map(intern, names))
        return self._names

    @property
    def external_count(self) -> int:
        """How many externals there are."""
        return int(self._listed().external_count)

    @property
    def external_names(self) -> tuple[int, Any]:
        """The names of the externals in place: how many, and a cffi `char *` to them, each ended by
        a NUL. Those that `make_external` has added are not among them.
        """
        graph = self._listed()
        return int(graph.named), graph.names

    @property
    def externals(self) -> list[str]:
        """Names that the object needs from elsewhere, in the order that `fix_up` takes."""
        graph = self._listed()
        if self._externals is None:
            self._externals = self._all_names()[: graph.external_count]
        return self._externals

    @property
    def external_weak(self) -> bytes:
        """A byte per external: 1 when it may be missing, and is 0 then."""
        graph = self._listed()
        if self._weak is None:
            count = graph.external_count
            self._weak = (
                ffi.unpack(ffi.cast("char *", graph.external_weak), count) if count else b""
            )
        return self._weak

    @property
    def defined(self) -> dict[str, SymbolFlags]:
        """Definitions that other objects may see, hidden ones included, with their flags."""
        graph = self._listed()
        if self._defined is None:
            count = graph.defined_count
            if count:
                names = self._all_names()[-count:]
                flags = ffi.unpack(graph.defined_flags, count)
                defined = dict(zip(names, map(FLAGS.__getitem__, flags), strict=True))
                if len(defined) != count:
                    twice = next(name for name, times in Counter(names).items() if times > 1)
                    raise ObjectFormatError(f"symbol {twice} is defined twice", file=self.file)
                self._defined = defined
            else:
                self._defined = {}
        return self._defined

    def commons(self) -> dict[str, tuple[int, int]]:
        """Size and alignment of the common symbols among `defined`."""
        graph = self._listed()
        if not graph.defined_count:
            return {}
        flags = ffi.unpack(ffi.cast("char *", graph.defined_flags), graph.defined_count)
        if not flags.translate(None, _NOT_COMMON):
            return {}
        names = self._all_names()[-len(flags) :]
        kept = self.defined
        found: dict[str, tuple[int, int]] = {}
        for place, name in enumerate(names):
            if flags[place] & SymbolFlags.COMMON and name in kept:
                block = graph.blocks[graph.symbols[graph.defined[place]].place]
                found[name] = block.size, block.align
        return found

    def extend_commons(self, extents: Mapping[str, tuple[int, int]]) -> None:
        """Make common symbols that large, and that strictly aligned. Nothing has memory yet."""
        graph = self._listed()
        names = self._all_names()[-graph.defined_count :] if graph.defined_count else []
        for place, name in enumerate(names):
            if name in extents:
                symbol = graph.symbols[graph.defined[place]]
                block = graph.blocks[symbol.place]
                block.size, block.align = extents[name]
                symbol.size = block.size

    @property
    def addresses(self) -> dict[str, int]:
        """Addresses of `defined`, once allocated. A thread-local variable has a token in its
        place, which `lazyjit.link.runtime.thread_local_address` turns into a thread's address.
        """
        graph = self._listed()
        if self._addresses is None:
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
        graph = self._listed()
        defined = self.defined
        count = graph.defined_count
        if not graph.allocated or len(defined) != count or not count:
            addresses = self.addresses
            return {name: ExecutorSymbolDef(addresses[name], defined[name]) for name in defined}
        values = ffi.unpack(graph.defined_address, count)
        return dict(zip(defined, map(ExecutorSymbolDef, values, defined.values()), strict=True))

    def _give_up(self, names: Iterable[str]) -> None:
        """`make_external` of names."""
        graph = self._listed()
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
        if not graph.listed:
            return
        for name in wanted:
            del defined[name]
        for i in range(len(externals), graph.external_count):
            symbol = graph.symbols[graph.externals[i]]
            externals.append(decode_name(ffi.string(graph.strings + symbol.name)))
        self._weak = self._addresses = None

    # -- for plugins ---------------------------------------------------------------------------

    @property
    def native(self) -> Any:
        """The `lj_graph *`, for plugins that have native code of their own. Its records outlive
        `finalize`, and stations verify them from here on. Raises UsageError once it is finalized.
        """
        return self._view()

    @property
    def runs_here(self) -> bool:
        """Whether this process could run the code. Raises UsageError once it is finalized."""
        return bool(lib.lj_arch_runs_here(self._records().arch))

    # -- inside --------------------------------------------------------------------------------

    @property
    def lent(self) -> Lent:
        """What `memory_gone` takes, once finalized."""
        return self._lent

    def _view(self) -> Any:
        """The records for Python's hands: they outlive `finalize`, and stations verify them."""
        graph = self._records()
        graph.touched = self._viewed = True
        return graph

    def _records(self) -> Any:
        if self._graph is None:
            raise UsageError("the graph was finalized; its records are gone")
        return self._graph

    def _check(self, status: int) -> None:
        if status:
            raise self._error(status)

    def _error(self, status: int) -> Exception:
        graph = self._graph
        fault = graph.fault
        name = ffi.string(lib.lj_status_name(status)).decode()
        if name == "MISUSE":
            return GraphError(ffi.string(fault.detail).decode("utf-8", "replace"))
        if name not in ("OBJ_RELOCATION", "LINK_OVERFLOW", "LINK_MISALIGNED"):
            return error(status, ffi.addressof(fault), file=self.file)
        bad = graph.bad
        kind = lib.lj_relocation_name(graph.arch, bad.kind)
        symbol = graph.symbols[bad.symbol]
        section = graph.sections[bad.section]
        words = ffi.string(fault.detail).decode() or (
            f"the target isn't aligned: {bad.value:#x} can't be expressed"
            if name == "LINK_MISALIGNED"
            else f"the target is out of range: {bad.value:#x} doesn't fit"
        )
        if name == "LINK_OVERFLOW" and kind and ffi.string(kind) in _FIXED_POSITION:
            words += ": code for fixed positions (-fno-pic) needs memory below 2 GiB"
        return RelocationError(
            words,
            kind=ffi.string(kind).decode() if kind else self._unknown_kind(bad.kind),
            symbol=self._symbol_name(symbol),
            file=self.file,
            section=decode_name(ffi.string(graph.strings + section.name)),
            offset=bad.offset,
            value=None if name == "OBJ_RELOCATION" else bad.value,
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
