"""Speculation: idle compile threads make what is likely to be called next.

A program waits for one unit at a time, so the second compile thread has nothing to do. When a unit
is about to be compiled because somebody waits for it, the functions that it calls and that nobody
has made yet are suggested here, and looked up with the lowest urgency: a thread takes one only when
no demand is queued. A demand that comes for a function under way waits for the rest of its
compilation, not for all of it.

Two bounds keep it in its place. Only units that were demanded suggest; what was made by speculation
does not, so that a wrong guess leads no further. And `width` units at most are under way at once:
one thread fewer than there are, so that a demand always finds one.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from lazyjit.core import ExecutionSession, LookupFlags, SymbolState, TaskClass
from lazyjit.errors import LazyJITError
from lazyjit.layers.module_table import ModuleTable
from lazyjit.symbols import ExecutorSymbolDef

__all__ = ["Speculator"]

#: Suggestions that are kept; older ones are forgotten first, since the program has moved on.
_MEMORY = 64


class Speculator:
    """Looks suggested functions up when threads are idle. Every method: any thread."""

    def __init__(self, session: ExecutionSession, width: int) -> None:
        """With at most `width` units under way; 0 turns it off."""
        self._session = session
        self._width = width
        self._lock = threading.Lock()
        self._suggested: deque[tuple[ModuleTable, int]] = deque(maxlen=_MEMORY)
        self._under_way: set[tuple[ModuleTable, int]] = set()

    def consider(self, table: ModuleTable, around: int, functions: Sequence[int]) -> None:
        """A unit around `around`, of these functions, is about to be compiled: what comes next?"""
        if not self._width or (table, around) in self._under_way:
            return
        index, taken = table.index, table.taken
        calls = (
            callee
            for function in functions
            for callee in index.callees(function).tolist()
            if not taken[callee] and table.is_function(callee)
        )
        fresh = list(dict.fromkeys(calls))
        if fresh:
            with self._lock:
                # The first call in the text is the first to be taken.
                self._suggested.extend((table, callee) for callee in reversed(fresh))
            self._go_on()

    def _go_on(self) -> None:
        while True:
            with self._lock:
                if len(self._under_way) >= self._width or not self._suggested:
                    return
                table, function = suggestion = self._suggested.pop()
                if table.taken[function]:
                    continue
                self._under_way.add(suggestion)
            self._make(table, function)

    def _make(self, table: ModuleTable, function: int) -> None:
        def done(
            result: dict[str, ExecutorSymbolDef] | None, error: LazyJITError | None
        ) -> None:
            # Why it failed is told to whoever calls it.
            with self._lock:
                self._under_way.discard((table, function))
            self._go_on()

        order = [(table.dylib, LookupFlags.ALL_SYMBOLS)]
        name = table.index.name(function, body=True)
        try:
            self._session.lookup_async(
                order, [name], SymbolState.READY, done, klass=TaskClass.SPECULATION
            )
        except LazyJITError:
            with self._lock:
                self._under_way.discard((table, function))
