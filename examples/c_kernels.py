"""Kernels in C: clang makes IR of them at once, and lazyjit machine code when they are called.

A mistake comes back as an exception that knows file, line and column.
"""

import numpy as np

import lazyjit
from lazyjit.errors import SourceError

SOURCE = """
/* Each value becomes the mean of itself and its two neighbours. */
void smooth(const double *from, double *to, long n) {
    for (long i = 1; i < n - 1; i++)
        to[i] = (from[i - 1] + from[i] + from[i + 1]) / 3;
}
double never_called(double x) { return x; }
"""

with lazyjit.JIT() as jit:
    jit.add_c(SOURCE, name="smooth.c")
    smooth = jit.callable("smooth", "void(const double[:] from, double[:] to, int64 n)")
    values = np.array([0.0, 0.0, 3.0, 3.0, 3.0, 0.0, 3.0])
    smoothed = values.copy()
    smooth(values, smoothed, len(values))
    print("smooth:", smoothed[:5].tolist())

    try:
        jit.add_c("double twice(double x) {\n    return x + y;\n}\n", name="broken.c")
    except SourceError as error:
        print(error)
        print(f"at column {error.column} of line {error.line} of {error.file}")
