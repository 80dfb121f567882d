/* TLSF over out-of-line nodes. See arena_spans.h for the idea. */
#include "arena_spans.h"

#include <stdlib.h>
#include <string.h>

enum { SLAB_NODES = 170 }; /* about 8 KiB */

struct lj_block_slab {
    struct lj_block_slab *next;
    lj_block nodes[SLAB_NODES];
};

/* --- nodes ------------------------------------------------------------------------------- */

/* Ensures that `count` nodes can be had without failing, so that an operation changes nothing
 * before it is sure to succeed. */
static bool reserve_nodes(lj_spans *spans, int count) {
    lj_block *node = spans->spare;
    for (; node && count; node = node->next)
        count--;
    if (!count)
        return true;
    struct lj_block_slab *slab = malloc(sizeof *slab);
    if (!slab)
        return false;
    slab->next = spans->slabs;
    spans->slabs = slab;
    for (int i = 0; i < SLAB_NODES; i++) {
        slab->nodes[i].next = spans->spare;
        spans->spare = &slab->nodes[i];
    }
    return true;
}

static lj_block *new_node(lj_spans *spans, uint32_t start, uint32_t size) {
    lj_block *node = spans->spare;
    spans->spare = node->next;
    *node = (lj_block){.start = start, .size = size};
    return node;
}

static void drop_node(lj_spans *spans, lj_block *node) {
    node->next = spans->spare;
    spans->spare = node;
}

/* --- free lists -------------------------------------------------------------------------- */

/* The list that a block of this size is kept on: all its blocks are of this size or more, up to
 * the next list's. Sizes below 16 granules have a list each. */
static void list_of(uint32_t size, int *first, int *second) {
    if (size < LJ_SPANS_SECOND) {
        *first = 0;
        *second = (int)size;
    } else {
        int log = 31 - __builtin_clz(size);
        *first = log - 3;
        *second = (int)(size >> (log - 4)) & (LJ_SPANS_SECOND - 1);
    }
}

static void link_free(lj_spans *spans, lj_block *block) {
    int first, second;
    list_of(block->size, &first, &second);
    lj_block **head = &spans->lists[first][second];
    block->free = true;
    block->previous = NULL;
    block->next = *head;
    if (*head)
        (*head)->previous = block;
    *head = block;
    spans->first_map |= 1u << first;
    spans->second_map[first] |= 1u << second;
}

static void unlink_free(lj_spans *spans, lj_block *block) {
    int first, second;
    list_of(block->size, &first, &second);
    if (block->next)
        block->next->previous = block->previous;
    if (block->previous) {
        block->previous->next = block->next;
    } else {
        spans->lists[first][second] = block->next;
        if (!block->next && !(spans->second_map[first] &= ~(1u << second)))
            spans->first_map &= ~(1u << first);
    }
    block->free = false;
}

/* A free block of at least this size, or NULL. With the size rounded up to where a list begins,
 * every block of that list and of those above it fits: no list is searched. */
static lj_block *find_free(lj_spans *spans, uint32_t size) {
    uint64_t rounded = size;
    if (size >= LJ_SPANS_SECOND)
        rounded += (1u << (31 - __builtin_clz(size) - 4)) - 1;
    if (rounded <= spans->granules) {
        int first, second;
        list_of((uint32_t)rounded, &first, &second);
        uint32_t seconds = spans->second_map[first] & (~0u << second);
        if (!seconds) {
            uint32_t firsts = first == 31 ? 0 : spans->first_map & (~0u << (first + 1));
            if (firsts) {
                first = __builtin_ctz(firsts);
                seconds = spans->second_map[first];
            }
        }
        if (seconds)
            return spans->lists[first][__builtin_ctz(seconds)];
    }
    /* Nearly full: blocks on the size's own list may still fit. */
    int first, second;
    list_of(size, &first, &second);
    for (lj_block *block = spans->lists[first][second]; block; block = block->next)
        if (block->size >= size)
            return block;
    return NULL;
}

/* --- live blocks by start ----------------------------------------------------------------- */

static lj_block **bucket_of(const lj_spans *spans, uint32_t start) {
    return &spans->buckets[(start * 0x9E3779B1u >> 7) & spans->bucket_mask];
}

static bool grow_buckets(lj_spans *spans) {
    uint32_t count = spans->buckets ? (spans->bucket_mask + 1) * 2 : 64;
    lj_block **buckets = calloc(count, sizeof *buckets);
    if (!buckets)
        return spans->buckets != NULL; /* long chains are slow, not wrong */
    lj_block **old = spans->buckets;
    uint32_t old_count = old ? spans->bucket_mask + 1 : 0;
    spans->buckets = buckets;
    spans->bucket_mask = count - 1;
    for (uint32_t i = 0; i < old_count; i++)
        for (lj_block *block = old[i], *next; block; block = next) {
            next = block->next;
            lj_block **bucket = bucket_of(spans, block->start);
            block->next = *bucket;
            *bucket = block;
        }
    free(old);
    return true;
}

lj_block *lj_spans_find(const lj_spans *spans, uint32_t start) {
    lj_block *block = *bucket_of(spans, start);
    while (block && block->start != start)
        block = block->next;
    return block;
}

/* --- the four operations ------------------------------------------------------------------ */

lj_status lj_spans_init(lj_spans *spans, uint64_t bytes) {
    memset(spans, 0, sizeof *spans);
    if (bytes / LJ_GRANULE == 0 || bytes / LJ_GRANULE > UINT32_MAX / 2)
        return LJ_MISUSE;
    spans->granules = (uint32_t)(bytes / LJ_GRANULE);
    if (!grow_buckets(spans) || !reserve_nodes(spans, 1)) {
        lj_spans_clear(spans);
        return LJ_NO_MEMORY;
    }
    link_free(spans, new_node(spans, 0, spans->granules));
    return LJ_OK;
}

void lj_spans_clear(lj_spans *spans) {
    free(spans->buckets);
    while (spans->slabs) {
        struct lj_block_slab *slab = spans->slabs;
        spans->slabs = slab->next;
        free(slab);
    }
    memset(spans, 0, sizeof *spans);
}

/* Cuts `block`, which is on no list, after `size` granules; the rest becomes a free block. */
static void cut_tail(lj_spans *spans, lj_block *block, uint32_t size) {
    if (block->size == size)
        return;
    lj_block *rest = new_node(spans, block->start + size, block->size - size);
    block->size = size;
    rest->before = block;
    rest->after = block->after;
    if (rest->after)
        rest->after->before = rest;
    block->after = rest;
    link_free(spans, rest);
}

lj_status lj_spans_take(lj_spans *spans, uint32_t size, uint32_t align, uint32_t bias,
                        lj_block **out) {
    if (!reserve_nodes(spans, 2))
        return LJ_NO_MEMORY;
    uint64_t wanted = (uint64_t)size + (align - 1);
    lj_block *block = wanted <= spans->granules ? find_free(spans, (uint32_t)wanted) : NULL;
    uint32_t lead = 0;
    if (block) {
        lead = -(block->start + bias) & (align - 1);
    } else {
        /* No block is sure to hold an aligned span; one of the right size may happen to. */
        block = size <= spans->granules ? find_free(spans, size) : NULL;
        if (!block)
            return LJ_ARENA_FULL;
        lead = -(block->start + bias) & (align - 1);
        if ((uint64_t)lead + size > block->size)
            return LJ_ARENA_FULL;
    }
    unlink_free(spans, block);
    if (lead) {
        /* The part before the aligned place stays free, the block proper follows it. */
        lj_block *front = block;
        cut_tail(spans, front, lead);
        block = front->after;
        unlink_free(spans, block);
        link_free(spans, front);
    }
    cut_tail(spans, block, size);
    if (spans->live > spans->bucket_mask)
        grow_buckets(spans);
    lj_block **bucket = bucket_of(spans, block->start);
    block->next = *bucket;
    *bucket = block;
    spans->live++;
    *out = block;
    return LJ_OK;
}

void lj_spans_give(lj_spans *spans, lj_block *block, uint32_t *start, uint32_t *size) {
    lj_block **link = bucket_of(spans, block->start);
    while (*link != block)
        link = &(*link)->next;
    *link = block->next;
    spans->live--;
    lj_block *before = block->before, *after = block->after;
    if (before && before->free) {
        unlink_free(spans, before);
        before->size += block->size;
        before->after = after;
        if (after)
            after->before = before;
        drop_node(spans, block);
        block = before;
    }
    if (after && after->free) {
        unlink_free(spans, after);
        block->size += after->size;
        block->after = after->after;
        if (block->after)
            block->after->before = block;
        drop_node(spans, after);
    }
    link_free(spans, block);
    *start = block->start;
    *size = block->size;
}
