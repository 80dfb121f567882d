"""A function's type as its IR says it, and how a signature fits it.

Of a definition only the head is read: `define <attributes> <result> @f(<parameters>) ...`. IR has
no signs and no arrays: an integer is taken as signed (unless `zeroext` says otherwise), a
pointer as an address. That is enough for functions of numbers; whoever passes arrays gives a
signature. One that is given is held against the head: a slip is an error and not a crash.

IR's aggregates are not C's structures. `define {float, float} @f()` returns in two registers, and a
C compiler returns a structure of two floats in one. When the head has the aggregate itself, the
structure of the signature is taken as one of IR (`first_class`).
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from lazyjit.call.abi import Way, lower
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

__all__ = ["Head", "Parameter", "fit", "read_head", "signature_of"]


@dataclass(frozen=True)
class IRType:
    """A type of IR: `word` is i32, double, ptr, void, ..., or struct, array, vector with parts."""

    word: str
    parts: tuple[IRType, ...] = ()
    count: int = 0

    def __str__(self) -> str:
        inner = ", ".join(map(str, self.parts))
        if self.word == "struct":
            return f"{{ {inner} }}"
        if self.word == "array":
            return f"[{self.count} x {inner}]"
        if self.word == "vector":
            return f"<{self.count} x {inner}>"
        return self.word


@dataclass(frozen=True)
class Parameter:
    """One parameter: its type, attributes, and name ("" without one that Python can have)."""

    type: IRType
    attributes: frozenset[str]
    name: str
    #: What `byval` or `sret` says is pointed to.
    pointed: IRType | None = None


@dataclass(frozen=True)
class Head:
    """The head of a definition."""

    result: IRType
    result_attributes: frozenset[str]
    parameters: tuple[Parameter, ...]
    variadic: bool
    convention: str


_TOKEN = re.compile(
    rb'\s+|;[^\n]*|(%"[^"]*"|@"[^"]*"|c?"[^"]*"|[%@!#$]?[-\w.$]+|\.\.\.|[(){}\[\]<>,=*!#])'
)
_SIMPLE = re.compile(r"i\d+|void|half|bfloat|float|double|fp128|x86_fp80|ppc_fp128|ptr|x86_amx")
_BEFORE_TYPE = frozenset(
    {
        *("define", "declare", "private", "internal", "available_externally", "linkonce", "weak"),
        *("common", "appending", "extern_weak", "linkonce_odr", "weak_odr", "external"),
        *("default", "hidden", "protected", "dllimport", "dllexport"),
        *("dso_local", "dso_preemptable", "unnamed_addr", "local_unnamed_addr"),
    }
)


class _Reader:
    def __init__(self, source: bytes, types: Callable[[], bytes]) -> None:
        self.source = source
        self.types = types
        self.tokens = _tokens(source)
        self.at = 0
        self.depth = 0

    @property
    def next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, token: str) -> bool:
        if self.next != token:
            return False
        self.at += 1
        return True

    def word(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1] if self.at <= len(self.tokens) else ""

    def head(self) -> Head:
        convention = "ccc"
        while True:
            word = self.next
            if word in _BEFORE_TYPE:
                self.at += 1
            elif word == "cc":
                self.at += 2
                convention = f"cc {self.tokens[self.at - 1]}"
            elif word.endswith("cc") and word.isidentifier():
                convention = self.word()
            else:
                break
        attributes, _ = self.attributes()
        result = self.type()
        self.word()  # the function's name
        self.expect("(")
        parameters: list[Parameter] = []
        variadic = False
        while not self.take(")"):
            if self.take("..."):
                variadic = True
            else:
                parameters.append(self.parameter())
            self.take(",")
        return Head(result, attributes, tuple(parameters), variadic, convention)

    def expect(self, token: str) -> None:
        if not self.take(token):
            raise UsageError(f"the head of a function can't be read at {self.next!r}")

    def parameter(self) -> Parameter:
        kind = self.type()
        attributes, pointed = self.attributes()
        name = self.word()[1:] if self.next.startswith("%") else ""
        if not name.isidentifier() or keyword.iskeyword(name):
            name = ""
        return Parameter(kind, attributes, name, pointed)

    def attributes(self) -> tuple[frozenset[str], IRType | None]:
        found, pointed = set(), None
        while re.fullmatch(r"[a-z_]\w*|\"[^\"]*\"", self.next) and not _SIMPLE.fullmatch(self.next):
            word = self.word()
            found.add(word)
            if self.take("=") or (word == "align" and self.next.isdigit()):
                self.word()
            elif self.take("("):
                if word in ("byval", "sret", "byref", "inalloca", "elementtype", "preallocated"):
                    pointed = self.type()
                depth = 1
                while depth and self.at < len(self.tokens):
                    depth += {"(": 1, ")": -1}.get(self.word(), 0)
        return frozenset(found), pointed

    def type(self) -> IRType:
        word = self.word()
        if word == "{" or (word == "<" and self.next == "{"):
            packed = word == "<"
            if packed:
                self.word()
            parts = []
            while not self.take("}"):
                parts.append(self.type())
                self.take(",")
            if packed:
                self.expect(">")
                return IRType("packed", tuple(parts))
            return IRType("struct", tuple(parts))
        if word in ("[", "<"):
            count = self.word()
            if not count.isdigit():  # vscale
                return IRType("scalable")
            self.expect("x")
            part = self.type()
            self.expect("]" if word == "[" else ">")
            return IRType("array" if word == "[" else "vector", (part,), int(count))
        if word.startswith("%"):
            return self.named(word)
        if word == "ptr" and self.next == "addrspace":
            self.at += 4
            return IRType("ptr addrspace")
        return IRType(word)

    def named(self, name: str) -> IRType:
        """What a named type stands for."""
        pattern = rb"^\s*" + re.escape(name.encode()) + rb"\s*=\s*type\s+(.*)$"
        match = re.search(pattern, self.types(), re.MULTILINE)
        if match is None or self.depth > 16:
            return IRType("opaque")
        inner = _Reader(match[1], self.types)
        inner.depth = self.depth + 1
        return inner.type()


def _tokens(source: bytes) -> list[str]:
    # The head ends before the body; what follows costs nothing.
    found, at, depth, seen = [], 0, 0, False
    while at < len(source):
        match = _TOKEN.match(source, at)
        if match is None:
            break
        at = match.end()
        if match[1] is None:
            continue
        token = match[1].decode("utf-8", "replace")
        if depth == 0 and seen and token == "{":
            break
        found.append(token)
        if token in "([":
            depth += 1
        elif token in ")]":
            depth -= 1
        seen = seen or token.startswith("@")
    return found


def read_head(source: bytes, types: Callable[[], bytes]) -> Head:
    """The head of a definition. `types` gives the definitions of named types, if there are any."""
    return _Reader(source, types).head()


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
