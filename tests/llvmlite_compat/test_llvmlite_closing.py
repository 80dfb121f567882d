"""Closing: once, whoever comes at the same moment."""

from __future__ import annotations

from lazyjit.llvmlite_compat.closing import Closing


class Thing(Closing):
    """Another thread closes it as well, whenever this one takes note that it is closed."""

    def __init__(self) -> None:
        self._closed = False
        self.disposals = 0

    def __setattr__(self, name: str, value: object) -> None:
        if name == "_closed" and value and not self.closed and not self.disposals:
            self.disposals += 1  # the other one was as far as this one is now
        object.__setattr__(self, name, value)

    def _dispose(self) -> None:
        self.disposals += 1


def test_what_two_threads_close_is_disposed_of_once() -> None:
    thing = Thing()
    assert not thing.closed
    thing.close()
    assert thing.closed
    thing.close()
    assert thing.disposals == 1
