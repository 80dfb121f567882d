"""Making a unit: from the entities that it defines to code, or as far towards that as it goes.

There are two ways. As long as nobody looks on, all stations are one native call (`UnitMaker`): the
text is carved, compiled, linked into the session's arena and published. Who looks on are plugins, a
client's `on_unit`, a trace listener; also a compiler or a memory manager of another kind. Then each
station is a call of its own (`step_by_step`), and the link is the object layer's.

Most units are done after the first. One that LLVM or the linker refuses, or that needs what isn't
ready, stops on the way; what there is of it, `Unfinished`, is also what the second gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import repeat
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, NamedTuple

from lazyjit import tracing
from lazyjit._native import ffi, lib
from lazyjit.codegen import CompiledObject, LLVMCompiler
from lazyjit.errors import CompileError, IRError, LazyJITError
from lazyjit.ir import CarvedUnit, carve
from lazyjit.layers.module_table import ModuleTable
from lazyjit.layers.unit_policy import UnitInfo
from lazyjit.link.graph import LinkGraph
from lazyjit.symbols import FLAGS, ExecutorSymbolDef

if TYPE_CHECKING:
    from lazyjit.layers.on_demand import CompileOnDemandLayer

__all__ = ["Unfinished", "UnitMaker"]


class Unfinished(NamedTuple):
    """A unit on its way: carved, and then either compiled or refused by LLVM."""

    carved: CarvedUnit
    compiled: CompiledObject | None
    refusal: LazyJITError | None
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
        if type(self._compiler) is LLVMCompiler and layer.on_unit is None:
            native = self._native = ffi.new("lj_unit_maker *")
            native.table, native.stubs = table.native, self._stubs
            native.index, native.config = table.index.native, self._compiler.native
            native.arena, native.counts = layer.objects.arena.handle, layer.counters.native
            native.options = (self._budget, self._budget // 4, self._indirect)

    def make(
        self, name: str, members: Mapping[str, int], *, plain: bool
    ) -> dict[str, ExecutorSymbolDef] | Unfinished:
        """The unit `name` that defines `members`, entities by symbol: where its symbols are, ready
        and published; or what there is of it.

        `plain`: nothing is carried for inlining. Raises what `carve` does, what `on_unit` does, and
        what the linker does of a graph that it has read.
        """
        layer, table, native = self._layer, self._table, self._native
        ids = list(members.values())
        if layer.objects.unwatched is not layer.objects.arena or tracing.sink or native is None:
            return self._step_by_step(name, ids, plain)
        count = len(ids)
        addresses, traits = ffi.new("uint64_t[]", count), ffi.new("uint8_t[]", count)
        made = ffi.new("lj_unit_made *")
        status = lib.lj_unit_make(native, count, ids, plain, addresses, traits, made)
        if table.removed:
            table.fail_stubs()
        link = made.link
        if link.ordinary and link.unknown_count:
            found = self._at_hand(link)
            if found is not None:
                held = layer.stubs.hold(found)
                status = lib.lj_unit_finish(native, count, ids, found, addresses, made)
                if status or link.graph:
                    layer.stubs.let_go(held)
                else:
                    table.held += held
        if status or link.graph:
            return self._stopped(name, status, made)
        # NamedTuple's own constructor takes twice as long.
        pairs = zip(addresses, map(FLAGS.__getitem__, traits), strict=True)
        symbols = map(tuple.__new__, repeat(ExecutorSymbolDef), pairs)
        return dict(zip(members, symbols, strict=True))

    def _at_hand(self, link: Any) -> list[int] | None:
        """The addresses of what a unit needs from elsewhere, if all of that is ready now."""
        raw: bytes = ffi.unpack(link.unknown, link.unknown_size - 1)
        names = raw.decode("utf-8", "surrogateescape").split("\0")
        return self._layer.session.find_ready(self._table.dylib, names)

    def _stopped(self, name: str, status: int, made: Any) -> Unfinished:
        table = self._table
        carved = CarvedUnit(table.index, ffi.new("lj_ir_unit *", made.carved))
        if not made.object.data:
            error = LLVMCompiler.failure(status, ffi.addressof(made, "fault"), name, table.name)
            if not isinstance(error, (IRError, CompileError)):
                raise error
            return Unfinished(carved, None, error)
        compiled = CompiledObject(ffi.new("lj_object *", made.object))
        arena = self._layer.objects.arena
        graph = LinkGraph.of_native(made.link.graph, status, file=name, arena=arena)
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
