"""Plugins that keep something for each link, for as long as its code is in memory.

A memory manager runs a link's *finalize actions* when the code is in place, in the process where it
runs, and undoes them right before its memory goes (`lazyjit.link.memory`). That is the life of what
these plugins keep: an item is made of the graph when contents are complete, begun by such an action
and ended by its undoing. Code that is linked but will not run here (by a null manager) has no item.
All steps take constant time, however many links there are.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from lazyjit import forking
from lazyjit.layers.plugin import Plugin
from lazyjit.layers.plugins.elf import ElfObject
from lazyjit.link.memory import FinalizeAction

if TYPE_CHECKING:
    from lazyjit.core import MaterializationResponsibility
    from lazyjit.link.graph import LinkGraph
    from lazyjit.link.passes import PassConfiguration

__all__ = ["KeepingPlugin", "ObjectKeepingPlugin"]

Item = TypeVar("Item")


class KeepingPlugin(Plugin, Generic[Item]):
    """Base of plugins with an item for each link. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[int, Item] = {}
        forking.join(forking.Phase.TABLE, self)

    def begin(self, item: Item) -> None:
        """The item's code is in memory. What it raises fails the link."""

    def end(self, item: Item) -> None:
        """The item's code is about to go. Called once for every item that was begun."""

    def keep(self, config: PassConfiguration, make: Callable[[LinkGraph], Item]) -> None:
        """For `modify_pass_config`: a post-fixup pass, `make`, make this link's item."""
        made: list[Item] = []
        config.post_fixup.append(lambda graph: made.append(make(graph)))

        def do() -> None:
            (item,) = made
            with self._lock:
                self._kept[id(item)] = item
            try:
                self.begin(item)
            except BaseException:
                with self._lock:
                    del self._kept[id(item)]
                raise

        def undo() -> None:
            (item,) = made
            with self._lock:
                del self._kept[id(item)]
            self.end(item)

        config.actions.append(FinalizeAction(do, undo))

    def kept(self) -> list[Item]:
        """The items whose code is in memory, in the order in which it came."""
        with self._lock:
            return list(self._kept.values())

    # Around fork (lazyjit.forking)

    def before_fork(self) -> None:
        """No thread is in the middle of anything."""
        self._lock.acquire()

    def after_fork(self, in_child: bool) -> None:
        """Go on."""
        self._lock.release()


class ObjectKeepingPlugin(KeepingPlugin[Item]):
    """One that also needs the object as it was handed in, as a debugger would read it."""

    def __init__(self) -> None:
        super().__init__()
        self._objects: dict[MaterializationResponsibility, ElfObject] = {}

    def wants(self, elf: ElfObject) -> bool:
        """Whether this object is of interest."""
        return True

    def notify_materializing(
        self,
        responsibility: MaterializationResponsibility,
        graph: LinkGraph,
        data: memoryview | None,
    ) -> None:
        """See `Plugin`: `data` is there now only."""
        if data is None:
            return
        elf = ElfObject(bytes(data), file=graph.file)
        if self.wants(elf):
            with self._lock:
                self._objects[responsibility] = elf

    def object_of(self, responsibility: MaterializationResponsibility) -> ElfObject | None:
        """For `modify_pass_config`: the object, once; None for a graph that was built by hand."""
        with self._lock:
            return self._objects.pop(responsibility, None)

    def notify_failed(self, responsibility: MaterializationResponsibility) -> None:
        """See `Plugin`."""
        self.object_of(responsibility)
