/* Entries of indirect functions on x86-64, and the way from one to its resolver.
 *
 *   entry:  ff 25 disp32      jmp *slot(%rip)       at first to the next instruction
 *           4c 8d 1d disp32   lea slot(%rip), %r11
 *           ff 25 disp32      jmp *slot+16(%rip)    to lj_x86_64_ifunc_resolve
 *
 * A resolver runs with every argument register of the call saved; then the call goes on.
 */
#include "link_graph.h"
#include "link_x86_64.h"
#include "save_x86_64.h"

#include <string.h>

/* clang-format off */
__asm__(
    "    .text\n"
    "    .p2align 4\n"
    "    .globl lj_x86_64_ifunc_resolve\n"
    "    .hidden lj_x86_64_ifunc_resolve\n"
    "    .type lj_x86_64_ifunc_resolve, @function\n"
    "lj_x86_64_ifunc_resolve:\n"
    "    .cfi_startproc\n"
    "    endbr64\n"
    LJ_SAVE_ALL
    "    mov %r11, %rdi\n"
    LJ_CALL("lj_ifunc_bind")
    LJ_RESULT_IN_R11
    LJ_RESTORE
    "    jmp *%r11\n"
    "    .cfi_endproc\n"
    "    .size lj_x86_64_ifunc_resolve, .-lj_x86_64_ifunc_resolve\n");
/* clang-format on */

void lj_x86_64_write_ifunc(uint8_t *bytes) {
    static const uint8_t entry[LJ_X86_64_IFUNC_SIZE] = {
        0xff, 0x25, 0,    0,    0,    0,    /* jmp *slot(%rip) */
        0x4c, 0x8d, 0x1d, 0,    0,    0, 0, /* lea slot(%rip), %r11 */
        0xff, 0x25, 0,    0,    0,    0,    /* jmp *slot+16(%rip) */
        0xcc, 0xcc, 0xcc, 0xcc, 0xcc,       /* int3 */
    };
    memcpy(bytes, entry, sizeof entry);
}

void lj_x86_64_plan_ifunc(lj_link_edge *edges, uint32_t entry, uint32_t slot,
                          uint32_t slot_symbol) {
    static const uint32_t displacements[LJ_X86_64_IFUNC_EDGES][2] = {{2, 0}, {9, 0}, {15, 16}};
    for (int i = 0; i < LJ_X86_64_IFUNC_EDGES; i++)
        edges[i] = (lj_link_edge){.offset = entry + displacements[i][0],
                                  .target = slot_symbol,
                                  .kind = LJ_X86_64_PC32,
                                  .addend = (int64_t)slot + displacements[i][1] - 4};
}
