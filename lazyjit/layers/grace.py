"""Grace periods: memory is freed only when nobody can be in it.

Removing code unlinks its names at once, but a thread may be running it, or may be about to return
into it. So the memory is *retired*: it is given back when every call that was under way at that
moment has returned. Calls that begin later can't reach it, since its names and stubs are gone.

This is the idea of epoch-based reclamation (Fraser, "Practical lock-freedom", 2004, section 5.2.3),
kept as plain as a lock allows. Time is cut into epochs. A call notes the epoch that it began in;
retiring closes the epoch, and what was retired in it is freed once no call of that epoch or of an
earlier one is left. An action therefore waits for at most the calls that were there before it.

Counted are the calls that go through lazyjit's own callables. Who calls a raw address must keep
the code alive by other means.

Typed callables are called too often for a lock: the native `calls` counts them, by an addition and
a subtraction under the GIL. When something is retired while such calls are under way, they enter
the epoch together, as one, and leave it together.
"""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Callable
from typing import Final

from lazyjit import forking
from lazyjit.call.native import CallCounter, on_drained

__all__ = ["GracePeriods"]


class GracePeriods(forking.Guarded):
    """Counts calls under way and runs retired actions after them. Every method: any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._epoch = 0
        # Calls under way by epoch, oldest first; every epoch from the oldest busy one to now.
        self._busy: deque[int] = deque([0])
        self._retired: deque[tuple[int, Callable[[], None]]] = deque()
        #: Counts the calls of typed callables.
        self.counter = CallCounter()
        _by_counter[self.counter.address] = self
        forking.join(forking.Phase.TABLE, self)

    def enter(self) -> int:
        """A call begins; returns what `leave` wants. The call may not outlive its `leave`."""
        with self._lock:
            self._busy[-1] += 1
            return self._epoch

    def leave(self, epoch: int) -> None:
        """A call that began in `epoch` has returned; runs what was waiting for it."""
        with self._lock:
            self._busy[epoch - self._epoch - 1] -= 1
            due = self._take_due_locked() if self._retired else ()
        for action in due:
            action()

    def retire(self, action: Callable[[], None]) -> None:
        """Run `action` once every call that is under way now has returned; at once if none is."""
        with self._lock:
            if self.counter.turn(self._epoch):
                self._busy[-1] += 1
            self._retired.append((self._epoch, action))
            self._epoch += 1
            self._busy.append(0)
            due = self._take_due_locked()
        for ready in due:
            ready()

    @property
    def calls(self) -> int:
        """Calls under way (those of typed callables as one, once something was retired)."""
        with self._lock:
            return sum(self._busy) + self.counter.busy

    @property
    def waiting(self) -> int:
        """Retired actions that wait for a call to return."""
        with self._lock:
            return len(self._retired)

    def _take_due_locked(self) -> list[Callable[[], None]]:
        while len(self._busy) > 1 and not self._busy[0]:
            self._busy.popleft()
        oldest = self._epoch + 1 - len(self._busy)
        due = []
        while self._retired and self._retired[0][0] < oldest:
            due.append(self._retired.popleft()[1])
        return due


# The native side reports to one function for all sessions.
_by_counter: Final[weakref.WeakValueDictionary[int, GracePeriods]] = weakref.WeakValueDictionary()


def _drained(counter: int, epoch: int) -> None:
    """The last of the native calls that were under way at the end of an epoch has returned."""
    grace = _by_counter.get(counter)
    if grace is not None:
        grace.leave(epoch)


on_drained(_drained)
