"""Every invariant of a session's data, checked.

Tests call it after each step that they take; it is written for that, and walks everything.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable
from typing import TYPE_CHECKING

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
    _verify_graph(session, works)
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
    _check(work.stage == MAKING or work.node != 0, f"{work.name} is blocked, and no node")
    for query, name in pairs(work.queries):
        _check(name in work.flags, f"a query waits at {work.name} for {name}")
        if query.pending > 0:
            registered[query] = registered.get(query, 0) + 1
    for query, name in pairs(work.resolving):
        _check(name in work.flags and name not in work.defs, f"a query waits for resolved {name}")
        if query.pending > 0:
            registered[query] = registered.get(query, 0) + 1


def _verify_graph(session: ExecutionSession, works: Iterable[Work]) -> None:
    """The graph is sound, and its nodes are the works that say so."""
    graph = session._graph
    broken = graph.check()
    _check(broken is None, f"in the dependence graph, {broken}")
    nodes = {work.node: work for work in works if work.node}
    known = {work.node: work for work in gc.get_referents(graph) if isinstance(work, Work)}
    _check(nodes == known, "the dependence graph has other nodes than there are works for")


def _check(condition: bool, broken: str) -> None:
    if not condition:
        raise InternalError(broken)
