"""Resource trackers: what can be removed together.

Whatever is defined in a dylib is defined under a tracker, the dylib's default one or one made with
`create_tracker`. `remove` takes all of it back, in whatever state it is:

- units that nobody wanted are dropped, tables are taken out, ready names are unlinked;
- work under way is abandoned: queries that wait for it fail with SymbolRemoved, its materializer is
  told ResourceTrackerDefunct at its next step, and what has been emitted against it fails;
- then every `ResourceManager` of the session is asked to free what it holds by the tracker's key.

A manager files what it allocates under that key inside `responsibility.with_resource_key`. That
excludes a concurrent removal, so an allocation is either refused or freed, never orphaned.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Protocol

from lazyjit.core.entries import Work
from lazyjit.core.progress import Errands, drop_locked
from lazyjit.errors import ResourceTrackerDefunct, SymbolRemoved, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lazyjit.core.dylib import JITDylib

__all__ = ["ResourceManager", "ResourceTracker"]

_keys = itertools.count(1)


class ResourceManager(Protocol):
    """Holds resources (memory, handles, ...) by the tracker's key. Registered with the session."""

    def handle_remove_resources(self, dylib: JITDylib, key: int) -> None:
        """Free what is held under `key`, possibly nothing. Called without the session's lock."""

    def handle_transfer_resources(self, dylib: JITDylib, destination: int, source: int) -> None:
        """File under `destination` what is held under `source`.

        Called with the session's lock held, lest a removal come between: quick, and no calls into
        the session.
        """


class ResourceTracker:
    """Tracks what is defined under it in one dylib. Every method may be called from any thread."""

    __slots__ = ("__weakref__", "_names", "_removed", "_successor", "dylib", "key")

    def __init__(self, dylib: JITDylib) -> None:
        """Use `JITDylib.create_tracker`."""
        self.dylib = dylib
        #: What managers file resources under: unique in the process.
        self.key = next(_keys)
        # All names of the dylib that came to be under this tracker, but those only tables know.
        self._names: set[str] = set()
        self._removed = False
        self._successor: ResourceTracker | None = None

    @property
    def defunct(self) -> bool:
        """Whether what it tracked was removed or transferred."""
        return self._removed or self._successor is not None

    @property
    def removed(self) -> bool:
        """Whether the code that it tracked, which may be another's by now, was removed."""
        return current(self)._removed

    def remove(self) -> None:
        """Remove everything under this tracker; it is defunct then. Removing again does nothing.

        Must not be called while code of it runs or may be called. Raises what a resource manager
        raised (the first; others go to `report_error`); the removal is complete all the same.
        """
        session = self.dylib.session
        errands: Errands = []
        with session._lock:
            if self.defunct:
                return
            _remove_locked(self, errands)
            session._under_way.begin_locked()
        try:
            session._carry_out(errands)
            session._free_resources([self])
        finally:
            session._under_way.end()

    def transfer_to(self, other: ResourceTracker) -> None:
        """Move everything under this tracker, which is defunct then, to `other` of the same dylib.

        Raises ResourceTrackerDefunct if either is, and UsageError for trackers of two dylibs.
        """
        if other is self:
            return
        if other.dylib is not self.dylib:
            raise UsageError("can't transfer resources between dylibs")
        session = self.dylib.session
        errors: list[Exception] = []
        with session._lock:
            session._check_open_locked()
            check_usable_locked(self)
            check_usable_locked(other)
            other._names |= self._names
            self._names = set()
            self._successor = other
            self.dylib._trackers.pop(self, None)
            for record in self.dylib._tables:
                if record.tracker is self:
                    record.tracker = other
            for manager in reversed(session._managers):
                try:
                    manager.handle_transfer_resources(self.dylib, other.key, self.key)
                except Exception as error:
                    errors.append(error)
        for further in errors[1:]:
            session._report(further)
        if errors:
            raise errors[0]


def current(tracker: ResourceTracker) -> ResourceTracker:
    """Where the code of `tracker` was transferred to in the end. Needs no lock."""
    while tracker._successor is not None:
        tracker = tracker._successor
    return tracker


def check_usable_locked(tracker: ResourceTracker) -> None:
    """Raise ResourceTrackerDefunct if `tracker` is."""
    if tracker.defunct:
        what = "removed" if tracker._removed else "transferred"
        raise ResourceTrackerDefunct(f"the code of this tracker of {tracker.dylib.name} was {what}")


def _remove_locked(tracker: ResourceTracker, errands: Errands) -> None:
    dylib = tracker.dylib
    symbols = dylib._symbols
    works: dict[Work, None] = {}
    for name in tracker._names:
        entry = symbols.pop(name)
        if isinstance(entry, Work):
            works[entry] = None
    if works:
        # Emitted works answer for their circles, so what fails with them may still be mapped.
        drop_locked(works, _removed, errands)
    tracker._names = set()
    tracker._removed = True
    dylib._trackers.pop(tracker, None)
    if any(record.tracker is tracker for record in dylib._tables):
        dylib._tables = tuple(r for r in dylib._tables if r.tracker is not tracker)


def _removed(names: Sequence[str]) -> SymbolRemoved:
    return SymbolRemoved(names[0])
