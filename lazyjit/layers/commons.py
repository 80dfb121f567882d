"""Common symbols: tentative definitions (`int x;` under `-fcommon`) of several objects of a dylib.

A static linker merges those of one name into one block, as large as the largest and as strictly
aligned as the strictest. It sees all of them first. Here objects come one after the other, and code
may run before the last has come. So each says what it wants when it is added, and the one that is
linked for the name, the first, gets a block for all that had come by then. From there on it is
*placed*, and doesn't grow: code has its address. Who comes with a larger one after that is
refused, with CommonTooLarge; what follows the block in memory is somebody else's.

What was wanted is forgotten with the tracker that it came under, and so is the place.
"""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import TYPE_CHECKING

from lazyjit.errors import CommonTooLarge
from lazyjit.link.placing import is_placed

if TYPE_CHECKING:
    from lazyjit.core import JITDylib, MaterializationResponsibility
    from lazyjit.link.graph import LinkGraph

__all__ = ["Commons"]

#: Size and alignment, in bytes.
_Extent = tuple[int, int]
_Place = tuple["JITDylib", str]


class Commons:
    """What the objects of all dylibs want of common symbols. Any thread, with the lock given."""

    def __init__(self, lock: Lock) -> None:
        """Nothing yet. `lock` is held for each step, and no other is taken within."""
        self._lock = lock
        #: By tracker's key.
        self._wanted: dict[_Place, list[tuple[int, _Extent]]] = {}
        self._placed: dict[_Place, tuple[int, _Extent]] = {}
        self._places: dict[int, set[_Place]] = {}

    def admit(self, dylib: JITDylib, key: int, extents: Mapping[str, _Extent], *, by: str) -> None:
        """What `by`, under the tracker of `key`, wants. Raises CommonTooLarge, having done nothing.

        If `by` isn't added after all, the only consequence is a block that is larger than it need
        be.
        """
        with self._lock:
            for name, extent in extents.items():
                self._check(dylib, name, extent, by)
            for name, extent in extents.items():
                self._wanted.setdefault((dylib, name), []).append((key, extent))
                self._places.setdefault(key, set()).add((dylib, name))

    def settle(
        self,
        responsibility: MaterializationResponsibility,
        graph: LinkGraph,
        extents: Mapping[str, _Extent],
    ) -> None:
        """Give the common symbols that `graph` defines for the session their extents, for good.

        `extents` are what it has, those that lost included. Raises CommonTooLarge when one of
        these is larger than what was placed, or when what is to grow has memory already;
        ResourceTrackerDefunct, SessionClosed.
        """
        dylib, promised = responsibility.dylib, responsibility.symbols
        by, fixed = graph.file or "a graph", is_placed(graph)
        larger: dict[str, _Extent] = {}

        def fix(key: int) -> None:
            with self._lock:
                for name, extent in extents.items():
                    place = (dylib, name)
                    if name not in promised:
                        self._check(dylib, name, extent, by)
                        continue
                    wanted = [extent, *(each for _, each in self._wanted.get(place, ()))]
                    both = (max(size for size, _ in wanted), max(align for _, align in wanted))
                    if fixed and both != extent:
                        raise CommonTooLarge(name, dylib.name, both, extent)
                    if not fixed:
                        both = (both[0], max(both[1], _usual_alignment(both[0])))
                    larger[name] = both
                    self._placed[place] = (key, both)
                    self._places.setdefault(key, set()).add(place)

        responsibility.with_resource_key(fix)
        if not fixed:
            graph.extend_commons(larger)

    def _check(self, dylib: JITDylib, name: str, extent: _Extent, by: str) -> None:
        _, placed = self._placed.get((dylib, name), (0, extent))
        if extent[0] > placed[0] or extent[1] > placed[1]:
            raise CommonTooLarge(name, dylib.name, extent, placed, by=by)

    def forget(self, key: int) -> None:
        """The code of a tracker is going. The lock is held."""
        for place in self._places.pop(key, ()):
            left = [each for each in self._wanted.pop(place, ()) if each[0] != key]
            if left:
                self._wanted[place] = left
            if place in self._placed and self._placed[place][0] == key:
                del self._placed[place]

    def move(self, destination: int, source: int) -> None:
        """The code of a tracker becomes another's. The lock is held."""
        places = self._places.pop(source, None)
        if not places:
            return
        self._places.setdefault(destination, set()).update(places)
        for place in places:
            if place in self._wanted:
                self._wanted[place] = [
                    (destination if key == source else key, extent)
                    for key, extent in self._wanted[place]
                ]
            if place in self._placed and self._placed[place][0] == source:
                self._placed[place] = (destination, self._placed[place][1])


def _usual_alignment(size: int) -> int:
    """What compilers may align a variable to that has no alignment of its own: gcc aligns arrays of
    32 bytes to 32, or to a cache line. Who comes late shouldn't be refused for that.
    """
    return min(64, 1 << max(size.bit_length() - 1, 0))
