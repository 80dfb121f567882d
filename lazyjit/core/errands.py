"""Errands: what a session does without its lock, and how foreign code is called.

A locked step changes tables and lists the errands that follow from it. `_carry_out` is the only way
from there to foreign code: it answers queries first, then dispatches what was started, tells units
of discarded definitions and resumes parked lookups.

Callbacks. A query's callback runs on the thread whose step answered it. One that answers further
queries doesn't call their callbacks from within: they queue up and run when it returns, so that a
chain of callbacks needs no deep stack. A blocking lookup inside a callback runs them first.

Promises. A unit that lets go of its responsibility without keeping it would leave waiters hanging.
The responsibility's finalizer tells, and the symbols fail.
"""

from __future__ import annotations

import _thread
import contextlib
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from lazyjit import tracing
from lazyjit.core.entries import BLOCKED, DONE, GONE, MAKING, Work
from lazyjit.core.generators import GeneratorRecord
from lazyjit.core.progress import Discard, Errands, Resume, fail_locked
from lazyjit.core.query import Query
from lazyjit.core.responsibility import MaterializationResponsibility
from lazyjit.core.tasks import Dispatcher, log_error
from lazyjit.core.under_way import UnderWay
from lazyjit.core.unit import MaterializationUnit
from lazyjit.errors import MissingDefinitions, SessionClosed

__all__ = ["ErrandRunner"]


class _Stage(threading.local):
    """What one thread is in the middle of, in one session."""

    def __init__(self) -> None:
        self.callbacks: deque[Query] = deque()
        self.calling_back = False
        self.generating: tuple[GeneratorRecord, ...] = ()


class ErrandRunner:
    """The part of an ExecutionSession that calls foreign code. No method needs the lock."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        """Open, with tasks run by `dispatcher`."""
        self._lock = threading.Lock()
        self._dispatcher = dispatcher
        self._closed = False
        self._stage = _Stage()
        self._abandoned: deque[Work] = deque()
        self._under_way = UnderWay(self._lock)
        #: Called with errors that no lookup can be told of. Any thread; must not raise.
        self.report_error: Callable[[BaseException], None] = _log

    def _carry_out(self, errands: Errands) -> None:
        """Do what a locked step left to do. Without the lock."""
        if errands:
            called = False
            others: Errands | None = None
            for errand in errands:
                if not isinstance(errand, Query):
                    others = errands
                elif errand.completion is not None:
                    errand.completion.set()
                else:
                    self._stage.callbacks.append(errand)
                    called = True
            if called:
                self._call_back()
            for errand in others or ():
                if isinstance(errand, Work):
                    self._dispatch(errand)
                elif isinstance(errand, Discard):
                    self._discard(errand)
                elif isinstance(errand, Resume):
                    self._resume(errand.query)
        if self._abandoned:
            self._fail_abandoned()

    def _dispatch(self, work: Work) -> None:
        try:
            self._dispatcher.dispatch(work, work.klass)
        except SessionClosed as error:
            self._fail(work, error)

    def _discard(self, discard: Discard) -> None:
        """Tell a unit of a lost definition, and start it if it was wanted meanwhile."""
        pending, name = discard
        try:
            pending.unit.discard(pending.tracker.dylib, name)
        except Exception as error:
            self._report(error)
        held = None
        with self._lock:
            pending.discarding -= 1
            if not pending.discarding:
                held, pending.held = pending.held, None
        if held is not None:
            self._dispatch(held)

    def _resume(self, query: Query) -> None:
        try:
            self._dispatcher.dispatch(query.advance, query.klass)
        except SessionClosed:
            query.advance()  # its turn must pass on; a closed session answers it

    def _call_back(self) -> None:
        """Call the callbacks that are due on this thread, unless one of them is running."""
        stage = self._stage
        if stage.calling_back:
            return
        stage.calling_back = True
        generating, stage.generating = stage.generating, ()
        with self._lock:
            counted = self._under_way.begin_locked()
        try:
            while stage.callbacks:
                query = stage.callbacks.popleft()
                on_complete = query.on_complete
                assert on_complete is not None
                try:
                    if query.error is not None:
                        on_complete(None, query.error)
                    else:
                        on_complete(query.result, None)
                except Exception as error:
                    self._report(error)
        finally:
            stage.calling_back = False
            stage.generating = generating
            if counted:
                self._under_way.end()

    def _wait(self, query: Query) -> None:
        """Advance `query` and block until it is answered. Raises what it failed with."""
        completion = query.completion
        assert completion is not None
        query.advance()
        if not completion.is_set():
            # Inside a callback, others may be due on this thread: the answer may depend on them.
            stage = self._stage
            calling_back, stage.calling_back = stage.calling_back, False
            try:
                self._call_back()
                self._dispatcher.wait_for(completion)
            finally:
                stage.calling_back = calling_back
        if query.error is not None:
            raise query.error

    def _materialize(self, work: Work) -> None:
        """A task: run a started unit, unless it is removed or another task has it."""
        with self._lock:
            if work.begun or work.stage != MAKING:
                return
            work.begun = True
            source: Any = work.source
            work.source = None
            if work.record is not None:
                work.record.tidy_locked()
        if tracing.sink is not None:
            tracing.emit("materialize", unit=work.name, dylib=work.dylib.name)
        stage = self._stage
        generating = stage.generating
        if generating:
            stage.generating = ()
        responsibility = MaterializationResponsibility(self, work)
        try:
            unit = source if work.record is None else self._unit_of_table(work, source)
            unit.materialize(responsibility)
        except BaseException as error:
            if responsibility._work.stage in (BLOCKED, DONE, GONE):
                self._report(error)  # no symbol is left that could fail with it
            responsibility.fail_materialization(error)
            if not isinstance(error, Exception):
                raise  # an interrupt: whoever waits is told, and so is whoever runs tasks
        finally:
            if generating:
                stage.generating = generating
            # Unless the unit kept it for later, the promise ends here, kept or not.
            work = responsibility._work
            work.ending = True
            del responsibility
            work.ending = False
        if self._abandoned:
            self._fail_abandoned()

    def _unit_of_table(
        self, work: Work, source: Callable[[], MaterializationUnit]
    ) -> MaterializationUnit:
        """Have a table's unit made, which must make what it was asked for."""
        unit = source()
        with self._lock:
            work.name = unit.name
            flags = work.flags
            if unit.init_symbol in flags:
                work.init_symbol = unit.init_symbol
        if not unit.symbols.keys() >= flags.keys():
            raise MissingDefinitions(unit.name, flags.keys() - unit.symbols.keys())
        return unit

    def _abandon(self, work: Work) -> None:
        """The last reference to a responsibility is gone: fail its symbols soon.

        Called by a finalizer, which the garbage collector may run anywhere: with the session's lock
        held, or a lock of the dispatcher's. So this takes no lock, and leaves the work to the task
        that dropped it or else to a new thread (`_thread`'s, for `threading` has locks too).
        """
        self._abandoned.append(work)  # before the test: the task looks here after its reset
        if not work.ending:
            # When the interpreter is ending, so is whoever might wait.
            with contextlib.suppress(RuntimeError):
                _thread.start_new_thread(self._fail_abandoned, ())

    def _fail_abandoned(self) -> None:
        while True:
            try:
                work = self._abandoned.popleft()
            except IndexError:
                return
            self._fail(work, MissingDefinitions(work.name, work.flags))

    def _fail(self, work: Work, error: BaseException) -> None:
        errands: Errands = []
        with self._lock:
            if work.stage == MAKING:
                fail_locked([work], error, errands)
        self._carry_out(errands)

    def _check_open_locked(self) -> None:
        if self._closed:
            raise SessionClosed("the session was closed")

    def _report(self, error: BaseException) -> None:
        try:
            self.report_error(error)
        except Exception as another:
            _log(another)


def _log(error: BaseException) -> None:
    log_error("an error that nobody waits for", error)
