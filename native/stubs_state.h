/* Saving and restoring every register that may hold an argument, as text for file-scope assembly.
 *
 * For code that has just made a frame: rbp is its frame pointer, the eight words below rbp are
 * free, and rsp points no higher than rbp. r11 and the flags are not kept, and neither are the
 * callee-saved registers, which C code keeps by itself. stubs_code.c says which state and why.
 */
#ifndef LAZYJIT_STUBS_STATE_H
#define LAZYJIT_STUBS_STATE_H

/* Leaves rsp aligned to 64, on the saved vector state. */
#define LJ_SAVE_ARGUMENTS                                                                          \
    "    push %rax\n"                                                                              \
    "    push %rcx\n"                                                                              \
    "    push %rdx\n"                                                                              \
    "    push %rsi\n"                                                                              \
    "    push %rdi\n"                                                                              \
    "    push %r8\n"                                                                               \
    "    push %r9\n"                                                                               \
    "    push %r10\n"                                                                              \
    "    sub lj_state_size(%rip), %rsp\n"                                                          \
    "    and $-64, %rsp\n"                                                                         \
    "    mov lj_state_mask(%rip), %rax\n"                                                          \
    "    test %rax, %rax\n"                                                                        \
    "    jz 771f\n" /* XSAVE leaves most of its header as it is, and XRSTOR faults on garbage */   \
    "    xor %ecx, %ecx\n"                                                                         \
    "    mov %rcx, 512(%rsp)\n"                                                                    \
    "    mov %rcx, 520(%rsp)\n"                                                                    \
    "    mov %rcx, 528(%rsp)\n"                                                                    \
    "    mov %rcx, 536(%rsp)\n"                                                                    \
    "    mov %rcx, 544(%rsp)\n"                                                                    \
    "    mov %rcx, 552(%rsp)\n"                                                                    \
    "    mov %rcx, 560(%rsp)\n"                                                                    \
    "    mov %rcx, 568(%rsp)\n"                                                                    \
    "    mov %rax, %rdx\n"                                                                         \
    "    shr $32, %rdx\n"                                                                          \
    "    xsave64 (%rsp)\n"                                                                         \
    "    jmp 772f\n"                                                                               \
    "771: fxsave64 (%rsp)\n"                                                                       \
    "772:\n"

/* `base` is how far below rbp LJ_SAVE_ARGUMENTS began to push, as text: "0" if at rbp. rsp must be
 * where that left it; it stays there. */
#define LJ_RESTORE_ARGUMENTS(base)                                                                 \
    "    mov lj_state_mask(%rip), %rax\n"                                                          \
    "    test %rax, %rax\n"                                                                        \
    "    jz 773f\n"                                                                                \
    "    mov %rax, %rdx\n"                                                                         \
    "    shr $32, %rdx\n"                                                                          \
    "    xrstor64 (%rsp)\n"                                                                        \
    "    jmp 774f\n"                                                                               \
    "773: fxrstor64 (%rsp)\n"                                                                      \
    "774: mov -" base "-8(%rbp), %rax\n"                                                           \
    "    mov -" base "-16(%rbp), %rcx\n"                                                           \
    "    mov -" base "-24(%rbp), %rdx\n"                                                           \
    "    mov -" base "-32(%rbp), %rsi\n"                                                           \
    "    mov -" base "-40(%rbp), %rdi\n"                                                           \
    "    mov -" base "-48(%rbp), %r8\n"                                                            \
    "    mov -" base "-56(%rbp), %r9\n"                                                            \
    "    mov -" base "-64(%rbp), %r10\n"

#endif
