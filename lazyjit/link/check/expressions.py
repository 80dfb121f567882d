"""The check language: parsed and evaluated in one pass, from left to right.

    check   = sum ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) sum
    sum     = simple { ( "+" | "-" | "&" | "|" | "<<" | ">>" ) simple }
    simple  = ( "(" sum ")" | load | call | symbol | number ) [ "[" high ":" low "]" ]
    load    = "*" "{" number "}" sum
    call    = "section_addr" "(" file "," section [ "," symbol ] ")"
            | "stub_addr" "(" container "," [ section "," ] symbol [ "," kind ] ")"
            | "got_addr" "(" container "," symbol ")"
            | "next_pc" "(" symbol [ "+" number ] ")"
            | "decode_operand" "(" symbol [ "+" number ] "," number ")"

Three things surprise, and are LLVM's: operators have no precedence (`2+3<<1` is 10); a load takes
all that follows as its address (`*{4}x + 4` reads at x+4), a bit slice included; a number with a
leading zero is octal. Values are unsigned and have 64 bits: a negative operand is a large number,
and `1-2` is the largest.

Beyond LLVM's language: comparisons other than `=`, blanks after numbers, `next_pc` with an offset,
loads of 3, 5, 6 and 7 bytes, slices of all 64 bits. What LLVM lets pass unseen is an error: a check
without a comparison, a number that isn't one or has more than 64 bits, a slice whose ends are
swapped, a shift by 64 or more.

LLVM reads memory of its own in a load and counts with target addresses outside. Here there are only
target addresses, and the context knows what lies there: a load within a load follows a pointer.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import NamedTuple, ParamSpec, TypeVar

from lazyjit.errors import InputError, UsageError
from lazyjit.link.check.context import CheckContext
from lazyjit.link.operands import decode_operands

__all__ = ["Evaluated", "Malformed", "evaluate"]

_P = ParamSpec("_P")
_T = TypeVar("_T")

_MASK = (1 << 64) - 1
#: Parentheses and loads within each other: more than anyone writes, less than Python's stack.
_DEEPEST = 100
_SYMBOL = re.compile(r"[A-Za-z_.$][0-9A-Za-z:_.$]*")
_NUMBER = re.compile(r"0x[0-9a-fA-F]*|[0-9]+")
_BINARY = re.compile(r"<<|>>|[-+&|]")
_RELATION = re.compile(r"!=|<=|>=|=|<|>")
_TOKEN = re.compile(r"0x[0-9a-fA-F]+|[0-9]+|[A-Za-z_.$][0-9A-Za-z:_.$]*|<<|>>|.", re.DOTALL)

_RELATIONS: dict[str, Callable[[int, int], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Malformed(Exception):
    """The expression can't be evaluated; the message says why. Internal to the package."""


class Evaluated(NamedTuple):
    """Both sides of a check, what stands between them, and whether that holds."""

    left: int
    relation: str
    right: int
    holds: bool


def evaluate(text: str, context: CheckContext) -> Evaluated:
    """Evaluate one check. Raises `Malformed`."""
    return _Evaluator(text, context).check()


class _Evaluator:
    def __init__(self, text: str, context: CheckContext) -> None:
        self._text = text.rstrip()
        self._at = 0
        self._depth = 0
        self._context = context
        self._calls = {
            "decode_operand": self._decode_operand,
            "next_pc": self._next_pc,
            "stub_addr": self._stub_addr,
            "got_addr": self._got_addr,
            "section_addr": self._section_addr,
        }

    # -- scanning ------------------------------------------------------------------------------

    def _skip(self) -> None:
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1

    def _take(self, pattern: re.Pattern[str]) -> str | None:
        """The next token when it is of this sort."""
        self._skip()
        found = pattern.match(self._text, self._at)
        if found is None:
            return None
        self._at = found.end()
        return found.group()

    def _next_is(self, word: str) -> bool:
        self._skip()
        if not self._text.startswith(word, self._at):
            return False
        self._at += len(word)
        return True

    def _expect(self, word: str) -> None:
        if not self._next_is(word):
            raise self._unexpected(f"expected '{word}'")

    def _unexpected(self, expected: str) -> Malformed:
        self._skip()
        found = _TOKEN.match(self._text, self._at)
        if found is None:
            return Malformed(f"unexpected end of expression, {expected}")
        return Malformed(f"unexpected token '{found.group()}' in column {self._at + 1}, {expected}")

    # -- the grammar ---------------------------------------------------------------------------

    def check(self) -> Evaluated:
        left = self._sum()
        relation = self._take(_RELATION)
        if relation is None:
            raise self._unexpected("expected an operator or a comparison")
        right = self._sum()
        self._skip()
        if self._at != len(self._text):
            raise self._unexpected("expected an operator or the end")
        return Evaluated(left, relation, right, _RELATIONS[relation](left, right))

    def _sum(self) -> int:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Malformed(f"nested more than {_DEEPEST} deep")
        value = self._simple()
        while (operation := self._take(_BINARY)) is not None:
            other = self._simple()
            if operation == "+":
                value += other
            elif operation == "-":
                value -= other
            elif operation == "&":
                value &= other
            elif operation == "|":
                value |= other
            else:
                if other > 63:
                    raise Malformed(f"a shift by {other}: values have 64 bits")
                value = value << other if operation == "<<" else value >> other
            value &= _MASK
        self._depth -= 1
        return value

    def _simple(self) -> int:
        if self._next_is("("):
            value = self._sum()
            self._expect(")")
        elif self._next_is("*"):
            value = self._load()
        elif (name := self._take(_SYMBOL)) is not None:
            call = self._calls.get(name)
            value = self._symbol(name) if call is None else call()
        elif (number := self._take(_NUMBER)) is not None:
            value = _number(number)
        else:
            raise self._unexpected("expected '(', '*', a symbol, a call or a number")
        if self._next_is("["):
            high = self._number()
            self._expect(":")
            low = self._number()
            self._expect("]")
            if not low <= high <= 63:
                raise Malformed(f"[{high}:{low}] are no bits of a 64-bit value")
            value = value >> low & ((1 << (high - low + 1)) - 1)
        return value

    def _number(self) -> int:
        token = self._take(_NUMBER)
        if token is None:
            raise self._unexpected("expected a number")
        return _number(token)

    def _load(self) -> int:
        self._expect("{")
        size = self._number()
        self._expect("}")
        if not 1 <= size <= 8:
            raise Malformed(f"a load of {size} bytes: 1 to 8 can be read")
        address = self._sum()
        return int.from_bytes(_asked(self._context.read, address, size), "little")

    # -- names and calls -----------------------------------------------------------------------

    def _symbol(self, name: str) -> int:
        if not self._context.is_symbol_valid(name):
            hint = " (a label that starts with 'L' or '.L' may not be in the symbol table)"
            local = name.startswith(("L", ".L"))
            raise Malformed(f"no known address for symbol '{name}'{hint if local else ''}")
        return _asked(self._context.symbol, name).address & _MASK

    def _place(self) -> tuple[str, int]:
        """`symbol [ "+" number ]`, for what looks at an instruction."""
        self._expect("(")
        name = self._take(_SYMBOL)
        if name is None:
            raise self._unexpected("expected a symbol")
        if not self._context.is_symbol_valid(name):
            raise Malformed(f"can't decode at unknown symbol '{name}'")
        return name, self._number() if self._next_is("+") else 0

    def _decode(self, name: str, offset: int) -> tuple[int, int, tuple[int | None, ...], str]:
        region = _asked(self._context.symbol, name)
        where = f"{name}+{offset}" if offset else name
        code = region.code[offset : offset + 16]
        if not code:
            raise Malformed(f"can't decode at '{where}': it has {len(region.code)} bytes of code")
        try:
            found = decode_operands(code, self._context.triple)
        except (InputError, UsageError) as error:
            raise Malformed(f"can't decode at '{where}': {error}") from error
        return region.address + offset, found.size, found.operands, found.text

    def _decode_operand(self) -> int:
        name, offset = self._place()
        self._expect(",")
        index = self._number()
        self._expect(")")
        _, _, operands, text = self._decode(name, offset)
        if index >= len(operands):
            raise Malformed(
                f"'{text}' at '{name}' has {len(operands)} operands, none with number {index}"
            )
        value = operands[index]
        if value is None:
            raise Malformed(f"operand {index} of '{text}' at '{name}' isn't an immediate")
        return value & _MASK

    def _next_pc(self) -> int:
        name, offset = self._place()
        self._expect(")")
        address, size, _, _ = self._decode(name, offset)
        return address + size & _MASK

    def _arguments(self) -> list[str]:
        """What stands in parentheses, at commas. File and section names may hold what no symbol
        does, so that these calls end at the first closing parenthesis, as in LLVM.
        """
        self._expect("(")
        end = self._text.find(")", self._at)
        if end < 0:
            self._at = len(self._text)
            raise self._unexpected("expected ')'")
        inside, self._at = self._text[self._at : end], end + 1
        return [argument.strip() for argument in inside.split(",")]

    def _section_addr(self) -> int:
        file, *rest = self._arguments()
        if not rest:
            raise Malformed("section_addr takes a file and a section")
        # The name of a section may have a comma (Mach-O's do): the whole goes first.
        try:
            return self._context.section(file, ",".join(rest)).address & _MASK
        except LookupError as error:
            if len(rest) == 1:
                raise Malformed(_words(error)) from error
        name, symbol = ",".join(rest[:-1]), rest[-1]
        return _asked(self._context.section, file, name, symbol).address & _MASK

    def _stub_addr(self) -> int:
        container, *rest = self._arguments()
        if not 1 <= len(rest) <= 3:
            raise Malformed("stub_addr takes a container, a section if need be, a symbol, a kind")
        stub = self._context.stub
        if len(rest) == 3:
            return _asked(stub, container, rest[1], rest[0], rest[2]).address & _MASK
        if len(rest) == 1:
            return _asked(stub, container, rest[0], None, "").address & _MASK
        # Two readings: symbol and kind as LLVM has it today, section and symbol as it once had.
        try:
            return stub(container, rest[0], None, rest[1]).address & _MASK
        except LookupError as error:
            try:
                return stub(container, rest[1], rest[0], "").address & _MASK
            except LookupError:
                raise Malformed(_words(error)) from error

    def _got_addr(self) -> int:
        arguments = self._arguments()
        if len(arguments) != 2:
            raise Malformed("got_addr takes a container and a symbol")
        return _asked(self._context.got_entry, *arguments).address & _MASK


def _number(token: str) -> int:
    try:
        if token.startswith("0x"):
            value = int(token, 16)
        else:
            value = int(token, 8 if token.startswith("0") else 10)
    except ValueError:
        raise Malformed(f"'{token}' isn't a number") from None
    if value > _MASK:
        raise Malformed(f"{token} has more than 64 bits")
    return value


def _words(error: LookupError) -> str:
    """The sentence of a KeyError, which quotes its argument in `str`, as of any other."""
    return str(error.args[0]) if error.args else type(error).__name__


def _asked(question: Callable[_P, _T], *arguments: _P.args, **named: _P.kwargs) -> _T:
    """The context's answer; its LookupError is the check's failure."""
    try:
        return question(*arguments, **named)
    except LookupError as error:
        raise Malformed(_words(error)) from error
