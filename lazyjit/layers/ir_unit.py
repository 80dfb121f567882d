"""One unit's way, from a name that somebody wants to code that stubs lead to.

    choose   what is compiled with it (`unit_policy`)
    claim    those that nobody else has, from the session: a function is compiled once, however
             many ask at the same moment
    carve    the text
    compile  it
    link     the object
    publish  when all that the unit needs is in memory: point the stubs of its functions at it

Each of these is a call or two for all of the unit's symbols. What happens when LLVM or the linker
refuses is told in `refused`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from time import perf_counter_ns
from typing import TYPE_CHECKING

from lazyjit import tracing
from lazyjit.core import JITDylib, MaterializationResponsibility, MaterializationUnit
from lazyjit.errors import CompileError, IRError
from lazyjit.ir import carve
from lazyjit.layers.module_table import ModuleTable
from lazyjit.layers.promotion import promote
from lazyjit.layers.refused import reason, take_apart
from lazyjit.layers.unit_policy import UnitInfo
from lazyjit.symbols import ExecutorSymbolDef, SymbolFlags

if TYPE_CHECKING:
    from lazyjit.codegen import CompiledObject
    from lazyjit.layers.on_demand import CompileOnDemandLayer
    from lazyjit.link.arena import Arena
    from lazyjit.link.graph import LinkGraph

__all__ = ["IRUnit"]


class IRUnit(MaterializationUnit):
    """A part of a module, around the entity that somebody asked for."""

    __slots__ = ("alone", "entity", "layer", "table")

    def __init__(
        self,
        layer: CompileOnDemandLayer,
        table: ModuleTable,
        entity: int,
        name: str,
        symbols: Mapping[str, SymbolFlags],
        *,
        alone: bool = False,
    ) -> None:
        """Around `entity`, for its symbol `name`; `symbols` has those that must be made with it.

        The rest is chosen when it is materialized. `alone`, there is no rest, and nothing is
        carried for inlining.
        """
        super().__init__(f"{table.name}:{name}", symbols)
        self.layer = layer
        self.table = table
        self.entity = entity
        self.alone = alone

    def materialize(self, responsibility: MaterializationResponsibility) -> None:
        """Choose, claim, carve, compile, link; publish follows when it is ready."""
        layer, table = self.layer, self.table
        started = perf_counter_ns()
        members = self._claim(responsibility)
        # From here on it is fixed what the unit defines.
        entities = list(members.values())
        layer.idle.consider(table, self.entity, entities)
        first_tier = layer.first_tier
        budget = 0 if self.alone or first_tier is not None else layer.inline_budget
        unit = carve(table.index, entities, inline_budget=budget, indirect=first_tier is not None)
        carved = perf_counter_ns()
        if layer.on_unit is not None:
            layer.on_unit(self._info(entities, unit.text))
        apart = partial(take_apart, self, responsibility, members, unit)
        try:
            compiled = (first_tier or layer.compiler).compile(
                (unit.address, len(unit)), self.name, table.name
            )
        except (IRError, CompileError) as error:
            layer.counters.count(failures=1)
            if not apart():
                responsibility.fail_materialization(reason(error, unit))
            return
        layer.counters.unit(
            unit.functions,
            compiled.size,
            carved - started,
            compiled.parse_ns,
            compiled.optimize_ns,
            compiled.emit_ns,
        )
        # What a neighbour lacks, perhaps one never called, must not fail the others. Without
        # neighbours there is nothing to ask beforehand.
        neighbours = not self.alone and (len(entities) > 1 or unit.carried > 0)
        with compiled:
            layer.objects.emit(
                responsibility,
                (compiled.address, compiled.size),
                file=self.name,
                known=table.known,
                at_once=partial(self._link, responsibility, members, compiled),
                on_missing=apart if neighbours else None,
                on_ready=partial(self._publish, responsibility, members),
            )
        if tracing.sink is not None:
            tracing.emit("unit.compiled", unit=self.name, symbols=list(members))

    def part(self, name: str, entity: int, symbols: Mapping[str, SymbolFlags]) -> IRUnit:
        """A unit of the same module that is made alone."""
        return IRUnit(self.layer, self.table, entity, name, symbols, alone=True)

    def _claim(self, responsibility: MaterializationResponsibility) -> dict[str, int]:
        """The symbols of this unit, with their entities: those asked for, and what the policy adds
        and nobody else has."""
        table = self.table
        if self.alone:
            chosen = table.index.together(self.entity)
            table.take(chosen)
        else:
            chosen = self.layer.chooser.choose(table, self.entity)
        own = responsibility.symbols
        if len(own) == len(chosen) == 1:
            return dict(zip(own, chosen, strict=True))
        flags = table.index.definitions(chosen)
        members = dict(zip(flags, chosen, strict=True))
        wanted = {name: flags[name] for name in members if name not in own}
        if wanted:
            for name in wanted.keys() - responsibility.claim(wanted):
                del members[name]
        return members

    def _link(
        self,
        responsibility: MaterializationResponsibility,
        members: Mapping[str, int],
        compiled: CompiledObject,
        arena: Arena,
    ) -> LinkGraph | None:
        """Link and publish what needs nothing but its own module, and tell the session."""
        layer, table = self.layer, self.table
        linked = table.link(arena, compiled.address, compiled.size, members, self.name)
        if linked.__class__ is not dict:
            return linked
        responsibility.notify_made(linked)
        if layer.first_tier is not None:
            functions = filter(table.is_function, members.values())
            promote(layer, table, functions, responsibility.tracker)
        if tracing.sink is not None:
            tracing.emit("link.object", file=self.name, symbols=list(members))
        return None

    def _publish(
        self,
        responsibility: MaterializationResponsibility,
        members: Mapping[str, int],
        ready: Mapping[str, ExecutorSymbolDef],
    ) -> None:
        """It is in memory, with all that it needs."""
        layer, table = self.layer, self.table
        # A weak definition that lost is the winner's to publish.
        names = members.keys() & ready.keys() if len(ready) != len(members) else members
        entities = [members[name] for name in names]
        table.publish(entities, [ready[name][0] for name in names])
        if layer.first_tier is not None:
            promote(layer, table, filter(table.is_function, entities), responsibility.tracker)

    def _info(self, entities: list[int], text: bytes) -> UnitInfo:
        table, index = self.table, self.table.index
        return UnitInfo(
            name=self.name,
            module=table.name,
            dylib=table.dylib.name,
            functions=[index.name(i) for i in entities if table.is_function(i)],
            data=[index.name(i) for i in entities if not table.is_function(i)],
            text=text,
        )

    def discard(self, dylib: JITDylib, name: str) -> None:
        """Nothing to do: a unit defines what its responsibility has."""
