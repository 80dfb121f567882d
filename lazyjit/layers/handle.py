"""Functions as a session hands them to Python.

A handle is a `NativeFunction` (typed by ctypes, guarded) that knows whose code it calls. Each call
is counted while it lasts, so that memory is not freed under it, and begins with a look at the
tracker: after removal a handle raises SymbolRemoved, after the session's end SessionClosed. The
order of the two matters: once a call is counted, a removal that comes later waits for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lazyjit.call import NativeFunction
from lazyjit.core import ResourceTracker
from lazyjit.errors import SessionClosed, SymbolRemoved
from lazyjit.layers.grace import GracePeriods

__all__ = ["JITFunction"]


class JITFunction(NativeFunction):
    """A function of a session, callable from any thread; the GIL is released during the call."""

    __slots__ = ("_grace", "_tracker")

    def __init__(
        self,
        address: int,
        restype: Any,
        argtypes: Sequence[Any],
        *,
        name: str,
        grace: GracePeriods,
        tracker: ResourceTracker | None,
        keepalive: object,
    ) -> None:
        """`tracker` is what removes the code; None for what no tracker owns."""
        super().__init__(address, restype, argtypes, name=name, keepalive=keepalive)
        self._grace = grace
        self._tracker = tracker

    def __call__(self, *args: Any) -> Any:
        """Call the function.

        Raises SymbolRemoved once its code was removed, SessionClosed once the session was closed,
        and what made a function that the call led to unavailable.
        """
        epoch = self._grace.enter()
        try:
            if self._tracker is not None and self._tracker.removed:
                if self._tracker.dylib.session.closed:
                    raise SessionClosed(f"{self.name} was called after its session was closed")
                raise SymbolRemoved(self.name)
            return super().__call__(*args)
        finally:
            self._grace.leave(epoch)
