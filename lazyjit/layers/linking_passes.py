"""The long way of a link: plugins, passes, and any memory manager.

    start       plugins fill the lists of passes; prune; plan slots; ask for memory
    place       the manager answers: contents are copied, addresses fixed, and published
    complete    externals are known: fix up, and have the manager finalize
    finalized   the manager answers: what passes depend on is looked up
    told        plugins, then the session, are told

Between two of these the link is nowhere but in a callback that somebody will call. A link holds, in
turn: nothing, an allocation in flight, nothing (the manager has it), a finalized allocation; which
of these it is when the link fails says what is to be given back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from time import perf_counter_ns
from typing import TYPE_CHECKING, TypeVar

from lazyjit.core import JITDylib, LookupFlags, MaterializationResponsibility, SymbolState
from lazyjit.errors import LazyJITError, UsageError
from lazyjit.layers.link_dependences import Dependences, groups_of, merged, who_leads_to
from lazyjit.layers.linking import Link, Requirements, blame
from lazyjit.link.passes import LinkPass, PassConfiguration
from lazyjit.link.placing import place, registration, segment_requests
from lazyjit.symbols import ExecutorSymbolDef

if TYPE_CHECKING:
    from lazyjit.layers.object_linking import ObjectLinkingLayer
    from lazyjit.layers.plugin import Plugin
    from lazyjit.link.graph import LinkGraph
    from lazyjit.link.memory import (
        FinalizedAllocation,
        InFlightAllocation,
        MemoryManager,
        Segment,
    )

__all__ = ["PassLink"]

_T = TypeVar("_T")


class PassLink(Link):
    """A link with the plugins that the layer has as it begins."""

    __slots__ = (
        "allocation",
        "config",
        "finalized",
        "knowing",
        "memory",
        "plugins",
        "segments",
        "some",
        "who",
    )

    def __init__(
        self,
        layer: ObjectLinkingLayer,
        responsibility: MaterializationResponsibility,
        graph: LinkGraph,
        wants: Requirements,
        started: int,
        plugins: tuple[Plugin, ...],
        memory: MemoryManager,
    ) -> None:
        super().__init__(layer, responsibility, graph, wants, started)
        self.plugins = plugins
        self.memory = memory
        self.config = PassConfiguration()
        self.allocation: InFlightAllocation | None = None
        self.finalized: FinalizedAllocation | None = None
        #: Of the allocation, as they were when it was made.
        self.segments: Sequence[Segment] = ()
        #: By `PassConfiguration.dependences_of`: which symbols have them, and what isn't ready yet.
        self.who: list[frozenset[str]] = []
        self.some: list[tuple[frozenset[str], Dependences]] = []
        #: Plugins that know of the link.
        self.knowing: list[Plugin] = []

    # -- the steps -----------------------------------------------------------------------------

    def start(self, data: memoryview | None, *, prune: bool) -> None:
        """The graph is read. Never raises."""
        graph, config, responsibility = self.graph, self.config, self.responsibility
        try:
            for plugin in self.plugins:
                self.knowing.append(plugin)
                plugin.notify_materializing(responsibility, graph, data)
            for plugin in self.plugins:
                plugin.modify_pass_config(responsibility, graph, config)
            self.settle(prune)
            if config.pre_prune:
                self.run(config.pre_prune)
                self.settle(prune)
            if prune:
                graph.prune()
            if config.post_prune:
                self.run(config.post_prune)
                self.settle(False)
            # From here on it is fixed what is in memory, and how large.
            request = segment_requests(graph)
            if self.taken_back():
                self.release()
                return
            self.pause()
            self.ask(lambda answer: self.memory.allocate(request, answer), self.place)
        except BaseException as error:
            self.fail_with(error)

    def place(self, allocation: InFlightAllocation) -> None:
        """There is memory. Raises what goes wrong."""
        self.started = perf_counter_ns()
        self.allocation = allocation
        self.segments = allocation.segments
        place(self.graph, allocation.segments, runs_here=self.memory.runs_here)
        # Every address of the link is fixed.
        self.run(self.config.post_allocation)
        self.publish()
        for plugin in self.plugins:
            plugin.notify_loaded(self.responsibility)
        self.look_up()

    def complete(self, addresses: list[int]) -> None:
        """See `Link.complete`."""
        self.started = perf_counter_ns()
        graph, config = self.graph, self.config
        try:
            graph.bind(addresses)
            self.run(config.pre_fixup)
            graph.apply()
            self.run(config.post_fixup)
            self.linked()
            self.who = [self.who_waits(names) for names, _, _ in config.dependences_of]
            own = registration(graph)
            actions = config.actions if own is None else [own, *config.actions]
            allocation, self.allocation = self.allocation, None
            assert allocation is not None
            self.pause()
            self.ask(lambda answer: allocation.finalize(actions, answer), self.finish)
        except BaseException as error:
            self.fail_with(error)

    def finish(self, finalized: FinalizedAllocation) -> None:
        """The memory is as it will be. Raises what goes wrong."""
        self.started = perf_counter_ns()
        self.finalized = finalized
        self.graph.finalize()
        config = self.config
        wanted: list[tuple[JITDylib, Iterable[str], Callable[[Dependences], None]]] = [
            (dylib, names, self.add_dependences) for dylib, names in config.dependences.items()
        ]
        for who, (_, dylib, names) in zip(self.who, config.dependences_of, strict=True):
            wanted.append((dylib, names, partial(self.add_dependences_of, who)))

        def next_one() -> None:
            if wanted:
                self.depend(*wanted.pop(), next_one)
            else:
                self.tell_emitted()

        next_one()

    def add_dependences(self, dependences: Dependences) -> None:
        """All symbols have them."""
        self.dependences = merged(self.dependences, dependences)

    def add_dependences_of(self, who: frozenset[str], dependences: Dependences) -> None:
        """These symbols have them."""
        self.some.append((who, dependences))

    def groups(self) -> list[tuple[list[str], Dependences]]:
        """See `Link.groups`."""
        if not self.some:
            return super().groups()
        return groups_of(self.responsibility.symbols, self.dependences, self.some)

    def depend(
        self,
        dylib: JITDylib,
        names: Iterable[str],
        note: Callable[[Dependences], None],
        then: Callable[[], None],
    ) -> None:
        """Have symbols that passes named made as far as addresses, and `note` those that aren't
        ready; `then()`, or fail.
        """

        def on_complete(
            result: dict[str, ExecutorSymbolDef] | None, error: LazyJITError | None
        ) -> None:
            if result is None:
                self.fail(blame(error, self.wants.file))
            else:
                then()

        self.layer.session.lookup_async(
            [(dylib, LookupFlags.ALL_SYMBOLS)],
            list(names),
            SymbolState.RESOLVED,
            on_complete,
            register_dependences=note,
        )

    def tell_emitted(self) -> None:
        """Tell the plugins, and then the session. Never raises."""
        try:
            for plugin in self.plugins:
                plugin.notify_emitted(self.responsibility)
        except BaseException as error:
            self.fail_with(error)
            return
        self.emitted()

    # -- what goes on in them ------------------------------------------------------------------

    def settle(self, mark: bool) -> None:
        """The graph defines what is promised, and a pass may have added to it; all that lives."""
        if not self.wants.nameless:
            self.settle_definitions()
        if mark:
            self.graph.mark_exported()

    def who_waits(self, names: Iterable[str]) -> frozenset[str]:
        """The link's symbols that lead to one of these; so do initializers, for all one knows."""
        init = self.responsibility.init_symbol
        return who_leads_to(self.graph, names) | ({init} if init is not None else set())

    def run(self, passes: list[LinkPass]) -> None:
        """Run a list, also what a pass appends to it meanwhile."""
        for link_pass in passes:
            link_pass(self.graph)

    def ask(
        self,
        question: Callable[[Callable[[_T | None, Exception | None], None]], None],
        then: Callable[[_T], None],
    ) -> None:
        """Put a question to the memory manager: `then(answer)`, or fail. Never raises."""
        first = threading.Lock()

        def answer(value: _T | None, error: Exception | None) -> None:
            if not first.acquire(blocking=False):
                raise UsageError("a memory manager answers once")
            if value is None:
                self.fail(error or UsageError("the memory manager gave neither memory nor error"))
                return
            try:
                then(value)
            except BaseException as raised:
                self.fail_with(raised)

        try:
            question(answer)
        except BaseException as raised:
            # One that raises instead of answering; after the answer it is its own affair.
            if first.acquire(blocking=False) or not isinstance(raised, Exception):
                self.fail_with(raised)
            else:
                self.layer.report(raised)

    def keep(self, key: int) -> None:
        """See `Link.keep`."""
        assert self.finalized is not None
        self.layer.keep(key, (self.memory, self.finalized, self.segments, self.graph.lent))

    def release(self) -> None:
        """See `Link.release`: tell the plugins, all of them, once; then the memory goes."""
        knowing, self.knowing = self.knowing, []
        for plugin in knowing:
            try:
                plugin.notify_failed(self.responsibility)
            except BaseException as error:  # an interrupt too: the memory has to go
                self.layer.report(error)
        allocation, self.allocation = self.allocation, None
        finalized, self.finalized = self.finalized, None
        self.graph.forget_memory()
        try:
            if allocation is not None:
                allocation.abandon(self.layer.report)
            if finalized is not None:
                self.memory.deallocate([finalized], self.layer.report)
        except Exception as error:
            self.layer.report(error)
        # Last, for what the graph itself holds: a place among the thread-local variables.
        self.graph.deallocate()
