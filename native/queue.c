/* Three rings of items, and a list of waiters that are woken one by one. See queue.h. */
#include "queue.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A power of two of items; grows by doubling. */
typedef struct ring {
    lj_item *items;
    uint64_t capacity, head, length;
} ring;

/* Lives on the stack of the thread that waits. */
typedef struct waiter {
    struct waiter *previous, *next;
    pthread_cond_t wake;
    const lj_gate *gate; /* NULL: a worker */
    int max_class;
    bool woken;
} waiter;

struct lj_queue {
    int references;
    int posted;   /* items in the rings; read without the lock by who spins */
    int spinning; /* a worker looks at `posted`; under the lock */
    pthread_mutex_t lock;
    ring rings[LJ_CLASSES];
    waiter *idle;     /* the latest first */
    int idle_workers; /* of them, those without a gate */
    bool closed, paused;
    pthread_cond_t all_idle; /* for before_fork */
};

/* --- spinning ----------------------------------------------------------------------------- */

/* Waking a thread on an idle processor takes some 50 us on a virtual machine, ten times what
 * serving a call of a ready function takes. Calls come in bursts; so a worker that has just run out
 * of work looks for more this long before it sleeps. One at a time, and not where there is one
 * processor. */
#define SPIN_NS 30000

static bool may_spin(void) {
    static int processors;
    int count = __atomic_load_n(&processors, __ATOMIC_RELAXED);
    if (!count) {
        count = (int)sysconf(_SC_NPROCESSORS_ONLN);
        __atomic_store_n(&processors, count, __ATOMIC_RELAXED);
    }
    return count > 1;
}

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

bool lj_spin_until_positive(const int32_t *word) {
    if (!may_spin())
        return false;
    for (int64_t end = now_ns() + SPIN_NS; now_ns() < end; sched_yield())
        for (int i = 0; i < 16; i++) {
            if (__atomic_load_n(word, __ATOMIC_ACQUIRE) > 0)
                return true;
            __builtin_ia32_pause();
        }
    return false;
}

/* --- rings -------------------------------------------------------------------------------- */

static bool ring_reserve(ring *ring, uint64_t more) {
    if (ring->length + more <= ring->capacity)
        return true;
    uint64_t capacity = ring->capacity ? ring->capacity : 64;
    while (capacity < ring->length + more)
        capacity *= 2;
    lj_item *items = malloc(capacity * sizeof *items);
    if (!items)
        return false;
    for (uint64_t i = 0; i < ring->length; i++)
        items[i] = ring->items[(ring->head + i) & (ring->capacity - 1)];
    free(ring->items);
    ring->items = items;
    ring->capacity = capacity;
    ring->head = 0;
    return true;
}

static void ring_put(ring *ring, lj_item item) {
    ring->items[(ring->head + ring->length++) & (ring->capacity - 1)] = item;
}

static lj_item ring_get(ring *ring) {
    lj_item item = ring->items[ring->head];
    ring->head = (ring->head + 1) & (ring->capacity - 1);
    ring->length--;
    return item;
}

/* --- waiters ------------------------------------------------------------------------------ */

static void join_idle(lj_queue *queue, waiter *waiter) {
    waiter->previous = NULL;
    waiter->next = queue->idle;
    if (queue->idle)
        queue->idle->previous = waiter;
    queue->idle = waiter;
    if (!waiter->gate && ++queue->idle_workers)
        pthread_cond_signal(&queue->all_idle);
}

static void leave_idle(lj_queue *queue, waiter *waiter) {
    if (waiter->next)
        waiter->next->previous = waiter->previous;
    if (waiter->previous)
        waiter->previous->next = waiter->next;
    else
        queue->idle = waiter->next;
    if (!waiter->gate)
        queue->idle_workers--;
}

/* Wakes the waiter that went idle last among those that may take this class. One that is woken
 * already but does not run yet counts as busy: several posts in a row wake several. */
static void wake_one(lj_queue *queue, int klass) {
    for (waiter *waiter = queue->idle; waiter; waiter = waiter->next)
        if (!waiter->woken && klass <= waiter->max_class && (waiter->gate || !queue->paused)) {
            waiter->woken = true;
            pthread_cond_signal(&waiter->wake);
            return;
        }
}

static void wake_if(lj_queue *queue, bool gates, bool workers) {
    for (waiter *waiter = queue->idle; waiter; waiter = waiter->next)
        if (waiter->gate ? gates : workers) {
            waiter->woken = true;
            pthread_cond_signal(&waiter->wake);
        }
}

static void init_cond(pthread_cond_t *cond) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attributes);
    pthread_condattr_destroy(&attributes);
}

/* The monotonic time that is `timeout_ns` from now. */
static struct timespec deadline_in(int64_t timeout_ns) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t ns = now.tv_nsec + timeout_ns % 1000000000;
    now.tv_sec += timeout_ns / 1000000000 + ns / 1000000000;
    now.tv_nsec = ns % 1000000000;
    return now;
}

/* --- life --------------------------------------------------------------------------------- */

lj_status lj_queue_new(lj_queue **out) {
    lj_queue *queue = calloc(1, sizeof *queue);
    if (!queue)
        return LJ_NO_MEMORY;
    queue->references = 1;
    pthread_mutex_init(&queue->lock, NULL);
    init_cond(&queue->all_idle);
    *out = queue;
    return LJ_OK;
}

void lj_queue_dispose(lj_queue *queue) {
    if (!queue || __atomic_sub_fetch(&queue->references, 1, __ATOMIC_ACQ_REL))
        return;
    for (int i = 0; i < LJ_CLASSES; i++)
        free(queue->rings[i].items);
    pthread_cond_destroy(&queue->all_idle);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}

lj_queue *lj_queue_retain(lj_queue *queue) {
    __atomic_add_fetch(&queue->references, 1, __ATOMIC_RELAXED);
    return queue;
}

/* --- post and pop ------------------------------------------------------------------------- */

lj_status lj_queue_post_many(lj_queue *queue, const lj_item *items, uint64_t count) {
    uint64_t counts[LJ_CLASSES] = {0};
    for (uint64_t i = 0; i < count; i++) {
        if (items[i].klass < 0 || items[i].klass >= LJ_CLASSES || items[i].kind == LJ_ITEM_NONE)
            return LJ_MISUSE;
        counts[items[i].klass]++;
    }
    lj_status status = LJ_OK;
    pthread_mutex_lock(&queue->lock);
    if (queue->closed)
        status = LJ_CLOSED;
    for (int i = 0; i < LJ_CLASSES && !status; i++)
        if (!ring_reserve(&queue->rings[i], counts[i]))
            status = LJ_NO_MEMORY;
    for (uint64_t i = 0; i < count && !status; i++) {
        ring_put(&queue->rings[items[i].klass], items[i]);
        __atomic_add_fetch(&queue->posted, 1, __ATOMIC_RELEASE);
        if (queue->spinning)
            queue->spinning = 0; /* it takes this one; the next one needs somebody else */
        else
            wake_one(queue, items[i].klass);
    }
    pthread_mutex_unlock(&queue->lock);
    return status;
}

lj_status lj_queue_post(lj_queue *queue, int klass, int kind, uint64_t payload) {
    lj_item item = {.klass = klass, .kind = kind, .payload = payload};
    return lj_queue_post_many(queue, &item, 1);
}

static bool is_open(const lj_gate *gate) {
    return gate && __atomic_load_n(gate, __ATOMIC_ACQUIRE) > 0;
}

/* The index of the most urgent class that has an item, or -1. */
static int first_class(const lj_queue *queue, int max_class) {
    for (int i = 0; i <= max_class; i++)
        if (queue->rings[i].length)
            return i;
    return -1;
}

lj_status lj_queue_pop(lj_queue *queue, int max_class, int64_t timeout_ns, const lj_gate *gate,
                       lj_item *out) {
    *out = (lj_item){.kind = LJ_ITEM_NONE};
    if (max_class < 0 || max_class >= LJ_CLASSES)
        return LJ_MISUSE;
    waiter self = {.gate = gate, .max_class = max_class};
    struct timespec deadline;
    bool waited = false, expired = false, spun = false;
    lj_status status = LJ_OK;

    pthread_mutex_lock(&queue->lock);
    for (;;) {
        if (is_open(gate))
            break;
        int klass = gate || !queue->paused ? first_class(queue, max_class) : -1;
        if (klass >= 0) {
            *out = ring_get(&queue->rings[klass]);
            __atomic_sub_fetch(&queue->posted, 1, __ATOMIC_RELAXED);
            break;
        }
        if (queue->closed && !gate && !queue->paused) {
            status = LJ_CLOSED;
            break;
        }
        if (expired || timeout_ns == 0)
            break;
        if (!gate && max_class == LJ_SPECULATION && !waited && !spun && !queue->spinning &&
            !queue->paused) {
            spun = true;
            queue->spinning = 1;
            pthread_mutex_unlock(&queue->lock);
            lj_spin_until_positive(&queue->posted);
            pthread_mutex_lock(&queue->lock);
            queue->spinning = 0;
            continue;
        }
        if (!waited) {
            waited = true;
            init_cond(&self.wake);
            if (timeout_ns > 0)
                deadline = deadline_in(timeout_ns);
        }
        self.woken = false;
        join_idle(queue, &self);
        while (!self.woken && !expired) {
            if (timeout_ns < 0)
                pthread_cond_wait(&self.wake, &queue->lock);
            else
                expired = pthread_cond_timedwait(&self.wake, &queue->lock, &deadline) == ETIMEDOUT;
        }
        leave_idle(queue, &self);
    }
    /* Woken for an item, but leaving for the gate: somebody else must get the wake-up. */
    int left = out->kind == LJ_ITEM_NONE && self.woken ? first_class(queue, max_class) : -1;
    if (left >= 0)
        wake_one(queue, left);
    pthread_mutex_unlock(&queue->lock);
    if (waited)
        pthread_cond_destroy(&self.wake);
    return status;
}

void lj_queue_open(lj_queue *queue, lj_gate *gate) {
    pthread_mutex_lock(&queue->lock);
    __atomic_store_n(gate, 1, __ATOMIC_RELEASE);
    for (waiter *waiter = queue->idle; waiter; waiter = waiter->next)
        if (waiter->gate == gate) {
            waiter->woken = true;
            pthread_cond_signal(&waiter->wake);
        }
    pthread_mutex_unlock(&queue->lock);
}

void lj_queue_wake(lj_queue *queue) {
    pthread_mutex_lock(&queue->lock);
    wake_if(queue, true, false);
    pthread_mutex_unlock(&queue->lock);
}

uint64_t lj_queue_close(lj_queue *queue, int keep_class) {
    uint64_t dropped = 0;
    pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    for (int i = keep_class + 1; i < LJ_CLASSES; i++) {
        dropped += queue->rings[i].length;
        __atomic_sub_fetch(&queue->posted, (int)queue->rings[i].length, __ATOMIC_RELAXED);
        queue->rings[i].length = 0;
    }
    wake_if(queue, false, true);
    pthread_mutex_unlock(&queue->lock);
    return dropped;
}

int lj_queue_closed(lj_queue *queue) {
    pthread_mutex_lock(&queue->lock);
    int closed = queue->closed;
    pthread_mutex_unlock(&queue->lock);
    return closed;
}

void lj_queue_lengths(lj_queue *queue, uint64_t out[3]) {
    pthread_mutex_lock(&queue->lock);
    for (int i = 0; i < LJ_CLASSES; i++)
        out[i] = queue->rings[i].length;
    pthread_mutex_unlock(&queue->lock);
}

/* --- fork --------------------------------------------------------------------------------- */

int lj_queue_before_fork(lj_queue *queue, int workers, int64_t timeout_ns) {
    struct timespec deadline = deadline_in(timeout_ns);
    pthread_mutex_lock(&queue->lock);
    queue->paused = true;
    while (!queue->closed && queue->idle_workers < workers &&
           pthread_cond_timedwait(&queue->all_idle, &queue->lock, &deadline) != ETIMEDOUT)
        ;
    return workers - queue->idle_workers;
}

void lj_queue_after_fork(lj_queue *queue, int in_child) {
    if (in_child) {
        /* The waiters were on stacks of threads that don't exist here. */
        queue->idle = NULL;
        queue->idle_workers = 0;
        queue->spinning = 0;
        init_cond(&queue->all_idle);
    }
    queue->paused = false;
    wake_if(queue, false, true);
    pthread_mutex_unlock(&queue->lock);
}

/* --- the pool's own threads --------------------------------------------------------------- */

static __thread lj_queue *enlisted_queue;
static __thread uint64_t enlisted_runner;

void lj_queue_enlist(lj_queue *queue, uint64_t runner) {
    enlisted_queue = queue;
    enlisted_runner = runner;
}

lj_queue *lj_queue_enlisted(uint64_t *runner) {
    *runner = enlisted_runner;
    return enlisted_queue;
}
