/* Relocations of x86-64: each kind, what it computes, and what can go wrong.
 *
 * Forms and ranges are link_arch.h's. A value that doesn't fit its range is LINK_OVERFLOW, naming
 * kind, symbol and value. LOADER is refused with OBJ_RELOCATION: what static linkers write for
 * dynamic loaders isn't in objects.
 */
#ifndef LAZYJIT_LINK_X86_64_H
#define LAZYJIT_LINK_X86_64_H

#include "link_arch.h"

/* X(number, name, bytes written, range, form) */
#define LJ_X86_64_KINDS(X)                                                                         \
    X(0, NONE, 0, ANY, NOTHING)                                                                    \
    X(1, 64, 8, ANY, ABS)                                                                          \
    X(2, PC32, 4, S32, PC)                                                                         \
    X(3, GOT32, 4, S32, GOTENT)                                                                    \
    X(4, PLT32, 4, S32, BRANCH)                                                                    \
    X(5, COPY, 0, ANY, LOADER)                                                                     \
    X(6, GLOB_DAT, 8, ANY, LOADER)                                                                 \
    X(7, JUMP_SLOT, 8, ANY, LOADER)                                                                \
    X(8, RELATIVE, 8, ANY, LOADER)                                                                 \
    X(9, GOTPCREL, 4, S32, GOTREL)                                                                 \
    X(10, 32, 4, U32, ABS)                                                                         \
    X(11, 32S, 4, S32, ABS)                                                                        \
    X(12, 16, 2, I16, ABS)                                                                         \
    X(13, PC16, 2, S16, PC)                                                                        \
    X(14, 8, 1, I8, ABS)                                                                           \
    X(15, PC8, 1, S8, PC)                                                                          \
    X(16, DTPMOD64, 8, ANY, DTPMOD)                                                                \
    X(17, DTPOFF64, 8, ANY, DTPOFF)                                                                \
    X(18, TPOFF64, 8, ANY, TPOFF)                                                                  \
    X(19, TLSGD, 4, S32, TLSGD)                                                                    \
    X(20, TLSLD, 4, S32, TLSLD)                                                                    \
    X(21, DTPOFF32, 4, S32, DTPOFF)                                                                \
    X(22, GOTTPOFF, 4, S32, TPREL)                                                                 \
    X(23, TPOFF32, 4, S32, TPOFF)                                                                  \
    X(24, PC64, 8, ANY, PC)                                                                        \
    X(25, GOTOFF64, 8, ANY, GOTOFF)                                                                \
    X(26, GOTPC32, 4, S32, GOTPC)                                                                  \
    X(27, GOT64, 8, ANY, GOTENT)                                                                   \
    X(28, GOTPCREL64, 8, ANY, GOTREL)                                                              \
    X(29, GOTPC64, 8, ANY, GOTPC)                                                                  \
    X(30, GOTPLT64, 8, ANY, GOTENT)                                                                \
    X(31, PLTOFF64, 8, ANY, PLTOFF)                                                                \
    X(32, SIZE32, 4, U32, SIZE)                                                                    \
    X(33, SIZE64, 8, ANY, SIZE)                                                                    \
    X(34, GOTPC32_TLSDESC, 4, S32, DESC)                                                           \
    X(35, TLSDESC_CALL, 0, ANY, NOTHING)                                                           \
    X(36, TLSDESC, 32, ANY, DESCWORD)                                                              \
    X(37, IRELATIVE, 8, ANY, LOADER)                                                               \
    X(38, RELATIVE64, 8, ANY, LOADER)                                                              \
    X(41, GOTPCRELX, 4, S32, GOTREX)                                                               \
    X(42, REX_GOTPCRELX, 4, S32, GOTREX)                                                           \
    X(43, CODE_4_GOTPCRELX, 4, S32, GOTREL)                                                        \
    X(44, CODE_4_GOTTPOFF, 4, S32, TPREL)                                                          \
    X(45, CODE_4_GOTPC32_TLSDESC, 4, S32, DESC)                                                    \
    X(46, CODE_5_GOTPCRELX, 4, S32, GOTREL)                                                        \
    X(47, CODE_5_GOTTPOFF, 4, S32, TPREL)                                                          \
    X(48, CODE_5_GOTPC32_TLSDESC, 4, S32, DESC)                                                    \
    X(49, CODE_6_GOTPCRELX, 4, S32, GOTREL)                                                        \
    X(50, CODE_6_GOTTPOFF, 4, S32, TPREL)                                                          \
    X(51, CODE_6_GOTPC32_TLSDESC, 4, S32, DESC)

enum {
#define LJ_KIND(number, name, bytes, range, form) LJ_X86_64_##name = number,
    LJ_X86_64_KINDS(LJ_KIND)
#undef LJ_KIND
        LJ_X86_64_KIND_COUNT
};

/* An entry of an indirect function (link_ifunc.c). */
enum { LJ_X86_64_IFUNC_SIZE = 24, LJ_X86_64_IFUNC_EDGES = 3, LJ_X86_64_IFUNC_RESUME = 6 };
void lj_x86_64_write_ifunc(uint8_t *bytes);
void lj_x86_64_plan_ifunc(struct lj_link_edge *edges, uint32_t entry, uint32_t slot,
                          uint32_t slot_symbol);
/* r11 points to the slot; all arguments are kept, and the call goes on. */
void lj_x86_64_ifunc_resolve(void) __attribute__((visibility("hidden")));

#endif
