"""The words of a link graph: what memory allows and how long it is needed, who sees a symbol.

The members' values are the native records' (`native/link_graph.h`).
"""

from __future__ import annotations

import enum

__all__ = ["Lifetime", "Linkage", "MemProt", "Scope"]


class MemProt(enum.Flag):
    """What a program may do with its memory. Never both WRITE and EXEC."""

    #: Nothing.
    NONE = 0
    #: Read it.
    READ = 1
    #: Write to it.
    WRITE = 2
    #: Run it.
    EXEC = 4


class Lifetime(enum.Enum):
    """How long a section's memory is needed."""

    #: Until it is deallocated.
    STANDARD = 0
    #: Until the finalize actions have run.
    FINALIZE = 1
    #: It gets no memory in the program, only in the graph: debug sections, notes.
    NO_ALLOC = 2


class Linkage(enum.Enum):
    """What happens when another object defines the name, too."""

    #: An error. An external symbol of strong linkage must be defined somewhere.
    STRONG = 0
    #: One of them is taken. An external symbol of weak linkage may be missing, and is 0 then.
    WEAK = 1


class Scope(enum.Enum):
    """Who sees a symbol's name."""

    #: This graph alone.
    LOCAL = 0
    #: The dylib that the graph is linked into.
    HIDDEN = 1
    #: Every dylib.
    DEFAULT = 2
    #: Every dylib, but it has no address there: it is looked up for the effect of linking it.
    SIDE_EFFECTS_ONLY = 3
