"""Units: the text to compile for some of a module's entities, and the choice of these.

`carve` makes a unit; `seed` proposes what to put in one. `native/ir_unit.h` has the rules of
naming. Both are one native call each, without the GIL.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lazyjit._native import check, ffi, lib, new_fault
from lazyjit.ir.index import ModuleIndex

__all__ = ["CarvedUnit", "carve", "seed", "seed_many", "suggest"]


class CarvedUnit:
    """A unit's text and what it defines. Immutable; any thread."""

    __slots__ = ("_native", "index")

    def __init__(self, index: ModuleIndex, native: Any) -> None:
        """Wrap a native `lj_ir_unit`, what it holds becomes this object's."""
        self.index = index
        self._native = native

    def __del__(self) -> None:
        """Free the text. Whoever still asks, in a garbage cycle, finds an empty unit."""
        lib.lj_ir_unit_dispose(self._native)

    @property
    def address(self) -> int:
        """Where the text is, NUL-terminated; valid while this object lives."""
        return int(ffi.cast("uintptr_t", self._native.text))

    @property
    def pointer(self) -> Any:
        """The text as a cffi `char *`; valid while this object lives."""
        return self._native.text

    def __len__(self) -> int:
        """The text's length in bytes, without the NUL."""
        return int(self._native.length)

    @property
    def text(self) -> bytes:
        """A copy of the text."""
        return bytes(ffi.buffer(self._native.text, self._native.length))

    @property
    def entities(self) -> list[int]:
        """The entities that the unit defines: functions by their bodies, data, aliases of data."""
        if not self._native.define_count:
            return []
        return list(ffi.unpack(self._native.defines, self._native.define_count))

    @property
    def defines(self) -> list[tuple[int, str]]:
        """Each entity that the unit defines, with the linker name under which it does."""
        entities = self.entities
        return list(zip(entities, self.index.definitions(entities), strict=True))

    @property
    def functions(self) -> int:
        """How many functions it defines."""
        return int(self._native.functions)

    @property
    def carried(self) -> int:
        """How many bodies and constants of others it has, for inlining only."""
        return int(self._native.carried)

    def original_line(self, line: int) -> int | None:
        """The module's line that a line of this unit (1-based) came from, or None."""
        found = lib.lj_ir_unit_original_line(self._native, self.index.native, line)
        return int(found) or None

    def __repr__(self) -> str:
        """What it defines, in short."""
        names = [name for _, name in self.defines]
        more = f", ... {len(names)} in all" if len(names) > 3 else ""
        return f"<CarvedUnit {', '.join(names[:3])}{more}: {len(self)} bytes>"


def carve(
    index: ModuleIndex,
    entities: Sequence[int],
    *,
    inline_budget: int = 0,
    inline_limit: int | None = None,
    indirect: bool = False,
) -> CarvedUnit:
    """The unit that defines `entities` and whatever must be defined with them.

    Up to `inline_budget` bytes of text of other functions' bodies and constants are carried along
    for inlining, each of at most `inline_limit` bytes (None: a quarter of the budget); callees that
    are marked alwaysinline come whatever the budget. With `indirect`, calls within the unit go
    through stubs too, so that these can be pointed elsewhere later. Aliases and ifuncs of functions
    have no definition of their own and are passed over. Any thread. Raises InternalError when an id
    is not the module's to define.
    """
    entities = list(entities)
    limit = inline_budget // 4 if inline_limit is None else inline_limit
    options = [(inline_budget, limit, indirect)]
    out, fault = ffi.new("lj_ir_unit *"), new_fault()
    status = lib.lj_ir_carve(index.native, len(entities), entities, options, out, fault)
    if status:
        check(status, fault, file=index.file)
    return CarvedUnit(index, out)


def seed(
    index: ModuleIndex,
    entity: int,
    states: Any,
    *,
    max_functions: int = 16,
    size_budget: int = 64 * 1024,
    take: bool = False,
) -> list[int]:
    """The entities to define in one unit with `entity`: it first, functions before data.

    `states` (a cffi `uint8_t *`, or a buffer) has a byte for each entity of the index: 1 for those
    that others define, which are left out (but for `entity`); 2 for those that are asked for
    anyway. Takes up to `max_functions` callees of at most `size_budget` bytes of text together,
    more only where they must be in one unit. Empty when the module doesn't define `entity`. Any
    thread; `states` is only read, but with `take`, which marks what was chosen with 1.
    """
    options = [(max_functions, size_budget, take)]
    room = 16 * max_functions + 64
    if index.grouped:
        room += len(index.together(entity))
    ids = ffi.new("int32_t[]", room)
    if not isinstance(states, ffi.CData):
        states = _states(index, states)
    count = lib.lj_ir_seed(index.native, entity, states, options, ids, room)
    return ffi.unpack(ids, count) if count else []


def seed_many(
    index: ModuleIndex,
    entities: Sequence[int],
    states: Any,
    *,
    max_functions: int,
    size_budget: int,
) -> list[list[int]]:
    """What to define in each of several units that are made in one go, around these entities.

    As `seed` for one after the other with `take`, but the bounds are for all of them together. What
    is in an earlier one has none of its own. Any thread.
    """
    options = [(max_functions, size_budget, True)]
    count = len(entities)
    ids = ffi.new("int32_t[]", lib.lj_ir_seed_room(index.native, count, entities, options))
    sizes = ffi.new("uint32_t[]", count)
    lib.lj_ir_seed_many(index.native, count, entities, states, options, ids, sizes)
    chosen = []
    start = 0
    for size in sizes:
        if size:
            chosen.append(ffi.unpack(ids + start, size))
            start += size
    return chosen


def suggest(index: ModuleIndex, entities: Sequence[int], states: Any, room: int) -> list[int]:
    """Up to `room` functions that these call and that nobody has asked for, in the text's order.

    `states` is as for `seed`. Each is given once. Any thread.
    """
    ids = ffi.new("int32_t[]", room)
    if not isinstance(states, ffi.CData):
        states = _states(index, states)
    count = lib.lj_ir_suggest(index.native, len(entities), entities, states, ids, room)
    return ffi.unpack(ids, count) if count else []


def _states(index: ModuleIndex, states: Any) -> Any:
    array = ffi.from_buffer("uint8_t[]", states)
    if len(array) < len(index):
        raise ValueError("the states are fewer than the entities")
    return array
