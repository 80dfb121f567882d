/* The stub pool: making, resolving, failing and reusing stubs. See stubs.h.
 *
 * Changes hold the pool's lock; calls run against them without one. What they may see:
 *
 *      resolve   slot = code;                          gate = RESOLVED, wake
 *      fail      failure = why;   gate = FAILED, wake; slot = call-through
 *      reset     slot = call-through;   asked = 0;     gate = IDLE
 *
 * A slot is one aligned word, so a call goes either to the code or to the call-through, which goes
 * by the gate, and looks again when slot and gate don't fit each other yet. `asked` becomes 0
 * before the gate is unresolved again: who finds the gate unresolved, and then `asked` set, knows
 * that a request is on its way. That order is why a call marks the gate before it makes sure that
 * it was asked.
 */
#define _GNU_SOURCE 1
#include "atexit.h"
#include "stubs_chunk.h"

#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const lj_failure closed = {.token = LJ_FAILURE_CLOSED, .message = "the session was closed"};
static const lj_failure freed = {.token = LJ_FAILURE_FREED, .message = "the function was removed"};
static const lj_failure no_memory = {.token = LJ_FAILURE_NO_MEMORY, .message = "out of memory"};
const lj_failure *const lj_failure_closed = &closed, *const lj_failure_freed = &freed,
                        *const lj_failure_no_memory = &no_memory;

/* --- finding ------------------------------------------------------------------------------ */

/* The chunk that a stub is in, and its index there; NULL for any other address. */
static lj_chunk *find(lj_stubs *pool, uint64_t stub, uint64_t *index) {
    uint64_t place = (stub - pool->start) / LJ_CHUNK_BYTES;
    if (stub < pool->start || place >= pool->places || stub % LJ_STUB_BYTES)
        return NULL;
    *index = stub % LJ_CHUNK_BYTES / LJ_STUB_BYTES;
    lj_chunk *chunk = __atomic_load_n(&pool->by_place[place], __ATOMIC_ACQUIRE);
    return *index < LJ_CHUNK_STUBS ? chunk : NULL;
}

/* Whether these are stubs: OK, MISUSE, or CLOSED once the pool was emptied. */
static lj_status look_locked(lj_stubs *pool, uint64_t count, const uint64_t *stubs) {
    uint64_t index;
    for (uint64_t i = 0; i < count; i++)
        if (!find(pool, stubs[i], &index))
            return pool->places ? LJ_MISUSE : LJ_CLOSED;
    return LJ_OK;
}

/* --- one stub ----------------------------------------------------------------------------- */

static void open_gate_locked(lj_chunk *chunk, uint64_t index, lj_gate state) {
    lj_gate *gate = &chunk->gates[index];
    if (__atomic_exchange_n(gate, state, __ATOMIC_SEQ_CST) != LJ_STUB_SLEPT_ON)
        return;
    syscall(SYS_futex, gate, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
    if (__atomic_load_n(&chunk->pool->helpers, __ATOMIC_SEQ_CST))
        lj_queue_wake(chunk->pool->queue);
}

static void resolve_locked(lj_chunk *chunk, uint64_t index, uint64_t target) {
    __atomic_store_n(&chunk->slots[index], target, __ATOMIC_RELEASE);
    open_gate_locked(chunk, index, LJ_STUB_RESOLVED);
}

static void fail_locked(lj_chunk *chunk, uint64_t index, const lj_failure *failure) {
    __atomic_store_n(&chunk->failures[index], failure, __ATOMIC_RELEASE);
    open_gate_locked(chunk, index, LJ_STUB_FAILED);
    __atomic_store_n(&chunk->slots[index], lj_stub_unresolved(chunk, index), __ATOMIC_RELEASE);
}

static void reset_locked(lj_chunk *chunk, uint64_t index) {
    __atomic_store_n(&chunk->slots[index], lj_stub_unresolved(chunk, index), __ATOMIC_RELEASE);
    __atomic_store_n(&chunk->asked[index], 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&chunk->gates[index], LJ_STUB_IDLE, __ATOMIC_SEQ_CST);
    if (chunk->pool->closed)
        fail_locked(chunk, index, lj_failure_closed);
}

void lj_stubs_fail_unresolved(lj_chunk *chunk, uint64_t index, const lj_failure *failure) {
    pthread_mutex_lock(&chunk->pool->lock);
    if (__atomic_load_n(&chunk->gates[index], __ATOMIC_ACQUIRE) <= LJ_STUB_IDLE)
        fail_locked(chunk, index, failure);
    pthread_mutex_unlock(&chunk->pool->lock);
}

/* --- life --------------------------------------------------------------------------------- */

lj_status lj_stubs_new(lj_arena *arena, lj_queue *queue, lj_stubs **out) {
    lj_stubs *pool = calloc(1, sizeof *pool);
    if (!pool)
        return LJ_NO_MEMORY;
    uint64_t end;
    lj_arena_bounds(arena, &pool->start, &end);
    if (end - pool->start > (uint64_t)INT32_MAX) {
        free(pool); /* a stub could not reach its slot */
        return LJ_MISUSE;
    }
    pool->places = (end - pool->start) / LJ_CHUNK_BYTES;
    /* A large calloc is fresh pages: what no chunk lies in costs nothing. */
    pool->by_place = calloc(pool->places, sizeof *pool->by_place);
    if (!pool->by_place) {
        free(pool);
        return LJ_NO_MEMORY;
    }
    pthread_mutex_init(&pool->lock, NULL);
    pool->arena = arena;
    pool->queue = lj_queue_retain(queue);
    *out = pool;
    return LJ_OK;
}

void lj_stubs_empty(lj_stubs *pool) {
    pthread_mutex_lock(&pool->lock);
    pool->closed = true;
    pool->places = 0; /* nothing is found any more */
    while (pool->chunks) {
        lj_chunk *chunk = pool->chunks;
        pool->chunks = chunk->next;
        lj_arena_free(pool->arena, LJ_TEXT, chunk->code);
        lj_arena_free(pool->arena, LJ_DATA, (uint64_t)chunk->slots);
        free(chunk);
    }
    while (pool->failures) {
        lj_failure *failure = pool->failures;
        pool->failures = failure->next;
        free(failure);
    }
    pool->chunk_count = pool->spare_count = 0;
    pthread_mutex_unlock(&pool->lock);
}

void lj_stubs_dispose(lj_stubs *pool) {
    if (!pool || pool->places)
        return;
    lj_queue_dispose(pool->queue);
    pthread_mutex_destroy(&pool->lock);
    free(pool->by_place);
    free(pool->spare);
    free(pool);
}

void lj_stubs_close(lj_stubs *pool) {
    pthread_mutex_lock(&pool->lock);
    __atomic_store_n(&pool->closed, true, __ATOMIC_SEQ_CST);
    for (lj_chunk *chunk = pool->chunks; chunk; chunk = chunk->next)
        for (uint64_t i = 0; i < LJ_CHUNK_STUBS; i++)
            if (__atomic_load_n(&chunk->gates[i], __ATOMIC_SEQ_CST) <= LJ_STUB_IDLE)
                fail_locked(chunk, i, lj_failure_closed);
    pthread_mutex_unlock(&pool->lock);
}

void lj_stubs_set_failure_address(lj_stubs *pool, uint64_t address) {
    __atomic_store_n(&pool->failure_address, address, __ATOMIC_RELEASE);
}

/* --- making ------------------------------------------------------------------------------- */

static lj_status add_chunk_locked(lj_stubs *pool) {
    uint64_t wanted = (pool->chunk_count + 1) * LJ_CHUNK_STUBS;
    if (wanted > pool->spare_capacity) {
        uint64_t capacity = wanted * 2;
        uint64_t *spare = realloc(pool->spare, capacity * sizeof *spare);
        if (!spare)
            return LJ_NO_MEMORY;
        pool->spare = spare;
        pool->spare_capacity = capacity;
    }
    lj_chunk *chunk = calloc(1, sizeof *chunk);
    if (!chunk)
        return LJ_NO_MEMORY;
    lj_span code, slots;
    lj_status status = lj_arena_alloc(pool->arena, LJ_TEXT, LJ_CHUNK_BYTES, LJ_CHUNK_BYTES, &code);
    if (!status) {
        status = lj_arena_alloc(pool->arena, LJ_DATA, LJ_CHUNK_STUBS * 8, 64, &slots);
        if (status)
            lj_arena_free(pool->arena, LJ_TEXT, code.target);
    }
    if (status) {
        free(chunk);
        return status;
    }
    chunk->pool = pool;
    chunk->code = code.target;
    chunk->slots = (uint64_t *)slots.working;
    for (uint64_t i = 0; i < LJ_CHUNK_STUBS; i++) {
        chunk->slots[i] = lj_stub_unresolved(chunk, i);
        chunk->gates[i] = LJ_STUB_FAILED;
        chunk->failures[i] = lj_failure_freed;
    }
    lj_stubs_write_code(chunk, code.working);
    chunk->next = pool->chunks;
    pool->chunks = chunk;
    pool->chunk_count++;
    /* The lowest address on top: stubs that are made together lie together. */
    for (uint64_t i = LJ_CHUNK_STUBS; i-- > 0;)
        pool->spare[pool->spare_count++] = chunk->code + i * LJ_STUB_BYTES;
    uint64_t place = (chunk->code - pool->start) / LJ_CHUNK_BYTES;
    __atomic_store_n(&pool->by_place[place], chunk, __ATOMIC_RELEASE);
    return LJ_OK;
}

lj_status lj_stubs_create(lj_stubs *pool, uint64_t count, const uint64_t *payloads,
                          uint64_t *addresses) {
    lj_status status = LJ_OK;
    pthread_mutex_lock(&pool->lock);
    if (pool->closed)
        status = LJ_CLOSED;
    while (!status && pool->spare_count < count)
        status = add_chunk_locked(pool);
    for (uint64_t i = 0; i < count && !status; i++) {
        uint64_t index, stub = pool->spare[--pool->spare_count];
        lj_chunk *chunk = find(pool, stub, &index);
        chunk->payloads[index] = payloads[i];
        chunk->live[index] = 1;
        reset_locked(chunk, index);
        addresses[i] = stub;
    }
    pthread_mutex_unlock(&pool->lock);
    return status;
}

/* --- changing ----------------------------------------------------------------------------- */

lj_status lj_stubs_resolve(lj_stubs *pool, uint64_t count, const uint64_t *stubs,
                           const uint64_t *targets) {
    pthread_mutex_lock(&pool->lock);
    lj_status status = look_locked(pool, count, stubs);
    for (uint64_t i = 0; i < count && !status; i++) {
        uint64_t index;
        lj_chunk *chunk = find(pool, stubs[i], &index);
        resolve_locked(chunk, index, targets[i]);
    }
    pthread_mutex_unlock(&pool->lock);
    return status;
}

lj_status lj_stubs_fail(lj_stubs *pool, uint64_t count, const uint64_t *stubs, uint64_t token,
                        const char *message) {
    size_t length = strlen(message) + 1;
    lj_failure *failure = malloc(sizeof *failure + length);
    if (!failure)
        return LJ_NO_MEMORY;
    failure->token = token;
    memcpy(failure->message, message, length);
    pthread_mutex_lock(&pool->lock);
    lj_status status = look_locked(pool, count, stubs);
    if (!status) {
        failure->next = pool->failures;
        pool->failures = failure;
    }
    for (uint64_t i = 0; i < count && !status; i++) {
        uint64_t index;
        lj_chunk *chunk = find(pool, stubs[i], &index);
        fail_locked(chunk, index, failure);
    }
    pthread_mutex_unlock(&pool->lock);
    if (status)
        free(failure);
    return status;
}

lj_status lj_stubs_reset(lj_stubs *pool, uint64_t count, const uint64_t *stubs) {
    pthread_mutex_lock(&pool->lock);
    lj_status status = look_locked(pool, count, stubs);
    for (uint64_t i = 0; i < count && !status; i++) {
        uint64_t index;
        lj_chunk *chunk = find(pool, stubs[i], &index);
        if (__atomic_load_n(&chunk->gates[index], __ATOMIC_ACQUIRE) > LJ_STUB_IDLE)
            reset_locked(chunk, index);
    }
    pthread_mutex_unlock(&pool->lock);
    return status;
}

lj_status lj_stubs_free(lj_stubs *pool, uint64_t count, const uint64_t *stubs) {
    for (uint64_t i = 0; i < count; i++)
        lj_atexit_forget(stubs[i], 1); /* they would call whose stub it is next */
    pthread_mutex_lock(&pool->lock);
    lj_status status = look_locked(pool, count, stubs);
    for (uint64_t i = 0; i < count && !status; i++) {
        uint64_t index;
        lj_chunk *chunk = find(pool, stubs[i], &index);
        if (!chunk->live[index]) {
            status = LJ_MISUSE;
            break;
        }
        chunk->live[index] = 0;
        fail_locked(chunk, index, lj_failure_freed);
        if (!chunk->holds[index])
            pool->spare[pool->spare_count++] = stubs[i];
    }
    pthread_mutex_unlock(&pool->lock);
    return status;
}

uint64_t lj_stubs_hold(lj_stubs *pool, uint64_t count, const uint64_t *addresses, uint64_t *held) {
    uint64_t index, stubs = 0, holds = 0;
    for (uint64_t i = 0; i < count; i++)
        stubs += find(pool, addresses[i], &index) != NULL;
    if (!stubs)
        return 0;
    pthread_mutex_lock(&pool->lock);
    for (uint64_t i = 0; i < count; i++) {
        lj_chunk *chunk = find(pool, addresses[i], &index);
        if (chunk && chunk->live[index]) {
            chunk->holds[index]++;
            held[holds++] = addresses[i];
        }
    }
    pthread_mutex_unlock(&pool->lock);
    return holds;
}

void lj_stubs_let_go(lj_stubs *pool, uint64_t count, const uint64_t *held) {
    pthread_mutex_lock(&pool->lock);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t index;
        lj_chunk *chunk = find(pool, held[i], &index); /* none, once the pool was emptied */
        if (chunk && !--chunk->holds[index] && !chunk->live[index])
            pool->spare[pool->spare_count++] = held[i];
    }
    pthread_mutex_unlock(&pool->lock);
}

/* --- asking ------------------------------------------------------------------------------- */

uint64_t lj_stubs_target(lj_stubs *pool, uint64_t stub) {
    uint64_t index, target = 0;
    pthread_mutex_lock(&pool->lock);
    lj_chunk *chunk = find(pool, stub, &index);
    if (chunk)
        target = __atomic_load_n(&chunk->slots[index], __ATOMIC_ACQUIRE);
    if (chunk && target == lj_stub_unresolved(chunk, index))
        target = 0;
    pthread_mutex_unlock(&pool->lock);
    return target;
}

void lj_stubs_statistics_get(lj_stubs *pool, lj_stubs_statistics *out) {
    pthread_mutex_lock(&pool->lock);
    out->live = pool->chunk_count * LJ_CHUNK_STUBS - pool->spare_count;
    out->chunks = pool->chunk_count;
    pthread_mutex_unlock(&pool->lock);
    out->requests = __atomic_load_n(&pool->requests, __ATOMIC_RELAXED);
    out->failures = __atomic_load_n(&pool->failed_calls, __ATOMIC_RELAXED);
}

void lj_stubs_before_fork(lj_stubs *pool) {
    pthread_mutex_lock(&pool->lock);
}
void lj_stubs_after_fork(lj_stubs *pool) {
    pthread_mutex_unlock(&pool->lock);
}
