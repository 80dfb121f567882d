/* One list of handlers for the process, newest first.
 *
 * A dylib's memory goes when its handlers are no more, neither in the list nor on some thread: one
 * that ends, say, and runs the destructors of its thread_local variables. So what runs is noted for
 * as long as it does, and sealing a dylib waits for other threads' to end. A handler that doesn't
 * return, because something below it failed, is unwound like a C++ frame (-fexceptions).
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "atexit_state.h"

#include "guard.h"
#include "llvm.h"
#include "tls.h"

#include <stdatomic.h>

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static lj_dso *dsos;
static pthread_key_t thread_end = PTHREAD_KEYS_MAX; /* until it is made: no thread has a value */
static pthread_once_t prepared = PTHREAD_ONCE_INIT;

extern int __cxa_atexit(void (*)(void *), void *, void *);
extern void __cxa_finalize(void *);

static void before_fork(void) {
    pthread_mutex_lock(&lj_atexit.lock);
}
static void after_fork(void) {
    pthread_mutex_unlock(&lj_atexit.lock);
}
/* What other threads ran in the parent, nobody runs in the child, nor waits for. */
static void after_fork_in_child(void) {
    for (running **link = &lj_atexit.runs; *link;)
        if ((*link)->thread != &lj_atexit_thread)
            *link = (*link)->next;
        else
            link = &(*link)->next;
    lj_atexit.ended = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    pthread_mutex_unlock(&lj_atexit.lock);
}

static void begin_locked(running *run, const lj_dso *dso, handler *found) {
    *run = (running){lj_atexit.runs, dso, &lj_atexit_thread, found};
    lj_atexit.runs = run;
}

static void end(running *run) {
    pthread_mutex_lock(&lj_atexit.lock);
    running **link = &lj_atexit.runs;
    while (*link != run)
        link = &(*link)->next;
    *link = run->next;
    pthread_cond_broadcast(&lj_atexit.ended);
    pthread_mutex_unlock(&lj_atexit.lock);
    free(run->found);
}

/* Takes the newest handler of an occasion off the list and runs it. `dso` NULL: of any dylib. */
static int run_one(enum occasion occasion, const lj_dso *dso) {
    pthread_mutex_lock(&lj_atexit.lock);
    handler **link = &lj_atexit.handlers, *found;
    while ((found = *link) && (found->occasion != occasion || (dso && found->dso != dso) ||
                               (occasion == AT_THREAD_EXIT && found->thread != &lj_atexit_thread)))
        link = &found->next;
    if (!found) {
        pthread_mutex_unlock(&lj_atexit.lock);
        return 0;
    }
    *link = found->next;
    running run __attribute__((cleanup(end)));
    begin_locked(&run, found->dso, found);
    pthread_mutex_unlock(&lj_atexit.lock);
    found->function(found->argument);
    return 1;
}

static void run_all(enum occasion occasion, const lj_dso *dso) {
    while (run_one(occasion, dso))
        ;
}

static void run_of_thread(void) {
    run_all(AT_THREAD_EXIT, NULL);
}

/* A guarded way to the above: its code may be removed just now, and the thread's end is no reason
 * to end the process. Without memory for one, the way is straight. */
static void (*run_of_thread_guarded)(void) = run_of_thread;
static _Atomic uint64_t failure_hook;

void lj_exit_failure_hook_set(uint64_t function) {
    atomic_store(&failure_hook, function);
}

static void end_thread(void *value) {
    uint64_t token;
    do {
        run_of_thread_guarded();
        token = lj_guard_take();
        uint64_t address = atomic_load(&failure_hook);
        void (*hook)(uint64_t);
        memcpy(&hook, &address, sizeof hook);
        if (token && hook)
            hook(token);
    } while (token); /* what failed is done with: on to the others */
}

static void prepare(void) {
    uint64_t thunk;
    if (!lj_guard_new(lj_function_address(&run_of_thread_guarded), 0, &thunk))
        memcpy(&run_of_thread_guarded, &thunk, sizeof run_of_thread_guarded);
    pthread_key_create(&thread_end, end_thread);
    pthread_atfork(before_fork, after_fork, after_fork_in_child);
}

static lj_dso *find_locked(const void *handle) {
    lj_dso *dso = dsos;
    while (dso && (const void *)(uintptr_t)dso->cell.target != handle)
        dso = dso->next;
    return dso;
}

/* Returns 0, as the C functions do; 1: no memory; -1: the handle isn't a JIT'd dylib's. What is
 * registered with a sealed dylib is forgotten, as what it had was. */
static int add(enum occasion occasion, void (*function)(void *), void *argument,
               const void *handle) {
    handler *entry = malloc(sizeof *entry);
    if (!entry)
        return 1;
    pthread_mutex_lock(&lj_atexit.lock);
    lj_dso *dso = find_locked(handle);
    int status = dso ? 0 : -1, kept = dso && !dso->sealed;
    if (kept && occasion == AT_THREAD_EXIT && pthread_setspecific(thread_end, &lj_atexit_thread)) {
        status = 1; /* the thread's end would go unseen */
        kept = 0;
    }
    if (kept) {
        *entry =
            (handler){lj_atexit.handlers, function, argument, dso, &lj_atexit_thread, occasion};
        lj_atexit.handlers = entry;
    }
    pthread_mutex_unlock(&lj_atexit.lock);
    if (!kept)
        free(entry);
    return status;
}

/* A handler without argument takes one and ignores it: harmless in this calling convention. */
static void call_plain(void *function) {
    void (*plain)(void);
    memcpy(&plain, &function, sizeof plain);
    plain();
}

static int jit_atexit(void *function, void *handle) {
    return add(AT_EXIT, call_plain, function, handle);
}

static int jit_at_quick_exit(void *function, void *handle) {
    return add(AT_QUICK_EXIT, call_plain, function, handle);
}

static int jit_cxa_atexit(void (*function)(void *), void *argument, void *handle) {
    int status = add(AT_EXIT, function, argument, handle);
    return status < 0 ? __cxa_atexit(function, argument, handle) : status;
}

static int jit_cxa_thread_atexit(void (*function)(void *), void *argument, void *handle) {
    int status = add(AT_THREAD_EXIT, function, argument, handle);
    if (status >= 0)
        return status;
    int (*host)(void (*)(void *), void *, void *) = NULL;
    void *found = dlsym(RTLD_DEFAULT, "__cxa_thread_atexit_impl");
    memcpy(&host, &found, sizeof host);
    return host ? host(function, argument, handle) : -1;
}

static void jit_cxa_finalize(void *handle) {
    pthread_mutex_lock(&lj_atexit.lock);
    lj_dso *dso = find_locked(handle);
    pthread_mutex_unlock(&lj_atexit.lock);
    if (dso)
        lj_atexit_run(dso);
    else if (handle)
        __cxa_finalize(handle);
}

static _Atomic uint64_t exit_hook;

void lj_exit_hook_set(uint64_t function) {
    atomic_store(&exit_hook, function);
}

static void jit_exit(int status) {
    /* Before the process's exit, whose handlers take LLVM apart: finalizers may need compiling. */
    uint64_t address = atomic_load(&exit_hook);
    void (*hook)(void);
    memcpy(&hook, &address, sizeof hook);
    if (hook)
        hook();
    run_all(AT_THREAD_EXIT, NULL);
    run_all(AT_EXIT, NULL);
    lj_llvm_rest();
    exit(status);
}

static void jit_quick_exit(int status) {
    run_all(AT_QUICK_EXIT, NULL);
    quick_exit(status);
}

enum { THUNK_SIZE = 24, THUNKS = 3 };

/* Writes a thunk that adds the dylib's handle in one register and goes on to `function`:
 *   48 be imm64   movabs $handle, %rsi    (48 b9: %rcx)
 *   48 b8 imm64   movabs $function, %rax
 *   ff e0         jmp *%rax */
static void write_thunk(uint8_t *at, uint8_t movabs, uint64_t handle, uint64_t function) {
    const uint8_t load[] = {0x48, movabs}, load_rax[] = {0x48, 0xb8}, jump[] = {0xff, 0xe0};
    memcpy(at, load, 2);
    memcpy(at + 2, &handle, 8);
    memcpy(at + 10, load_rax, 2);
    memcpy(at + 12, &function, 8);
    memcpy(at + 20, jump, 2);
}

lj_status lj_dso_new(lj_arena *arena, lj_dso **out) {
    pthread_once(&prepared, prepare);
    lj_dso *dso = *out = calloc(1, sizeof *dso);
    if (!dso)
        return LJ_NO_MEMORY;
    dso->arena = arena;
    lj_status status = lj_arena_alloc(arena, LJ_DATA, 8, 8, &dso->cell);
    if (!status)
        status = lj_arena_alloc(arena, LJ_TEXT, THUNKS * THUNK_SIZE, 16, &dso->thunks);
    if (status) {
        if (dso->cell.size)
            lj_arena_free(arena, LJ_DATA, dso->cell.target);
        free(dso);
        *out = NULL;
        return status;
    }
    uint64_t handle = dso->cell.target;
    memcpy(dso->cell.working, &handle, sizeof handle); /* as crtbegin's: it points to itself */
    int (*const at_exit)(void *, void *) = jit_atexit;
    int (*const at_quick)(void *, void *) = jit_at_quick_exit;
    void *at_fork = dlsym(RTLD_DEFAULT, "__register_atfork");
    write_thunk(dso->thunks.working, 0xbe, handle, lj_function_address(&at_exit));
    write_thunk(dso->thunks.working + THUNK_SIZE, 0xbe, handle, lj_function_address(&at_quick));
    write_thunk(dso->thunks.working + 2 * THUNK_SIZE, 0xb9, handle, lj_function_address(&at_fork));
    pthread_mutex_lock(&lj_atexit.lock);
    dso->next = dsos;
    dsos = dso;
    pthread_mutex_unlock(&lj_atexit.lock);
    return LJ_OK;
}

void lj_dso_symbols_get(const lj_dso *dso, lj_dso_symbols *out) {
    int (*const cxa_atexit)(void (*)(void *), void *, void *) = jit_cxa_atexit;
    int (*const thread_atexit)(void (*)(void *), void *, void *) = jit_cxa_thread_atexit;
    void (*const finalize)(void *) = jit_cxa_finalize;
    void (*const at_exit)(int) = jit_exit;
    void (*const at_quick)(int) = jit_quick_exit;
    void *(*const get_addr)(const lj_tls_index *) = lj_tls_get_addr;
    *out = (lj_dso_symbols){
        .dso_handle = dso->cell.target,
        .atexit = dso->thunks.target,
        .at_quick_exit = dso->thunks.target + THUNK_SIZE,
        .pthread_atfork = dso->thunks.target + 2 * THUNK_SIZE,
        .cxa_atexit = lj_function_address(&cxa_atexit),
        .cxa_thread_atexit = lj_function_address(&thread_atexit),
        .cxa_finalize = lj_function_address(&finalize),
        .exit = lj_function_address(&at_exit),
        .quick_exit = lj_function_address(&at_quick),
        .tls_get_addr = lj_function_address(&get_addr),
    };
}

void lj_atexit_run(lj_dso *dso) {
    pthread_mutex_lock(&lj_atexit.lock);
    running run __attribute__((cleanup(end)));
    begin_locked(&run, dso, NULL);
    pthread_mutex_unlock(&lj_atexit.lock);
    do
        run_all(AT_THREAD_EXIT, dso);
    while (run_one(AT_EXIT, dso));
}

void lj_dso_dispose(lj_dso *dso) {
    lj_dso_seal(dso, 1);
    pthread_mutex_lock(&lj_atexit.lock);
    lj_dso **link = &dsos;
    while (*link && *link != dso)
        link = &(*link)->next;
    if (*link)
        *link = dso->next;
    pthread_mutex_unlock(&lj_atexit.lock);
    /* The C library's list has nothing of this handle but its pthread_atfork handlers. */
    __cxa_finalize((void *)(uintptr_t)dso->cell.target);
    lj_arena_free(dso->arena, LJ_DATA, dso->cell.target);
    lj_arena_free(dso->arena, LJ_TEXT, dso->thunks.target);
    free(dso);
}
