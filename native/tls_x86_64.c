/* Resolvers of TLS descriptors, in assembly for their ABI: every register but rax survives.
 *
 * Fast path: the thread has a block, and no image was registered since it looked last. Otherwise C
 * code runs, with every register saved around it (save_x86_64.h).
 */
#include "save_x86_64.h"
#include "tls.h"
#include "tls_thread.h"

#include <cpuid.h>

uint64_t lj_xsave_size;

__attribute__((constructor)) static void measure_xsave(void) {
    uint32_t a, b, c, d, low, high;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
        return;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    uint64_t size = 512 + 64; /* legacy area and header */
    for (uint32_t i = 2; i < 8; i++)
        if ((low & 0xe7) >> i & 1 && __get_cpuid_count(0xd, i, &a, &b, &c, &d) && b + a > size)
            size = b + a;
    lj_xsave_size = (size + 63) & ~UINT64_C(63);
}

/* What the slow paths call. */
__attribute__((visibility("hidden"), used)) uint64_t lj_tlsdesc_own_slowly(const uint64_t *words) {
    return (uint64_t)(uintptr_t)(lj_tls_block() + words[1]);
}

__attribute__((visibility("hidden"), used)) uint64_t lj_tlsdesc_host_slowly(const uint64_t *words) {
    return (uint64_t)(uintptr_t)lj_tls_get_addr((const lj_tls_index *)(uintptr_t)words[1]);
}

/* clang-format off */
__asm__(
    "    .text\n"
    "    .p2align 4\n"
    "    .globl lj_tlsdesc_own\n"
    "    .hidden lj_tlsdesc_own\n"
    "    .type lj_tlsdesc_own, @function\n"
    "lj_tlsdesc_own:\n"
    "    .cfi_startproc\n"
    "    endbr64\n"
    "    push %rcx\n"
    "    .cfi_adjust_cfa_offset 8\n"
    "    push %rdx\n"
    "    .cfi_adjust_cfa_offset 8\n"
    "    mov lj_tls_self@gottpoff(%rip), %rcx\n"
    "    mov %fs:(%rcx), %rcx\n"
    "    test %rcx, %rcx\n"
    "    jz 1f\n"
    "    mov lj_tls_serial(%rip), %rdx\n"
    "    cmp %rdx, (%rcx)\n"
    "    jne 1f\n"
    "    mov 8(%rax), %rax\n"
    "    add 8(%rcx), %rax\n"
    "    sub %fs:0, %rax\n"
    "    pop %rdx\n"
    "    .cfi_adjust_cfa_offset -8\n"
    "    pop %rcx\n"
    "    .cfi_adjust_cfa_offset -8\n"
    "    ret\n"
    "1:  .cfi_adjust_cfa_offset 16\n"
    "    pop %rdx\n"
    "    .cfi_adjust_cfa_offset -8\n"
    "    pop %rcx\n"
    "    .cfi_adjust_cfa_offset -8\n"
    LJ_SAVE_ALL
    LJ_CALL("lj_tlsdesc_own_slowly")
    "    sub %fs:0, %rdi\n"
    LJ_RESULT_IN_RAX
    LJ_RESTORE
    "    ret\n"
    "    .cfi_endproc\n"
    "    .size lj_tlsdesc_own, .-lj_tlsdesc_own\n"

    "    .p2align 4\n"
    "    .globl lj_tlsdesc_host\n"
    "    .hidden lj_tlsdesc_host\n"
    "    .type lj_tlsdesc_host, @function\n"
    "lj_tlsdesc_host:\n"
    "    .cfi_startproc\n"
    "    endbr64\n"
    LJ_SAVE_ALL
    LJ_CALL("lj_tlsdesc_host_slowly")
    "    sub %fs:0, %rdi\n"
    LJ_RESULT_IN_RAX
    LJ_RESTORE
    "    ret\n"
    "    .cfi_endproc\n"
    "    .size lj_tlsdesc_host, .-lj_tlsdesc_host\n");
/* clang-format on */
