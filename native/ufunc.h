/* Loops of NumPy ufuncs: the gate between NumPy's call and the generated code.
 *
 * NumPy calls `lj_ufunc_run` as the loop of every ufunc of ours, mostly without the GIL; which one
 * is meant is in `data`, an lj_ufunc_loop. The gate compiles the code at the first call, counts the
 * calls under way, so that code is not freed under them, and refuses calls when the code is gone.
 *
 * It also keeps the floating-point flags honest. NumPy warns by the flags that are set after a
 * loop, but LLVM takes flags for something that nobody looks at: a vectorized branch computes both
 * sides, and a comparison with a NaN may set `invalid`. So a function with branches or comparisons
 * has two loops: a fast one, and an exact one, which isn't optimized. The fast loop runs in blocks
 * with the flags cleared; a block that sets one that was not set before is run again, exactly.
 */
#ifndef LAZYJIT_UFUNC_H
#define LAZYJIT_UFUNC_H

#include "status.h"

/* cffi: begin */
typedef struct lj_ufunc_loop {
    uint64_t fast;  /* void (char **, const intptr_t *, const intptr_t *, void *); 0: closed */
    uint64_t exact; /* the same; 0: `fast` sets no flags but those that the function sets */
    int64_t busy;   /* calls under way */
    int64_t draining;
    uint64_t behind; /* a PyObject with methods prepare, failed, drained; borrowed */
    uint32_t number; /* of this loop, for these methods */
    uint32_t inputs, outputs;
    uint32_t sizes[32]; /* of the operands' elements, in bytes */
} lj_ufunc_loop;

/* The address of `lj_ufunc_run`. */
uint64_t lj_ufunc_entry(void);
/* Lets calls through. Any thread. */
void lj_ufunc_open(lj_ufunc_loop *loop, uint64_t fast, uint64_t exact);
/* Stops calls. 1: some are under way, and `behind.drained(number)` is called by the last; 0: none.
 * Any thread. */
int32_t lj_ufunc_close(lj_ufunc_loop *loop);
/* cffi: end */

#endif
