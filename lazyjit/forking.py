"""What happens around fork, in order.

A child of fork has one thread: the one that forked. Whatever other threads were in the middle of
is in the middle for ever, and the locks that they held stay locked. So before a fork, everything
that has threads, locks or shared memory is brought to rest, and afterwards set going again, on both
sides. The order matters: tasks must have finished before the locks that they need are taken. It is
the order of `Phase` before the fork, and the reverse of it after.

`join` enrols an object weakly; its `before_fork` and `after_fork` are called while it lives.
"""

from __future__ import annotations

import enum
import itertools
import os
import threading
import weakref
from typing import Protocol

__all__ = ["Guarded", "Participant", "Phase", "join"]


class Phase(enum.IntEnum):
    """When a participant is brought to rest; it is set going in the reverse order."""

    #: Thread pools finish the tasks that run and begin no more.
    POOL = 0
    #: Sessions take their locks, and then the layers above them: no program model changes any more.
    SESSION = 1
    #: Tables take their locks, under which nobody takes those before.
    TABLE = 2
    #: Memory: allocation stops, shared pages are copied.
    MEMORY = 3


class Participant(Protocol):
    """Something with threads, locks or shared memory."""

    def before_fork(self) -> None:
        """Come to rest. On the thread that forks. May block, but not on a later phase."""

    def after_fork(self, in_child: bool) -> None:
        """Go on. On the thread that forked, in the parent and in the child."""


class Guarded:
    """A participant whose state is guarded by one lock, `_lock`: a fork takes it meanwhile."""

    _lock: threading.Lock

    def before_fork(self) -> None:
        """Take the lock."""
        self._lock.acquire()

    def after_fork(self, in_child: bool) -> None:
        """Give it back."""
        self._lock.release()


_serial = itertools.count()
#: By the order in which they joined. Not a WeakKeyDictionary, which can't be gone through while
#: another thread adds to it.
_participants: dict[int, tuple[Phase, weakref.ref[Participant]]] = {}
_resting: list[tuple[Phase, int, Participant]] = []


def join(phase: Phase, participant: Participant) -> None:
    """Have `participant` take part in forks for as long as it lives. Any thread."""
    serial = next(_serial)

    def gone(_: object) -> None:
        _participants.pop(serial, None)

    _participants[serial] = (phase, weakref.ref(participant, gone))


def _report(error: BaseException) -> None:
    thread = threading.current_thread()
    threading.excepthook(
        threading.ExceptHookArgs((type(error), error, error.__traceback__, thread))
    )


def _before() -> None:
    seen: set[int] = set()
    while True:
        # A copy is made at once. Others may join, and go, while these come to rest.
        known = _participants.copy()
        order = sorted((known[serial][0], serial) for serial in known.keys() - seen)
        if not order:
            return
        seen.update(known)
        for phase, serial in order:
            participant = known[serial][1]()
            if participant is None:
                continue
            try:
                participant.before_fork()
            except Exception as error:
                _report(error)
            else:
                _resting.append((phase, serial, participant))


def _after(in_child: bool) -> None:
    # Who joined late came to rest late, whatever the phase, but goes on in order with the others.
    _resting.sort(key=lambda each: each[:2])
    while _resting:
        _, _, participant = _resting.pop()
        try:
            participant.after_fork(in_child)
        except Exception as error:
            _report(error)


os.register_at_fork(
    before=_before,
    after_in_parent=lambda: _after(False),
    after_in_child=lambda: _after(True),
)
