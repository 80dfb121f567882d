"""Operands of instructions, counted as LLVM counts them.

`decode_operand(label, 4)` in a check means operand 4 of LLVM's `MCInst`, whose operands are the
machine's: not those of the assembly, nor in their order. `call f` has one, its displacement; `mov
rax, [rip + f]` has six, the displacement is the fourth (from 0). Of operands only immediates have
values here; anything else is None.

On x86-64, capstone decodes and `lazyjit.link.operands.x86` renumbers; on AArch64 the operands are
fields of the word, in an order that depends on the instruction's class, and capstone only gives the
text. Both were compared with LLVM's disassembler over some hundred thousand encodings;
`tests/link/operands/` has a table of them.
"""

from __future__ import annotations

from typing import NamedTuple

from lazyjit.errors import InputError, UsageError
from lazyjit.link.capstone import disassembler
from lazyjit.link.operands import aarch64, x86

__all__ = ["Decoded", "decode_operands"]


class Decoded(NamedTuple):
    """One instruction: its length in bytes, operands in LLVM's order, and assembly text.

    An immediate operand is its value, as signed as LLVM has it; others are None.
    """

    size: int
    operands: tuple[int | None, ...]
    text: str


def decode_operands(code: bytes, triple: str) -> Decoded:
    """Decode the first instruction of `code`. Any thread.

    Raises `InputError` when the bytes are no instruction, or one whose operands have no known
    numbers, `UsageError` for an architecture other than x86-64 and AArch64, and `LibraryNotFound`
    without capstone.
    """
    engine = disassembler(triple)
    insn = next(engine.disasm(code[:16], 0, 1), None)
    if insn is None:
        raise InputError(f"no instruction: {code[:16].hex(' ') or 'no bytes'}")
    text = f"{insn.mnemonic} {insn.op_str}".rstrip()
    if engine.arch == x86.ARCHITECTURE:
        return Decoded(insn.size, x86.number(insn), text)
    if engine.arch == aarch64.ARCHITECTURE:
        operands = aarch64.number(int.from_bytes(code[:4], "little"))
        if operands is None:
            raise InputError(f"operands of '{text}' have no known numbers")
        return Decoded(insn.size, operands, text)
    raise UsageError(f"operands of {triple} have no known numbers")
