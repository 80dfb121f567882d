"""What is compiled together with a function that is called.

An emission costs 200 us before it does anything, so functions that run together are cheaper
together; but each that is never called is wasted. Which are likely to run together is guessed from
the text (`native/ir_seed.c`); how many are taken is bounded here.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from lazyjit.ir import seed
from lazyjit.layers.module_table import ModuleTable

__all__ = ["UnitInfo", "UnitPolicy", "choose"]


class UnitPolicy(str, enum.Enum):
    """What is compiled together with a function that is called."""

    #: Functions that are likely to run with it: those it calls, and theirs, up to a bound.
    CLUSTER = "cluster"
    #: Nothing but what must move together (blockaddress, comdat groups).
    FUNCTION = "function"
    #: The whole module.
    MODULE = "module"


#: Bounds of a unit by policy: functions, and bytes of IR text.
_BOUNDS = {
    UnitPolicy.CLUSTER: (16, 64 << 10),
    UnitPolicy.FUNCTION: (1, 0),
}


def choose(policy: UnitPolicy, table: ModuleTable, entity: int) -> list[int]:
    """The entities that a unit around `entity` should define, it first. Any thread."""
    if policy is UnitPolicy.MODULE:
        everything: list[int] = table.index.definable().tolist()
        return everything
    functions, size = _BOUNDS[policy]
    return seed(table.index, entity, table.taken, max_functions=functions, size_budget=size)


@dataclass(frozen=True)
class UnitInfo:
    """One unit, as it is about to be compiled: told to `JIT(on_unit=...)`."""

    #: Unique in the session.
    name: str
    #: The module's file name and the dylib's name.
    module: str
    dylib: str
    #: Linker names of the functions and data that the unit defines.
    functions: list[str]
    data: list[str]
    #: The unit's IR text.
    text: bytes
