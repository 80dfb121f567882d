"""Numba's front end and lazyjit's back end: Python functions, compiled when they are called."""

import numba
import numpy as np

import lazyjit
from lazyjit.numba import add


@numba.njit
def escape(c: complex) -> int:
    """How many steps until the orbit of c leaves a circle of radius 2; at most 100."""
    z = 0j
    for step in range(100):
        z = z * z + c
        if z.real * z.real + z.imag * z.imag > 4.0:
            return step
    return 100


def mandelbrot(size: int) -> np.ndarray:
    """A picture of the set."""
    picture = np.empty((size, size), np.int64)
    for row in range(size):
        for column in range(size):
            picture[row, column] = escape(complex(-2 + 3 * column / size, -1.5 + 3 * row / size))
    return picture


with lazyjit.JIT() as jit:
    ours = add(jit, mandelbrot, "int64[:, :](int64)")
    print("compiled before the first call:", jit.statistics().functions_compiled)
    picture = ours(60)
    print("equal to Numba's:", np.array_equal(picture, numba.njit(mandelbrot)(60)))
