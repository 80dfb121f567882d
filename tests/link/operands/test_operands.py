"""The numbering of operands, compared with LLVM's disassembler.

The tables are LLVM's answers, written by `operand_tables.py`, so that no LLVM is needed to compare
with them. With `LAZYJIT_FULL=1` the comparison is made anew over other encodings.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import operand_tables
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcinst import llvm_mc
from operand_samples import AARCH64, X86_64

from lazyjit.errors import InputError, UsageError
from lazyjit.link.operands import aarch64, decode_operands

#: LLVM takes the first for a store of an MMX register, while processors load: the prefix F3 wins
#: over REX.W.
WRONG_IN_LLVM = {"MMX_MOVD64from64mr"}


def rows(triple: str) -> Iterator[tuple[bytes, str, tuple[int | None, ...]]]:
    table = Path(__file__).parent / f"{triple.partition('-')[0]}.txt"
    for line in table.read_text().splitlines():
        code, name, *rest = line.split(" ")
        words = rest[0].split(",") if rest and rest[0] else []
        yield bytes.fromhex(code), name, tuple(None if w == "r" else int(w) for w in words)


@pytest.mark.parametrize("triple", [X86_64, AARCH64])
def test_operands_are_numbered_as_in_llvm(triple: str) -> None:
    wrong, count = [], 0
    for code, name, expected in rows(triple):
        count += 1
        found = decode_operands(code, triple)
        if (found.size, found.operands) != (len(code), expected) and name not in WRONG_IN_LLVM:
            wrong.append(f"{code.hex()} {name}: {found.operands}, not {expected} ({found.text})")
    assert count > 2000
    assert not wrong, "\n".join(wrong[:50])


@pytest.mark.parametrize("triple", [X86_64, AARCH64])
def test_operands_of_fresh_encodings_are_numbered_as_in_llvm(triple: str) -> None:
    if os.environ.get("LAZYJIT_FULL") != "1":
        pytest.skip("LAZYJIT_FULL=1 compares hundreds of thousands of instructions")
    if llvm_mc() is None:
        pytest.skip("no llvm-mc-22 to compare with")
    wrong = []
    for code, (name, expected) in operand_tables.compare(triple, seed=2).items():
        if triple == AARCH64:
            found = aarch64.number(int.from_bytes(code, "little"))
        else:
            found = decode_operands(code, triple).operands
        if found != expected and name not in WRONG_IN_LLVM:
            wrong.append(f"{code.hex()} {name}: {found}, not {expected}")
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong[:50])


@pytest.mark.parametrize(
    ("code", "text", "operands"),
    [
        ("e8fbffffff", "call -5", (-5,)),
        ("488b0578563412", "mov rax, [rip + 0x12345678]", (None, None, 1, None, 0x12345678, None)),
        ("0305fcffffff", "add eax, [rip - 4]", (None, None, None, 1, None, -4, None)),
        ("488905fcffffff", "mov [rip - 4], rax", (None, 1, None, -4, None, None)),
        ("833dfbffffff7f", "cmp dword [rip - 5], 127", (None, 1, None, -5, None, 127)),
        ("48b8efcdab8967452301", "movabs", (None, 0x0123456789ABCDEF)),
        ("0f8400010000", "je +256", (256, 4)),
        ("48c1e020", "shl rax, 32", (None, None, 32)),
        ("05ffffffff", "add eax, 0xffffffff", (0xFFFFFFFF,)),
        ("4805ffffffff", "add rax, -1", (-1,)),
    ],
)
def test_operands_on_x86_64(code: str, text: str, operands: tuple[int | None, ...]) -> None:
    assert decode_operands(bytes.fromhex(code), X86_64).operands == operands, text


@pytest.mark.parametrize(
    ("word", "text", "operands"),
    [
        (0x97FFFFFF, "bl .-4", (-1,)),
        (0x54000041, "b.ne .+8", (1, 2)),
        (0xB4FFFFE0, "cbz x0, .-4", (None, -1)),
        (0xB6400020, "tbz x0, #40, .+4", (None, 40, 1)),
        (0x90000041, "adrp x1, .+8 pages", (None, 8)),
        (0x70FFFFE0, "adr x0, .-1", (None, -1)),
        (0x91402C20, "add x0, x1, #11, lsl #12", (None, None, 11, 12)),
        (0xF9400420, "ldr x0, [x1, #8]", (None, None, 1)),
        (0x58000040, "ldr x0, .+8", (None, 2)),
        (0xD2A24680, "movz x0, #0x1234, lsl #16", (None, 0x1234, 16)),
        (0xF2E24680, "movk x0, #0x1234, lsl #48", (None, None, 0x1234, 48)),
        (0xF8408420, "ldr x0, [x1], #8", (None, None, None, 8)),
        (0xA9BF7BFD, "stp x29, x30, [sp, #-16]!", (None, None, None, None, -2)),
        (0x3DC00420, "ldr q0, [x1, #16]", (None, None, 1)),
    ],
)
def test_operands_on_aarch64(word: int, text: str, operands: tuple[int | None, ...]) -> None:
    assert decode_operands(word.to_bytes(4, "little"), AARCH64).operands == operands, text


@pytest.mark.parametrize(
    ("code", "triple"),
    [
        (b"", X86_64),
        (b"\x06", X86_64),
        (b"\xe8\0\0", X86_64),
        (b"\x62" * 16, X86_64),
        (b"", AARCH64),
        (b"\1\2\3", AARCH64),
        (b"\xff\xff\xff\xff", AARCH64),
        (bytes.fromhex("00042004"), AARCH64),  # SVE: decoded by capstone, not numbered
    ],
)
def test_what_has_no_numbers_is_an_input_error(code: bytes, triple: str) -> None:
    with pytest.raises(InputError):
        decode_operands(code, triple)


def test_prefixes_without_end_are_an_input_error() -> None:
    for prefix in b"\x66\xf2\xf3\x2e\x40\xf0\xc5\xc4\x8f\x0f":
        with pytest.raises(InputError):
            decode_operands(bytes([prefix]) * 20, X86_64)


@given(st.binary(max_size=20), st.sampled_from([X86_64, AARCH64]))
def test_any_bytes_are_an_instruction_or_an_input_error(code: bytes, triple: str) -> None:
    with contextlib.suppress(InputError):
        found = decode_operands(code, triple)
        assert 0 < found.size <= len(code)


def test_other_architectures_are_refused() -> None:
    with pytest.raises(UsageError, match="riscv64"):
        decode_operands(b"\0\0\0\0", "riscv64-unknown-linux-gnu")
