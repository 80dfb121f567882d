"""The steps of the ladder: how works start, are emitted, become ready, fail, split and disappear.

Everything here runs under the session's lock and calls nothing outside. What must happen outside,
each step appends to a list of errands: queries to answer, works to start. Whoever took the lock
passes that list to `ErrandRunner._carry_out` after letting go of it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from lazyjit.core.dependence import (
    Dependences,
    absorb_dependants_locked,
    doomed_locked,
    needs_locked,
    split_dependants_locked,
    wait_locked,
)
from lazyjit.core.entries import (
    DROPPED,
    FAILED,
    GONE,
    Effect,
    Entry,
    Failure,
    Pending,
    Work,
    pairs,
)
from lazyjit.core.search import search_tables_locked
from lazyjit.core.tasks import TaskClass
from lazyjit.errors import FailedToMaterialize, LazyJITError, SymbolRemoved, UsageError
from lazyjit.symbols import ExecutorSymbolDef, SymbolFlags

if TYPE_CHECKING:
    from lazyjit.core.dylib import JITDylib
    from lazyjit.core.query import Query
    from lazyjit.core.table import Found, TableRecord

__all__ = [
    "Discard",
    "Errand",
    "Errands",
    "Resume",
    "absorb_locked",
    "answer_locked",
    "drop_locked",
    "emit_locked",
    "fail_locked",
    "part_of",
    "publish_locked",
    "split_locked",
    "start_found_locked",
    "start_locked",
]


class Discard(NamedTuple):
    """An errand: tell a unit that its definition of a name lost."""

    pending: Pending
    name: str


class Resume(NamedTuple):
    """An errand: go on with a query whose turn at a generator has come."""

    query: Query


#: What to do once the lock is released: answer a query, start a work, or one of the above.
Errand: TypeAlias = "Query | Work | Discard | Resume"
Errands: TypeAlias = "list[Errand]"


def start_locked(pending: Pending, klass: TaskClass, errands: Errands) -> Work:
    """A unit is wanted for the first time: all its symbols are MATERIALIZING from now on."""
    unit = pending.unit
    dylib = pending.tracker.dylib
    work = Work(
        dylib, pending.tracker, unit.name, unit.symbols, unit.init_symbol, unit, None, klass
    )
    dylib._symbols.update(dict.fromkeys(work.flags, work))
    if pending.discarding:
        pending.held = work
    else:
        errands.append(work)
    return work


def start_found_locked(
    name: str,
    dylib: JITDylib,
    hit: tuple[Found, TableRecord],
    started: dict[tuple[TableRecord, int], Work],
    klass: TaskClass,
    errands: Errands,
) -> Work:
    """A symbol that only a table knew is wanted. Names of one `unit` in one lookup share a work."""
    now = dylib._symbols.get(name)
    if isinstance(now, Work):
        return now  # it was started together with another name of this lookup
    (flags, _, unit, together), record = hit
    key = (record, id(unit))
    work = started.get(key)
    if work is None:
        assert unit is not None
        label = f"{name} of {record.table.name}"
        work = Work(dylib, record.tracker, label, {name: flags}, None, unit, record, klass)
        started[key] = work
        record.waiting.append(work)
        errands.append(work)
    else:
        work.grow({name: flags})
    dylib._symbols[name] = work
    record.tracker._names.add(name)
    if together:
        _start_together_locked(work, dylib, record, together)
    return work


def _start_together_locked(
    work: Work, dylib: JITDylib, record: TableRecord, together: Collection[str]
) -> None:
    """Names that can only be made in one unit are started as one, so that no two units begin it.

    Those that another definition has are not this work's to make.
    """
    fresh = [name for name in together if name not in dylib._symbols]
    for name, (symbol, holder) in search_tables_locked(dylib, fresh)[0].items():
        if holder is record:
            work.grow({name: symbol.flags})
            dylib._symbols[name] = work
            record.tracker._names.add(name)


def emit_locked(
    work: Work,
    groups: Sequence[tuple[Collection[str], Dependences]],
    errands: Errands,
) -> LazyJITError | None:
    """All of `work`'s symbols are emitted, those of each group with its dependences.

    Symbols of no group depend on nothing. Raises UsageError, with nothing changed, for groups that
    overlap or name foreign symbols. Returns why the symbols failed, if a dependence can't be had.
    """
    if not groups:
        for ready in wait_locked(work, []):
            publish_locked(ready, errands)
        return None
    parts: Sequence[tuple[Work, Dependences]]
    if len(groups) == 1 and work.flags.keys() == set(groups[0][0]):
        parts = ((work, groups[0][1]),)
    else:
        parts = _split_into_groups_locked(work, groups)
    bad: list[tuple[JITDylib, str, Entry | None]] = []
    emitted = [(part, needs_locked(part, dependences, bad)) for part, dependences in parts]
    if bad:
        error = _cannot_depend(work, bad)
        fail_locked([part for part, _ in parts], error, errands)
        return error
    for part, needs in emitted:
        for ready in wait_locked(part, needs):
            publish_locked(ready, errands)
    return None


def publish_locked(work: Work, errands: Errands) -> None:
    """`work`'s stage is DONE: from here on its names are ready, for whoever asks."""
    defs = work.defs
    symbols = work.dylib._symbols
    symbols.update(defs)
    if len(defs) != len(work.flags):
        for name, flags in work.flags.items():
            if name not in defs:
                symbols[name] = Effect(flags)
    if work.queries is not None:
        answer_locked(work.queries, defs, errands)
        work.queries = None


def answer_locked(
    waiting: list[Query | str],
    defs: Mapping[str, ExecutorSymbolDef],
    errands: Errands,
) -> None:
    """Give queries the definitions that they wait for. An effect counts, and answers nothing."""
    flat: Iterator[Any] = iter(waiting)
    for query in flat:  # as `pairs` gives them, in half the time
        name = next(flat)
        if query.pending > 0:
            symbol = defs.get(name)
            if symbol is not None:
                query.result[name] = symbol
            query.pending -= 1
            if not query.pending:
                errands.append(query)


def fail_locked(works: Iterable[Work], cause: BaseException | None, errands: Errands) -> None:
    """`works` failed, and with them all that depends on them; queries are told now and later."""
    if isinstance(cause, FailedToMaterialize) and cause.__cause__ is not None:
        cause = cause.__cause__  # errors name the root, not the way to it
    roots = set(works)
    root_cause = cause
    for work in doomed_locked(roots):
        if cause is None and work not in roots:
            some = next(iter(roots))
            root_cause = FailedToMaterialize({some.dylib.name: some.flags}, None)
        failure = Failure(work.dylib, work.flags, cause if work in roots else root_cause)
        work.dylib._symbols.update(dict.fromkeys(work.flags, failure))
        work.stage = FAILED
        _forget_locked(work, failure.error, errands)


def drop_locked(
    works: Iterable[Work],
    error: Callable[[Sequence[str]], LazyJITError],
    errands: Errands,
) -> None:
    """`works` are removed; what depends on them fails. The caller unmaps their names.

    `error` makes the exception for a query that waits for the given names.
    """
    dropped = set(works)
    for work in doomed_locked(dropped):
        if work in dropped:
            work.stage = DROPPED
            _forget_locked(work, error, errands)
        else:
            some = next(iter(dropped))
            cause = error(list(some.flags))
            failure = Failure(work.dylib, work.flags, cause)
            work.dylib._symbols.update(dict.fromkeys(work.flags, failure))
            work.stage = FAILED
            _forget_locked(work, failure.error, errands)


def split_locked(work: Work, parts: Iterable[tuple[Work, Collection[str]]]) -> None:
    """Give all of `work`'s names to the parts, with whoever waits for them. It is GONE then."""
    owner: dict[str, Work] = {}
    for part, names in parts:
        owner.update(dict.fromkeys(names, part))
        part.flags = {name: work.flags[name] for name in names}
        part.defs = {name: work.defs[name] for name in names if name in work.defs}
        if work.init_symbol in part.flags:
            part.init_symbol = work.init_symbol
    work.dylib._symbols.update(owner)
    for query, name in pairs(work.queries):
        part = owner[name]
        if part.queries is None:
            part.queries = []
        part.queries += (query, name)
    for query, name in pairs(work.resolving):
        part = owner[name]
        if part.resolving is None:
            part.resolving = []
        part.resolving += (query, name)
    split_dependants_locked(work, owner)
    work.stage = GONE
    work.queries = work.resolving = None


def absorb_locked(taker: Work, others: Iterable[Work]) -> None:
    """`taker` takes over all of `others`, which have not begun, with whoever waits for them."""
    more: dict[str, SymbolFlags] = {}
    for other in others:
        more.update(other.flags)
    taker.grow(more)
    taker.dylib._symbols.update(dict.fromkeys(more, taker))
    for other in others:
        if other.queries is not None:
            taker.queries = (taker.queries or []) + other.queries
        if other.resolving is not None:
            taker.resolving = (taker.resolving or []) + other.resolving
        if other.node:
            absorb_dependants_locked(taker, other)
        other.queries = other.resolving = None
        other.stage = GONE


def part_of(work: Work) -> Work:
    """A new work without symbols, in all else like `work`: to split it, or delegate from it."""
    part = Work(work.dylib, work.tracker, work.name, {}, None, None, work.record, work.klass)
    part.begun = True
    return part


def _forget_locked(
    work: Work, error: Callable[[Sequence[str]], LazyJITError], errands: Errands
) -> None:
    """Fail the queries that wait for `work`, each with the names that it waits for."""
    names: dict[Query, list[str]] = {}
    for query, name in pairs((work.queries or []) + (work.resolving or [])):
        if query.pending > 0:
            names.setdefault(query, []).append(name)
    for query, waited in names.items():
        query.pending = -1
        query.error = error(waited)
        errands.append(query)
    work.queries = work.resolving = None


def _split_into_groups_locked(
    work: Work, groups: Sequence[tuple[Collection[str], Dependences]]
) -> list[tuple[Work, Dependences]]:
    """A part for each group, and one for the names of none, each with what it depends on.

    Raises UsageError, with nothing changed, where groups overlap or name foreign symbols.
    """
    rest = set(work.flags)
    for names, _ in groups:
        for name in names:
            if name not in rest:
                why = "is in two dependence groups" if name in work.flags else "is not its symbol"
                raise UsageError(f"{work.name} emitted {name}, which {why}")
            rest.discard(name)
    groups = [(names, dependences) for names, dependences in [*groups, (rest, {})] if names]
    parts = [part_of(work) for _ in groups]
    split_locked(work, [(part, names) for part, (names, _) in zip(parts, groups, strict=True)])
    return [(part, needs) for part, (_, needs) in zip(parts, groups, strict=True)]


def _cannot_depend(work: Work, bad: Sequence[tuple[JITDylib, str, Entry | None]]) -> LazyJITError:
    """Why `work`'s symbols fail with dependences that can't be had; failed ones come first."""
    failed: dict[str, list[str]] = {}
    cause: BaseException | None = None
    for dylib, name, entry in bad:
        if isinstance(entry, Failure):
            failed.setdefault(dylib.name, []).append(name)
            cause = cause or entry.cause
    if failed:
        return FailedToMaterialize(failed, cause)
    dylib, name, entry = bad[0]
    if entry is None:
        return SymbolRemoved(name)
    return UsageError(
        f"{work.name} depends on {name} of {dylib.name}, which nobody has looked up"
        " (or which was removed and defined anew since)"
    )
