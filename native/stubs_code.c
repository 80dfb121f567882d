/* The machine code: stubs, and the call-through's way in and out.
 *
 * Between a call site and the function only r11 and the flags may change. Arguments can be in any
 * general register (rax holds the vector count of a variadic call, r10 the static chain, rbx, r12
 * to r15 hold arguments of some conventions), in whole vector and mask registers, and on the stack.
 * So the way in saves what C code may clobber: the caller-saved general registers one by one, and
 * the vector state by XSAVE, of which it asks for SSE, AVX and the three parts of AVX-512 as far as
 * the system has them. x87 registers are empty at a call, and AMX tiles, which would need 8 KiB of
 * a small stack, carry no arguments. The callee-saved registers are the C code's to keep.
 */
#include "stubs_chunk.h"
#include "stubs_state.h"

#include <cpuid.h>
#include <string.h>

/* --- the state to save -------------------------------------------------------------------- */

/* XCR0 bits: SSE, AVX, opmask, upper halves of ZMM0-15, ZMM16-31. */
#define STATE_WANTED UINT64_C(0xE6)
#define LEGACY_AREA 512u
#define XSAVE_HEADER 64u

/* The mask for XSAVE (0: there is only FXSAVE) and the size of what it writes. */
__attribute__((used, visibility("hidden"))) uint64_t lj_state_mask = 0;
__attribute__((used, visibility("hidden"))) uint64_t lj_state_size = LEGACY_AREA;

__attribute__((constructor)) static void find_state(void) {
    unsigned a, b, c, d, low, high;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
        return;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    uint64_t mask = ((uint64_t)high << 32 | low) & STATE_WANTED;
    uint64_t size = LEGACY_AREA + XSAVE_HEADER;
    for (unsigned component = 2; component < 8; component++)
        if (mask >> component & 1) {
            __cpuid_count(0xD, component, a, b, c, d); /* a: size, b: offset */
            if ((uint64_t)a + b > size)
                size = (uint64_t)a + b;
        }
    lj_state_mask = mask;
    lj_state_size = size;
}

/* --- the call-through's entry ------------------------------------------------------------- */

/* Comes from a chunk's tail: r11 = chunk, (%rsp) = index, 8(%rsp) = return address. */
/* clang-format off */
__asm__(
    ".text\n"
    ".p2align 4\n"
    ".hidden lj_call_through\n"
    ".globl lj_call_through\n"
    ".type lj_call_through, @function\n"
    "lj_call_through:\n"
    "    .cfi_startproc\n"
    "    .cfi_def_cfa_offset 16\n"
    "    push %rbp\n"
    "    .cfi_def_cfa_offset 24\n"
    "    .cfi_offset %rbp, -24\n"
    "    mov %rsp, %rbp\n"
    "    .cfi_def_cfa_register %rbp\n"
    LJ_SAVE_ARGUMENTS
    "    mov %r11, %rdi\n"
    "    mov 8(%rbp), %rsi\n"
    "    call lj_call_through_wait\n"
    "    mov %rax, %r11\n"
    LJ_RESTORE_ARGUMENTS("0")
    "    mov %rbp, %rsp\n"
    "    .cfi_def_cfa_register %rsp\n"
    "    pop %rbp\n"
    "    .cfi_def_cfa_offset 16\n"
    "    .cfi_restore %rbp\n"
    "    add $8, %rsp\n"
    "    .cfi_def_cfa_offset 8\n"
    "    jmp *%r11\n"
    "    .cfi_endproc\n"
    ".size lj_call_through, . - lj_call_through\n");
/* clang-format on */

extern const char lj_call_through[] __attribute__((visibility("hidden")));

/* --- stubs -------------------------------------------------------------------------------- */

static uint8_t *put32(uint8_t *at, uint64_t value) {
    uint32_t low = (uint32_t)value;
    memcpy(at, &low, 4);
    return at + 4;
}

static uint8_t *put64(uint8_t *at, uint64_t value) {
    memcpy(at, &value, 8);
    return at + 8;
}

/* Displacements are from the end of their instruction. The arena is smaller than 2 GiB, or the
 * pool would not have been made. */
void lj_stubs_write_code(const lj_chunk *chunk, uint8_t *working) {
    const uint64_t tail = LJ_CHUNK_STUBS * LJ_STUB_BYTES;
    uint8_t *at = working;
    for (uint64_t i = 0; i < LJ_CHUNK_STUBS; i++) {
        uint64_t stub = chunk->code + i * LJ_STUB_BYTES;
        *at++ = 0xFF, *at++ = 0x25; /* jmp *slot(%rip) */
        at = put32(at, (uint64_t)&chunk->slots[i] - (stub + 6));
        *at++ = 0x68; /* push $i */
        at = put32(at, i);
        *at++ = 0xE9; /* jmp tail */
        at = put32(at, chunk->code + tail - (stub + 16));
    }
    *at++ = 0x49, *at++ = 0xBB; /* movabs $chunk, %r11 */
    at = put64(at, (uint64_t)chunk);
    *at++ = 0xFF, *at++ = 0x25; /* jmp *0(%rip) */
    at = put32(at, 0);
    at = put64(at, (uint64_t)lj_call_through);
    memset(at, 0xCC, (size_t)(working + LJ_CHUNK_BYTES - at)); /* int3 */
}
