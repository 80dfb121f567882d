"""A session across `fork`.

A child has one thread, the one that forked, and everything else as it was at that moment: locks
that vanished threads hold, and units that they were making. So the session's lock is taken before a
fork, which finds all tables between two steps, and released in both processes; `lazyjit.forking`
does so after the thread pool has come to rest.

In the child, what was being made at that moment has nobody to finish it and fails, with a
ResourceError that says so. Nobody is told: whoever waited for it vanished too. What was not begun
stays with the dispatcher, and everything that is ready is as callable as before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazyjit.core.entries import MAKING, Work
from lazyjit.core.progress import fail_locked
from lazyjit.errors import ResourceError

if TYPE_CHECKING:
    from lazyjit.core.session import ExecutionSession

__all__ = ["lose_what_was_under_way_locked"]


def lose_what_was_under_way_locked(session: ExecutionSession) -> None:
    """In a child: fail what vanished threads were making, and free the generators they were in."""
    lost = [
        work
        for dylib in session._dylibs.values()
        for work in dict.fromkeys(dylib._symbols.values())
        if isinstance(work, Work) and work.begun and work.stage == MAKING
    ]
    if lost:
        fail_locked(lost, ResourceError("being made when the process forked"), [])
    for dylib in session._dylibs.values():
        for record in dylib._generators:
            record.busy = False
            record.queue.clear()
