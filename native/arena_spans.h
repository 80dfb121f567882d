/* Which parts of a region are in use: an allocator whose bookkeeping lies outside the memory.
 *
 * Code can't hold its allocator's headers (its pages are not writable where they are run), so the
 * blocks of a region are nodes in ordinary memory: a list in address order for coalescing, a hash
 * table from start to node for freeing, and the free ones in the segregated lists of TLSF (Masmano
 * et al., "TLSF: a New Dynamic Memory Allocator for Real-Time Systems", 2004): sizes fall into
 * powers of two, each cut in 16, and two bitmaps find the first list that fits. All operations are
 * O(1) but for the growth of the hash table. Sizes and places count in granules of 16 bytes.
 *
 * Not thread-safe: the arena holds a lock per region.
 */
#ifndef LAZYJIT_ARENA_SPANS_H
#define LAZYJIT_ARENA_SPANS_H

#include "status.h"

#include <stdbool.h>

enum { LJ_GRANULE = 16, LJ_SPANS_FIRST = 32, LJ_SPANS_SECOND = 16 };

typedef struct lj_block {
    uint32_t start, size;             /* granules */
    bool free;                        /* on a free list; otherwise in the hash table */
    struct lj_block *before, *after;  /* neighbours in address order */
    struct lj_block *previous, *next; /* free list, or `next` in a hash bucket */
} lj_block;

typedef struct lj_spans {
    uint32_t granules;  /* size of the region */
    uint32_t first_map; /* bit i: some list of lists[i] is not empty */
    uint32_t second_map[LJ_SPANS_FIRST];
    lj_block *lists[LJ_SPANS_FIRST][LJ_SPANS_SECOND];
    lj_block **buckets; /* live blocks by start; a power of two of them */
    uint32_t bucket_mask, live;
    lj_block *spare; /* unused nodes, through `next` */
    struct lj_block_slab *slabs;
} lj_spans;

lj_status lj_spans_init(lj_spans *spans, uint64_t bytes);
void lj_spans_clear(lj_spans *spans);
/* `align` counts granules from the region's start, which is shifted by `bias` granules from an
 * aligned address. Gives the block, whose `size` is `size`. ARENA_FULL, NO_MEMORY. */
lj_status lj_spans_take(lj_spans *spans, uint32_t size, uint32_t align, uint32_t bias,
                        lj_block **out);
/* The live block that starts here, or NULL. */
lj_block *lj_spans_find(const lj_spans *spans, uint32_t start);
/* Takes the block back; gives the extent of the free block that it became part of. */
void lj_spans_give(lj_spans *spans, lj_block *block, uint32_t *start, uint32_t *size);

#endif
