"""The compile-on-demand layer: whole modules in, code as calls ask for it.

Adding a module indexes its text and adds one table to the dylib; LLVM sees nothing of it. From then
on work follows execution:

    a call goes through a stub that leads nowhere yet
      -> the call-through posts the stub's payload; a pool thread brings it to `first_call`
      -> the session is asked for `f$body`; its table makes an `IRUnit`
      -> the unit chooses what goes with `f`, carves the text, compiles it, links the object
      -> when all that the unit needs is in memory, the stubs of its functions are pointed at it

What goes into one unit is a policy (see `UnitPolicy`), for an emission costs 200 us before it does
anything, and functions that run together are cheaper together. Whatever the policy takes along is
*claimed* from the session first: a function is compiled once, however many ask at the same moment.
And should LLVM refuse a unit, it is taken apart, so that a bad body spoils no function but its own.
"""

from __future__ import annotations

import ctypes
import enum
import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter_ns

from lazyjit import tracing
from lazyjit.call import NativeFunction
from lazyjit.codegen import Compiler
from lazyjit.core import (
    ExecutionSession,
    JITDylib,
    LookupFlags,
    MaterializationResponsibility,
    MaterializationUnit,
    ResourceTracker,
    SymbolState,
)
from lazyjit.errors import CompileError, FailedToMaterialize, IRError, LazyJITError
from lazyjit.ir import Kind, ModuleAsm, ModuleIndex, What, carve, seed
from lazyjit.layers.grace import GracePeriods
from lazyjit.layers.idle import IdleWork
from lazyjit.layers.module_table import ModuleTable, UnitMaker
from lazyjit.layers.object_linking import ObjectLinkingLayer
from lazyjit.layers.promotion import promote
from lazyjit.layers.statistics import Counters
from lazyjit.stubs import StubPool
from lazyjit.symbols import ExecutorSymbolDef, SymbolFlags

__all__ = ["AssemblyUnit", "CompileOnDemandLayer", "IRUnit", "UnitInfo", "UnitPolicy"]


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
    UnitPolicy.MODULE: None,
}


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


class CompileOnDemandLayer:
    """Splits modules into units that are compiled when called. Every method: any thread."""

    def __init__(
        self,
        session: ExecutionSession,
        objects: ObjectLinkingLayer,
        compiler: Compiler,
        stubs: StubPool,
        grace: GracePeriods,
        counters: Counters,
        *,
        policy: UnitPolicy = UnitPolicy.CLUSTER,
        inline_budget: int = 0,
        idle: IdleWork,
        first_tier: Compiler | None = None,
        on_unit: Callable[[UnitInfo], None] | None = None,
    ) -> None:
        """`inline_budget` is in bytes of IR text carried into a unit for inlining. With a
        `first_tier`, what is called is compiled by that first, and by `compiler` later. `idle` is
        told what could be made while nobody waits."""
        self.session = session
        self.objects = objects
        self.compiler = compiler
        self.first_tier = first_tier
        self.stubs = stubs
        self.grace = grace
        self.counters = counters
        self.policy = policy
        self.inline_budget = inline_budget
        self.on_unit = on_unit
        self.idle = idle
        self._lock = threading.Lock()
        self._tables: dict[int, ModuleTable] = {}
        self._by_key: dict[int, list[ModuleTable]] = {}
        session.register_resource_manager(self)

    def add(self, index: ModuleIndex, dylib: JITDylib, tracker: ResourceTracker) -> ModuleTable:
        """Make the module's symbols known in `dylib`. Raises DuplicateDefinition."""
        table = ModuleTable(index, dylib, self.stubs, IRUnit.of(self))
        with self._lock:
            self._tables[index.ordinal] = table
        try:
            dylib.add_table(table, tracker)
        except BaseException:
            with self._lock:
                del self._tables[index.ordinal]
            raise
        with self._lock:
            self._by_key.setdefault(tracker.key, []).append(table)
        assembly = ModuleAsm(index)
        if assembly.defines:
            dylib.define(AssemblyUnit(self, index.file, assembly), tracker)
        self.counters.count(modules=1, functions_known=index.counts.functions)
        return table

    def bodies(self, dylib: JITDylib) -> list[str]:
        """The symbols of the code of every function that modules define in `dylib`."""
        with self._lock:
            tables = [table for table in self._tables.values() if table.dylib is dylib]
        return [name for table in tables for name in table.symbols_of(table.functions())]

    def functions(self, dylib: JITDylib) -> list[str]:
        """The names of the functions that modules define in `dylib`, local ones' too."""
        with self._lock:
            tables = [table for table in self._tables.values() if table.dylib is dylib]
        return [table.index.name(entity) for table in tables for entity in table.functions()]

    def definition(
        self, dylib: JITDylib, name: str, address: int
    ) -> tuple[ModuleTable, int] | None:
        """The module and entity of the function that a lookup of `name` found at `address`; None
        if no module's."""
        with self._lock:
            tables = list(self._tables.values())
        searched = [each for each, _ in dylib.link_order]
        for table in tables:
            if table.dylib in searched:
                [(entity, what)] = table.index.find_many([name])
                if what == What.STUB and table.stubs_of([entity]) == [address]:
                    return table, entity
        return None

    def first_call(self, payload: int) -> None:
        """A stub was called that leads nowhere yet. On a pool thread; never raises."""
        with self._lock:
            table = self._tables.get(payload >> 32)
        if table is None:
            return  # removed meanwhile: its stubs fail by themselves
        function = payload & 0xFFFFFFFF
        self.counters.count(first_calls=1)
        self.demand(table, function)

    def demand(self, table: ModuleTable, function: int) -> None:
        """Have `function` compiled; its stub is resolved, or fails. Never raises."""
        index = table.index
        is_ifunc = index.kind(function) == Kind.IFUNC
        target = index.aliasee(function) if is_ifunc else function
        name = index.name(target, body=True)

        def landed(result: dict[str, ExecutorSymbolDef] | None, error: LazyJITError | None) -> None:
            if result is None:
                assert error is not None
                table.fail(function, error)
            elif not is_ifunc:
                table.publish({name: function}, result)
            else:
                self._choose(table, function, result[name].address)

        try:
            self.session.lookup_async(
                [(table.dylib, LookupFlags.ALL_SYMBOLS)], [name], SymbolState.READY, landed
            )
        except LazyJITError as error:
            table.fail(function, error)
        except Exception as error:  # or else whoever called would wait for ever
            table.fail(function, FailedToMaterialize({table.dylib.name: [name]}, error))

    def _choose(self, table: ModuleTable, ifunc: int, resolver: int) -> None:
        """Run an ifunc's resolver; its stub leads to what it returns."""
        call = NativeFunction(resolver, ctypes.c_void_p, name=table.index.name(ifunc))
        try:
            chosen = call() or 0
        except LazyJITError as error:
            table.fail(ifunc, error)
            return
        table.resolve(ifunc, chosen)

    # ResourceManager

    def handle_remove_resources(self, dylib: JITDylib, key: int) -> None:
        """The modules of a tracker go: their stubs fail now, and are freed a grace period later."""
        with self._lock:
            tables = self._by_key.pop(key, [])
            for table in tables:
                self._tables.pop(table.index.ordinal, None)
        for table in tables:
            table.remove()
            self.grace.retire(table.free)

    def handle_transfer_resources(self, dylib: JITDylib, destination: int, source: int) -> None:
        """Hand the modules of `source` to `destination`."""
        with self._lock:
            tables = self._by_key.pop(source, None)
            if tables:
                self._by_key.setdefault(destination, []).extend(tables)


class IRUnit(MaterializationUnit):
    """A part of a module, around the entity that somebody asked for."""

    def __init__(
        self,
        layer: CompileOnDemandLayer,
        table: ModuleTable,
        entity: int,
        name: str,
        *,
        alone: bool = False,
    ) -> None:
        """Around `entity`, for its symbol `name`. The rest is chosen when it is materialized;
        `alone`, there is none but what must move together, and nothing is carried for inlining.
        """
        self.layer = layer
        self.table = table
        self.entity = entity
        self.alone = alone
        members = table.index.together(entity)
        symbols = table.symbols_of(members) if len(members) > 1 else {name: entity}
        super().__init__(
            f"{table.name}:{name}",
            {symbol: table.flags_of(member) for symbol, member in symbols.items()},
        )

    @classmethod
    def of(cls, layer: CompileOnDemandLayer) -> UnitMaker:
        """A maker of units of `layer`."""
        return lambda table, entity, name: cls(layer, table, entity, name)

    def materialize(self, responsibility: MaterializationResponsibility) -> None:
        """Choose, claim, carve, compile, link."""
        layer, table = self.layer, self.table
        index = table.index
        started = perf_counter_ns()
        symbols = self._claim(responsibility)
        entities = list(symbols.values())
        layer.idle.consider(table, self.entity, entities)
        # From here on it is fixed what the unit defines.
        first_tier = layer.first_tier
        if first_tier is None:
            compiler = layer.compiler
            budget = 0 if self.alone else layer.inline_budget
            unit = carve(index, entities, inline_budget=budget)
        else:
            compiler = first_tier
            unit = carve(index, entities, indirect=True)
        carved = perf_counter_ns()
        if layer.on_unit is not None:
            layer.on_unit(_info(self, entities, unit.text))
        try:
            compiled = compiler.compile((unit.address, len(unit)), self.name, table.name)
        except (IRError, CompileError) as error:
            layer.counters.count(failures=1)
            if self._take_apart(responsibility, symbols, unit.text):
                return
            if not isinstance(error, IRError):
                responsibility.fail_materialization(error)
                return
            line = unit.original_line(error.line) if error.line else None
            responsibility.fail_materialization(IRError(error.reason, file=error.file, line=line))
            return
        except LazyJITError as error:
            layer.counters.count(failures=1)
            responsibility.fail_materialization(error)
            return
        functions = list(filter(table.is_function, entities))
        layer.counters.unit(
            functions=len(functions),
            object_bytes=compiled.size,
            carve=carved - started,
            parse=compiled.parse_ns,
            optimize=compiled.optimize_ns,
            emit=compiled.emit_ns,
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
                on_missing=(
                    (lambda: self._take_apart(responsibility, symbols, unit.text))
                    if neighbours
                    else None
                ),
                on_ready=lambda ready: table.publish(symbols, ready),
            )
        if first_tier is not None and functions:
            promote(layer, table, functions, responsibility.tracker)
        if tracing.sink is not None:
            tracing.emit("unit.compiled", unit=self.name, symbols=list(symbols))

    def _take_apart(
        self, responsibility: MaterializationResponsibility, symbols: dict[str, int], text: bytes
    ) -> bool:
        """The unit can't be made, but its parts are together by choice and most are good: have each
        made alone. False if there is nothing to take apart."""
        layer, table, own = self.layer, self.table, responsibility.symbols
        groups = {tuple(table.index.together(entity)): symbol for symbol, entity in symbols.items()}
        if self.alone or (len(groups) == 1 and b" available_externally " not in text):
            return False
        for name in groups.values():
            part = IRUnit(layer, table, symbols[name], name, alone=True)
            part.symbols = {each: flags for each, flags in part.symbols.items() if each in own}
            responsibility.replace(part)
        return True

    def _claim(self, responsibility: MaterializationResponsibility) -> dict[str, int]:
        """The symbols of this unit, with their entities: those asked for, and what the policy adds
        and nobody else has."""
        table, index = self.table, self.table.index
        bounds = _BOUNDS[self.layer.policy]
        if self.alone:
            chosen = index.together(self.entity)
        elif bounds is None:
            chosen = index.definable().tolist()
        else:
            chosen = seed(
                index, self.entity, table.taken, max_functions=bounds[0], size_budget=bounds[1]
            )
        symbols = table.symbols_of(chosen)
        own = responsibility.symbols
        wanted = {
            name: table.flags_of(entity) for name, entity in symbols.items() if name not in own
        }
        if wanted:
            lost = wanted.keys() - responsibility.claim(wanted)
            for name in lost:
                del symbols[name]
        table.taken[list(symbols.values())] = 1
        return symbols

    def discard(self, dylib: JITDylib, name: str) -> None:
        """Nothing to do: a unit defines what its responsibility has."""


class AssemblyUnit(MaterializationUnit):
    """A module's own inline assembly (`module asm`), which is in one piece."""

    def __init__(self, layer: CompileOnDemandLayer, file: str, assembly: ModuleAsm) -> None:
        """Not assembled until one of its symbols is wanted."""
        flags = SymbolFlags.EXPORTED | SymbolFlags.CALLABLE
        super().__init__(f"{file}:<module asm>", dict.fromkeys(assembly.defines, flags))
        self.layer = layer
        self.file = file
        self.assembly = assembly

    def materialize(self, responsibility: MaterializationResponsibility) -> None:
        """Assemble and link it."""
        layer = self.layer
        with layer.compiler.compile(self.assembly.unit(), self.name, self.file) as compiled:
            layer.counters.count(units=1, object_bytes=compiled.size)
            data = (compiled.address, compiled.size)
            layer.objects.emit(responsibility, data, file=self.name)


def _info(unit: IRUnit, entities: list[int], text: bytes) -> UnitInfo:
    table, index = unit.table, unit.table.index
    return UnitInfo(
        name=unit.name,
        module=table.name,
        dylib=table.dylib.name,
        functions=[index.name(i) for i in entities if table.is_function(i)],
        data=[index.name(i) for i in entities if not table.is_function(i)],
        text=text,
    )
