"""Signatures from what Python programs already have: ctypes types, and annotated functions.

    jit.callable("norm", (ctypes.c_double, [ctypes.c_double, ctypes.c_double]))
    jit.callable("norm", ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double, ctypes.c_double))

    def scale(x: "double[:]", by: float = 2.0) -> None: "Multiply in place."
    jit.callable("scale", scale)

A *stub* function lends its names of arguments, defaults and docstring; its body is never run. As an
annotation, `float` is a double, `int` an int64, `complex` a complex128; a str is a type of the
signature language, where `float` is C's, of 32 bits; `tuple[...]` is the result of several.
"""

from __future__ import annotations
import __future__

import ctypes
import inspect
import sys
import typing
from _ctypes import CFuncPtr, _Pointer
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from lazyjit.call.signature import Signature, parse, parse_type
from lazyjit.call.types import (
    SCALARS,
    VOID,
    Argument,
    Pointer,
    Scalar,
    Structure,
    Type,
    Void,
    size_and_alignment,
)
from lazyjit.errors import UsageError

__all__ = ["Described", "describe", "from_ctypes"]


class Described(NamedTuple):
    """A signature, and what a stub says besides."""

    signature: Signature
    doc: str | None = None
    defaults: tuple[Any, ...] = ()


def describe(given: object) -> Described:
    """A signature in any of its forms. Raises UsageError for what is none. Any thread."""
    if isinstance(given, Signature):
        return Described(given)
    if isinstance(given, str):
        return Described(parse(given))
    if isinstance(given, type) and issubclass(given, CFuncPtr):
        arguments = getattr(given, "_argtypes_", None)
        return Described(_from_types(getattr(given, "_restype_", None), arguments or ()))
    if isinstance(given, tuple | list) and len(given) == 2 and isinstance(given[1], tuple | list):
        return Described(_from_types(given[0], given[1]))
    if inspect.isfunction(given):
        return _from_stub(given)
    raise UsageError(
        "a signature is a str, ctypes types (result, [arguments]), or an annotated function,"
        f" not {given!r}"
    )


def _from_types(result: Any, arguments: Sequence[Any]) -> Signature:
    return Signature(from_ctypes(result), tuple(Argument(from_ctypes(each)) for each in arguments))


# ctypes

_CODES: Final = {
    "?": "bool",
    "c": "uint8",
    "b": "int8",
    "B": "uint8",
    "h": "int16",
    "H": "uint16",
    "i": "int32",
    "I": "uint32",
    "l": "int64",
    "L": "uint64",
    "q": "int64",
    "Q": "uint64",
    "f": "float",
    "d": "double",
}


def from_ctypes(kind: Any) -> Type:
    """The type that a ctypes type (None: void) is. Raises UsageError for those that we lack."""
    if kind is None:
        return VOID
    if not isinstance(kind, type):
        raise UsageError(f"{kind!r} is not a ctypes type")
    if issubclass(kind, ctypes.Structure):
        return _structure(kind)
    if issubclass(kind, _Pointer):
        target = from_ctypes(kind._type_)
        if isinstance(target, Scalar | Structure):
            return Pointer(target, cls=kind)
        return Pointer(cls=kind)
    if issubclass(kind, CFuncPtr):
        return Pointer(cls=kind)
    code = getattr(kind, "_type_", None)
    if code == "z":
        return Pointer(text=True)
    if code in ("P", "Z"):
        return Pointer()
    if isinstance(code, str) and code in _CODES:
        return SCALARS[_CODES[code]]
    raise UsageError(f"{kind.__name__} can't be passed")


def _structure(cls: Any) -> Structure:
    fields: list[Scalar | Pointer | Structure] = []
    for base in reversed(cls.__mro__):
        for field in base.__dict__.get("_fields_", ()):
            if len(field) > 2:
                raise UsageError(f"{cls.__name__} has bit fields, which can't be passed")
            kind = field[1]
            count = 1
            while issubclass(kind, ctypes.Array):
                count *= kind._length_
                kind = kind._type_
            each = from_ctypes(kind)
            assert isinstance(each, Scalar | Pointer | Structure)
            fields += [each] * count
    structure = Structure(tuple(fields), cls=cls)
    if not fields or size_and_alignment(structure)[0] != ctypes.sizeof(cls):
        raise UsageError(f"{cls.__name__} has a layout that is not C's, and can't be passed")
    return structure


# Annotated functions

_PYTHON: Final[dict[Any, str]] = {
    float: "double",
    int: "int64",
    bool: "bool",
    complex: "complex128",
    bytes: "char*",
    str: "char*",
}


def _from_stub(stub: Callable[..., Any]) -> Described:
    name = stub.__name__
    # With "from __future__ import annotations", "float" was written as float.
    future = bool(stub.__code__.co_flags & __future__.annotations.compiler_flag)
    try:
        written = inspect.signature(stub, eval_str=future)
    except Exception as error:
        raise UsageError(f"the annotations of {name} can't be evaluated: {error}") from error
    arguments, defaults = [], []
    for parameter in written.parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise UsageError(f"{name} can't have *{parameter.name}")
        if parameter.annotation is parameter.empty:
            raise UsageError(f"argument {parameter.name!r} of {name} has no annotation")
        kind = _from_annotation(parameter.annotation)
        arguments.append(Argument(kind, parameter.name))
        if parameter.default is not parameter.empty:
            defaults.append(parameter.default)
        elif defaults:
            raise UsageError(f"argument {parameter.name!r} of {name} follows one with a default")
    result: Type = VOID
    if written.return_annotation is not written.empty:
        result = _from_annotation(written.return_annotation)
    return Described(Signature(result, tuple(arguments)), inspect.getdoc(stub), tuple(defaults))


def _from_annotation(annotation: Any) -> Type:
    if annotation is None or annotation is type(None):
        return VOID
    if isinstance(annotation, str):
        return parse_type(annotation)
    if isinstance(annotation, Void | Scalar | Pointer | Structure) or not isinstance(
        annotation, type
    ):
        if typing.get_origin(annotation) is tuple:
            return _tuple(annotation)
        if isinstance(annotation, typing.get_args(Type)):
            return annotation  # type: ignore[no-any-return]  # one of ours
        raise UsageError(f"{annotation!r} is not a type that can be passed")
    if typing.get_origin(annotation) is tuple:  # tuple[...] is a type to Python 3.10
        return _tuple(annotation)
    if annotation in _PYTHON:
        return parse_type(_PYTHON[annotation])
    numpy = sys.modules.get("numpy")  # who has a type of its has imported it
    if issubclass(annotation, getattr(numpy, "generic", ())):
        name = sys.modules["numpy"].dtype(annotation).name
        if name in SCALARS and name != "float":
            return SCALARS[name]
    return from_ctypes(annotation)


def _tuple(annotation: Any) -> Structure:
    fields = []
    for each in typing.get_args(annotation):
        kind = _from_annotation(each)
        if not isinstance(kind, Scalar | Pointer | Structure):
            raise UsageError(f"{kind} can't be in a tuple")
        fields.append(kind)
    if not fields:
        raise UsageError("a tuple of results has at least one")
    return Structure(tuple(fields))
