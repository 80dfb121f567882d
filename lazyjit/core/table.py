"""Symbol tables: names that a dylib has without holding them.

A module of a hundred thousand functions is known to its dylib as *one* object, a `SymbolTable`
(over a native hash index, say). The dylib asks it after its own table, and only for names that
somebody looks up; so a name costs nothing until it is asked for.

A table is asked under the session's lock, hence quickly, natively, and without calling back. Its
answers never change while it is added. What it finds is one of two things: a symbol that is ready
at an address (a stub), or one that a materialization unit will make.

Between the tables of a dylib and its other definitions the usual rules hold. Two strong
definitions of a name are an error when the second is added. A strong one beats a weak one that
nobody has looked up; among weak ones the first added wins.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from lazyjit.symbols import SymbolFlags

if TYPE_CHECKING:
    from lazyjit.core.entries import Work
    from lazyjit.core.tracker import ResourceTracker
    from lazyjit.core.unit import MaterializationUnit

__all__ = ["Found", "SymbolTable", "TableRecord"]


class Found(NamedTuple):
    """A symbol of a table: ready at `address`, or else to be made by what `unit` returns.

    `unit` is called once, on the task that will materialize, without a lock. The unit that it
    returns is responsible for the name that was asked for (for all the names of that lookup whose
    `unit` is this same object), and claims more with `MaterializationResponsibility.claim`. Names
    that can only be made in one unit with this one are in `together`, and become part of the
    responsibility in the same moment; each of them gives the same set.
    """

    #: What the symbol is.
    flags: SymbolFlags
    #: Where it is, once it is ready.
    address: int | None = None
    #: Makes what will make it; called once.
    unit: Callable[[], MaterializationUnit] | None = None
    #: Names that can only be made along with it.
    together: Collection[str] = ()


class SymbolTable(Protocol):
    """Lazily known names. Immutable from `JITDylib.add_table` on."""

    @property
    def name(self) -> str:
        """Named in errors."""

    def find_many(self, names: Sequence[str]) -> Sequence[Found | None]:
        """What the table has under each of `names`, None for nothing, in the same order.

        Called with the session's lock held: takes no lock under which a session is called,
        raises nothing. May create what it finds (a stub): asking again gives the same answer.
        """

    def conflicts(self, others: Sequence[SymbolTable]) -> Sequence[str]:
        """Names of which this table and one of `others` have strong definitions.

        A dylib may have thousands of tables, and asks this of each that it is given. Called
        without a lock.
        """


class TableRecord:
    """A table as one dylib has it, with the tracker that removes it."""

    __slots__ = ("table", "tracker", "waiting")

    def __init__(self, table: SymbolTable, tracker: ResourceTracker) -> None:
        """Of `table`, under `tracker`."""
        self.table = table
        self.tracker = tracker
        #: Its works that were started and have not begun, first come first; behind the first,
        #: others may be here still.
        self.waiting: deque[Work] = deque()

    def tidy_locked(self) -> None:
        """Make sure that the first that waits really does."""
        waiting = self.waiting
        while waiting and not waiting[0].waits:
            waiting.popleft()
