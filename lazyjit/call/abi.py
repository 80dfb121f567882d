"""How values travel: the System V ABI for x86-64, as far as IR leaves it to the front end.

LLVM assigns registers to numbers and pointers by itself. A C structure is for the front end to take
apart (section 3.2.3 of the ABI): up to 16 bytes it travels in one or two *eightbytes*, each in a
general register, or in a vector register when it holds nothing but floating-point numbers; a larger
one, or one for which too few registers are left, travels in memory. A complex number is a structure
of two. A structure result of more than 16 bytes is written where a hidden first argument says.
"""

from __future__ import annotations

from lazyjit.call.signature import Signature
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
    memory_type,
    size_and_alignment,
)
from lazyjit.records import Record

__all__ = ["Lowered", "Way", "eightbytes", "first_class_type", "lower", "value_type"]

_GENERAL, _VECTOR = "i64", "double"


def value_type(kind: Scalar | Pointer) -> str:
    """The IR type of a number (not a complex one) or pointer that is passed by itself."""
    return "ptr" if isinstance(kind, Pointer) else kind.memory


def eightbytes(kind: Structure | Scalar) -> tuple[str, ...]:
    """The IR type that each eightbyte travels as; nothing if the value travels in memory."""
    if isinstance(kind, Scalar):  # complex
        return (_VECTOR,) * (kind.size // 8)
    size, _ = size_and_alignment(kind)
    if size > 16:
        return ()
    kinds = [_VECTOR] * -(-size // 8)
    for offset, leaf in leaves(kind):
        if isinstance(leaf, Pointer) or leaf.kind not in "fc":
            kinds[offset // 8] = _GENERAL
    return tuple(kinds)


def first_class_type(kind: Scalar | Structure | Block) -> str:
    """The IR type of a value that IR has as such."""
    if not isinstance(kind, Structure):
        return memory_type(kind)
    parts = []
    for each in kind.fields:
        if isinstance(each, Structure):
            parts.append(first_class_type(each))
        else:
            boolean = isinstance(each, Scalar) and each.kind == "b"
            parts.append("i1" if boolean else memory_type(each))
    return "{ " + ", ".join(parts) + " }"


class Way(Record):
    """How one argument or the result travels: the IR types of its pieces, in order.

    - "direct": one piece, the value itself
    - "pieces": the eightbytes of a structure or complex number
    - "memory": a pointer to it (`byval`, or as the hidden argument for a result)
    - "first class": one piece, an aggregate of IR
    """

    how: str
    types: tuple[str, ...]


class Lowered(Record):
    """A call as IR makes it."""

    result: Way
    arguments: tuple[Way, ...]
    #: An upper bound of what lies on the stack.
    stack_bytes: int


class _Registers:
    def __init__(self) -> None:
        self.general, self.vector, self.stack = 6, 8, 0

    def take(self, types: tuple[str, ...]) -> bool:
        """Whether there are registers for all of these, which are then taken."""
        vector = sum(each in (_VECTOR, "float") for each in types)
        general = len(types) - vector
        if general > self.general or vector > self.vector:
            return False
        self.general -= general
        self.vector -= vector
        return True

    def each(self, types: tuple[str, ...]) -> None:
        """Each of these in a register, or on the stack if there is none left."""
        for kind in types:
            if not self.take((kind,)):
                self.stack += 8

    def memory(self, size: int) -> None:
        self.stack += -(-size // 8) * 8


def lower(signature: Signature) -> Lowered:
    """How the call of a signature is made. Any thread."""
    registers = _Registers()
    result = _result(signature.result)
    if result.how == "memory":
        registers.take((_GENERAL,))
    if result.how == "first class":
        registers.general -= 1  # LLVM may add a hidden argument
    ways = []
    for argument in signature.arguments:
        way = _argument(argument.type, registers)
        ways.append(way)
    return Lowered(result, tuple(ways), registers.stack)


def _result(kind: Type) -> Way:
    if isinstance(kind, Void):
        return Way("direct", ("void",))
    if isinstance(kind, Block) or (isinstance(kind, Structure | Scalar) and kind.first_class):
        return Way("first class", (first_class_type(kind),))
    if isinstance(kind, Structure) or (isinstance(kind, Scalar) and kind.kind == "c"):
        pieces = eightbytes(kind)
        return Way("pieces", pieces) if pieces else Way("memory", ("ptr",))
    assert isinstance(kind, Scalar | Pointer)
    return Way("direct", (value_type(kind),))


def _parts(leaf: Scalar | Pointer) -> tuple[str, ...]:
    if isinstance(leaf, Scalar) and leaf.kind in "fc":
        return (_VECTOR,) * (2 if leaf.kind == "c" else 1)
    return (_GENERAL,)


def _argument(kind: Type, registers: _Registers) -> Way:
    if isinstance(kind, Array):
        count = len(kind.shape)
        extra = count * (int(kind.passes_shape) + int(kind.passes_strides))
        types = ("ptr", *[_GENERAL] * extra)
        registers.each(types)
        return Way("direct", types)
    if isinstance(kind, Structure | Scalar) and kind.first_class:
        registers.each(tuple(part for _, leaf in leaves(kind) for part in _parts(leaf)))
        return Way("first class", (first_class_type(kind),))
    if isinstance(kind, Structure) or (isinstance(kind, Scalar) and kind.kind == "c"):
        pieces = eightbytes(kind)
        if pieces and registers.take(pieces):
            return Way("pieces", pieces)
        registers.memory(size_and_alignment(kind)[0])
        return Way("memory", ("ptr",))
    if isinstance(kind, Out):
        registers.each(("ptr",))
        return Way("direct", ("ptr",))
    assert isinstance(kind, Scalar | Pointer)
    types = (value_type(kind),)
    registers.each(types)
    return Way("direct", types)
