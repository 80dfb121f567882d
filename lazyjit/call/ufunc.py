"""NumPy's door for ufuncs: `numpy.ufunc` objects over loops of native code.

NumPy's C API is an array of functions that the module `_multiarray_umath` hands out in a capsule,
and its numbering never changes; so an object can be made without NumPy's headers. What it is made
of (names, types, loops) is not copied, and must live as long as it does: its field `obj`, which
NumPy drops with it, refers to a `Behind` that keeps everything. Where that field is, is checked on
an object of NumPy's own making.

Loops are all `lj_ufunc_run` (native/ufunc.h), with an `lj_ufunc_loop` each.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np

from lazyjit import failures
from lazyjit._native import ffi, lib
from lazyjit.call.guard import Guard
from lazyjit.call.ufunc_operands import Operands
from lazyjit.errors import InternalError

__all__ = ["Behind", "Source", "make_ufunc"]

#: PyUFunc_FromFuncAndDataAndSignatureAndIdentity: there since NumPy 1.16.
_FROM_FUNCTIONS: Final = 42

#: PyUFunc_None, PyUFunc_IdentityValue, PyUFunc_ReorderableNone.
_NO_IDENTITY, _IDENTITY, _REORDERABLE = -1, -3, -2


class Source(Protocol):
    """Where a ufunc's code comes from. Every method: any thread."""

    def prepare(self, number: int) -> None:
        """Compile a loop, and open its gate. Raises what kept it from that."""

    def drained(self, number: int) -> None:
        """The last call of a loop that was closed has left."""


class Behind:
    """What a ufunc keeps."""

    def __init__(self, name: str, doc: str, source: Source, operands: Sequence[Operands]) -> None:
        """`operands` of each loop."""
        self.source = source
        self.operands = tuple(operands)
        self.name = ffi.new("char[]", name.encode())
        self.doc = ffi.new("char[]", doc.encode())
        self.loops = ffi.new("lj_ufunc_loop[]", len(operands))
        kinds = [each.dtype.num for loop in operands for each in loop.all]
        self.types = ffi.new("char[]", bytes(kinds))
        self.functions = ffi.new("uint64_t[]", [lib.lj_ufunc_entry()] * len(operands))
        self.data = ffi.new("void *[]", [self.loops + i for i in range(len(operands))])
        for i, each in enumerate(operands):
            loop = self.loops[i]
            loop.behind = id(self)
            loop.number = i
            loop.inputs, loop.outputs = len(each.inputs), len(each.outputs)
            loop.sizes[0 : len(each.all)] = [operand.size for operand in each.all]
        core = operands[0].core
        self.signature = ffi.NULL if core is None else ffi.new("char[]", core.text.encode())
        self._guards: list[Guard] = []

    def guard(self, target: int) -> int:
        """A guarded way to a loop: where a failure below comes to the surface."""
        self._guards.append(Guard(target))
        return self._guards[-1].address

    # Asked by native/ufunc.c

    def prepare(self, number: int, _: int) -> None:
        """The first call of a loop."""
        self.source.prepare(number)

    def failed(self, number: int, token: int) -> None:
        """Something that a loop led to could not be compiled."""
        raise failures.exception(token)

    def drained(self, number: int) -> None:
        """The last call of a closed loop has left."""
        self.source.drained(number)


@functools.cache
def _numpy() -> tuple[Any, int]:
    """The function that makes ufuncs, and where the field `obj` of one is."""
    core: Any = getattr(np, "_core", None) or np.core
    capsule = core._multiarray_umath._UFUNC_API
    pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
        ("PyCapsule_GetPointer", ctypes.pythonapi)
    )
    table = ctypes.cast(pointer(capsule, None), ctypes.POINTER(ctypes.c_void_p))
    prototype = ctypes.PYFUNCTYPE(
        ctypes.py_object,
        *[ctypes.c_void_p] * 3,
        *[ctypes.c_int] * 4,
        *[ctypes.c_void_p] * 2,
        ctypes.c_int,
        *[ctypes.c_void_p] * 2,
    )
    # Behind the head of every object: four ints, two pointers, two ints, four pointers.
    place = object.__basicsize__ + 4 * 4 + 2 * 8 + 2 * 4 + 4 * 8
    probe = np.frompyfunc(_numpy, 0, 1)
    if ctypes.c_void_p.from_address(id(probe) + place).value != id(_numpy):
        raise InternalError(f"NumPy {np.__version__} keeps a ufunc's object somewhere else")
    return prototype(int(table[_FROM_FUNCTIONS] or 0)), place


def make_ufunc(behind: Behind, identity: object) -> np.ufunc:
    """The ufunc of these loops. Any thread.

    `identity` is a number, None (there is none), or "reorderable": there is none, but the order of
    a reduction does not matter. Raises what NumPy raises.
    """
    make, place = _numpy()
    kind, value = _NO_IDENTITY, None
    if isinstance(identity, str):
        kind = _REORDERABLE
    elif identity is not None:
        kind, value = _IDENTITY, id(identity)
    first = behind.operands[0]

    def address(pointer: Any) -> int | None:
        return int(ffi.cast("uintptr_t", pointer)) or None

    made: np.ufunc = make(
        address(behind.functions),
        address(behind.data),
        address(behind.types),
        len(behind.operands),
        len(first.inputs),
        len(first.outputs),
        kind,
        address(behind.name),
        address(behind.doc),
        0,
        address(behind.signature),
        value,
    )
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(behind))
    ctypes.c_void_p.from_address(id(made) + place).value = id(behind)
    return made
