/* What runs at the end: atexit, __cxa_atexit, thread_local destructors, by dylib.
 *
 * The C library's own list would run handlers of JIT'd code when the process ends, long after the
 * code is gone. So JIT'd code gets these functions from here. Each dylib has a `__dso_handle`, a
 * cell of memory whose address says who registers; `atexit` takes no such argument, so every dylib
 * has a thunk of its own that adds it, as crt files do in a static link. Handlers run last in,
 * first out, those included that handlers register.
 *
 * Code may go before its dylib does. Who frees it, or its data, has its handlers forgotten
 * (lj_atexit_forget) and waits for those that run (lj_atexit_busy).
 *
 * All functions may be called from any thread; no lock is held while a handler runs.
 */
#ifndef LAZYJIT_ATEXIT_H
#define LAZYJIT_ATEXIT_H

#include "arena.h"
#include "status.h"

/* cffi: begin */
typedef struct lj_dso lj_dso;

/* The runtime functions that a dylib's code finds by name. */
typedef struct lj_dso_symbols {
    uint64_t dso_handle; /* __dso_handle */
    uint64_t atexit;     /* int atexit(void (*)(void)) */
    uint64_t at_quick_exit;
    uint64_t pthread_atfork;
    uint64_t cxa_atexit;        /* int __cxa_atexit(void (*)(void *), void *, void *) */
    uint64_t cxa_thread_atexit; /* the same, for the calling thread's end */
    uint64_t cxa_finalize;      /* void __cxa_finalize(void *): lj_atexit_run by handle */
    uint64_t exit;              /* runs the handlers of all dylibs, then the process's exit */
    uint64_t quick_exit;
    uint64_t tls_get_addr; /* __tls_get_addr */
} lj_dso_symbols;

/* NO_MEMORY, ARENA_FULL. */
lj_status lj_dso_new(lj_arena *arena, lj_dso **out);
void lj_dso_symbols_get(const lj_dso *dso, lj_dso_symbols *out);
/* Runs the dylib's handlers: the calling thread's thread_local destructors, then the others.
 * Other threads' thread_local destructors stay with their threads. */
void lj_atexit_run(lj_dso *dso);
/* Called first when JIT'd code calls exit(), with no lock held; NULL: nothing. Process-wide. */
void lj_exit_hook_set(uint64_t function);
/* Told, on an ending thread, the token of what a thread_local's destructor failed with; NULL:
 * nobody is. Process-wide. */
void lj_exit_failure_hook_set(uint64_t function);
/* Forgets handlers that have their function or their argument in [start, start + size): it is
 * going. What runs already, runs on. */
void lj_atexit_forget(uint64_t start, uint64_t size);
/* Whether another thread runs a handler of a dylib whose cell is in `arena`; with `wait`, returns
 * when none does. Nothing of the arena is looked at. */
int32_t lj_atexit_busy(const lj_arena *arena, int32_t wait);
/* Forgets what has not run, in every thread, and what will be registered. Returns whether another
 * thread runs any of it yet; with `wait`, only when none does. */
int32_t lj_dso_seal(lj_dso *dso, int32_t wait);
/* Seals, and frees the dylib's cell and thunks. */
void lj_dso_dispose(lj_dso *dso);
/* cffi: end */

#endif
