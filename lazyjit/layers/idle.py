"""What compile threads do while nobody waits: speculation and promotion.

A program waits for one unit at a time, so all but one of the compile threads are mostly idle. Two
kinds of work are kept for them here, as *starters*, callables that look a symbol up at low urgency:

- **Speculation.** When a unit is about to be compiled because somebody waits for it, the functions
  that it calls and that nobody has made yet are suggested: they are likely to be called next. A
  call that comes while one is under way waits for the rest of its compilation, not for all of it.
  Units that were made by speculation suggest nothing, so that a wrong guess leads no further.
- **Promotion.** See `lazyjit.layers.promotion`.

Suggestions go first: they shorten a wait that may begin any moment, and a promotion can come later.
One thread is always left free, for a demand can't push aside what a thread has begun, and at -O2 a
unit takes 10 ms or more. (Measured on Lua with two threads: promoting on both took seven times as
long to the end of a short script as promoting on one.)
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence

from lazyjit import forking
from lazyjit.core import ExecutionSession, JITDylib, LookupFlags, SymbolState, TaskClass
from lazyjit.errors import LazyJITError
from lazyjit.ir import suggest
from lazyjit.layers.module_table import ModuleTable
from lazyjit.symbols import ExecutorSymbolDef

__all__ = ["IdleWork"]

#: Suggestions that are kept; older ones are forgotten first, since the program has moved on.
_MEMORY = 64

#: Starts a piece of work that calls its argument once when it ends; False: there is none any more.
_Starter = Callable[[Callable[[], None]], bool]


class IdleWork(forking.Guarded):
    """Keeps idle threads busy. Every method: any thread; none raises."""

    def __init__(self, session: ExecutionSession, threads: int, *, speculate: bool) -> None:
        """Of a pool of `threads`. With one thread there is no speculation, but promotion."""
        self._session = session
        self._speculate = speculate and threads > 1
        self._width = max(threads - 1, 1)
        self._lock = threading.Lock()
        self._suggested: deque[tuple[ModuleTable, int]] = deque(maxlen=_MEMORY)
        self._speculating: set[tuple[ModuleTable, int]] = set()
        self._promotions: deque[tuple[JITDylib, str]] = deque()
        self._under_way = 0
        forking.join(forking.Phase.SESSION, self)

    def consider(self, table: ModuleTable, around: int, functions: Sequence[int]) -> None:
        """A unit around `around`, of these functions, is about to be compiled: what comes next?"""
        if not self._speculate or (table, around) in self._speculating:
            return
        fresh = suggest(table.index, functions, table.states, _MEMORY)
        if fresh:
            with self._lock:
                # The first call in the text is the first to be taken.
                self._suggested.extend((table, callee) for callee in reversed(fresh))
            self._go_on()

    def promote(self, dylib: JITDylib, name: str) -> None:
        """Have the effect symbol `name` of `dylib` made when there is nothing better to do."""
        with self._lock:
            self._promotions.append((dylib, name))
        self._go_on()

    def _go_on(self) -> None:
        while True:
            with self._lock:
                if self._under_way >= self._width:
                    return
                starter = self._next_locked()
                if starter is None:
                    return
                self._under_way += 1
            if not starter(self._ended):
                with self._lock:
                    self._under_way -= 1

    def _ended(self) -> None:
        with self._lock:
            self._under_way -= 1
        self._go_on()

    def _next_locked(self) -> _Starter | None:
        while self._suggested:
            suggestion = self._suggested.pop()
            if not suggestion[0].states[suggestion[1]]:
                self._speculating.add(suggestion)
                return self._speculation(*suggestion)
        if self._promotions:
            return self._promotion(*self._promotions.popleft())
        return None

    def _speculation(self, table: ModuleTable, function: int) -> _Starter:
        def start(ended: Callable[[], None]) -> bool:
            def done() -> None:
                with self._lock:
                    self._speculating.discard((table, function))
                ended()

            name = table.index.name(function, body=True)
            return self._look_up(table.dylib, name, (), TaskClass.SPECULATION, done)

        return start

    def _promotion(self, dylib: JITDylib, name: str) -> _Starter:
        return lambda ended: self._look_up(dylib, name, [name], TaskClass.PROMOTION, ended)

    def _look_up(
        self,
        dylib: JITDylib,
        name: str,
        weak: Sequence[str],
        klass: TaskClass,
        ended: Callable[[], None],
    ) -> bool:
        def answer(result: dict[str, ExecutorSymbolDef] | None, error: LazyJITError | None) -> None:
            ended()  # why it failed is told to whoever asks for it in earnest

        try:
            self._session.lookup_async(
                [(dylib, LookupFlags.ALL_SYMBOLS)],
                [name],
                SymbolState.READY,
                answer,
                weak=weak,
                klass=klass,
            )
        except LazyJITError:  # closed meanwhile
            return False
        return True
