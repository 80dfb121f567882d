"""The index of one module: a Python face over the native one, with its text.

The text is never parsed here; `native/ir_index.h` says what the pass over it checks. An index is
immutable, so every method may be called from any thread.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from lazyjit._native import check, ffi, held, lib, new_fault, owned
from lazyjit.ir.entities import Constructor, EntityFlag, Kind, Visibility
from lazyjit.ir.loading import Source, load_text
from lazyjit.symbols import FLAGS, SymbolFlags, decode_name, encode_name, intern

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ModuleIndex"]


# Looked up for every symbol of every unit: enum arithmetic would cost more than the index.
_KINDS = tuple(Kind)
_EXPORTED, _WEAK, _COMMON, _CALLABLE = (
    int(flag)
    for flag in (SymbolFlags.EXPORTED, SymbolFlags.WEAK, SymbolFlags.COMMON, SymbolFlags.CALLABLE)
)
_UNUSUAL_NAME = lib.LJ_IR_NUMBERED | lib.LJ_IR_ASIDE

_FLAGS_THAT_MATTER = int(EntityFlag.LOCAL | EntityFlag.WEAK | EntityFlag.CALLABLE)


def _symbol_flags(entity: int, visibility: int, linkage: int) -> SymbolFlags:
    flags = SymbolFlags.NONE
    if not entity & EntityFlag.LOCAL and visibility != Visibility.HIDDEN:
        flags |= SymbolFlags.EXPORTED
    if linkage == lib.LJ_IR_LINK_COMMON:
        flags |= SymbolFlags.COMMON
    elif entity & EntityFlag.WEAK and not entity & EntityFlag.LOCAL:
        flags |= SymbolFlags.WEAK
    if entity & EntityFlag.CALLABLE:
        flags |= SymbolFlags.CALLABLE
    return flags


class ModuleIndex:
    """Where each entity of a module's text stands, and who refers to whom.

    Entities are numbered from 0 in the order in which their names first occur. All methods may be
    called from any thread.
    """

    def __init__(self, text: bytes, *, file: str, ordinal: int) -> None:
        """Index `text`; see `from_text`."""
        self.text = text = bytes(text)
        self.file = file
        self.ordinal = ordinal
        self._buffer = ffi.from_buffer(text)  # keeps the text in place; CPython ends it with NUL
        out = ffi.new("lj_ir_index **")
        fault = new_fault()
        check(lib.lj_ir_index_new(self._buffer, len(text), ordinal, out, fault), fault, file=file)
        self.native: Any = owned(out[0], lib.lj_ir_index_dispose)
        self.counts: Any = ffi.new("lj_ir_counts *")
        lib.lj_ir_index_counts(self.native, self.counts)
        self._count: int = self.counts.entities
        #: Whether any entities must be defined together.
        self.grouped: bool = self.counts.groups > 0
        self._records = lib.lj_ir_index_entities(self.native)
        self._refs = lib.lj_ir_index_refs(self.native)
        self._ref_flags = lib.lj_ir_index_ref_flags(self.native)
        self._entities: NDArray[np.void] | None = None
        self._flags: dict[tuple[int, int, int], SymbolFlags] = {}

    @classmethod
    def from_text(cls, text: bytes, *, file: str = "<text>", ordinal: int = 0) -> ModuleIndex:
        """Index IR text. `ordinal` is the module's number, for the names of promoted locals.

        Raises IRError with `file` and line when the text's outer shape is not a module's.
        """
        return cls(text, file=file, ordinal=ordinal)

    @classmethod
    def load(cls, source: Source, *, ordinal: int = 0, file: str | None = None) -> ModuleIndex:
        """Index a `.ll` or `.bc` file (a path), text or bitcode (bytes, str), or a llvmlite module.

        A str is a path when it names an existing file, and IR otherwise. Raises IRError with the
        file and, where it is known, the line; OSError when a path can't be read.
        """
        text, name = load_text(source, file)
        return cls(text, file=name, ordinal=ordinal)

    @property
    def entities(self) -> NDArray[np.void]:
        """The records of all entities (see `ENTITY`), read-only and without a copy."""
        if self._entities is None:
            self._entities = self._array()
        return self._entities

    def _array(self) -> NDArray[np.void]:
        # A tenth of a second the first time, and what compiles and runs code does without it.
        import numpy as np

        from lazyjit.ir.entities import ENTITY

        if not self._count:
            return np.empty(0, ENTITY)
        memory = held(self._records, self._count * ENTITY.itemsize, self.native)
        array = np.frombuffer(memory, ENTITY)
        array.flags.writeable = False
        return array

    # --- names --------------------------------------------------------------------------------

    def find_many(self, names: Sequence[str]) -> list[tuple[int, int, SymbolFlags]]:
        """For each linker name, the entity, what it is of that (a `What`), and the symbol's flags.

        In one native call. Promoted names (`x$<ordinal>`) and bodies (`f$body`) are found as such.
        What the module only declares, or doesn't have, is (-1, What.NONE, SymbolFlags.NONE).
        """
        count = len(names)
        joined = encode_name("\0".join(names))
        if joined.count(b"\0") != max(count - 1, 0):  # no symbol's name holds a NUL
            joined = encode_name("\0".join("" if "\0" in name else name for name in names))
        ids = ffi.new("int32_t[]", count)
        what, traits = ffi.new("uint8_t[]", count), ffi.new("uint8_t[]", count)
        lib.lj_ir_index_find(self.native, count, joined, ids, what, traits)
        return list(zip(ids, what, map(FLAGS.__getitem__, traits), strict=True))

    def entity(self, name: str) -> int:
        """The entity that IR calls `@name` (`@7`: "7"), defined here or not; -1 without one."""
        raw = encode_name(name)
        found: int = lib.lj_ir_index_find_ir(self.native, raw, len(raw), 0)
        if found < 0 and name.isdigit():
            found = lib.lj_ir_index_find_ir(self.native, raw, len(raw), 1)
        return found

    def name(self, entity: int, *, body: bool = False) -> str:
        """The linker name of an entity's symbol: promoted for locals; with `body`, of its code."""
        record = self._records[self._checked(entity)]
        if record.flags & _UNUSUAL_NAME:
            out = ffi.new("char[]", room := record.name_length + 64)
            raw = ffi.buffer(out, lib.lj_ir_index_symbol(self.native, entity, body, out, room))[:]
            return decode_name(raw)
        # In Python, this is three times as fast as a native call that asks for room.
        raw = self.text[record.name : record.name + record.name_length]
        name = raw.decode("utf-8", "surrogateescape").removeprefix("\1")
        if record.flags & lib.LJ_IR_LOCAL:
            name = f"{name}${self.ordinal}"
        return intern(f"{name}$body" if body else name)

    def source_name(self, entity: int) -> str:
        """The name as IR has it after the @, unescaped; the number of an unnamed one."""
        record = self._records[self._checked(entity)]
        if record.flags & lib.LJ_IR_NUMBERED:
            return str(record.name)
        length = ffi.new("uint32_t *")
        start = lib.lj_ir_index_name(self.native, entity, length)
        return decode_name(ffi.buffer(start, length[0])[:])

    def definitions(self, entities: Sequence[int]) -> dict[str, SymbolFlags]:
        """What units define for these, in order: linker names (`f$body` of functions, data as it
        is) with the symbols' flags. In one native call.
        """
        count = len(entities)
        room = 64 * count + 64
        traits = ffi.new("uint8_t[]", count)
        while True:
            out = ffi.new("char[]", room)
            length = lib.lj_ir_index_definitions(self.native, count, entities, out, room, traits)
            if length <= room:
                raw: bytes = ffi.unpack(out, length)
                names = raw.decode("utf-8", "surrogateescape").split("\0")
                names.pop()
                return dict(zip(map(intern, names), map(FLAGS.__getitem__, traits), strict=True))
            room = length

    def flags(self, entity: int) -> SymbolFlags:
        """The symbol flags of an entity: exported, weak, common, callable."""
        record = self._records[self._checked(entity)]
        key = (record.flags & _FLAGS_THAT_MATTER, record.visibility, record.linkage)
        flags = self._flags.get(key)
        if flags is None:
            flags = self._flags[key] = _symbol_flags(*key)
        return flags

    def symbol(self, entity: int, *, body: bool = False) -> tuple[str, SymbolFlags]:
        """The linker name and the flags of an entity's symbol."""
        return self.name(entity, body=body), self.flags(entity)

    def kind(self, entity: int) -> Kind:
        """What the entity is."""
        kind: int = self._records[self._checked(entity)].kind
        return _KINDS[kind]

    def has(self, entity: int, flags: int) -> bool:
        """Whether the entity's record has one of these `EntityFlag` bits."""
        return bool(self._records[self._checked(entity)].flags & flags)

    def aliasee(self, entity: int) -> int:
        """What an alias or ifunc leads to: the end of its chain, or the resolver; else -1."""
        return int(self._records[self._checked(entity)].aliasee)

    def conflicts(self, others: Sequence[ModuleIndex]) -> list[str]:
        """The names that this module and one of `others` define strongly, in one native call."""
        modules = [other.native for other in others]
        room = 16
        while True:
            ids = ffi.new("int32_t[]", room)
            count = lib.lj_ir_index_conflicts(self.native, len(modules), modules, ids, room)
            if count <= room:
                return [self.name(ids[i]) for i in range(count)]
            room = count

    def defined(self) -> list[int]:
        """The entities that units of this module define, or that lead there (aliases, ifuncs)."""
        return self._chosen(lib.LJ_IR_ALL_DEFINED)

    def definable(self) -> list[int]:
        """The entities that some unit has to define: those of `defined` but for what only leads to
        another entity (aliases and ifuncs of code) and constants that each unit copies."""
        return self._chosen(lib.LJ_IR_ALL_DEFINABLE)

    def functions(self) -> list[int]:
        """The functions that units of this module define."""
        return self._chosen(lib.LJ_IR_ALL_FUNCTIONS)

    def commons(self) -> list[int]:
        """The variables of common linkage."""
        return self._chosen(lib.LJ_IR_ALL_COMMONS)

    def _chosen(self, choice: int) -> list[int]:
        ids = ffi.new("int32_t[]", self._count)
        count = lib.lj_ir_index_choose(self.native, choice, ids)
        return ffi.unpack(ids, count) if count else []

    def undefined(self) -> Iterator[tuple[str, bool]]:
        """The linker names that this module needs, each with whether it may be missing.

        LLVM's intrinsics are left out.
        """
        for entity in self._chosen(lib.LJ_IR_ALL_NEEDED):
            weak = self._records[entity].linkage == lib.LJ_IR_LINK_EXTERN_WEAK
            yield self.name(entity), bool(weak)

    # --- who refers to whom ---------------------------------------------------------------------

    def refs(self, entity: int) -> list[int]:
        """The entities that this one's definition refers to, each once, in the text's order."""
        record = self._records[self._checked(entity)]
        count = record.ref_count
        return ffi.unpack(self._refs + record.refs, count) if count else []

    def ref_flags(self, entity: int) -> list[int]:
        """How `refs` are referred to, as `RefFlag` bits."""
        record = self._records[self._checked(entity)]
        count = record.ref_count
        return ffi.unpack(self._ref_flags + record.refs, count) if count else []

    def callees(self, entity: int) -> list[int]:
        """The entities that this one's body calls by name."""
        pairs = zip(self.refs(entity), self.ref_flags(entity), strict=True)
        return [callee for callee, flags in pairs if flags & lib.LJ_IR_REF_CALL]

    def together(self, entity: int) -> list[int]:
        """The entities that must be defined in one unit with this one, itself among them."""
        if not self.grouped:
            return [self._checked(entity)]
        group = self._records[self._checked(entity)].group
        if group < 0:
            return [entity]
        starts = lib.lj_ir_index_group_starts(self.native)
        members = lib.lj_ir_index_group_members(self.native)
        return [members[i] for i in range(starts[group], starts[group + 1])]

    # --- what runs by itself, and where things are ----------------------------------------------

    @property
    def constructors(self) -> list[Constructor]:
        """The entries of llvm.global_ctors, as listed."""
        return self._structors(False)

    @property
    def destructors(self) -> list[Constructor]:
        """The entries of llvm.global_dtors, as listed."""
        return self._structors(True)

    def _structors(self, destructors: bool) -> list[Constructor]:
        room = 16
        while True:
            priorities = ffi.new("int64_t[]", room)
            functions = ffi.new("int32_t[]", room)
            data = ffi.new("int32_t[]", room)
            count = lib.lj_ir_index_structors(
                self.native, destructors, priorities, functions, data, room
            )
            if count <= room:
                return [Constructor(priorities[i], functions[i], data[i]) for i in range(count)]
            room = count

    @property
    def used(self) -> list[int]:
        """The entities in llvm.used and llvm.compiler.used."""
        lists = (self.entity("llvm.used"), self.entity("llvm.compiler.used"))
        return [ref for entity in lists if entity >= 0 for ref in self.refs(entity)]

    def line(self, entity: int) -> int:
        """The 1-based line on which the entity's definition or declaration starts."""
        return int(lib.lj_ir_index_line(self.native, self._records[self._checked(entity)].start))

    def source(self, entity: int) -> bytes:
        """The entity's definition or declaration, as in the text."""
        record = self._records[self._checked(entity)]
        return self.text[record.start : record.start + record.length]

    @property
    def settings(self) -> bytes:
        """The module's source_filename, data layout and triple, as statements of IR."""
        length = ffi.new("uint32_t *")
        lines = []
        for which in range(3):
            start = lib.lj_ir_index_setting(self.native, which, length)
            if start:
                lines.append(bytes(ffi.buffer(start, length[0])) + b"\n")
        return b"".join(lines)

    @property
    def memory_bytes(self) -> int:
        """What the index holds beyond the text."""
        return int(self.counts.memory)

    def _checked(self, entity: int) -> int:
        if not 0 <= entity < self._count:
            raise IndexError(f"no entity {entity}")
        return entity

    def __len__(self) -> int:
        """How many entities there are."""
        return self._count

    def __repr__(self) -> str:
        """File, ordinal and size."""
        return f"<ModuleIndex {self.file} #{self.ordinal}: {self.counts.functions} functions>"
