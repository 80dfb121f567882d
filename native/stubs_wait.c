/* The call-through's inside: ask once, let go of the GIL, sleep, and see what came of it.
 *
 * This runs on the caller's stack, which may have 64 KiB in all, on a thread that Python may never
 * have seen. So it runs no Python: pool threads do the work. The one exception is a caller that is
 * a pool thread itself: while it waits it serves the queue, for it may be the only one who could.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "guard.h"
#include "signals.h"
#include "stubs_chunk.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* --- the GIL ------------------------------------------------------------------------------ */

/* Whether this thread holds the GIL. PyGILState_Check would do, but answers yes to every thread
 * once there were subinterpreters, and after finalization. */
static bool holds_gil(void) {
#if PY_VERSION_HEX >= 0x030D0000
    return PyThreadState_GetUnchecked() != NULL;
#elif PY_VERSION_HEX >= 0x030C0000
    return _PyThreadState_UncheckedGet() != NULL;
#else
    /* Up to 3.11 this is whoever holds the GIL. */
    PyThreadState *holder = _PyThreadState_UncheckedGet();
    return holder && holder == PyGILState_GetThisThreadState();
#endif
}

/* Runs one item of the queue in Python, on a pool thread. */
static void run_item(uint64_t runner, const lj_item *item) {
    PyGILState_STATE state = PyGILState_Ensure();
    PyObject *result = PyObject_CallFunction((PyObject *)runner, "iK", (int)item->kind,
                                             (unsigned long long)item->payload);
    if (result)
        Py_DECREF(result);
    else
        PyErr_WriteUnraisable((PyObject *)runner);
    PyGILState_Release(state);
}

/* --- asking and waiting ------------------------------------------------------------------- */

static void post(lj_chunk *chunk, uint64_t index) {
    lj_stubs *pool = chunk->pool;
    lj_status status = LJ_CLOSED;
    if (!__atomic_load_n(&pool->closed, __ATOMIC_SEQ_CST))
        status = lj_queue_post(pool->queue, LJ_DEMAND, LJ_ITEM_STUB, chunk->payloads[index]);
    if (status)
        lj_stubs_fail_unresolved(chunk, index,
                                 status == LJ_CLOSED ? lj_failure_closed : lj_failure_no_memory);
    else
        __atomic_add_fetch(&pool->requests, 1, __ATOMIC_RELAXED);
}

/* Posts the stub's request, unless somebody did. No handler runs between the mark and the post, nor
 * with the queue's lock held: it might wait for this very request, or need the lock. */
static void ask(lj_chunk *chunk, uint64_t index) {
    if (__atomic_load_n(&chunk->asked[index], __ATOMIC_ACQUIRE))
        return;
    lj_signals before;
    lj_signals_hold(&before);
    if (!__atomic_exchange_n(&chunk->asked[index], 1, __ATOMIC_SEQ_CST))
        post(chunk, index);
    lj_signals_release(&before);
}

/* Marks the gate as slept on, and sees to it that somebody asked since the gate was closed last. */
static bool prepare_to_sleep(lj_chunk *chunk, uint64_t index) {
    lj_gate seen = LJ_STUB_IDLE;
    if (!__atomic_compare_exchange_n(&chunk->gates[index], &seen, LJ_STUB_SLEPT_ON, false,
                                     __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) &&
        seen != LJ_STUB_SLEPT_ON)
        return false;
    ask(chunk, index);
    return true;
}

static void help_until_open(lj_chunk *chunk, uint64_t index, uint64_t runner) {
    lj_stubs *pool = chunk->pool;
    __atomic_add_fetch(&pool->helpers, 1, __ATOMIC_SEQ_CST);
    while (prepare_to_sleep(chunk, index)) {
        lj_item item;
        lj_queue_pop(pool->queue, LJ_DEMAND, -1, &chunk->gates[index], &item);
        if (item.kind != LJ_ITEM_NONE)
            run_item(runner, &item);
    }
    __atomic_sub_fetch(&pool->helpers, 1, __ATOMIC_SEQ_CST);
}

static void wait_until_open(lj_chunk *chunk, uint64_t index) {
    lj_gate *gate = &chunk->gates[index];
    ask(chunk, index);
    if (__atomic_load_n(gate, __ATOMIC_SEQ_CST) > LJ_STUB_IDLE)
        return;
    PyThreadState *thread = holds_gil() ? PyEval_SaveThread() : NULL;
    uint64_t runner;
    if (lj_queue_enlisted(&runner) == chunk->pool->queue)
        help_until_open(chunk, index, runner);
    else if (!lj_spin_until_positive(gate))
        while (prepare_to_sleep(chunk, index))
            syscall(SYS_futex, gate, FUTEX_WAIT_PRIVATE, LJ_STUB_SLEPT_ON, NULL, NULL, 0);
    if (thread)
        PyEval_RestoreThread(thread);
}

/* --- failing ------------------------------------------------------------------------------ */

/* Surfaces the failure where a guard is; otherwise gives the address to go to. */
static uint64_t fail_call(lj_stubs *pool, const lj_failure *failure) {
    __atomic_add_fetch(&pool->failed_calls, 1, __ATOMIC_RELAXED);
    const char *obstacle = lj_guard_raise(failure->token);
    uint64_t address = __atomic_load_n(&pool->failure_address, __ATOMIC_ACQUIRE);
    if (address)
        return address;
    /* One of two places where native code ends the process (the other is in tls.c): there is
     * nobody to return to. */
    fprintf(stderr,
            "lazyjit: a function was called that can't be had: %s\n"
            "lazyjit: the failure can't be raised in Python (%s), and no lazy_compile_failure "
            "address is set\n",
            failure->message, obstacle);
    fflush(stderr);
    abort();
}

/* The address to jump to. Called by lj_call_through, with the registers saved. */
__attribute__((used, visibility("hidden"))) uint64_t lj_call_through_wait(lj_chunk *chunk,
                                                                          uint64_t index) {
    int kept_errno = errno;
    uint64_t target;
    for (;;) {
        lj_gate state = __atomic_load_n(&chunk->gates[index], __ATOMIC_ACQUIRE);
        if (state <= LJ_STUB_IDLE) {
            wait_until_open(chunk, index);
        } else if (state == LJ_STUB_FAILED) {
            target =
                fail_call(chunk->pool, __atomic_load_n(&chunk->failures[index], __ATOMIC_ACQUIRE));
            break;
        } else {
            target = __atomic_load_n(&chunk->slots[index], __ATOMIC_ACQUIRE);
            if (target != lj_stub_unresolved(chunk, index))
                break;
            sched_yield(); /* a change of state is under way */
        }
    }
    errno = kept_errno;
    return target;
}
