/* What the pieces of the arena share: its regions, and what is behind them.
 *
 *   arena.c        regions, spans, what is in use
 *   arena_views.c  the memory of TEXT and RODATA, seen twice; fork
 *   arena_extra.c  data that no region has room for
 */
#ifndef LAZYJIT_ARENA_STATE_H
#define LAZYJIT_ARENA_STATE_H

#include "arena.h"
#include "arena_spans.h"

#include <pthread.h>
#include <stdbool.h>

typedef struct lj_region {
    pthread_mutex_t lock;
    lj_spans spans;
    uint64_t start, size;
    uint64_t high_water; /* bytes that were ever handed out, from the start */
    uint64_t used, live;
    bool frozen; /* shared with a parent process for want of a copy */
} lj_region;

/* What TEXT and RODATA are views of: a file, or memory without one. */
typedef struct lj_backing {
    int file;        /* or -1 */
    uint8_t *memory; /* or NULL */
} lj_backing;

typedef struct lj_extra lj_extra;

struct lj_arena {
    uint64_t start, size, page;
    int kind;         /* LJ_ARENA_* */
    uint8_t *working; /* of `start`; covers TEXT and RODATA */
    lj_backing backing;
    lj_backing copy; /* between before_fork and after_fork: the child's, or nothing */
    lj_region regions[LJ_REGIONS];
    lj_extra *extras; /* guarded by the lock of DATA */
};

/* Whether a region has two views. */
static inline bool lj_region_shared(int region) {
    return region != LJ_DATA;
}

static inline uint64_t lj_arena_shared_size(const lj_arena *arena) {
    return arena->regions[LJ_TEXT].size + arena->regions[LJ_RODATA].size;
}

/* arena_views.c. Takes memory for TEXT and RODATA and maps all views of it; errno says why not. */
bool lj_arena_open_views(lj_arena *arena);
void lj_arena_close_views(lj_arena *arena);

/* arena_extra.c. Data of its own pages; ARENA_FULL for what is too small for that, or when there
 * is no memory. */
lj_status lj_arena_alloc_extra(lj_arena *arena, uint64_t size, uint64_t align, lj_span *out);
/* MISUSE when there is no such span. */
lj_status lj_arena_free_extra(lj_arena *arena, uint64_t target);
/* Whether an address is in one. */
bool lj_arena_in_extra(lj_arena *arena, uint64_t target);
/* Adds them to the statistics of DATA. */
void lj_arena_count_extras(lj_arena *arena, lj_arena_statistics *out);
void lj_arena_drop_extras(lj_arena *arena);

#endif
