"""Trampolines: Python callables as native code calls them.

    double @price(i32 %0, double %1)       ; by the signature double(int32, double)

A trampoline is a function of IR with the signature's own types. Where these are numbers and
pointers, it calls a ctypes callback of the same types. Else it stores its arguments into a block of
memory, eight bytes and more for each, and calls one of a single shape, with the block and a place
for the result:

    uint64_t entry(const void *arguments, void *result);

The callback takes the GIL, on a thread that Python has not seen before too. It
makes Python's objects of the block's bytes, calls, checks the result, and writes it. Should Python
raise, the exception is registered (`lazyjit.failures`) and its token returned, and the trampoline
surfaces it: the stack is unwound to the nearest guarded call (native/guard.h), whose Python caller
gets the very exception. By then the callback is over, so no frame of the interpreter is skipped.
Where no guarded call led, there is nobody to get it: `sys.unraisablehook` is told, and the
trampoline returns zero.
"""

from __future__ import annotations

import ctypes
import math
import operator
import struct
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, Final

from lazyjit import failures
from lazyjit.call.signature import Signature
from lazyjit.call.trampoline_text import plain_text, text_of
from lazyjit.call.typed import address_of
from lazyjit.call.types import (
    Array,
    Block,
    Out,
    Pointer,
    Scalar,
    Structure,
    Type,
    Void,
    leaves,
    size_and_alignment,
)
from lazyjit.errors import UsageError

__all__ = ["Trampoline"]

_Entry: Final = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_void_p, ctypes.c_void_p)

_LETTERS: Final = {"i": " bh i   q", "u": " BH I   Q", "f": "    f   d", "b": " ?"}


class Trampoline:
    """A way for native code to call `function`. It must outlive the code that `text` becomes.

    Raises UsageError for what a trampoline can't pass: variadic arguments, arrays whose extents
    nobody says, strings as results.
    """

    def __init__(self, name: str, function: Callable[..., Any], signature: Signature) -> None:
        """`name` is the function's in IR."""
        self.name = name
        self.function = function
        self.signature = signature
        self._arguments = _Arguments(signature)
        self._results = [_Result(kind, name) for kind in signature.results]
        self._own = 0 if isinstance(signature.result, Void) else 1
        plain = _plain_entry(name, function, signature)
        self._entry = _Entry(self._call) if plain is None else plain
        address = ctypes.cast(self._entry, ctypes.c_void_p).value or 0
        #: A module of IR with the trampoline.
        self.text = (text_of if plain is None else plain_text)(name, signature, address)

    def _call(self, arguments: int, result: int) -> int:
        # Whatever happens in Python becomes a token: ctypes would print it and go on.
        try:
            values, outs = self._arguments.read(arguments)
            self._give(self.function(*values), result, outs)
        except BaseException as error:
            return failures.register_once(error)
        return 0

    def _give(self, value: Any, result: int, outs: list[int]) -> None:
        places = [result, *outs] if self._own else outs
        if len(places) > 1:
            value = tuple(value)
            if len(value) != len(places):
                raise TypeError(f"{self.name} must return {len(places)} results, not {len(value)}")
            for each, one, place in zip(self._results, value, places, strict=True):
                each.write(one, place)
        elif places:
            self._results[0].write(value, places[0])


# The plain way: numbers and pointers, which ctypes knows

_CTYPES: Final = {
    "int8": ctypes.c_int8, "int16": ctypes.c_int16, "int32": ctypes.c_int32,
    "int64": ctypes.c_int64, "uint8": ctypes.c_uint8, "uint16": ctypes.c_uint16,
    "uint32": ctypes.c_uint32, "uint64": ctypes.c_uint64, "bool": ctypes.c_bool,
    "float": ctypes.c_float, "double": ctypes.c_double,
}  # fmt: skip


def _plain_entry(name: str, function: Callable[..., Any], signature: Signature) -> Any:
    """A callback of the signature's own types, a tenth of the other's cost; None if it has more
    than numbers and pointers."""
    types: list[Any] = []
    for kind in (signature.result, *(argument.type for argument in signature.arguments)):
        if isinstance(kind, Void):
            types.append(None)
        elif isinstance(kind, Pointer):
            types.append(ctypes.c_char_p if kind.text else ctypes.c_void_p)
        elif isinstance(kind, Scalar) and kind.name in _CTYPES:
            types.append(_CTYPES[kind.name])
        else:
            return None
    convert = _converter(signature.result, name)
    zero = None if types[0] is None else 0

    def entry(slot: int, *given: Any) -> Any:
        try:
            return convert(function(*given))
        except BaseException as error:
            ctypes.c_uint64.from_address(slot).value = failures.register_once(error)
            return zero

    return ctypes.CFUNCTYPE(types[0], ctypes.c_void_p, *types[1:])(entry)


def _converter(kind: Type, name: str) -> Callable[[Any], Any]:
    """What checks a result; the common type of Python passes at once."""
    if isinstance(kind, Void):
        return lambda value: None
    assert isinstance(kind, Scalar | Pointer)
    usual = kind.dtype if isinstance(kind, Scalar) else ""

    def convert(value: Any) -> Any:
        if type(value) is float and usual == "f8":
            return value
        return next(_flat(kind, value, name))

    return convert


class _Arguments:
    """Reads the block: where each argument lies, and what becomes of it."""

    def __init__(self, signature: Signature) -> None:
        if signature.fixed is not None:
            raise UsageError(f"{signature} is variadic, which a trampoline can't be")
        layout = "<"
        readers: list[tuple[Callable[[Iterator[Any]], Any], bool]] = []
        for argument in signature.arguments:
            kind = argument.type
            if isinstance(kind, Array):
                layout += "q" * _words(kind)
                readers.append((_array_reader(kind, str(argument)), False))
            elif isinstance(kind, Out):
                layout += "Q"
                readers.append((next, True))
            else:
                assert isinstance(kind, Scalar | Pointer | Structure)
                layout += _layout(kind)
                readers.append((_reader(kind), False))
        self._struct = struct.Struct(layout)
        self._readers = readers

    def read(self, address: int) -> tuple[list[Any], list[int]]:
        """The arguments that are Python's, and the addresses of those that are out."""
        values: list[Any] = []
        outs: list[int] = []
        raw = iter(self._struct.unpack(ctypes.string_at(address, self._struct.size)))
        for reader, out in self._readers:
            (outs if out else values).append(reader(raw))
        return values, outs


class _Result:
    """Writes one result."""

    def __init__(self, kind: Type, name: str) -> None:
        if isinstance(kind, Pointer) and kind.text:
            raise UsageError("a Python function can't return char*, which nobody would free: ptr")
        assert isinstance(kind, Scalar | Pointer | Structure | Block)
        self.kind = kind
        self.name = name
        if not isinstance(kind, Block):
            self._struct = struct.Struct("<" + _layout(kind, padded=False))

    def write(self, value: Any, place: int) -> None:
        kind = self.kind
        if isinstance(kind, Block):
            import numpy as np  # for arrays only: it takes a tenth of a second

            row = np.ascontiguousarray(value, kind.element.dtype.replace("b1", "?"))
            if row.shape != (kind.count,):
                raise ValueError(f"{self.name} must return {kind}, not an array of {row.shape}")
            data = row.tobytes()
        elif isinstance(kind, Structure) and kind.cls is not None and isinstance(value, kind.cls):
            data = bytes(value)
        else:
            data = self._struct.pack(*_flat(kind, value, self.name))
        ctypes.memmove(place, data, len(data))


# The layout of values


def _words(kind: Array) -> int:
    return 1 + len(kind.shape) * (int(kind.passes_shape) + int(kind.passes_strides))


def _letters(leaf: Scalar | Pointer) -> str:
    if isinstance(leaf, Pointer):
        return "Q"
    if leaf.kind == "c":
        return "ff" if leaf.size == 8 else "dd"
    return _LETTERS[leaf.kind][leaf.size]


def _layout(kind: Scalar | Pointer | Structure, *, padded: bool = True) -> str:
    """In the language of `struct`; `padded` to a multiple of eight bytes."""
    size, _ = size_and_alignment(kind)
    text, at = "", 0
    for offset, leaf in leaves(kind):
        text += f"{offset - at}x{_letters(leaf)}"
        at = offset + size_and_alignment(leaf)[0]
    return text + f"{(-(-size // 8) * 8 if padded else size) - at}x"


# From C to Python


def _reader(kind: Scalar | Pointer | Structure) -> Callable[[Iterator[Any]], Any]:
    if isinstance(kind, Structure):
        fields = [_reader(each) for each in kind.fields]
        if kind.cls is None:
            return lambda raw: tuple([field(raw) for field in fields])
        whole, cls = struct.Struct("<" + _layout(kind, padded=False)), kind.cls
        count = sum(len(_letters(leaf)) for _, leaf in leaves(kind))
        return lambda raw: cls.from_buffer_copy(whole.pack(*(next(raw) for _ in range(count))))
    if isinstance(kind, Pointer):
        if kind.text:
            return lambda raw: _string(next(raw))
        return lambda raw: next(raw) or None
    if kind.kind == "c":
        return lambda raw: complex(next(raw), next(raw))
    return next


def _string(address: int) -> bytes | None:
    return ctypes.string_at(address) if address else None


def _array_reader(kind: Array, shown: str) -> Callable[[Iterator[Any]], Any]:
    if None in kind.shape and not kind.passes_shape:
        raise UsageError(f"{shown!r}: a Python function needs the extents; say `shape`")
    import numpy as np  # for arrays only: it takes a tenth of a second

    dtype = np.dtype(kind.element.dtype.replace("b1", "?"))
    count = len(kind.shape)

    def read(raw: Iterator[Any]) -> Any:
        address = next(raw)
        shape: tuple[Any, ...] = kind.shape
        if kind.passes_shape:
            shape = tuple(next(raw) for _ in range(count))
        strides = tuple(next(raw) for _ in range(count)) if kind.passes_strides else None
        if not address:
            return None if kind.optional else np.empty((0,) * count, dtype)
        if strides is None and kind.order == "F":
            strides = tuple(dtype.itemsize * math.prod(shape[:i]) for i in range(count))
        memory = {
            "data": (address, kind.const),
            "shape": shape,
            "strides": strides,
            "typestr": dtype.str,
            "version": 3,
        }
        return np.asarray(SimpleNamespace(__array_interface__=memory))

    return read


# From Python to C


def _flat(kind: Scalar | Pointer | Structure, value: Any, name: str) -> Iterator[Any]:
    """The leaves of a result, as `struct` takes them. Raises TypeError, OverflowError."""
    if isinstance(kind, Structure):
        fields = tuple(value)
        if len(fields) != len(kind.fields):
            raise TypeError(f"{name} must return {kind}, not {len(fields)} values")
        for each, one in zip(kind.fields, fields, strict=True):
            yield from _flat(each, one, name)
    elif isinstance(kind, Pointer):
        address = 0 if value is None else address_of(value, kind)
        if address is None:
            raise TypeError(f"{name} must return {kind}, not {type(value).__name__}")
        yield address & 0xFFFF_FFFF_FFFF_FFFF
    elif kind.kind in "iu":
        try:
            number = operator.index(value)
        except TypeError:
            shown = type(value).__name__
            raise TypeError(f"{name} must return {kind}, not {shown}") from None
        low = -(1 << (8 * kind.size - 1)) if kind.kind == "i" else 0
        if not low <= number < low + (1 << 8 * kind.size):
            raise OverflowError(f"{name} returned {number}, which is no {kind}")
        yield number
    elif kind.kind == "b":
        yield bool(value)
    elif kind.kind == "c":
        pair = complex(value)
        yield pair.real
        yield pair.imag
    else:
        try:
            real = float(value)
        except TypeError:
            shown = type(value).__name__
            raise TypeError(f"{name} must return {kind}, not {shown}") from None
        # A double beyond float's range is C's infinity; struct would refuse it.
        yield ctypes.c_float(real).value if kind.size == 4 else real
