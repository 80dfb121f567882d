/* The gate of ufunc loops. See ufunc.h. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "guard.h"
#include "ufunc.h"

#include <fenv.h>
#include <stdbool.h>
#include <string.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

typedef void loop_function(char **, const intptr_t *, const intptr_t *, void *);

enum { MOST = 32, BLOCK = 4096, SCRATCH = 16384 };

/* --- flags -------------------------------------------------------------------------------------
 *
 * Generated code computes in vector registers, whose flags are in MXCSR; fenv.h would look after
 * the x87's as well, which takes longer than a thousand additions. */
#ifdef __SSE2__
enum { SEEN = 0x1D }; /* invalid, division by zero, overflow, underflow */
static unsigned flags_get(void) {
    return _mm_getcsr() & SEEN;
}
static void flags_set(unsigned flags) {
    _mm_setcsr((_mm_getcsr() & ~(unsigned)SEEN) | flags);
}
#else
enum { SEEN = FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW | FE_UNDERFLOW };
static unsigned flags_get(void) {
    return (unsigned)fetestexcept(SEEN);
}
static void flags_set(unsigned flags) {
    feclearexcept(SEEN);
    feraiseexcept((int)flags);
}
#endif

/* --- Python, from a thread that may lack the GIL ------------------------------------------------
 */

/* Calls a method of `behind`; what it raises is the call's exception. 0, or -1 if there is one. */
static int call_behind(lj_ufunc_loop *loop, const char *method, uint64_t argument) {
    fexcept_t flags; /* Python's own arithmetic is no business of NumPy's */
    fegetexceptflag(&flags, FE_ALL_EXCEPT);
    PyGILState_STATE state = PyGILState_Ensure();
    int status = -1;
    if (!PyErr_Occurred()) { /* NumPy may go on calling after a failure */
        PyObject *done = PyObject_CallMethod((PyObject *)loop->behind, method, "IK", loop->number,
                                             (unsigned long long)argument);
        status = done ? 0 : -1;
        Py_XDECREF(done);
    }
    PyGILState_Release(state);
    fesetexceptflag(&flags, FE_ALL_EXCEPT);
    return status;
}

static void tell_drained(lj_ufunc_loop *loop) {
    PyGILState_STATE state = PyGILState_Ensure();
    PyObject *type, *value, *traceback; /* the call may have raised */
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *behind = (PyObject *)loop->behind;
    PyObject *done = PyObject_CallMethod(behind, "drained", "I", loop->number);
    if (!done)
        PyErr_WriteUnraisable(behind);
    Py_XDECREF(done);
    PyErr_Restore(type, value, traceback);
    PyGILState_Release(state);
}

/* --- counting -----------------------------------------------------------------------------------
 */

static void leave(lj_ufunc_loop *loop) {
    if (__atomic_sub_fetch(&loop->busy, 1, __ATOMIC_SEQ_CST))
        return;
    if (__atomic_load_n(&loop->draining, __ATOMIC_SEQ_CST) &&
        __atomic_exchange_n(&loop->draining, 0, __ATOMIC_SEQ_CST))
        tell_drained(loop);
}

/* The fast loop, which stays until `leave`; NULL with an exception when it can't be had. */
static loop_function *enter(lj_ufunc_loop *loop) {
    for (;;) {
        __atomic_add_fetch(&loop->busy, 1, __ATOMIC_SEQ_CST);
        const uint64_t fast = __atomic_load_n(&loop->fast, __ATOMIC_SEQ_CST);
        if (__builtin_expect(fast != 0, 1))
            return (loop_function *)fast;
        leave(loop);
        if (call_behind(loop, "prepare", 0))
            return NULL;
    }
}

void lj_ufunc_open(lj_ufunc_loop *loop, uint64_t fast, uint64_t exact) {
    __atomic_store_n(&loop->exact, exact, __ATOMIC_SEQ_CST);
    __atomic_store_n(&loop->fast, fast, __ATOMIC_SEQ_CST);
}

int32_t lj_ufunc_close(lj_ufunc_loop *loop) {
    /* `exact` stays: a call that has seen `fast` may yet read it. */
    __atomic_store_n(&loop->fast, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&loop->draining, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&loop->busy, __ATOMIC_SEQ_CST))
        return 1;
    return !__atomic_exchange_n(&loop->draining, 0, __ATOMIC_SEQ_CST);
}

/* --- running ------------------------------------------------------------------------------------
 */

/* Whether something below could not be compiled; then there is an exception. */
static bool failed(lj_ufunc_loop *loop) {
    if (__builtin_expect(!*lj_guard_pending(), 1))
        return false;
    uint64_t token = lj_guard_take();
    if (!token)
        return false;
    call_behind(loop, "failed", token);
    return true;
}

typedef struct range {
    const char *low, *high;
} range;

static range range_of(const char *at, intptr_t step, intptr_t count, uint32_t size) {
    const char *last = at + step * (count - 1);
    return step < 0 ? (range){last, at + size} : (range){at, last + size};
}

/* Whether an output lies over an input, so that running twice would not see the same inputs. */
static bool overlap(const lj_ufunc_loop *loop, char **args, intptr_t count, const intptr_t *steps) {
    const uint32_t operands = loop->inputs + loop->outputs;
    for (uint32_t out = loop->inputs; out < operands; out++) {
        range written = range_of(args[out], steps[out], count, loop->sizes[out]);
        for (uint32_t in = 0; in < loop->inputs; in++) {
            range read = range_of(args[in], steps[in], count, loop->sizes[in]);
            if (written.low < read.high && read.low < written.high)
                return true;
        }
    }
    return false;
}

/* Copies the outputs of a block to `scratch`, or back. */
static void copy_outputs(const lj_ufunc_loop *loop, char **args, intptr_t count,
                         const intptr_t *steps, char *scratch, bool back) {
    for (uint32_t out = loop->inputs; out < loop->inputs + loop->outputs; out++) {
        const uint32_t size = loop->sizes[out];
        const intptr_t times = steps[out] ? count : 1;
        for (intptr_t i = 0; i < times; i++, scratch += size) {
            char *at = args[out] + i * steps[out];
            if (back)
                memcpy(at, scratch, size);
            else
                memcpy(scratch, at, size);
        }
    }
}

static void run_in_blocks(lj_ufunc_loop *loop, loop_function *fast, loop_function *exact,
                          char **args, intptr_t count, const intptr_t *steps) {
    _Alignas(16) char scratch[SCRATCH];
    char *at[MOST];
    const uint32_t operands = loop->inputs + loop->outputs;
    const bool saved = count > 0 && overlap(loop, args, count, steps);
    intptr_t most = BLOCK;
    if (saved) {
        uint32_t bytes = 0;
        for (uint32_t out = loop->inputs; out < operands; out++)
            bytes += loop->sizes[out];
        most = SCRATCH / bytes;
    }
    for (intptr_t done = 0; done < count;) {
        const intptr_t now = count - done < most ? count - done : most;
        for (uint32_t i = 0; i < operands; i++)
            at[i] = args[i] + done * steps[i];
        if (saved)
            copy_outputs(loop, at, now, steps, scratch, false);
        const unsigned before = flags_get();
        flags_set(0);
        fast(at, &now, steps, NULL);
        const bool suspect = flags_get() & ~before;
        flags_set(before);
        if (failed(loop))
            return;
        if (suspect) {
            if (saved)
                copy_outputs(loop, at, now, steps, scratch, true);
            for (uint32_t i = 0; i < operands; i++)
                at[i] = args[i] + done * steps[i];
            exact(at, &now, steps, NULL);
            if (failed(loop))
                return;
        }
        done += now;
    }
}

static void lj_ufunc_run(char **args, const intptr_t *dimensions, const intptr_t *steps,
                         void *data) {
    lj_ufunc_loop *loop = data;
    loop_function *fast = enter(loop);
    if (!fast)
        return;
    /* From here on the code stays: a removal waits for the count. */
    const uint64_t exact = __atomic_load_n(&loop->exact, __ATOMIC_SEQ_CST);
    if (exact) {
        run_in_blocks(loop, fast, (loop_function *)exact, args, dimensions[0], steps);
    } else {
        fast(args, dimensions, steps, NULL);
        failed(loop);
    }
    leave(loop);
}

uint64_t lj_ufunc_entry(void) {
    return (uint64_t)lj_ufunc_run;
}
