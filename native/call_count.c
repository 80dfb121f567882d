/* Calls under way, counted in epochs.
 *
 * A call adds one to the current epoch's cell and takes it away when it leaves: two additions, and
 * a look whether the epoch is still the current one. When code is to be freed, `lj_calls_turn`
 * makes another cell the current one; the last call to leave the old cell reports it. Calls that
 * begin after the turn are not waited for: the way to what was removed is closed by then.
 */
#include "call_object.h"

#include <stdlib.h>

lj_status lj_calls_new(lj_calls **out) {
    lj_calls *calls = calloc(1, sizeof *calls);
    lj_calls_cell *cell = calloc(1, sizeof *cell);
    if (!calls || !cell) {
        free(calls);
        free(cell);
        return LJ_NO_MEMORY;
    }
    calls->references = 1;
    calls->current = calls->all = cell;
    *out = calls;
    return LJ_OK;
}

void lj_calls_hold(lj_calls *calls) {
    __atomic_add_fetch(&calls->references, 1, __ATOMIC_RELAXED);
}

void lj_calls_release(lj_calls *calls) {
    if (__atomic_sub_fetch(&calls->references, 1, __ATOMIC_ACQ_REL))
        return;
    while (calls->all) {
        lj_calls_cell *next = calls->all->all;
        free(calls->all);
        calls->all = next;
    }
    free(calls);
}

static PyObject *on_drained;

void lj_calls_on_drained(PyObject *function) {
    on_drained = function;
}

int64_t lj_calls_busy(lj_calls *calls) {
    return LJ_LOAD(&calls->current->busy);
}

#ifdef Py_GIL_DISABLED
static PyMutex cells_lock;
#define LOCK() PyMutex_Lock(&cells_lock)
#define UNLOCK() PyMutex_Unlock(&cells_lock)
#else
#define LOCK()
#define UNLOCK()
#endif

int lj_calls_turn(lj_calls *calls, int64_t epoch) {
    lj_calls_cell *old = LJ_LOAD(&calls->current);
    if (!LJ_LOAD(&old->busy))
        return 0;
    LOCK();
    lj_calls_cell *fresh = calls->unused;
    if (fresh) {
        calls->unused = fresh->next;
    } else {
        fresh = calloc(1, sizeof *fresh);
        if (fresh) {
            fresh->all = calls->all;
            calls->all = fresh;
        }
    }
    UNLOCK();
    if (!fresh) {
        PyErr_NoMemory();
        return -1;
    }
    /* One more, so that it can't drain before it is known as an old one. */
    LJ_ADD(&old->busy, 1);
    old->epoch = epoch;
    LJ_STORE(&calls->current, fresh);
    if (LJ_ADD(&old->busy, -1))
        return 1;
    LOCK();
    old->next = calls->unused;
    calls->unused = old;
    UNLOCK();
    return 0;
}

void lj_calls_drained(lj_calls *calls, lj_calls_cell *cell) {
    int64_t epoch = cell->epoch;
    LOCK();
    cell->next = calls->unused;
    calls->unused = cell;
    UNLOCK();
    /* The call may have raised: that is put aside meanwhile. */
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *done =
        PyObject_CallFunction(on_drained, "KL", (unsigned long long)calls, (long long)epoch);
    if (done)
        Py_DECREF(done);
    else
        PyErr_WriteUnraisable(on_drained);
    PyErr_Restore(type, value, traceback);
}
