/* Stubs: the canonical addresses of functions, before and after there is code for them.
 *
 * A stub is 16 bytes of code that jump through a slot. Once its function has code, the slot holds
 * the code's address, and the stub costs one indirect jump. Before, the slot leads to the
 * call-through: it posts one request to the queue (however many threads call), sleeps until the
 * stub is resolved, and goes on to the function with everything as it was at the call but r11 and
 * the flags. When the function can't be had, the failure surfaces in the nearest guarded call from
 * Python (guard.h); without one, at the pool's failure address, or the process ends saying why.
 *
 * A stub is unresolved, resolved or failed, and may go from each to each at any time, while
 * others call it. All functions may be called from any thread.
 */
#ifndef LAZYJIT_STUBS_H
#define LAZYJIT_STUBS_H

#include "arena.h"
#include "queue.h"

/* cffi: begin */
typedef struct lj_stubs lj_stubs;

/* Failure tokens below this are lj_stubs' own; others are the caller's. */
enum {
    LJ_FAILURE_CLOSED = 1,
    LJ_FAILURE_FREED = 2,
    LJ_FAILURE_NO_MEMORY = 3,
    LJ_FAILURE_FIRST = 16
};

typedef struct lj_stubs_statistics {
    uint64_t live;     /* stubs, also those that were freed and are held */
    uint64_t chunks;   /* of 254 stubs: a page of TEXT and half a page of DATA each */
    uint64_t requests; /* posted to the queue, ever */
    uint64_t failures; /* calls that ran into a failed stub, ever */
} lj_stubs_statistics;

/* The arena must outlive the pool and be smaller than 2 GiB (else MISUSE); the pool holds a
 * reference to the queue. */
lj_status lj_stubs_new(lj_arena *arena, lj_queue *queue, lj_stubs **out);
/* Frees all stubs. The caller guarantees that none is called any more. Functions of this header
 * that other threads are in, or come to yet, find none: CLOSED. */
void lj_stubs_empty(lj_stubs *pool);
/* Forgets the pool, which nobody has any more; leaves one alone that wasn't emptied, whose stubs
 * may be called by native threads as long as there is a process. */
void lj_stubs_dispose(lj_stubs *pool);
/* From now on, what is unresolved fails with LJ_FAILURE_CLOSED: sleeping calls and later ones. */
void lj_stubs_close(lj_stubs *pool);
/* Where a failed call goes when there is no guarded call below it. 0: the process ends. */
void lj_stubs_set_failure_address(lj_stubs *pool, uint64_t address);

/* `count` unresolved stubs, all or none; calling stub i posts payloads[i]. ARENA_FULL, NO_MEMORY,
 * CLOSED. */
lj_status lj_stubs_create(lj_stubs *pool, uint64_t count, const uint64_t *payloads,
                          uint64_t *addresses);
/* Points stubs at code, from whatever state, and wakes who waits. MISUSE (before anything is done)
 * for what is not a stub of this pool; likewise below. */
lj_status lj_stubs_resolve(lj_stubs *pool, uint64_t count, const uint64_t *stubs,
                           const uint64_t *targets);
/* Fails stubs, from whatever state, and wakes who waits. `message` says why, for a process that
 * ends of it; `token` is what surfaces in Python. */
lj_status lj_stubs_fail(lj_stubs *pool, uint64_t count, const uint64_t *stubs, uint64_t token,
                        const char *message);
/* Makes resolved and failed stubs unresolved: the next call posts anew. */
lj_status lj_stubs_reset(lj_stubs *pool, uint64_t count, const uint64_t *stubs);
/* Gives stubs back for reuse; until then a call of one fails with LJ_FAILURE_FREED. */
lj_status lj_stubs_free(lj_stubs *pool, uint64_t count, const uint64_t *stubs);
/* Holds those of `addresses` that are stubs of the pool, for code that refers to them: what is
 * freed while it is held is not reused before it was let go as often. Returns how many there are;
 * `held`, with room for `count`, begins with them. */
uint64_t lj_stubs_hold(lj_stubs *pool, uint64_t count, const uint64_t *addresses, uint64_t *held);
void lj_stubs_let_go(lj_stubs *pool, uint64_t count, const uint64_t *held);
/* What a stub leads to; 0 while it is unresolved or failed, or when it's not a stub of the pool. */
uint64_t lj_stubs_target(lj_stubs *pool, uint64_t stub);
void lj_stubs_statistics_get(lj_stubs *pool, lj_stubs_statistics *out);

void lj_stubs_before_fork(lj_stubs *pool);
void lj_stubs_after_fork(lj_stubs *pool);
/* cffi: end */

#endif
