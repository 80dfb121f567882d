"""A materialization responsibility: the promise to make certain symbols, and how to keep it.

The session gives one to `MaterializationUnit.materialize`. It is the only way to move symbols up
the ladder:

    notify_resolved     addresses are fixed       MATERIALIZING -> RESOLVED   any part, any order
    notify_emitted      all bytes are in memory   RESOLVED -> EMITTED         all at once, once
    fail_materialization                          -> FAILED                   all that is left

`delegate`, `replace` and `claim` change what it covers. It ends by `notify_emitted`, by failing, or
when its code is removed; each later step then raises and changes nothing. Dropping the last
reference to one that has not ended fails its symbols with MissingDefinitions, so that a unit which
forgets its promise can't hang whoever waits.

Any thread may call any method; but not while the unit itself is at two of them at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from lazyjit.core.clashes import claim_locked, gather_locked
from lazyjit.core.dependence import Dependences, wanted_locked
from lazyjit.core.entries import BLOCKED, DONE, DROPPED, FAILED, GONE, MAKING, Pending, Work, pairs
from lazyjit.core.progress import (
    Errands,
    answer_locked,
    emit_locked,
    fail_locked,
    part_of,
    split_locked,
)
from lazyjit.core.tracker import check_usable_locked, current
from lazyjit.errors import (
    LazyJITError,
    MissingDefinitions,
    ResourceTrackerDefunct,
    SessionClosed,
    UsageError,
)
from lazyjit.symbols import ExecutorSymbolDef, SymbolFlags

if TYPE_CHECKING:
    from lazyjit.core.dylib import JITDylib
    from lazyjit.core.errands import ErrandRunner
    from lazyjit.core.query import Query
    from lazyjit.core.tracker import ResourceTracker
    from lazyjit.core.unit import MaterializationUnit

__all__ = ["MaterializationResponsibility"]

_T = TypeVar("_T")


class MaterializationResponsibility:
    """Answers for symbols that are being made. The session makes them; so does `delegate`."""

    __slots__ = ("__weakref__", "_session", "_work")

    def __init__(self, session: ErrandRunner, work: Work) -> None:
        """The session's: for `work`."""
        self._session = session
        self._work = work

    @property
    def dylib(self) -> JITDylib:
        """Where the symbols are."""
        return self._work.dylib

    @property
    def name(self) -> str:
        """The unit's name, for messages."""
        return self._work.name

    @property
    def tracker(self) -> ResourceTracker:
        """What the symbols are tracked by now."""
        return current(self._work.tracker)

    @property
    def symbols(self) -> dict[str, SymbolFlags]:
        """The symbols that it answers for (a copy)."""
        return dict(self._work.flags)  # replaced, never changed: needs no lock

    @property
    def init_symbol(self) -> str | None:
        """The one of its symbols that stands for its initializers, or None."""
        return self._work.init_symbol

    @property
    def requested_symbols(self) -> set[str]:
        """Those of its symbols that somebody waits for now; more may be wanted at any time."""
        with self._session._lock:
            work = self._work
            names = {name for query, name in pairs(work.queries) if query.pending > 0}
            names.update(name for query, name in pairs(work.resolving) if query.pending > 0)
            names.update(wanted_locked(work))
            return names

    def notify_resolved(self, symbols: Mapping[str, ExecutorSymbolDef]) -> None:
        """The addresses of some symbols are fixed: code may be linked against them.

        Whether a symbol is exported stays as declared; the other flags are taken from `symbols`.
        Raises UsageError for symbols that are not its own or are resolved already, and, as every
        step, ResourceTrackerDefunct if the code was removed and SessionClosed.
        """
        session = self._session
        errands: Errands = []
        with session._lock:
            work = self._making_locked()
            resolved = _resolved_locked(work, symbols)
            work.defs = {**work.defs, **resolved} if work.defs else resolved
            if work.resolving is not None:
                done: list[Query | str] = []
                left: list[Query | str] = []
                for query, name in pairs(work.resolving):
                    (done if name in resolved else left).extend((query, name))
                work.resolving = left or None
                answer_locked(done, resolved, errands)
        if errands:
            session._carry_out(errands)

    def notify_emitted(
        self, dependence_groups: Sequence[tuple[Collection[str], Dependences]] = ()
    ) -> None:
        """Every symbol's bytes are in memory; each group's symbols depend on the names it gives.

        A group is (its names, {dylib: names that they depend on}); a symbol of no group depends on
        nothing. Dependences are on symbols that have been looked up; ready ones are ignored.

        Raises MissingDefinitions if symbols were not resolved and UsageError for groups that
        overlap or name foreign symbols (nothing has changed then), and what a dependence failed
        with, or SymbolRemoved (its symbols have failed then).
        """
        session = self._session
        errands: Errands = []
        with session._lock:
            work = self._making_locked()
            if len(work.defs) != len(work.flags):
                _check_complete_locked(work, work.defs)
            error = emit_locked(work, dependence_groups, errands)
        if errands:
            session._carry_out(errands)
        if error is not None:
            raise error

    def notify_made(self, symbols: Mapping[str, ExecutorSymbolDef]) -> None:
        """All that is left of its symbols is in memory, and none of them depends on anything.

        As `notify_resolved(symbols)` and `notify_emitted()`, in one step. Raises as these do, with
        nothing changed.
        """
        session = self._session
        errands: Errands = []
        with session._lock:
            work = self._making_locked()
            resolved = _resolved_locked(work, symbols)
            if len(resolved) != len(work.flags):
                _check_complete_locked(work, {**work.defs, **resolved})
            work.defs = {**work.defs, **resolved} if work.defs else resolved
            if work.resolving is not None:
                answer_locked(work.resolving, resolved, errands)
                work.resolving = None
            emit_locked(work, (), errands)
        if errands:
            session._carry_out(errands)

    def fail_materialization(self, error: BaseException | None = None) -> None:
        """Its symbols, and what depends on them, can't be had because of `error`.

        Never raises: failing what has ended already, or was removed, does nothing.
        """
        session = self._session
        errands: Errands = []
        with session._lock:
            if self._work.stage == MAKING:
                fail_locked([self._work], error, errands)
        session._carry_out(errands)

    def delegate(self, names: Iterable[str]) -> MaterializationResponsibility:
        """A new responsibility for some of its symbols, which it doesn't answer for any more.

        Whoever waits for them goes along. Raises UsageError for symbols that are not its own.
        """
        session = self._session
        with session._lock:
            part = self._give_away_locked(set(names))
        return MaterializationResponsibility(session, part)

    def delegate_each(self) -> dict[str, MaterializationResponsibility]:
        """A responsibility for each of its symbols alone, by name; it answers for none then.

        As `delegate` for one after the other, in one step.
        """
        session = self._session
        with session._lock:
            work = self._making_locked()
            parts = {name: part_of(work) for name in work.flags}
            split_locked(work, [(part, [name]) for name, part in parts.items()])
        return {name: MaterializationResponsibility(session, p) for name, p in parts.items()}

    def replace(self, unit: MaterializationUnit) -> None:
        """Put `unit` in its place, for those of its symbols that `unit` makes.

        They are NEVER_SEARCHED again, unless somebody waits: then `unit` starts at once. Raises
        UsageError for symbols that are not its own or are resolved.
        """
        session = self._session
        errands: Errands = []
        with session._lock:
            work = self._making_locked()
            names = set(unit.symbols)
            if not names.isdisjoint(work.defs):
                raise UsageError(f"{work.name} replaces symbols that it has resolved")
            part = self._give_away_locked(names)
            part.name = unit.name
            # In the order that they had: labels of dependences count on it.
            part.flags = {name: unit.symbols[name] for name in part.flags}
            part.init_symbol = unit.init_symbol
            if part.queries or part.resolving or part.node:
                part.source, part.begun, part.record = unit, False, None
                errands.append(part)
            else:
                part.stage = GONE
                pending = Pending(unit, current(part.tracker))
                work.dylib._symbols.update(dict.fromkeys(names, pending))
        session._carry_out(errands)

    def claim(self, symbols: Mapping[str, SymbolFlags]) -> set[str]:
        """Answer for more symbols: those of `symbols` that nobody else has. Returns these.

        Names of its own table that nobody has asked for, or whose making hasn't begun, are free;
        so are names that the dylib doesn't have; a strong one takes the place of a weak one that
        nobody has asked for. Weak ones that exist stay with whoever has them. Raises
        DuplicateDefinition, with nothing claimed, if a strong one exists elsewhere.
        """
        session = self._session
        errands: Errands = []
        with session._lock:
            work = self._making_locked()
            taken = claim_locked(work, symbols, errands)
        if errands:
            session._carry_out(errands)
        return taken

    def gather(self, limit: int) -> list[MaterializationUnit]:
        """Answer also for symbols of its own table that somebody waits for as urgently, and that
        nobody has begun to make: those of up to `limit` units. Returns these units.

        They are not started any more: whoever asks makes what they would have made. Of those that
        wait it takes a quarter at most. Raises what the table does when it makes a unit.
        """
        session = self._session
        with session._lock:
            others = gather_locked(self._making_locked(), limit)
        units: list[MaterializationUnit] = []
        for other in others:
            source: Any = other.source
            other.source = None
            units.append(source())
        return units

    def with_resource_key(self, use: Callable[[int], _T]) -> _T:
        """`use(key)` with the tracker's key, while nothing can remove or transfer its resources.

        The session's lock is held meanwhile: `use` files a resource under the key, and neither
        calls the session nor waits. Raises ResourceTrackerDefunct or SessionClosed without calling
        it, and what it raises.
        """
        session = self._session
        with session._lock:
            session._check_open_locked()
            tracker = current(self._work.tracker)
            check_usable_locked(tracker)
            return use(tracker.key)

    def __del__(self) -> None:
        """Fail what was promised and forgotten."""
        if self._work.stage == MAKING:
            self._session._abandon(self._work)

    def _making_locked(self) -> Work:
        """Its work. Raises if it has ended."""
        work = self._work
        if work.stage == MAKING:
            return work
        raise _ended(self._session, work)

    def _give_away_locked(self, names: set[str]) -> Work:
        """Split `names` off into a work of their own."""
        work = self._making_locked()
        if not names <= work.flags.keys():
            foreign = sorted(names - work.flags.keys())
            raise UsageError(f"{', '.join(foreign)}: not symbols of {work.name}")
        part = part_of(work)
        rest = part_of(work)
        split_locked(
            work, [(part, names), (rest, [name for name in work.flags if name not in names])]
        )
        self._work = rest
        if not rest.flags:
            rest.stage = GONE
        if not names:
            part.stage = GONE
        return part


def _resolved_locked(
    work: Work, symbols: Mapping[str, ExecutorSymbolDef]
) -> Mapping[str, ExecutorSymbolDef]:
    """`symbols`, each exported or not as declared. Raises UsageError."""
    declared = work.flags
    if work.defs and not work.defs.keys().isdisjoint(symbols.keys()):
        twice = sorted(work.defs.keys() & symbols.keys())
        raise UsageError(f"{work.name} resolved twice: {', '.join(twice)}")
    resolved = {}
    try:
        for name, symbol in symbols.items():
            if symbol[1] != declared[name] or symbol.__class__ is not ExecutorSymbolDef:
                symbol = _as_declared(symbol, declared[name])
            resolved[name] = symbol
    except KeyError:
        raise UsageError(f"{work.name} resolved {name}, which is not its symbol") from None
    init = work.init_symbol
    if init in resolved and declared[init] & SymbolFlags.SIDE_EFFECTS_ONLY:
        raise UsageError(f"{work.name} resolved {init}, which has no address")
    return resolved


def _check_complete_locked(work: Work, defs: Mapping[str, ExecutorSymbolDef]) -> None:
    """Raise MissingDefinitions if `defs` lack a symbol of `work` that has an address."""
    missing = [
        name
        for name, flags in work.flags.items()
        if name not in defs and not flags & SymbolFlags.SIDE_EFFECTS_ONLY
    ]
    if missing:
        raise MissingDefinitions(work.name, missing)


def _as_declared(symbol: tuple[int, SymbolFlags], declared: SymbolFlags) -> ExecutorSymbolDef:
    """`symbol`, exported or not as `declared`."""
    exported = int(SymbolFlags.EXPORTED)
    flags = (int(symbol[1]) & ~exported) | (int(declared) & exported)
    return ExecutorSymbolDef(symbol[0], SymbolFlags(flags))


def _ended(session: ErrandRunner, work: Work) -> LazyJITError:
    """Why `work` takes no further step."""
    if session._closed:
        return SessionClosed("the session was closed")
    if work.stage == DROPPED:
        return ResourceTrackerDefunct(f"the code of {work.name} was removed")
    if work.stage == FAILED:
        return UsageError(f"{work.name} has failed already")
    if work.stage == GONE:
        return UsageError(f"{work.name} has given all its symbols away")
    assert work.stage in (BLOCKED, DONE)
    return UsageError(f"{work.name} was notified as emitted already")
