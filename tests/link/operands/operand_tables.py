"""Writes the tables of this folder anew, from LLVM's disassembler.

    PYTHONPATH=. python tests/link/operands/operand_tables.py

A table has one instruction for each of LLVM's opcodes (of vector instructions: for each opcode byte
and shape of the operands, since lengths and masks make thousands), the one with the most large or
negative numbers that was seen: those show signs and scales. A line is bytes, LLVM's name, operands:
a number, or r for what isn't one.
"""

from __future__ import annotations

from pathlib import Path

import operand_samples as samples
from mcinst import Decoded, truth

from lazyjit.errors import InputError
from lazyjit.link.operands import decode_operands, x86

HERE = Path(__file__).parent


def compare(triple: str, seed: int) -> dict[bytes, Decoded]:
    """What LLVM says of the instructions that it decodes among those of `operand_samples`."""
    codes = samples.x86_64(seed) if triple == samples.X86_64 else samples.aarch64(seed)
    features = samples.AARCH64_FEATURES if triple == samples.AARCH64 else ""
    found: dict[bytes, Decoded] = {}
    for start in range(0, len(codes), 20_000):
        part = codes[start : start + 20_000]
        for code, answer in zip(part, truth(triple, part, features), strict=True):
            if answer is not None:
                found[code] = answer
    return found


def _score(operands: tuple[int | None, ...]) -> int:
    return sum(1 for value in operands if value is not None and not 0 <= value < 0x80)


def choose(triple: str, found: dict[bytes, Decoded]) -> list[str]:
    best: dict[object, tuple[int, bytes, Decoded]] = {}
    for code, answer in found.items():
        name, operands = answer
        key: object = name
        if triple == samples.X86_64:
            encoding = x86._encoding(code)
            if encoding.scheme:
                shape = tuple(value is None for value in operands)
                key = encoding.scheme, encoding.table, encoding.opcode, shape
        score = _score(operands)
        if key not in best or score > best[key][0]:
            try:
                decode_operands(code, triple)
            except InputError:
                continue  # newer than capstone
            best[key] = score, code, answer
    return sorted(
        f"{code.hex()} {name} "
        + ",".join("r" if value is None else str(value) for value in operands)
        for _, code, (name, operands) in best.values()
    )


def main() -> None:
    for triple in (samples.X86_64, samples.AARCH64):
        lines = choose(triple, compare(triple, seed=1))
        (HERE / f"{triple.partition('-')[0]}.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
