/* The end of the process, as LLVM must not see it.
 *
 * `exit` takes LLVM apart: static destructors run while other threads may be compiling, ahead of
 * need or for a call that nobody will make any more, and such a thread then crashes the process
 * on its way out ("pure virtual method called"). So whoever ends the process first has LLVM come to
 * rest: runs that are under way are waited for. A thread that would begin one later sleeps, and as
 * a rule never wakes; should the process be in no hurry to end, since a handler waits for that very
 * run, it gives up in the end, and the handler goes on with an error.
 *
 * JIT'd code's `exit` and lazyjit's own commands call `lj_llvm_rest` themselves. Host code may call
 * the C library's `exit`, so it is a handler of that, too. Handlers run last in, first out, and
 * LLVM registers destructors as it goes on, so ours is registered again now and then: after the
 * first run, the second, the fourth, ...
 */
#include "llvm_private.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

/* How long either waits, in milliseconds: a large unit's compilation. */
enum { PATIENCE = 10000 };

static atomic_int under_way;
static atomic_bool ending;
static atomic_uint_fast64_t completed;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* A child of fork has one thread, and no run but that thread's. */
static void in_child(void) {
    atomic_store(&under_way, 0);
}

static void prepare(void) {
    pthread_atfork(NULL, NULL, in_child);
}

static void sleep_a_moment(void) {
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

void lj_llvm_rest(void) {
    atomic_store(&ending, true);
    for (int waited = 0; waited < PATIENCE && atomic_load(&under_way) > 0; waited++)
        sleep_a_moment();
}

bool lj_llvm_run_begins(void) {
    pthread_once(&once, prepare);
    atomic_fetch_add(&under_way, 1);
    if (!atomic_load(&ending))
        return true;
    atomic_fetch_sub(&under_way, 1);
    for (int waited = 0; waited < PATIENCE; waited++)
        sleep_a_moment();
    return false;
}

void lj_llvm_run_ends(void) {
    atomic_fetch_sub(&under_way, 1);
    uint64_t count = atomic_fetch_add(&completed, 1) + 1;
    if (!(count & (count - 1)))
        atexit(lj_llvm_rest); /* when there is no memory for it, the one before must do */
}
