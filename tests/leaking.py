"""Leaks: what grows each time that something is done.

What a whole process has, its memory or the references to None, also changes by other things: an
allocator's steps, sessions of other tests that are being closed. But a leak shows every time.
"""

from __future__ import annotations

import gc
from collections.abc import Callable


def growth(measure: Callable[[], int], work: Callable[[], object], *, rounds: int = 5) -> int:
    """What `measure` changes by in `work`: the smallest change of so many rounds, with its sign.

    Garbage is collected before each look.
    """

    def look() -> int:
        gc.collect()
        return measure()

    changes = []
    before = look()
    for _ in range(rounds):
        work()
        after = look()
        changes.append(after - before)
        before = after
    return min(changes, key=abs)
