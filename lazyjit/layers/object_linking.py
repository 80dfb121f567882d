"""The object layer: an object's bytes in, its symbols published.

A link reads the object into a graph, takes memory for it, publishes its addresses, looks up what
it needs, fixes it up and finalizes it, and holds no thread while it waits for others. It goes the
short way (`lazyjit.layers.linking`) when nobody looks on, and the long one with its five lists of
passes (`lazyjit.layers.linking_passes`) when the layer has plugins.

From the end of a link on, its memory belongs to the responsibility's resource tracker. The layer is
a resource manager of the session: what a tracker held is given back one grace period after its
removal (see `lazyjit.layers.grace`). A link that fails before gives its memory back itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from time import perf_counter_ns
from typing import Any

from lazyjit._native import ffi
from lazyjit.core import ExecutionSession, JITDylib, MaterializationResponsibility
from lazyjit.errors import UsageError
from lazyjit.layers.grace import GracePeriods
from lazyjit.layers.linking import DirectLink, KnownAddresses, Requirements
from lazyjit.layers.linking_passes import PassLink
from lazyjit.layers.object_unit import ObjectUnit
from lazyjit.layers.plugin import Plugin
from lazyjit.layers.statistics import Counters
from lazyjit.link.arena import Arena
from lazyjit.link.graph import LinkGraph
from lazyjit.symbols import ExecutorSymbolDef

__all__ = ["LOW", "ObjectLinkingLayer"]

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
        self._plugins: tuple[Plugin, ...] = ()
        self._linked: dict[int, list[LinkGraph]] = {}
        session.register_resource_manager(self)

    # -- what is linked ------------------------------------------------------------------------

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
        try:
            address, size = data if isinstance(data, tuple) else (data, None)
            wants = Requirements(file, known, nameless, on_missing, on_linked, on_ready)
            arena, plugins = self._arena_for(low), self._plugins
            if plugins:
                graph = LinkGraph.from_object(address, size, file=file)
                PassLink(self, responsibility, graph, wants, plugins).start(_bytes(data), arena)
            else:
                graph = LinkGraph.from_object(address, size, file=file, arena=arena)
                DirectLink(self, responsibility, graph, wants).start()
        except Exception as error:
            self.counters.count(failures=1)
            responsibility.fail_materialization(error)
        finally:
            self.counters.spend(link=perf_counter_ns() - started)

    def _arena_for(self, low: bool) -> Arena:
        """The session's arena; or the one below 2 GiB, made for the first object that needs it."""
        if not low:
            return self.arena
        with self._lock:
            if self._low_arena is None:
                self._low_arena = Arena(_LOW_SIZE, near=LOW)
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

    def remove_plugin(self, plugin: Plugin) -> None:
        """Tell `plugin` of no more links, nor of what becomes of resources.

        Links under way keep it to their end. Raises UsageError if it isn't there.
        """
        with self._lock:
            left = tuple(known for known in self._plugins if known is not plugin)
            if len(left) == len(self._plugins):
                raise UsageError("the plugin was not added")
            self._plugins = left

    @property
    def plugins(self) -> tuple[Plugin, ...]:
        """Those that take part in links, in order."""
        return self._plugins

    def report(self, error: Exception) -> None:
        """For links: an error that nobody is left to be told."""
        self.session._report(error)

    # -- what is kept --------------------------------------------------------------------------

    def keep(self, key: int, graph: LinkGraph) -> None:
        """For links: file memory under a tracker's key, within `with_resource_key`."""
        with self._lock:
            self._linked.setdefault(key, []).append(graph)

    def handle_remove_resources(self, dylib: JITDylib, key: int) -> None:
        """Free what a tracker held, after the calls that are under way (ResourceManager).

        Plugins are told first. Raises what one of them raised, when everything is done.
        """
        with self._lock:
            linked = self._linked.pop(key, ())
            plugins = self._plugins
        errors: list[Exception] = []
        for plugin in plugins:
            try:
                plugin.notify_removing_resources(dylib, key)
            except Exception as error:
                errors.append(error)
        if linked:
            self.grace.retire(lambda: _release(linked))
        for further in errors[1:]:
            self.report(further)
        if errors:
            raise errors[0]

    def handle_transfer_resources(self, dylib: JITDylib, destination: int, source: int) -> None:
        """Hand what `source` held to `destination` (ResourceManager). Raises as removal does."""
        with self._lock:
            linked = self._linked.pop(source, None)
            if linked:
                self._linked.setdefault(destination, []).extend(linked)
            plugins = self._plugins
        errors: list[Exception] = []
        for plugin in plugins:
            try:
                plugin.notify_transferring_resources(dylib, destination, source)
            except Exception as error:
                errors.append(error)
        if errors:  # under the session's lock, which is no time to report the others
            raise errors[0]

    def close(self) -> None:
        """Unmap what the layer mapped itself. Nobody may be in it."""
        with self._lock:
            low, self._low_arena = self._low_arena, None
        if low is not None:
            low.close()

    def locks(self) -> list[threading.Lock]:
        """What a fork must hold, so that no thread is in the middle of anything."""
        return [self._lock]


def _bytes(data: bytes | tuple[int, int]) -> memoryview:
    """What was handed in, without a copy."""
    if isinstance(data, tuple):
        address, size = data
        return memoryview(ffi.buffer(ffi.cast("char *", address), size))
    return memoryview(data)


def _release(linked: Iterable[LinkGraph]) -> None:
    for graph in linked:
        graph.deallocate()
