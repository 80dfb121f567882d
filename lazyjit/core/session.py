"""An execution session: dylibs, lookups between them, and the one lock that guards all of it.

The lock. One plain lock guards every table, work, tracker and query of a session. It is held for
short, bounded steps, named `..._locked`; no foreign code runs under it (but for the few callables
whose documentation says so). Each operation has the same form:

    take the lock, change tables, list the errands that follow; release it; carry them out

The second half of that, calling foreign code, is `lazyjit.core.errands`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from lazyjit import forking
from lazyjit.core.dependence import new_graph
from lazyjit.core.dylib import JITDylib
from lazyjit.core.entries import Work
from lazyjit.core.errands import ErrandRunner
from lazyjit.core.forking import lose_what_was_under_way_locked
from lazyjit.core.progress import Errands, drop_locked
from lazyjit.core.query import OnComplete, Query, RegisterDependences
from lazyjit.core.search import SearchOrder, flags_of, is_exported, search_locked
from lazyjit.core.states import LookupFlags, LookupKind, SymbolState
from lazyjit.core.tasks import Dispatcher, InPlaceDispatcher, TaskClass
from lazyjit.core.tracker import ResourceManager, ResourceTracker
from lazyjit.core.verify import verify_session
from lazyjit.errors import (
    DuplicateDylib,
    DylibNotFound,
    SessionClosed,
)
from lazyjit.symbols import ExecutorSymbolDef, SymbolFlags

__all__ = ["ExecutionSession"]

#: So many names are worth a query: another search would cost more.
_MANY: Final = 16

#: A dylib stands for its link order.
Where: TypeAlias = "JITDylib | Sequence[tuple[JITDylib, LookupFlags]]"


class ExecutionSession(ErrandRunner):
    """A program in the making. Every method may be called from any thread."""

    def __init__(self, dispatcher: Dispatcher | None = None) -> None:
        """Run tasks on `dispatcher`, which the session closes; in place if None."""
        super().__init__(dispatcher if dispatcher is not None else InPlaceDispatcher())
        self._dylibs: dict[str, JITDylib] = {}
        self._managers: tuple[ResourceManager, ...] = ()
        self._graph = new_graph()
        #: Aliases that wait for what they stand for; `lazyjit.core.aliases` finds circles there.
        self._alias_steps: dict[tuple[JITDylib, str], tuple[JITDylib, str]] = {}
        forking.join(forking.Phase.SESSION, self)

    def __enter__(self) -> ExecutionSession:
        """Itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close it."""
        self.close()

    # --- Dylibs and managers.

    def create_dylib(self, name: str) -> JITDylib:
        """A new, empty dylib. Raises DuplicateDylib."""
        with self._lock:
            self._check_open_locked()
            if name in self._dylibs:
                raise DuplicateDylib(name)
            dylib = self._dylibs[name] = JITDylib(self, name)
            return dylib

    def dylib(self, name: str) -> JITDylib:
        """The dylib of that name. Raises DylibNotFound."""
        with self._lock:
            dylib = self._dylibs.get(name)
        if dylib is None:
            raise DylibNotFound(name)
        return dylib

    @property
    def dylibs(self) -> list[JITDylib]:
        """All dylibs, oldest first; a copy."""
        with self._lock:
            return list(self._dylibs.values())

    def remove_dylib(self, dylib: JITDylib) -> None:
        """Take `dylib` out of the session and of every link order, and remove what it defines."""
        with self._lock:
            if self._dylibs.get(dylib.name) is not dylib:
                raise DylibNotFound(dylib.name)
            del self._dylibs[dylib.name]
            dylib._removed = True
            for other in self._dylibs.values():
                if any(known is dylib for known, _ in other._link_order):
                    other._link_order = tuple(e for e in other._link_order if e[0] is not dylib)
        dylib.clear()

    def register_resource_manager(self, manager: ResourceManager) -> None:
        """Have `manager` told when code is removed or transferred; the last registered is first."""
        with self._lock:
            self._check_open_locked()
            self._managers = (*self._managers, manager)

    def deregister_resource_manager(self, manager: ResourceManager) -> None:
        """Tell `manager` no more. Does nothing if it is not registered."""
        with self._lock:
            self._managers = tuple(known for known in self._managers if known is not manager)

    # --- Lookups.

    def lookup(
        self,
        search_order: Where,
        names: Iterable[str],
        state: SymbolState = SymbolState.READY,
        *,
        weak: Collection[str] = (),
        kind: LookupKind = LookupKind.STATIC,
    ) -> dict[str, ExecutorSymbolDef]:
        """The symbols of these names, once all are in `state` (RESOLVED or READY). Blocks.

        Each name is taken from the first dylib of the order that shows it. Those in `weak`, which
        may or may not be in `names` too, are left out when nothing has them. Raises
        SymbolsNotFound with all names that nothing has, FailedToMaterialize, SymbolRemoved,
        SessionClosed, and what a generator raised.
        """
        order = search_order_of(search_order)
        wanted = _name_list(names, weak)
        with self._lock:
            self._check_open_locked()
            # The common case: all are ready. Anything else, an exception too, is the query's.
            if len(wanted) < _MANY:
                with contextlib.suppress(Exception):
                    ready, others, missing, meeting = search_locked(order, wanted, (), keep=True)
                    if not others and not missing and meeting is None:
                        return ready
        query = Query(self, order, wanted, weak, state, kind=kind)
        self._wait(query)
        return query.result

    def find_ready(
        self, search_order: Where, names: Sequence[str], *, generate: bool = False
    ) -> list[int]:
        """The addresses of `names` as far as they are ready now; 0 for the others.

        Starts nothing and waits for nothing. With `generate`, generators are asked for what nothing
        has, unless they are busy: what they define may be ready.
        """
        order = search_order_of(search_order)
        wanted = dict.fromkeys(names)
        with self._lock:
            found = search_locked(order, wanted, (), keep=True)
        if generate and found.meeting is not None:
            # Should it be parked, it goes on when nobody listens any more, and does no harm.
            query = Query(self, order, wanted, (), flags_only=True)
            query.advance()
            with self._lock:
                found = search_locked(order, wanted, query.ran, keep=True)
        ready = found.ready
        return [ready[name][0] if name in ready else 0 for name in names]

    def lookup_async(
        self,
        search_order: Where,
        names: Iterable[str],
        state: SymbolState,
        on_complete: OnComplete,
        *,
        weak: Collection[str] = (),
        register_dependences: RegisterDependences | None = None,
        kind: LookupKind = LookupKind.STATIC,
        klass: TaskClass = TaskClass.DEMAND,
    ) -> None:
        """As `lookup`, but answers `on_complete(symbols, None)` or `on_complete(None, error)`.

        Before the answer, `register_dependences` is told which of the symbols, by dylib, were not
        ready when they were found (it is not called when all were): what is linked against them
        depends on them. Units that this starts are dispatched with `klass`. The callbacks run
        without the lock on this or any other thread; what they raise goes to `report_error`.
        """
        order = search_order_of(search_order)
        wanted = _name_list(names, weak)
        Query(
            self,
            order,
            wanted,
            weak,
            state,
            on_complete,
            register_dependences,
            kind=kind,
            klass=klass,
        ).advance()

    def lookup_flags(
        self,
        search_order: Where,
        names: Iterable[str],
        *,
        kind: LookupKind = LookupKind.STATIC,
    ) -> dict[str, SymbolFlags]:
        """The flags of those of `names` that are defined, without making anything.

        Runs generators, whose errors it raises; raises SessionClosed.
        """
        order = search_order_of(search_order)
        query = Query(self, order, _name_list(names, ()), (), kind=kind, flags_only=True)
        self._wait(query)
        return query.found_flags

    # --- Forks, and the end.

    def before_fork(self) -> None:
        """For `lazyjit.forking`: take the lock."""
        self._lock.acquire()

    def after_fork(self, in_child: bool) -> None:
        """For `lazyjit.forking`: release the lock; in a child, fail what is lost."""
        try:
            if in_child:
                lose_what_was_under_way_locked(self)
                self._under_way.lose_others_locked()
        finally:
            self._lock.release()

    def tracker_of(self, where: Where, name: str) -> ResourceTracker | None:
        """What removes the symbol that a lookup of `name` has found; None if nothing has it now.

        Any thread; linear in the number of trackers.
        """
        with self._lock:
            for dylib, look in search_order_of(where):
                entry = dylib._symbols.get(name)
                if entry is not None and (look or is_exported(flags_of(name, entry))):
                    return next((t for t in dylib._trackers if name in t._names), None)
        return None

    def close(self) -> None:
        """End the session: remove everything, finish what runs, free all resources. Again: nothing.

        Lookups that wait fail with SessionClosed, and so does every later use. Materializers that
        are at work are told at their next step, and are waited for, as the dispatcher's `close`
        does; so this is not for a task to call. Errors of resource managers are reported.
        """
        errands: Errands = []
        with self._lock:
            if self._closed:
                return
            self._closed = True
            works: dict[Work, None] = {}
            trackers: list[ResourceTracker] = []
            for dylib in self._dylibs.values():
                for entry in dylib._symbols.values():
                    if isinstance(entry, Work):
                        works[entry] = None
                for record in dylib._generators:
                    for query in record.queue:
                        query.fail_locked(SessionClosed("the session was closed"), errands)
                trackers += dylib._trackers
            drop_locked(works, lambda names: SessionClosed("the session was closed"), errands)
            for dylib in self._dylibs.values():
                dylib._symbols = {}
                dylib._tables = ()
                dylib._generators = ()
                dylib._trackers = {}
            for tracker in trackers:
                tracker._names = set()
                tracker._removed = True
            self._alias_steps = {}
        self._carry_out(errands)
        self._dispatcher.close()
        self._under_way.finish()
        # Nothing of ours runs any more: memory can go.
        try:
            self._free_resources(reversed(trackers))
        except Exception as error:
            self._report(error)

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    @contextlib.contextmanager
    def kept_open(self) -> Iterator[None]:
        """For steps outside of the session that need its memory: `close` waits for their end.

        Raises SessionClosed.
        """
        with self._lock:
            self._check_open_locked()
            self._under_way.begin_locked()
        try:
            yield
        finally:
            self._under_way.end()

    def verify_session(self) -> None:
        """Check every invariant of the session's data. Raises InternalError. For tests; slow."""
        with self._lock:
            verify_session(self)

    def _free_resources(self, trackers: Iterable[ResourceTracker]) -> None:
        """Have every manager free what it holds for these trackers; raises the first error."""
        first: Exception | None = None
        for tracker in trackers:
            for manager in reversed(self._managers):
                try:
                    manager.handle_remove_resources(tracker.dylib, tracker.key)
                except Exception as error:
                    if first is not None:
                        self._report(error)
                    first = first or error
        if first is not None:
            raise first


def search_order_of(where: Where) -> SearchOrder:
    """A search order: a dylib's link order, or the one given."""
    if isinstance(where, JITDylib):
        return where._link_order
    return where


def _name_list(names: Iterable[str], weak: Collection[str]) -> Collection[str]:
    """All names to search for, which can be gone through more than once."""
    if isinstance(names, str) or isinstance(weak, str):
        raise TypeError("names are a sequence of str, not one str")
    wanted = names if isinstance(names, (list, tuple, set, frozenset, dict)) else list(names)
    if weak:
        return list(dict.fromkeys([*wanted, *weak]))
    return wanted
