"""What a finalizer may do: next to nothing, so it has a thread do the rest.

Python finalizes an object wherever its last reference goes, and garbage in the middle of any other
code, on whatever thread made the allocation that was one too many. That thread may hold the lock
that the finalizer wants. So a `__del__` takes no lock: it hands over its work here.
"""

from __future__ import annotations

import _thread
import contextlib
from collections.abc import Callable

__all__ = ["soon"]


def soon(action: Callable[[], object]) -> None:
    """Run `action` on a thread of its own, which holds no lock. Takes none itself. Any thread.

    At the interpreter's end there are no new threads; then it isn't run, and needn't be. What it
    raises is printed by `sys.unraisablehook`.
    """
    # Not threading.Thread: it waits for the thread to begin, and has locks.
    with contextlib.suppress(RuntimeError):
        _thread.start_new_thread(action, ())
