"""One unit's way, from a name that somebody wants to code that stubs lead to.

    choose   what is compiled with it (`unit_policy`)
    gather   other units of the module that are due anyway: a few are made in one go
    claim    those symbols that nobody else has, from the session: a function is compiled once,
             however many ask at the same moment
    make     carve the text, compile it, link the object and, when all that the unit needs is in
             memory, publish: point the stubs of its functions at it (`unit_making`)

Mostly each of these is one call for all symbols of all the units. A unit that is made half only
goes on here by itself, as any object does; what happens when LLVM or the linker refuses is told in
`refused`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from lazyjit import tracing
from lazyjit.core import JITDylib, MaterializationResponsibility, MaterializationUnit
from lazyjit.errors import CompileError, IRError, LazyJITError
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
        maker = layer.maker(table)
        units = self._units(responsibility, maker.at_once)
        # From here on it is fixed what each of them defines.
        entities = list(chain.from_iterable(map(dict.values, units.values())))
        layer.idle.consider(table, self.entity, entities)
        ready, unfinished = maker.make(units, plain=self.alone)
        for name, made in unfinished.items():
            members = units[name]
            own = responsibility if len(units) == 1 else _part(responsibility, members)
            self._finish(own, name, members, made)
        if ready:
            responsibility.notify_made(ready)
        if ready and layer.first_tier is not None:
            for name in units.keys() - unfinished.keys():
                self._promote(responsibility, units[name].values())

    def _finish(
        self,
        responsibility: MaterializationResponsibility,
        name: str,
        members: Mapping[str, int],
        made: Unfinished,
    ) -> None:
        """Link what is compiled, and publish it when it is ready; or fail."""
        layer = self.layer
        apart = partial(take_apart, self, responsibility, members, made.carved)
        if made.refusal is not None:
            layer.counters.count(failures=1)
            if not isinstance(made.refusal, (IRError, CompileError)) or not apart():
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
                file=name,
                graph=made.graph,
                known=self.table.known,
                on_missing=apart if neighbours else None,
                on_ready=partial(self._publish, responsibility, members),
            )
        if tracing.sink is not None:
            tracing.emit("unit.compiled", unit=name, symbols=list(members))

    def part(self, name: str, entity: int, symbols: Mapping[str, SymbolFlags]) -> IRUnit:
        """A unit of the same module that is made alone."""
        return IRUnit(self.layer, self.table, entity, name, symbols, alone=True)

    def _units(
        self, responsibility: MaterializationResponsibility, at_once: int
    ) -> dict[str, dict[str, int]]:
        """What to make: this unit, and others of the module that are due anyway, up to `at_once` in
        all. By name, each with its entities by symbol.
        """
        table = self.table
        if self.alone:
            alone = table.index.together(self.entity)
            table.take(alone)
            return {self.name: self._claim(responsibility, [alone])[0]}
        names = {self.entity: self.name}
        if at_once > 1:
            for unit in responsibility.gather(at_once - 1):
                assert isinstance(unit, IRUnit)
                names[unit.entity] = unit.name
        chosen = self.layer.chooser.choose(table, list(names))
        claimed = self._claim(responsibility, chosen)
        # What the policy puts elsewhere, as a whole module, is around the first.
        return {
            names.get(each[0], self.name): members
            for each, members in zip(chosen, claimed, strict=True)
        }

    def _claim(
        self, responsibility: MaterializationResponsibility, chosen: Sequence[Sequence[int]]
    ) -> list[dict[str, int]]:
        """Of the entities chosen for each unit those that nobody else makes, by symbol. Asked for
        were the first of each, at least.
        """
        own = responsibility.symbols
        entities = [entity for each in chosen for entity in each]
        if len(own) == len(entities) == len(chosen):
            # Just what was asked for, in that order.
            return [{name: entity} for name, entity in zip(own, entities, strict=True)]
        flags = self.table.index.definitions(entities)
        wanted = {name: flags[name] for name in flags if name not in own}
        lost = wanted.keys() - responsibility.claim(wanted) if wanted else ()
        names = iter(flags)
        return [
            {name: entity for entity in each if (name := next(names)) not in lost}
            for each in chosen
        ]

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


def _part(
    responsibility: MaterializationResponsibility, members: Iterable[str]
) -> MaterializationResponsibility:
    """A responsibility for one of several units; theirs, which has ended, if it was removed."""
    try:
        return responsibility.delegate(members)
    except LazyJITError:
        return responsibility
