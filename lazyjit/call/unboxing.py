"""From Python's objects to C's values, inline for the common case of each.

Objects are told apart by the address of their type, and read where this build of Python keeps what
they hold (`native.layout`). An int of at most one digit, 30 bits, is read as it is; the digits'
number and sign are in a tag from Python 3.12 on, and before that in `ob_size`.
"""

from __future__ import annotations

from collections.abc import Callable

from lazyjit.call.emitter import Emitter
from lazyjit.call.native import layout, use_numpy
from lazyjit.call.types import Array, Pointer, Scalar, Structure, memory_type, size_and_alignment

__all__ = ["Unboxer"]

_WRITABLE, _C, _F, _OPTIONAL = 1, 2, 4, 8


class Unboxer:
    """Emits conversions. `place` is the argument's number, and a field's in the upper half."""

    def __init__(self, code: Emitter) -> None:
        self.code = code

    def value(self, kind: Scalar | Pointer, obj: str, place: int) -> str:
        """A number (not a complex one) or pointer, as a value."""
        code = self.code
        if isinstance(kind, Pointer):
            slot = code.slot("ptr")
            name = "lj_call_string" if kind.text else "lj_call_pointer"
            code.checked_call(name, f"ptr %self, ptr {obj}, i32 {place}, ptr {slot}")
            return code.value(f"load ptr, ptr {slot}")
        if kind.kind == "f":
            number = self._double(obj, place)
            return number if kind.size == 8 else code.value(f"fptrunc double {number} to float")
        if kind.kind == "b":
            return self._bool(obj, place)
        wide = self._integer(kind, obj, place)
        return wide if kind.size == 8 else code.value(f"trunc i64 {wide} to {kind.memory}")

    def store(self, kind: Scalar | Pointer | Structure, obj: str, place: int, memory: str) -> None:
        """Anything, into memory that is zero."""
        code = self.code
        if isinstance(kind, Scalar) and kind.kind == "c":
            self._complex(kind, obj, place, memory)
        elif isinstance(kind, Scalar | Pointer):
            code.line(f"store {memory_type(kind)} {self.value(kind, obj, place)}, ptr {memory}")
        elif kind.cls is not None:
            size, _ = size_and_alignment(kind)
            code.checked_call(
                "lj_call_structure",
                f"ptr %self, ptr {obj}, i32 {place}, i64 {size}, ptr {memory}",
            )
        else:
            count = len(kind.fields)
            items = code.slot(f"[{count} x ptr]")
            code.checked_call(
                "lj_call_items", f"ptr %self, ptr {obj}, i32 {place}, i64 {count}, ptr {items}"
            )
            at = 0
            for i, each in enumerate(kind.fields):
                size, alignment = size_and_alignment(each)
                at = -(-at // alignment) * alignment
                item = code.value(f"load ptr, ptr {code.offset(items, 8 * i)}")
                field = place if place >> 16 else place | (i + 1) << 16
                self.store(each, item, field, code.offset(memory, at))
                at += size

    def array(self, kind: Array, obj: str, place: int, view: str) -> None:
        """An array, lent to the call."""
        flags = _WRITABLE * (not kind.const) | _OPTIONAL * kind.optional
        flags |= {"C": _C, "F": _F, "A": 0}[kind.order]
        element = kind.element
        word = str(element).encode()
        spelled = self.code.constant(f'[{len(word) + 1} x i8] c"{element}\\00"')
        extents = [-1 if each is None else each for each in kind.shape]
        extents += [0] * (layout.array_most - len(extents))
        # For arrays only: it takes a tenth of a second.
        import numpy as np

        use_numpy(np.ndarray)
        # NumPy's own dtype objects of the built-in kinds are there once and for ever.
        descriptor = id(np.dtype(element.dtype))
        numbers = f"i32 {ord(element.kind)}, i32 {element.size}, i32 {len(kind.shape)}, i32 {flags}"
        described = self.code.constant(
            f"{{ ptr, i32, i32, i32, i32, ptr, [{layout.array_most} x i64] }}"
            f" {{ ptr inttoptr (i64 {descriptor} to ptr), {numbers}, ptr {spelled},"
            f" [{layout.array_most} x i64] [{', '.join(f'i64 {each}' for each in extents)}] }}"
        )
        self.code.checked_call(
            "lj_call_array", f"ptr %self, ptr {obj}, i32 {place}, ptr {described}, ptr {view}"
        )

    # The common cases

    def _choose(
        self,
        result: str,
        condition: str,
        fast: Callable[[], tuple[str, str | None]],
        slow: Callable[[], str],
    ) -> str:
        """A value of the type `result`: `fast`'s if `condition` holds and, where it gives one,
        its own condition too; else `slow`'s."""
        code = self.code
        if code.otherwise is not None:
            quick, done = code.new_block(), code.new_block()
            code.branch(condition, quick, "otherwise")
            code.start(quick)
            value, further = fast()
            if further is not None:
                code.branch(further, done, "otherwise")
                code.start(done)
            return value
        quick, careful, done = code.new_block(), code.new_block(), code.new_block()
        code.branch(condition, quick, careful)
        code.start(quick)
        value, further = fast()
        quick_end = code.block_name
        if further is None:
            code.jump(done)
        else:
            code.branch(further, done, careful)
        code.start(careful)
        other = slow()
        careful_end = code.block_name
        code.jump(done)
        code.start(done)
        return code.value(f"phi {result} [ {value}, %{quick_end} ], [ {other}, %{careful_end} ]")

    def _is(self, obj: str, kind: str) -> str:
        code = self.code
        found = code.value(f"load ptr, ptr {code.offset(obj, layout.ob_type)}")
        return code.value(f"icmp eq ptr {found}, {code.use(kind, 'object')}")

    def _double(self, obj: str, place: int) -> str:
        code = self.code

        def fast() -> tuple[str, None]:
            where = code.offset(obj, layout.float_value)
            return code.value(f"load double, ptr {where}"), None

        def slow() -> str:
            slot = code.slot("double")
            code.checked_call("lj_call_double", f"ptr %self, ptr {obj}, i32 {place}, ptr {slot}")
            return code.value(f"load double, ptr {slot}")

        return self._choose("double", self._is(obj, "PyFloat_Type"), fast, slow)

    def _integer(self, kind: Scalar, obj: str, place: int) -> str:
        code = self.code
        bits = 8 * kind.size

        def fast() -> tuple[str, str | None]:
            tag = code.value(f"load i64, ptr {code.offset(obj, layout.long_tag)}")
            digit32 = code.value(f"load i32, ptr {code.offset(obj, layout.long_digit)}")
            digit = code.value(f"zext i32 {digit32} to i64")
            if layout.long_has_tag:  # digits << 3 | reserved << 2 | 1 - sign
                small = code.value(f"icmp ult i64 {tag}, 16")
                low = code.value(f"and i64 {tag}, 3")
                sign = code.value(f"sub i64 1, {low}")
            else:  # the digits' number, with the sign
                above = code.value(f"add i64 {tag}, 1")
                small = code.value(f"icmp ult i64 {above}, 3")
                sign = tag
            value = code.value(f"mul i64 {digit}, {sign}")
            if kind.kind == "u":
                fits = code.value(f"icmp ult i64 {value}, {1 << min(bits, 62)}")
                return value, code.value(f"and i1 {small}, {fits}")
            if bits < 32:
                moved = code.value(f"add i64 {value}, {1 << (bits - 1)}")
                fits = code.value(f"icmp ult i64 {moved}, {1 << bits}")
                return value, code.value(f"and i1 {small}, {fits}")
            return value, small

        def slow() -> str:
            slot = code.slot("i64")
            name = "lj_call_signed" if kind.kind == "i" else "lj_call_unsigned"
            code.checked_call(name, f"ptr %self, ptr {obj}, i32 {place}, i32 {bits}, ptr {slot}")
            return code.value(f"load i64, ptr {slot}")

        return self._choose("i64", self._is(obj, "PyLong_Type"), fast, slow)

    def _bool(self, obj: str, place: int) -> str:
        code = self.code
        true, false = code.use("_Py_TrueStruct", "object"), code.use("_Py_FalseStruct", "object")
        is_true = code.value(f"icmp eq ptr {obj}, {true}")
        is_false = code.value(f"icmp eq ptr {obj}, {false}")

        def fast() -> tuple[str, None]:
            return code.value(f"zext i1 {is_true} to i8"), None

        def slow() -> str:
            slot = code.slot("i8")
            code.checked_call("lj_call_bool", f"ptr %self, ptr {obj}, i32 {place}, ptr {slot}")
            return code.value(f"load i8, ptr {slot}")

        return self._choose("i8", code.value(f"or i1 {is_true}, {is_false}"), fast, slow)

    def _complex(self, kind: Scalar, obj: str, place: int, memory: str) -> None:
        code = self.code
        exact = self._is(obj, "PyComplex_Type")

        def fast() -> tuple[str, None]:
            return code.offset(obj, layout.complex_value), None

        def slow() -> str:
            slot = code.slot("[2 x double]")
            code.checked_call("lj_call_complex", f"ptr %self, ptr {obj}, i32 {place}, ptr {slot}")
            return slot

        parts = self._choose("ptr", exact, fast, slow)
        for i in range(2):
            part = code.value(f"load double, ptr {code.offset(parts, 8 * i)}")
            if kind.size == 16:
                code.line(f"store double {part}, ptr {code.offset(memory, 8 * i)}")
            else:
                single = code.value(f"fptrunc double {part} to float")
                code.line(f"store float {single}, ptr {code.offset(memory, 4 * i)}")
