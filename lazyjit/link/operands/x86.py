"""x86-64 instructions: from capstone's operands, in Intel's order, to LLVM's.

An instruction's operand list in LLVM is what its definition says: results, then sources, then
immediates. Four rules make it from what stands in the assembly:

    memory      is five operands: base, scale, index, displacement, segment
    a result    that is also a source stands there twice: `add eax, ebx` is eax, eax, ebx. A result
                in memory stands there once
    registers   that the opcode implies (cl of a shift, al of `in`, eax of the short forms) don't
                count, and neither does the 1 of `shl eax, 1`
    a mask      of AVX-512 comes after the result; a merging one needs the old result, which
                stands before it

Condition codes are operands (`jne` is displacement and 5), and so is AVX-512's rounding. A branch
has its displacement as encoded, from the end of the instruction; so has RIP-relative memory.

What is left are opcodes with a shape of their own, which the tables below list by opcode map:
0 is the one-byte opcodes, 1 to 3 are 0F, 0F38 and 0F3A and their VEX and EVEX counterparts.
"""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["ARCHITECTURE", "number"]

#: capstone's CS_ARCH_X86.
ARCHITECTURE = 3

_IMM, _MEM = 2, 3  # capstone's operand types
_READ_WRITE = 3  # ... and access

_Operands = list[int | None]

#: ALU operations on al or eax with an immediate, `test` too: the immediate is all there is.
_ACCUMULATOR = frozenset([*range(0x04, 0x40, 8), *range(0x05, 0x40, 8), 0xA8, 0xA9])

#: String operations: so many registers, whatever the assembly shows.
_STRINGS = {
    **dict.fromkeys((0x6C, 0x6D, 0xAA, 0xAB, 0xAE, 0xAF), 1),  # ins, stos, scas: es:[rdi]
    **dict.fromkeys((0x6E, 0x6F, 0xAC, 0xAD), 2),  # outs, lods: [rsi] and its segment
    **dict.fromkeys((0xA4, 0xA5, 0xA6, 0xA7), 3),  # movs, cmps: both
}

#: One-byte opcodes whose 8-bit immediate has no sign: shifts, `int`, `in`, `out`.
_UNSIGNED = frozenset((0xC0, 0xC1, 0xCD, 0xE4, 0xE5, 0xE6, 0xE7))


class _Encoding(NamedTuple):
    """What the prefixes say, and the opcode."""

    scheme: str  # "", "VEX" or "EVEX"
    table: int
    opcode: int
    prefix: int  # the mandatory prefix: 0, 0x66, 0xF3, 0xF2
    narrow: bool  # 0x66, whatever else there is
    wide: bool  # REX.W
    merges: bool  # an EVEX mask that keeps what it masks out
    broadcasts: bool  # EVEX.b


def _encoding(code: bytes) -> _Encoding:
    at, prefix, narrow, wide = 0, 0, False, False
    while code[at] in _LEGACY_PREFIXES or code[at] & 0xF0 == 0x40:
        if code[at] in (0xF2, 0xF3) or (code[at] == 0x66 and not prefix):
            prefix = code[at]
        narrow = narrow or code[at] == 0x66
        # Only the last prefix can be REX; what looks like it before another counts for nothing.
        wide = code[at] & 0xF8 == 0x48
        at += 1
    first = code[at]
    if first == 0xC5:
        pp = code[at + 1] & 3
        return _Encoding("VEX", 1, code[at + 2], _PP[pp], False, False, False, False)
    if first == 0xC4 or (first == 0x8F and code[at + 1] & 0x1F >= 8):
        payload = code[at + 2]
        table = code[at + 1] & 0x1F
        return _Encoding(
            "VEX", table, code[at + 3], _PP[payload & 3], False, bool(payload & 0x80), False, False
        )
    if first == 0x62:
        payload, last = code[at + 2], code[at + 3]
        merges = bool(last & 7) and not last & 0x80
        return _Encoding(
            "EVEX",
            code[at + 1] & 7,
            code[at + 4],
            _PP[payload & 3],
            False,
            bool(payload & 0x80),
            merges,
            bool(last & 0x10),
        )
    if first != 0x0F:
        return _Encoding("", 0, first, prefix, narrow, wide, False, False)
    second = code[at + 1]
    if second in (0x38, 0x3A):
        table = 2 if second == 0x38 else 3
        return _Encoding("", table, code[at + 2], prefix, narrow, wide, False, False)
    return _Encoding("", 1, second, prefix, narrow, wide, False, False)


#: Operand and address size, repetition, lock, segments.
_LEGACY_PREFIXES = frozenset((0x66, 0xF2, 0xF3, 0x67, 0xF0, 0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65))
_PP = (0, 0x66, 0xF3, 0xF2)


def number(insn: Any) -> tuple[int | None, ...]:
    """LLVM's operands of a capstone instruction: an immediate's value, None for anything else."""
    encoding = _encoding(bytes(insn.bytes))
    if encoding.scheme:
        return tuple(_vector(insn, encoding))
    if encoding.table == 0:
        special = _one_byte(insn, encoding)
        if special is not None:
            return tuple(special)
    elif encoding.table == 1:
        special = _two_byte(insn, encoding)
        if special is not None:
            return tuple(special)
    return tuple(_legacy(insn, encoding))


def _memory(operand: Any) -> _Operands:
    return [None, operand.mem.scale, None, operand.mem.disp, None]


def _raw(insn: Any, signed: bool) -> int:
    at, size = insn.imm_offset, insn.imm_size
    return int.from_bytes(insn.bytes[at : at + size], "little", signed=signed)


def _immediate(insn: Any, encoding: _Encoding) -> int:
    """The value as LLVM's decoder gives it.

    With a sign where the operation extends it to its own width: bytes of ordinary arithmetic, and
    32 bits of a 64-bit operation. Elsewhere without.
    """
    size = insn.imm_size
    if encoding.table or encoding.scheme:
        return _raw(insn, signed=False)
    if size == 1:
        return _raw(insn, signed=encoding.opcode not in _UNSIGNED)
    if size == 4:
        pushed = encoding.opcode == 0x68
        return _raw(insn, signed=encoding.wide or pushed)
    returns = encoding.opcode in (0xC2, 0xCA) and (encoding.wide or not encoding.narrow)
    return _raw(insn, signed=size == 8 or returns)


def _legacy(insn: Any, encoding: _Encoding) -> _Operands:
    """Operands without a shape of their own: the four rules."""
    found: _Operands = []
    for place, operand in enumerate(insn.operands):
        if operand.type == _MEM:
            found += _memory(operand)
        elif operand.type == _IMM:
            if insn.imm_offset:
                found.append(_immediate(insn, encoding))
        else:
            found.append(None)
            adds = encoding.table == 2 and encoding.opcode == 0xF6  # adcx, adox
            twice = operand.access == _READ_WRITE or _keeps_upper(encoding) or adds
            if place == 0 and twice:
                found.append(None)
    return found


def _keeps_upper(encoding: _Encoding) -> bool:
    """Scalar SSE that leaves the upper part of its result alone: cvtsi2sd, sqrtss, cvtss2sd, ..."""
    if encoding.table != 1 or encoding.prefix not in (0xF2, 0xF3):
        return False
    approximates = encoding.opcode in (0x52, 0x53) and encoding.prefix == 0xF3
    return encoding.opcode in (0x2A, 0x51, 0x5A) or approximates


def _relative(insn: Any) -> int:
    return _raw(insn, signed=True)


def _one_byte(insn: Any, encoding: _Encoding) -> _Operands | None:
    opcode = encoding.opcode
    if opcode in _ACCUMULATOR:
        return [_immediate(insn, encoding)]
    if opcode in _STRINGS:
        return [None] * _STRINGS[opcode]
    if 0x70 <= opcode <= 0x7F:
        return [_relative(insn), opcode & 15]
    if 0xE0 <= opcode <= 0xE3 or opcode in (0xE8, 0xE9, 0xEB):
        return [_relative(insn)]
    if opcode == 0xC7 and insn.modrm == 0xF8:  # xbegin
        return [_relative(insn)]
    if opcode in (0x86, 0x87):  # xchg: both are results and sources
        return [None, None, *_memory(insn.operands[0])] if _in_memory(insn) else [None] * 4
    if 0x91 <= opcode <= 0x97 or (opcode == 0x90 and len(insn.operands)):
        return [None, None]
    if 0xD8 <= opcode <= 0xDF and not _in_memory(insn):
        if opcode == 0xDF and insn.modrm == 0xE0:
            return []  # fnstsw ax
        return [None] * min(len(insn.operands), 1)  # st(i); st(0) is implied
    if 0xA0 <= opcode <= 0xA3:  # moffs: the address and a segment
        at, size = insn.disp_offset, insn.disp_size
        address = int.from_bytes(insn.bytes[at : at + size], "little", signed=size == 8)
        return [address, None]
    if opcode == 0x68 and encoding.wide:
        return [int.from_bytes(insn.bytes[-4:], "little", signed=True)]
    if opcode in (0xD2, 0xD3):
        return _memory(insn.operands[0]) if _in_memory(insn) else [None, None]
    if opcode == 0xC8:
        frame = insn.bytes[-3:]
        return [
            int.from_bytes(frame[:2], "little", signed=True),
            int.from_bytes(frame[2:], "little", signed=True),
        ]
    if 0xE4 <= opcode <= 0xE7:
        return [_immediate(insn, encoding)]
    if 0xEC <= opcode <= 0xEF:
        return []
    return None


def _in_memory(insn: Any) -> bool:
    return any(operand.type == _MEM for operand in insn.operands)


def _two_byte(insn: Any, encoding: _Encoding) -> _Operands | None:
    opcode = encoding.opcode
    if 0x40 <= opcode <= 0x4F:
        source = _memory(insn.operands[1]) if _in_memory(insn) else [None]
        return [None, None, *source, opcode & 15]
    if 0x80 <= opcode <= 0x8F:
        return [_relative(insn), opcode & 15]
    if 0x90 <= opcode <= 0x9F:
        target = _memory(insn.operands[0]) if _in_memory(insn) else [None]
        return [*target, opcode & 15]
    if opcode == 0x01 and 0xD8 <= insn.modrm <= 0xDF:
        return []  # virtualization: rax, ecx
    if opcode == 0xC2:  # comparisons, whose predicate capstone has made part of the name
        source = _memory(insn.operands[1]) if _in_memory(insn) else [None]
        return [None, None, *source, _raw(insn, signed=False)]
    if opcode == 0x1E and len(insn.operands) == 1 and not _in_memory(insn):
        return [None, None]  # rdssp
    if opcode == 0x78 and insn.imm_offset:  # extrq, insertq of SSE4A
        sources = [None] * (len(insn.operands) - 1)
        return [*sources, insn.bytes[-2], insn.bytes[-1]]
    if opcode in (0xA0, 0xA1, 0xA8, 0xA9):  # push and pop of fs and gs
        return []
    if opcode in (0xA5, 0xAD):
        return [*_memory(insn.operands[0]), None] if _in_memory(insn) else [None] * 3
    if opcode in (0xBC, 0xBD) and encoding.prefix not in (0xF3,):
        # A source of zero leaves the result as it was, which makes that a source.
        return [None, None, *(_memory(insn.operands[1]) if _in_memory(insn) else [None])]
    if opcode in (0xC0, 0xC1):
        return [None, None, *_memory(insn.operands[0])] if _in_memory(insn) else [None] * 4
    if opcode & 0xF8 == 0xC8:
        return [None, None]
    return None


#: Operations whose result is a source too, by opcode map: FMA, VNNI, IFMA, two-source permutes,
#: double shifts, ternary logic, `vfixupimm`.
_ACCUMULATES = {
    2: frozenset(
        [
            *range(0x50, 0x54),
            *range(0x70, 0x74),
            *range(0x75, 0x78),
            *range(0x7D, 0x80),
            *range(0x96, 0xA0),
            *range(0xA6, 0xB0),
            *range(0xB4, 0xC0),
        ]
    ),
    3: frozenset((0x25, 0x54, 0x55)),
}


#: Opcodes whose immediate names a register, in VEX's map 3 and XOP's map 8; of 0x48 and 0x49, the
#: low bits are a number.
_REGISTER_IN_IMMEDIATE = {
    3: frozenset([*range(0x48, 0x4D), *range(0x5C, 0x60), *range(0x68, 0x70), *range(0x78, 0x80)]),
    8: frozenset(range(0x80, 0xC0)),
}


def _vector(insn: Any, encoding: _Encoding) -> _Operands:
    """VEX and EVEX: result, [old result], [mask], sources, [immediate], [rounding]."""
    found: _Operands = []
    immediate = False
    for place, operand in enumerate(insn.operands):
        if operand.type == _MEM:
            found += _vector_memory(insn, encoding, operand)
        elif operand.type == _IMM:
            immediate = True
            found.append(_vector_immediate(insn, encoding))
        else:
            found.append(None)
            if place == 0 and _twice(insn, encoding):
                found.append(None)
    if encoding.table == 2 and _in_memory(insn):
        # The mask of a gather or scatter is a result too: it ends up empty.
        if 0x90 <= encoding.opcode <= 0x93:
            return [None, None, *found] if encoding.scheme == "VEX" else [None, *found]
        if 0xA0 <= encoding.opcode <= 0xA3 and encoding.scheme == "EVEX":
            return [None, *found]
    registers = encoding.opcode in _REGISTER_IN_IMMEDIATE.get(encoding.table, ())
    if insn.imm_size == 1 and not immediate and not (registers and encoding.scheme == "VEX"):
        # Comparisons, again.
        found.append(_vector_immediate(insn, encoding))
    if insn.avx_rm:
        found.append(insn.avx_rm - 1)
    return found


def _vector_immediate(insn: Any, encoding: _Encoding) -> int:
    value = _raw(insn, signed=False)
    two_sources = encoding.scheme == "VEX" and encoding.opcode in (0x48, 0x49)
    return value & 15 if two_sources and encoding.table == 3 else value


def _vector_memory(insn: Any, encoding: _Encoding, operand: Any) -> _Operands:
    found = _memory(operand)
    if encoding.scheme == "EVEX" and insn.disp_size == 1:
        # EVEX counts 8-bit displacements in units of what is accessed, and capstone takes the wrong
        # unit for two: vmovq, and gf2p8affine with a broadcast.
        vmovq = encoding.table == 1 and encoding.opcode in (0x7E, 0xD6) and encoding.wide
        affine = encoding.table == 3 and encoding.opcode in (0xCE, 0xCF) and encoding.broadcasts
        if vmovq or affine:
            at = insn.disp_offset
            found[3] = 8 * int.from_bytes(insn.bytes[at : at + 1], "little", signed=True)
    return found


#: Moves in their store form, whose masked version has no old result even between registers.
_STORES = frozenset((0x11, 0x29, 0x7F))


def _twice(insn: Any, encoding: _Encoding) -> bool:
    result = insn.operands[0]
    if encoding.scheme == "VEX":
        return bool(result.access == _READ_WRITE)
    if encoding.opcode in _ACCUMULATES.get(encoding.table, ()):
        return True
    if not encoding.merges or insn.reg_name(result.reg).startswith("k"):
        return False
    if encoding.table == 2 and 0x64 <= encoding.opcode <= 0x66:
        return False  # blends: the mask chooses between the sources
    scalar = encoding.opcode == 0x11 and encoding.prefix in (0xF2, 0xF3)
    return scalar or not (encoding.table == 1 and encoding.opcode in _STORES)
