/* A chunk of stubs: what the code of stubs, the pool and the call-through share.
 *
 * 254 stubs and a tail fill a page of TEXT, at a multiple of the page size, so that a stub's
 * address leads to its chunk. Their slots are in DATA, side by side: eight to a cache line.
 * All else about a stub is looked at once in its life, and lies in ordinary memory.
 */
#ifndef LAZYJIT_STUBS_CHUNK_H
#define LAZYJIT_STUBS_CHUNK_H

#include "stubs.h"

#include <pthread.h>
#include <stdbool.h>

enum { LJ_STUB_BYTES = 16, LJ_CHUNK_BYTES = 4096, LJ_CHUNK_STUBS = 254 };
/* Into a stub: where an unresolved one's slot leads. */
enum { LJ_STUB_UNRESOLVED = 6 };

/* A stub's gate: a futex, and a gate of the queue's for pool threads. Open when positive. */
enum {
    LJ_STUB_SLEPT_ON = -1, /* unresolved, and some thread may sleep on it */
    LJ_STUB_IDLE = 0,      /* unresolved */
    LJ_STUB_RESOLVED = 1,
    LJ_STUB_FAILED = 2
};

typedef struct lj_failure {
    struct lj_failure *next;
    uint64_t token;
    char message[];
} lj_failure;

typedef struct lj_chunk {
    struct lj_chunk *next;
    lj_stubs *pool;
    uint64_t code;   /* target address of stub 0 */
    uint64_t *slots; /* in DATA */
    lj_gate gates[LJ_CHUNK_STUBS];
    uint8_t asked[LJ_CHUNK_STUBS]; /* the request has been posted */
    uint8_t live[LJ_CHUNK_STUBS];  /* under the pool's lock, as are the holds */
    uint32_t holds[LJ_CHUNK_STUBS];
    uint64_t payloads[LJ_CHUNK_STUBS];
    const lj_failure *failures[LJ_CHUNK_STUBS]; /* of failed ones */
} lj_chunk;

struct lj_stubs {
    pthread_mutex_t lock;
    lj_arena *arena;
    lj_queue *queue;
    uint64_t start, places; /* the arena's first address, and its size in pages */
    lj_chunk **by_place;    /* chunk by page of the arena */
    lj_chunk *chunks;
    uint64_t *spare; /* a stack of unused stubs */
    uint64_t spare_count, spare_capacity, chunk_count;
    lj_failure *failures; /* all that were ever told; freed with the pool */
    uint64_t failure_address;
    uint64_t requests, failed_calls;
    int helpers; /* pool threads that wait for a stub on the queue */
    bool closed;
};

static inline uint64_t lj_stub_unresolved(const lj_chunk *chunk, uint64_t index) {
    return chunk->code + index * LJ_STUB_BYTES + LJ_STUB_UNRESOLVED;
}

/* Writes a chunk's code through `working`. */
void lj_stubs_write_code(const lj_chunk *chunk, uint8_t *working);
/* Fails a stub, unless it was resolved or failed meanwhile, and wakes who waits for it. */
void lj_stubs_fail_unresolved(lj_chunk *chunk, uint64_t index, const lj_failure *failure);

extern const lj_failure *const lj_failure_closed, *const lj_failure_freed,
                                                      *const lj_failure_no_memory;

#endif
