"""What a name maps to: the entries of a dylib's table.

A symbol's state is *the kind of object its name maps to*, and one object serves all the names of a
unit. So a unit of sixteen symbols climbs each step of the ladder in one `dict.update`, and a lookup
of a ready name is one `dict.get` and one test of a class:

    (absent)             nobody has it, or a `SymbolTable` has it and nobody has asked yet
    Pending              NEVER_SEARCHED: a unit that waits to be wanted
    Work                 MATERIALIZING; RESOLVED once the name is in `defs`; EMITTED by its `stage`
    ExecutorSymbolDef    READY: the answer itself
    Effect               READY, without an address: a symbol made for its side effects only
    Failure              FAILED

Entries are the core's own; outside it only `ExecutorSymbolDef` is seen. Every attribute is read and
written with the session's lock held unless its comment says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from lazyjit.core.tasks import TaskClass
from lazyjit.errors import FailedToMaterialize
from lazyjit.symbols import ExecutorSymbolDef, SymbolFlags

if TYPE_CHECKING:
    from lazyjit.core.dylib import JITDylib
    from lazyjit.core.query import Query
    from lazyjit.core.table import TableRecord
    from lazyjit.core.tracker import ResourceTracker
    from lazyjit.core.unit import MaterializationUnit

__all__ = [
    "BLOCKED",
    "DONE",
    "DROPPED",
    "FAILED",
    "GONE",
    "MAKING",
    "Effect",
    "Entry",
    "Failure",
    "Pending",
    "Work",
    "pairs",
]

_T = TypeVar("_T")

# Stages of a Work: plain ints, for these are compared a hundred thousand times.
#: Its responsibility has symbols to resolve and emit.
MAKING: Final = 0
#: Emitted; waits for something that is not. A node of the dependence graph.
BLOCKED: Final = 1
#: Ready: its names map to their addresses, nothing maps to the Work any more.
DONE: Final = 2
#: Failed: its names map to a Failure.
FAILED: Final = 3
#: Its code was removed, or the session closed: no name maps to it.
DROPPED: Final = 4
#: Its names went to other Works.
GONE: Final = 5


class Pending:
    """NEVER_SEARCHED: a unit that nobody has wanted yet.

    A unit hears of a discarded definition without the lock, but must have heard of it before it
    materializes. `discarding` counts the calls of `discard` under way; a lookup that comes in
    between leaves its Work in `held`, and the last of those calls dispatches it.
    """

    __slots__ = ("discarding", "held", "tracker", "unit")

    def __init__(self, unit: MaterializationUnit, tracker: ResourceTracker) -> None:
        """Of `unit`, under `tracker`."""
        self.unit = unit
        self.tracker = tracker
        self.discarding = 0
        self.held: Work | None = None


class Work:
    """MATERIALIZING to EMITTED: symbols that one responsibility answers for.

    It may be a node of the dependence graph (`lazyjit.core.dependence`), before and after emission.
    """

    __slots__ = (
        "begun",
        "defs",
        "dylib",
        "ending",
        "flags",
        "init_symbol",
        "klass",
        "name",
        "node",
        "places",
        "queries",
        "record",
        "resolving",
        "source",
        "stage",
        "tracker",
    )

    def __init__(
        self,
        dylib: JITDylib,
        tracker: ResourceTracker,
        name: str,
        flags: Mapping[str, SymbolFlags],
        init_symbol: str | None = None,
        source: MaterializationUnit | Callable[[], MaterializationUnit] | None = None,
        record: TableRecord | None = None,
        klass: TaskClass = TaskClass.DEMAND,
    ) -> None:
        """Of the symbols `flags`; with a `record`, `source` is its table's callable."""
        self.dylib = dylib
        self.tracker = tracker
        self.name = name
        self.flags = flags
        self.init_symbol = init_symbol
        self.source = source
        self.record = record
        self.klass = klass
        self.stage = MAKING
        self.begun = False
        self.ending = False  # the task that ran it is letting go of its responsibility
        # Never changed in place, `flags` neither: each may be somebody else's dict.
        self.defs: Mapping[str, ExecutorSymbolDef] = _NONE
        # Flat pairs (see `pairs`): queries for the ready state, and for the resolved one, each with
        # the name that it waits for.
        self.queries: list[Query | str] | None = None
        self.resolving: list[Query | str] | None = None
        self.node = 0  # its number in the dependence graph, if it is there
        self.places: dict[str, int] | None = None  # of a node with several symbols: see `grow`

    def __call__(self) -> None:
        """The task that runs it: a work is what is handed to the dispatcher."""
        if self.stage == MAKING:  # it never is again: no lock is needed to see that it isn't
            self.dylib.session._materialize(self)

    @property
    def waits(self) -> bool:
        """Whether it is still to begin."""
        return not self.begun and self.stage == MAKING

    def grow(self, more: Mapping[str, SymbolFlags]) -> None:
        """Add symbols, behind those that it has."""
        self.flags = {**self.flags, **more}
        if self.node:
            self.number_places()

    def number_places(self) -> None:
        """Say where in its order each symbol is: what edges to it are labelled with."""
        self.places = {name: place for place, name in enumerate(self.flags)}

    def __repr__(self) -> str:
        """With the unit's name."""
        return f"<materialization of {self.name}>"


_NONE: Final[Mapping[str, ExecutorSymbolDef]] = {}


def pairs(flat: list[_T | str] | None) -> Iterator[tuple[_T, str]]:
    """The pairs of a flat list [one, name, another, name, ...]; none of None.

    There is such a list at each work; as tuples, the garbage collector would have twice as much to
    look through, and it looks often while a hundred thousand units are under way.
    """
    if flat is None:
        return iter(())
    each = iter(flat)
    return zip(each, each, strict=True)  # type: ignore[arg-type]  # by position


class Effect:
    """READY, but without an address: a symbol that is made for its side effects only."""

    __slots__ = ("flags",)

    def __init__(self, flags: SymbolFlags) -> None:
        """With the symbol's `flags`."""
        self.flags = flags


class Failure:
    """FAILED: why the symbols of a unit can't be had. Immutable: may be read without the lock."""

    __slots__ = ("cause", "dylib", "flags")

    def __init__(
        self, dylib: JITDylib, flags: Mapping[str, SymbolFlags], cause: BaseException | None
    ) -> None:
        """Of the symbols `flags` of `dylib`; `cause` is the failure at the root."""
        self.dylib = dylib
        self.flags = flags
        self.cause = cause

    def error(self, names: Iterable[str]) -> FailedToMaterialize:
        """A new exception for whoever asked for `names`; one exception is raised on one thread."""
        return FailedToMaterialize({self.dylib.name: names}, self.cause)


Entry: TypeAlias = "Pending | Work | ExecutorSymbolDef | Effect | Failure"
