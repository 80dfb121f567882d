"""Tasks: the pieces of work that a session hands out, who runs them, and how to wait for one.

The session never makes a symbol on the stack of whoever looks it up. It hands *tasks*, plain
callables, to a `Dispatcher`, which decides when and on which thread they run. Two dispatchers
exist: `InPlaceDispatcher` here runs everything on the thread that asked, and the thread pool in
`lazyjit.core.dispatch` runs it elsewhere. Tests bring their own, to force orders.

A blocking lookup waits for a `Completion`, and does so through the dispatcher (`wait_for`), because
the waiting thread may be the very one that should run the task it waits for. A pool thread that
waits therefore runs queued demand work meanwhile; so nested lookups can't starve a pool of any
size. The price is that a waiting task may be buried beneath a task that it helped with: a
materializer that *blocks* on a symbol which in turn waits for the buried one would wait for ever.
Materializers use `lookup_async` with dependences for such circles; that never blocks.

Guarantees that a dispatcher gives:

- a task that `dispatch` accepted runs exactly once, also when the dispatcher is closed meanwhile;
- `wait_for` returns once the completion is set, and not before;
- neither holds a lock of the dispatcher's while a task runs.

What it may assume: a task never raises (the session catches what user code raises). One that does
all the same is logged, as `lazyjit`, and otherwise ignored.
"""

from __future__ import annotations

import enum
import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

from lazyjit.errors import SessionClosed

__all__ = [
    "Completion",
    "Dispatcher",
    "InPlaceDispatcher",
    "Task",
    "TaskClass",
    "log_error",
    "run_task",
]

#: A piece of work. Takes and returns nothing, and doesn't raise.
Task = Callable[[], None]


class TaskClass(enum.IntEnum):
    """How urgent a task is; within a class, first come, first served."""

    #: Someone waits for it now: goes before all else. Waiting pool threads help with this class.
    DEMAND = 0
    #: Makes code that runs already better: goes when no demand is queued.
    PROMOTION = 1
    #: May never be needed: goes when nothing else is queued.
    SPECULATION = 2


class Completion:
    """A flag that is set once, for any number of waiters on any threads.

    Every method may be called from any thread.
    """

    __slots__ = ("_lock", "_set", "_wakers")

    def __init__(self) -> None:
        """Not set."""
        self._lock = threading.Lock()
        self._set = False
        self._wakers: list[Callable[[], object]] = []

    def is_set(self) -> bool:
        """Whether `set` was called."""
        return self._set

    def set(self) -> None:
        """Set the flag and run the wakers, on this thread. Setting it again does nothing."""
        with self._lock:
            self._set = True
            wakers, self._wakers = self._wakers, []
        for waker in wakers:
            waker()

    def add_waker(self, waker: Callable[[], object]) -> None:
        """Have `waker` called once: by `set` on its thread, or here and now if it is set already.

        A waker is short, doesn't raise and takes no lock under which `set` may be called.
        """
        with self._lock:
            if not self._set:
                self._wakers.append(waker)
                return
        waker()

    def wait(self, timeout: float | None = None) -> bool:
        """Sleep until the flag is set, or `timeout` seconds; returns whether it is set.

        Runs no tasks: blocking code outside a dispatcher wants `Dispatcher.wait_for`.
        """
        if self._set:
            return True
        gate = threading.Lock()
        gate.acquire()
        self.add_waker(gate.release)
        gate.acquire(timeout=-1 if timeout is None else timeout)
        return self._set


class Dispatcher(Protocol):
    """Decides when and where tasks run; see the guarantees on top of this file."""

    def dispatch(self, task: Task, klass: TaskClass = TaskClass.DEMAND) -> None:
        """Run `task` soon, on a thread of the dispatcher's choice. Any thread.

        Raises SessionClosed after `close`; the task then never runs.
        """

    def wait_for(self, completion: Completion) -> None:
        """Block until `completion` is set, helping with queued work where fit. Any thread."""

    def close(self) -> None:
        """Finish what is queued and refuse more. Idempotent; not for the dispatcher's threads."""


def run_task(task: Task) -> None:
    """Run `task`; should it raise in spite of its contract, log that. Any thread."""
    try:
        task()
    except Exception as error:
        log_error(f"the task {task!r} raised", error)


def log_error(what: str, error: BaseException) -> None:
    """Log an error that no caller can be told of, with its traceback. Any thread."""
    import logging  # here, for it is not cheap, and a session without such errors needs none

    logging.getLogger("lazyjit").error(what, exc_info=error)


class _Stage(threading.local):
    """One thread's queue of tasks, and whether that thread is in the loop that empties it."""

    def __init__(self) -> None:
        self.queue: deque[Task] = deque()
        self.running = False


class InPlaceDispatcher:
    """Runs each task on the thread that dispatched it, before `dispatch` returns.

    A task dispatched by a task is queued and runs after it, so a chain of a hundred thousand
    units needs no deeper stack than one; unless the outer task blocks, which runs the queue too
    (newest first: the newest is what it waits for). Classes make no difference here.
    """

    __slots__ = ("_closed", "_stage")

    def __init__(self) -> None:
        """Open."""
        self._closed = False
        self._stage = _Stage()

    def dispatch(self, task: Task, klass: TaskClass = TaskClass.DEMAND) -> None:
        """Run `task` on this thread, now or after the task that runs here. Any thread."""
        if self._closed:
            raise SessionClosed("the dispatcher was closed")
        stage = self._stage
        stage.queue.append(task)
        if stage.running:
            return
        stage.running = True
        try:
            while stage.queue:
                run_task(stage.queue.popleft())
        finally:
            stage.running = False

    def wait_for(self, completion: Completion) -> None:
        """Run this thread's queued tasks until `completion` is set; then sleep. Any thread."""
        queue = self._stage.queue
        while not completion.is_set() and queue:
            run_task(queue.pop())
        completion.wait()

    def close(self) -> None:
        """Refuse more tasks. Those that are queued run, on their threads. Any thread."""
        self._closed = True
