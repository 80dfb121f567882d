"""Plugins that keep something for each link, for as long as its code is in memory.

Two shelves. While a link is under way, what a pass found is held for its responsibility; when the
link is done, the item is begun (written somewhere, say) and filed under the resource tracker's key;
when the tracker's code goes, so does the item, and it is ended. All steps take constant time,
however many links there are.

    hold(responsibility, item)      in a pass
    begin(item)                     the code is in memory; may raise, which fails the link
    end(item)                       the code goes; once for every item that was begun
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

from lazyjit import forking
from lazyjit.layers.plugin import Plugin

if TYPE_CHECKING:
    from lazyjit.core import JITDylib, MaterializationResponsibility

__all__ = ["KeepingPlugin"]

Item = TypeVar("Item")


class KeepingPlugin(Plugin, Generic[Item]):
    """Base of plugins with an item for each link. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[MaterializationResponsibility, Item] = {}
        self._kept: dict[int, list[Item]] = {}
        forking.join(forking.Phase.TABLE, self)

    def begin(self, item: Item) -> None:
        """The item's code is in memory. What it raises fails the link."""

    def end(self, item: Item) -> None:
        """The item's code is about to go."""

    def hold(self, responsibility: MaterializationResponsibility, item: Item) -> None:
        """Keep an item for a link that is under way; another one replaces it."""
        with self._lock:
            self._held[responsibility] = item

    def notify_emitted(self, responsibility: MaterializationResponsibility) -> None:
        """See `Plugin`: the item is begun and filed."""
        with self._lock:
            item = self._held.pop(responsibility, None)
        if item is None:
            return
        self.begin(item)

        def file(key: int) -> None:
            with self._lock:
                self._kept.setdefault(key, []).append(item)

        try:
            responsibility.with_resource_key(file)
        except BaseException:  # removed meanwhile
            self.end(item)
            raise

    def notify_failed(self, responsibility: MaterializationResponsibility) -> None:
        """See `Plugin`: an item that was not begun is dropped."""
        with self._lock:
            self._held.pop(responsibility, None)

    def notify_removing_resources(self, dylib: JITDylib, key: int) -> None:
        """See `Plugin`: the tracker's items are ended. Raises what `end` raised, after all."""
        with self._lock:
            items = self._kept.pop(key, [])
        errors: list[Exception] = []
        for item in items:
            try:
                self.end(item)
            except Exception as error:
                errors.append(error)
        if errors:
            raise errors[0]

    def notify_transferring_resources(self, dylib: JITDylib, destination: int, source: int) -> None:
        """See `Plugin`: items move."""
        with self._lock:
            items = self._kept.pop(source, None)
            if items:
                self._kept.setdefault(destination, []).extend(items)

    def kept(self) -> list[Item]:
        """The items whose code is in memory, oldest trackers first."""
        with self._lock:
            return [item for items in self._kept.values() for item in items]

    # Around fork (lazyjit.forking)

    def before_fork(self) -> None:
        """No thread is in the middle of anything."""
        self._lock.acquire()

    def after_fork(self, in_child: bool) -> None:
        """Go on."""
        self._lock.release()
