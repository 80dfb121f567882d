"""One unit's way, from a name that somebody wants to code that stubs lead to.

    choose   what is compiled with it (`unit_policy`)
    claim    those that nobody else has, from the session: a function is compiled once, however
             many ask at the same moment
    make     carve the text, compile it, link the object and, when all that the unit needs is in
             memory, publish: point the stubs of its functions at it (`unit_making`)

Mostly each of these is one call for all of the unit's symbols. What is made half only goes on here,
as any object does; what happens when LLVM or the linker refuses is told in `refused`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from lazyjit import tracing
from lazyjit.core import JITDylib, MaterializationResponsibility, MaterializationUnit
from lazyjit.layers.module_table import ModuleTable
from lazyjit.layers.promotion import promote
from lazyjit.layers.refused import reason, take_apart
from lazyjit.layers.unit_making import Unfinished
from lazyjit.symbols import ExecutorSymbolDef, SymbolFlags

if TYPE_CHECKING:
    from lazyjit.layers.on_demand import CompileOnDemandLayer

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
        members = self._claim(responsibility)
        # From here on it is fixed what the unit defines.
        layer.idle.consider(table, self.entity, list(members.values()))
        made = layer.maker(table).make(self.name, members, plain=self.alone)
        if isinstance(made, Unfinished):
            self._finish(responsibility, members, made)
            return
        responsibility.notify_made(made)
        if layer.first_tier is not None:
            self._promote(responsibility, members.values())

    def _finish(
        self,
        responsibility: MaterializationResponsibility,
        members: Mapping[str, int],
        made: Unfinished,
    ) -> None:
        """Link what is compiled, and publish it when it is ready; or fail."""
        layer = self.layer
        apart = partial(take_apart, self, responsibility, members, made.carved)
        if made.refusal is not None:
            layer.counters.count(failures=1)
            if not apart():
                responsibility.fail_materialization(reason(made.refusal, made.carved))
            return
        assert made.compiled is not None
        # What a neighbour lacks, perhaps one never called, must not fail the others. Without
        # neighbours there is nothing to ask beforehand.
        neighbours = not self.alone and (len(members) > 1 or made.carved.carried > 0)
        with made.compiled as compiled:
            layer.objects.emit(
                responsibility,
                (compiled.address, compiled.size),
                file=self.name,
                graph=made.graph,
                known=self.table.known,
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

    def _publish(
        self,
        responsibility: MaterializationResponsibility,
        members: Mapping[str, int],
        ready: Mapping[str, ExecutorSymbolDef],
    ) -> None:
        """It is in memory, with all that it needs."""
        # A weak definition that lost is the winner's to publish.
        names = members.keys() & ready.keys() if len(ready) != len(members) else members
        entities = [members[name] for name in names]
        self.table.publish(entities, [ready[name][0] for name in names])
        if self.layer.first_tier is not None:
            self._promote(responsibility, entities)

    def _promote(
        self, responsibility: MaterializationResponsibility, entities: Iterable[int]
    ) -> None:
        """Ready in the first tier: have it made again, well."""
        functions = filter(self.table.is_function, entities)
        promote(self.layer, self.table, functions, responsibility.tracker)

    def discard(self, dylib: JITDylib, name: str) -> None:
        """Nothing to do: a unit defines what its responsibility has."""
