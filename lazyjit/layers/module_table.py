"""A module as its dylib sees it: names that cost nothing until somebody asks.

The native index holds a module's names. The dylib asks this table under the session's lock; what it
finds is one of three things:

    f        a function: its stub's address, made here and now, ready at once
    f$body   its code: a unit, chosen and compiled when the session wants it
    g        data: likewise a unit

So a function has one canonical address from the first reference on, its stub's, and its code comes
into being when somebody goes through the stub. When a unit is ready, `publish` points the stubs of
its functions at their bodies; a stub made later than that points there from the start.

Names that this module alone can define (strong ones and promoted locals) need no session to be
linked within the module: `known` answers for them straight from the index.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lazyjit._native import ffi, lib
from lazyjit.core import (
    Found,
    JITDylib,
    MaterializationUnit,
    SymbolTable,
)
from lazyjit.errors import LazyJITError, SymbolRemoved
from lazyjit.ir import Kind, ModuleIndex, What
from lazyjit.stubs import StubPool
from lazyjit.symbols import ExecutorSymbolDef, SymbolFlags

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ModuleTable"]

#: Makes the unit around an entity of a table, for the symbol of that name.
UnitMaker = Callable[["ModuleTable", int, str], MaterializationUnit]

_BODY = SymbolFlags.CALLABLE

#: A function's body loses to another where the function does.
_BODY_FLAGS = (_BODY, _BODY | SymbolFlags.WEAK)

_NONE, _STUB, _FOUND_BODY = int(What.NONE), int(What.STUB), int(What.BODY)


class ModuleTable:
    """The lazily known symbols of one module in one dylib. Every method: any thread.

    `make_unit` makes the materialization unit around an entity (a function's body, or data).
    """

    def __init__(
        self,
        index: ModuleIndex,
        dylib: JITDylib,
        stubs: StubPool,
        make_unit: UnitMaker,
    ) -> None:
        """Nothing is known of any function yet."""
        self.index = index
        self.dylib = dylib
        self.name = index.file
        self._pool = stubs
        self._make_unit = make_unit
        # A word an entity: its stub, and its address once it is ready; 0 before. Native code reads
        # them as they are; they are written with the lock held. Untouched pages take no memory.
        self._lock = threading.Lock()
        self._stubs: NDArray[np.uint64] = np.zeros(len(index), np.uint64)
        self._ready: NDArray[np.uint64] = np.zeros(len(index), np.uint64)
        self._words = (
            ffi.from_buffer("uint64_t[]", self._stubs),
            ffi.from_buffer("uint64_t[]", self._ready),
        )
        self._removed = False
        #: One byte an entity: nonzero once a unit has taken it. A hint; the session decides.
        self.taken: NDArray[np.uint8] = np.zeros(len(index), np.uint8)

    # What the session asks (SymbolTable)

    def find_many(self, names: Sequence[str]) -> list[Found | None]:
        """What the module has under each of `names` (with the session's lock held)."""
        hits = self.index.find_many(names)
        wanted = [entity for entity, what in hits if what == _STUB]
        stubs = dict(zip(wanted, self.stubs_of(wanted), strict=True)) if wanted else {}
        found: list[Found | None] = []
        for name, (entity, what) in zip(names, hits, strict=True):
            if what == _NONE:
                found.append(None)
            elif what == _STUB:
                found.append(Found(self.index.flags(entity), address=stubs[entity]))
            else:
                flags = self.index.flags(entity)
                if what == _FOUND_BODY:
                    flags = _BODY_FLAGS[flags.overridable()]
                members = self.index.together(entity)
                together = self.symbols_of(members) if len(members) > 1 else ()
                found.append(Found(flags, None, _UnitMaker(self, entity, name), together))
        return found

    def conflicts(self, other: SymbolTable) -> list[str]:
        """Names that both modules define strongly."""
        return self.index.conflicts(other.index) if isinstance(other, ModuleTable) else []

    # What a unit of this module asks

    def known(self, count: int, names: Any) -> Any:
        """Addresses (a cffi `uint64_t[]`) of `count` names, each ended by a NUL (a cffi `char *`).

        Known is what no other module can define: this module's stubs, and its ready data. The
        others are 0.
        """
        addresses = ffi.new("uint64_t[]", count)
        fresh = ffi.new("int32_t[]", count)
        places = ffi.new("uint32_t[]", count)
        more = lib.lj_ir_known(
            self.index.native, count, names, *self._words, addresses, fresh, places
        )
        if more:
            stubs = self.stubs_of(ffi.unpack(fresh, more))
            for place, stub in zip(ffi.unpack(places, more), stubs, strict=True):
                addresses[place] = stub
        return addresses

    def symbols_of(self, entities: Sequence[int]) -> dict[str, int]:
        """The session's symbols for the code of functions and for data, with their entities."""
        return dict(zip(self.index.definition_names(entities), entities, strict=True))

    def flags_of(self, entity: int) -> SymbolFlags:
        """The flags of the symbol that `symbols_of` names."""
        flags = self.index.flags(entity)
        return _BODY_FLAGS[flags.overridable()] if self.is_function(entity) else flags

    def functions(self) -> list[int]:
        """The entities that the module has a body for."""
        kinds = self.index.entities["kind"]
        return [e for e in self.index.defined().tolist() if kinds[e] == Kind.FUNCTION]

    def is_function(self, entity: int) -> bool:
        """Whether the module has a body for the entity."""
        return self.index.kind(entity) is Kind.FUNCTION

    def function_behind(self, entity: int) -> int:
        """The function whose address an alias gives another name; any other entity itself."""
        index = self.index
        if index.kind(entity) is Kind.ALIAS and index.aliasee(entity) >= 0:
            return index.aliasee(entity)
        return entity

    # Stubs

    def stubs_of(self, entities: Sequence[int]) -> list[int]:
        """The stubs' addresses, made where there are none yet. Raises ArenaFull, SessionClosed."""
        functions = [self.function_behind(entity) for entity in entities]
        with self._lock:
            stubs = self._stubs
            fresh = [f for f in dict.fromkeys(functions) if not stubs[f]]
            if fresh:
                high = self.index.ordinal << 32
                stubs[fresh] = self._pool.create([high | f for f in fresh])
                ready = [f for f in fresh if self._ready[f]]
                if ready:
                    self._pool.resolve(stubs[ready], self._ready[ready])
                if self._removed:
                    self._fail_locked(fresh)
            return [int(stubs[f]) for f in functions]

    def publish(
        self, entities: Mapping[str, int], symbols: Mapping[str, ExecutorSymbolDef]
    ) -> None:
        """These symbols of a unit are ready (`entities` tells whose they are): the stubs of its
        functions lead there from now on."""
        with self._lock:
            stubs, bodies = [], []
            for name, entity in entities.items():
                symbol = symbols.get(name)
                if symbol is not None:
                    self._ready[entity] = symbol[0]
                    stub = self._stubs[entity]
                    if stub:
                        stubs.append(stub)
                        bodies.append(symbol[0])
            if stubs and not self._removed:
                self._pool.resolve(stubs, bodies)

    def resolve(self, function: int, address: int) -> None:
        """Point one function's stub somewhere (what an ifunc's resolver chose)."""
        self.publish({"": function}, {"": ExecutorSymbolDef(address, _BODY)})

    def fail(self, function: int, error: LazyJITError) -> None:
        """First calls of `function` raise `error`, those that wait now and those to come."""
        with self._lock:
            stub = self._stubs[function]
            if stub:
                self._pool.fail([stub], error)

    def remove(self) -> None:
        """The module is going: calls raise SymbolRemoved from now on.

        When all of the session goes, calls under way may still need what is compiled, and it lasts
        as long as they do; the pool itself fails the stubs that lead nowhere yet.
        """
        with self._lock:
            self._removed = True
            if self.dylib.session.closed:
                return
            self._ready[:] = 0
            self._fail_locked(np.flatnonzero(self._stubs).tolist())

    def free(self) -> None:
        """Nobody can be in the module any more: give its stubs back."""
        with self._lock:
            stubs = self._stubs[self._stubs != 0]
            self._stubs[:] = 0
        self._pool.free(stubs)

    def _fail_locked(self, functions: Iterable[int]) -> None:
        for function in functions:
            error = SymbolRemoved(self.index.name(function))
            self._pool.fail([self._stubs[function]], error)


class _UnitMaker:
    """Makes the unit of one symbol, when the session wants it."""

    __slots__ = ("entity", "name", "table")

    def __init__(self, table: ModuleTable, entity: int, name: str) -> None:
        self.table = table
        self.entity = entity
        self.name = name

    def __call__(self) -> MaterializationUnit:
        return self.table._make_unit(self.table, self.entity, self.name)
