"""Every invariant of a session's data, checked.

Tests call it after each step that they take; it is written for that, and walks everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazyjit.core.dependence import find
from lazyjit.core.entries import BLOCKED, MAKING, Effect, Failure, Pending, Work, pairs
from lazyjit.core.tracker import ResourceTracker, current
from lazyjit.errors import InternalError
from lazyjit.symbols import ExecutorSymbolDef

if TYPE_CHECKING:
    from lazyjit.core.dylib import JITDylib
    from lazyjit.core.query import Query
    from lazyjit.core.session import ExecutionSession

__all__ = ["verify_session"]


def verify_session(session: ExecutionSession) -> None:
    """Raise InternalError if an invariant of `session`, whose lock is held, is broken."""
    works: dict[Work, None] = {}
    for dylib in session._dylibs.values():
        _verify_trackers(dylib)
        for name, entry in dylib._symbols.items():
            _verify_entry(dylib, name, entry)
            if isinstance(entry, Work):
                works[entry] = None
    registered: dict[Query, int] = {}
    for work in works:
        _verify_work(work, registered)
    _verify_forest([work for work in works if work.stage == BLOCKED])
    for query, count in registered.items():
        # One more while it is being lodged, on another thread.
        _check(query.pending in (count, count + 1), f"a query waits for {query.pending}: {count}")


def _verify_trackers(dylib: JITDylib) -> None:
    owned: dict[str, ResourceTracker] = {}
    for tracker in dylib._trackers:
        _check(not tracker.defunct, f"{dylib.name} has a defunct tracker")
        for name in tracker._names:
            _check(name not in owned, f"{name} is under two trackers")
            _check(name in dylib._symbols, f"{name} is tracked and not defined")
            owned[name] = tracker
    for name in dylib._symbols:
        _check(name in owned, f"{name} is under no tracker")
    for record in dylib._tables:
        _check(record.tracker in dylib._trackers, f"{record.table.name} is under no tracker")
    for name, entry in dylib._symbols.items():
        if isinstance(entry, (Work, Pending)):
            _check(current(entry.tracker) is owned[name], f"{name} is under another tracker")


def _verify_entry(dylib: JITDylib, name: str, entry: object) -> None:
    kind = type(entry)
    if isinstance(entry, Pending):
        _check(name in entry.unit.symbols, f"{name} is pending, its unit does not make it")
        _check(entry.held is None, f"{name} is pending and started")
    elif isinstance(entry, Work):
        _check(entry.dylib is dylib, f"{name} is made for another dylib")
        _check(name in entry.flags, f"{name} is made by a unit that does not make it")
        _check(entry.stage in (MAKING, BLOCKED), f"{name}'s work is over")
    elif isinstance(entry, Failure):
        _check(name in entry.flags, f"{name} failed with a unit that does not make it")
    else:
        _check(kind is ExecutorSymbolDef or kind is Effect, f"{name} maps to a {kind}")


def _verify_work(work: Work, registered: dict[Query, int]) -> None:
    symbols = work.dylib._symbols
    for name in work.flags:
        _check(symbols.get(name) is work, f"{work.name} makes {name}, which is not mapped to it")
    _check(work.defs.keys() <= work.flags.keys(), f"{work.name} resolved foreign symbols")
    for query, name in pairs(work.queries):
        _check(name in work.flags, f"a query waits at {work.name} for {name}")
        if query.pending > 0:
            registered[query] = registered.get(query, 0) + 1
    for query, name in pairs(work.resolving):
        _check(name in work.flags and name not in work.defs, f"a query waits for resolved {name}")
        if query.pending > 0:
            registered[query] = registered.get(query, 0) + 1


def _verify_forest(blocked: list[Work]) -> None:
    """Each blocked work leans on something blocked or unemitted; lean paths end in the latter."""
    grounded: set[Work] = set()
    for work in blocked:
        path: dict[Work, None] = {}
        node = find(work)
        while node not in grounded and node.stage == BLOCKED:
            _check(node not in path, f"{node.name} leans on itself")
            path[node] = None
            _check(node.leans_on is not None, f"{node.name} is blocked and leans on nothing")
            assert node.leans_on is not None
            _check(
                any(find(target) is find(node.leans_on) for target in node.deps),
                f"{node.name} leans on what it does not depend on",
            )
            waiters = find(node.leans_on).waiters or []
            _check(
                any(find(waiter) is node for waiter, _ in pairs(waiters)),
                f"{node.name} leans on what does not know of it",
            )
            node = find(node.leans_on)
        _check(
            node in grounded or node.stage == MAKING,
            f"{work.name} is blocked by what is over: {node.name}",
        )
        grounded.update(path)


def _check(condition: bool, broken: str) -> None:
    if not condition:
        raise InternalError(broken)
