"""What a dylib has at this moment, in words: for tools that show a session to a person.

A snapshot; by the time it is read, threads at work may have gone on. Names that only a table or a
generator knows, and nobody has asked for, are not in it.
"""

from __future__ import annotations

from typing import NamedTuple

from lazyjit.core.dylib import JITDylib
from lazyjit.core.entries import MAKING, Effect, Entry, Failure, Pending
from lazyjit.core.states import SymbolState
from lazyjit.symbols import ExecutorSymbolDef

__all__ = ["SymbolListing", "list_symbols", "state_of"]


class SymbolListing(NamedTuple):
    """A symbol of a dylib: how far it has come, where it is (0: not known), what makes it."""

    name: str
    state: SymbolState
    address: int
    maker: str


def list_symbols(dylib: JITDylib) -> list[SymbolListing]:
    """Every symbol of `dylib`, by name. Any thread."""
    with dylib.session._lock:
        entries = list(dylib._symbols.items())
        return sorted(_listing_locked(name, entry) for name, entry in entries)


def state_of(dylib: JITDylib, name: str) -> SymbolState:
    """How far the symbol `name` of `dylib` has come; NEVER_SEARCHED if nobody has asked for it, or
    nothing has it. Any thread.
    """
    with dylib.session._lock:
        entry = dylib._symbols.get(name)
        if entry is None:
            return SymbolState.NEVER_SEARCHED
        return _listing_locked(name, entry).state


def _listing_locked(name: str, entry: Entry) -> SymbolListing:
    if isinstance(entry, Pending):
        return SymbolListing(name, SymbolState.NEVER_SEARCHED, 0, entry.unit.name)
    if isinstance(entry, ExecutorSymbolDef):
        return SymbolListing(name, SymbolState.READY, entry.address, "")
    if isinstance(entry, Effect):
        return SymbolListing(name, SymbolState.READY, 0, "")
    if isinstance(entry, Failure):
        return SymbolListing(name, SymbolState.FAILED, 0, "")
    resolved = entry.defs.get(name)
    if resolved is None:
        return SymbolListing(name, SymbolState.MATERIALIZING, 0, entry.name)
    state = SymbolState.RESOLVED if entry.stage == MAKING else SymbolState.EMITTED
    return SymbolListing(name, state, resolved.address, entry.name)
