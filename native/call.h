/* Typed callables: the object that Python calls, and what the code generated for it calls back.
 *
 * A callable is a Python object whose vectorcall slot is its gate. The slot holds one of these
 * functions, and swapping it is all that it takes to open or close the way:
 *
 *      lj_callable_first     nothing is compiled yet: prepares the callable, then calls it
 *      lj_callable_counted   counts the call while it lasts, and runs the generated wrapper
 *      lj_callable_gone      raises what became of the code
 *
 * or, for the simplest functions, a generated one that does it all where nothing uncommon comes up.
 *
 * The wrapper (lazyjit/call/wrapper.py) is made for a signature and shared by all functions that
 * have it: it converts the arguments, calls `target`, and makes an object of the result. The common
 * case of each conversion is in the wrapper itself; the others are the lj_call_* functions here.
 *
 * Whatever takes or returns a PyObject is called with the GIL held, or an attached thread state.
 * Python reaches it through ctypes, since cffi lets go of the GIL; `lj_call_symbol` has the names.
 */
#ifndef LAZYJIT_CALL_H
#define LAZYJIT_CALL_H

#include "status.h"

/* cffi: begin */
/* What generated code must know of this build of Python and of the structures here: offsets and
 * sizes in bytes. A list, so that nothing about an interpreter is written down in Python. */
typedef struct lj_call_layout {
    uint32_t ob_type;       /* in PyObject */
    uint32_t float_value;   /* in PyFloatObject */
    uint32_t complex_value; /* in PyComplexObject: two doubles */
    uint32_t long_tag;      /* in PyLongObject: ob_size, or from 3.12 on lv_tag */
    uint32_t long_digit;    /* in PyLongObject: the first digit */
    uint32_t long_has_tag;  /* 1: it is lv_tag */
    uint32_t count_none;    /* 1: None is reference counted, at refcount, by 64-bit arithmetic */
    uint32_t refcount;      /* in PyObject, when count_none */
    uint32_t no_gil;        /* 1: a free-threaded build */
    uint32_t target;        /* in lj_callable */
    uint32_t array_size;    /* of lj_call_view */
    uint32_t array_data;    /* in lj_call_view */
    uint32_t array_held;
    uint32_t array_shape;
    uint32_t array_strides;
    uint32_t array_most; /* dimensions at most */
} lj_call_layout;

void lj_call_layout_get(lj_call_layout *out);
/* The i-th function or object that generated code, or lazyjit/call/native.py, refers to: its
 * address, and its name. 0 past the end. */
uint64_t lj_call_symbol(uint32_t i, const char **name);

/* A counter of calls under way, in epochs: see lazyjit/layers/grace.py. Reference counted: each
 * callable holds one. Any thread. */
typedef struct lj_calls lj_calls;
lj_status lj_calls_new(lj_calls **out);
void lj_calls_release(lj_calls *calls);
/* cffi: end */

#endif
