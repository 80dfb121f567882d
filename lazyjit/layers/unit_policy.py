"""What is compiled together with a function that is called.

An emission costs 200 us before it does anything, so functions that run together are cheaper
together; but each that is never called is wasted. Which are likely to run together is guessed from
the text (`native/ir_seed.c`), and right most of the time; so a unit may be large, and what bounds
it is how long somebody waits for it. Half a megabyte of text takes 60 ms without optimization, and
a quarter 100 to 300 ms with it.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence

from lazyjit.ir import seed_many
from lazyjit.layers.module_table import ModuleTable
from lazyjit.records import Record

__all__ = ["Chooser", "UnitInfo", "UnitPolicy"]


class UnitPolicy(str, enum.Enum):
    """What is compiled together with a function that is called."""

    #: Functions that are likely to run with it: those it calls, and theirs, up to a bound.
    CLUSTER = "cluster"
    #: Nothing but what must move together (blockaddress, comdat groups).
    FUNCTION = "function"
    #: The whole module.
    MODULE = "module"


class Chooser:
    """Puts a policy into practice. Immutable; any thread."""

    def __init__(self, policy: UnitPolicy, codegen_level: int) -> None:
        """For units that are compiled at that level first."""
        self.policy = policy
        # Functions, and bytes of IR text.
        self._bounds = (1, 0)
        if policy is UnitPolicy.CLUSTER:
            self._bounds = (64, 256 << 10) if codegen_level else (128, 512 << 10)

    def choose(self, table: ModuleTable, entities: Sequence[int]) -> list[list[int]]:
        """The entities that units around these should define, each first in one. They are taken.

        What is in an earlier unit has none of its own. What is added to what was asked for is no
        more than one unit would have.
        """
        if self.policy is UnitPolicy.MODULE:
            everything = table.index.definable()
            table.take(everything)
            return [everything]
        functions, size = self._bounds
        return seed_many(
            table.index, entities, table.states, max_functions=functions, size_budget=size
        )


class UnitInfo(Record):
    """One unit, as it is about to be compiled: told to `JIT(on_unit=...)`."""

    #: Unique in the session.
    name: str
    #: The module's file name.
    module: str
    #: The dylib's name.
    dylib: str
    #: Linker names of the functions that the unit defines.
    functions: list[str]
    #: Linker names of the data that it defines.
    data: list[str]
    #: The unit's IR text.
    text: bytes
