/* Slabs: arena_slab.h says what for. The pages are private memory, so fork copies them. */
#define _GNU_SOURCE 1
#include "arena_slab.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int whole_pages(uint64_t address, uint64_t size) {
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    return size && !((address | size) & (page - 1)) && address + size >= address;
}

static lj_status refused(lj_fault *fault, const char *what, uint64_t address, uint64_t size) {
    int number = errno;
    return lj_fail(fault, LJ_SYSTEM, 0, (uint64_t)number, "can't %s %llu bytes at 0x%llx: %s", what,
                   (unsigned long long)size, (unsigned long long)address, strerror(number));
}

lj_status lj_slab_map(uint64_t address, uint64_t size, uint64_t *out, lj_fault *fault) {
    if (!whole_pages(address, size))
        return lj_fail(fault, LJ_MISUSE, 0, size, "a slab is made of whole pages");
    /* Old kernels take NOREPLACE for a mere hint, and put the mapping elsewhere. */
    int fixed = address ? MAP_FIXED_NOREPLACE : 0;
    void *got = mmap((void *)(uintptr_t)address, size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | fixed, -1, 0);
    if (got == MAP_FAILED)
        return refused(fault, "map", address, size);
    if (address && (uint64_t)(uintptr_t)got != address) {
        munmap(got, size);
        errno = EEXIST;
        return refused(fault, "map", address, size);
    }
    *out = (uint64_t)(uintptr_t)got;
    return LJ_OK;
}

void lj_slab_unmap(uint64_t address, uint64_t size) {
    munmap((void *)(uintptr_t)address, size);
}

lj_status lj_slab_protect(uint64_t address, uint64_t size, int prot, lj_fault *fault) {
    if (!whole_pages(address, size) || (prot & LJ_SLAB_WRITE && prot & LJ_SLAB_EXEC))
        return lj_fail(fault, LJ_MISUSE, 0, size, "whole pages, not both writable and executable");
    int bits = (prot & LJ_SLAB_READ ? PROT_READ : 0) | (prot & LJ_SLAB_WRITE ? PROT_WRITE : 0) |
               (prot & LJ_SLAB_EXEC ? PROT_EXEC : 0);
    if (mprotect((void *)(uintptr_t)address, size, bits))
        return refused(fault, "protect", address, size);
    return LJ_OK;
}

lj_status lj_slab_clear(uint64_t address, uint64_t size, lj_fault *fault) {
    if (!whole_pages(address, size))
        return lj_fail(fault, LJ_MISUSE, 0, size, "a slab is made of whole pages");
    void *start = (void *)(uintptr_t)address;
    if (mprotect(start, size, PROT_READ | PROT_WRITE) || madvise(start, size, MADV_DONTNEED))
        return refused(fault, "clear", address, size);
    return LJ_OK;
}
