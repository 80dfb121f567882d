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

from lazyjit._native import lib
from lazyjit.core import Found, JITDylib, MaterializationUnit
from lazyjit.errors import LazyJITError, SymbolRemoved
from lazyjit.ir import ModuleIndex
from lazyjit.stubs import StubPool
from lazyjit.symbols import ExecutorSymbolDef, SymbolFlags

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ModuleTable"]

_BODY = SymbolFlags.CALLABLE


class ModuleTable:
    """The lazily known symbols of one module in one dylib. Every method: any thread.

    `make_unit` makes the materialization unit for an entity (a function's body, or data) and what
    moves together with it.
    """

    def __init__(
        self,
        index: ModuleIndex,
        dylib: JITDylib,
        stubs: StubPool,
        make_unit: Callable[[ModuleTable, int], MaterializationUnit],
    ) -> None:
        """Nothing is known of any function yet."""
        self.index = index
        self.dylib = dylib
        self.name = index.file
        self._pool = stubs
        self._make_unit = make_unit
        # Only what somebody asked for has an entry in these.
        self._lock = threading.Lock()
        self._stubs: dict[int, int] = {}
        self._bodies: dict[int, int] = {}
        self._data: dict[int, int] = {}
        self._removed = False
        #: One byte an entity: nonzero once a unit has taken it. A hint; the session decides.
        self.taken: NDArray[np.uint8] = np.zeros(len(index.entities), np.uint8)

    # What the session asks (SymbolTable)

    def find_many(self, names: Sequence[str]) -> list[Found | None]:
        """What the module has under each of `names` (with the session's lock held)."""
        ids, whats = self.index.find_many(names)
        wanted = [i for i, what in zip(ids, whats, strict=True) if what == lib.LJ_IR_FOUND_STUB]
        addresses = dict(zip(wanted, self.stubs_of(wanted), strict=True)) if wanted else {}
        found: list[Found | None] = []
        for i, what in zip(ids, whats, strict=True):
            if what == lib.LJ_IR_FOUND_NONE:
                found.append(None)
            elif what == lib.LJ_IR_FOUND_STUB:
                found.append(Found(self.index.flags(i), address=addresses[i]))
            else:
                flags = _BODY if what == lib.LJ_IR_FOUND_BODY else self.index.flags(i)
                found.append(
                    Found(flags, unit=_UnitMaker(self, i), together=self.index.group_symbols(i))
                )
        return found

    def conflicts(self, other: object) -> list[str]:
        """Names that both modules define strongly."""
        return self.index.conflicts(other.index) if isinstance(other, ModuleTable) else []

    # What a link within the module asks

    def known(self, names: Sequence[str]) -> list[int]:
        """Addresses of what no other module can define: this module's stubs, and ready data."""
        ids, whats = self.index.find_many(names)
        own = self.index.is_own(ids)
        addresses = [0] * len(names)
        wanted, places = [], []
        for place, (i, what) in enumerate(zip(ids, whats, strict=True)):
            if own[place]:
                if what == lib.LJ_IR_FOUND_STUB:
                    wanted.append(i)
                    places.append(place)
                elif what == lib.LJ_IR_FOUND_DATA:
                    addresses[place] = self._data.get(i, 0)
        for place, address in zip(places, self.stubs_of(wanted), strict=True):
            addresses[place] = address
        return addresses

    # Stubs

    def canonical(self, entity: int) -> int:
        """The function behind an alias; any other entity itself."""
        return self.index.function_behind(entity)

    def stubs_of(self, entities: Sequence[int]) -> list[int]:
        """The stubs' addresses, made where there are none yet."""
        functions = [self.canonical(entity) for entity in entities]
        with self._lock:
            stubs = self._stubs
            fresh = [f for f in dict.fromkeys(functions) if f not in stubs]
            if fresh:
                high = self.index.ordinal << 32
                made = self._pool.create([high | f for f in fresh])
                stubs.update(zip(fresh, made, strict=True))
                ready = [(stubs[f], self._bodies[f]) for f in fresh if f in self._bodies]
                if ready:
                    self._pool.resolve(*zip(*ready, strict=True))
                if self._removed:
                    self._fail_locked(fresh)
            return [stubs[f] for f in functions]

    def publish(
        self, entities: Mapping[str, int], symbols: Mapping[str, ExecutorSymbolDef]
    ) -> None:
        """These symbols of a unit are ready (`entities` tells whose they are): the stubs of its
        functions lead there from now on."""
        with self._lock:
            stubs, bodies = [], []
            for name, entity in entities.items():
                symbol = symbols.get(name)
                if symbol is None:
                    continue
                if self.index.is_function(entity):
                    self._bodies[entity] = symbol.address
                    stub = self._stubs.get(entity)
                    if stub is not None:
                        stubs.append(stub)
                        bodies.append(symbol.address)
                else:
                    self._data[entity] = symbol.address
            if stubs and not self._removed:
                self._pool.resolve(stubs, bodies)

    def resolve(self, function: int, address: int) -> None:
        """Point one function's stub somewhere (what an ifunc's resolver chose)."""
        with self._lock:
            self._bodies[function] = address
            if function in self._stubs and not self._removed:
                self._pool.resolve([self._stubs[function]], [address])

    def fail(self, function: int, error: LazyJITError) -> None:
        """First calls of `function` raise `error`, those that wait now and those to come."""
        with self._lock:
            stub = self._stubs.get(function)
            if stub is not None:
                self._pool.fail([stub], error)

    def remove(self) -> None:
        """The module is going: calls raise SymbolRemoved from now on."""
        with self._lock:
            self._removed = True
            self._bodies.clear()
            self._data.clear()
            self._fail_locked(list(self._stubs))

    def free(self) -> None:
        """Nobody can be in the module any more: give its stubs back."""
        with self._lock:
            stubs = list(self._stubs.values())
            self._stubs.clear()
        self._pool.free(stubs)

    def _fail_locked(self, functions: Iterable[int]) -> None:
        for function in functions:
            name = self.index.symbol_name(function)
            self._pool.fail([self._stubs[function]], SymbolRemoved(name))


class _UnitMaker:
    """Makes the unit of one entity, when the session wants it."""

    __slots__ = ("entity", "table")

    def __init__(self, table: ModuleTable, entity: int) -> None:
        self.table = table
        self.entity = entity

    def __call__(self) -> Any:
        return self.table._make_unit(self.table, self.entity)
