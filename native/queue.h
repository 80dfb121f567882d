/* The queue on which the thread pool waits: three classes, first come first served in each.
 *
 * It is native because call-throughs post to it from threads that hold no GIL and may know nothing
 * of Python. There is one place to wait, for two kinds of waiters: workers, which take any class,
 * and threads of the pool that wait for something particular (a gate) and meanwhile help with
 * demand. A post wakes one waiter that may take the item, the one that went idle last, whose caches
 * are warmest; so nobody wakes in vain and no wake-up is lost on a waiter of the wrong kind.
 *
 * All functions may be called from any thread.
 */
#ifndef LAZYJIT_QUEUE_H
#define LAZYJIT_QUEUE_H

#include "status.h"

#include <stdbool.h>

/* cffi: begin */
/* Classes, as lazyjit.core.tasks.TaskClass: a smaller one goes first. */
enum { LJ_DEMAND, LJ_PROMOTION, LJ_SPECULATION, LJ_CLASSES };

enum {
    LJ_ITEM_NONE, /* nothing was taken */
    LJ_ITEM_TASK, /* payload: token of a Python callable */
    LJ_ITEM_STUB  /* payload: what the stub was created with */
};

typedef struct lj_item {
    int32_t klass;
    int32_t kind;
    uint64_t payload;
} lj_item;

typedef struct lj_queue lj_queue;

/* Open when positive. */
typedef int32_t lj_gate;

lj_status lj_queue_new(lj_queue **out);
/* Gives up a reference; the last one frees it. lj_queue_new gives the first, and a stub pool holds
 * one: its stubs may be called when Python, and with it the thread pool, is gone. */
void lj_queue_dispose(lj_queue *queue);
/* CLOSED after lj_queue_close; NO_MEMORY. Nothing is posted then. */
lj_status lj_queue_post(lj_queue *queue, int klass, int kind, uint64_t payload);
lj_status lj_queue_post_many(lj_queue *queue, const lj_item *items, uint64_t count);
/* Takes the first item of the most urgent class up to `max_class`; waits for one while there is
 * none, up to `timeout_ns` (negative: without limit). Gives kind NONE when the time is up, or once
 * `*gate` is open (gate may be NULL: a worker's wait). CLOSED when closed and out of items, but a
 * gate is waited for until it opens. */
lj_status lj_queue_pop(lj_queue *queue, int max_class, int64_t timeout_ns, const lj_gate *gate,
                       lj_item *out);
/* Opens the gate and wakes who waits for it. */
void lj_queue_open(lj_queue *queue, lj_gate *gate);
/* Wakes all who wait for a gate, to look at it again: for who opened gates without the queue. */
void lj_queue_wake(lj_queue *queue);
/* Refuses further posts. What is queued can still be taken, classes up to `keep_class`; the rest is
 * dropped, and its number returned. May be called again. */
uint64_t lj_queue_close(lj_queue *queue, int keep_class);
int lj_queue_closed(lj_queue *queue);
void lj_queue_lengths(lj_queue *queue, uint64_t out[3]);

/* Before fork: gives workers no more items, waits (at most `timeout_ns`) until `workers` of them
 * wait for one, and locks the queue. Returns how many were still at work then: the child will have
 * lost what they were doing. After fork, in parent and child: unlocks it and goes on. */
int lj_queue_before_fork(lj_queue *queue, int workers, int64_t timeout_ns);
void lj_queue_after_fork(lj_queue *queue, int in_child);

/* Makes the calling thread known as one of the pool's: when it has to wait in a call-through, it
 * runs queued demand by calling `runner`, the address of a Python object called as
 * runner(kind, payload). The caller keeps the object alive. A `queue` of NULL takes it back. */
void lj_queue_enlist(lj_queue *queue, uint64_t runner);
/* cffi: end */

/* Looks at a word for a short while; whether it became positive. */
bool lj_spin_until_positive(const int32_t *word);

/* Another reference, for lj_queue_dispose to take. */
lj_queue *lj_queue_retain(lj_queue *queue);

/* What the calling thread enlisted for; NULL when it isn't the pool's. */
lj_queue *lj_queue_enlisted(uint64_t *runner);

#endif
