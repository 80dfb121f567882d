"""One link, from its graph to `notify_emitted`: what all links have in common, and the short way.

A link holds no thread while it waits. Its steps:

    publish     addresses are told to the session; externals are looked up in a query of its own,
                in the RESOLVED state, which is what lets units that refer to each other be linked
    complete    on the thread that answers the query: fix up, finalize
    emitted     the memory is filed under the tracker's key; the session is told, with the
                externals that weren't ready as dependences
    fail        in place of any of these, once: memory goes back, every query is told

`DirectLink` is the short way: the session's arena, no plugin. Its graph has been read and allocated
in one crossing to native code, and is fixed up and finalized in another; no Python runs for a
block, symbol or edge. `lazyjit.layers.linking_passes` is the long way.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from lazyjit import tracing
from lazyjit._native import ffi
from lazyjit.core import LookupFlags, MaterializationResponsibility, SymbolState
from lazyjit.errors import LazyJITError, MissingDefinitions, SymbolsNotFound
from lazyjit.layers.link_dependences import Dependences
from lazyjit.link.placing import is_placed
from lazyjit.symbols import ExecutorSymbolDef, SymbolFlags

if TYPE_CHECKING:
    from lazyjit.layers.object_linking import ObjectLinkingLayer
    from lazyjit.link.arena import Arena
    from lazyjit.link.graph import LinkGraph

__all__ = [
    "DirectLink",
    "KnownAddresses",
    "Link",
    "Requirements",
    "Structors",
    "blame",
    "settle_definitions",
]

#: Addresses that a unit's own layer knows without asking the session, 0 for those it doesn't:
#: takes a number of names and a cffi `char *` to them, returns a cffi `uint64_t[]`.
KnownAddresses = Callable[[int, Any], Any]

#: Of initializers, then of finalizers: priorities and addresses, in the order to call them.
Structors = tuple[list[tuple[int, int]], list[tuple[int, int]]]


class Requirements:
    """What whoever has something linked wants of it: see `ObjectLinkingLayer.emit`."""

    __slots__ = ("file", "known", "nameless", "on_linked", "on_missing", "on_ready")

    def __init__(
        self,
        file: str,
        known: KnownAddresses | None = None,
        nameless: bool = False,
        on_missing: Callable[[], bool] | None = None,
        on_linked: Callable[[LinkGraph], None] | None = None,
        on_ready: Callable[[Mapping[str, ExecutorSymbolDef]], None] | None = None,
    ) -> None:
        self.file = file
        self.known = known
        self.nameless = nameless
        self.on_missing = on_missing
        self.on_linked = on_linked
        self.on_ready = on_ready


class Link(ABC):
    """One link. Its steps run one after the other, on whatever threads."""

    __slots__ = (
        "dependences",
        "graph",
        "held",
        "layer",
        "over",
        "resolved",
        "responsibility",
        "spent",
        "started",
        "structors",
        "wants",
    )

    def __init__(
        self,
        layer: ObjectLinkingLayer,
        responsibility: MaterializationResponsibility,
        graph: LinkGraph,
        wants: Requirements,
        started: int,
    ) -> None:
        """`started`: when (`perf_counter_ns`) the link began, with reading the graph."""
        self.layer = layer
        self.responsibility = responsibility
        self.graph = graph
        self.wants = wants
        #: It failed.
        self.over = False
        self.resolved: dict[str, ExecutorSymbolDef] = {}
        self.dependences: Dependences = {}
        #: Initializers and finalizers that whoever wants the link doesn't know of.
        self.structors: Structors | None = None
        #: Stubs of others that the code refers to.
        self.held: list[int] = []
        #: Nanoseconds of work so far, before the present step, which began at `started`.
        self.spent = 0
        self.started = started

    # -- what the two ways do differently ------------------------------------------------------

    @abstractmethod
    def complete(self, addresses: list[int]) -> None:
        """The externals' addresses are known. Never raises."""

    @abstractmethod
    def keep(self, key: int) -> None:
        """File the memory under a tracker's key. The session's lock is held."""

    @abstractmethod
    def release(self) -> None:
        """The link is over before its end: give the memory back, at any step."""

    # -- the steps -----------------------------------------------------------------------------

    def taken_back(self) -> bool:
        """Whether a symbol that the graph can't do without is nowhere to be had, and whoever wants
        the link has another idea.
        """
        on_missing = self.wants.on_missing
        if on_missing is None:
            return False
        graph = self.graph
        _, unknown = _ask(graph, self.wants.known)
        externals, optional = graph.externals, graph.external_weak
        names = [externals[place] for place in unknown if not optional[place]]
        if not names:
            return False
        order = self.responsibility.dylib.link_order
        return len(self.layer.session.lookup_flags(order, names)) < len(names) and on_missing()

    def settle_definitions(self) -> None:
        """Make the graph define what is promised, in the extent that all want together.

        Raises MissingDefinitions, DuplicateDefinition.
        """
        extents = self.graph.commons()
        settle_definitions(self.responsibility, self.graph)
        if extents:
            self.layer.commons.settle(self.responsibility, self.graph, extents)

    def publish(self) -> None:
        """Addresses are fixed: tell the session. Raises if the symbols were removed."""
        self.resolved = self.graph.resolved()
        if not self.wants.nameless:
            self.responsibility.notify_resolved(self.resolved)

    def look_up(self) -> None:
        """Ask for the externals, `known` first; goes on with `complete` or `fail`."""
        graph = self.graph
        self.pause()
        addresses, unknown = _ask(graph, self.wants.known)
        if not unknown:
            self.complete(addresses)
            return
        externals, optional = graph.externals, graph.external_weak
        wanted = [externals[place] for place in unknown]
        weak = [externals[place] for place in unknown if optional[place]]

        def on_complete(
            result: dict[str, ExecutorSymbolDef] | None, error: LazyJITError | None
        ) -> None:
            if result is None:
                self.fail(blame(error, self.wants.file))
                return
            for place, name in zip(unknown, wanted, strict=True):
                symbol = result.get(name)
                addresses[place] = symbol[0] if symbol is not None else 0
            try:
                self.held = self.layer.hold([addresses[place] for place in unknown])
            except LazyJITError as error:
                self.fail(error)
                return
            self.complete(addresses)

        self.layer.session.lookup_async(
            self.responsibility.dylib.link_order,
            wanted,
            SymbolState.RESOLVED,
            on_complete,
            weak=weak,
            register_dependences=self.note_dependences,
        )

    def note_dependences(self, dependences: Dependences) -> None:
        """The session tells which of the symbols that were looked up are not ready yet."""
        self.dependences = dependences

    def groups(self) -> list[tuple[list[str], Dependences]]:
        """What is not ready yet that symbols depend on, as `notify_emitted` takes it."""
        dependences = self.dependences
        return [(list(self.responsibility.symbols), dependences)] if dependences else []

    def linked(self) -> None:
        """Contents are what they will be."""
        if self.wants.on_linked is not None:
            self.wants.on_linked(self.graph)
        elif self.graph.has_initializers:
            self.structors = self.graph.initializers, self.graph.finalizers

    def pause(self) -> None:
        """A step ends: what comes next may be long in coming."""
        self.spent += perf_counter_ns() - self.started

    def emitted(self) -> None:
        """All bytes are in memory: file it, and tell the session. Never raises."""
        layer, responsibility, on_ready = self.layer, self.responsibility, self.wants.on_ready
        try:
            responsibility.with_resource_key(self.file)
        except LazyJITError as error:  # removed meanwhile: nobody else would free it
            self.fail(error)
            return
        self.pause()
        layer.counters.linked(self.spent)
        if tracing.sink is not None:
            symbols = list(responsibility.symbols)
            tracing.emit("link.object", file=self.wants.file, symbols=symbols)
        # From here on the memory is the tracker's, whatever becomes of the symbols.
        if self.structors is not None and layer.on_structors is not None:
            layer.on_structors(responsibility, *self.structors)
        groups = self.groups()
        if on_ready is not None and not groups:
            # With nothing to wait for, it is ready. Stubs lead there before anybody is told.
            try:
                on_ready(self.resolved)
            except Exception as error:  # too late for the link to fail
                layer.report(error)
        try:
            if groups:
                names = list(responsibility.symbols)
                responsibility.notify_emitted(groups)
                if on_ready is not None:
                    self.tell_when_ready(names, on_ready)
                return
            responsibility.notify_emitted()
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

    def file(self, key: int) -> None:
        """File what is taken under a tracker's key. The session's lock is held."""
        self.keep(key)
        if self.held:
            self.layer.keep_held(key, self.held)

    def fail(self, error: BaseException | None) -> None:
        """Give everything back and tell the session, once. Never raises."""
        if self.over:
            return
        self.over = True
        self.layer.give_back(self.release)
        self.layer.let_go(self.held)
        self.layer.counters.count(failures=1)
        self.responsibility.fail_materialization(error)

    def fail_with(self, error: BaseException) -> None:
        """Fail because of what a step raised. An interrupt goes on to whoever runs the step."""
        self.fail(error)
        if not isinstance(error, Exception):
            raise error


class DirectLink(Link):
    """Into the session's arena, without a plugin: two crossings to native code."""

    __slots__ = ()

    def start(self, arena: Arena, *, prune: bool) -> None:
        """The graph is read, and allocated too if it was read just now. Never raises."""
        try:
            fresh = is_placed(self.graph)
            if not fresh:
                self.prepare(arena, prune)
            if self.taken_back():
                self.release()
                return
            if fresh and not self.wants.nameless:
                self.settle_definitions()
            self.publish()
            self.look_up()
        except BaseException as error:
            self.fail_with(error)

    def prepare(self, arena: Arena, prune: bool) -> None:
        """A graph that was read when it was added, or made by hand: prune and allocate it."""
        if not self.wants.nameless:
            self.settle_definitions()
        if prune:
            self.graph.mark_exported()
            self.graph.prune()
        self.graph.allocate(arena)

    def complete(self, addresses: list[int]) -> None:
        """Fix up, finalize, done."""
        self.started = perf_counter_ns()
        graph = self.graph
        try:
            graph.fix_up(addresses)
            self.linked()
            graph.finalize()
        except BaseException as error:
            self.fail_with(error)
            return
        self.emitted()

    def keep(self, key: int) -> None:
        """See `Link.keep`."""
        self.layer.keep(key, self.graph)

    def release(self) -> None:
        """See `Link.release`."""
        self.graph.deallocate()


def settle_definitions(responsibility: MaterializationResponsibility, graph: LinkGraph) -> None:
    """Make the graph define what the responsibility answers for, and nothing else.

    Raises MissingDefinitions, DuplicateDefinition.
    """
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


def _ask(graph: LinkGraph, known: KnownAddresses | None) -> tuple[list[int], Sequence[int]]:
    """Addresses of the externals as far as `known` knows, and the places of the others."""
    count = graph.external_count
    if known is None:
        return [0] * count, range(count)
    named, names = graph.external_names
    addresses = ffi.unpack(known(named, names), named) if named else []
    addresses += [0] * (count - named)
    return addresses, [place for place, address in enumerate(addresses) if not address]


def blame(error: LazyJITError | None, file: str) -> LazyJITError | None:
    """The same error, saying who needed the symbols."""
    if isinstance(error, SymbolsNotFound) and error.needed_by is None:
        return SymbolsNotFound(error.symbols, needed_by=file)
    return error
