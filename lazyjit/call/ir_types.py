"""A function's type as its IR says it, and how a signature fits it.

IR has no signs and no arrays: an integer is taken as signed (unless `zeroext` says otherwise), a
pointer as an address. That is enough for functions of numbers; whoever passes arrays gives a
signature. One that is given is held against the head: a slip is an error and not a crash.

IR's aggregates are not C's structures. `define {float, float} @f()` returns in two registers, and a
C compiler returns a structure of two floats in one. When the head has the aggregate itself, the
structure of the signature is taken as one of IR (`first_class`).
"""

from __future__ import annotations

import re
from typing import Final

from lazyjit.call.abi import Way, lower
from lazyjit.call.ir_head import Head, IRType
from lazyjit.call.signature import Signature
from lazyjit.call.types import (
    SCALARS,
    VOID,
    Argument,
    Block,
    Out,
    Pointer,
    Scalar,
    Structure,
    Type,
    leaves,
)
from lazyjit.errors import UsageError
from lazyjit.records import replace

__all__ = ["fit", "signature_of"]


# From a head to a signature

_INTEGERS: Final = {f"i{bits}": bits // 8 for bits in (8, 16, 32, 64)}


def _plain(kind: IRType, attributes: frozenset[str]) -> Scalar | Pointer | None:
    if kind.word == "i1":
        return SCALARS["bool"]
    if kind.word in _INTEGERS:
        sign = "uint" if "zeroext" in attributes else "int"
        return SCALARS[f"{sign}{8 * _INTEGERS[kind.word]}"]
    if kind.word in ("float", "double"):
        return SCALARS[kind.word]
    return Pointer() if kind.word == "ptr" else None


def _whole(
    kind: IRType, attributes: frozenset[str], first_class: bool = True
) -> Scalar | Pointer | Structure | None:
    if kind.word != "struct":
        return _plain(kind, attributes)
    fields = [_whole(part, frozenset(), first_class) for part in kind.parts]
    known = [each for each in fields if each is not None]
    if len(known) < len(fields) or not fields:
        return None
    return Structure(tuple(known), first_class)


def _refuse(name: str, what: str) -> UsageError:
    return UsageError(f"{name} can't be called without a signature: {what}")


def signature_of(head: Head, name: str) -> Signature:
    """What a head says by itself. Raises UsageError for types that Python has nothing for."""
    _check_convention(head, name)
    if head.variadic:
        raise _refuse(name, "it is variadic")
    arguments: list[Argument] = []
    result: Type | None = VOID
    for parameter in head.parameters:
        kind: Type | None = _whole(parameter.type, parameter.attributes)
        if "sret" in parameter.attributes and parameter.pointed is not None:
            result = _whole(parameter.pointed, frozenset(), False)
            if result is None:
                raise _refuse(name, f"it returns {parameter.pointed}")
            continue
        if "byval" in parameter.attributes and parameter.pointed is not None:
            kind = _whole(parameter.pointed, frozenset(), False)
            if kind is not None and not isinstance(kind, Structure):
                kind = None
        if kind is None:
            raise _refuse(name, f"it takes {parameter.pointed or parameter.type}")
        arguments.append(Argument(kind, parameter.name))
    if head.result.word != "void":
        result = _whole(head.result, head.result_attributes)
        if head.result.word == "array":
            element = _plain(head.result.parts[0], frozenset())
            if isinstance(element, Scalar) and head.result.count:
                result = Block(element, head.result.count)
        if result is None:
            raise _refuse(name, f"it returns {head.result}")
    assert result is not None
    return Signature(result, tuple(arguments))


def _check_convention(head: Head, name: str) -> None:
    if head.convention not in ("ccc", "cc 0", "x86_64_sysvcc"):
        raise UsageError(f"{name} has the calling convention {head.convention}, not C's")


# A signature held against a head


def fit(signature: Signature, head: Head, name: str) -> Signature:
    """The signature with what the head tells about aggregates and names of arguments.

    Raises UsageError where the two can't be of one function.
    """
    _check_convention(head, name)
    result = signature.result
    if isinstance(result, Structure | Scalar) and head.result.word == "struct":
        as_c = lower(signature).result
        if not _returns(as_c, head.result) and _same_leaves(result, head.result):
            result = replace(result, first_class=True)
    arguments = []
    parameters = list(head.parameters)
    if parameters and "sret" in parameters[0].attributes:
        parameters.pop(0)
    at = 0
    for argument in signature.arguments:
        kind = argument.type
        there = parameters[at].type if at < len(parameters) else None
        if isinstance(kind, Structure | Scalar) and there is not None and there.word == "struct":
            kind = replace(kind, first_class=_same_leaves(kind, there))
        arguments.append(replace(argument, type=kind))
        way = lower(replace(signature, result=VOID, arguments=tuple(arguments))).arguments[-1]
        at += len(way.types)
    fitted = replace(signature, result=result, arguments=tuple(arguments))
    _check(fitted, head, name)
    if len(head.parameters) == len(fitted.arguments):
        fitted = fitted.named(tuple(parameter.name for parameter in head.parameters))
    return fitted


def _check(signature: Signature, head: Head, name: str) -> None:
    lowered = lower(signature)
    wrong = UsageError(f"{name} is {_spell(head)} in IR, which is not {signature}")
    parameters = list(head.parameters)
    if lowered.result.how == "memory":
        if not parameters or "sret" not in parameters[0].attributes:
            raise wrong
        parameters.pop(0)
    elif not _returns(lowered.result, head.result):
        raise wrong
    ways = lowered.arguments
    if head.variadic:
        if signature.fixed is None:
            raise UsageError(f"{name} is variadic: its signature needs '...'")
        ways = ways[: signature.fixed]
    elif signature.fixed is not None:
        raise wrong
    wanted = [(way.how, each) for way in ways for each in way.types]
    if len(wanted) != len(parameters):
        raise wrong
    for (how, each), parameter in zip(wanted, parameters, strict=True):
        if how == "memory":
            if "byval" not in parameter.attributes:
                raise wrong
        elif not _takes(how, each, parameter.type):
            raise wrong
    for argument in signature.arguments:
        if isinstance(argument.type, Out) and head.result.word == "opaque":
            raise wrong


def _takes(how: str, piece: str, kind: IRType) -> bool:
    if how == "first class":
        return kind.word == "struct"
    if how == "pieces":
        return _class(piece) == _class(str(kind))
    if {piece, kind.word} == {"ptr", "i64"}:
        return True  # the same register, and some front ends know only integers
    return piece == kind.word or (piece == "i8" and kind.word == "i1")


def _class(word: str) -> str:
    return "general" if word == "ptr" or re.fullmatch(r"i\d+", word) else "vector"


def _returns(way: Way, kind: IRType) -> bool:
    if way.how == "first class":
        return kind.word in ("struct", "array")
    if way.how == "memory":
        return kind.word == "void"
    parts = kind.parts if kind.word == "struct" else (kind,)
    return len(parts) == len(way.types) and all(
        _takes(way.how, piece, part) for piece, part in zip(way.types, parts, strict=True)
    )


def _same_leaves(kind: Structure | Scalar, there: IRType) -> bool:
    flat = _flat(there)
    ours: list[str] = []
    for _, leaf in leaves(kind):
        if isinstance(leaf, Scalar) and leaf.kind == "c":
            ours += ["float" if leaf.size == 8 else "double"] * 2
        else:
            ours.append("ptr" if isinstance(leaf, Pointer) else leaf.memory)
    return len(flat) == len(ours) and all(
        _takes("direct", piece, part) for piece, part in zip(ours, flat, strict=True)
    )


def _flat(kind: IRType) -> list[IRType]:
    if kind.word != "struct":
        return [kind]
    return [each for part in kind.parts for each in _flat(part)]


def _spell(head: Head) -> str:
    parameters = [str(parameter.type) for parameter in head.parameters]
    if head.variadic:
        parameters.append("...")
    return f"{head.result} ({', '.join(parameters)})"
