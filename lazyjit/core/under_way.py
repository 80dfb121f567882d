"""What threads do for a session without its lock, but with its memory: closing waits for it.

A removal hands memory back, and a callback may be that of a link, which writes code; both run on
whatever thread led to them. Memory goes when the last of them has ended. What pool threads do is
waited for anyway, by joining them.
"""

from __future__ import annotations

import threading

__all__ = ["UnderWay"]


class UnderWay:
    """Counts such work by thread. Every method: any thread."""

    def __init__(self, lock: threading.Lock) -> None:
        """Guarded by `lock`, the session's."""
        self._threads: list[int] = []
        self._ended = threading.Condition(lock)
        self._over = False

    def begin_locked(self) -> bool:
        """This thread begins something, and calls `end` after it; False when it is too late."""
        if not self._over:
            self._threads.append(threading.get_ident())
        return not self._over

    def end(self) -> None:
        """What this thread began last has ended."""
        with self._ended:
            self._threads.remove(threading.get_ident())
            if self._over:
                self._ended.notify_all()

    def finish(self) -> None:
        """Let nothing begin any more, and wait for what other threads have begun."""
        me = threading.get_ident()
        with self._ended:
            self._over = True
            self._ended.wait_for(lambda: all(thread == me for thread in self._threads))

    def lose_others_locked(self) -> None:
        """In a child of `fork`: the other threads are gone."""
        me = threading.get_ident()
        self._threads = [thread for thread in self._threads if thread == me]
