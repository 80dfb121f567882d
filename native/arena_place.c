/* Finding room near libc.
 *
 * Code reaches 2 GiB either way with a 32-bit displacement. The kernel lays libraries out top-down,
 * one right below the other, so there is nearly always a gap of many gigabytes beneath the lowest
 * one; /proc/self/maps lists what is taken, in order of address. Between reading the list and
 * mapping, another thread may map into the gap: MAP_FIXED_NOREPLACE tells, and we look again.
 */
#define _GNU_SOURCE 1
#include "arena_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

#define MIB (UINT64_C(1) << 20)

/* Reach, less room for displacements that point into the middle of a big object. */
#define REACH (2048 * MIB - 64 * MIB)
/* The main thread's stack grows down into the gap beneath it; leave it its room. */
#define STACK_ROOM (256 * MIB)
/* Keeps an overrun of a neighbour from running into us. */
#define MARGIN (1 * MIB)
#define LOWEST (64 * MIB)
#define HIGHEST ((UINT64_C(1) << 47) - 4096)

static char *read_maps(void) {
    int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return NULL;
    size_t length = 0, capacity = 1 << 16;
    char *text = malloc(capacity);
    while (text) {
        ssize_t got = read(file, text + length, capacity - length - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        length += (size_t)got;
        if (length + 1 == capacity) {
            char *larger = realloc(text, capacity *= 2);
            if (!larger)
                free(text);
            text = larger;
        }
    }
    close(file);
    if (text)
        text[length] = 0;
    return text;
}

static uint64_t distance(uint64_t start, uint64_t size, uint64_t near) {
    uint64_t low = near > start ? near - start : start - near;
    uint64_t end = start + size;
    uint64_t high = near > end ? near - end : end - near;
    return low > high ? low : high;
}

/* The best start inside the gap [low, high), or 0. The arena hugs the side that faces `near`. */
static uint64_t place_in_gap(uint64_t low, uint64_t high, uint64_t size, uint64_t align,
                             uint64_t near) {
    low += MARGIN;
    if (high < low + size + MARGIN)
        return 0;
    high -= MARGIN;
    uint64_t start = near >= high ? high - size : low;
    start = near >= high ? start & -align : (start + align - 1) & -align;
    return start >= low && start + size <= high ? start : 0;
}

static uint64_t find_gap(uint64_t size, uint64_t align, uint64_t near) {
    char *maps = read_maps();
    if (!maps)
        return 0;
    uint64_t best = 0, best_distance = REACH, low = LOWEST;
    char *line = maps;
    for (bool last = false; !last;) {
        uint64_t start = HIGHEST, end = HIGHEST;
        char *newline = strchr(line, '\n');
        if (newline) {
            *newline = 0;
            char *dash;
            start = strtoull(line, &dash, 16);
            end = strtoull(dash + 1, NULL, 16);
            if (strstr(line, "[stack"))
                start = start > STACK_ROOM ? start - STACK_ROOM : 0;
            line = newline + 1;
        } else {
            last = true;
        }
        if (start > HIGHEST)
            start = HIGHEST;
        if (start > low) {
            uint64_t place = place_in_gap(low, start, size, align, near);
            if (place && distance(place, size, near) < best_distance) {
                best = place;
                best_distance = distance(place, size, near);
            }
        }
        if (end > low)
            low = end;
    }
    free(maps);
    return best;
}

lj_status lj_arena_reserve(uint64_t size, uint64_t align, uint64_t near, uint64_t *start,
                           lj_fault *fault) {
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    for (int attempt = 0; near && attempt < 8; attempt++) {
        uint64_t place = find_gap(size, align, near);
        if (!place)
            break;
        void *got = mmap((void *)place, size, PROT_NONE, flags | MAP_FIXED_NOREPLACE, -1, 0);
        if (got == (void *)place) {
            *start = place;
            return LJ_OK;
        }
        if (got != MAP_FAILED)
            munmap(got, size); /* a kernel before 4.17 takes the address as a hint */
        else if (errno != EEXIST)
            break;
    }
    uint8_t *got = mmap(NULL, size + align, PROT_NONE, flags, -1, 0);
    if (got == MAP_FAILED)
        return lj_fail(fault, LJ_SYSTEM, 0, (uint64_t)errno, "can't reserve %llu bytes: %s",
                       (unsigned long long)size, strerror(errno));
    uint64_t aligned = ((uint64_t)got + align - 1) & -align;
    uint64_t lead = aligned - (uint64_t)got;
    if (lead)
        munmap(got, lead);
    if (align - lead)
        munmap((void *)(aligned + size), align - lead);
    *start = aligned;
    return LJ_OK;
}
