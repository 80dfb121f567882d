"""AArch64's floating-point and Advanced SIMD instructions.

Most are registers only, and all that is to be known of one is whether its result is a source as
well, which adds an operand: accumulation (mla, fmla, saba, sdot), insertion (bsl, ins, sli), and
the instructions on upper halves (xtn2), which leave the lower half alone. Numbers are lanes,
shifts, rotations, fixed-point scales, and constants.
"""

from __future__ import annotations

from lazyjit.link.operands.fields import field

__all__ = ["number_fp_and_simd"]

_Operands = tuple[int | None, ...]

_R = None
_RR: _Operands = (_R,) * 2
_RRR: _Operands = (_R,) * 3
_RRRR: _Operands = (_R,) * 4


def number_fp_and_simd(word: int) -> _Operands | None:
    """LLVM's operands of an instruction with bits 27 to 25 set, or None."""
    if field(word, 28, 28) and not field(word, 30, 30):
        return _scalar_fp(word)
    if field(word, 31, 24) == 0b11001110:
        return _three_registers_crypto(word)
    if field(word, 31, 31):
        return None
    scalar = field(word, 28, 28)
    if not field(word, 24, 24):
        if not field(word, 21, 21):
            return _small_groups(word, scalar)
        if field(word, 10, 10):
            return _three_same(word)
        if field(word, 11, 11):
            return _two_misc(word, scalar)
        upper = field(word, 30, 30) and not scalar
        return _three_different(word, bool(upper))
    if not field(word, 10, 10):
        return _by_element(word)
    if field(word, 23, 23):
        return None
    return _shifts(word, scalar) if field(word, 22, 19) else _constants(word)


# -- scalar floating point -------------------------------------------------------------------------


def _scalar_fp(word: int) -> _Operands | None:
    if field(word, 24, 24):
        return _RRRR  # fmadd
    if not field(word, 21, 21):  # to and from fixed point: the scale, counted from 64
        return _R, _R, 64 - field(word, 15, 10)
    low = field(word, 11, 10)
    if low == 0b01:  # fccmp
        return _R, _R, field(word, 3, 0), field(word, 15, 12)
    if low == 0b10:
        return _RRR
    if low == 0b11:  # fcsel
        return _R, _R, _R, field(word, 15, 12)
    if field(word, 12, 12):  # fmov of a constant, as its eight bits
        return _R, field(word, 20, 13)
    if field(word, 13, 13):  # fcmp; with zero, which is no operand
        return (_R,) if field(word, 3, 3) else _RR
    if field(word, 14, 14):
        return _RR
    if field(word, 20, 19) == 0b01 and field(word, 23, 22) == 0b10 and field(word, 18, 17) == 0b11:
        # fmov of an upper half: its lane is 1
        return (_R, _R, 1) if not field(word, 16, 16) else (_R, 1, _R)
    return _RR


# -- three registers -------------------------------------------------------------------------------

#: Three registers of one kind whose result is a source, by bits 15 to 11: saba, uaba; mla, mls.
_SAME_TIED = frozenset((0b01111, 0b10010))


def _three_same(word: int) -> _Operands:
    opcode, u = field(word, 15, 11), field(word, 29, 29)
    if field(word, 28, 28):
        return _RRR
    if opcode in _SAME_TIED:
        return _RRRR
    if opcode == 0b11001 and not u:  # fmla, fmls
        return _RRRR
    if opcode == 0b00011 and u and field(word, 23, 22):  # bsl, bit, bif
        return _RRRR
    size = field(word, 23, 22)
    if not size & 1 and ((opcode == 0b11101 and not u) or (opcode == 0b11001 and u)):
        return _RRRR  # fmlal, fmlal2 and their negative
    return _RRR


#: By bits 15 to 12: saba(l), mla(l), mls(l), sqdmlal, sqdmlsl.
_DIFFERENT_TIED = frozenset((0b0101, 0b1000, 0b1001, 0b1010, 0b1011))
#: addhn, raddhn, subhn, rsubhn: upper halves keep the lower.
_NARROWING = frozenset((0b0100, 0b0110))


def _three_different(word: int, upper: bool) -> _Operands:
    opcode = field(word, 15, 12)
    if opcode in _NARROWING:
        return _RRRR if upper else _RRR
    return _RRRR if opcode in _DIFFERENT_TIED else _RRR


#: By U and bits 15 to 12: what accumulates, of operations with one lane of the last register.
_ELEMENT_TIED = {
    0: frozenset((0b0000, 0b0001, 0b0010, 0b0011, 0b0100, 0b0101, 0b0110, 0b0111, 0b1110, 0b1111)),
    1: frozenset((0b0000, 0b0010, 0b0100, 0b0110, 0b1000, 0b1100, 0b1101, 0b1110, 0b1111)),
}


def _by_element(word: int) -> _Operands:
    opcode, u, size = field(word, 15, 12), field(word, 29, 29), field(word, 23, 22)
    high, low, medium = field(word, 11, 11), field(word, 21, 21), field(word, 20, 20)
    complex_ = u and opcode & 0b1001 == 0b0001
    if complex_:  # fcmla: a lane of pairs, a rotation
        lane = high if size == 2 else high << 1 | low
        return _R, _R, _R, _R, lane, field(word, 14, 13)
    if opcode == 0b1111 and size & 1:  # bfmlal: lanes of two bytes; bfdot: of four
        lane = high << 2 | low << 1 | medium if size == 3 else high << 1 | low
    elif opcode in (0b1110, 0b1111) and not (u and opcode == 0b1111):
        lane = high << 1 | low  # dot products: lanes of four bytes
    elif _half_lanes(opcode, u, size):
        lane = high << 2 | low << 1 | medium
    elif size == 3:
        lane = high
    else:
        lane = high << 1 | low
    if opcode == 0b1111 and u == 1 and size == 1:
        lane = high << 2 | low << 1 | medium
    tied = opcode in _ELEMENT_TIED[u]
    return (_R, _R, _R, _R, lane) if tied else (_R, _R, _R, lane)


def _half_lanes(opcode: int, u: int, size: int) -> bool:
    """Whether the lanes have 16 bits."""
    if size == 0:
        return True
    fmlal = (opcode in (0b0000, 0b0100) and not u) or (opcode in (0b1000, 0b1100) and u)
    return size == 1 or (size == 2 and bool(fmlal))


# -- two registers ---------------------------------------------------------------------------------


def _two_misc(word: int, scalar: int) -> _Operands | None:
    kind = field(word, 20, 17)
    if kind == 0b1000:  # across lanes, or a pair's two
        return _RR
    opcode = field(word, 16, 12)
    upper = field(word, 30, 30) and not scalar
    if kind == 0b0100:
        if scalar:  # sha1h; sha1su1 and sha256su0 change what they have
            return _RR if opcode == 0b00000 else _RRR
        return _RRR if opcode in (0b00100, 0b00101) else _RR  # aese, aesd; aesmc
    if opcode in (0b00110, 0b00011):  # sadalp, suqadd
        return _RRR
    if upper and opcode in (0b10010, 0b10100, 0b10110):  # xtn2, sqxtn2, fcvtn2
        return _RRR
    return _RR


# -- the rest --------------------------------------------------------------------------------------


def _small_groups(word: int, scalar: int) -> _Operands | None:
    """Bit 21 clear: copies, permutations, tables, ext, SHA, complex arithmetic, dot products."""
    opcode, u = field(word, 15, 11), field(word, 29, 29)
    if field(word, 15, 15) and field(word, 10, 10):
        return _three_same_extra(word)
    if scalar:
        if field(word, 10, 10):  # half precision; dup of a lane
            if field(word, 23, 22) or u:
                return _RRR
            return _R, _R, _lane(field(word, 20, 16))
        return _RRRR  # sha1c and its like
    if field(word, 10, 10):
        if field(word, 23, 22) == 0:
            return _copy(word)
        return _RRRR if opcode & 0b111 == 0b001 and not u else _RRR  # fmla, fmls: half precision
    if u:  # ext: in bytes
        return _R, _R, _R, field(word, 14, 11)
    if field(word, 11, 10) == 0b10:
        return _RRR  # zip, uzp, trn
    return _RRRR if field(word, 12, 12) else _RRR  # tbx keeps what it doesn't find


def _three_same_extra(word: int) -> _Operands | None:
    opcode, u = field(word, 14, 11), field(word, 29, 29)
    if opcode >= 0b1100 and u:
        if opcode == 0b1111 or opcode == 0b1101:  # bfdot, bfmmla, bfmlal
            return _RRRR
        return _R, _R, _R, field(word, 12, 12)  # fcadd
    if opcode & 0b1100 == 0b1000 and u:  # fcmla
        return _R, _R, _R, _R, field(word, 12, 11)
    return _RRRR  # dot products, sqrdmlah


def _lane(imm5: int) -> int:
    """The lane's number, which stands above the bit that gives the width."""
    return imm5 >> ((imm5 & -imm5).bit_length())


def _copy(word: int) -> _Operands:
    imm5, imm4 = field(word, 20, 16), field(word, 14, 11)
    if field(word, 29, 29):  # ins from a lane
        width = (imm5 & -imm5).bit_length() - 1
        return _R, _R, _lane(imm5), _R, imm4 >> width
    if imm4 == 0b0001:  # dup of a register
        return _RR
    if imm4 == 0b0011:  # ins from a register
        return _R, _R, _lane(imm5), _R
    return _R, _R, _lane(imm5)  # dup, smov, umov of a lane


#: Shifts that keep or accumulate, by U and bits 15 to 11: ssra, srsra; sri, sli.
_SHIFTS_TIED = {
    0: frozenset((0b00010, 0b00110)),
    1: frozenset((0b00010, 0b00110, 0b01000, 0b01010)),
}
#: Shifts to the left: shl, sli, sqshl(u), sshll.
_SHIFTS_LEFT = frozenset((0b01010, 0b01100, 0b01110, 0b10100))


def _shifts(word: int, scalar: int) -> _Operands:
    opcode, u = field(word, 15, 11), field(word, 29, 29)
    immediate = field(word, 22, 16)
    width = 8 << (field(word, 22, 19).bit_length() - 1)
    amount = immediate - width if opcode in _SHIFTS_LEFT else 2 * width - immediate
    narrows = 0b10000 <= opcode <= 0b10011
    tied = opcode in _SHIFTS_TIED[u] or (narrows and field(word, 30, 30) and not scalar)
    return (_R, _R, _R, amount) if tied else (_R, _R, amount)


def _constants(word: int) -> _Operands:
    """movi and its like: eight bits, and how they are shifted."""
    value = field(word, 18, 16) << 5 | field(word, 9, 5)
    mode = field(word, 15, 12)
    if mode == 0b1111 or field(word, 11, 11):
        return _R, value  # fmov
    if mode == 0b1110:  # bytes, or each bit a byte
        return _R, value
    if mode & 0b1110 == 0b1100:  # ones come in from the right: msl, 8 or 16
        return _R, value, 264 + 8 * (mode & 1)
    shift = 8 * field(word, 14, 13) if not mode & 0b1000 else 8 * field(word, 13, 13)
    if mode & 1:  # orr, bic
        return _R, _R, value, shift
    return _R, value, shift


def _three_registers_crypto(word: int) -> _Operands | None:
    """SHA3, SHA512, SM3, SM4."""
    kind = field(word, 23, 21)
    if kind in (0b000, 0b001):  # eor3, bcax
        return _RRRR
    if kind == 0b010:
        if not field(word, 15, 15):  # sm3ss1
            return _RRRR
        return _R, _R, _R, _R, field(word, 13, 12)  # sm3tt: a lane
    if kind == 0b100:  # xar
        return _R, _R, _R, field(word, 15, 10)
    if kind == 0b011:
        opcode = field(word, 15, 10)
        if opcode in (0b100011, 0b110010):  # rax1, sm4ekey
            return _RRR
        return _RRRR  # sha512h, sha512su1, sm3partw
    if kind == 0b110:  # sha512su0, sm4e
        return _RRR
    return None
