"""The states of a symbol, and the flags of a lookup, each with its contract.

A definition climbs one ladder and never steps down:

    NEVER_SEARCHED -> MATERIALIZING -> RESOLVED -> EMITTED -> READY
                            \\____________\\__________\\___-> FAILED

`RESOLVED` exists for the sake of circles. Two units that refer to each other can each be linked as
soon as both have addresses; neither could ever be linked if each waited for the other's bytes.
`READY` exists for the sake of whoever calls the code: what it reaches is all in memory.
"""

from __future__ import annotations

import enum

__all__ = ["LookupFlags", "LookupKind", "SymbolState"]


class SymbolState(enum.IntEnum):
    """How far a symbol's definition has come. A lookup names the state that it waits for."""

    #: Defined, and nobody has asked for it: its unit is untouched, a weak one may be overridden.
    NEVER_SEARCHED = 0
    #: Asked for: its unit is with the dispatcher or at work, and the definition is settled.
    MATERIALIZING = 1
    #: Its address is fixed and may be linked against. There may be no bytes there yet.
    RESOLVED = 2
    #: Its own bytes are in memory, relocated. Something that it depends on may not be.
    EMITTED = 3
    #: It and all that it depends on, transitively and through circles, are emitted: may be called.
    READY = 4
    #: Making it, or something that it depends on, failed. It stays so until its code is removed.
    FAILED = 5


class LookupFlags(enum.IntEnum):
    """Which symbols of a dylib a lookup sees; one for each dylib of a search order."""

    #: Only the exported ones: how one dylib looks into another.
    EXPORTED_ONLY = 0
    #: Hidden ones too: how a dylib looks into itself.
    ALL_SYMBOLS = 1


class LookupKind(enum.IntEnum):
    """Why a lookup happens; generators are told, and may answer differently."""

    #: To link code against the symbols.
    STATIC = 0
    #: A program asks for a name at run time, as by `dlsym`.
    DLSYM = 1
