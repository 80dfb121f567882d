"""A Python callable for a native function whose first call may fail.

ctypes converts the arguments and lets go of the GIL; between it and the function stands a guard
(`native/guard.h`), a frame to which the stack is unwound when something below, perhaps far below,
can't be compiled. The guard then returns 0 with a failure pending on the thread, and the wrapper
here raises it. A look at one counter tells a good call from a failed one.

A guard passes stack arguments on by copying them, so it must know how many there can be: that is
what the classification below is for (System V ABI for x86-64, section 3.2.3, taken generously).
"""

from __future__ import annotations

import ctypes
from _ctypes import CFuncPtr, _Pointer
from collections.abc import Sequence
from typing import Any, Final

from lazyjit import failures
from lazyjit._native import ffi, lib
from lazyjit.call.guard import Guard

__all__ = ["NativeFunction"]

#: How many failures are pending. Read through ctypes, which is twice as fast at it as cffi.
_pending: Final = ctypes.c_int32.from_address(int(ffi.cast("uintptr_t", lib.lj_guard_pending())))

#: ctypes' codes of the types that are passed in general registers, and in vector registers.
_GENERAL: Final = frozenset("?cbBhHiIlLqQPzZOuv")
_VECTOR: Final = frozenset("fd")


def stack_bytes(restype: Any, argtypes: Sequence[Any]) -> int:
    """An upper bound for the bytes of stack arguments of a call with these ctypes types."""
    general, vector, on_stack = 6, 8, 0
    if isinstance(restype, type) and issubclass(restype, (ctypes.Structure, ctypes.Union)):
        general -= 1  # it may be returned through a pointer
    for kind in argtypes:
        code = getattr(kind, "_type_", None)
        pointer = isinstance(kind, type) and (
            issubclass(kind, (_Pointer, CFuncPtr)) or (isinstance(code, str) and code in _GENERAL)
        )
        if pointer and general:
            general -= 1
        elif code in _VECTOR and vector:
            vector -= 1
        elif pointer or code in _VECTOR:
            on_stack += 8
        else:
            # An aggregate, or a type that ctypes knows and we don't. It may take registers from
            # what follows, or lie on the stack, aligned to 16.
            size = ctypes.sizeof(kind) if hasattr(kind, "_b_base_") or _sized(kind) else 16
            on_stack += (size + 15) // 16 * 16 + 8
            general = vector = 0
    return on_stack


def _sized(kind: Any) -> bool:
    try:
        ctypes.sizeof(kind)
    except TypeError:
        return False
    return True


class NativeFunction:
    """The function at `address`, callable from any thread; the GIL is released during the call.

    `restype` and `argtypes` are ctypes types (None: void); arguments are converted as ctypes does.
    `name` is for people. `keepalive` is anything that must live as long as this object: what pins
    the code. Raises, besides ctypes' own ArgumentError and TypeError, whatever made a function
    that the call led to unavailable.
    """

    __slots__ = (
        "__weakref__",
        "_arity",
        "_call",
        "_guard",
        "address",
        "argtypes",
        "keepalive",
        "name",
        "restype",
    )

    def __init__(
        self,
        address: int,
        restype: Any,
        argtypes: Sequence[Any] = (),
        *,
        name: str | None = None,
        keepalive: object = None,
    ) -> None:
        self.address = address
        self.restype = restype
        self.argtypes = tuple(argtypes)
        self.name = name if name is not None else f"{address:#x}"
        self.keepalive = keepalive
        self._arity = len(self.argtypes)
        prototype = ctypes.CFUNCTYPE(restype, *self.argtypes)
        self._guard = Guard(address, stack_bytes(restype, self.argtypes))
        self._call = prototype(self._guard.address)

    def __call__(self, *args: Any) -> Any:
        """Call the function. Raises a first call's failure where one was met."""
        if len(args) != self._arity:
            raise TypeError(f"{self.name} takes {self._arity} arguments, not {len(args)}")
        result = self._call(*args)
        if _pending.value:
            token = lib.lj_guard_take()
            if token:
                raise failures.exception(token)
        return result

    def __repr__(self) -> str:
        types = ", ".join(getattr(kind, "__name__", str(kind)) for kind in self.argtypes)
        result = getattr(self.restype, "__name__", str(self.restype))
        return f"<NativeFunction {self.name}({types}) -> {result} at {self.address:#x}>"
