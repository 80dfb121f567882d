"""The head of a definition in IR: what a function takes and gives, what a variable is, read from
its text.

    define <attributes> <result> @f(<parameters>) ...

Nothing of the body is looked at. Types that have a name are looked up in the text of a unit that
holds their definitions, when there are any.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable

from lazyjit.errors import UsageError
from lazyjit.records import Record

__all__ = ["Head", "IRType", "Parameter", "Variable", "read_head", "read_variable"]


class IRType(Record):
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


class Parameter(Record):
    """One parameter: its type, attributes, and name ("" without one that Python can have)."""

    type: IRType
    attributes: frozenset[str]
    name: str
    #: What `byval` or `sret` says is pointed to.
    pointed: IRType | None = None


class Head(Record):
    """The head of a definition."""

    result: IRType
    result_attributes: frozenset[str]
    parameters: tuple[Parameter, ...]
    variadic: bool
    convention: str


class Variable(Record):
    """A variable's definition."""

    type: IRType
    #: In bytes; 0 if nothing is said of it.
    align: int
    #: Of the address space and storage that everything is of.
    plain: bool


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


_VARIABLE = re.compile(rb'\s*@(?:"[^"]*"|[-\w.$]+)\s*=([^"{]*?)\b(?:global|constant)\s+')
_ALIGN = re.compile(rb",\s*align\s+(\d+)")


def read_variable(source: bytes, types: Callable[[], bytes]) -> Variable:
    """A variable's definition, with `types` as for `read_head`. Raises UsageError if it is none."""
    match = _VARIABLE.match(source)
    if match is None:
        raise UsageError("the definition of a variable can't be read")
    align = _ALIGN.search(source, match.end())
    plain = b"addrspace" not in match[1] and b"thread_local" not in match[1]
    kind = _Reader(source[match.end() :], types).type()
    return Variable(kind, int(align[1]) if align else 0, plain)


def read_head(source: bytes, types: Callable[[], bytes]) -> Head:
    """The head of a definition. `types` gives the definitions of named types, if there are any."""
    return _Reader(source, types).head()
