"""What the tests of the core make symbols with, and run tasks on.

`Made` makes its symbols at once; `Kept` keeps its responsibility, for the test to go on with.
`SeededDispatcher` runs tasks when told to, in an order that a seed chooses. `Stage` runs real
threads one at a time, and switches between them, as a seed says, wherever one of them takes the
session's lock: a race that it finds, it finds again. `Threads` is a plain pool, for hammering.
"""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence

from lazyjit.core import (
    Completion,
    ExecutionSession,
    Found,
    JITDylib,
    MaterializationResponsibility,
    MaterializationUnit,
    SymbolState,
    TaskClass,
)
from lazyjit.core.tasks import Task, run_task
from lazyjit.errors import LazyJITError, SessionClosed
from lazyjit.symbols import ExecutorSymbolDef, SymbolFlags

EXPORTED = SymbolFlags.EXPORTED
HIDDEN = SymbolFlags.NONE
WEAK = SymbolFlags.EXPORTED | SymbolFlags.WEAK


def at(address: int, flags: SymbolFlags = EXPORTED) -> ExecutorSymbolDef:
    return ExecutorSymbolDef(address, flags)


def address_of(name: str) -> int:
    """A different, predictable address for each name."""
    return 0x1000 + int.from_bytes(name.encode()[-6:], "big")


def resolved(names: Mapping[str, SymbolFlags]) -> dict[str, ExecutorSymbolDef]:
    """What a unit reports for its symbols, without those that have no address."""
    return {
        name: ExecutorSymbolDef(address_of(name), flags)
        for name, flags in names.items()
        if not flags & SymbolFlags.SIDE_EFFECTS_ONLY
    }


class Made(MaterializationUnit):
    """Makes its symbols at once, all depending on `needs`, which it looks up first."""

    def __init__(
        self,
        *names: str,
        needs: Iterable[str] = (),
        flags: SymbolFlags = EXPORTED,
        init_symbol: str | None = None,
    ) -> None:
        super().__init__("+".join(names), dict.fromkeys(names, flags), init_symbol)
        self.needs = list(needs)
        self.runs = 0
        self.discarded: list[str] = []

    def materialize(self, responsibility: MaterializationResponsibility) -> None:
        self.runs += 1
        finish(responsibility, self.needs)

    def discard(self, dylib: JITDylib, name: str) -> None:
        self.discarded.append(name)


def finish(responsibility: MaterializationResponsibility, needs: Iterable[str] = ()) -> None:
    """Resolve, look up what is needed as a linker does, and report emission when it is there."""
    symbols = responsibility.symbols
    responsibility.notify_resolved(resolved(symbols))
    needs = list(needs)
    if not needs:
        responsibility.notify_emitted()
        return
    dependences: dict[JITDylib, set[str]] = {}

    def answer(found: object, error: LazyJITError | None) -> None:
        try:
            if error is not None:
                responsibility.fail_materialization(error)
            else:
                responsibility.notify_emitted([(list(symbols), dependences)])
        except LazyJITError as problem:
            responsibility.fail_materialization(problem)

    dylib = responsibility.dylib
    dylib.session.lookup_async(
        dylib,
        needs,
        SymbolState.RESOLVED,
        answer,
        register_dependences=dependences.update,
    )


class Kept(Made):
    """Keeps its responsibility."""

    responsibility: MaterializationResponsibility

    def materialize(self, responsibility: MaterializationResponsibility) -> None:
        self.runs += 1
        self.responsibility = responsibility

    def resolve(self) -> None:
        self.responsibility.notify_resolved(resolved(self.responsibility.symbols))

    def emit(self, *needs: str, dylib: JITDylib | None = None) -> None:
        names = list(self.responsibility.symbols)
        where = dylib or self.responsibility.dylib
        self.responsibility.notify_emitted([(names, {where: needs})] if needs else ())


class Raising(Made):
    """Raises."""

    def __init__(self, *names: str, error: Exception | None = None) -> None:
        super().__init__(*names)
        self.error = error or ValueError("no such luck")

    def materialize(self, responsibility: MaterializationResponsibility) -> None:
        raise self.error


class Answer:
    """An `on_complete` that keeps what it is told, and insists on being told once."""

    def __init__(self) -> None:
        self.symbols: dict[str, ExecutorSymbolDef] | None = None
        self.error: LazyJITError | None = None
        self.told = 0

    def __call__(
        self, symbols: dict[str, ExecutorSymbolDef] | None, error: LazyJITError | None
    ) -> None:
        self.told += 1
        assert self.told == 1, "answered twice"
        self.symbols, self.error = symbols, error


class Table:
    """A symbol table of `Found`s, which counts what it is asked."""

    def __init__(self, found: Mapping[str, Found], name: str = "table") -> None:
        self.name = name
        self.found = dict(found)
        self.asked: list[str] = []

    def find_many(self, names: Sequence[str]) -> list[Found | None]:
        self.asked += names
        return [self.found.get(name) for name in names]

    def conflicts(self, others: Sequence[object]) -> list[str]:
        def strong(table: object) -> set[str]:
            assert isinstance(table, Table)
            return {name for name, found in table.found.items() if not found.flags.overridable()}

        return [name for other in others for name in strong(self) & strong(other)]


class SeededDispatcher:
    """Runs queued tasks in the order that a seed chooses: when asked, or when a lookup waits."""

    def __init__(self, seed: int = 0) -> None:
        self.random = random.Random(seed)
        self.queue: list[tuple[Task, TaskClass]] = []
        self.closed = False

    def dispatch(self, task: Task, klass: TaskClass = TaskClass.DEMAND) -> None:
        if self.closed:
            raise SessionClosed("the dispatcher was closed")
        self.queue.append((task, klass))

    def step(self) -> bool:
        """Run some queued task. Returns whether there was one."""
        if not self.queue:
            return False
        task, _ = self.queue.pop(self.random.randrange(len(self.queue)))
        task()
        return True

    def run(self) -> None:
        """Run until nothing is queued."""
        while self.step():
            pass

    def wait_for(self, completion: Completion) -> None:
        while not completion.is_set():
            assert self.step(), "a lookup waits, and nothing is left that could answer it"

    def close(self) -> None:
        self.closed = True
        self.run()


class _Actor:
    def __init__(self, job: Callable[[], None]) -> None:
        self.job = job
        self.gate = threading.Semaphore(0)
        self.until: Callable[[], bool] | None = None
        self.failure: BaseException | None = None


class Stuck(AssertionError):
    """Every thread of a Stage waits."""


class Stage:
    """Real threads that run one at a time, switched where they take the lock, as a seed chooses."""

    def __init__(self, seed: int, workers: int = 2) -> None:
        self.random = random.Random(seed)
        self.workers = workers
        self.tasks: deque[Task] = deque()
        self.closed = False
        self.actors: list[_Actor] = []
        self.current: _Actor | None = None
        self.stuck = False
        self.over = threading.Event()
        self.session = ExecutionSession(self)
        lock = self.session._lock = _SteppedLock(self)  # type: ignore[assignment]  # a lying lock
        self.session._under_way._ended = _SteppedCondition(lock)  # type: ignore[assignment]

    def run(self, *jobs: Callable[[], None]) -> None:
        """Run `jobs`, and workers for their tasks, until all jobs are done and no task is left."""
        busy = list(jobs)

        def worker() -> None:
            while busy or self.tasks:
                self.pause(until=lambda: bool(self.tasks) or not busy)
                if self.tasks:
                    run_task(self.tasks.popleft())

        def played(job: Callable[[], None]) -> Callable[[], None]:
            def play() -> None:
                try:
                    job()
                finally:
                    busy.remove(job)

            return play

        actors = [_Actor(played(job)) for job in jobs]
        actors += [_Actor(worker) for _ in range(self.workers)]
        self.actors = list(actors)
        threads = [threading.Thread(target=self._play, args=(actor,)) for actor in actors]
        for thread in threads:
            thread.start()
        self._next()
        for thread in threads:
            thread.join()
        self.current = None
        for actor in actors:
            if actor.failure is not None:
                raise actor.failure

    def pause(self, until: Callable[[], bool] | None = None) -> None:
        """Let another thread run, or this one; with `until`, others until it holds."""
        me = self.current
        if me is None:
            return  # not on stage: set-up and checks
        me.until = until
        self._next()
        me.gate.acquire()
        me.until = None
        if self.stuck:
            raise Stuck

    def _next(self) -> None:
        able = [a for a in self.actors if a.until is None or a.until()]
        if not able:
            if not self.actors:
                return
            self.stuck = True
            able = self.actors
        self.current = self.random.choice(able)
        self.current.gate.release()

    def _play(self, actor: _Actor) -> None:
        actor.gate.acquire()
        try:
            if not self.stuck:
                actor.job()
        except BaseException as error:
            actor.failure = error
        finally:
            self.actors.remove(actor)
            self._next()

    # --- As a dispatcher.

    def dispatch(self, task: Task, klass: TaskClass = TaskClass.DEMAND) -> None:
        if self.closed:
            raise SessionClosed("the dispatcher was closed")
        self.tasks.append(task)

    def wait_for(self, completion: Completion) -> None:
        self.pause(until=completion.is_set)
        while not completion.is_set():  # not on stage
            run_task(self.tasks.popleft())

    def close(self) -> None:
        self.closed = True
        self.pause(until=lambda: not self.tasks)


class _SteppedLock:
    """A lock that lets somebody else go first, and is never contended for it."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.held = False

    def __enter__(self) -> None:
        self.stage.pause()
        assert not self.held, "the lock is taken twice, or foreign code runs under it"
        self.held = True

    def __exit__(self, *exc: object) -> None:
        self.held = False

    def acquire(self) -> None:
        """For a fork in another test, while this one's session lingers."""

    def release(self) -> None:
        """As above."""


class Threads:
    """A pool of plain threads. One that waits helps."""

    def __init__(self, count: int) -> None:
        self.queue: deque[Task] = deque()
        self.change = threading.Condition()
        self.closed = False
        self.threads = [threading.Thread(target=self._loop, daemon=True) for _ in range(count)]
        for thread in self.threads:
            thread.start()

    def _loop(self) -> None:
        while self._work(lambda: False):
            pass

    def _work(self, enough: Callable[[], bool]) -> bool:
        with self.change:
            self.change.wait_for(lambda: self.queue or self.closed or enough())
            if enough() or not self.queue:
                return False
            task = self.queue.popleft()
        run_task(task)
        return True

    def dispatch(self, task: Task, klass: TaskClass = TaskClass.DEMAND) -> None:
        with self.change:
            if self.closed:
                raise SessionClosed("the dispatcher was closed")
            self.queue.append(task)
            self.change.notify()

    def wait_for(self, completion: Completion) -> None:
        if threading.current_thread() not in self.threads:
            completion.wait()
            return

        def wake() -> None:
            with self.change:
                self.change.notify_all()

        completion.add_waker(wake)
        while self._work(completion.is_set):
            pass
        completion.wait()

    def close(self) -> None:
        with self.change:
            self.closed = True
            self.change.notify_all()
        for thread in self.threads:
            thread.join()


class _SteppedCondition:
    """A condition on such a lock, whose waiting is a switch like any other."""

    def __init__(self, lock: _SteppedLock) -> None:
        self.lock = lock

    def __enter__(self) -> None:
        self.lock.__enter__()

    def __exit__(self, *exc: object) -> None:
        self.lock.__exit__()

    def wait_for(self, predicate: Callable[[], bool]) -> None:
        self.lock.held = False
        self.lock.stage.pause(until=lambda: predicate() and not self.lock.held)
        assert predicate() and not self.lock.held
        self.lock.held = True

    def notify_all(self) -> None:
        """Whoever waits looks for himself."""
