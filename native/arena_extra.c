/* Data that DATA has no room for: a mapping of its own.
 *
 * A program may have an array of half a gigabyte of zeros, which costs addresses and, until it is
 * touched, nothing else. The region is as large as most sessions need, not as large as anyone
 * could; so a large span that it can't serve is mapped by itself, as close to the code as there is
 * room, for code reaches it in 32 bits only there. (Where there is none, it is mapped anywhere:
 * code of the large model gets there, and for other code the link fails with the relocation that
 * doesn't.) It is private anonymous memory as DATA is, so fork copies it.
 *
 * Small spans stay within the region, whose size bounds what many of them take.
 */
#define _GNU_SOURCE 1
#include "arena_place.h"
#include "arena_state.h"

#include <stdlib.h>
#include <sys/mman.h>

/* The least that is worth a mapping, and the search for a place; the most that could be in reach.
 */
#define LEAST (UINT64_C(16) << 20)
#define MOST (UINT64_C(2) << 30)

struct lj_extra {
    lj_extra *next;
    uint64_t start, size;
};

lj_status lj_arena_alloc_extra(lj_arena *arena, uint64_t size, uint64_t align, lj_span *out) {
    if (size < LEAST || size > MOST)
        return LJ_ARENA_FULL;
    size = (size + arena->page - 1) & -arena->page;
    align = align > arena->page ? align : arena->page;
    lj_extra *fresh = malloc(sizeof *fresh);
    if (!fresh)
        return LJ_NO_MEMORY;
    lj_fault ignored;
    /* TEXT is the first of the three regions: what is near the arena's other end may be too far. */
    uint64_t code = arena->start + arena->size / 6;
    if (lj_arena_reserve(size, align, code, &fresh->start, &ignored)) {
        free(fresh);
        return LJ_ARENA_FULL;
    }
    if (mprotect((void *)fresh->start, size, PROT_READ | PROT_WRITE)) {
        munmap((void *)fresh->start, size);
        free(fresh);
        return LJ_ARENA_FULL;
    }
    fresh->size = size;
    *out = (lj_span){fresh->start, (uint8_t *)fresh->start, size};
    pthread_mutex_lock(&arena->regions[LJ_DATA].lock);
    fresh->next = arena->extras;
    arena->extras = fresh;
    pthread_mutex_unlock(&arena->regions[LJ_DATA].lock);
    return LJ_OK;
}

lj_status lj_arena_free_extra(lj_arena *arena, uint64_t target) {
    pthread_mutex_lock(&arena->regions[LJ_DATA].lock);
    lj_extra **at = &arena->extras, *found;
    while (*at && (*at)->start != target)
        at = &(*at)->next;
    found = *at;
    if (found)
        *at = found->next;
    pthread_mutex_unlock(&arena->regions[LJ_DATA].lock);
    if (!found)
        return LJ_MISUSE;
    munmap((void *)found->start, found->size);
    free(found);
    return LJ_OK;
}

bool lj_arena_in_extra(lj_arena *arena, uint64_t target) {
    pthread_mutex_lock(&arena->regions[LJ_DATA].lock);
    const lj_extra *each = arena->extras;
    while (each && target - each->start >= each->size)
        each = each->next;
    pthread_mutex_unlock(&arena->regions[LJ_DATA].lock);
    return each != NULL;
}

void lj_arena_count_extras(lj_arena *arena, lj_arena_statistics *out) {
    pthread_mutex_lock(&arena->regions[LJ_DATA].lock);
    for (const lj_extra *each = arena->extras; each; each = each->next) {
        out->reserved[LJ_DATA] += each->size;
        out->committed[LJ_DATA] += each->size;
        out->used[LJ_DATA] += each->size;
        out->spans[LJ_DATA]++;
    }
    pthread_mutex_unlock(&arena->regions[LJ_DATA].lock);
}

void lj_arena_drop_extras(lj_arena *arena) {
    for (lj_extra *each = arena->extras, *next; each; each = next) {
        next = each->next;
        munmap((void *)each->start, each->size);
        free(each);
    }
    arena->extras = NULL;
}
