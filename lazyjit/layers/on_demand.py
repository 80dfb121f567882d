"""The compile-on-demand layer: whole modules in, code as calls ask for it.

Adding a module indexes its text and adds one table to the dylib; LLVM sees nothing of it. From then
on work follows execution:

    a call goes through a stub that leads nowhere yet
      -> the call-through posts the stub's payload; a pool thread brings it to `first_call`
      -> the session is asked for `f$body`; its table makes an `IRUnit`, which compiles and links it
      -> when all that the unit needs is in memory, the stubs of its functions are pointed at it

The unit's own way is told in `ir_unit`, what goes into one in `unit_policy`.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Collection, Iterable
from functools import partial

from lazyjit import forking
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
from lazyjit.core.tracker import current
from lazyjit.errors import FailedToMaterialize, LazyJITError
from lazyjit.ir import Kind, ModuleAsm, ModuleIndex, What
from lazyjit.layers.grace import GracePeriods
from lazyjit.layers.idle import IdleWork
from lazyjit.layers.ir_unit import IRUnit
from lazyjit.layers.module_table import ModuleTable
from lazyjit.layers.object_linking import ObjectLinkingLayer
from lazyjit.layers.statistics import Counters
from lazyjit.layers.unit_making import UnitMaker
from lazyjit.layers.unit_policy import Chooser, UnitInfo
from lazyjit.stubs import StubPool
from lazyjit.symbols import ExecutorSymbolDef, SymbolFlags

__all__ = ["AssemblyUnit", "CompileOnDemandLayer"]


class CompileOnDemandLayer(forking.Guarded):
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
        chooser: Chooser,
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
        self.chooser = chooser
        self.inline_budget = inline_budget
        self.on_unit = on_unit
        self.idle = idle
        self._lock = threading.Lock()
        self._tables: dict[int, ModuleTable] = {}
        self._makers: dict[int, UnitMaker] = {}
        self._by_key: dict[int, list[ModuleTable]] = {}
        session.register_resource_manager(self)
        forking.join(forking.Phase.SESSION, self)

    def add(self, index: ModuleIndex, dylib: JITDylib, tracker: ResourceTracker) -> ModuleTable:
        """Make the module's symbols known in `dylib`. Raises DuplicateDefinition."""
        if index.counts.commons:
            from lazyjit.layers.module_commons import commons_of  # few modules have some

            graph = commons_of(index)
            if graph is not None:  # before the table, which has them too
                self.objects.add_graph(dylib, graph, tracker=tracker)
        table = ModuleTable(index, dylib, self.stubs, partial(IRUnit, self))
        # Before the dylib has it: from then on it may be removed, by another thread.
        with self._lock:
            self._tables[index.ordinal] = table
            self._makers[index.ordinal] = UnitMaker(self, table)
            self._by_key.setdefault(tracker.key, []).append(table)
        try:
            dylib.add_table(table, tracker)
        except BaseException:
            with self._lock:
                self._tables.pop(index.ordinal, None)
                self._makers.pop(index.ordinal, None)
                others = [each for each in self._by_key.pop(tracker.key, ()) if each is not table]
                if others:
                    self._by_key[tracker.key] = others
            raise
        assembly = ModuleAsm(index)
        if assembly.defines:
            dylib.define(AssemblyUnit(self, index.file, assembly), tracker)
        self.counters.count(modules=1, functions_known=index.counts.functions)
        return table

    def want_all(self, dylib: JITDylib) -> list[str]:
        """The symbols of the code of every function that modules define in `dylib`.

        Whoever asks for this is going to look all of them up, and units are made accordingly.
        """
        with self._lock:
            tables = [table for table in self._tables.values() if table.dylib is dylib]
        names: list[str] = []
        for table in tables:
            functions = table.functions()
            table.want(functions)
            names += table.index.definitions(functions)
        return names

    def functions(self, dylib: JITDylib) -> list[str]:
        """The names of the functions that modules define in `dylib`, local ones' too."""
        with self._lock:
            tables = [table for table in self._tables.values() if table.dylib is dylib]
        return [table.index.name(entity) for table in tables for entity in table.functions()]

    def definition(
        self, dylib: JITDylib, tracker: ResourceTracker | None, name: str, address: int
    ) -> tuple[ModuleTable, int] | None:
        """The module and entity of the function that a lookup of `name` found at `address`, where
        `tracker` removes it; None if no module's."""
        with self._lock:
            likely = list(self._by_key.get(current(tracker).key, ())) if tracker else []
        searched = {each for each, _ in dylib.link_order}
        found = _defined_in(likely, searched, name, address)
        if found is None:  # a reexport's tracker is not the module's
            with self._lock:
                tables = list(self._tables.values())
            found = _defined_in(tables, searched, name, address)
        return found

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
                table.publish([function], [result[name].address])
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
        table.held.extend(self.stubs.hold([chosen]))
        table.publish([ifunc], [chosen])

    def maker(self, table: ModuleTable) -> UnitMaker:
        """What makes the units of `table`."""
        return self._makers.get(table.index.ordinal) or UnitMaker(self, table)  # it was removed

    # ResourceManager

    def handle_remove_resources(self, dylib: JITDylib, key: int) -> None:
        """The modules of a tracker go: their stubs fail now, and are freed a grace period later."""
        with self._lock:
            tables = self._by_key.pop(key, [])
            for table in tables:
                self._tables.pop(table.index.ordinal, None)
                self._makers.pop(table.index.ordinal, None)
        for table in tables:
            table.remove()
            self.grace.retire_code(table.free)

    def handle_transfer_resources(self, dylib: JITDylib, destination: int, source: int) -> None:
        """Hand the modules of `source` to `destination`."""
        with self._lock:
            tables = self._by_key.pop(source, None)
            if tables:
                self._by_key.setdefault(destination, []).extend(tables)


def _defined_in(
    tables: Iterable[ModuleTable], dylibs: Collection[JITDylib], name: str, address: int
) -> tuple[ModuleTable, int] | None:
    for table in tables:
        if table.dylib in dylibs:
            [(entity, what, _)] = table.index.find_many([name])
            if what == What.STUB and table.stubs_of([entity]) == [address]:
                return table, entity
    return None


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
