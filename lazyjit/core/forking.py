"""Sessions across `fork`.

A child has one thread, the one that forked, and everything else as it was at that moment: locks
that vanished threads hold, and units that they were making. So every session's lock is taken before
a fork, which finds all tables between two steps, and released in both processes.

In the child, what was being made at that moment has nobody to finish it and fails there, with a
ResourceError that says so. Nobody is told: whoever waited for it vanished too. What was not begun
stays with the dispatcher, and everything that is ready is as callable as before.
"""

from __future__ import annotations

import itertools
import os
import weakref
from typing import TYPE_CHECKING

from lazyjit.core.entries import MAKING, Work
from lazyjit.core.progress import fail_locked
from lazyjit.errors import ResourceError

if TYPE_CHECKING:
    from lazyjit.core.session import ExecutionSession

__all__ = ["survive_forks"]

_sessions: dict[int, weakref.ref[ExecutionSession]] = {}
_held: list[ExecutionSession] = []
_numbers = itertools.count()


def survive_forks(session: ExecutionSession) -> None:
    """Have `session` taken care of, as long as it lives. Any thread."""
    key = next(_numbers)
    _sessions[key] = weakref.ref(session, lambda _: _sessions.pop(key, None))


def _before() -> None:
    # In the order of their creation, so that two threads that fork can't each wait for the other.
    for reference in list(_sessions.values()):
        session = reference()
        if session is not None:
            session._lock.acquire()
            _held.append(session)


def _in_parent() -> None:
    sessions = list(_held)
    _held.clear()
    for session in sessions:
        session._lock.release()


def _in_child() -> None:
    for session in _held:
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
    _in_parent()


os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
