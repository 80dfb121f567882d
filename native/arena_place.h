/* Where an arena can be: the free range of addresses nearest to a point. */
#ifndef LAZYJIT_ARENA_PLACE_H
#define LAZYJIT_ARENA_PLACE_H

#include "status.h"

/* Reserves (PROT_NONE) `size` bytes, starting at a multiple of `align`, so that every address in
 * it lies within 32-bit reach of `near`. Falls back to any place, and so does `near` = 0. */
lj_status lj_arena_reserve(uint64_t size, uint64_t align, uint64_t near, uint64_t *start,
                           lj_fault *fault);

#endif
