"""Instructions of every kind, as bytes: what the comparison with LLVM is made over.

x86-64: every opcode of every map behind every sort of prefix, with register and memory forms, and
random bytes. AArch64: random words, with extra weight on vectors and on system instructions, where
classes are narrow. Which of them are instructions, the decoders say.
"""

from __future__ import annotations

import random
from collections.abc import Iterable

from mcinst import MARKS

from lazyjit.link.capstone import disassembler

X86_64, AARCH64 = "x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"

#: What is asked of LLVM's AArch64: all that capstone may know of.
AARCH64_FEATURES = (
    "+v8.5a,+fullfp16,+crypto,+sha3,+dotprod,+fp16fml,+rand,+mte,+bti,+sm4,+i8mm,+bf16,+cssc,"
    "+ls64,+rcpc-immo,+wfxt"
)

_LEGACY_PREFIXES = [
    bytes.fromhex(prefix)
    for prefix in ("", "66", "f2", "f3", "48", "6648", "f248", "f348", "45", "6645", "67", "64")
]
_ALL_MODRM = [
    *(0xC1 | reg << 3 for reg in range(8)),
    *(0x01 | reg << 3 for reg in range(8)),
    *(0x05, 0x2D, 0x0D, 0x44, 0x6C, 0x83, 0xBB, 0x04, 0x1C),
]
_VEX_MODRM = [0xC1, 0xD9, 0x01, 0x0D, 0x44, 0x83, 0xD1, 0xE1, 0xF1, 0x11, 0x21, 0x31]
_EVEX_MODRM = [0xC1, 0xD9, 0x01, 0x44]
#: EVEX's last byte: no mask, merging, zeroing, broadcast or rounding, vector lengths.
_EVEX_LAST = [0x00, 0x40, 0x41, 0xC1, 0x50, 0x20, 0x51]


def _heads() -> Iterable[tuple[bytes, list[int]]]:
    """What stands before ModRM, and which to try."""
    for prefix in _LEGACY_PREFIXES:
        for escape in (b"", b"\x0f", b"\x0f\x38", b"\x0f\x3a"):
            for opcode in range(256):
                yield prefix + escape + bytes([opcode]), _ALL_MODRM
    for opcode in range(256):
        for pp in range(4):
            for long in (0, 4):
                yield bytes([0xC5, 0xE8 | long | pp, opcode]), _VEX_MODRM
                for wide in (0, 0x80):
                    for table in (1, 2, 3):
                        for source in (0x78, 0x30):
                            last = wide | source | long | pp
                            yield bytes([0xC4, 0xE0 | table, last, opcode]), _VEX_MODRM
        for wide in (0, 0x80):
            for long in (0, 4):
                for table in (8, 9, 10):
                    yield bytes([0x8F, 0xE0 | table, wide | 0x30 | long, opcode]), _VEX_MODRM
            for pp in range(4):
                for table in (1, 2, 3):
                    for source in (0x78, 0x30):
                        middle = wide | source | 4 | pp
                        for last in _EVEX_LAST:
                            head = bytes([0x62, 0xF0 | table, middle, last | 8, opcode])
                            yield head, _EVEX_MODRM


def x86_64(seed: int) -> list[bytes]:
    """Instructions that capstone finds in the above, and at the start of random bytes."""
    rng = random.Random(seed)
    engine = disassembler(X86_64)
    engine.detail = False
    mark = bytes(int(byte, 16) for byte in MARKS["x86_64"][0].strip("[]").split(","))
    found: set[bytes] = set()

    def take(code: bytes) -> None:
        insn = next(engine.disasm_lite(code[:15], 0, 1), None)
        if insn is not None and mark not in code[: insn[1]]:
            found.add(code[: insn[1]])

    for head, modrms in _heads():
        for modrm in modrms:
            take(head + bytes([modrm]) + rng.randbytes(13))
    for _ in range(50_000):
        take(rng.randbytes(15))
    engine.detail = True
    return sorted(found)


def aarch64(seed: int, count: int = 300_000) -> list[bytes]:
    """Words, most of which are no instructions."""
    rng = random.Random(seed)
    found: set[int] = set()
    for number in range(count):
        word = rng.getrandbits(32)
        if number % 2:
            word = word & ~(0xF << 25) & ~(1 << 31) | rng.choice((7, 7, 7, 15)) << 25
        elif number % 8 == 0:
            word = word & ~(0x7FF << 21) | 0xD5 << 24 | rng.randrange(8) << 21
        elif number % 8 == 2:
            word = word & ~(0xF << 25) | rng.choice((4, 5, 6, 8, 9, 10, 11, 12, 13, 14)) << 25
        found.add(word)
    return [word.to_bytes(4, "little") for word in sorted(found)]
