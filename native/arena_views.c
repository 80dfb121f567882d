/* The memory of TEXT and RODATA, seen twice: what its views are mappings of, and what fork does.
 *
 * What is behind the views decides what tools can do, and so an arena comes in three kinds:
 *
 *   plain     a memfd, shared by all views.
 *   profiled  shared anonymous memory, of which mremap makes further views. Maps and events of a
 *             profiler call it "/dev/zero", which is how perf knows memory whose symbols are in
 *             /tmp/perf-PID.map; of a memfd it would want an ELF file.
 *   debugged  a memfd, of which TEXT's target view is private. A debugger may write breakpoints
 *             into a private mapping, of whose page it gets a copy, but not into a shared one that
 *             isn't writable. What is written through the working view later doesn't reach a page
 *             that was copied: so spans of TEXT have whole pages to themselves here, and one is
 *             handed out with the copies of its past dropped.
 */
#define _GNU_SOURCE 1
#include "arena_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x10U
#endif

static const lj_backing nothing = {-1, NULL};

/* The memfd needs MFD_EXEC where the system makes memfds non-executable unless asked; kernels
 * before 6.3 don't know the flag. */
static int open_memory(uint64_t size) {
    int file = memfd_create("lazyjit", MFD_CLOEXEC | MFD_EXEC);
    if (file < 0 && errno == EINVAL)
        file = memfd_create("lazyjit", MFD_CLOEXEC);
    if (file >= 0 && ftruncate(file, (off_t)size)) {
        int error = errno;
        close(file);
        errno = error;
        file = -1;
    }
    return file;
}

static bool open_backing(const lj_arena *arena, lj_backing *out) {
    *out = nothing;
    uint64_t size = lj_arena_shared_size(arena);
    if (arena->kind != LJ_ARENA_PROFILED)
        return (out->file = open_memory(size)) >= 0;
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    out->memory = memory;
    return true;
}

static void close_backing(const lj_arena *arena, lj_backing *backing) {
    if (backing->file >= 0)
        close(backing->file);
    if (backing->memory)
        munmap(backing->memory, lj_arena_shared_size(arena));
    *backing = nothing;
}

/* Maps a view of the backing's bytes from `offset` at `place`, over what is there. */
static bool map_view(lj_arena *arena, const lj_backing *from, uint64_t place, uint64_t size,
                     uint64_t offset, int protection, int sharing) {
    void *to = (void *)place;
    if (from->file >= 0)
        return mmap(to, size, protection, sharing | MAP_FIXED, from->file, (off_t)offset) == to;
    /* An old size of 0 asks for one more mapping of the same shared pages. */
    return mremap(from->memory + offset, 0, size, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to &&
           !mprotect(to, size, protection);
}

/* Maps all views, over those of an earlier backing if there was one. The working view stays where
 * it was, since pointers into it are about. */
static bool map_views(lj_arena *arena, const lj_backing *from) {
    lj_region *text = &arena->regions[LJ_TEXT], *rodata = &arena->regions[LJ_RODATA];
    if (!arena->working) {
        /* A reservation to map over. */
        void *place =
            mmap(NULL, lj_arena_shared_size(arena), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (place == MAP_FAILED)
            return false;
        arena->working = place;
    }
    int sharing = arena->kind == LJ_ARENA_DEBUGGED ? MAP_PRIVATE : MAP_SHARED;
    return map_view(arena, from, (uint64_t)arena->working, lj_arena_shared_size(arena), 0,
                    PROT_READ | PROT_WRITE, MAP_SHARED) &&
           map_view(arena, from, text->start, text->size, 0, PROT_READ | PROT_EXEC, sharing) &&
           map_view(arena, from, rodata->start, rodata->size, text->size, PROT_READ, MAP_SHARED);
}

bool lj_arena_open_views(lj_arena *arena) {
    arena->backing = arena->copy = nothing;
    return open_backing(arena, &arena->backing) && map_views(arena, &arena->backing);
}

void lj_arena_close_views(lj_arena *arena) {
    if (arena->working)
        munmap(arena->working, lj_arena_shared_size(arena));
    close_backing(arena, &arena->backing);
}

static bool write_all(const lj_backing *to, const uint8_t *from, uint64_t size, uint64_t offset) {
    if (to->memory) {
        memcpy(to->memory + offset, from, size);
        return true;
    }
    while (size) {
        ssize_t wrote = pwrite(to->file, from, size, (off_t)offset);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return false;
        from += wrote;
        offset += (uint64_t)wrote;
        size -= (uint64_t)wrote;
    }
    return true;
}

static bool copied(const lj_arena *arena) {
    return arena->copy.file >= 0 || arena->copy.memory;
}

/* The copy is taken before the fork: a child that copied later would race with the parent, which
 * may free and reuse a span that the child still runs. */
void lj_arena_before_fork(lj_arena *arena) {
    for (int i = 0; i < LJ_REGIONS; i++)
        pthread_mutex_lock(&arena->regions[i].lock);
    open_backing(arena, &arena->copy);
    for (int i = 0; copied(arena) && lj_region_shared(i); i++) {
        lj_region *region = &arena->regions[i];
        uint64_t offset = region->start - arena->start;
        if (!write_all(&arena->copy, arena->working + offset, region->high_water, offset))
            close_backing(arena, &arena->copy);
    }
}

lj_status lj_arena_after_fork(lj_arena *arena, int in_child) {
    lj_status status = LJ_OK;
    if (in_child) {
        if (copied(arena) && map_views(arena, &arena->copy)) {
            close_backing(arena, &arena->backing);
            arena->backing = arena->copy;
            arena->copy = nothing;
        } else {
            status = LJ_SYSTEM;
            arena->regions[LJ_TEXT].frozen = arena->regions[LJ_RODATA].frozen = true;
        }
    }
    close_backing(arena, &arena->copy);
    for (int i = 0; i < LJ_REGIONS; i++)
        pthread_mutex_unlock(&arena->regions[i].lock);
    return status;
}
