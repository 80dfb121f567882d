/* Resolvers of TLS descriptors, in assembly for their ABI: every register but rax survives.
 *
 * Fast path: the thread has a block, and no image was registered since it looked last. Otherwise C
 * code runs, which is free to change any register that C may; so all of them are saved, the vector
 * state by XSAVE with the components that C code may use: x87, SSE, AVX, AVX-512 (0xe7). On a
 * processor without XSAVE there is FXSAVE.
 */
#include "tls.h"
#include "tls_thread.h"

#include <cpuid.h>

/* Bytes for XSAVE with mask 0xe7; 0: use FXSAVE. */
__attribute__((visibility("hidden"))) uint64_t lj_xsave_size;

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
#define SAVE_AND_CALL(function)                                                                    \
    "    push %rbp\n"                                                                              \
    "    .cfi_adjust_cfa_offset 8\n"                                                               \
    "    .cfi_rel_offset %rbp, 0\n"                                                                \
    "    mov %rsp, %rbp\n"                                                                         \
    "    .cfi_def_cfa_register %rbp\n"                                                             \
    "    push %rdi\n    push %rsi\n    push %rdx\n    push %rcx\n"                                 \
    "    push %r8\n    push %r9\n    push %r10\n    push %r11\n"                                   \
    "    push %rbx\n"                                                                              \
    "    mov %rax, %rdi\n"                                                                         \
    "    mov lj_xsave_size(%rip), %rbx\n"                                                          \
    "    test %rbx, %rbx\n"                                                                        \
    "    jz 2f\n"                                                                                  \
    "    sub %rbx, %rsp\n"                                                                         \
    "    and $-64, %rsp\n"                                                                         \
    "    xor %edx, %edx\n"                                                                         \
    /* XRSTOR wants a clean header, of which XSAVE writes the first word only. */                  \
    "    mov %rdx, 512(%rsp)\n    mov %rdx, 520(%rsp)\n    mov %rdx, 528(%rsp)\n"                  \
    "    mov %rdx, 536(%rsp)\n    mov %rdx, 544(%rsp)\n    mov %rdx, 552(%rsp)\n"                  \
    "    mov %rdx, 560(%rsp)\n    mov %rdx, 568(%rsp)\n"                                           \
    "    mov $0xe7, %eax\n"                                                                        \
    "    xsave64 (%rsp)\n"                                                                         \
    "    call " function "\n"                                                                      \
    "    mov %rax, %rdi\n"                                                                         \
    "    mov $0xe7, %eax\n"                                                                        \
    "    xor %edx, %edx\n"                                                                         \
    "    xrstor64 (%rsp)\n"                                                                        \
    "    jmp 3f\n"                                                                                 \
    "2:  sub $512, %rsp\n"                                                                         \
    "    and $-16, %rsp\n"                                                                         \
    "    fxsave64 (%rsp)\n"                                                                        \
    "    call " function "\n"                                                                      \
    "    mov %rax, %rdi\n"                                                                         \
    "    fxrstor64 (%rsp)\n"                                                                       \
    "3:  mov %rdi, %rax\n"                                                                         \
    "    sub %fs:0, %rax\n"                                                                        \
    "    lea -72(%rbp), %rsp\n"                                                                    \
    "    pop %rbx\n"                                                                               \
    "    pop %r11\n    pop %r10\n    pop %r9\n    pop %r8\n"                                       \
    "    pop %rcx\n    pop %rdx\n    pop %rsi\n    pop %rdi\n"                                     \
    "    pop %rbp\n"                                                                               \
    "    .cfi_def_cfa %rsp, 8\n"                                                                   \
    "    .cfi_restore %rbp\n"                                                                      \
    "    ret\n"

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
    SAVE_AND_CALL("lj_tlsdesc_own_slowly")
    "    .cfi_endproc\n"
    "    .size lj_tlsdesc_own, .-lj_tlsdesc_own\n"

    "    .p2align 4\n"
    "    .globl lj_tlsdesc_host\n"
    "    .hidden lj_tlsdesc_host\n"
    "    .type lj_tlsdesc_host, @function\n"
    "lj_tlsdesc_host:\n"
    "    .cfi_startproc\n"
    "    endbr64\n"
    SAVE_AND_CALL("lj_tlsdesc_host_slowly")
    "    .cfi_endproc\n"
    "    .size lj_tlsdesc_host, .-lj_tlsdesc_host\n");
/* clang-format on */
