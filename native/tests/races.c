/* Races, for ThreadSanitizer: arena, queue and stubs under several threads at once, without Python.
 *
 * CPython doesn't run under ThreadSanitizer, but the parts of native code in which threads meet
 * need no CPython. Each test is deterministic in what it checks and random (by seed) in the order
 * in which it does things; scripts/races builds and runs it.
 */
#include "arena.h"
#include "queue.h"
#include "stubs.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4 };

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static uint64_t next_random(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void on_threads(int count, void *(*work)(void *), void *arguments, size_t size) {
    pthread_t threads[4 * THREADS];
    for (int i = 0; i < count; i++)
        CHECK(!pthread_create(&threads[i], NULL, work, (char *)arguments + (size_t)i * size));
    for (int i = 0; i < count; i++)
        CHECK(!pthread_join(threads[i], NULL));
}

/* ---- arena: spans never overlap, and hold what was written ---- */

typedef struct arena_work {
    lj_arena *arena;
    uint64_t seed;
} arena_work;

static void *use_spans(void *data) {
    arena_work *work = data;
    enum { HELD = 32, ROUNDS = 3000 };
    lj_span spans[HELD] = {0};
    int regions[HELD];
    uint8_t marks[HELD];
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t random = next_random(&work->seed);
        int at = random % HELD;
        if (spans[at].size) {
            for (uint64_t i = 0; i < spans[at].size; i += 64)
                CHECK(spans[at].working[i] == marks[at]);
            CHECK(!lj_arena_free(work->arena, regions[at], spans[at].target));
            spans[at].size = 0;
            continue;
        }
        regions[at] = (random >> 8) % LJ_REGIONS;
        marks[at] = (uint8_t)(random >> 16 | 1);
        CHECK(!lj_arena_alloc(work->arena, regions[at], (random >> 24) % 5000,
                              1u << (random >> 40) % 8, &spans[at]));
        CHECK(lj_arena_working(work->arena, spans[at].target) == spans[at].working);
        memset(spans[at].working, marks[at], spans[at].size);
    }
    for (int at = 0; at < HELD; at++)
        if (spans[at].size)
            CHECK(!lj_arena_free(work->arena, regions[at], spans[at].target));
    return NULL;
}

static void test_arena(uint64_t seed) {
    lj_arena *arena;
    CHECK(!lj_arena_new(64u << 20, 0, &arena, NULL));
    arena_work works[THREADS];
    for (int i = 0; i < THREADS; i++)
        works[i] = (arena_work){arena, seed * 31 + (uint64_t)i + 1};
    on_threads(THREADS, use_spans, works, sizeof *works);
    lj_arena_statistics left;
    lj_arena_statistics_get(arena, &left);
    for (int region = 0; region < LJ_REGIONS; region++)
        CHECK(left.spans[region] == 0);
    lj_arena_dispose(arena);
}

/* ---- queue: each item is taken once, and nobody sleeps through one ---- */

enum { ITEMS = 4000 };

typedef struct queue_work {
    lj_queue *queue;
    bool posts;
    uint64_t first;
    _Atomic uint64_t *sum, *taken;
} queue_work;

static void *use_queue(void *data) {
    queue_work *work = data;
    if (work->posts) {
        for (uint64_t i = 0; i < ITEMS; i++)
            CHECK(
                !lj_queue_post(work->queue, (int)(i % LJ_CLASSES), LJ_ITEM_TASK, work->first + i));
        return NULL;
    }
    lj_item item;
    while (atomic_load(work->taken) < THREADS * ITEMS) {
        CHECK(!lj_queue_pop(work->queue, LJ_SPECULATION, 10000000, NULL, &item));
        if (item.kind == LJ_ITEM_NONE)
            continue;
        atomic_fetch_add(work->sum, item.payload);
        atomic_fetch_add(work->taken, 1);
    }
    return NULL;
}

static void test_queue(void) {
    lj_queue *queue;
    CHECK(!lj_queue_new(&queue));
    _Atomic uint64_t sum = 0, taken = 0;
    queue_work works[2 * THREADS];
    for (int i = 0; i < 2 * THREADS; i++)
        works[i] = (queue_work){queue, i < THREADS, (uint64_t)i * ITEMS, &sum, &taken};
    on_threads(2 * THREADS, use_queue, works, sizeof *works);
    uint64_t total = THREADS * ITEMS;
    CHECK(atomic_load(&taken) == total);
    CHECK(atomic_load(&sum) == total * (total - 1) / 2);
    CHECK(lj_queue_close(queue, LJ_SPECULATION) == 0);
    lj_queue_dispose(queue);
}

/* ---- stubs: first calls meet resolvers, three times over ---- */

enum { STUBS = 1000, WAVES = 3 };

static int64_t twice(int64_t value) {
    return 2 * value;
}

typedef struct stub_work {
    lj_queue *queue;
    lj_stubs *pool;
    const uint64_t *stubs;
    bool calls;
    uint64_t seed;
    _Atomic int *callers;
} stub_work;

static void *use_stubs(void *data) {
    stub_work *work = data;
    if (work->calls) {
        for (int i = 0; i < 2 * STUBS; i++) {
            uint64_t at = next_random(&work->seed) % STUBS;
            int64_t (*function)(int64_t) = (int64_t (*)(int64_t))(uintptr_t)work->stubs[at];
            CHECK(function((int64_t)at) == 2 * (int64_t)at);
        }
        atomic_fetch_sub(work->callers, 1);
        return NULL;
    }
    const uint64_t target = (uint64_t)(uintptr_t)twice;
    lj_item item;
    while (atomic_load(work->callers) > 0) {
        CHECK(!lj_queue_pop(work->queue, LJ_SPECULATION, 10000000, NULL, &item));
        if (item.kind == LJ_ITEM_STUB)
            CHECK(!lj_stubs_resolve(work->pool, 1, &work->stubs[item.payload], &target));
    }
    return NULL;
}

static void test_stubs(uint64_t seed) {
    lj_arena *arena;
    lj_queue *queue;
    lj_stubs *pool;
    CHECK(!lj_arena_new(64u << 20, 0, &arena, NULL));
    CHECK(!lj_queue_new(&queue));
    CHECK(!lj_stubs_new(arena, queue, &pool));
    uint64_t payloads[STUBS], stubs[STUBS];
    for (uint64_t i = 0; i < STUBS; i++)
        payloads[i] = i;
    CHECK(!lj_stubs_create(pool, STUBS, payloads, stubs));
    for (int wave = 0; wave < WAVES; wave++) {
        _Atomic int callers = THREADS;
        stub_work works[THREADS + 2];
        for (int i = 0; i < THREADS + 2; i++)
            works[i] =
                (stub_work){queue, pool, stubs, i < THREADS, seed * 17 + (uint64_t)i + 1, &callers};
        on_threads(THREADS + 2, use_stubs, works, sizeof *works);
        CHECK(!lj_stubs_reset(pool, STUBS, stubs));
    }
    lj_stubs_statistics statistics;
    lj_stubs_statistics_get(pool, &statistics);
    CHECK(statistics.live == STUBS && statistics.failures == 0);
    CHECK(statistics.requests <= WAVES * STUBS); /* asked for once, however many call */
    CHECK(!lj_stubs_free(pool, STUBS, stubs));
    lj_stubs_close(pool);
    lj_stubs_empty(pool);
    lj_stubs_dispose(pool);
    lj_queue_dispose(queue);
    lj_arena_dispose(arena);
}

int main(int argc, char **argv) {
    uint64_t rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : 5;
    for (uint64_t seed = 1; seed <= rounds; seed++) {
        test_arena(seed);
        test_queue();
        test_stubs(seed);
    }
    printf("races: %llu rounds of arena, queue and stubs on %d threads\n",
           (unsigned long long)rounds, THREADS);
    return 0;
}
