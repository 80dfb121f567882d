"""The search: one pass over a search order, under the lock.

This is the hottest code of the program model. Linking a unit looks up fifty names of which nearly
all are ready; each costs one `dict.get`, a test of the entry's class and a test of a flag. Only
what is not ready leaves that path. Flags are enum members, whose `&` is a Python call of half a
microsecond; `int.__and__` on them is a tenth of that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from lazyjit.core.entries import Effect, Entry, Failure, Pending, Work
from lazyjit.core.states import LookupFlags
from lazyjit.core.table import Found, TableRecord
from lazyjit.symbols import ExecutorSymbolDef, SymbolFlags

if TYPE_CHECKING:
    from lazyjit.core.dylib import JITDylib
    from lazyjit.core.generators import GeneratorRecord

__all__ = [
    "Hit",
    "Meeting",
    "SearchOrder",
    "SearchResult",
    "flags_of",
    "is_exported",
    "search_locked",
]

SearchOrder: TypeAlias = Sequence[tuple["JITDylib", LookupFlags]]
#: What a table found, not yet an entry; the rest of an entry's possible kinds.
TableHit: TypeAlias = tuple[Found, TableRecord]
Hit: TypeAlias = "tuple[str, JITDylib, Entry | TableHit]"

_and = int.__and__
_new = tuple.__new__
_EXPORTED = int(SymbolFlags.EXPORTED)
_OVERRIDABLE = int(SymbolFlags.WEAK | SymbolFlags.COMMON)


class Meeting(NamedTuple):
    """The search came to a generator that may define what is missing so far."""

    record: GeneratorRecord
    dylib: JITDylib
    flags: LookupFlags
    names: list[str]


class SearchResult(NamedTuple):
    """What one pass found."""

    #: Ready symbols.
    ready: dict[str, ExecutorSymbolDef]
    #: Symbols in any other state.
    others: list[Hit]
    #: Names that nothing in the order has.
    missing: list[str]
    #: Where the pass stopped, if it did; the above is incomplete then.
    meeting: Meeting | None


def search_locked(
    order: SearchOrder, names: Iterable[str], ran: Collection[GeneratorRecord], *, keep: bool
) -> SearchResult:
    """Find each of `names` in the first dylib that has it and shows it.

    `ran` are the generators that this lookup need not meet again. Symbols that a table has at an
    address become entries if `keep`.
    """
    ready: dict[str, ExecutorSymbolDef] = {}
    others: list[Hit] = []
    rest = names
    missing: list[str] = []
    for dylib, look in order:
        get = dylib._symbols.get
        missing = []
        hidden: list[str] = []
        for name in rest:
            entry = get(name)
            if entry.__class__ is ExecutorSymbolDef:
                if look or _and(entry[1], _EXPORTED):
                    ready[name] = entry
                else:
                    hidden.append(name)
            elif entry is None:
                missing.append(name)
            elif look or is_exported(flags_of(name, entry)):
                others.append((name, dylib, entry))
            else:
                hidden.append(name)
        if missing and dylib._tables:
            found, missing = search_tables_locked(dylib, missing)
            for name, hit in found.items():
                flags, address, _, _ = hit[0]
                if not look and not _and(flags, _EXPORTED):
                    hidden.append(name)
                elif address is None or not keep:
                    others.append((name, dylib, hit))
                else:
                    # NamedTuple's own constructor takes twice as long.
                    entry = _new(ExecutorSymbolDef, (address, flags))
                    dylib._symbols[name] = ready[name] = entry
                    hit[1].tracker._names.add(name)
        if missing and dylib._generators:
            for generator in dylib._generators:
                if generator not in ran:
                    return SearchResult(
                        ready, others, missing, Meeting(generator, dylib, look, missing)
                    )
        if hidden:
            # A hidden symbol hides nothing: the name may be had further on.
            missing += hidden
        if not missing:
            break
        rest = missing
    return SearchResult(ready, others, missing, None)


def search_tables_locked(
    dylib: JITDylib, names: Collection[str]
) -> tuple[dict[str, TableHit], list[str]]:
    """What the dylib's tables have under `names`, which are not entries; and what they don't have.

    Names that no table has are remembered until one is added: a unit's references to the C library
    would ask every module of a program each time.
    """
    absent = dylib._absent
    ask = [name for name in names if name not in absent]
    missing = [name for name in names if name in absent]
    found: dict[str, TableHit] = {}
    # The newest first: what was just added is what is asked for, where modules come one by one.
    for record in reversed(dylib._tables):
        if not ask:
            break
        further: list[str] = []
        for name, symbol in zip(ask, record.table.find_many(ask), strict=True):
            if symbol is None:
                further.append(name)
            elif _and(symbol[0], _OVERRIDABLE):
                # The oldest weak one, unless a table has a strong one.
                found[name] = (symbol, record)
                further.append(name)
            else:
                found[name] = (symbol, record)
        ask = further
    if ask:  # but for the weak ones, which may be found
        gone = [name for name in ask if name not in found]
        absent.update(gone)
        missing += gone
    return found, missing


def is_exported(flags: SymbolFlags) -> bool:
    """Whether other dylibs see a symbol of these flags."""
    return _and(flags, _EXPORTED) != 0


def is_overridable(flags: SymbolFlags) -> bool:
    """Whether another definition may take the place of one of these flags."""
    return _and(flags, _OVERRIDABLE) != 0


def flags_of(name: str, entry: Entry | TableHit) -> SymbolFlags:
    """The flags of the symbol `name` that maps to `entry`."""
    if isinstance(entry, (Work, Failure)):
        return entry.flags[name]
    if isinstance(entry, Pending):
        return entry.unit.symbols[name]
    if isinstance(entry, (ExecutorSymbolDef, Effect)):
        return entry.flags
    return entry[0].flags
