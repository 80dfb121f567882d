/* What the linker has to know of an architecture, in one table.
 *
 * The generic part (reading, pruning, GOT and PLT slots, layout, the loop over edges) never looks
 * at a relocation's number. It asks the architecture's table of kinds, and a kind says by its form
 * what is computed, in the ABIs' letters:
 *
 *   S    the symbol's address            A    the edge's addend
 *   P    the place that is written       Z    the symbol's size
 *   GOT  start of the object's GOT       G    offset of the symbol's word in it
 *   L    the symbol's PLT entry, or S when the symbol is in reach
 *   T    offset in the thread-local block of all JIT'd code (tls.h)
 *   D    the symbol's TLS descriptor, M its {module, offset} pair: words in the GOT
 *   TP   offset from the thread pointer in the static block (tls_static.h), TPW a GOT word with it
 *   Page(x)  x without its low 12 bits
 *
 * What a form needs of the graph (a GOT word, a PLT entry, a TLS pair) stands beside it in the list
 * below. How a value is put into its bytes, and which values fit, is the architecture's own
 * business: a number on x86-64, fields of instructions on others.
 *
 * A few kinds belong to no ABI: they are what a graph made by hand needs, and what the linker
 * itself adds (see LJ_OWN_KINDS). Their numbers start at LJ_KIND_OWN on every architecture.
 *
 * Another architecture is: a table of kinds, the functions of lj_arch, and a line in LJ_ARCHS.
 */
#ifndef LAZYJIT_LINK_ARCH_H
#define LAZYJIT_LINK_ARCH_H

#include "status.h"

/* cffi: begin */
typedef struct lj_arch lj_arch;
typedef struct lj_graph lj_graph;

/* The architecture of a name ("x86_64", the first part of a triple); NULL when there is none. */
const lj_arch *lj_arch_named(const char *name);
/* Its name; "x86_64". */
const char *lj_arch_name(const lj_arch *arch);
/* 1 when this process runs its code. */
int lj_arch_runs_here(const lj_arch *arch);
/* What its kinds' names start with; "R_X86_64_". */
const char *lj_arch_prefix(const lj_arch *arch);
/* "R_X86_64_PC32"; NULL for a number that neither the ABI nor the linker has. */
const char *lj_relocation_name(const lj_arch *arch, uint32_t kind);
/* The number of a kind's name, or UINT32_MAX. */
uint32_t lj_relocation_number(const lj_arch *arch, const char *name);
/* How many bytes a kind writes, from its offset on; UINT32_MAX for an unknown kind. */
uint32_t lj_relocation_bytes(const lj_arch *arch, uint32_t kind);
/* cffi: end */

struct lj_link_block;
struct lj_link_edge;
struct lj_tls_index;

/* What a form needs of the graph. */
enum {
    LJ_NEED_PLT = 1,        /* a PLT entry when the target may be far */
    LJ_NEED_GOT = 2,        /* a word in the GOT */
    LJ_NEED_BASE = 4,       /* a GOT to be relative to */
    LJ_NEED_PAIR = 8,       /* the target's {module, offset} words */
    LJ_NEED_MODULE = 16,    /* the object's own {module, 0} words */
    LJ_NEED_DESC = 32,      /* the target's TLS descriptor */
    LJ_NEED_STATIC = 64,    /* the target's image in the static block */
    LJ_THREAD_LOCAL = 128,  /* the target is thread-local */
    LJ_NEED_DISTANCE = 256, /* a GOT word with the target's offset from the thread pointer */
    LJ_REFUSED = 512,       /* not in an object that is linked here */
    LJ_NEED_SLOTS = LJ_NEED_PLT | LJ_NEED_GOT | LJ_NEED_BASE | LJ_NEED_PAIR | LJ_NEED_MODULE |
                    LJ_NEED_DESC | LJ_NEED_STATIC | LJ_NEED_DISTANCE /* what planning gives */
};

/* X(name, needs) with the formula. */
#define LJ_FORMS(X)                                                                                \
    X(UNKNOWN, LJ_REFUSED)                       /* a number that the ABI doesn't have */          \
    X(NOTHING, 0)                                /* a marker, ignored */                           \
    X(ABS, 0)                                    /* S + A */                                       \
    X(PC, 0)                                     /* S + A - P */                                   \
    X(BACK, 0)                                   /* P - S + A */                                   \
    X(PAGE, 0)                                   /* Page(S + A) - Page(P) */                       \
    X(BRANCH, LJ_NEED_PLT)                       /* L + A - P */                                   \
    X(SIZE, 0)                                   /* Z + A; fails for an external symbol */         \
    X(GOTPC, LJ_NEED_BASE)                       /* GOT + A - P */                                 \
    X(GOTREL, LJ_NEED_GOT)                       /* G + GOT + A - P */                             \
    X(GOTREX, LJ_NEED_GOT)                       /* the same, and relaxed when in reach */         \
    X(GOTPAGE, LJ_NEED_GOT)                      /* Page(G + GOT + A) - Page(P) */                 \
    X(GOTABS, LJ_NEED_GOT)                       /* G + GOT + A */                                 \
    X(GOTINPAGE, LJ_NEED_GOT)                    /* G + GOT + A - Page(GOT) */                     \
    X(GOTENT, LJ_NEED_GOT | LJ_NEED_BASE)        /* G + A */                                       \
    X(GOTOFF, LJ_NEED_BASE)                      /* S + A - GOT */                                 \
    X(PLTOFF, LJ_NEED_BASE)                      /* L + A - GOT, L being S */                      \
    X(TLSGD, LJ_THREAD_LOCAL | LJ_NEED_PAIR)     /* M + A - P */                                   \
    X(TLSGDPAGE, LJ_THREAD_LOCAL | LJ_NEED_PAIR) /* Page(M + A) - Page(P) */                       \
    X(TLSGDABS, LJ_THREAD_LOCAL | LJ_NEED_PAIR)  /* M + A */                                       \
    X(TLSLD, LJ_NEED_MODULE)                     /* the object's own pair + A - P */               \
    X(DTPOFF, LJ_THREAD_LOCAL)                   /* T + A */                                       \
    X(DTPMOD, LJ_THREAD_LOCAL)                   /* the module number of the symbol's block */     \
    X(DESC, LJ_THREAD_LOCAL | LJ_NEED_DESC)      /* D + A - P */                                   \
    X(DESCPAGE, LJ_THREAD_LOCAL | LJ_NEED_DESC)  /* Page(D + A) - Page(P) */                       \
    X(DESCABS, LJ_THREAD_LOCAL | LJ_NEED_DESC)   /* D + A */                                       \
    X(DESCWORD, LJ_THREAD_LOCAL | LJ_REFUSED)    /* D's words, of the linker's own GOT only */     \
    X(TPOFF, LJ_THREAD_LOCAL | LJ_NEED_STATIC)   /* TP + A */                                      \
    X(TPREL, LJ_THREAD_LOCAL | LJ_NEED_STATIC | LJ_NEED_DISTANCE)  /* TPW + A - P */               \
    X(TPPAGE, LJ_THREAD_LOCAL | LJ_NEED_STATIC | LJ_NEED_DISTANCE) /* Page(TPW + A) - Page(P) */   \
    X(TPABS, LJ_THREAD_LOCAL | LJ_NEED_STATIC | LJ_NEED_DISTANCE)  /* TPW + A */                   \
    X(LOADER, LJ_REFUSED) /* written by static linkers for dynamic loaders */

enum lj_form {
#define LJ_FORM(name, needs) LJ_FORM_##name,
    LJ_FORMS(LJ_FORM)
#undef LJ_FORM
        LJ_FORM_COUNT
};

/* By form. */
extern const uint16_t lj_form_needs[LJ_FORM_COUNT];

/* Which values a number of bytes holds. I16 and I8: signed or unsigned, as data directives write
 * both. FIELD: the architecture's own. */
enum lj_range {
    LJ_RANGE_ANY,
    LJ_RANGE_S32,
    LJ_RANGE_U32,
    LJ_RANGE_S16,
    LJ_RANGE_I16,
    LJ_RANGE_S8,
    LJ_RANGE_I8,
    LJ_RANGE_FIELD
};

typedef struct lj_kind {
    const char *name; /* NULL: a number that isn't used */
    uint8_t bytes;    /* how many are written, from the edge's offset on */
    uint8_t range;    /* enum lj_range; from LJ_RANGE_FIELD on, what the architecture says */
    uint8_t form;     /* enum lj_form */
} lj_kind;

/* The linker's own kinds, from LJ_KIND_OWN on: X(name, bytes, range, form). KeepAlive writes
 * nothing: the target lives if the edge's block does. */
#define LJ_OWN_KINDS(X)                                                                            \
    X(KeepAlive, 0, ANY, NOTHING)                                                                  \
    X(Pointer64, 8, ANY, ABS)                                                                      \
    X(Pointer32, 4, U32, ABS)                                                                      \
    X(Delta64, 8, ANY, PC)                                                                         \
    X(Delta32, 4, S32, PC)                                                                         \
    X(NegDelta64, 8, ANY, BACK)                                                                    \
    X(NegDelta32, 4, S32, BACK)

enum {
    LJ_KIND_OWN = 0x10000,
    LJ_KIND_BEFORE = LJ_KIND_OWN - 1,
#define LJ_KIND(name, bytes, range, form) LJ_KIND_##name,
    LJ_OWN_KINDS(LJ_KIND)
#undef LJ_KIND
        LJ_KIND_END
};

/* Where edges are applied: one block, and what is the same for all of them. */
typedef struct lj_fixing {
    lj_graph *graph;
    const struct lj_link_block *block;
    uint64_t got, plt; /* addresses; 0: none */
} lj_fixing;

struct lj_arch {
    const char *name;      /* as triples have it */
    const char *prefix;    /* of the kinds' names */
    uint16_t machine;      /* EM_* */
    uint16_t large_common; /* a section number for large common symbols, or 0 */
    const lj_kind *kinds;  /* by the ABI's number */
    uint32_t kind_count;

    /* The kinds of words in the GOT: an address, and what thread-local variables need. */
    uint32_t pointer, dtpmod, dtpoff, tlsdesc, tpoff;
    /* Whether this process runs its code. Other code is linked only: no unwinder and no thread gets
     * to know of it. */
    uint8_t is_host;
    /* Where an executable's own variables start, seen from the thread pointer: so many bytes above
     * it, or (0) right below. Code that isn't run here is linked as if they were its. */
    uint8_t tls_above;
    /* Another kind for an edge that an assembler could have marked better: `content` are the bytes
     * of its block, which is code. NULL: none. */
    uint32_t (*better_kind)(uint32_t kind, const uint8_t *content, uint64_t offset);
    /* The addend that a REL relocation has in its place. NULL: REL sections are refused. */
    int64_t (*addend)(const lj_kind *kind, const uint8_t *place);

    /* For ranges from LJ_RANGE_FIELD on: whether `write` would take the value; and LINK_OVERFLOW or
     * LINK_MISALIGNED when it doesn't. NULL when no kind has such a range. */
    int (*fits)(const lj_kind *kind, uint64_t value);
    lj_status (*write)(const lj_kind *kind, uint8_t *place, uint64_t value);
    /* For GOTREX: whether the code around the edge was changed to use the symbol, at address
     * `symbol`, itself. If so, `*value` goes to `*offset` as the returned kind says; NULL: it
     * wasn't. May be NULL. */
    const lj_kind *(*relax)(const lj_fixing *at, const struct lj_link_edge *edge, uint64_t symbol,
                            uint64_t *value, uint32_t *offset);

    /* PLT entries: bytes whose edges, `plt_edges` of them each, lead to the symbol's GOT word. */
    uint32_t plt_entry_size, plt_edges;
    void (*write_plt)(uint8_t *bytes, uint32_t entries);
    void (*plan_plt)(struct lj_link_edge *edges, uint32_t offset, uint32_t symbol);

    /* Entries of indirect functions (link_ifunc.c); size 0: objects with some are refused. */
    uint32_t ifunc_entry_size, ifunc_edges;
    uint32_t ifunc_resume; /* where the slot leads at first: offset in the entry */
    void (*write_ifunc)(uint8_t *bytes);
    void (*plan_ifunc)(struct lj_link_edge *edges, uint32_t entry, uint32_t slot,
                       uint32_t slot_symbol);
    void (*ifunc_resolve)(void); /* what the entry jumps to at the first call */

    /* The words of a TLS descriptor at target address `address`. */
    void (*write_descriptor)(const struct lj_tls_index *pair, uint8_t *words, uint64_t address);
};

/* Every architecture: X(name) for `lj_arch_name`. */
#define LJ_ARCHS(X) X(x86_64) X(aarch64)

#define LJ_ARCH(name) extern const lj_arch lj_arch_##name;
LJ_ARCHS(LJ_ARCH)
#undef LJ_ARCH

/* The architecture of an e_machine, or NULL. */
const lj_arch *lj_arch_of(uint32_t machine);
/* A kind's row; one of form UNKNOWN for a number that nothing has. */
const lj_kind *lj_arch_kind(const lj_arch *arch, uint32_t number);
/* Whether a value lies in a range below LJ_RANGE_FIELD. */
int lj_range_fits(int range, uint64_t value);

#endif
