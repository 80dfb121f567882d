"""Signatures: what a function takes and gives, and the language that says it.

    void(double a, const double[:] x, double[:] y, int64 n)
    {double, int32}(complex128, double[3])
    double(double[:, :] shape strides)
    void(double angle, out double sine, out double cosine)
    int32(char*, ..., double)

A signature is a result, and arguments in parentheses, each with a name or without.

- Numbers are C's and NumPy's: `int8` to `uint64`, `int`, `long`, `size_t`, `float` (32 bits),
  `double`, `bool`, `complex64`, `complex128`, ...
- `ptr` is an address, `double*` one of a certain type, `char*` a string that ends in a NUL.
- `double[:]` is an array, of which the callee gets the address; `[:, 3]` has two dimensions,
  the second of three elements. It must be C-contiguous, or after `fortran` in that order, or after
  `any` in no order. It must be writable unless it is `const`. `?` after the brackets lets None
  through, as a null pointer. After `shape` the extents follow as int64, after `strides` the strides
  in bytes (and the layout is free).
- `{double, int32}` is a structure by value, a tuple to Python; `double[3]` as a result is an array.
- What is `out` is not an argument in Python but a result: the callee gets an address to write to.
  Several results are a tuple, the function's own the first.
- After `...` come the variadic arguments of one certain use of a variadic function.
"""

from __future__ import annotations

import re
from typing import Any, Final, Literal

from lazyjit.call.types import (
    SCALARS,
    VOID,
    Argument,
    Array,
    Block,
    Out,
    Pointer,
    Scalar,
    Structure,
    Type,
    Void,
    size_and_alignment,
)
from lazyjit.errors import UsageError
from lazyjit.records import Record, replace

__all__ = ["MOST_DIMENSIONS", "Signature", "parse"]

#: Dimensions that an array can have, and bytes that a structure or block by value can have.
MOST_DIMENSIONS: Final = 8
_MOST_BYTES: Final = 4096


class Signature(Record):
    """A function's result and arguments. Immutable; any thread."""

    result: Type
    arguments: tuple[Argument, ...]
    #: How many of the arguments are fixed, of a variadic function.
    fixed: int | None = None

    def __post_init__(self) -> None:
        check(self)

    @property
    def inputs(self) -> tuple[Argument, ...]:
        """What Python passes: all arguments but the `out` ones."""
        return tuple(a for a in self.arguments if not isinstance(a.type, Out))

    @property
    def results(self) -> tuple[Type, ...]:
        """What Python gets: the result unless it is void, and what the `out` arguments are of."""
        own = () if isinstance(self.result, Void) else (self.result,)
        return (*own, *(a.type.target for a in self.arguments if isinstance(a.type, Out)))

    def named(self, names: tuple[str, ...]) -> Signature:
        """The same with these argument names, where it has none."""
        if len(names) != len(self.arguments):
            return self
        named = tuple(
            replace(argument, name=argument.name or name)
            for argument, name in zip(self.arguments, names, strict=True)
        )
        if len({a.name for a in named if a.name}) < sum(1 for a in named if a.name):
            return self
        return replace(self, arguments=named)

    def __str__(self) -> str:
        words = list(map(str, self.arguments))
        if self.fixed is not None:
            words.insert(self.fixed, "...")
        return f"{self.result}({', '.join(words)})"


def check(signature: Signature) -> None:
    """Raise UsageError for what can't be called."""
    if isinstance(signature.result, Array | Out):
        raise UsageError(f"a function can't return {signature.result}; give the number of elements")
    names = [argument.name for argument in signature.arguments if argument.name]
    for argument in signature.arguments:
        if isinstance(argument.type, Void | Block):
            raise UsageError(f"an argument can't be {argument.type}")
    if len(set(names)) < len(names):
        raise UsageError(f"two arguments have one name in {', '.join(names)}")
    if len(signature.arguments) > 255:
        raise UsageError(f"{len(signature.arguments)} arguments are more than 255")
    for kind in (signature.result, *(argument.type for argument in signature.arguments)):
        whole = kind.target if isinstance(kind, Out) else kind
        if isinstance(whole, Structure | Block) and size_and_alignment(whole)[0] > _MOST_BYTES:
            raise UsageError(f"{kind} has more than {_MOST_BYTES} bytes")


_TOKEN = re.compile(r"\s*(\.\.\.|[A-Za-z_]\w*|\d+|[(){}\[\],:*?])")

#: C's names of numbers that are several words.
_SEVERAL = frozenset(
    {"unsigned", "signed", "long", "short", "int", "char", "double"}
    | {"complex", "float", "_Complex"}
)


class _Reader:
    """Reads the language by recursive descent."""

    def __init__(self, text: str, structures: dict[str, Structure]) -> None:
        self.text = text
        self.structures = structures
        self.tokens: list[str] = []
        at = 0
        text = text.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise self.error(f"{text[at:].strip()[:1]!r} is not part of one")
            self.tokens.append(match[1])
            at = match.end()
        self.at = 0

    def error(self, why: str) -> UsageError:
        return UsageError(f"{self.text!r} is not a signature: {why}")

    @property
    def next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, token: str) -> bool:
        if self.next != token:
            return False
        self.at += 1
        return True

    def expect(self, token: str) -> None:
        if not self.take(token):
            raise self.error(f"{token!r} is missing before {self.next or 'the end'!r}")

    def signature(self) -> Signature:
        result = self.type(result=True)
        self.expect("(")
        arguments: list[Argument] = []
        fixed = None
        if not self.take(")"):
            while True:
                if self.take("..."):
                    fixed = len(arguments)
                else:
                    arguments.append(self.argument())
                if self.take(")"):
                    break
                self.expect(",")
        self.end()
        if [str(each) for each in arguments] == ["void"]:
            arguments = []  # as in C
        return Signature(result, tuple(arguments), fixed)

    def end(self) -> None:
        if self.next:
            raise self.error(f"{self.next!r} follows it")

    def argument(self) -> Argument:
        kind = self.type()
        name = ""
        if re.match(r"[A-Za-z_]", self.next):
            name = self.tokens[self.at]
            self.at += 1
        return Argument(kind, name)

    def type(self, *, result: bool = False) -> Type:
        const = out = False
        while self.next in ("const", "out"):
            const, out = const or self.next == "const", out or self.next == "out"
            self.at += 1
        kind = self.plain()
        const = self.take("const") or const
        while self.take("*"):
            if isinstance(kind, Pointer):
                kind = Pointer()
            elif kind is self.char:
                kind = Pointer(text=True)
            else:
                kind = Pointer(None if isinstance(kind, Void) else kind)
            self.take("const")
        if self.next == "[":
            if not isinstance(kind, Scalar):
                raise self.error(f"{kind} can't be the element of an array")
            whole: Void | Scalar | Pointer | Structure | Array | Block = self.array(
                kind, const, block=result or out
            )
        else:
            whole = kind
        if not out:
            return whole
        if isinstance(whole, Void | Array):
            raise self.error(f"{whole} can't be out")
        return Out(whole)

    def plain(self) -> Void | Scalar | Pointer | Structure:
        if self.take("{"):
            fields: list[Scalar | Pointer | Structure] = []
            while True:
                each = self.type()
                if not isinstance(each, Scalar | Pointer | Structure):
                    raise self.error(f"{each} can't be a field")
                fields.append(each)
                if self.take("}"):
                    return Structure(tuple(fields))
                self.expect(",")
        word = self.next
        if not re.match(r"[A-Za-z_]", word):
            raise self.error(f"a type is missing before {word or 'the end'!r}")
        self.at += 1
        if word == "void":
            return VOID
        if word == "ptr":
            return Pointer()
        if word == "char" and self.next == "*":
            return self.char
        if word in self.structures:
            return self.structures[word]
        if word in _SEVERAL:
            words = [word]
            while self.next in _SEVERAL:
                words.append(self.next)
                self.at += 1
            word = _in_one_word(words)
        number = SCALARS.get(word)
        if number is None:
            raise self.error(f"{word!r} is not a type")
        return number

    #: What `char` is before a star; anywhere else it is a number.
    char: Final = Scalar("char", "u", 1)

    def array(self, element: Scalar, const: bool, *, block: bool) -> Array | Block:
        self.expect("[")
        shape: list[int | None] = []
        while True:
            if self.take(":"):
                shape.append(None)
            elif self.next.isdigit():
                shape.append(int(self.next))
                self.at += 1
            else:
                raise self.error(f"':' or a number is missing before {self.next or 'the end'!r}")
            if self.take("]"):
                break
            self.expect(",")
        if len(shape) > MOST_DIMENSIONS:
            raise self.error(f"{len(shape)} dimensions are more than {MOST_DIMENSIONS}")
        if block:
            if len(shape) != 1 or shape[0] is None or not shape[0]:
                raise self.error("an array that the callee makes has one dimension and a length")
            return Block(element, shape[0])
        optional = self.take("?")
        words = []
        while self.next in ("fortran", "any", "shape", "strides"):
            words.append(self.next)
            self.at += 1
        order: Literal["C", "F", "A"] = "C"
        if "fortran" in words:
            order = "F"
        elif "any" in words or "strides" in words:
            order = "A"
        return Array(
            element, tuple(shape), const, order, "shape" in words, "strides" in words, optional
        )


def _in_one_word(words: list[str]) -> str:
    """`long unsigned int` -> `unsigned_long`, as SCALARS has it."""
    if len(words) == 1:
        return words[0]
    rest = [word for word in words if word not in ("int", "signed", "unsigned")]
    if words.count("long") == 2:
        rest = ["long"]
    elif "complex" in words or "_Complex" in words:
        part = "float" if "float" in words else "double"
        return f"{part}_complex"
    if "unsigned" in words:
        return "_".join(["unsigned", *(rest or ["int"])])
    if rest == ["char"]:
        return "signed_char"
    return "_".join(rest or ["int"])


def parse(text: str, structures: dict[str, Any] | None = None) -> Signature:
    """Read a signature. Any thread. Raises UsageError for what isn't one."""
    return _Reader(text, structures or {}).signature()


def parse_type(text: str) -> Type:
    """Read one type, as it may stand for an argument. Raises UsageError."""
    reader = _Reader(text, {})
    kind = reader.type()
    reader.end()
    return kind
