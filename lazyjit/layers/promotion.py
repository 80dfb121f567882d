"""Promotion: code that was made quickly is made well, while it runs.

In a tiered session a first call gets code from LLVM's fastest path, a tenth of the time that full
optimization takes. Its unit is then compiled again, with all that the session's options ask for,
on threads that no demand keeps busy; when the better code is ready, the stubs of its functions are
pointed there. Calls that are under way finish where they are; later ones run the better code. That
is why calls between functions of a first-tier unit go through their stubs: a direct call would stay
in the first tier for good.

Promoted code has no names in the session. It is made by a unit with one symbol that stands for the
effect alone, so that nobody runs it before all that it needs is ready, and its memory goes with the
module's. What it refers to, data above all, is what the first tier defined; so a function that can
only be made together with variables of its own stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from lazyjit.core import (
    JITDylib,
    MaterializationResponsibility,
    MaterializationUnit,
    ResourceTracker,
)
from lazyjit.errors import CompileError, IRError, LazyJITError
from lazyjit.ir import Kind, carve
from lazyjit.ir.entities import EntityFlag
from lazyjit.layers.module_table import ModuleTable
from lazyjit.symbols import ExecutorSymbolDef, SymbolFlags

if TYPE_CHECKING:
    from lazyjit.layers.on_demand import CompileOnDemandLayer

__all__ = ["PromotedUnit", "promote"]


def promote(
    layer: CompileOnDemandLayer,
    table: ModuleTable,
    functions: Iterable[int],
    tracker: ResourceTracker,
) -> None:
    """Queue the functions of a first-tier unit that is ready. Any thread; never raises."""
    fit = [function for function in functions if _stands_alone(table, function)]
    if not fit:
        return
    unit = PromotedUnit(layer, table, fit)
    try:
        table.dylib.define(unit, tracker)
    except LazyJITError:
        return  # removed or closed meanwhile
    layer.idle.promote(table.dylib, unit.name)


def _stands_alone(table: ModuleTable, function: int) -> bool:
    index = table.index
    return not any(
        index.kind(member) is Kind.VARIABLE and not index.has(member, EntityFlag.CONSTANT)
        for member in index.together(function)
    )


class PromotedUnit(MaterializationUnit):
    """Some functions of a module, compiled with the session's full options."""

    def __init__(
        self,
        layer: CompileOnDemandLayer,
        table: ModuleTable,
        functions: list[int],
        *,
        inline: bool = True,
    ) -> None:
        """Of `functions`, which the first tier has; `inline`: with bodies of others to inline."""
        name = f"{table.name}:{table.index.name(functions[0])}$promoted"
        super().__init__(name, {name: SymbolFlags.SIDE_EFFECTS_ONLY}, name)
        self.layer = layer
        self.table = table
        self.functions = functions
        self.inline = inline

    def materialize(self, responsibility: MaterializationResponsibility) -> None:
        """Carve, compile, link; and swap the stubs once it is ready."""
        layer, table = self.layer, self.table
        budget = layer.inline_budget if self.inline else 0
        unit = carve(table.index, self.functions, inline_budget=budget)
        may_lack = self.inline and unit.carried > 0

        def again() -> bool:
            # What was ready before lacks nothing; but what it carries, perhaps never called, may.
            if may_lack:
                plain = PromotedUnit(layer, table, self.functions, inline=False)
                responsibility.replace(plain)
            return may_lack

        try:
            compiled = layer.compiler.compile((unit.address, len(unit)), self.name, table.name)
        except (IRError, CompileError):
            if again():
                return
            raise
        layer.counters.spend(
            parse=compiled.parse_ns, optimize=compiled.optimize_ns, emit=compiled.emit_ns
        )
        with compiled:
            layer.objects.emit(
                responsibility,
                (compiled.address, compiled.size),
                file=self.name,
                known=table.known,
                nameless=True,
                on_missing=again if may_lack else None,
                on_ready=self._swap,
            )

    def _swap(self, ready: Mapping[str, ExecutorSymbolDef]) -> None:
        """The stubs lead to the better code from now on."""
        names = self.table.index.definitions(self.functions)
        self.table.publish(self.functions, [ready[name][0] for name in names])
        self.layer.counters.count(functions_promoted=len(self.functions))

    def discard(self, dylib: JITDylib, name: str) -> None:
        """Nobody else defines its symbol."""
