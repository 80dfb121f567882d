/* Assembly that calls C from where no register may change.
 *
 * C code may use any caller-saved register, and the whole vector state; code that stands between a
 * caller and its callee without either knowing must keep all of them. The general registers go to
 * the stack, the vector state to an XSAVE area there with the components that C code may use: x87,
 * SSE, AVX, AVX-512 (mask 0xe7). On a processor without XSAVE there is FXSAVE. The area takes
 * some 2.7 KiB with AVX-512.
 *
 *   LJ_SAVE_ALL   a frame in rbp; rax, rcx, rdx, rsi, rdi, r8 to r11, rbx and the vectors are
 * saved; rsp is aligned for a call, and rdi has what rax had LJ_CALL       calls a C function that
 * takes and returns one register in rdi and rax; rdi holds the result afterwards LJ_RESTORE
 * everything is as it was before LJ_SAVE_ALL, but for the flags; the result is in the register
 * whose saved copy was overwritten: `LJ_RESULT_IN_RAX` or `..._R11`
 */
#ifndef LAZYJIT_SAVE_X86_64_H
#define LAZYJIT_SAVE_X86_64_H

#include <stdint.h>

/* Bytes of an XSAVE area with mask 0xe7; 0: use FXSAVE. In tls_x86_64.c, before main. */
extern uint64_t lj_xsave_size __attribute__((visibility("hidden")));

/* clang-format off */
#define LJ_SAVE_ALL                                                                                \
    "    push %rbp\n"                                                                              \
    "    .cfi_adjust_cfa_offset 8\n"                                                               \
    "    .cfi_rel_offset %rbp, 0\n"                                                                \
    "    mov %rsp, %rbp\n"                                                                         \
    "    .cfi_def_cfa_register %rbp\n"                                                             \
    "    push %rax\n    push %r11\n" /* -8, -16 */                                                 \
    "    push %rdi\n    push %rsi\n    push %rdx\n    push %rcx\n"                                 \
    "    push %r8\n    push %r9\n    push %r10\n    push %rbx\n" /* -80 */                          \
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
    "    jmp 3f\n"                                                                                 \
    "2:  sub $512, %rsp\n"                                                                         \
    "    and $-16, %rsp\n"                                                                         \
    "    fxsave64 (%rsp)\n"                                                                        \
    "3:\n"

#define LJ_CALL(function)                                                                          \
    "    call " function "\n"                                                                      \
    "    mov %rax, %rdi\n"

#define LJ_RESULT_IN_RAX "    mov %rdi, -8(%rbp)\n"
#define LJ_RESULT_IN_R11 "    mov %rdi, -16(%rbp)\n"

#define LJ_RESTORE                                                                                 \
    "    test %rbx, %rbx\n"                                                                        \
    "    jz 2f\n"                                                                                  \
    "    mov $0xe7, %eax\n"                                                                        \
    "    xor %edx, %edx\n"                                                                         \
    "    xrstor64 (%rsp)\n"                                                                        \
    "    jmp 3f\n"                                                                                 \
    "2:  fxrstor64 (%rsp)\n"                                                                       \
    "3:  lea -80(%rbp), %rsp\n"                                                                    \
    "    pop %rbx\n    pop %r10\n    pop %r9\n    pop %r8\n"                                       \
    "    pop %rcx\n    pop %rdx\n    pop %rsi\n    pop %rdi\n"                                     \
    "    pop %r11\n    pop %rax\n"                                                                 \
    "    pop %rbp\n"                                                                               \
    "    .cfi_def_cfa %rsp, 8\n"                                                                   \
    "    .cfi_restore %rbp\n"
/* clang-format on */

#endif
