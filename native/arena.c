/* The arena's memory: the reserved range, its regions, and spans of them.
 *
 * Layout of the reserved range, and of the memfd behind its first two thirds:
 *
 *      start                                                             end
 *      | TEXT (r-x)        | RODATA (r--)      | DATA (rw-, anonymous)   |
 *      | memfd, offset 0   | memfd, offset n   |
 *
 * One rw- mapping of the whole memfd elsewhere is the working view, so a working address is a
 * target address plus a constant. Pages get memory when first touched; those below a region's
 * high-water mark have been, and are cleared when a span on them is handed out again. x86 keeps
 * instruction fetch coherent with stores through another mapping, so no cache is flushed.
 *
 * Which places are in use is arena_spans.c's subject, where the range lies arena_place.c's, what is
 * behind the views arena_views.c's. What DATA has no room for goes elsewhere: arena_extra.c.
 */
#define _GNU_SOURCE 1
#include "arena.h"
#include "arena_place.h"
#include "arena_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/* A span with so many fresh bytes gets its pages at once. */
#define TOUCH_AT_ONCE (UINT64_C(64) << 10)
/* A free block with this many bytes of whole pages gives them back to the system. */
#define GIVE_BACK (UINT64_C(1) << 20)

static lj_status map_all(lj_arena *arena, uint64_t near, lj_fault *fault) {
    lj_status status = lj_arena_reserve(arena->size, LJ_MAX_ALIGN, near, &arena->start, fault);
    if (status)
        return status;
    for (int i = 0; i < LJ_REGIONS; i++) {
        lj_region *region = &arena->regions[i];
        region->start = arena->start + region->size * (uint64_t)i;
        status = lj_spans_init(&region->spans, region->size);
        if (status)
            return lj_fail(fault, status, 0, 0, "arena of %llu bytes",
                           (unsigned long long)arena->size);
    }
    lj_region *data = &arena->regions[LJ_DATA];
    if (!lj_arena_open_views(arena) ||
        mprotect((void *)data->start, data->size, PROT_READ | PROT_WRITE))
        return lj_fail(fault, LJ_SYSTEM, 0, (uint64_t)errno, "can't map the arena: %s",
                       strerror(errno));
    return LJ_OK;
}

lj_status lj_arena_new(uint64_t size, uint64_t near, lj_arena **out, lj_fault *fault) {
    return lj_arena_new_for(LJ_ARENA_PLAIN, size, near, out, fault);
}

lj_status lj_arena_new_for(int kind, uint64_t size, uint64_t near, lj_arena **out,
                           lj_fault *fault) {
    if (!size || size > UINT64_C(1) << 44)
        return lj_fail(fault, LJ_MISUSE, 0, size, "arena size out of range");
    if (kind < LJ_ARENA_PLAIN || kind > LJ_ARENA_DEBUGGED)
        return lj_fail(fault, LJ_MISUSE, 0, (uint64_t)kind, "no such kind of arena");
    lj_arena *arena = calloc(1, sizeof *arena);
    if (!arena)
        return lj_fail(fault, LJ_NO_MEMORY, 0, 0, "arena");
    arena->kind = kind;
    arena->backing.file = arena->copy.file = -1;
    arena->page = (uint64_t)sysconf(_SC_PAGESIZE);
    /* Regions that begin so aligned can serve any alignment; a small arena need not. */
    uint64_t unit = size >= 4 * LJ_REGIONS * LJ_MAX_ALIGN ? LJ_MAX_ALIGN : arena->page;
    uint64_t third = (size / LJ_REGIONS + unit - 1) / unit * unit;
    arena->size = third * LJ_REGIONS;
    for (int i = 0; i < LJ_REGIONS; i++) {
        arena->regions[i].size = third;
        pthread_mutex_init(&arena->regions[i].lock, NULL);
    }
    lj_status status = map_all(arena, near, fault);
    if (status) {
        lj_arena_dispose(arena);
        return status;
    }
    *out = arena;
    return LJ_OK;
}

void lj_arena_dispose(lj_arena *arena) {
    if (!arena)
        return;
    lj_arena_close_views(arena);
    if (arena->start)
        munmap((void *)arena->start, arena->size);
    lj_arena_drop_extras(arena);
    for (int i = 0; i < LJ_REGIONS; i++) {
        lj_spans_clear(&arena->regions[i].spans);
        pthread_mutex_destroy(&arena->regions[i].lock);
    }
    free(arena);
}

static uint8_t *working_of(lj_arena *arena, int region, uint64_t target) {
    return lj_region_shared(region) ? arena->working + (target - arena->start) : (uint8_t *)target;
}

/* Has the system provide the pages of a large span from `fresh` bytes on, which will all be written
 * now: one call instead of a fault for each, in 0.6 of the time. Not for DATA, which may stay
 * zero. Systems without it, or without memory, fault as usual. */
static void touch_fresh(const lj_arena *arena, const lj_span *span, uint64_t fresh) {
    if (span->size < fresh + TOUCH_AT_ONCE)
        return;
    uintptr_t start = ((uintptr_t)span->working + fresh) & -arena->page;
    uintptr_t end = (uintptr_t)span->working + span->size;
    madvise((void *)start, end - start, MADV_POPULATE_WRITE);
}

lj_status lj_arena_alloc(lj_arena *arena, int which, uint64_t size, uint64_t align, lj_span *out) {
    if (which < 0 || which >= LJ_REGIONS || !align || align & (align - 1) || align > LJ_MAX_ALIGN)
        return LJ_MISUSE;
    lj_region *region = &arena->regions[which];
    if (size > region->size)
        return which == LJ_DATA ? lj_arena_alloc_extra(arena, size, align, out) : LJ_ARENA_FULL;
    bool own_pages = which == LJ_TEXT && arena->kind == LJ_ARENA_DEBUGGED;
    if (own_pages) {
        size = (size + !size + arena->page - 1) & -arena->page;
        align = align > arena->page ? align : arena->page;
    }
    uint32_t granules = size ? (uint32_t)((size + LJ_GRANULE - 1) / LJ_GRANULE) : 1;
    uint32_t step = align > LJ_GRANULE ? (uint32_t)(align / LJ_GRANULE) : 1;
    uint32_t bias = (uint32_t)(region->start / LJ_GRANULE & (step - 1));

    pthread_mutex_lock(&region->lock);
    lj_block *block;
    lj_status status = region->frozen ? LJ_ARENA_FULL
                                      : lj_spans_take(&region->spans, granules, step, bias, &block);
    if (status) {
        pthread_mutex_unlock(&region->lock);
        return status == LJ_ARENA_FULL && which == LJ_DATA
                   ? lj_arena_alloc_extra(arena, size, align, out)
                   : status;
    }
    uint64_t offset = (uint64_t)block->start * LJ_GRANULE;
    uint64_t bytes = (uint64_t)granules * LJ_GRANULE;
    uint64_t touched = region->high_water;
    if (offset + bytes > touched)
        region->high_water = offset + bytes;
    region->used += bytes;
    region->live++;
    pthread_mutex_unlock(&region->lock);

    out->target = region->start + offset;
    out->working = working_of(arena, which, out->target);
    out->size = bytes;
    if (offset < touched)
        memset(out->working, 0, offset + bytes < touched ? bytes : touched - offset);
    if (own_pages && offset < touched)
        madvise((void *)out->target, bytes, MADV_DONTNEED); /* the debugger's copies */
    if (lj_region_shared(which))
        touch_fresh(arena, out, offset < touched ? touched - offset : 0);
    return LJ_OK;
}

lj_status lj_arena_tell(lj_arena *arena, int which, lj_status status, uint64_t size,
                        lj_fault *fault) {
    static const char *const names[] = {"code", "read-only data", "data"};
    static const char *const regions[] = {"TEXT", "RODATA", "DATA"};
    if (status != LJ_ARENA_FULL)
        return lj_fail(fault, status, 0, size, "%s", "");
    lj_region *region = &arena->regions[which];
    pthread_mutex_lock(&region->lock);
    uint64_t left = region->size - region->used;
    int frozen = region->frozen;
    pthread_mutex_unlock(&region->lock);
    return lj_fail(fault, status, 0, size, "%llu bytes of %s are wanted, %llu are free in %s%s",
                   (unsigned long long)size, names[which], (unsigned long long)left, regions[which],
                   frozen         ? ", which takes no more after a fork"
                   : left >= size ? ", but not in one piece"
                                  : "");
}

/* Gives whole pages of a free extent back to the system. The region's lock is held. A failure
 * costs memory, nothing else. */
static void give_back_locked(lj_arena *arena, int which, uint64_t offset, uint64_t size) {
    lj_region *region = &arena->regions[which];
    uint64_t end = offset + size < region->high_water ? offset + size : region->high_water;
    offset = (offset + arena->page - 1) & -arena->page;
    end &= -arena->page;
    if (end <= offset || end - offset < GIVE_BACK)
        return;
    /* MADV_REMOVE frees the file's pages, and with them both views'. */
    madvise(working_of(arena, which, region->start + offset), end - offset,
            lj_region_shared(which) ? MADV_REMOVE : MADV_DONTNEED);
}

lj_status lj_arena_free(lj_arena *arena, int which, uint64_t target) {
    if (which < 0 || which >= LJ_REGIONS)
        return LJ_MISUSE;
    lj_region *region = &arena->regions[which];
    uint64_t offset = target - region->start;
    if (which == LJ_DATA && (target < region->start || offset >= region->size))
        return lj_arena_free_extra(arena, target);
    if (target < region->start || offset >= region->size || offset % LJ_GRANULE)
        return LJ_MISUSE;
    lj_status status = LJ_OK;
    pthread_mutex_lock(&region->lock);
    lj_block *block = lj_spans_find(&region->spans, (uint32_t)(offset / LJ_GRANULE));
    if (!block) {
        status = LJ_MISUSE;
    } else if (!region->frozen) {
        uint32_t start, size;
        uint64_t bytes = (uint64_t)block->size * LJ_GRANULE;
        region->used -= bytes;
        region->live--;
        lj_spans_give(&region->spans, block, &start, &size);
        /* Only a free that brings much itself is worth a system call. */
        if (bytes >= GIVE_BACK / 4)
            give_back_locked(arena, which, (uint64_t)start * LJ_GRANULE,
                             (uint64_t)size * LJ_GRANULE);
    }
    pthread_mutex_unlock(&region->lock);
    return status;
}

uint8_t *lj_arena_working(lj_arena *arena, uint64_t target) {
    if (target < arena->start || target >= arena->start + arena->size)
        return lj_arena_in_extra(arena, target) ? (uint8_t *)target : NULL;
    return working_of(arena, target < arena->regions[LJ_DATA].start ? LJ_TEXT : LJ_DATA, target);
}

void lj_arena_bounds(lj_arena *arena, uint64_t *start, uint64_t *end) {
    *start = arena->start;
    *end = arena->start + arena->size;
}

void lj_arena_statistics_get(lj_arena *arena, lj_arena_statistics *out) {
    for (int i = 0; i < LJ_REGIONS; i++) {
        lj_region *region = &arena->regions[i];
        pthread_mutex_lock(&region->lock);
        out->reserved[i] = region->size;
        out->committed[i] = (region->high_water + arena->page - 1) & -arena->page;
        out->used[i] = region->used;
        out->spans[i] = region->live;
        pthread_mutex_unlock(&region->lock);
    }
    lj_arena_count_extras(arena, out);
}
