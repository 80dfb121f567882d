/* Handlers that are not to run any more: their dylib goes, or their code, or what they destroy.
 *
 * A handler's function is code or a stub; what it destroys is data, or some thread's variables.
 * Whoever gives any of these back comes here first, since what is there next is somebody else's.
 */
#include "atexit_state.h"

#include <stdlib.h>

struct lj_atexit lj_atexit = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, NULL};
__thread char lj_atexit_thread;

/* What handlers to look at: those of a dylib, or of all dylibs in an arena; of these two, one is
 * NULL. For forgetting, also those that have something in a range. */
typedef struct which {
    const lj_dso *dso;
    const lj_arena *arena;
    uint64_t start, size;
} which;

static int runs_elsewhere_locked(const which *these) {
    const running *run = lj_atexit.runs;
    while (run && ((run->dso != these->dso && run->dso->arena != these->arena) ||
                   run->thread == &lj_atexit_thread))
        run = run->next;
    return run != NULL;
}

static int32_t wait_locked(const which *these, int32_t wait) {
    while (wait && runs_elsewhere_locked(these))
        pthread_cond_wait(&lj_atexit.ended, &lj_atexit.lock);
    return runs_elsewhere_locked(these);
}

static int is_one(const handler *entry, const which *these) {
    return entry->dso == these->dso ||
           lj_function_address(&entry->function) - these->start < these->size ||
           (uint64_t)entry->argument - these->start < these->size;
}

/* Takes them off the list, and returns them for free_all. */
static handler *forget_locked(const which *these) {
    handler *forgotten = NULL;
    for (handler **link = &lj_atexit.handlers; *link;) {
        handler *entry = *link;
        if (is_one(entry, these)) {
            *link = entry->next;
            entry->next = forgotten;
            forgotten = entry;
        } else {
            link = &entry->next;
        }
    }
    return forgotten;
}

static void free_all(handler *forgotten) {
    while (forgotten) {
        handler *next = forgotten->next;
        free(forgotten);
        forgotten = next;
    }
}

void lj_atexit_forget(uint64_t start, uint64_t size) {
    const which these = {.start = start, .size = size};
    pthread_mutex_lock(&lj_atexit.lock);
    handler *forgotten = forget_locked(&these);
    pthread_mutex_unlock(&lj_atexit.lock);
    free_all(forgotten);
}

int32_t lj_atexit_busy(const lj_arena *arena, int32_t wait) {
    const which these = {.arena = arena};
    pthread_mutex_lock(&lj_atexit.lock);
    int32_t busy = wait_locked(&these, wait);
    pthread_mutex_unlock(&lj_atexit.lock);
    return busy;
}

int32_t lj_dso_seal(lj_dso *dso, int32_t wait) {
    const which these = {.dso = dso};
    pthread_mutex_lock(&lj_atexit.lock);
    dso->sealed = 1;
    handler *forgotten = forget_locked(&these);
    int32_t busy = wait_locked(&these, wait);
    pthread_mutex_unlock(&lj_atexit.lock);
    free_all(forgotten);
    return busy;
}
