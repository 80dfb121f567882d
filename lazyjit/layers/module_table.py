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
linked within the module: `known` answers for them straight from the index. All that is kept of an
entity is native (`native/table.h`), so that each step of a unit's way is one call for all of its
symbols.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from lazyjit import forking
from lazyjit._native import check, ffi, lib, owned
from lazyjit.core import (
    Found,
    JITDylib,
    MaterializationUnit,
    SymbolTable,
)
from lazyjit.errors import LazyJITError, SymbolRemoved
from lazyjit.ir import Kind, ModuleIndex, What
from lazyjit.stubs import StubPool
from lazyjit.symbols import SymbolFlags

__all__ = ["ModuleTable"]

#: Makes the unit around an entity of a table: for the symbol of that name, with those that must be
#: made together with it.
UnitMaker = Callable[["ModuleTable", int, str, Mapping[str, SymbolFlags]], MaterializationUnit]

_NONE, _STUB = int(What.NONE), int(What.STUB)


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
        out = ffi.new("lj_table **")
        check(lib.lj_table_new(index.native, index.ordinal, out))
        #: The `lj_table *`.
        self.native: Any = owned(out[0], lib.lj_table_dispose)
        #: A cffi `uint8_t *`, a byte an entity: whether a unit has taken it, or it was asked for.
        #: Hints; the session decides. `take` and `want` change them.
        self.states: Any = lib.lj_table_states(self.native)
        #: Stubs of others that the module's code refers to.
        self.held: list[int] = []
        #: The module is gone, or going.
        self.removed = False
        # After the session and the layer: the session asks a table with its lock held.
        forking.join(forking.Phase.SESSION, self)

    # What the session asks (SymbolTable)

    def find_many(self, names: Sequence[str]) -> list[Found | None]:
        """What the module has under each of `names` (with the session's lock held)."""
        found: list[Found | None] = []
        index, unit = self.index, self._unit
        for name, (entity, what, flags) in zip(names, index.find_many(names), strict=True):
            if what == _NONE:
                found.append(None)
            elif what == _STUB:
                found.append(Found(flags, self.stubs_of([entity])[0]))
            else:
                members = index.together(entity) if index.grouped else ()
                symbols = index.definitions(members) if len(members) > 1 else ()
                found.append(Found(flags, None, partial(unit, entity, name, flags), symbols))
        return found

    def _unit(self, entity: int, name: str, flags: SymbolFlags) -> MaterializationUnit:
        """The unit around an entity, for its symbol `name`."""
        members = self.index.together(entity)
        alone = len(members) == 1
        symbols = {name: flags} if alone else self.index.definitions(members)
        return self._make_unit(self, entity, name, symbols)

    def conflicts(self, others: Sequence[SymbolTable]) -> list[str]:
        """Names that this module and one of the others define strongly."""
        return self.index.conflicts(
            [each.index for each in others if isinstance(each, ModuleTable)]
        )

    # What a unit of this module asks

    def known(self, count: int, names: Any) -> Any:
        """Addresses (a cffi `uint64_t[]`) of `count` names, each ended by a NUL (a cffi `char *`).

        Known is what no other module can define: this module's stubs, and its ready data. The
        others are 0. Raises ArenaFull, SessionClosed.
        """
        addresses = ffi.new("uint64_t[]", count)
        check(lib.lj_table_known(self.native, self._pool.handle, count, names, addresses))
        if self.removed:
            self.fail_stubs()
        return addresses

    def take(self, entities: Sequence[int]) -> None:
        """A unit defines these: no other need consider them."""
        lib.lj_table_take(self.native, len(entities), entities)

    def want(self, entities: Sequence[int]) -> None:
        """These are going to be asked for: units may well define several of them."""
        lib.lj_table_want(self.native, len(entities), entities)

    def functions(self) -> list[int]:
        """The entities that the module has a body for."""
        return self.index.functions()

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
        stubs = ffi.new("uint64_t[]", len(entities))
        check(lib.lj_table_stubs(self.native, self._pool.handle, len(entities), entities, stubs))
        if self.removed:
            self.fail_stubs()
        return list(stubs)

    def publish(self, entities: Sequence[int], addresses: Sequence[int]) -> None:
        """These entities are ready at these addresses: functions' stubs lead there from now on.

        Does nothing once the module was removed.
        """
        pool = self._pool.handle
        check(lib.lj_table_publish(self.native, pool, len(entities), entities, addresses))

    def fail(self, function: int, error: LazyJITError) -> None:
        """First calls of `function` raise `error`, those that wait now and those to come."""
        stub = lib.lj_table_stub(self.native, function)
        if stub:
            self._pool.fail_of(self.native, function, stub, error)

    def remove(self) -> None:
        """The module is going: calls raise SymbolRemoved from now on.

        When all of the session goes, calls under way may still need what is compiled, and it lasts
        as long as they do; the pool itself fails the stubs that lead nowhere yet.
        """
        self.removed = not self.dylib.session.closed
        if self.removed:
            # A stub that is made meanwhile is failed here, or by whoever made it.
            self.fail_stubs()

    def free(self) -> None:
        """Nobody can be in the module any more: give its stubs and its memory back."""
        stubs = [lib.lj_table_stub(self.native, function) for function in self._retired()]
        self._pool.forget(stubs)
        check(lib.lj_table_free(self.native, self._pool.handle))
        self._pool.let_go(self.held)

    def fail_stubs(self) -> None:
        """The module is gone: calls through its stubs raise SymbolRemoved. For who made some."""
        for function in self._retired():
            self.fail(function, SymbolRemoved(self.index.name(function)))

    def _retired(self) -> list[int]:
        """The functions that have stubs, of which there will be no more."""
        room = 0
        while True:
            functions = ffi.new("int32_t[]", room)
            count = lib.lj_table_retire(self.native, room, functions)
            if count <= room:
                return list(functions[0:count])
            room = count

    # Around fork (lazyjit.forking)

    def before_fork(self) -> None:
        """Take the lock."""
        lib.lj_table_before_fork(self.native)

    def after_fork(self, in_child: bool) -> None:
        """Give it back."""
        lib.lj_table_after_fork(self.native)
