"""What typed callables need of native code that works on Python's own objects.

cffi lets go of the GIL around each call, which such functions must not; ctypes' PYFUNCTYPE keeps
it, and raises what they raise. `SYMBOLS` are also what generated code is linked against, and
`layout` tells it where things are inside the objects of this very build of Python.
"""

from __future__ import annotations

import ctypes
from typing import Any, Final

from lazyjit._native import check, ffi, lib, owned

__all__ = [
    "SYMBOLS",
    "CallCounter",
    "builtin",
    "close_gate",
    "layout",
    "new",
    "new_type",
    "open_gate",
    "use_numpy",
]


def _symbols() -> dict[str, int]:
    name = ffi.new("char **")
    found: dict[str, int] = {}
    while address := lib.lj_call_symbol(len(found), name):
        found[ffi.string(name[0]).decode()] = int(address)
    return found


#: Functions and objects by name.
SYMBOLS: Final = _symbols()

layout: Final[Any] = ffi.new("lj_call_layout *")
lib.lj_call_layout_get(layout)

_OBJECT = ctypes.py_object


def _function(name: str, result: Any, *arguments: Any) -> Any:
    return ctypes.PYFUNCTYPE(result, *arguments)(SYMBOLS[name])


_new_type = _function("lj_callable_type", _OBJECT, _OBJECT, ctypes.c_char_p)
_new = _function(
    "lj_callable_new", _OBJECT, _OBJECT, ctypes.c_void_p, _OBJECT, _OBJECT, _OBJECT, _OBJECT
)
_open = _function("lj_callable_open", None, _OBJECT, *[ctypes.c_uint64] * 3)
_turn = _function("lj_calls_turn", ctypes.c_int, ctypes.c_void_p, ctypes.c_int64)
_busy = _function("lj_calls_busy", ctypes.c_int64, ctypes.c_void_p)
_array_type = _function("lj_call_array_type", None, _OBJECT)

_builtin = _function("lj_callable_builtin", _OBJECT, _OBJECT)

#: What a callable keeps, given to the native functions; read by those that need it in Python.
behind: Final[Any] = _function("lj_callable_behind", _OBJECT, _OBJECT)

# The names of types must last as long as the types.
_type_names: Final[list[bytes]] = []


def new_type(base: type, name: str) -> Any:
    """A type derived from `base` whose instances Python calls by their gate (native/call.h)."""
    _type_names.append(name.encode())
    return _new_type(base, _type_names[-1])


def new(
    kind: Any,
    counter: CallCounter,
    behind: object,
    name: str,
    names: tuple[str, ...],
    defaults: tuple[Any, ...],
) -> Any:
    """An instance of such a type. Its first call makes `behind.prepare(itself)` first."""
    return _new(kind, counter.address, behind, name, names, defaults)


def open_gate(function: object, wrapper: int, target: int, quick: int = 0) -> None:
    """From now on calls run `quick`, if there is one, or `wrapper`; both call `target`."""
    _open(function, wrapper, target, quick)


def close_gate(function: object) -> None:
    """From now on calls run `behind.gone(function)`."""
    _open(function, 0, 0, 0)


def builtin(function: object) -> Any:
    """A builtin function that goes through the same gate."""
    return _builtin(function)


def use_numpy(array: type) -> None:
    """Tell what NumPy's class of arrays is."""
    _array_type(array)


class CallCounter:
    """Counts the calls of typed callables that are under way. Every method: any thread."""

    def __init__(self) -> None:
        """None are."""
        out = ffi.new("lj_calls **")
        check(lib.lj_calls_new(out))
        self._native = owned(out[0], lib.lj_calls_release)
        #: The native `lj_calls`.
        self.address = int(ffi.cast("uintptr_t", out[0]))

    def turn(self, epoch: int) -> bool:
        """Whether calls are under way. If so, `drained` is told `epoch` when they have left."""
        return bool(_turn(self.address, epoch))

    @property
    def busy(self) -> int:
        """Calls under way that began since the last turn."""
        return int(_busy(self.address))


def on_drained(function: Any) -> None:
    """Have `function(address of a counter, epoch)` called when an epoch's last call has left.

    By the thread that made the call. Once in a process; the function must never go.
    """
    _function("lj_calls_on_drained", None, _OBJECT)(function)
