/* Relocations of x86-64: each kind, what it computes, and what can go wrong.
 *
 * The letters are the psABI's:
 *   S    the symbol's address            A    the edge's addend
 *   P    the place that is written       Z    the symbol's size
 *   GOT  start of the object's GOT       G    offset of the symbol's word in it
 *   L    the symbol's PLT entry, or S when the symbol is in reach (or 64 bits are written)
 *   T    offset in the thread-local block of all JIT'd code (tls.h)
 *   D    the symbol's TLS descriptor, M its {module, offset} pair: words in the GOT
 *
 * The value must fit the range or the link fails with LINK_OVERFLOW, naming kind, symbol, value:
 *   ANY    64 bits hold everything
 *   S32, S16, S8   signed                U32  unsigned
 *   I16, I8        signed or unsigned: data directives write both
 *
 * Forms of what is computed:
 *   NOTHING   a marker, ignored
 *   ABS       S + A                      PC      S + A - P
 *   BRANCH    L + A - P                  GOTPC   GOT + A - P
 *   GOTREL    G + GOT + A - P            GOTREX  the same, and relaxed to lea, call or jmp in reach
 *   GOTENT    G + A                      GOTOFF  S + A - GOT
 *   PLTOFF    L + A - GOT, L being S     SIZE    Z + A; fails for an external symbol
 *   TLSGD     M + A - P                  TLSLD   the object's own {module, 0} pair + A - P
 *   DTPOFF    T + A                      DTPMOD  the module number of the symbol's block
 *   DESC      D + A - P                  DESCWORD  D's words {resolver, argument, module, offset};
 *                                                  an edge of the linker's own GOT only
 *   STATIC    an offset from the thread pointer. A JIT'd variable has none: no room is left in the
 *             static TLS block of a thread that runs already. OBJ_RELOCATION, always
 *   LOADER    written by static linkers for dynamic loaders, not by compilers. OBJ_RELOCATION
 */
#ifndef LAZYJIT_LINK_X86_64_H
#define LAZYJIT_LINK_X86_64_H

#include "link_graph.h"

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
    X(18, TPOFF64, 8, ANY, STATIC)                                                                 \
    X(19, TLSGD, 4, S32, TLSGD)                                                                    \
    X(20, TLSLD, 4, S32, TLSLD)                                                                    \
    X(21, DTPOFF32, 4, S32, DTPOFF)                                                                \
    X(22, GOTTPOFF, 4, S32, STATIC)                                                                \
    X(23, TPOFF32, 4, S32, STATIC)                                                                 \
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
    X(44, CODE_4_GOTTPOFF, 4, S32, STATIC)                                                         \
    X(45, CODE_4_GOTPC32_TLSDESC, 4, S32, DESC)                                                    \
    X(46, CODE_5_GOTPCRELX, 4, S32, GOTREL)                                                        \
    X(47, CODE_5_GOTTPOFF, 4, S32, STATIC)                                                         \
    X(48, CODE_5_GOTPC32_TLSDESC, 4, S32, DESC)                                                    \
    X(49, CODE_6_GOTPCRELX, 4, S32, GOTREL)                                                        \
    X(50, CODE_6_GOTTPOFF, 4, S32, STATIC)                                                         \
    X(51, CODE_6_GOTPC32_TLSDESC, 4, S32, DESC)

enum {
#define LJ_KIND(number, name, bytes, range, form) LJ_X86_64_##name = number,
    LJ_X86_64_KINDS(LJ_KIND)
#undef LJ_KIND
        LJ_X86_64_KIND_COUNT
};

enum lj_range {
    LJ_RANGE_ANY,
    LJ_RANGE_S32,
    LJ_RANGE_U32,
    LJ_RANGE_S16,
    LJ_RANGE_I16,
    LJ_RANGE_S8,
    LJ_RANGE_I8
};

enum lj_form {
    LJ_FORM_UNKNOWN, /* a number that the ABI doesn't have */
    LJ_FORM_NOTHING,
    LJ_FORM_ABS,
    LJ_FORM_PC,
    LJ_FORM_BRANCH,
    LJ_FORM_GOTPC,
    LJ_FORM_GOTREL,
    LJ_FORM_GOTREX,
    LJ_FORM_GOTENT,
    LJ_FORM_GOTOFF,
    LJ_FORM_PLTOFF,
    LJ_FORM_SIZE,
    LJ_FORM_TLSGD,
    LJ_FORM_TLSLD,
    LJ_FORM_DTPOFF,
    LJ_FORM_DTPMOD,
    LJ_FORM_DESC,
    LJ_FORM_DESCWORD,
    LJ_FORM_STATIC,
    LJ_FORM_LOADER
};

typedef struct lj_kind {
    const char *name;
    uint8_t bytes, range, form;
} lj_kind;

/* By relocation number; numbers beyond have form UNKNOWN. */
extern const lj_kind lj_x86_64_kinds[LJ_X86_64_KIND_COUNT];

/* A PLT entry: ff 25 disp32  jmp *word(%rip); cc cc  int3. */
enum { LJ_PLT_ENTRY_SIZE = 8 };

/* Writes the PLT entries' bytes, whose displacements are edges like any other. */
void lj_x86_64_write_plt(uint8_t *bytes, uint32_t entries);
/* Applies the edges of one block. */
lj_status lj_x86_64_fix_up(lj_graph *graph, const lj_link_block *block);

#endif
