"""The object layer: an object's bytes in, its symbols published.

A link has four steps, and holds no thread while it waits for others:

1. read the object into a graph; turn weak definitions that lost into externals; allocate
2. `notify_resolved` with the addresses, and look the externals up in a query of its own
3. when they are known: fix up, register unwind tables and thread-local images
4. `notify_emitted`, with dependences on the externals that aren't ready yet

From the end of step 3 the memory belongs to the responsibility's resource tracker. The layer is a
resource manager of the session: what a tracker held is given back one grace period after its
removal (see `lazyjit.layers.grace`). A link that fails before gives its memory back itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from time import perf_counter_ns
from typing import Any

from lazyjit import tracing
from lazyjit._native import ffi
from lazyjit.core import (
    ExecutionSession,
    JITDylib,
    LookupFlags,
    MaterializationResponsibility,
    MaterializationUnit,
    SymbolState,
)
from lazyjit.errors import LazyJITError, MissingDefinitions, SymbolsNotFound
from lazyjit.layers.grace import GracePeriods
from lazyjit.layers.statistics import Counters
from lazyjit.link.arena import Arena
from lazyjit.link.graph import LinkGraph
from lazyjit.symbols import ExecutorSymbolDef, SymbolFlags

__all__ = ["LOW", "KnownAddresses", "ObjectLinkingLayer", "ObjectUnit"]

#: Addresses that a unit's own layer knows without asking the session, 0 for those it doesn't:
#: takes a number of names and a cffi `char *` to them, returns a cffi `uint64_t[]`.
KnownAddresses = Callable[[int, Any], Any]


#: Where objects for fixed positions go: a range around 1 GiB, which executables leave free.
_LOW_SIZE = 96 << 20
LOW = 1 << 30


class ObjectLinkingLayer:
    """Links objects into one arena. Every method may be called from any thread."""

    def __init__(
        self,
        session: ExecutionSession,
        arena: Arena,
        grace: GracePeriods,
        counters: Counters,
    ) -> None:
        """Of `session`, whose resource manager it becomes."""
        self.session = session
        self.arena = arena
        self.grace = grace
        self.counters = counters
        self._lock = threading.Lock()
        self._low_arena: Arena | None = None
        self._linked: dict[int, list[LinkGraph]] = {}
        session.register_resource_manager(self)

    def add(self, dylib: JITDylib, data: bytes, *, file: str, tracker: Any = None) -> ObjectUnit:
        """Define an object's symbols in `dylib`; it is linked when one of them is looked up.

        Raises ObjectFormatError, RelocationError (an unsupported kind), DuplicateDefinition.
        """
        unit = ObjectUnit(self, data, file)
        dylib.define(unit, tracker)
        return unit

    def emit(
        self,
        responsibility: MaterializationResponsibility,
        data: bytes | tuple[int, int],
        *,
        file: str,
        known: KnownAddresses | None = None,
        low: bool = False,
        nameless: bool = False,
        on_missing: Callable[[], bool] | None = None,
        on_linked: Callable[[LinkGraph], None] | None = None,
        on_ready: Callable[[Mapping[str, ExecutorSymbolDef]], None] | None = None,
    ) -> None:
        """Link an object whose symbols `responsibility` answers for; `data` is free afterwards.

        `low` puts it where absolute addresses have 31 bits; with `nameless`, what it defines stays
        unknown to the session, and `responsibility` answers for an effect alone. Never raises:
        failures go to `responsibility`. When nothing has some of the externals, `on_missing` may
        take the responsibility back (True), for another try. `on_linked` is called once the code is
        in memory, before that is told to the session; `on_ready` with the symbols, once they are.
        """
        started = perf_counter_ns()
        graph = None
        try:
            address, size = data if isinstance(data, tuple) else (data, None)
            graph = LinkGraph.from_object(address, size, file=file, arena=self._arena_for(low))
            if (
                on_missing is not None
                and self._lacks(responsibility, graph, known)
                and on_missing()
            ):
                graph.deallocate()
                return
            if not nameless:
                self._settle_definitions(responsibility, graph)
            _Link(self, responsibility, graph, file, on_linked, on_ready).resolve(known, nameless)
        except Exception as error:
            if graph is not None:
                graph.deallocate()
            self.counters.count(failures=1)
            responsibility.fail_materialization(error)
        finally:
            self.counters.spend(link=perf_counter_ns() - started)

    def _lacks(
        self,
        responsibility: MaterializationResponsibility,
        graph: LinkGraph,
        known: KnownAddresses | None,
    ) -> bool:
        """Whether a symbol that the object can't do without is nowhere to be had."""
        _, unknown = _ask(graph, known)
        externals, optional = graph.externals, graph.external_weak
        names = [externals[place] for place in unknown if not optional[place]]
        if not names:
            return False
        order = responsibility.dylib.link_order
        return len(self.session.lookup_flags(order, names)) < len(names)

    def _arena_for(self, low: bool) -> Arena:
        """The session's arena; or the one below 2 GiB, made for the first object that needs it."""
        if not low:
            return self.arena
        with self._lock:
            if self._low_arena is None:
                self._low_arena = Arena(_LOW_SIZE, near=LOW)
            return self._low_arena

    def close(self) -> None:
        """Unmap what the layer mapped itself. Nobody may be in it."""
        with self._lock:
            low, self._low_arena = self._low_arena, None
        if low is not None:
            low.close()

    def _settle_definitions(
        self, responsibility: MaterializationResponsibility, graph: LinkGraph
    ) -> None:
        """Make the graph define what the responsibility answers for, and nothing else."""
        defined = graph.defined
        promised = responsibility.symbols
        if defined.keys() == promised.keys():
            return
        extra = {name: flags for name, flags in defined.items() if name not in promised}
        if extra:
            # A compiler's own additions (DW.ref.*, for one), or weak copies of what others have.
            graph.make_external(extra.keys() - responsibility.claim(extra))
        missing = [
            name
            for name, flags in promised.items()
            if name not in defined and not flags & SymbolFlags.SIDE_EFFECTS_ONLY
        ]
        if missing:
            raise MissingDefinitions(graph.file or responsibility.dylib.name, missing)

    def _keep(self, responsibility: MaterializationResponsibility, graph: LinkGraph) -> None:
        def keep(key: int) -> None:
            with self._lock:
                self._linked.setdefault(key, []).append(graph)

        responsibility.with_resource_key(keep)

    def handle_remove_resources(self, dylib: JITDylib, key: int) -> None:
        """Free what a tracker held, after the calls that are under way (ResourceManager)."""
        with self._lock:
            linked = self._linked.pop(key, ())
        if linked:
            self.grace.retire(lambda: _release(linked))

    def handle_transfer_resources(self, dylib: JITDylib, destination: int, source: int) -> None:
        """Hand what `source` held to `destination` (ResourceManager)."""
        with self._lock:
            linked = self._linked.pop(source, None)
            if linked:
                self._linked.setdefault(destination, []).extend(linked)


def _release(linked: Iterable[LinkGraph]) -> None:
    for graph in linked:
        graph.deallocate()


class _Link:
    """One link between its steps 2 and 4; `complete` may run on another thread than `resolve`."""

    __slots__ = (
        "dependences",
        "file",
        "graph",
        "layer",
        "on_linked",
        "on_ready",
        "resolved",
        "responsibility",
    )

    def __init__(
        self,
        layer: ObjectLinkingLayer,
        responsibility: MaterializationResponsibility,
        graph: LinkGraph,
        file: str,
        on_linked: Callable[[LinkGraph], None] | None,
        on_ready: Callable[[Mapping[str, ExecutorSymbolDef]], None] | None,
    ) -> None:
        self.layer = layer
        self.responsibility = responsibility
        self.graph = graph
        self.file = file
        self.on_linked = on_linked
        self.on_ready = on_ready
        self.resolved: dict[str, ExecutorSymbolDef] = {}
        self.dependences: Mapping[JITDylib, Iterable[str]] = {}

    def resolve(self, known: KnownAddresses | None, nameless: bool) -> None:
        """Publish the addresses, and ask for the externals."""
        graph, responsibility = self.graph, self.responsibility
        self.resolved = graph.resolved()
        if not nameless:
            responsibility.notify_resolved(self.resolved)
        found, unknown = _ask(graph, known)
        if not unknown:
            self.complete(found, (), {})
            return
        externals = graph.externals
        wanted = [externals[place] for place in unknown]
        optional = graph.external_weak
        weak = [externals[place] for place in unknown if optional[place]]

        def on_complete(
            result: dict[str, ExecutorSymbolDef] | None, error: LazyJITError | None
        ) -> None:
            if result is None:
                self.fail(_blame(error, self.file))
            else:
                self.complete(found, unknown, result)

        dylib = responsibility.dylib
        self.layer.session.lookup_async(
            dylib.link_order,
            wanted,
            SymbolState.RESOLVED,
            on_complete,
            weak=weak,
            register_dependences=self.note_dependences,
        )

    def note_dependences(self, dependences: Mapping[JITDylib, Iterable[str]]) -> None:
        """The session tells which of the externals are not ready yet."""
        self.dependences = dependences

    def complete(
        self, found: list[int], unknown: Sequence[int], result: Mapping[str, ExecutorSymbolDef]
    ) -> None:
        """The externals are known: steps 3 and 4."""
        started = perf_counter_ns()
        graph, layer, responsibility = self.graph, self.layer, self.responsibility
        try:
            if unknown:
                externals = graph.externals
                for place in unknown:
                    symbol = result.get(externals[place])
                    found[place] = symbol[0] if symbol is not None else 0
            graph.fix_up(found)
            if self.on_linked is not None:
                self.on_linked(graph)
            graph.finalize()
        except Exception as error:
            self.fail(error)
            return
        try:
            layer._keep(responsibility, graph)
        except LazyJITError as error:  # removed meanwhile: nobody else would free it
            graph.deallocate()
            responsibility.fail_materialization(error)
            return
        layer.counters.count(objects_linked=1)
        layer.counters.spend(link=perf_counter_ns() - started)
        if tracing.sink is not None:
            tracing.emit("link.object", file=self.file, symbols=list(responsibility.symbols))
        dependences = self.dependences
        names = list(responsibility.symbols)
        try:
            # Nothing to wait for: it is ready. Stubs lead there before anybody is told.
            if self.on_ready is not None and not dependences:
                self.on_ready(self.resolved)
            responsibility.notify_emitted([(names, dependences)] if dependences else ())
            if self.on_ready is not None and dependences:
                self.tell_when_ready(names, self.on_ready)
        except LazyJITError:
            return  # removed or closed meanwhile, or a dependence failed: the symbols fail with it

    def tell_when_ready(
        self, names: list[str], on_ready: Callable[[Mapping[str, ExecutorSymbolDef]], None]
    ) -> None:
        """Ask for the symbols in the ready state. That they fail is told to whoever wants them."""

        def ready(result: dict[str, ExecutorSymbolDef] | None, error: LazyJITError | None) -> None:
            if result is not None:
                on_ready(self.resolved)

        order = [(self.responsibility.dylib, LookupFlags.ALL_SYMBOLS)]
        self.layer.session.lookup_async(order, names, SymbolState.READY, ready, weak=names)

    def fail(self, error: BaseException | None) -> None:
        """Give everything back and tell the session."""
        self.graph.deallocate()
        self.layer.counters.count(failures=1)
        self.responsibility.fail_materialization(error)


def _ask(graph: LinkGraph, known: KnownAddresses | None) -> tuple[list[int], list[int]]:
    """Addresses of the externals as far as `known` knows, and the places of the others."""
    count = graph.external_count
    if known is None:
        return [0] * count, list(range(count))
    named, names = graph.external_names
    addresses = ffi.unpack(known(named, names), named) if named else []
    addresses += [0] * (count - named)
    return addresses, [place for place, address in enumerate(addresses) if not address]


def _blame(error: LazyJITError | None, file: str) -> LazyJITError | None:
    """The same error, saying who needed the symbols."""
    if isinstance(error, SymbolsNotFound) and error.needed_by is None:
        return SymbolsNotFound(error.symbols, needed_by=file)
    return error


class ObjectUnit(MaterializationUnit):
    """An object file as it was handed in, linked when one of its symbols is wanted.

    `initializers` and `finalizers` are addresses in the order in which they run, known once it is
    linked; an object that has some has an `init_symbol`, to be looked up for that effect.
    """

    def __init__(self, layer: ObjectLinkingLayer, data: bytes, file: str) -> None:
        """Reads the object's symbol table. Raises ObjectFormatError, RelocationError."""
        graph = LinkGraph.from_object(data, file=file)
        flags = dict(graph.defined)
        #: Names that it needs from elsewhere.
        self.externals = list(graph.externals)
        self._low = graph.needs_low_addresses
        init_symbol = None
        if graph.has_initializers:
            init_symbol = f"$.{file}.{id(self):x}.init"
            flags[init_symbol] = SymbolFlags.SIDE_EFFECTS_ONLY
        graph.deallocate()
        super().__init__(Path(file).name, flags, init_symbol)
        self.layer = layer
        self.data = data
        self.file = file
        #: (priority, address) in the order to call them.
        self.initializers: list[tuple[int, int]] = []
        self.finalizers: list[tuple[int, int]] = []

    def materialize(self, responsibility: MaterializationResponsibility) -> None:
        """Link it."""
        self.layer.emit(
            responsibility, self.data, file=self.file, low=self._low, on_linked=self._linked
        )

    def discard(self, dylib: JITDylib, name: str) -> None:
        """Nothing to do: what the responsibility doesn't have becomes an external at the link."""

    def _linked(self, graph: LinkGraph) -> None:
        self.initializers = graph.initializers
        self.finalizers = graph.finalizers
