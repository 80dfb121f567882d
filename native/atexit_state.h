/* The list of exit handlers, and who runs some: between atexit.c and atexit_forget.c. */
#ifndef LAZYJIT_ATEXIT_STATE_H
#define LAZYJIT_ATEXIT_STATE_H

#include "atexit.h"

#include <pthread.h>
#include <string.h>

struct lj_dso {
    lj_dso *next;
    lj_arena *arena;
    lj_span cell, thunks;
    int sealed;
};

enum occasion { AT_EXIT, AT_QUICK_EXIT, AT_THREAD_EXIT };

typedef struct handler {
    struct handler *next;
    void (*function)(void *);
    void *argument;
    const lj_dso *dso;
    const void *thread; /* AT_THREAD_EXIT: whose */
    enum occasion occasion;
} handler;

/* On the stack of the thread that runs handlers of a dylib. */
typedef struct running {
    struct running *next;
    const lj_dso *dso;
    const void *thread;
    handler *found; /* to be freed then, or NULL */
} running;

/* The process's. */
extern struct lj_atexit {
    pthread_mutex_t lock;
    pthread_cond_t ended; /* a run */
    handler *handlers;
    running *runs;
} lj_atexit;

/* Its address tells threads apart. */
extern __thread char lj_atexit_thread;

static inline uint64_t lj_function_address(const void *function_pointer) {
    uint64_t address;
    memcpy(&address, function_pointer, sizeof address);
    return address;
}

#endif
