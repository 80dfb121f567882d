/* The link graph, and the way of one object from bytes to running code.
 *
 * A graph is data: four arrays of plain records, which the reader fills, NumPy views from Python,
 * and the fix-up reads.
 *
 *   section   a name, flags, and the region of the arena that it goes to
 *   block     bytes (or zeros) that stay together, with an alignment; a section has one or more
 *   symbol    a name for a place in a block, for an absolute value, or for something elsewhere
 *   edge      "at this offset of this block, write something computed from that symbol": a
 * relocation
 *
 * Sections and symbols keep the numbers that they have in the ELF file, so an edge's target is the
 * file's symbol index; what the linker adds (COMMON blocks, GOT, PLT) comes after.
 *
 *   lj_graph_read      bytes -> records; GOT and PLT slots are planned     (elf_read.c,
 * link_slots.c) lj_graph_allocate  blocks get addresses; contents are copied (link_layout.c)
 *     ... the caller looks the external names up ...
 *   lj_graph_fix_up    edges are applied, eh-frames and TLS image registered (link_fixup.c,
 * link.c) lj_graph_finalize  the records go; `lj_linked` is what stays of a linked object
 *   lj_linked_release  ... until its code is freed
 *
 * A graph belongs to one thread at a time. Different graphs are independent.
 */
#ifndef LAZYJIT_LINK_GRAPH_H
#define LAZYJIT_LINK_GRAPH_H

#include "arena.h"
#include "link_arch.h"
#include "status.h"

/* cffi: begin */
/* Regions beyond the arena's own. */
enum { LJ_REGION_NONE = -1 };

/* lj_link_section.role */
enum {
    LJ_ROLE_PLAIN,
    LJ_ROLE_EH_FRAME, /* call frame information, with 4 zero bytes added at the end */
    LJ_ROLE_TLS,      /* part of the thread-local image: `region` holds only its initial data */
    LJ_ROLE_INIT,     /* pointers to functions to call before main, in order of `priority` */
    LJ_ROLE_FINI,     /* ... after it, in opposite order */
    LJ_ROLE_CTORS,    /* as INIT, but run from the last pointer to the first */
    LJ_ROLE_DTORS,    /* as FINI, but run from the first pointer to the last */
    LJ_ROLE_GOT,
    LJ_ROLE_PLT,
    LJ_ROLE_IFUNC,
    LJ_ROLE_COMMON
};

/* lj_link_section.comdat */
enum { LJ_COMDAT_NONE, LJ_COMDAT_KEPT, LJ_COMDAT_DISCARDED };

typedef struct lj_link_section {
    uint64_t flags; /* sh_flags */
    uint64_t size;  /* sh_size, before anything is added */
    uint32_t name;  /* offset in the graph's strings, NUL-terminated */
    uint32_t type;  /* sh_type */
    int32_t region; /* LJ_TEXT, LJ_RODATA, LJ_DATA; LJ_REGION_NONE: not linked */
    uint32_t first_block;
    uint32_t block_count;
    uint32_t priority; /* of an initializer section; 65535 when its name gives none */
    uint16_t role;     /* LJ_ROLE_* */
    uint16_t comdat;   /* LJ_COMDAT_* */
    uint32_t group;    /* the SHT_GROUP section it is a member of, or 0 */
} lj_link_section;

typedef struct lj_link_block {
    uint64_t content; /* address of its bytes: the input's, then working memory; 0: zero-fill */
    uint64_t size;
    uint64_t address; /* in the target view, once allocated; of TLS: see lj_link_symbol.address */
    uint64_t align;   /* a power of two */
    uint32_t section;
    uint32_t first_edge;
    uint32_t edge_count;
    uint32_t input_size; /* bytes of `size` that the input gives; the rest is zeros */
} lj_link_block;

/* lj_link_symbol.place when it isn't a block number */
enum { LJ_PLACE_EXTERNAL = -1, LJ_PLACE_ABSOLUTE = -2, LJ_PLACE_NOWHERE = -3 };

enum { LJ_SCOPE_LOCAL, LJ_SCOPE_HIDDEN, LJ_SCOPE_DEFAULT };

enum { LJ_LINKAGE_STRONG, LJ_LINKAGE_WEAK };

/* lj_link_symbol.traits */
enum {
    LJ_TRAIT_CALLABLE = 1,
    LJ_TRAIT_TLS = 2,
    LJ_TRAIT_IFUNC = 4,
    LJ_TRAIT_COMMON = 8,
    LJ_TRAIT_SECTION = 16, /* stands for its section's start */
    LJ_TRAIT_USED = 32     /* an edge targets it */
};

typedef struct lj_link_symbol {
    uint64_t address; /* S. Thread-local: a token of tls.h, the same in all threads */
    uint64_t offset;  /* in its block; the value of an absolute symbol */
    uint64_t size;
    int32_t place;     /* block number, or LJ_PLACE_* */
    uint32_t name;     /* offset in the graph's strings; an empty string when anonymous */
    uint32_t got;      /* its GOT word, from 1; 0: none */
    uint32_t tls_pair; /* the first of its two words {module, offset}, from 1; 0: none */
    uint32_t tls_desc; /* the first of its four words of a TLS descriptor, from 1; 0: none */
    uint32_t plt;      /* its PLT entry, from 1; 0: none */
    uint8_t linkage;
    uint8_t scope;
    uint8_t traits;
    uint8_t type; /* STT_* */
    uint32_t reserved;
} lj_link_symbol;

typedef struct lj_link_edge {
    int64_t addend;  /* A */
    uint32_t offset; /* in its block: P = block address + offset */
    uint32_t target; /* symbol number */
    uint32_t kind;   /* the ABI's relocation type, or one of the linker's own: link_arch.h */
    uint32_t reserved;
} lj_link_edge;

/* What stays of a linked object, and is given back when its code is freed. */
typedef struct lj_linked {
    lj_arena *arena;
    lj_span spans[3];    /* by region; size 0: none */
    uint64_t tls_offset; /* the reserved piece of every thread's block */
    uint64_t tls_size;   /* 0: none */
    uint64_t *frames;    /* addresses of the registered eh-frame sections */
    uint32_t frame_count;
    uint32_t reserved;
} lj_linked;

/* Where a relocation failed: filled beside the fault when its status is OBJ_RELOCATION or LINK_*.
 */
typedef struct lj_bad_edge {
    uint64_t offset; /* in the section */
    int64_t value;   /* what did not fit */
    uint32_t kind;
    uint32_t symbol;
    uint32_t section;
    uint32_t reserved;
} lj_bad_edge;

struct lj_graph {
    const lj_arch *arch;
    lj_link_section *sections;
    lj_link_block *blocks;
    lj_link_symbol *symbols;
    lj_link_edge *edges;
    uint32_t section_count, block_count, symbol_count, edge_count;
    char *strings;
    uint64_t strings_size;
    uint32_t synthetic_names; /* where the linker's own names start in strings */
    /* Symbol numbers of externals that are referred to, then of definitions that others may see. */
    uint32_t *externals;
    uint32_t *defined;
    uint32_t external_count, defined_count;
    /* The names of `externals`, then of `defined`, each ended by a NUL: one decode for all. */
    char *names;
    uint64_t names_size;
    uint8_t *external_weak;        /* 1: may be missing, and is 0 then */
    uint8_t *defined_flags;        /* lazyjit.symbols.SymbolFlags */
    uint64_t *defined_address;     /* filled by lj_graph_allocate */
    uint32_t got_block, plt_block; /* block numbers, or UINT32_MAX */
    uint32_t got_section;          /* section number, or UINT32_MAX */
    uint32_t got_words, plt_entries;
    uint32_t ifunc_block,
        ifuncs;               /* block of entries (that of slots follows) or UINT32_MAX; count */
    uint32_t tls_module_pair; /* the {module, 0} words of local-dynamic code, from 1; 0: none */
    uint32_t initializers;    /* sections with pointers to initializers or finalizers */
    uint32_t allocated, fixed;
    uint64_t tls_init; /* target address of the TLS image's initial data */
    uint64_t tls_init_size;
    lj_linked linked;
    lj_bad_edge bad;
    lj_fault fault;
    void *slab; /* owns every array above */
};

/* Reads an ELF relocatable object of an architecture that link_arch.h lists. `*out` is NULL only
 * with NO_MEMORY; after a failure it holds the fault and what the fault's numbers refer to, and is
 * good for lj_graph_free alone. `data` must stay until lj_graph_allocate. OBJ_MALFORMED,
 * OBJ_UNSUPPORTED, OBJ_RELOCATION. */
lj_status lj_graph_read(const uint8_t *data, uint64_t size, lj_graph **out);
/* The same, but for sections and `defined` only: what an archive's index says of a member. */
lj_status lj_graph_scan(const uint8_t *data, uint64_t size, lj_graph **out);
/* Gives every linked block an address and copies its content. ARENA_FULL, NO_MEMORY. */
lj_status lj_graph_allocate(lj_graph *graph, lj_arena *arena);
/* lj_graph_read and lj_graph_allocate in one crossing of the border. */
lj_status lj_graph_load(const uint8_t *data, uint64_t size, lj_arena *arena, lj_graph **out);
/* Turns weak definitions, given by their positions in `defined`, into externals, because another
 * definition won. Their positions in `externals` follow the old ones. Before lj_graph_fix_up.
 * `names` isn't renewed. MISUSE for a strong definition. */
lj_status lj_graph_make_external(lj_graph *graph, const uint32_t *positions, uint32_t count);
/* Applies every edge, with one address per entry of `externals` (0 for a missing weak one); then
 * registers eh-frames and the TLS image. LINK_OVERFLOW, OBJ_RELOCATION. */
lj_status lj_graph_fix_up(lj_graph *graph, const uint64_t *addresses, uint32_t count);
/* Moves what must stay into `out`. The graph is left for lj_graph_free. */
void lj_graph_finalize(lj_graph *graph, lj_linked *out);
/* Frees the records; memory in the arena stays. */
void lj_graph_free(lj_graph *graph);
/* Deregisters and frees everything of a linked object; on a graph's own `linked`, abandons a link
 * half-way. Nobody may run in it. Does nothing the second time. */
void lj_linked_release(lj_linked *linked);
/* cffi: end */

/* Names of what the linker adds, and their places after `synthetic_names`. */
#define LJ_SYNTHETIC_NAMES "\0.common\0$__GOT\0$__PLT\0$__IFUNC\0$__IFUNC_SLOTS"
enum {
    LJ_NAME_EMPTY = 0,
    LJ_NAME_COMMON = 1,
    LJ_NAME_GOT = 9,
    LJ_NAME_PLT = 16,
    LJ_NAME_IFUNC = 22,
    LJ_NAME_IFUNC_SLOTS = 30
};

/* elf_read.c: fills everything but slots and names. link_ifunc.c, link_slots.c: the rest. */
lj_status lj_elf_read(lj_graph *graph, const uint8_t *data, uint64_t size, int with_edges);
void lj_graph_plan_ifuncs(lj_graph *graph);
void lj_graph_plan_slots(lj_graph *graph);
lj_status lj_graph_list_symbols(lj_graph *graph, uint64_t input_size);
/* Appends a section of the linker's own, still without blocks. */
lj_link_section *lj_graph_add_section(lj_graph *graph, int name, int region, int role);

/* Applies the edges of every block (link_fixup.c). */
lj_status lj_graph_apply_edges(lj_graph *graph);
/* Writes the constant bytes of the linker's own ifunc blocks. */
void lj_graph_write_ifuncs(lj_graph *graph);

/* Records where a relocation failed, and returns `status`. */
lj_status lj_bad_relocation(lj_graph *graph, lj_status status, uint32_t section,
                            const lj_link_edge *edge, int64_t value, const char *words);

#endif
