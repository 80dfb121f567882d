/* A slab: one piece of memory at an address of the caller's choice, in which pages change what they
 * allow.
 *
 * Where the arena keeps code and data in regions that never change, a slab is handed out in whole
 * pages that are first readable and writable, are filled, and then become what they are to be. It
 * is for whoever must know beforehand where code will be: a check that looks for addresses, a
 * program that was linked against them. Which pages are in use is the caller's to know.
 */
#ifndef LAZYJIT_ARENA_SLAB_H
#define LAZYJIT_ARENA_SLAB_H

#include "status.h"

/* cffi: begin */
/* lj_slab_protect's `prot` */
enum { LJ_SLAB_READ = 1, LJ_SLAB_WRITE = 2, LJ_SLAB_EXEC = 4 };

/* Maps `size` bytes, a multiple of the page, readable and writable; at `address` when that isn't 0,
 * and then nothing may be mapped there yet. Any thread. MISUSE, SYSTEM with value = errno. */
lj_status lj_slab_map(uint64_t address, uint64_t size, uint64_t *out, lj_fault *fault);
void lj_slab_unmap(uint64_t address, uint64_t size);
/* Lets whole pages allow `prot`. MISUSE for writable and executable, SYSTEM. */
lj_status lj_slab_protect(uint64_t address, uint64_t size, int prot, lj_fault *fault);
/* Makes whole pages readable, writable and zero again, and gives their memory back. SYSTEM. */
lj_status lj_slab_clear(uint64_t address, uint64_t size, lj_fault *fault);
/* cffi: end */

#endif
