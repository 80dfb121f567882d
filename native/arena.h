/* The session's arena: one contiguous range of addresses for all code and data of a session.
 *
 * The range is reserved near libc when it can be, so that code reaches data, stubs and the C
 * library in 32 bits. It is cut into three regions, so that a unit's pieces pack tightly and no
 * page changes its protection while others run on it:
 *
 *   TEXT    target view r-x; written through a second, rw- mapping of the same memfd
 *   RODATA  target view r--; likewise
 *   DATA    target view rw-, private anonymous memory: writable where it is, and copied by fork
 *
 * No page is ever writable and executable, in either view. A span is written through `working`
 * and used at `target`; for DATA the two are equal. Freed spans are reused and coalesced. All
 * functions may be called from any thread.
 */
#ifndef LAZYJIT_ARENA_H
#define LAZYJIT_ARENA_H

#include "status.h"

/* The greatest alignment of a span, and so of whatever is linked into one. */
#define LJ_MAX_ALIGN (UINT64_C(2) << 20)

/* cffi: begin */
enum { LJ_TEXT, LJ_RODATA, LJ_DATA, LJ_REGIONS };

/* What an arena is made for; arena.c says how they differ. */
enum {
    LJ_ARENA_PLAIN,
    LJ_ARENA_PROFILED, /* perf finds its symbols in /tmp/perf-PID.map */
    LJ_ARENA_DEBUGGED  /* debuggers can write breakpoints into TEXT; spans there take whole pages */
};

typedef struct lj_arena lj_arena;

typedef struct lj_span {
    uint64_t target;  /* where the program sees it */
    uint8_t *working; /* where the linker writes it */
    uint64_t size;    /* bytes, as allocated (rounded up) */
} lj_span;

typedef struct lj_arena_statistics {
    uint64_t reserved[3];  /* bytes of address range, by region */
    uint64_t committed[3]; /* bytes of pages ever backed */
    uint64_t used[3];      /* bytes in live spans */
    uint64_t spans[3];     /* live spans */
} lj_arena_statistics;

/* Reserves `size` bytes (rounded up to 3 regions of whole pages) within 2 GiB of `near`, or
 * anywhere when there is no room there or `near` is 0. SYSTEM with value = errno on failure. */
lj_status lj_arena_new(uint64_t size, uint64_t near, lj_arena **out, lj_fault *fault);
/* The same, for a purpose (LJ_ARENA_*). */
lj_status lj_arena_new_for(int kind, uint64_t size, uint64_t near, lj_arena **out, lj_fault *fault);
/* Unmaps everything. The caller guarantees that nobody runs in it. */
void lj_arena_dispose(lj_arena *arena);
/* `align` is a power of two up to LJ_MAX_ALIGN. ARENA_FULL when no span is large enough. Fresh and
 * reused memory is zeroed. Size 0 gives a unique span of the minimum size. */
lj_status lj_arena_alloc(lj_arena *arena, int region, uint64_t size, uint64_t align, lj_span *out);
/* Fills `fault` with what `lj_arena_alloc` has no words for, and returns `status`: of ARENA_FULL,
 * how much is free. */
lj_status lj_arena_tell(lj_arena *arena, int region, lj_status status, uint64_t size,
                        lj_fault *fault);
lj_status lj_arena_free(lj_arena *arena, int region, uint64_t target);
/* The writable alias of an address inside the arena, or NULL. */
uint8_t *lj_arena_working(lj_arena *arena, uint64_t target);
void lj_arena_bounds(lj_arena *arena, uint64_t *start, uint64_t *end);
void lj_arena_statistics_get(lj_arena *arena, lj_arena_statistics *out);
/* TEXT and RODATA are shared memory, which fork does not copy. `before_fork` stops allocation and
 * takes a copy of what is in use; `after_fork` lets allocation go on: in the parent as before, in
 * the child (`in_child` = 1) with the copy mapped in place of the parent's memory, so that the two
 * processes never write to one page. When no copy could be taken or mapped, the child gets SYSTEM;
 * its code still runs, but TEXT and RODATA are full from then on and are not freed. */
void lj_arena_before_fork(lj_arena *arena);
lj_status lj_arena_after_fork(lj_arena *arena, int in_child);
/* cffi: end */

#endif
