"""AArch64 instructions: LLVM's operands, read from the word.

Every instruction is 32 bits, and its class, a few bits at fixed places, says what the others are.
LLVM's operands are these fields as encoded: a branch has its offset in words, a scaled load its
immediate unscaled, `adrp` its pages. So there is nothing to translate, only an order to know:

    results      come first; what is also a source stands twice (movk, bfm, fmla, cas)
    write-back   makes the base register a result, before the others: ldr x0, [x1], #8 is
                 x1, x0, x1, 8
    shifts       of a second source are one number: kind and amount together

`None` in a row below is a register. `number` gives None for what isn't in these classes (SVE, SME,
system registers of other kinds), rather than a guess. The tables follow the manual's order: the
groups are those of "A64 instruction set encoding".
"""

from __future__ import annotations

from lazyjit.link.operands.aarch64_simd import number_fp_and_simd
from lazyjit.link.operands.fields import field, signed

__all__ = ["ARCHITECTURE", "number"]

#: capstone's CS_ARCH_ARM64.
ARCHITECTURE = 1

_Operands = tuple[int | None, ...]

_R = None  # a register


def number(word: int) -> _Operands | None:
    """LLVM's operands of an instruction, or None for a class that isn't known here.

    The word must be an instruction: fields that the class reserves aren't looked at.
    """
    group = field(word, 28, 25)
    if group & 0b1110 == 0b1000:
        return _immediate(word)
    if group & 0b1110 == 0b1010:
        return _branch_or_system(word)
    if group & 0b0101 == 0b0100:
        return _load_or_store(word)
    if group & 0b0111 == 0b0101:
        return _registers(word)
    if group & 0b0111 == 0b0111:
        return number_fp_and_simd(word)
    if word >> 16 == 0:
        return (word,)  # udf
    return None


# -- data processing with immediates ------------------------------------------------------------


def _immediate(word: int) -> _Operands | None:
    kind = field(word, 25, 23)
    if kind < 0b010:  # adr, adrp: 21 bits in two places
        return _R, signed(field(word, 23, 5) << 2 | field(word, 30, 29), 21)
    if kind == 0b010:  # add, sub: 12 bits and a shift by 0 or 12
        return _R, _R, field(word, 21, 10), 12 * field(word, 22, 22)
    if kind == 0b011:
        if field(word, 22, 22):  # smax and its like
            unsigned = field(word, 18, 18)
            value = field(word, 17, 10)
            return _R, _R, value if unsigned else signed(value, 8)
        return _R, _R, field(word, 21, 16), field(word, 13, 10)  # addg, subg
    if kind == 0b100:  # and, orr, eor: N, immr, imms
        return _R, _R, field(word, 22, 10)
    if kind == 0b101:  # movn, movz; movk keeps the rest
        value, shift = field(word, 20, 5), 16 * field(word, 22, 21)
        return (_R, _R, value, shift) if field(word, 30, 29) == 3 else (_R, value, shift)
    if kind == 0b110:  # sbfm, ubfm: immr, imms; bfm keeps the rest
        fields = field(word, 21, 16), field(word, 15, 10)
        return (_R, _R, _R, *fields) if field(word, 30, 29) == 1 else (_R, _R, *fields)
    return _R, _R, _R, field(word, 15, 10)  # extr


# -- branches, exceptions, system ----------------------------------------------------------------


def _branch_or_system(word: int) -> _Operands | None:
    top = field(word, 31, 26)
    if top & 0b011111 == 0b000101:  # b, bl
        return (signed(field(word, 25, 0), 26),)
    if field(word, 30, 25) == 0b011010:  # cbz, cbnz
        return _R, signed(field(word, 23, 5), 19)
    if field(word, 30, 25) == 0b011011:  # tbz, tbnz: the bit, 14 bits of offset
        bit = field(word, 31, 31) << 5 | field(word, 23, 19)
        return _R, bit, signed(field(word, 18, 5), 14)
    if field(word, 31, 25) == 0b0101010:  # b.cond, bc.cond
        return field(word, 3, 0), signed(field(word, 23, 5), 19)
    if field(word, 31, 24) == 0b11010100:  # svc, hvc, smc, brk, hlt, dcps
        return (field(word, 20, 5),)
    if field(word, 31, 22) == 0b1101010100:
        return _system(word)
    if field(word, 31, 25) == 0b1101011:
        return _branch_to_register(word)
    return None


def _branch_to_register(word: int) -> _Operands | None:
    opcode, authenticated = field(word, 24, 21), field(word, 15, 11) == 1
    if opcode & 0b0111 == 0b0100:  # eret, eretaa
        return ()
    if opcode == 0b0101:  # drps
        return ()
    if not authenticated:
        return (_R,)
    if opcode & 0b0111 == 0b0010:  # retaa
        return ()
    return (_R, _R) if opcode & 0b1000 else (_R,)  # braa has a modifier, braaz none


#: Fields of PSTATE that `msr` writes from four bits: UAO, PAN, SPSel, DIT, DAIFSet, DAIFClr.
_STATE_FIELDS = frozenset((3, 4, 5, 26, 30, 31))

#: nop, xpaclri, pacia1716 and so on to autib1716, paciaz to autibsp, pacm, chkfeat.
_NAMED_HINTS = frozenset((0, 7, 8, 10, 12, 14, *range(24, 32), 39, 40))


def _system(word: int) -> _Operands | None:
    kind = field(word, 21, 19)
    crn, crm, op2 = field(word, 15, 12), field(word, 11, 8), field(word, 7, 5)
    op1 = field(word, 18, 16)
    if kind & 0b010:  # msr, mrs: 16 bits name the register
        name = field(word, 20, 5)
        return (_R, name) if kind & 0b100 else (name, _R)
    if kind & 0b001:  # sys, sysl
        return (_R, op1, crn, crm, op2) if kind & 0b100 else (op1, crn, crm, op2, _R)
    name = field(word, 20, 5)
    if kind & 0b100:  # as above, but no register that there is
        return _R, name
    if op1 == 0b011 and crn == 0b0001 and crm == 0 and op2 < 2:  # wfet, wfit
        return (_R,)
    if field(word, 4, 0) == 31:
        if op1 == 0b011 and crn == 0b0010:  # hints; those with a name of their own in LLVM
            hint = crm << 3 | op2
            return () if hint in _NAMED_HINTS else (hint,)
        if op1 == 0b011 and crn == 0b0011:
            barrier = _barrier(crm, op2)
            if barrier is not None:
                return barrier
        if crn == 0b0100:  # msr to a field of the processor's state
            state = op1 << 3 | op2
            if state < 3 and crm == 0:
                return ()  # cfinv, xaflag, axflag
            if state in _STATE_FIELDS:
                return state, crm
            if (state == 8 and crm < 4) or (state == 27 and 2 <= crm < 8):
                # These two share their number, and have one bit only: smstart, allint, pm.
                return (64 * (crm >> 1) + 8, crm & 1) if state == 8 else (crm >> 1, crm & 1)
    return name, _R


def _barrier(crm: int, op2: int) -> _Operands | None:
    if op2 == 0b111 and crm == 0:  # sb
        return ()
    if op2 == 0b001 and crm & 3 == 0b10:  # dsb ... nXS
        return (crm | 1,)
    return (crm,) if op2 in (0b010, 0b100, 0b101, 0b110) else None  # clrex, dsb, dmb, isb


# -- loads and stores ----------------------------------------------------------------------------


def _load_or_store(word: int) -> _Operands | None:
    kind = field(word, 29, 28)
    vector = field(word, 26, 26)
    if kind == 0b00:
        return _structures(word) if vector else _exclusive(word)
    if kind == 0b01:
        if field(word, 24, 24):
            return _tags_and_ordered(word)
        # ldr from a literal; prfm has a number where others have a register
        first = _operation(word) if not vector and field(word, 31, 30) == 3 else _R
        return first, signed(field(word, 23, 5), 19)
    if kind == 0b10:  # pairs
        offset = signed(field(word, 21, 15), 7)
        written_back = field(word, 23, 23)
        return (_R, _R, _R, _R, offset) if written_back else (_R, _R, _R, offset)
    prefetch = not vector and field(word, 31, 30) == 3 and field(word, 23, 22) == 2
    first = _operation(word) if prefetch else _R
    if field(word, 24, 24):  # 12 bits, in units of what is loaded
        return first, _R, field(word, 21, 10)
    low = field(word, 11, 10)
    if not field(word, 21, 21):  # 9 bits, in bytes
        offset = signed(field(word, 20, 12), 9)
        return (_R, _R, _R, offset) if low & 1 else (first, _R, offset)
    if low == 0b10:  # a register: sign-extended or not, scaled or not
        if prefetch and field(word, 4, 3) == 3:  # rprfm: six bits from three places
            kind = field(word, 15, 15) << 5 | field(word, 13, 12) << 3 | field(word, 2, 0)
            return kind, _R, _R
        return first, _R, _R, field(word, 15, 15), field(word, 12, 12)
    if low & 1:  # ldraa, ldrab: 10 bits
        offset = signed(field(word, 22, 22) << 9 | field(word, 20, 12), 10)
        return (_R, _R, _R, offset) if low == 0b11 else (_R, _R, offset)
    return _atomic(word)


def _operation(word: int) -> int:
    return field(word, 4, 0)


def _atomic(word: int) -> _Operands | None:
    if not field(word, 15, 15) or field(word, 14, 12) == 0:
        return _R, _R, _R  # ldadd and its like, swp
    if field(word, 14, 12) == 0b100:  # ldapr
        return _R, _R
    if field(word, 14, 12) in (0b001, 0b101):  # st64b, ld64b
        return _R, _R
    return _R, _R, _R  # st64bv


def _exclusive(word: int) -> _Operands | None:
    ordered, load, pair = field(word, 23, 23), field(word, 22, 22), field(word, 21, 21)
    if ordered:
        return (_R,) * 4 if pair else (_R, _R)  # cas: compared and result; ldar, stlr
    if pair and not field(word, 31, 31):
        return (_R,) * 4  # casp
    if load:
        return (_R, _R, _R) if pair else (_R, _R)  # ldxp, ldxr
    return (_R,) * 4 if pair else (_R,) * 3  # stxp, stxr: with a status


def _structures(word: int) -> _Operands | None:
    """Vector structures: ld1 to st4. Written back: the base twice, and what is added."""
    post, load = field(word, 23, 23), field(word, 22, 22)
    if not field(word, 24, 24):
        return (_R,) * 4 if post else (_R, _R)
    opcode = field(word, 15, 13)
    if opcode >= 0b110:  # to all lanes
        return (_R,) * 4 if post else (_R, _R)
    # One lane: its number is in Q, S and size, as far as the lane's width leaves them.
    lane = field(word, 30, 30) << 3 | field(word, 12, 10)
    if opcode >> 1 == 1:
        lane >>= 1
    elif opcode >> 1 == 2:
        lane >>= 3 if lane & 1 else 2
    vectors = (_R, _R) if load else (_R,)
    return (_R, *vectors, lane, _R, _R) if post else (*vectors, lane, _R)


def _tags_and_ordered(word: int) -> _Operands | None:
    offset = signed(field(word, 20, 12), 9)
    if not field(word, 21, 21):
        return (_R, _R, offset) if not field(word, 11, 10) else None  # ldapur, stlur
    if field(word, 31, 30) != 3 or field(word, 26, 26):
        return None
    low = field(word, 11, 10)
    opcode = field(word, 23, 22)
    if low == 0:
        if opcode == 1:
            return _R, _R, _R, offset  # ldg keeps the rest
        return _R, _R  # stzgm, stgm, ldgm
    return (_R, _R, offset) if low == 0b10 else (_R, _R, _R, offset)  # stg, st2g, ...


# -- data processing with registers ----------------------------------------------------------------


def _registers(word: int) -> _Operands | None:
    if not field(word, 28, 28):
        if field(word, 24, 24) and field(word, 21, 21):  # extended: kind and amount
            return _R, _R, _R, field(word, 15, 10)
        return _R, _R, _R, field(word, 23, 22) << 6 | field(word, 15, 10)
    kind = field(word, 24, 21)
    if kind & 0b1000:  # madd and its like; smulh has no third source
        high = field(word, 23, 21) in (0b010, 0b110)
        return (_R,) * 3 if high else (_R,) * 4
    if kind == 0b0000:
        if field(word, 14, 10) == 0b00001:  # rmif
            return _R, field(word, 20, 15), field(word, 3, 0)
        if field(word, 13, 10) == 0b0010:  # setf8, setf16
            return (_R,)
        return _R, _R, _R  # adc, sbc
    if kind == 0b0010:  # ccmp: flags and condition
        second = field(word, 20, 16) if field(word, 11, 11) else _R
        return _R, second, field(word, 3, 0), field(word, 15, 12)
    if kind == 0b0100:  # csel
        return _R, _R, _R, field(word, 15, 12)
    if kind != 0b0110:
        return None
    if not field(word, 30, 30):
        return _R, _R, _R
    if field(word, 20, 16) == 0:
        return _R, _R
    # Pointer authentication changes its result in place; the forms with a zero have no modifier.
    return (_R, _R) if field(word, 13, 13) or field(word, 15, 14) else (_R, _R, _R)
