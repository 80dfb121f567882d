"""Making a unit: from the entities that it defines to code, or as far towards that as it goes.

There are two ways. As long as nobody looks on, all stations are one native call (`UnitMaker`): the
text is carved, compiled, linked into the session's arena and published. Who looks on are plugins, a
client's `on_unit`, a trace listener; also a compiler or a memory manager of another kind. Then each
station is a call of its own (`step_by_step`), and the link is the object layer's.

One call makes several units if there are: LLVM leaves cold caches behind, and what is around the
call then costs more than what a small unit costs in it. At -O0, that is; above, LLVM takes its
time, and nobody should wait for it longer than he must.

Most units are done after the first. One that LLVM or the linker refuses, or that needs what isn't
ready, stops on the way; what there is of it, `Unfinished`, is also what the second gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import repeat
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lazyjit import tracing
from lazyjit._native import ffi, lib
from lazyjit.codegen import CompiledObject, LLVMCompiler
from lazyjit.errors import CompileError, IRError
from lazyjit.ir import CarvedUnit, carve
from lazyjit.layers.module_table import ModuleTable
from lazyjit.layers.unit_policy import UnitInfo
from lazyjit.link.graph import LinkGraph
from lazyjit.symbols import FLAGS, ExecutorSymbolDef

if TYPE_CHECKING:
    from lazyjit.layers.on_demand import CompileOnDemandLayer

__all__ = ["Unfinished", "UnitMaker"]


#: How many units one call makes at -O0: enough for what is around them to be a small part.
AT_ONCE: Final = 32


class Unfinished(NamedTuple):
    """A unit on its way: carved, and then either compiled or refused, by LLVM as a rule."""

    carved: CarvedUnit
    compiled: CompiledObject | None
    refusal: Exception | None
    #: The object's, placed in the arena, if it was read already.
    graph: LinkGraph | None = None


class UnitMaker:
    """Makes the units of one module. Any thread."""

    def __init__(self, layer: CompileOnDemandLayer, table: ModuleTable) -> None:
        """As `layer` wants them."""
        self._layer = layer
        self._table = table
        self._compiler = layer.first_tier or layer.compiler
        self._indirect = layer.first_tier is not None
        self._budget = 0 if self._indirect else layer.inline_budget
        self._native: Any = None
        self._stubs = layer.stubs.handle  # a field of a C structure keeps nothing
        self._at_once = 1
        compiler = self._compiler
        if type(compiler) is LLVMCompiler and layer.on_unit is None:
            if not compiler.options.opt_level and not compiler.options.codegen_level:
                self._at_once = AT_ONCE
            native = self._native = ffi.new("lj_unit_maker *")
            native.table, native.stubs = table.native, self._stubs
            native.index, native.config = table.index.native, compiler.native
            native.arena, native.counts = layer.objects.arena.handle, layer.counters.native
            native.options = (self._budget, self._budget // 4, self._indirect)

    @property
    def at_once(self) -> int:
        """How many units are best made by one call, as things stand."""
        return self._at_once if self._unwatched() else 1

    def make(
        self, units: Mapping[str, Mapping[str, int]], *, plain: bool
    ) -> tuple[dict[str, ExecutorSymbolDef], dict[str, Unfinished]]:
        """Units by name, each with what it defines: entities by symbol. Where the symbols of those
        that are ready and published are; and what there is of the others.

        `plain`: nothing is carried for inlining. Raises what `carve` does and what `on_unit` does.
        """
        if not self._unwatched():
            return {}, {
                name: self._step_by_step(name, list(members.values()), plain)
                for name, members in units.items()
            }
        table = self._table
        counts = [len(members) for members in units.values()]
        ids = [entity for members in units.values() for entity in members.values()]
        addresses, traits = ffi.new("uint64_t[]", len(ids)), ffi.new("uint8_t[]", len(ids))
        made = ffi.new("lj_unit_made[]", len(counts))
        left = lib.lj_units_make(
            self._native, len(counts), counts, ids, plain, addresses, traits, made
        )
        if left:
            left = self._go_on(counts, ids, addresses, made)
        if table.removed:
            table.fail_stubs()
        # NamedTuple's own constructor takes twice as long.
        pairs = zip(addresses, map(FLAGS.__getitem__, traits), strict=True)
        symbols = map(tuple.__new__, repeat(ExecutorSymbolDef), pairs)
        names = [name for members in units.values() for name in members]
        ready = dict(zip(names, symbols, strict=True))
        unfinished: dict[str, Unfinished] = {}
        if left:
            for name, each in zip(units, made, strict=True):
                if each.left:
                    unfinished[name] = self._stopped(name, each)
                    for symbol in units[name]:
                        del ready[symbol]
        return ready, unfinished

    def _unwatched(self) -> bool:
        """Whether nobody looks on."""
        objects = self._layer.objects
        return self._native is not None and objects.unwatched is objects.arena and not tracing.sink

    def _go_on(self, counts: list[int], ids: list[int], addresses: Any, made: Any) -> int:
        """Finish units that need nothing but what the session has ready. How many are left?"""
        names: list[str] = []
        for unit in made:
            link = unit.link
            if link.ordinary and link.unknown_count:
                raw: bytes = ffi.unpack(link.unknown, link.unknown_size - 1)
                names += raw.decode("utf-8", "surrogateescape").split("\0")
        if not names:
            return len(made)
        layer, table = self._layer, self._table
        found = layer.session.find_ready(table.dylib, names, generate=True)
        table.held.extend(layer.stubs.hold(found))  # atomic: any pool thread
        left: int = lib.lj_units_finish(
            self._native, len(counts), counts, ids, found, addresses, made
        )
        return left

    def _stopped(self, name: str, made: Any) -> Unfinished:
        table, status = self._table, made.status
        carved = CarvedUnit(table.index, ffi.new("lj_ir_unit *", made.carved))
        if not made.object.data:
            error = LLVMCompiler.failure(status, ffi.addressof(made, "fault"), name, table.name)
            return Unfinished(carved, None, error)
        compiled = CompiledObject(ffi.new("lj_object *", made.object))
        arena = self._layer.objects.arena
        try:
            graph = LinkGraph.of_native(made.link.graph, status, file=name, arena=arena)
        except Exception as error:
            compiled.close()
            return Unfinished(carved, None, error)
        return Unfinished(carved, compiled, None, graph)

    def _step_by_step(self, name: str, entities: list[int], plain: bool) -> Unfinished:
        layer, table = self._layer, self._table
        started = perf_counter_ns()
        budget = 0 if plain else self._budget
        carved = carve(table.index, entities, inline_budget=budget, indirect=self._indirect)
        spent = perf_counter_ns() - started
        if layer.on_unit is not None:
            layer.on_unit(self._info(name, entities, carved.text))
        try:
            text = (carved.address, len(carved))
            compiled = self._compiler.compile(text, name, table.name)
        except (IRError, CompileError) as error:
            return Unfinished(carved, None, error)
        layer.counters.unit(
            carved.functions,
            compiled.size,
            carve=spent,
            parse=compiled.parse_ns,
            optimize=compiled.optimize_ns,
            emit=compiled.emit_ns,
        )
        return Unfinished(carved, compiled, None)

    def _info(self, name: str, entities: list[int], text: bytes) -> UnitInfo:
        table, index = self._table, self._table.index
        return UnitInfo(
            name=name,
            module=table.name,
            dylib=table.dylib.name,
            functions=[index.name(i) for i in entities if table.is_function(i)],
            data=[index.name(i) for i in entities if not table.is_function(i)],
            text=text,
        )
