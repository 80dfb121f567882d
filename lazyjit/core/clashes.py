"""Who gets a name: the rules for second definitions.

    there is            a strong one comes       a weak (or common) one comes
    ------------------  -----------------------  ----------------------------
    nothing             defined                  defined
    strong              DuplicateDefinition      discarded
    weak, untouched     takes its place          discarded
    weak, asked for     DuplicateDefinition      discarded

A name that a table has counts as defined, and as untouched until somebody asks for it. All of this
runs under the session's lock; units hear of their discarded definitions afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lazyjit.core.entries import MAKING, Pending, Work
from lazyjit.core.progress import Discard, Errands, absorb_locked
from lazyjit.core.search import flags_of, is_overridable, search_tables_locked
from lazyjit.core.tracker import current
from lazyjit.errors import DuplicateDefinition
from lazyjit.symbols import SymbolFlags

if TYPE_CHECKING:
    from lazyjit.core.dylib import JITDylib
    from lazyjit.core.table import SymbolTable

__all__ = [
    "admit_table_locked",
    "admit_unit_locked",
    "claim_locked",
    "discard_locked",
    "gather_locked",
]


def admit_unit_locked(dylib: JITDylib, pending: Pending, errands: Errands) -> None:
    """Make way for the symbols of `pending`'s unit, and take out of it those that lose."""
    unit = pending.unit
    for name in _override_locked(dylib, unit.symbols, unit.name, errands):
        discard_locked(pending, name, errands)


def admit_table_locked(dylib: JITDylib, table: SymbolTable, errands: Errands) -> None:
    """Make way for the strong names of `table`. Its weak ones lose without a word.

    Against the dylib's other tables it has been checked already.
    """
    known = list(dylib._symbols)
    if not known:
        return
    strong = {
        name: symbol.flags
        for name, symbol in zip(known, table.find_many(known), strict=True)
        if symbol is not None and not is_overridable(symbol.flags)
    }
    if strong:
        _override_locked(dylib, strong, table.name, errands)


def claim_locked(work: Work, wanted: Mapping[str, SymbolFlags], errands: Errands) -> set[str]:
    """Give `work` those of `wanted` that nobody else has; see MaterializationResponsibility."""
    dylib = work.dylib
    own = work.record
    symbols = dylib._symbols
    others = [record for record in dylib._tables if record is not own]
    if not others and symbols.keys().isdisjoint(wanted.keys()):
        fresh = dict(wanted)
        taken = set(fresh)
    else:
        fresh = {}
        contested = {}
        taken = set()
        not_begun: dict[Work, None] = {}
        for name, flags in wanted.items():
            entry = symbols.get(name)
            if entry is None:
                fresh[name] = flags
            elif entry is work:
                taken.add(name)
            elif entry.__class__ is Work and _may_absorb(work, entry, wanted):
                not_begun[entry] = None
            else:
                contested[name] = flags
        if own is None:
            contested.update(fresh)
        else:
            if others:
                # Strong ones of its own table can't clash: that was checked when it was added.
                weak = [name for name, flags in fresh.items() if is_overridable(flags)]
                for name, (_, record) in search_tables_locked(dylib, weak)[0].items():
                    if record is not own:
                        del fresh[name]
            if contested:
                # What its own table has is being made, or is there: another unit's.
                found = own.table.find_many(list(contested))
                contested = {
                    name: flags
                    for (name, flags), symbol in zip(contested.items(), found, strict=True)
                    if symbol is None
                }
        if contested:
            fresh.update(contested)
            for name in _override_locked(dylib, contested, work.name, errands):
                del fresh[name]
        if not_begun:
            for other in not_begun:
                taken.update(other.flags)
            absorb_locked(work, not_begun)
        taken.update(fresh)
    work.grow(fresh)
    symbols.update(dict.fromkeys(fresh, work))
    current(work.tracker)._names.update(fresh)
    return taken


def gather_locked(work: Work, limit: int) -> list[Work]:
    """Give `work` others that wait to begin; see MaterializationResponsibility. Returns these."""
    record = work.record
    others: list[Work] = []
    if record is not None:
        waiting = record.waiting
        # Other threads shall have some, too.
        for _ in range(min(limit, len(waiting) // 4)):
            record.tidy_locked()
            if not waiting or waiting[0].klass != work.klass:
                break
            others.append(waiting.popleft())
        if others:
            absorb_locked(work, others)
    return others


def discard_locked(pending: Pending, name: str, errands: Errands) -> None:
    """`pending`'s unit does not define `name` any more, and will be told so."""
    unit = pending.unit
    del unit.symbols[name]
    if unit.init_symbol == name:
        unit.init_symbol = None
    pending.discarding += 1
    errands.append(Discard(pending, name))


def _override_locked(
    dylib: JITDylib, symbols: Mapping[str, SymbolFlags], by: str, errands: Errands
) -> list[str]:
    """Unlink what gives way to `symbols`, and return the names of those that lose themselves.

    Raises DuplicateDefinition with nothing changed.
    """
    losers: list[str] = []
    overridden: list[tuple[str, Pending]] = []
    fresh: list[str] = []
    get = dylib._symbols.get
    for name, flags in symbols.items():
        entry = get(name)
        if entry is None:
            fresh.append(name)
        elif is_overridable(flags):
            losers.append(name)
        elif isinstance(entry, Pending) and is_overridable(flags_of(name, entry)):
            overridden.append((name, entry))
        else:
            raise DuplicateDefinition(name, dylib.name, by=by)
    if fresh and dylib._tables:
        for name, (symbol, _) in search_tables_locked(dylib, fresh)[0].items():
            if is_overridable(symbols[name]):
                losers.append(name)
            elif not is_overridable(symbol.flags):
                raise DuplicateDefinition(name, dylib.name, by=by)
    for name, pending in overridden:
        del dylib._symbols[name]
        current(pending.tracker)._names.discard(name)
        discard_locked(pending, name, errands)
    return losers


def _may_absorb(work: Work, other: Work, wanted: Mapping[str, SymbolFlags]) -> bool:
    """Whether `other` is of the same table, untouched, and wanted as a whole."""
    return (
        work.record is not None
        and other.record is work.record
        and not other.begun
        and other.stage == MAKING
        and other.flags.keys() <= wanted.keys()
    )
