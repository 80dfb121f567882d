"""Grace periods: memory is freed only when nobody can be in it.

Removing code unlinks its names at once, but a thread may be running it, or may be about to return
into it. So the memory is *retired*: it is given back when every call that was under way at that
moment has returned. Calls that begin later can't reach it, since its names and stubs are gone.

This is the idea of epoch-based reclamation (Fraser, "Practical lock-freedom", 2004, section 5.2.3),
kept as plain as a lock allows. Time is cut into epochs. A call notes the epoch that it began in;
retiring closes the epoch, and what was retired in it is freed once no call of that epoch or of an
earlier one is left. An action therefore waits for at most the calls that were there before it.

Counted are the calls that go through lazyjit's own callables. Who calls a raw address must keep
the code alive by other means. Exit handlers are not counted, since a thread may end anywhere; so
those that run when code is retired count as one call, which a thread of its own waits for.

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
from lazyjit.finalizing import soon

__all__ = ["GracePeriods"]


class GracePeriods(forking.Guarded):
    """Counts calls under way and runs retired actions after them. Every method: any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._epoch = 0
        # Calls under way by epoch, oldest first; every epoch from the oldest busy one to now.
        self._busy: deque[int] = deque([0])
        self._retired: deque[tuple[int, Callable[[], None]]] = deque()
        # Whether a thread is running actions: one at a time does, in the order in which they were
        # retired, for a later one may unmap what an earlier one frees.
        self._acting = False
        #: Asks whether others run what isn't counted (`lazyjit.link.runtime.handlers_run`).
        self.uncounted: Callable[[bool], bool] | None = None
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
            act = bool(self._retired) and self._may_act_locked()
        if act:
            self._act()

    def retire(self, action: Callable[[], None]) -> None:
        """Run `action` once every call that is under way now has returned, after all that was
        retired before; at once if nothing is waited for.
        """
        with self._lock:
            if self.counter.turn(self._epoch):
                self._busy[-1] += 1
            self._retired.append((self._epoch, action))
            self._epoch += 1
            self._busy.append(0)
            act = self._may_act_locked()
        if act:
            self._act()

    def retire_code(self, action: Callable[[], None]) -> None:
        """As `retire`, for what frees code or what code uses: the exit handlers that others run now
        are waited for, too. None that leads there may be left to run.
        """
        uncounted = self.uncounted
        if uncounted is not None and uncounted(False):
            epoch = self.enter()

            def wait() -> None:
                uncounted(True)
                self.leave(epoch)

            soon(wait)
        self.retire(action)

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

    def _due_locked(self) -> bool:
        """Whether the oldest action may run."""
        while len(self._busy) > 1 and not self._busy[0]:
            self._busy.popleft()
        return bool(self._retired) and self._retired[0][0] <= self._epoch - len(self._busy)

    def _may_act_locked(self) -> bool:
        """Whether this thread is to run actions; then `_acting` is set for it."""
        if self._acting or not self._due_locked():
            return False
        self._acting = True
        return True

    def _act(self) -> None:
        """Run what is due, also what becomes so meanwhile, on this thread or another."""
        while True:
            with self._lock:
                if not self._due_locked():
                    self._acting = False
                    return
                action = self._retired.popleft()[1]
            try:
                action()
            except BaseException:
                with self._lock:
                    self._acting = False
                raise


# The native side reports to one function for all sessions.
_by_counter: Final[weakref.WeakValueDictionary[int, GracePeriods]] = weakref.WeakValueDictionary()


def _drained(counter: int, epoch: int) -> None:
    """The last of the native calls that were under way at the end of an epoch has returned."""
    grace = _by_counter.get(counter)
    if grace is not None:
        grace.leave(epoch)


on_drained(_drained)
