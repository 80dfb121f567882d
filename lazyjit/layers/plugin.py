"""Plugins: who wants to see, or to change, what an object layer links.

A plugin is an object whose methods the layer calls at the moments of each link. Its heart is
`modify_pass_config`, in which it appends functions to the five lists of passes (see
`lazyjit.link.passes`); the rest tells it how the link went on, and when its code goes away.

    class Names(Plugin):
        def modify_pass_config(self, responsibility, graph, config):
            config.post_prune.append(lambda graph: print([s.name for s in graph.symbols()]))

    jit.add_plugin(Names())

For one link the calls come in this order, each on the thread that carries the link on, none at the
same time as another:

    notify_materializing
    modify_pass_config          then its passes
    notify_loaded               the addresses are known to the session
    notify_emitted              the code is in memory; the session is told next

and at any point after the first, in place of the rest:

    notify_failed               the link is over; its memory is given back

(a link whose symbols are removed at the last moment is told `notify_failed` even after
`notify_emitted`). Later, for what was linked under a resource tracker:

    notify_transferring_resources   it is another tracker's now
    notify_removing_resources       it goes: names are unlinked, memory is freed afterwards

Different links run at once, on different threads: a plugin that keeps anything has a lock of its
own. To keep something for as long as the code lives, file it under the tracker's key:
`responsibility.with_resource_key(lambda key: ...)` in `notify_emitted`.

What a plugin raises in one of the first four fails that link alone. In `notify_failed` and later
there is nothing left to fail: it is reported, or raised by the removal, and the others are told all
the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lazyjit.core import JITDylib, MaterializationResponsibility
    from lazyjit.link.graph import LinkGraph
    from lazyjit.link.passes import PassConfiguration

__all__ = ["Plugin"]


class Plugin:
    """Base of plugins; every method here does nothing. Called from any thread, see above."""

    def notify_materializing(
        self,
        responsibility: MaterializationResponsibility,
        graph: LinkGraph,
        data: memoryview | None,
    ) -> None:
        """A link begins. `data` are the object's bytes, valid during this call; None for a graph
        that was built by hand.
        """

    def modify_pass_config(
        self,
        responsibility: MaterializationResponsibility,
        graph: LinkGraph,
        config: PassConfiguration,
    ) -> None:
        """Add passes to `config` for this link. The graph is as it was read; plugins are asked in
        the order in which they were added to the layer.
        """

    def notify_loaded(self, responsibility: MaterializationResponsibility) -> None:
        """Addresses are fixed, and known to who links against them; contents are not complete."""

    def notify_emitted(self, responsibility: MaterializationResponsibility) -> None:
        """The code is in memory as it will run. Nobody can look it up READY before this returns."""

    def notify_failed(self, responsibility: MaterializationResponsibility) -> None:
        """The link failed, whoever's fault it was. Called for every plugin that knew of it."""

    def notify_removing_resources(self, dylib: JITDylib, key: int) -> None:
        """What was linked under the tracker with `key` goes; its memory is still there now.

        Called for each tracker that is removed, also for those under which nothing was linked.
        """

    def notify_transferring_resources(self, dylib: JITDylib, destination: int, source: int) -> None:
        """What is filed under `source` is to be filed under `destination`.

        The session's lock is held: be quick, and call nothing of the session's.
        """
