"""The object layer: an object's bytes in, its symbols published.

A link reads the object into a graph, takes memory for it, publishes its addresses, looks up what
it needs, fixes it up and finalizes it, and holds no thread while it waits for others. It goes the
short way (`lazyjit.layers.linking`) when nobody looks on and memory is an arena's, and the long one
with its five lists of passes (`lazyjit.layers.linking_passes`) when the layer has plugins or a
memory manager of another kind.

From the end of a link on, its memory belongs to the responsibility's resource tracker. The layer is
a resource manager of the session: what a tracker held is given back one grace period after its
removal (see `lazyjit.layers.grace`). A link that fails before gives its memory back itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import perf_counter_ns
from typing import Any

from lazyjit import forking
from lazyjit._native import ffi
from lazyjit.core import (
    ExecutionSession,
    JITDylib,
    MaterializationResponsibility,
    SymbolAlias,
    symbol_aliases,
)
from lazyjit.core.tracker import current
from lazyjit.errors import UsageError
from lazyjit.layers.commons import Commons
from lazyjit.layers.grace import GracePeriods
from lazyjit.layers.linking import DirectLink, KnownAddresses, Requirements
from lazyjit.layers.object_unit import GraphUnit, ObjectUnit
from lazyjit.layers.plugin import Plugin
from lazyjit.layers.statistics import Counters
from lazyjit.link.arena import Arena
from lazyjit.link.graph import LinkGraph
from lazyjit.link.memory import FinalizedAllocation, MemoryManager, Segment
from lazyjit.link.memory_arena import ArenaMemoryManager
from lazyjit.link.native_graph import Lent, memory_gone
from lazyjit.link.placing import is_placed
from lazyjit.link.runtime import forget_handlers
from lazyjit.stubs import StubPool
from lazyjit.symbols import ExecutorSymbolDef

__all__ = ["LOW", "ObjectLinkingLayer"]

#: Where objects for fixed positions go: a range around 1 GiB, which executables leave free.
_LOW_SIZE = 96 << 20
LOW = 1 << 30


OnStructors = Callable[
    [MaterializationResponsibility, list[tuple[int, int]], list[tuple[int, int]]], None
]

#: What is kept for linked code: a graph that has its memory itself, or a manager's allocation, its
#: segments and the records over it.
Kept = LinkGraph | tuple[MemoryManager, FinalizedAllocation, Sequence[Segment], Lent]


class ObjectLinkingLayer(forking.Guarded):
    """Links objects into one manager's memory. Every method may be called from any thread."""

    def __init__(
        self,
        session: ExecutionSession,
        arena: Arena,
        grace: GracePeriods,
        counters: Counters,
        *,
        memory: MemoryManager | None = None,
        prune: bool = True,
        stubs: StubPool | None = None,
    ) -> None:
        """Of `session`, whose resource manager it becomes.

        `memory`: where code goes (default: `arena`). `prune`: whether what none of an object's
        symbols needs, and nothing runs by itself, is left out. `stubs`: those that linked code may
        refer to, and that are to be held for it.
        """
        self.session = session
        self.arena = arena
        self.grace = grace
        self.counters = counters
        self._lock = threading.Lock()
        self._closed = False
        self._low_arena: Arena | None = None
        self._memory: MemoryManager = ArenaMemoryManager(arena) if memory is None else memory
        #: The arena of a manager that has one, for whose links there is a short way.
        self._direct = self._memory.arena if type(self._memory) is ArenaMemoryManager else None
        self._prune = prune
        self._plugins: tuple[Plugin, ...] = ()
        #: Where links go that nobody looks on at: no plugin, no other kind of memory. Else None.
        self.unwatched: Arena | None = self._direct
        #: Told, on any thread, of initializers and finalizers that came with a link though nothing
        #: had said so before: a pass added them. They are of the responsibility's dylib.
        self.on_structors: OnStructors | None = None
        self._kept: dict[int, list[Kept]] = {}
        self._stubs = stubs
        #: Stubs that the code of a tracker refers to.
        self._held: dict[int, list[int]] = {}
        #: What is to become of common symbols.
        self.commons = Commons(self._lock)
        session.register_resource_manager(self)
        forking.join(forking.Phase.SESSION, self)

    @property
    def runs_here(self) -> bool:
        """Whether what is linked will run in this process."""
        return self._memory.runs_here

    # -- what is linked ------------------------------------------------------------------------

    def add(self, dylib: JITDylib, data: bytes, *, file: str, tracker: Any = None) -> ObjectUnit:
        """Define an object's symbols in `dylib`; it is linked when one of them is looked up.

        A symbol with a default version, `f@@V2`, is also there as `f`. Raises ObjectFormatError,
        RelocationError (an unsupported kind), DuplicateDefinition (CommonTooLarge).
        """
        unit = ObjectUnit(self, data, file)
        self._define(dylib, unit, tracker)
        versions = {
            name.partition("@@")[0]: SymbolAlias(name, flags)
            for name, flags in unit.symbols.items()
            if "@@" in name[1:-2]
        }
        if versions:
            dylib.define(symbol_aliases(versions), tracker)
        return unit

    def add_graph(self, dylib: JITDylib, graph: LinkGraph, *, tracker: Any = None) -> GraphUnit:
        """Define the symbols of a graph, which is the layer's from here on, in `dylib`.

        It is linked when one of them is looked up. Raises DuplicateDefinition, and UsageError for
        a graph that is on its way already.
        """
        unit = GraphUnit(self, graph)
        self._define(dylib, unit, tracker)
        return unit

    def _define(self, dylib: JITDylib, unit: ObjectUnit, tracker: Any) -> None:
        if unit.commons:
            tracker = dylib.default_tracker if tracker is None else tracker
            self.commons.admit(dylib, current(tracker).key, unit.commons, by=unit.file)
        dylib.define(unit, tracker)

    def emit(
        self,
        responsibility: MaterializationResponsibility,
        data: bytes | tuple[int, int] | None,
        *,
        file: str,
        graph: LinkGraph | None = None,
        prune: bool = False,
        known: KnownAddresses | None = None,
        low: bool = False,
        nameless: bool = False,
        on_missing: Callable[[], bool] | None = None,
        on_linked: Callable[[LinkGraph], None] | None = None,
        on_ready: Callable[[Mapping[str, ExecutorSymbolDef]], None] | None = None,
    ) -> None:
        """Link an object whose symbols `responsibility` answers for; `data` is free afterwards.

        `graph`: it has been read already (`data` is None for one made by hand), perhaps placed in
        the arena, too. `prune`: something in it may be needed by nobody. `low` puts it where
        absolute addresses have 31 bits; with `nameless`, what it defines stays unknown to the
        session, and `responsibility` answers for an effect alone. Never raises: failures go to
        `responsibility`. When nothing has some of the externals, `on_missing` may take the
        responsibility back (True), for another try.
        `on_linked` is called once the code is in memory, before that is told to the session;
        `on_ready` with the symbols, once they are.
        """
        started = perf_counter_ns()
        try:
            plugins, arena = self._plugins, self._direct
            wants = Requirements(file, known, nameless, on_missing, on_linked, on_ready)
            if low and arena is not None:
                arena = self._arena_below()
            if arena is not None and graph is not None and is_placed(graph):
                DirectLink(self, responsibility, graph, wants, started).start(arena, prune=False)
            elif plugins or arena is None:
                if arena is None and isinstance(data, tuple):
                    data = bytes(_bytes(data))  # the manager may answer when it is long gone
                if plugins and data is not None:
                    # For them what no memory is taken for is in the graph, too.
                    graph = LinkGraph.from_object(*_place_of(data), file=file, no_alloc=True)
                elif graph is None:
                    graph = LinkGraph.from_object(*_place_of(data), file=file)
                from lazyjit.layers.linking_passes import PassLink  # where somebody looks on

                memory = ArenaMemoryManager(arena) if low and arena else self._memory
                link = PassLink(self, responsibility, graph, wants, started, plugins, memory)
                link.start(None if data is None else _bytes(data), prune=self._prune)
            else:
                prune = prune and self._prune
                if graph is None:
                    at_once = None if prune else arena
                    graph = LinkGraph.from_object(*_place_of(data), file=file, arena=at_once)
                DirectLink(self, responsibility, graph, wants, started).start(arena, prune=prune)
        except Exception as error:
            self.counters.count(failures=1)
            responsibility.fail_materialization(error)

    def _arena_below(self) -> Arena:
        """The arena below 2 GiB, made for the first object that needs it."""
        with self._lock:
            if self._low_arena is None:
                self._low_arena = Arena(_LOW_SIZE, near=LOW, kind=self.arena.kind)
            return self._low_arena

    # -- who looks on --------------------------------------------------------------------------

    def add_plugin(self, plugin: Plugin) -> None:
        """Have `plugin` take part in every link that begins from now on; it comes after the others.

        Raises UsageError if it was added already.
        """
        with self._lock:
            if any(known is plugin for known in self._plugins):
                raise UsageError("the plugin was added already")
            self._plugins = (*self._plugins, plugin)
            self.unwatched = None

    def remove_plugin(self, plugin: Plugin) -> None:
        """Tell `plugin` of no more links, nor of what becomes of resources.

        Links under way keep it to their end. Raises UsageError if it isn't there.
        """
        with self._lock:
            left = tuple(known for known in self._plugins if known is not plugin)
            if len(left) == len(self._plugins):
                raise UsageError("the plugin was not added")
            self._plugins = left
            self.unwatched = None if left else self._direct

    @property
    def plugins(self) -> tuple[Plugin, ...]:
        """Those that take part in links, in order."""
        return self._plugins

    def report(self, error: BaseException | None) -> None:
        """For links: an error that nobody is left to be told; nothing if there is none."""
        if error is not None:
            self.session._report(error)

    # -- what is kept --------------------------------------------------------------------------

    def keep(self, key: int, memory: Kept) -> None:
        """For links: file memory under a tracker's key, within `with_resource_key`."""
        with self._lock:
            self._kept.setdefault(key, []).append(memory)

    def hold(self, addresses: Sequence[int]) -> list[int]:
        """For links: the stubs among these externals' addresses, which nobody else will get."""
        return [] if self._stubs is None or not addresses else self._stubs.hold(addresses)

    def keep_held(self, key: int, held: Sequence[int]) -> None:
        """For links: what `hold` gave is held as long as the code of a tracker; as `keep`."""
        with self._lock:
            self._held.setdefault(key, []).extend(held)

    def let_go(self, held: Sequence[int]) -> None:
        """For links that fail: what `hold` gave is held no more."""
        if self._stubs is not None:
            self._stubs.let_go(held)

    def handle_remove_resources(self, dylib: JITDylib, key: int) -> None:
        """Free what a tracker held, after the calls that are under way (ResourceManager).

        Plugins are told first. Raises what one of them raised, when everything is done.
        """
        with self._lock:
            kept = self._kept.pop(key, ())
            held = self._held.pop(key, ())
            self.commons.forget(key)
            plugins = self._plugins
        errors: list[Exception] = []
        for plugin in plugins:
            try:
                plugin.notify_removing_resources(dylib, key)
            except Exception as error:
                errors.append(error)
        if kept:
            self._forget_handlers(kept)
            self.grace.retire_code(lambda: self._release(kept, held))
        for further in errors[1:]:
            self.report(further)
        if errors:
            raise errors[0]

    def handle_transfer_resources(self, dylib: JITDylib, destination: int, source: int) -> None:
        """Hand what `source` held to `destination` (ResourceManager). Raises as removal does."""
        with self._lock:
            kept = self._kept.pop(source, None)
            held = self._held.pop(source, None)
            if held:
                self._held.setdefault(destination, []).extend(held)
            self.commons.move(destination, source)
            if kept:
                self._kept.setdefault(destination, []).extend(kept)
            plugins = self._plugins
        errors: list[Exception] = []
        for plugin in plugins:
            try:
                plugin.notify_transferring_resources(dylib, destination, source)
            except Exception as error:
                errors.append(error)
        if errors:  # under the session's lock, which is no time to report the others
            raise errors[0]

    def _forget_handlers(self, kept: Iterable[Kept]) -> None:
        """What code that goes gave to `atexit` and the like is called no more."""
        for each in kept:
            if isinstance(each, LinkGraph):
                each.forget_handlers()
            elif each[0].runs_here:
                for segment in each[2]:
                    forget_handlers(segment.target, segment.size)

    def _release(self, kept: Iterable[Kept], held: Sequence[int]) -> None:
        """Give memory back, and let go of stubs that it referred to. Nobody is in it."""
        self._forget_handlers(kept)  # registered while it went
        by_manager: dict[MemoryManager, list[FinalizedAllocation]] = {}
        for each in kept:
            if isinstance(each, LinkGraph):
                each.deallocate()
            else:
                memory_gone(each[3])
                by_manager.setdefault(each[0], []).append(each[1])
        for manager, allocations in by_manager.items():
            try:
                manager.deallocate(allocations, self.report)
            except Exception as error:
                self.report(error)
        self.let_go(held)

    def give_back(self, release: Callable[[], None]) -> None:
        """Have a link that failed give its memory back, unless all memory went with the session."""
        if not self.session.closed:
            release()
        else:  # one at a time, with the freeing of all
            self.grace.retire(lambda: None if self._closed else release())

    def close(self) -> None:
        """Unmap what the layer mapped itself. Nobody may be in it."""
        with self._lock:
            self._closed = True
            low, self._low_arena = self._low_arena, None
        if low is not None:
            low.close()


def _bytes(data: bytes | tuple[int, int]) -> memoryview:
    """What was handed in, without a copy."""
    if isinstance(data, tuple):
        address, size = data
        return memoryview(ffi.buffer(ffi.cast("char *", address), size))
    return memoryview(data)


def _place_of(data: bytes | tuple[int, int] | None) -> tuple[Any, int | None]:
    """As `LinkGraph.from_object` takes it."""
    return data if isinstance(data, tuple) else (data, None)
