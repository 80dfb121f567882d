"""The grammar of checks and the values of expressions."""

from __future__ import annotations

import contextlib
import random

import pytest
from check_contexts import Program
from hypothesis import given
from hypothesis import strategies as st

from lazyjit.errors import CheckError, LinkError
from lazyjit.link.check import Region, check


@pytest.fixture
def program() -> Program:
    call = bytes.fromhex("e8fbffffff 488b0578563412 c3")
    return Program(
        symbols={
            "f": Region(0x1000, call),
            "x": Region(0x2000, bytes(range(1, 17))),
            "z": Region(0x3000, None, 16),
            "a": Region(0x7FFF_0000_0000),
            "odd.name$1:2": Region(0x4000, b"\xc3"),
            "_start": Region(0x1000, call),
        },
        sections={
            ("a-file.o", ".text"): 0x1000,
            ("a-file.o", "__TEXT,__const"): 0x5000,
            ("a-file.o", ".data/x"): 0x2000,
        },
        stubs={
            ("a-file.o", "g"): {"plt": 0x6000},
            ("a-file.o/.text", "h"): {"plt": 0x6100},
            ("a-file.o", "two"): {"short": 0x6200, "long": 0x6300},
        },
        got={("a-file.o", "g"): 0x6800},
    )


@pytest.mark.parametrize(
    "expression",
    [
        "1 = 1",
        "0x10=16",
        "010 = 8",
        "0 = 00",
        "1+2-3 = 0",
        "1 - 2 = 0xffffffffffffffff",
        "0xffffffffffffffff + 2 = 1",
        "6 & 3 = 2",
        "6 | 1 = 7",
        "1 << 63 >> 62 = 2",
        "3 << 63 = 1 << 63",
        "0xabcd[15:8] = 0xab",
        "0xabcd[3:0] = 13",
        "(0-1)[63:0] = 0xffffffffffffffff",
        "( ( 1 ) ) = 1",
        "f = 0x1000",
        "f + 8 - 8 = _start",
        "odd.name$1:2 = 0x4000",
        "1 != 2",
        "1 < 2",
        "2 <= 2",
        "2 > 1",
        "2 >= 2",
        "0 - 1 > 1",
        "section_addr(a-file.o, .text) = f",
        "section_addr( a-file.o ,__TEXT,__const)=0x5000",
        "section_addr(a-file.o, .data, x) = x",
        "stub_addr(a-file.o, g) = 0x6000",
        "stub_addr(a-file.o, g, p.t) = 0x6000",
        "stub_addr(a-file.o/.text, h) = 0x6100",
        "stub_addr(a-file.o, .text, h) = 0x6100",
        "stub_addr(a-file.o, .text, h, plt) = 0x6100",
        "stub_addr(a-file.o, two, long) = 0x6300",
        "got_addr(a-file.o, g) = 0x6800",
        "next_pc(f) = f + 5",
        "next_pc(f+5) = f + 12",
        "next_pc( f + 12 ) = f + 13",
        "decode_operand(f, 0) = 0-5",
        "decode_operand(f + 5, 4) = 0x12345678",
        "decode_operand(f+5, 0x4)[7:0] = 0x78",
        "next_pc(f) + decode_operand(f, 0) = f",
    ],
)
def test_true_checks_pass(program: Program, expression: str) -> None:
    check(expression, program)


def test_operators_have_no_precedence(program: Program) -> None:
    check("2+3<<1 = 10", program)
    check("1|2&4 = 0", program)
    check("2+(3<<1) = 8", program)


@pytest.mark.parametrize("size", range(1, 9))
def test_loads_read_little_endian_numbers_of_any_size(program: Program, size: int) -> None:
    value = int.from_bytes(bytes(range(1, size + 1)), "little")
    check(f"*{{{size}}}x = {value:#x}", program)


def test_a_load_takes_all_that_follows_as_its_address(program: Program) -> None:
    check("*{1}x + 4 = 5", program)
    check("(*{1}x) + 4 = 5", program)
    check("(*{2}x)[15:8] = 2", program)
    check("*{2}(z + 8) = 0", program)
    check("*{1}((*{1}x) + x) = 2", program)


@pytest.mark.parametrize(
    ("expression", "left", "right"),
    [("f = x", 0x1000, 0x2000), ("1 > 2", 1, 2), ("3 != 3", 3, 3), ("0-1 < 0", 2**64 - 1, 0)],
)
def test_a_false_check_has_the_values_of_both_sides(
    program: Program, expression: str, left: int, right: int
) -> None:
    with pytest.raises(CheckError) as caught:
        check(expression, program, file="a.s", line=7)
    error = caught.value
    assert (error.left, error.right, error.file, error.line) == (left, right, "a.s", 7)
    assert error.expression == expression
    assert isinstance(error, LinkError)
    assert str(error).startswith(f"a.s:7: '{expression}' is false: {left:#x} ")


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("", "unexpected end"),
        ("1", "unexpected end of expression, expected an operator or a comparison"),
        ("f", "expected an operator or a comparison"),
        ("1 =", "unexpected end"),
        ("= 1", "unexpected token '='"),
        ("1 == 1", "unexpected token '='"),
        ("1 = 1 = 1", "unexpected token '=' in column 7"),
        ("1 = 2 3", "unexpected token '3'"),
        ("1 ! 1", "unexpected token '!'"),
        ("-1 = 1", "unexpected token '-'"),
        ("(1 = 1", r"expected '\)'"),
        ("1 + = 1", "unexpected token '='"),
        ("0x = 0", "'0x' isn't a number"),
        ("089 = 89", "'089' isn't a number"),
        ("0xg = 0", "isn't a number"),
        ("18446744073709551616 = 0", "more than 64 bits"),
        ("1 << 64 = 0", "shift by 64"),
        ("1 >> 0xffffffffffffffff = 0", "shift by"),
        ("1[64:0] = 1", "no bits"),
        ("1[0:1] = 1", "no bits"),
        ("1[1] = 1", "expected ':'"),
        ("1[1:0 = 1", "expected ']'"),
        ("1[f:0] = 1", "expected a number"),
        ("nowhere = 1", "no known address for symbol 'nowhere'"),
        ("Ltmp = 1", "starts with 'L'"),
        ("*{0}x = 1", "load of 0 bytes"),
        ("*{9}x = 1", "load of 9 bytes"),
        ("*{4x = 1", "expected '}'"),
        ("*4x = 1", "expected '{'"),
        ("*{4}9 = 1", "nothing at 0x9"),
        ("*{8}(x + 12) = 1", "nothing at"),
        ("section_addr(a-file.o) = 1", "takes a file"),
        ("section_addr(a-file.o, .bss) = 1", "no section .bss in a-file.o"),
        ("section_addr(a-file.o, .text = 1", r"expected '\)'"),
        ("section_addr = 1", r"expected '\('"),
        ("stub_addr(a-file.o) = 1", "takes a container"),
        ("stub_addr(a-file.o, f) = 1", "no stub for f"),
        ("stub_addr(a-file.o, g, short) = 1", "no stub for g"),
        ("stub_addr(a, b, c, d, e) = 1", "takes a container"),
        ("got_addr(a-file.o, f) = 1", "no GOT entry for f"),
        ("got_addr(a-file.o) = 1", "takes a container and a symbol"),
        ("next_pc(nowhere) = 1", "unknown symbol 'nowhere'"),
        ("next_pc(4) = 1", "expected a symbol"),
        ("next_pc(x) = 1", "can't decode at 'x'"),
        ("next_pc(f+13) = 1", "has 13 bytes of code"),
        ("next_pc(a) = 1", "has 0 bytes of code"),
        ("next_pc(f-1) = 1", r"expected '\)'"),
        ("decode_operand(f) = 1", "expected ','"),
        ("decode_operand(f, f) = 1", "expected a number"),
        ("decode_operand(f, 1) = 1", "1 operands, none with number 1"),
        ("decode_operand(f+5, 0) = 1", "isn't an immediate"),
    ],
)
def test_what_is_no_check_says_why(program: Program, expression: str, words: str) -> None:
    if expression == "next_pc(x) = 1":
        program.symbols["x"] = Region(0x2000, b"\x06\x06")
    with pytest.raises(CheckError, match=words) as caught:
        check(expression, program)
    assert caught.value.left is None and caught.value.right is None


def test_depth_and_length_end_in_errors_at_worst(program: Program) -> None:
    check("+".join(["1"] * 10_000) + " = 10000", program)
    with pytest.raises(CheckError, match="nested"):
        check("(" * 100_000 + "1" + ")" * 100_000 + " = 1", program)


def test_aarch64_operands_are_the_words_fields() -> None:
    words = [0x94000002, 0x90000041, 0xF9400420]  # bl .+8; adrp x1, .+8 pages; ldr x0, [x1, #8]
    code = b"".join(word.to_bytes(4, "little") for word in words)
    program = Program("aarch64-unknown-linux-gnu", {"f": Region(0x10000, code)})
    check("decode_operand(f, 0) = 2", program)
    check("decode_operand(f+4, 1) = 8", program)
    check("decode_operand(f+8, 2) = 1", program)
    check("next_pc(f+4) = f+8", program)


_CALLS = ("decode_operand(f, 0)", "next_pc(f", "section_addr(", "stub_addr(a.o, g", "got_addr")
_WORDS = ("<<", ">>", "0x1f", "7", "f", "x", "z", "*{4}", "*{1}x", "[7:0]")
_PIECES = st.sampled_from([*"()[]{}*+-&|<>=!:,.0 ", *_WORDS, *_CALLS])


@given(st.lists(_PIECES, max_size=20).map("".join) | st.text(max_size=40))
def test_any_text_is_a_check_or_a_check_error(text: str) -> None:
    code = bytes.fromhex("e8fbffffff c3")
    program = Program(symbols={"f": Region(0x1000, code), "x": Region(0, b"\1\2\3\4\5\6\7\x08")})
    with contextlib.suppress(CheckError):
        check(text, program)


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=8), st.randoms())
def test_values_are_those_of_64_bit_arithmetic(numbers: list[int], rng: random.Random) -> None:
    value, text = numbers[0], hex(numbers[0])
    for number in numbers[1:]:
        operation = rng.choice("+-&|")
        text += rng.choice(("", " ")) + operation + rng.choice(("", " ")) + str(number)
        value = {"+": value + number, "-": value - number, "&": value & number}.get(
            operation, value | number
        ) % 2**64
    check(f"{text} = {value}", Program())
    with pytest.raises(CheckError, match="is false"):
        check(f"{text} != {value}", Program())
