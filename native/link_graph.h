/* The link graph, and the way of one object from bytes to running code.
 *
 * A graph is data: four arrays of plain records, which the reader fills, NumPy views from Python,
 * and the fix-up reads.
 *
 *   section   a name, protection and lifetime: its blocks go to one segment of memory
 *   block     bytes (or zeros) that stay together, with an alignment; a list for each section
 *   symbol    a name for a place in a block, for an absolute value, or for something elsewhere
 *   edge      "at this offset of this block, write something computed from that symbol": a
 *             relocation; the edges of a block follow each other
 *
 * Sections and symbols keep the numbers that they have in the ELF file, so an edge's target is the
 * file's symbol index; what is added comes after. Symbol 0 is nobody's. A record's number is its
 * name for good: what is removed leaves a marked row, and arrays that grow move as a whole, while
 * their old memory stays until the graph goes, so that a stale pointer reads old data, not garbage.
 *
 * The stations, each a function; lj_graph_load and lj_graph_fix_up go through all of them in two
 * crossings of the border, and the functions between exist for passes and other kinds of memory:
 *
 *   lj_graph_new, lj_graph_read   records                                  (elf_*.c)
 *   lj_graph_relate               eh-frames in records, alive with their functions (link_frames.c)
 *   lj_graph_prune                what no live symbol needs goes           (link_prune.c)
 *   lj_graph_plan                 GOT, PLT, ifuncs; lists of names         (link_slots.c,
 * link_list.c) lj_graph_layout               sizes of segments, offsets of blocks (link_layout.c)
 *   lj_graph_place                addresses; contents are copied
 *     ... the caller looks the external names up ...
 *   lj_graph_bind                 addresses of externals
 *   lj_graph_apply                edges                                    (link_fixup.c)
 *   lj_graph_register             unwind tables and the TLS image become known to this process
 *   lj_graph_finalize             the records go; `lj_linked` is what stays of a linked object
 *   lj_linked_release             ... until its code is freed
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

/* The highest lj_link_section.priority, which is the default. */
enum { LJ_PRIORITY_LAST = 65535 };

/* Protection: what a section's memory allows. Never both WRITE and EXEC. */
enum { LJ_PROT_READ = 1, LJ_PROT_WRITE = 2, LJ_PROT_EXEC = 4 };

/* FINALIZE: memory that goes when the link is done. NO_ALLOC: only the graph has it (debug info).
 */
enum { LJ_LIFETIME_STANDARD, LJ_LIFETIME_FINALIZE, LJ_LIFETIME_NO_ALLOC };

/* A segment is a region and a lifetime: region, or LJ_REGIONS + region when it is FINALIZE. */
enum { LJ_SEGMENTS = 6 };

/* lj_graph.memory_gone: of FINALIZE sections, or of all that had a region. */
enum { LJ_MEMORY_STAYS, LJ_MEMORY_FINALIZED, LJ_MEMORY_FREED };

/* No block, no section. */
enum { LJ_NONE = -1 };

/* lj_link_section.comdat */
enum { LJ_COMDAT_NONE, LJ_COMDAT_KEPT, LJ_COMDAT_DISCARDED };

typedef struct lj_link_section {
    uint64_t flags; /* sh_flags */
    uint64_t size;  /* sh_size, before anything is added */
    uint32_t name;  /* offset in the graph's strings, NUL-terminated */
    uint32_t type;  /* sh_type */
    int32_t region; /* LJ_TEXT, LJ_RODATA, LJ_DATA; LJ_REGION_NONE: no memory of a segment */
    int32_t first_block, last_block; /* LJ_NONE: it has no blocks */
    uint32_t block_count;
    uint32_t priority; /* of an initializer section; LJ_PRIORITY_LAST when its name gives none */
    uint16_t role;     /* LJ_ROLE_* */
    uint16_t comdat;   /* LJ_COMDAT_* */
    uint32_t group;    /* the SHT_GROUP section it is a member of, or 0 */
    uint32_t link;     /* the section that it lives with (SHF_LINK_ORDER), or 0 */
    uint8_t prot;      /* LJ_PROT_* */
    uint8_t lifetime;  /* LJ_LIFETIME_* */
    uint8_t linked;    /* 1: part of the graph. 0: only a number of the file, or removed */
    uint8_t reserved;
} lj_link_section;

/* lj_link_block.state */
enum {
    LJ_BLOCK_GONE = 1,
    LJ_BLOCK_ZERO_FILL = 2,
    LJ_BLOCK_ROOT = 4,       /* lives whoever refers to it */
    LJ_BLOCK_OWNED = 8,      /* its content is the graph's to change */
    LJ_BLOCK_COMPRESSED = 16 /* its content is, until someone sets another */
};

typedef struct lj_link_block {
    uint64_t content; /* address of its bytes: the input's, then working memory; 0: zero-fill */
    uint64_t size;
    uint64_t address;      /* in the target view, once placed; of TLS: see lj_link_symbol.address */
    uint32_t align;        /* a power of two */
    uint32_t align_offset; /* address modulo align */
    uint32_t section;
    int32_t next; /* in its section */
    uint32_t first_edge, edge_count;
    uint32_t edge_room;   /* rows from first_edge on that are the block's */
    uint32_t input_size;  /* bytes of `size` that `content` gives; the rest is zeros */
    int32_t first_symbol; /* list of symbols, when the graph is indexed */
    uint32_t state;       /* LJ_BLOCK_* */
} lj_link_block;

/* lj_link_symbol.place when it isn't a block number. NOWHERE: in a section that isn't linked. */
enum { LJ_PLACE_EXTERNAL = -1, LJ_PLACE_ABSOLUTE = -2, LJ_PLACE_NOWHERE = -3, LJ_PLACE_GONE = -4 };

/* SIDE_EFFECTS: known to the session without an address. */
enum { LJ_SCOPE_LOCAL, LJ_SCOPE_HIDDEN, LJ_SCOPE_DEFAULT, LJ_SCOPE_SIDE_EFFECTS };

enum { LJ_LINKAGE_STRONG, LJ_LINKAGE_WEAK };

/* lj_link_symbol.traits */
enum {
    LJ_TRAIT_CALLABLE = 1,
    LJ_TRAIT_TLS = 2,
    LJ_TRAIT_IFUNC = 4,
    LJ_TRAIT_COMMON = 8,
    LJ_TRAIT_SECTION = 16, /* stands for its section's start */
    LJ_TRAIT_USED = 32,    /* an edge of what goes to memory targets it */
    LJ_TRAIT_LIVE = 64     /* pruning keeps it, and what it needs */
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
    uint32_t tls_word; /* its GOT word with an offset from the thread pointer, from 1; 0: none */
    uint8_t linkage;
    uint8_t scope;
    uint8_t traits;
    uint8_t type;           /* STT_* */
    int32_t next, previous; /* in its block, when the graph is indexed */
} lj_link_symbol;

typedef struct lj_link_edge {
    int64_t addend;  /* A */
    uint32_t offset; /* in its block: P = block address + offset */
    uint32_t target; /* symbol number */
    uint32_t kind;   /* the ABI's relocation type, or one of the linker's own: link_arch.h */
    uint32_t gone;   /* 1: removed; kind and target are 0 then */
} lj_link_edge;

/* What stays of a linked object, and is given back when its code is freed. */
typedef struct lj_linked {
    lj_arena *arena;
    lj_span spans[6];    /* by segment; size 0: none */
    uint64_t tls_offset; /* the reserved piece of every thread's block */
    uint64_t tls_size;   /* 0: none */
    void *tls_static;    /* or its image in the threads' static block (tls_static.h) */
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

/* What a memory manager is asked for, and what it answers. */
typedef struct lj_segment {
    uint64_t size;  /* bytes; 0: nothing is needed */
    uint64_t align; /* a power of two */
    uint32_t prot, lifetime;
    uint64_t target;  /* filled for lj_graph_place: where the program will see it, */
    uint64_t working; /* ... and where the linker writes it */
} lj_segment;

struct lj_graph {
    const lj_arch *arch;
    lj_link_section *sections;
    lj_link_block *blocks;
    lj_link_symbol *symbols;
    lj_link_edge *edges;
    uint32_t section_count, block_count, symbol_count, edge_count;
    uint32_t section_room, block_room, symbol_room, edge_room;
    char *strings; /* ends with a zero byte */
    uint64_t strings_size, strings_room;
    uint32_t input_symbols;   /* so many of them are the object's */
    uint64_t input_size;      /* of the object; 0 for a graph made by hand */
    uint32_t synthetic_names; /* where the linker's own names start in strings */
    /* Symbol numbers of externals that are referred to, then of definitions that others may see. */
    uint32_t *externals;
    uint32_t *defined;
    uint32_t external_count, defined_count, list_room;
    /* The names of `externals`, then of `defined`, each ended by a NUL: one decode for all. */
    char *names;
    uint64_t names_size;
    uint32_t named;                /* how many of `externals` are in `names` */
    uint32_t own_names;            /* externals that planning will bind to the object itself */
    uint8_t *external_weak;        /* 1: may be missing, and is 0 then */
    uint8_t *defined_flags;        /* lazyjit.symbols.SymbolFlags */
    uint64_t *defined_address;     /* once placed */
    uint32_t got_block, plt_block; /* block numbers, or UINT32_MAX */
    uint32_t got_section;          /* section number, or UINT32_MAX */
    uint32_t got_words, plt_entries;
    uint32_t ifunc_block,
        ifuncs;               /* block of entries (that of slots follows) or UINT32_MAX; count */
    uint32_t tls_module_pair; /* the {module, 0} words of local-dynamic code, from 1; 0: none */
    uint32_t initializers;    /* sections of pointers to initializers or finalizers: 0, or some */
    /* Stations: slots are planned, segments laid out, blocks placed, edges applied. */
    uint32_t planned, laid_out, allocated, fixed;
    uint32_t memory_gone; /* LJ_MEMORY_*: what blocks' `content` pointed to was given back */
    uint32_t related;     /* eh-frames are split */
    uint32_t indexed;     /* symbols are in their blocks' lists */
    uint32_t listed;      /* externals and defined are up to date */
    uint32_t listings;    /* how often they were made */
    uint32_t touched;     /* Python has had its hands on the records: stations verify them first */
    uint32_t compressed;  /* blocks that are, as they were read */
    uint32_t runs_here;   /* its code will run in this process: lj_graph_reserve_tls says so */
    uint32_t tls_static;  /* its thread-local image must lie in the threads' static block */
    lj_segment segments[6];
    uint64_t tls_token;                   /* of the first byte of its thread-local image */
    uint64_t tls_size, tls_align, tls_at; /* of the image; offset of its data in RODATA */
    uint64_t tls_init;                    /* target address of the TLS image's initial data */
    uint64_t tls_init_size;
    lj_linked linked;
    lj_bad_edge bad;
    lj_fault fault;
    void *chunks; /* list of all memory that the arrays have had */
};

/* lj_graph_read's flags. NO_ALLOC: sections for debuggers are read too. SCAN: no relocations: what
 * an archive's index says of a member. */
enum { LJ_READ_NO_ALLOC = 1, LJ_READ_SCAN = 2 };

/* An empty graph. MISUSE when there is no such architecture. */
lj_status lj_graph_new(const char *arch, lj_graph **out);
/* Reads an ELF relocatable object of an architecture that link_arch.h lists. `*out` is NULL only
 * with NO_MEMORY; after a failure it holds the fault and what the fault's numbers refer to, and is
 * good for lj_graph_free alone. `data` must stay until lj_graph_place. OBJ_MALFORMED,
 * OBJ_UNSUPPORTED, OBJ_RELOCATION. */
lj_status lj_graph_read(const uint8_t *data, uint64_t size, uint32_t flags, lj_graph **out);
/* Reads with SCAN, and fills the lists. */
lj_status lj_graph_scan(const uint8_t *data, uint64_t size, lj_graph **out);
/* Fills the lists of externals and definitions. Any station until edges are applied. */
lj_status lj_graph_list(lj_graph *graph);
/* Whether an edge's kind is one of `first` to `last`. */
int lj_graph_has_kinds(const lj_graph *graph, uint32_t first, uint32_t last);
/* Plans GOT, PLT and indirect functions, and makes the lists. Once; for edges that are added after
 * it, layout plans what they need. */
lj_status lj_graph_plan(lj_graph *graph);
/* Fills `segments` but for target and working, and `tls_size`. */
lj_status lj_graph_layout(lj_graph *graph);
/* For code that will run in this process: sets offsets in threads' blocks aside for the TLS image.
 * After layout, before place. ARENA_FULL; OBJ_UNSUPPORTED for another architecture's code. */
lj_status lj_graph_reserve_tls(lj_graph *graph);
/* Gives every block its address in `segments`, and copies its content. With `zeroed`, the working
 * memory is known to be zero. MISUSE when a segment lacks alignment or memory. */
lj_status lj_graph_place(lj_graph *graph, int zeroed);
/* Plans when that wasn't done, lays out, and takes memory from `arena`. ARENA_FULL, NO_MEMORY. */
lj_status lj_graph_allocate(lj_graph *graph, lj_arena *arena);
/* lj_graph_read and lj_graph_allocate in one crossing of the border. */
lj_status lj_graph_load(const uint8_t *data, uint64_t size, lj_arena *arena, lj_graph **out);
/* Turns weak definitions, given by their positions in `defined`, into externals, because another
 * definition won. Once the graph is planned, their positions in `externals` follow the old ones and
 * `names` isn't renewed; before, the lists are to be made again. MISUSE for a strong definition. */
lj_status lj_graph_make_external(lj_graph *graph, const uint32_t *positions, uint32_t count);
/* One address per entry of `externals` (0 for a missing weak one). */
lj_status lj_graph_bind(lj_graph *graph, const uint64_t *addresses, uint32_t count);
/* Applies every edge. LINK_OVERFLOW, LINK_MISALIGNED, OBJ_RELOCATION. Once. */
lj_status lj_graph_apply(lj_graph *graph);
/* Checks eh-frames and makes them and the TLS image known to this process. OBJ_MALFORMED. */
lj_status lj_graph_register(lj_graph *graph);
/* Bind, apply and register. */
lj_status lj_graph_fix_up(lj_graph *graph, const uint64_t *addresses, uint32_t count);
/* Moves what must stay into `out`, and frees FINALIZE memory of the arena. The graph is left for
 * lj_graph_free. */
void lj_graph_finalize(lj_graph *graph, lj_linked *out);
/* Frees the records; memory in the arena stays. */
void lj_graph_free(lj_graph *graph);
/* Nobody will call a linked object any more: its exit handlers are forgotten. */
void lj_linked_forget(const lj_linked *linked);
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
    LJ_NAME_IFUNC = 23,
    LJ_NAME_IFUNC_SLOTS = 32
};

#define LJ_MAX_BLOCK (UINT32_MAX - 4096ul) /* edges have 32-bit offsets; sums stay below 2^63 */

/* elf_read.c */
lj_status lj_elf_read(lj_graph *graph, const uint8_t *data, uint64_t size, uint32_t flags);
/* link_ifunc.c, link_slots.c */
lj_status lj_graph_plan_ifuncs(lj_graph *graph);
lj_status lj_graph_plan_slots(lj_graph *graph); /* again: for edges that came since */
/* Whether planning again would give an edge something; why an edge can't do without; NULL: it can.
 */
int lj_graph_lacks_slots(const lj_graph *graph);
const char *lj_edge_without_slot(const lj_graph *graph, const lj_link_edge *edge);
/* Writes the constant bytes of the linker's own ifunc blocks. */
void lj_graph_write_ifuncs(lj_graph *graph);
/* Applies the edges of every block (link_fixup.c); or of one, but for those to externals. */
lj_status lj_graph_apply_edges(lj_graph *graph);
lj_status lj_graph_apply_own_edges(lj_graph *graph, const lj_link_block *block);
/* link_tls.c. The end of lj_graph_place: tokens for the graph's variables, when everything else has
 * its address. The end of lj_graph_register: the image gets known to all threads. */
lj_status lj_graph_place_tls(lj_graph *graph);
lj_status lj_graph_register_tls(lj_graph *graph);

/* link_records.c. Memory that the graph owns, 16-byte aligned; NULL, with the fault set. */
void *lj_graph_take(lj_graph *graph, uint64_t size);
/* Room for so many more records. */
lj_status lj_graph_reserve(lj_graph *graph, uint64_t sections, uint64_t blocks, uint64_t symbols,
                           uint64_t edges);
/* Appends a section of the linker's own, without blocks: there must be room. `name` is one of
 * LJ_NAME_*. */
lj_link_section *lj_graph_own_section(lj_graph *graph, int name, int prot, int role);
/* Appends a block to the end of a section's list: there must be room. Returns its number. */
uint32_t lj_graph_append_block(lj_graph *graph, uint32_t section, const lj_link_block *block);
/* Region of a protection. */
int32_t lj_region_of(uint32_t prot);
/* Role, priority and region of a section that takes memory, by type, flags, protection and name
 * (link_roles.c). */
void lj_section_give_role(lj_link_section *section, const char *name);
/* Whether a name alone says that what is in a section is thread-local. */
int lj_section_is_thread_local(const char *name);
/* Whether it is an array of pointers to be called: initializers or finalizers. */
static inline int lj_section_has_pointers(const lj_link_section *section) {
    return section->role >= LJ_ROLE_INIT && section->role <= LJ_ROLE_DTORS;
}
/* Traits USED of all symbols, from the edges. Debug information (NO_ALLOC) needs nothing. */
void lj_graph_mark_used(lj_graph *graph);
/* The segment of a section with a region. */
static inline int lj_segment_of(const lj_link_section *section) {
    return section->region + (section->lifetime == LJ_LIFETIME_FINALIZE ? LJ_REGIONS : 0);
}
/* Why an edge doesn't suit its target; NULL: it does (link_verify.c). */
const char *lj_edge_objection(const lj_graph *graph, uint32_t section, const lj_link_edge *edge);
/* Whether an external's name stands for something of this object; if so, where. */
int lj_graph_own_name(const lj_graph *graph, const lj_link_symbol *symbol, int32_t *place,
                      uint64_t *offset);

/* Records where a relocation failed, and returns `status`. */
lj_status lj_bad_relocation(lj_graph *graph, lj_status status, uint32_t section,
                            const lj_link_edge *edge, int64_t value, const char *words);

#endif
