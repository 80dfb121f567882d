"""A range of addresses, given out in pieces and taken back: first fit, with coalescing.

For ranges with a few free pieces at a time (a slab, pretended addresses). The arena, of which
thousands of pieces come and go, has an allocator of its own in native code.

The free pieces are two lists in address order, starts and ends. Taking a piece scans them for the
first that fits; giving one back finds its neighbours by bisection and joins them.
"""

from __future__ import annotations

import threading
from bisect import bisect_left

from lazyjit import forking
from lazyjit.errors import ArenaFull, UsageError

__all__ = ["Ranges"]


class Ranges(forking.Guarded):
    """Which addresses from `start` on, `size` of them, are in use. Any thread.

    `what` they are is for the words of errors.
    """

    def __init__(self, start: int, size: int, what: str = "a range") -> None:
        self.what = what
        self.start = start
        self.size = size
        self._lock = threading.Lock()
        self._starts = [start]
        self._ends = [start + size]
        self._used: dict[int, int] = {}
        forking.join(forking.Phase.MEMORY, self)

    def take(self, size: int, align: int) -> int:
        """The address of `size` free addresses. Raises ArenaFull."""
        with self._lock:
            for i, (start, end) in enumerate(zip(self._starts, self._ends, strict=True)):
                at = (start + align - 1) & -align
                if at + size > end:
                    continue
                left = [(a, b) for a, b in ((start, at), (at + size, end)) if a < b]
                self._starts[i : i + 1] = [a for a, _ in left]
                self._ends[i : i + 1] = [b for _, b in left]
                self._used[at] = size
                return at
        free = self.size - self.used
        raise ArenaFull(
            f"{self.what} of {self.size} bytes has no room for a segment of {size} bytes, "
            f"aligned to {align}: {free} are free{', but not in one piece' if free >= size else ''}"
        )

    def give(self, at: int) -> None:
        """Take back what `take` gave. Raises UsageError for anything else."""
        with self._lock:
            size = self._used.pop(at, None)
            if size is None:
                raise UsageError(f"{at:#x} is not the start of a piece in use")
            start, end = at, at + size
            i = bisect_left(self._starts, start)
            first, last = i, i
            if i and self._ends[i - 1] == start:
                first, start = i - 1, self._starts[i - 1]
            if i < len(self._starts) and self._starts[i] == end:
                last, end = i + 1, self._ends[i]
            self._starts[first:last] = [start]
            self._ends[first:last] = [end]

    @property
    def used(self) -> int:
        """How many addresses are in use."""
        with self._lock:
            return sum(self._used.values())

    @property
    def pieces(self) -> int:
        """How many free pieces there are: 1 when everything was given back."""
        with self._lock:
            return len(self._starts)
