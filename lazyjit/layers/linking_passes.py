"""The long way of a link: plugins, passes, and any memory manager.

    start       plugins fill the lists of passes; prune; plan slots; ask for memory
    place       the manager answers: contents are copied, addresses fixed, and published
    complete    externals are known: fix up, and have the manager finalize
    finalized   the manager answers: plugins, then the session, are told

Between two of these the link is nowhere but in a callback that somebody will call.
"""

from __future__ import annotations

from collections.abc import Iterable
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from lazyjit.core import JITDylib, LookupFlags, MaterializationResponsibility, SymbolState
from lazyjit.errors import LazyJITError
from lazyjit.layers.linking import Link, Requirements, blame, settle_definitions
from lazyjit.link.passes import LinkPass, PassConfiguration
from lazyjit.symbols import ExecutorSymbolDef

if TYPE_CHECKING:
    from lazyjit.layers.object_linking import ObjectLinkingLayer
    from lazyjit.layers.plugin import Plugin
    from lazyjit.link.graph import LinkGraph

__all__ = ["PassLink"]


class PassLink(Link):
    """A link with the plugins that the layer has as it begins."""

    __slots__ = ("config", "knowing", "plugins")

    def __init__(
        self,
        layer: ObjectLinkingLayer,
        responsibility: MaterializationResponsibility,
        graph: LinkGraph,
        wants: Requirements,
        plugins: tuple[Plugin, ...],
    ) -> None:
        super().__init__(layer, responsibility, graph, wants)
        self.plugins = plugins
        self.config = PassConfiguration()
        #: Plugins that know of the link.
        self.knowing: list[Plugin] = []

    # -- the steps -----------------------------------------------------------------------------

    def start(self, data: memoryview | None, arena: Any) -> None:
        """The graph is read. Never raises."""
        graph, config, responsibility = self.graph, self.config, self.responsibility
        try:
            for plugin in self.plugins:
                self.knowing.append(plugin)
                plugin.notify_materializing(responsibility, graph, data)
            for plugin in self.plugins:
                plugin.modify_pass_config(responsibility, graph, config)
            if not self.wants.nameless:
                settle_definitions(responsibility, graph)
            self.run(config.pre_prune)
            self.run(config.post_prune)
            if self.taken_back():
                self.release()
                return
            graph.allocate(arena)
            self.place()
        except Exception as error:
            self.fail(error)

    def place(self) -> None:
        """There is memory. Raises what goes wrong."""
        self.run(self.config.post_allocation)
        self.publish()
        for plugin in self.plugins:
            plugin.notify_loaded(self.responsibility)
        self.look_up()

    def complete(self, addresses: list[int]) -> None:
        """See `Link.complete`."""
        started = perf_counter_ns()
        graph = self.graph
        try:
            self.run(self.config.pre_fixup)
            graph.fix_up(addresses)
            self.run(self.config.post_fixup)
            if self.wants.on_linked is not None:
                self.wants.on_linked(graph)
            graph.finalize()
        except Exception as error:
            self.fail(error)
            return
        self.finalized(started)

    def finalized(self, started: int) -> None:
        """The memory is as it will be. Never raises."""
        wanted = list(self.config.dependences.items())

        def next_dylib() -> None:
            if wanted:
                self.depend(*wanted.pop(), next_dylib)
            else:
                self.tell_emitted(started)

        next_dylib()

    def depend(self, dylib: JITDylib, names: Iterable[str], then: Any) -> None:
        """Have symbols that passes named made as far as addresses; `then()`, or fail."""

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
            register_dependences=self.note_dependences,
        )

    def tell_emitted(self, started: int) -> None:
        """Tell the plugins, and then the session. Never raises."""
        try:
            for plugin in self.plugins:
                plugin.notify_emitted(self.responsibility)
        except Exception as error:
            self.fail(error)
            return
        self.emitted(started)

    # -- what goes on in them ------------------------------------------------------------------

    def run(self, passes: list[LinkPass]) -> None:
        """Run a list, also what a pass appends to it meanwhile."""
        for link_pass in passes:
            link_pass(self.graph)

    def release(self) -> None:
        """See `Link.release`: tell the plugins, all of them, once; then the memory goes."""
        knowing, self.knowing = self.knowing, []
        for plugin in knowing:
            try:
                plugin.notify_failed(self.responsibility)
            except Exception as error:
                self.layer.report(error)
        self.graph.deallocate()

    def keep(self, key: int) -> None:
        """See `Link.keep`."""
        self.layer.keep(key, self.graph)
