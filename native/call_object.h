/* The callable object and the counter of calls, between the call_*.c files. See call.h. */
#ifndef LAZYJIT_CALL_OBJECT_H
#define LAZYJIT_CALL_OBJECT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "call.h"

/* cffi's own C file sees every header, and is compiled for the limited API, which has none of this.
 */
#ifndef Py_LIMITED_API

#ifndef LJ_HIDDEN
#define LJ_HIDDEN __attribute__((visibility("hidden")))
#endif

typedef struct lj_callable {
    PyObject_HEAD vectorcallfunc gate; /* what Python calls */
    vectorcallfunc wrapper;            /* the generated code, once `gate` is lj_callable_counted */
    void *target;                      /* what the wrapper calls: a guard or a stub */
    lj_calls *calls;
    PyObject *behind;   /* what lazyjit/call/typed.py keeps of it; pins the code */
    PyObject *name;     /* str */
    PyObject *names;    /* tuple of str, of each argument; "" for those without one */
    PyObject *defaults; /* tuple of the last arguments' defaults */
    PyObject *weak;
    PyMethodDef method; /* of `lj_callable_builtin`, and what it keeps its words in */
    PyObject *method_doc;
} lj_callable;

/* --- counting: call_count.c ------------------------------------------------------------------ */

/* An epoch's calls. Cells are reused, and freed with their lj_calls. */
typedef struct lj_calls_cell {
    int64_t busy;
    int64_t epoch; /* what to report when the last call has left; set when the epoch is over */
    struct lj_calls_cell *next, *all;
} lj_calls_cell;

struct lj_calls {
    lj_calls_cell *current; /* first, for the fast path */
    int64_t references;
    lj_calls_cell *unused, *all;
};

/* Without the GIL counts are changed by several threads at once; with it, plain arithmetic does. */
#ifdef Py_GIL_DISABLED
#define LJ_ADD(where, n) __atomic_add_fetch(where, n, __ATOMIC_SEQ_CST)
#define LJ_LOAD(where) __atomic_load_n(where, __ATOMIC_SEQ_CST)
#define LJ_STORE(where, value) __atomic_store_n(where, value, __ATOMIC_SEQ_CST)
#else
#define LJ_ADD(where, n) (*(where) += (n))
#define LJ_LOAD(where) (*(where))
#define LJ_STORE(where, value) (*(where) = (value))
#endif

LJ_HIDDEN void lj_calls_hold(lj_calls *calls);
/* The last call of a cell that is no longer the current one has left. */
LJ_HIDDEN void lj_calls_drained(lj_calls *calls, lj_calls_cell *cell);

static inline lj_calls_cell *lj_calls_enter(lj_calls *calls) {
    for (;;) {
        lj_calls_cell *cell = LJ_LOAD(&calls->current);
        LJ_ADD(&cell->busy, 1);
#ifdef Py_GIL_DISABLED
        /* Between the two lines above the epoch may have ended, and the cell drained. */
        if (LJ_LOAD(&calls->current) != cell) {
            if (!LJ_ADD(&cell->busy, -1))
                lj_calls_drained(calls, cell);
            continue;
        }
#endif
        return cell;
    }
}

static inline void lj_calls_leave(lj_calls *calls, lj_calls_cell *cell) {
    if (!LJ_ADD(&cell->busy, -1) && __builtin_expect(cell != LJ_LOAD(&calls->current), 0))
        lj_calls_drained(calls, cell);
}

/* Ends the epoch, if calls are under way in it: they are reported under this number when the last
 * has left. 1 if there are some, 0 if there are none, -1 with an exception. */
LJ_HIDDEN int lj_calls_turn(lj_calls *calls, int64_t epoch);
LJ_HIDDEN int64_t lj_calls_busy(lj_calls *calls);
/* `function(address of the lj_calls, epoch)` is what cells report to. Borrowed for good. */
LJ_HIDDEN void lj_calls_on_drained(PyObject *function);

/* --- the object: call_object.c --------------------------------------------------------------- */

/* A new type, derived from the Python class `base`. */
LJ_HIDDEN PyObject *lj_callable_type(PyObject *base, const char *name);
LJ_HIDDEN PyObject *lj_callable_new(PyObject *type, lj_calls *calls, PyObject *behind,
                                    PyObject *name, PyObject *names, PyObject *defaults);
LJ_HIDDEN PyObject *lj_callable_behind(PyObject *self);
/* A builtin function that goes through the gate of `self`. */
LJ_HIDDEN PyObject *lj_callable_builtin(PyObject *self);
/* Opens the gate, or, with a `wrapper` of 0, closes it. `quick` may be 0; otherwise it becomes the
 * gate, and leaves to the wrapper what it does not do itself. */
LJ_HIDDEN void lj_callable_open(PyObject *self, uint64_t wrapper, uint64_t target, uint64_t quick);
LJ_HIDDEN PyObject *lj_callable_first(PyObject *self, PyObject *const *arguments, size_t count,
                                      PyObject *keywords);
LJ_HIDDEN PyObject *lj_callable_counted(PyObject *self, PyObject *const *arguments, size_t count,
                                        PyObject *keywords);
LJ_HIDDEN PyObject *lj_callable_gone(PyObject *self, PyObject *const *arguments, size_t count,
                                     PyObject *keywords);

/* --- from Python to C: call_convert.c, call_array.c ------------------------------------------
 *
 * Each returns 0, or -1 with an exception that names the function and the argument. `place` is the
 * argument's number from 0, and in its upper half the field's number from 1 (0: none). */

/* Sorts `count` arguments, some of them by name, into `wanted` places. */
LJ_HIDDEN int lj_call_arrange(PyObject *self, PyObject *const *arguments, int64_t count,
                              PyObject *keywords, PyObject **out, int64_t wanted);
LJ_HIDDEN int lj_call_double(PyObject *self, PyObject *value, uint32_t place, double *out);
LJ_HIDDEN int lj_call_complex(PyObject *self, PyObject *value, uint32_t place, double *out);
LJ_HIDDEN int lj_call_bool(PyObject *self, PyObject *value, uint32_t place, uint8_t *out);
/* Of `bits` bits, sign- or zero-extended to 64. */
LJ_HIDDEN int lj_call_signed(PyObject *self, PyObject *value, uint32_t place, uint32_t bits,
                             int64_t *out);
LJ_HIDDEN int lj_call_unsigned(PyObject *self, PyObject *value, uint32_t place, uint32_t bits,
                               uint64_t *out);
/* An address: None, an int, a callable of ours, and what `behind.pointer` knows. */
LJ_HIDDEN int lj_call_pointer(PyObject *self, PyObject *value, uint32_t place, void **out);
/* A string that ends in a NUL: None, bytes, str. */
LJ_HIDDEN int lj_call_string(PyObject *self, PyObject *value, uint32_t place, void **out);
/* The items of a tuple or list, borrowed. */
LJ_HIDDEN int lj_call_items(PyObject *self, PyObject *value, uint32_t place, int64_t count,
                            PyObject **out);
/* The bytes of an object whose class `behind.structure` checks. */
LJ_HIDDEN int lj_call_structure(PyObject *self, PyObject *value, uint32_t place, int64_t size,
                                void *out);
/* Sets an exception about an argument: "f() argument 'x' ...". Returns -1. */
LJ_HIDDEN int lj_call_complain(PyObject *self, PyObject *type, uint32_t place, const char *format,
                               ...);

enum { LJ_MOST_DIMENSIONS = 8 };

/* What an array must be; a constant in the wrapper. */
typedef struct lj_call_array_kind {
    void *descriptor; /* numpy's own dtype object of this kind, or NULL */
    uint32_t kind;    /* 'f', 'i', 'u', 'b', 'c' */
    uint32_t itemsize;
    uint32_t dimensions;
    uint32_t flags;
    const char *element;                 /* as the signature says it */
    int64_t extents[LJ_MOST_DIMENSIONS]; /* -1: any */
} lj_call_array_kind;

enum {
    LJ_ARRAY_WRITABLE = 1,
    LJ_ARRAY_C = 2,
    LJ_ARRAY_F = 4,
    LJ_ARRAY_OPTIONAL = 8, /* None is NULL */
};

/* An array as it is lent to a call. */
typedef struct lj_call_view {
    void *data;
    uint64_t held; /* nonzero: to be released */
    int64_t shape[LJ_MOST_DIMENSIONS];
    int64_t strides[LJ_MOST_DIMENSIONS];
    Py_buffer buffer;
} lj_call_view;

/* `out->held` must be 0. */
LJ_HIDDEN int lj_call_array(PyObject *self, PyObject *value, uint32_t place,
                            const lj_call_array_kind *kind, lj_call_view *out);
LJ_HIDDEN void lj_call_array_release(lj_call_view *view);
/* Tells the type of NumPy's arrays, when NumPy is there. Borrowed for good. */
LJ_HIDDEN void lj_call_array_type(PyObject *type);

/* --- from C to Python: call_convert.c ----------------------------------------------------------
 */

/* Whether a first call below failed on this thread: -1 with what it raised, or 0. */
LJ_HIDDEN int lj_call_failed(PyObject *self);
LJ_HIDDEN PyObject *lj_call_box_pointer(void *address);
LJ_HIDDEN PyObject *lj_call_box_string(const char *string);
/* A tuple of `count` new references, which it takes; NULL when one of them is. */
LJ_HIDDEN PyObject *lj_call_box_tuple(PyObject **items, int64_t count);
/* What `behind.result` makes of a copy of the bytes; `place` tells which result. */
LJ_HIDDEN PyObject *lj_call_box_bytes(PyObject *self, uint32_t place, const void *bytes,
                                      int64_t size);

#endif /* Py_LIMITED_API */

#endif
