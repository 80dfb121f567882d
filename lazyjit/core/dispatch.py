"""The thread pool: Python threads that wait on the native queue.

The queue holds two kinds of items. A *task* is a Python callable; the queue carries its token, and
a dict here has the callable. A *stub* item is posted by a call-through, on a thread that may know
nothing of Python, when a function is called that has no code yet; it carries the number that the
stub was created with, and goes to `on_stub`. Demand goes before promotion, promotion before
speculation; within a class, first come, first served.

**Waiting.** A pool thread that waits, for a completion in `wait_for` or for a first call in the
call-through, runs queued demand meanwhile. So a pool of one thread is enough for any nesting.

**Stacks.** LLVM recurses deeply, so the threads have stacks of 64 MiB (of address space; memory is
used as it is touched), whatever the program's default is.

**Signals** go to the program's threads only (`native/signals.h`).

**Closing** refuses new tasks, finishes what is queued and joins the threads.

**Interpreter exit.** The threads are daemons: one that is stuck in a task can't hang the exit, and
they serve first calls that other exit handlers make. A pool that nobody closed is closed by an
exit handler of this module, which, being registered first, runs last. It finishes demand only,
drops the rest, and waits for the threads for a limited time.

**fork.** Before a fork the pool finishes the tasks that run and begins no more, up to a time limit;
what is queued is there on both sides, and the child starts threads of its own.
"""

from __future__ import annotations

import atexit
import itertools
import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any, Final

from lazyjit import forking
from lazyjit._native import check, ffi, lib, owned
from lazyjit.core.tasks import Completion, Task, TaskClass
from lazyjit.errors import ResourceError, SessionClosed, UsageError

__all__ = ["ThreadPoolDispatcher"]

STACK_SIZE: Final = 64 << 20

#: How long a fork waits for running tasks, and an interpreter's exit for threads, in seconds.
FORK_PATIENCE: Final = 10.0
EXIT_PATIENCE: Final = 10.0

_ITEM_TASK: Final[int] = lib.LJ_ITEM_TASK
_ITEM_STUB: Final[int] = lib.LJ_ITEM_STUB
_OK: Final = 0


def _report_as_thread(error: BaseException) -> None:
    thread = threading.current_thread()
    threading.excepthook(
        threading.ExceptHookArgs((type(error), error, error.__traceback__, thread))
    )


class _Membership(threading.local):
    """Which pool the current thread works for."""

    pool: ThreadPoolDispatcher | None = None


_membership = _Membership()


class ThreadPoolDispatcher:
    """Runs tasks and serves first calls on a pool of threads. Any method from any thread.

    `threads` is how many (default: one per processor). `on_stub(payload)` serves a first call, on a
    pool thread; it may be set later, before the first stub is made. `report(error)` is told what
    tasks and `on_stub` raise (default: `threading.excepthook`); the thread goes on with other work.
    """

    def __init__(
        self,
        threads: int | None = None,
        on_stub: Callable[[int], None] | None = None,
        *,
        report: Callable[[BaseException], None] = _report_as_thread,
    ) -> None:
        count = threads if threads is not None else os.cpu_count() or 1
        if count < 1:
            raise UsageError("a thread pool needs a thread")
        out = ffi.new("lj_queue **")
        check(lib.lj_queue_new(out))
        #: The `lj_queue *`, for stub pools.
        self.queue: Any = owned(out[0], lib.lj_queue_dispose)
        self.on_stub = on_stub
        self.report = report
        self._count = count
        self._tasks: dict[int, Task] = {}
        self._tokens = itertools.count(1)
        self._lock = threading.Lock()
        self._closed = False
        self._threads: list[threading.Thread] = []
        try:
            self._start_threads()
        except RuntimeError as reason:
            self.close()
            raise ResourceError(f"{count} threads: {reason}") from None
        forking.join(forking.Phase.POOL, self)
        _open_pools.add(self)

    # --- the Dispatcher protocol ---------------------------------------------------------------

    def dispatch(self, task: Task, klass: TaskClass = TaskClass.DEMAND) -> None:
        """Queue `task` for a pool thread. Raises SessionClosed after `close`."""
        token = next(self._tokens)
        self._tasks[token] = task
        status = lib.lj_queue_post(self.queue, klass, _ITEM_TASK, token)
        if status != _OK:
            del self._tasks[token]
            if self._closed:
                raise SessionClosed("the dispatcher was closed")
            check(status)

    def wait_for(self, completion: Completion) -> None:
        """Block until `completion` is set. A pool thread runs queued demand meanwhile."""
        if completion.is_set():
            return
        if _membership.pool is not self:
            completion.wait()
            return
        queue = self.queue
        gate = ffi.new("lj_gate *")
        completion.add_waker(lambda: lib.lj_queue_open(queue, gate))
        item = ffi.new("lj_item *")
        while not completion.is_set():
            lib.lj_queue_pop(queue, TaskClass.DEMAND, -1, gate, item)
            self._run_item(item.kind, item.payload)

    def close(self) -> None:
        """Refuse new tasks, run what is queued, and end the threads. Blocks; a second call too.

        From a task of this pool it does not wait for that task's own thread.
        """
        self._shut(TaskClass.SPECULATION, None)

    # --- what a session may ask ----------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    @property
    def threads(self) -> int:
        """How many threads the pool has."""
        return self._count

    def lengths(self) -> tuple[int, int, int]:
        """How many items are queued in each class, now."""
        out = ffi.new("uint64_t[3]")
        lib.lj_queue_lengths(self.queue, out)
        return out[0], out[1], out[2]

    def on_pool_thread(self) -> bool:
        """Whether the calling thread is one of this pool's."""
        return _membership.pool is self

    # --- threads -------------------------------------------------------------------------------

    def _start_threads(self) -> None:
        signals = ffi.new("lj_signals *")
        with _stack_size_lock:
            before = threading.stack_size(STACK_SIZE)
            lib.lj_signals_hold(signals)  # the threads take none, from their first moment
            try:
                for number in range(self._count):
                    thread = threading.Thread(
                        target=_work,
                        args=(self,),
                        name=f"lazyjit-{number}",
                        daemon=True,
                    )
                    thread.start()
                    self._threads.append(thread)
            finally:
                lib.lj_signals_release(signals)
                threading.stack_size(before)

    def _run_item(self, kind: int, payload: int) -> None:
        """Run one item. Also called by the call-through, when it waits on a pool thread."""
        try:
            if kind == _ITEM_TASK:
                self._tasks.pop(payload)()
            elif kind == _ITEM_STUB:
                serve = self.on_stub
                if serve is None:
                    raise UsageError("a stub was called, but the pool's on_stub is not set")
                serve(payload)
        except BaseException as error:  # a task of the user's may raise anything; the pool goes on
            try:
                self.report(error)
            except BaseException as second:
                _report_as_thread(second)

    def _shut(self, keep: TaskClass, patience: float | None) -> None:
        with self._lock:
            self._closed = True
        lib.lj_queue_close(self.queue, keep)
        deadline = None if patience is None else time.monotonic() + patience
        for thread in list(self._threads):
            if thread.ident != threading.get_ident():  # no Thread is made for who is none
                thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
        _open_pools.discard(self)

    # --- fork ----------------------------------------------------------------------------------

    def before_fork(self) -> None:
        """For `lazyjit.forking`: finish what runs, begin nothing."""
        _stack_size_lock.acquire()
        self._lock.acquire()
        workers = 0 if self._closed else self._count - self.on_pool_thread()
        lib.lj_queue_before_fork(self.queue, workers, int(FORK_PATIENCE * 1e9))

    def after_fork(self, in_child: bool) -> None:
        """For `lazyjit.forking`: go on; a child gets threads of its own."""
        try:
            lib.lj_queue_after_fork(self.queue, in_child)
            if in_child:
                self._threads.clear()
                if not self._closed:
                    self._start_threads()
        finally:
            self._lock.release()
            _stack_size_lock.release()


#: threading.stack_size is a setting of the whole process.
_stack_size_lock = threading.RLock()


def _work(pool: ThreadPoolDispatcher) -> None:
    """A pool thread's life."""
    queue, item = pool.queue, ffi.new("lj_item *")
    pop, run, lowest = lib.lj_queue_pop, pool._run_item, TaskClass.SPECULATION
    _membership.pool = pool
    lib.lj_signals_take_faults_only()
    lib.lj_queue_enlist(queue, id(run))
    while pop(queue, lowest, -1, ffi.NULL, item) == _OK:
        run(item.kind, item.payload)
    lib.lj_queue_enlist(ffi.NULL, 0)
    _membership.pool = None


_open_pools: weakref.WeakSet[ThreadPoolDispatcher] = weakref.WeakSet()


@atexit.register
def _close_at_exit() -> None:
    for pool in list(_open_pools):
        pool._shut(TaskClass.DEMAND, EXIT_PATIENCE)
