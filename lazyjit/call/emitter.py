"""Writes the IR of wrappers: blocks, values, calls of the native functions, and boxing.

Memory for a call is on the stack, all of it in the entry block. What must be undone when a
conversion fails, the buffers that arrays lend, is undone in one place, `fail`.
"""

from __future__ import annotations

from lazyjit.call.native import layout
from lazyjit.call.types import (
    Block,
    Pointer,
    Scalar,
    Structure,
    Type,
    memory_type,
    size_and_alignment,
)

__all__ = ["Emitter", "unit_of"]

_PARAMETERS = "(ptr %self, ptr %arguments, i64 %count, ptr %keywords)"


class Emitter:
    """One function in the making.

    A `quick` one handles the common cases alone: whatever else comes, it leaves to the native
    function `otherwise`, of its own type, by a jump.
    """

    def __init__(self, name: str, otherwise: str | None = None) -> None:
        self.name = name
        self.otherwise = otherwise
        self._slots: list[str] = []
        self._lines: list[str] = []
        self._used: dict[str, str] = {}
        self._constants: list[str] = []
        self._views: list[str] = []
        self._numbers = 0
        self.block_name = "begin"
        self._failing = False

    # Text

    def line(self, text: str) -> None:
        """One instruction."""
        self._lines.append(f"  {text}")

    def value(self, text: str) -> str:
        """One instruction with a value: its name."""
        name = f"%v{self._number()}"
        self._lines.append(f"  {name} = {text}")
        return name

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def slot(self, kind: str, *, zeroed: bool = False) -> str:
        """Memory for the call's duration."""
        name = f"%m{self._number()}"
        self._slots.append(f"  {name} = alloca {kind}, align 16")
        if zeroed:
            self._slots.append(f"  store {kind} zeroinitializer, ptr {name}")
        return name

    def view(self) -> str:
        """Memory for an array that is lent to the call."""
        name = f"%m{self._number()}"
        self._slots.append(f"  {name} = alloca [{layout.array_size} x i8], align 16")
        held = f"%m{self._number()}"
        self._slots.append(f"  {held} = getelementptr i8, ptr {name}, i64 {layout.array_held}")
        self._slots.append(f"  store i64 0, ptr {held}")
        self._views.append(name)
        return name

    def constant(self, text: str) -> str:
        """A constant of the unit: its name."""
        name = f"@constant.{len(self._constants)}"
        self._constants.append(f"{name} = private unnamed_addr constant {text}")
        return name

    def offset(self, pointer: str, bytes_on: int) -> str:
        """The address so many bytes on."""
        return self.value(f"getelementptr i8, ptr {pointer}, i64 {bytes_on}")

    def use(self, name: str, kind: str) -> str:
        """Declare an external: a function of the type `result (arguments)`, or "object"."""
        if kind == "object":
            self._used[name] = f"@{name} = external global i8"
        else:
            result, _, arguments = kind.partition(" (")
            self._used[name] = f"declare {result} @{name}({arguments}"
        return f"@{name}"

    # Control

    def new_block(self) -> str:
        """A block's name."""
        return f"b{self._number()}"

    def start(self, block: str) -> None:
        """What follows is in this block."""
        self._lines.append(f"{block}:")
        self.block_name = block

    def jump(self, block: str) -> None:
        """On to a block."""
        self.line(f"br label %{block}")

    def branch(self, condition: str, likely: str, unlikely: str) -> None:
        """On to one of two blocks."""
        self.line(f"br i1 {condition}, label %{likely}, label %{unlikely}, !prof !0")

    def checked_call(self, name: str, arguments: str) -> None:
        """Call a native function that returns 0, or -1 with an exception."""
        types = ", ".join(each.split()[0] for each in arguments.split(", "))
        self.use(name, f"i32 ({types})")
        status = self.value(f"call i32 @{name}({arguments})")
        good = self.value(f"icmp eq i32 {status}, 0")
        on = self.new_block()
        self._failing = True
        self.branch(good, on, "fail")
        self.start(on)

    def failure_check(self) -> None:
        """After the call: has something below failed to be compiled?"""
        self.use("lj_call_pending", "object")
        pending = self.value("load volatile i32, ptr @lj_call_pending")
        none = self.value(f"icmp eq i32 {pending}, 0")
        look, on = self.new_block(), self.new_block()
        self.branch(none, on, look)
        self.start(look)
        self.checked_call("lj_call_failed", "ptr %self")
        self.jump(on)
        self.start(on)

    def release_views(self) -> None:
        """Give back what arrays lent."""
        for view in self._views:
            held = self.value(f"load i64, ptr {self.offset(view, layout.array_held)}")
            none = self.value(f"icmp eq i64 {held}, 0")
            release, on = self.new_block(), self.new_block()
            self.branch(none, on, release)
            self.start(release)
            self.use("lj_call_array_release", "void (ptr)")
            self.line(f"call void @lj_call_array_release(ptr {view})")
            self.jump(on)
            self.start(on)

    def finish(self) -> str:
        """The function's text."""
        if self._failing:
            self.start("fail")
            self.release_views()
            self.line("ret ptr null")
        if self.otherwise is not None:
            self.use(self.otherwise, "ptr (ptr, ptr, i64, ptr)")
            self.start("otherwise")
            self.line(f"%o = musttail call ptr @{self.otherwise}{_PARAMETERS}")
            self.line("ret ptr %o")
        parts = [
            f"define ptr @{self.name}{_PARAMETERS} uwtable {{",
            "entry:",
            *self._slots,
            "  br label %begin",
            "begin:",
            *self._lines,
            "}",
        ]
        return "\n".join(parts)

    @property
    def declarations(self) -> dict[str, str]:
        """What the function refers to: by name, as IR declares it."""
        return {**{constant: constant for constant in self._constants}, **self._used}

    # Boxing

    def none(self) -> str:
        """A new reference to None."""
        none = self.use("_Py_NoneStruct", "object")
        if layout.count_none:
            where = self.offset(none, layout.refcount)
            count = self.value(f"load i64, ptr {where}")
            self.line(f"store i64 {self.value(f'add i64 {count}, 1')}, ptr {where}")
        return none

    def box(self, kind: Scalar | Pointer, value: str) -> str:
        """A new reference to what Python has for a value (not a complex one), or null."""
        if isinstance(kind, Pointer):
            name = "lj_call_box_string" if kind.text else "lj_call_box_pointer"
            self.use(name, "ptr (ptr)")
            return self.value(f"call ptr @{name}(ptr {value})")
        if kind.kind == "f":
            if kind.size == 4:
                value = self.value(f"fpext float {value} to double")
            self.use("PyFloat_FromDouble", "ptr (double)")
            return self.value(f"call ptr @PyFloat_FromDouble(double {value})")
        if kind.kind == "b":
            bit = self.value(f"and i8 {value}, 1")  # of an i1, the ABI leaves the others open
            wide = self.value(f"zext i8 {bit} to i64")
            self.use("PyBool_FromLong", "ptr (i64)")
            return self.value(f"call ptr @PyBool_FromLong(i64 {wide})")
        if kind.size < 8:
            how = "sext" if kind.kind == "i" else "zext"
            value = self.value(f"{how} {kind.memory} {value} to i64")
        name = "PyLong_FromLongLong" if kind.kind == "i" else "PyLong_FromUnsignedLongLong"
        self.use(name, "ptr (i64)")
        return self.value(f"call ptr @{name}(i64 {value})")

    def box_memory(self, kind: Type, memory: str, number: int) -> str:
        """A new reference to what Python has for what is in memory, or null. It is the call's
        result of this number."""
        if isinstance(kind, Block) or (isinstance(kind, Structure) and kind.cls is not None):
            size, _ = size_and_alignment(kind)
            self.use("lj_call_box_bytes", "ptr (ptr, i32, ptr, i64)")
            return self.value(
                f"call ptr @lj_call_box_bytes(ptr %self, i32 {number}, ptr {memory}, i64 {size})"
            )
        if isinstance(kind, Structure):
            boxes, at = [], 0
            for each in kind.fields:
                size, alignment = size_and_alignment(each)
                at = -(-at // alignment) * alignment
                boxes.append(self.box_memory(each, self.offset(memory, at), number))
                at += size
            return self.tuple(boxes)
        assert isinstance(kind, Scalar | Pointer)
        if isinstance(kind, Scalar) and kind.kind == "c":
            part = "float" if kind.size == 8 else "double"
            parts = []
            for i in range(2):
                piece = self.value(f"load {part}, ptr {self.offset(memory, i * kind.size // 2)}")
                if part == "float":
                    piece = self.value(f"fpext float {piece} to double")
                parts.append(f"double {piece}")
            self.use("PyComplex_FromDoubles", "ptr (double, double)")
            return self.value(f"call ptr @PyComplex_FromDoubles({', '.join(parts)})")
        return self.box(kind, self.value(f"load {memory_type(kind)}, ptr {memory}"))

    def tuple(self, boxes: list[str]) -> str:
        """A new reference to a tuple of new references, or null."""
        items = self.slot(f"[{max(len(boxes), 1)} x ptr]")
        for i, box in enumerate(boxes):
            self.line(f"store ptr {box}, ptr {self.offset(items, 8 * i)}")
        self.use("lj_call_box_tuple", "ptr (ptr, i64)")
        return self.value(f"call ptr @lj_call_box_tuple(ptr {items}, i64 {len(boxes)})")


def unit_of(functions: list[Emitter]) -> str:
    """The text of a unit of these functions."""
    texts = [function.finish() for function in functions]
    declared: dict[str, str] = {}
    for function in functions:
        declared.update(function.declarations)
    return "\n".join([*declared.values(), *texts, '!0 = !{!"branch_weights", i32 2000, i32 1}', ""])
