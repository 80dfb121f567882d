"""What becomes of a unit that LLVM or the linker refuses.

Functions are in a unit by choice, so most of a refused one is good: it is *taken apart*, and each
of its functions made alone, with nothing carried for inlining. A bad body then spoils no function
but its own. What can't be taken apart any further fails, with the line of the module that LLVM
stumbled over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lazyjit.core import MaterializationResponsibility
from lazyjit.errors import IRError
from lazyjit.ir import CarvedUnit

if TYPE_CHECKING:
    from lazyjit.layers.ir_unit import IRUnit

__all__ = ["reason", "take_apart"]


def take_apart(
    unit: IRUnit,
    responsibility: MaterializationResponsibility,
    members: Mapping[str, int],
    carved: CarvedUnit,
) -> bool:
    """Have each part of `unit` made alone. False if there is nothing to take apart."""
    index, own = unit.table.index, responsibility.symbols
    groups = {tuple(index.together(entity)): name for name, entity in members.items()}
    if unit.alone or (len(groups) == 1 and not carved.carried):
        return False
    for group, name in groups.items():
        symbols = index.definitions(group)
        mine = {each: flags for each, flags in symbols.items() if each in own}
        responsibility.replace(unit.part(name, members[name], mine))
    return True


def reason(error: Exception, carved: CarvedUnit) -> Exception:
    """`error` of a unit, with the module's line in place of the unit's."""
    if not isinstance(error, IRError):
        return error
    line = carved.original_line(error.line) if error.line else None
    return IRError(error.reason, file=error.file, line=line)
