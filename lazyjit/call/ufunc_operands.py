"""What a ufunc's operands are, and how each travels to and from the scalar function.

A function of numbers becomes a ufunc: its arguments are the inputs; what it returns, the fields of
a structure that it returns, and what it writes through `out` pointers are the outputs. A function
of a generalized ufunc takes pointers, sizes and strides, see `core_operands`.
"""

from __future__ import annotations

import re

import numpy as np

from lazyjit.call.abi import lower
from lazyjit.call.ir_head import Head
from lazyjit.call.signature import Signature
from lazyjit.call.types import Out, Scalar, Structure, Void, leaves, size_and_alignment
from lazyjit.errors import UsageError
from lazyjit.records import Record

__all__ = ["CoreSignature", "Operand", "Operands", "core_operands", "read_core", "scalar_operands"]

#: NumPy's NPY_MAXARGS before 2.0.
MOST = 32


class Operand(Record):
    """One operand: what it is in an array, and the IR type of it there."""

    dtype: np.dtype
    memory: str

    @property
    def size(self) -> int:
        """In bytes."""
        return self.dtype.itemsize


class CoreSignature(Record):
    """`(m,n),(n)->(m)`: the names of the core dimensions of each operand."""

    text: str
    inputs: tuple[tuple[str, ...], ...]
    outputs: tuple[tuple[str, ...], ...]

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Every dimension once, in the order of their first appearance."""
        return tuple(dict.fromkeys(name for each in self.inputs + self.outputs for name in each))


class Operands(Record):
    """What a loop works on, and how it calls the function.

    `passed` has the IR types of the call's pieces: for each argument of the function the operand
    and the (type, offset) pairs that make it up; `result` the pieces of what it returns, each with
    its offset, and `returned` the type of that as a whole.
    """

    inputs: tuple[Operand, ...]
    outputs: tuple[Operand, ...]
    #: For each argument: the number of an input, or (from len(inputs) on) of an output that it
    #: points to; and its pieces.
    passed: tuple[tuple[int, tuple[tuple[str, int], ...]], ...]
    returned: str
    result: tuple[tuple[str, int], ...]
    #: Bytes of the returned value, and the offset of each output in it.
    result_size: int
    result_outputs: tuple[int, ...]
    core: CoreSignature | None = None

    @property
    def all(self) -> tuple[Operand, ...]:
        """Inputs, then outputs."""
        return self.inputs + self.outputs


def _operand(kind: Scalar) -> Operand:
    return Operand(np.dtype("?" if kind.kind == "b" else kind.dtype), kind.memory)


def scalar_operands(name: str, signature: Signature, head: Head | None) -> Operands:
    """The operands of a function of numbers. Raises UsageError for any other."""
    lowered = lower(signature)
    if signature.fixed is not None:
        raise UsageError(f"{name} can't be a ufunc: it is variadic")
    inputs: list[Operand] = []
    pointed: list[Operand] = []
    passed: list[tuple[int, list[tuple[str, int]]]] = []
    types = [str(parameter.type) for parameter in head.parameters] if head is not None else None
    at = 0
    for argument, way in zip(signature.arguments, lowered.arguments, strict=True):
        kind = argument.type
        count = len(way.types)
        pieces = list(way.types) if types is None else types[at : at + count]
        at += count
        if isinstance(kind, Out) and isinstance(kind.target, Scalar):
            passed.append((-1 - len(pointed), [("ptr", 0)]))
            pointed.append(_operand(kind.target))
        elif isinstance(kind, Scalar) and way.how != "memory":
            passed.append((len(inputs), [(each, 8 * i) for i, each in enumerate(pieces)]))
            inputs.append(_operand(kind))
        else:
            raise UsageError(f"{name} can't be a ufunc: it takes {kind}, not a number")
    returned, result, size, outputs, offsets = _result(name, signature, head)
    if not inputs:
        raise UsageError(f"{name} can't be a ufunc: it takes no number")
    if not outputs and not pointed:
        raise UsageError(f"{name} can't be a ufunc: it gives no number")
    if len(inputs) + len(outputs) + len(pointed) > MOST:
        raise UsageError(f"{name} can't be a ufunc: it has more than {MOST} operands")
    first = len(inputs) + len(outputs)
    return Operands(
        tuple(inputs),
        (*outputs, *pointed),
        tuple((first - 1 - i if i < 0 else i, tuple(pieces)) for i, pieces in passed),
        returned,
        result,
        size,
        tuple(offsets),
    )


def _result(
    name: str, signature: Signature, head: Head | None
) -> tuple[str, tuple[tuple[str, int], ...], int, list[Operand], list[int]]:
    """What is returned: the type, its pieces, its size, the outputs in it with their offsets."""
    kind, way = signature.result, lower(signature).result
    if isinstance(kind, Void):
        return "void", (), 0, [], []
    fields: list[tuple[int, Scalar]] = []
    if isinstance(kind, Scalar):
        fields = [(0, kind)]
    elif isinstance(kind, Structure):
        fields = [(offset, leaf) for offset, leaf in leaves(kind) if isinstance(leaf, Scalar)]
        if len(fields) < len(leaves(kind)):
            raise UsageError(f"{name} can't be a ufunc: it returns {kind}, not numbers alone")
    else:
        raise UsageError(f"{name} can't be a ufunc: it returns {kind}, not a number")
    if way.how == "memory":
        raise UsageError(f"{name} can't be a ufunc: {kind} is too large; use 'out' arguments")
    size = size_and_alignment(kind)[0]
    outputs = [_operand(leaf) for _, leaf in fields]
    offsets = [offset for offset, _ in fields]
    if head is None:
        one = len(way.types) == 1
        returned = way.types[0] if one else f"{{ {', '.join(way.types)} }}"
        parts = [(each, 8 * i) for i, each in enumerate(way.types)]
    elif head.result.word == "struct":
        returned = str(head.result)
        step = [8 * i for i in range(len(head.result.parts))]
        if way.how == "first class":
            step = offsets if isinstance(kind, Structure) else [0, size // 2]
        if len(step) != len(head.result.parts):
            raise UsageError(f"{name} can't be a ufunc: it returns {head.result}")
        parts = [(str(part), at) for part, at in zip(head.result.parts, step, strict=True)]
    else:
        returned = str(head.result)
        parts = [(returned, 0)]
    return returned, tuple(parts), size, outputs, offsets


# Generalized ufuncs

_LIST = r"\(\s*(?:\w+\s*(?:,\s*\w+\s*)*)?\)"
_CORE = re.compile(rf"\s*{_LIST}\s*(?:,\s*{_LIST}\s*)*->\s*{_LIST}\s*(?:,\s*{_LIST}\s*)*")


def read_core(text: str) -> CoreSignature:
    """Read a signature such as "(m,n),(n)->(m)". Raises UsageError for what isn't one."""
    if not isinstance(text, str) or not _CORE.fullmatch(text):
        raise UsageError(f"{text!r} is not a signature of core dimensions, as '(n),(n)->()' is")
    left, _, right = text.partition("->")

    def side(words: str) -> tuple[tuple[str, ...], ...]:
        return tuple(tuple(re.findall(r"\w+", each)) for each in re.findall(r"\(([^)]*)\)", words))

    return CoreSignature(re.sub(r"\s+", "", text), side(left), side(right))


def core_operands(name: str, core: CoreSignature, types: str, head: Head | None) -> Operands:
    """The operands of a function of a generalized ufunc, of these types ("dd->d").

    The function returns nothing and takes: a pointer to each operand, inputs first; each core
    dimension's size, in the order of their first appearance; for each operand the stride in bytes
    of each of its core dimensions. Sizes and strides are i64. Raises UsageError where its head says
    something else.
    """
    left, arrow, right = types.partition("->")
    if not arrow or len(left) != len(core.inputs) or len(right) != len(core.outputs):
        raise UsageError(f"{types!r} does not name a type for each operand of {core.text}")
    operands = [_of_character(types, each) for each in left + right]
    if len(operands) > MOST:
        raise UsageError(f"{name} can't be a gufunc: it has more than {MOST} operands")
    numbers = len(core.dimensions) + sum(map(len, core.inputs + core.outputs))
    wanted = ["ptr"] * len(operands) + ["i64"] * numbers
    if head is not None:
        found = [str(parameter.type) for parameter in head.parameters]
        if found != wanted or head.result.word != "void" or head.variadic:
            raise UsageError(
                f"{name} is {head.result} ({', '.join(found)}); a gufunc of {core.text} needs"
                f" void ({', '.join(wanted)}): operands, core sizes, strides in bytes"
            )
    count = len(core.inputs)
    return Operands(tuple(operands[:count]), tuple(operands[count:]), (), "void", (), 0, (), core)


def _of_character(types: str, character: str) -> Operand:
    if character not in "?bBhHiIlLqQfdFD":
        raise UsageError(f"{types!r}: {character!r} is not a type of a generated loop")
    return Operand(np.dtype(character), "i8")
