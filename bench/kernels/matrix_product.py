"""A matrix product in three loops. NumPy's is its BLAS library's, a work of another kind."""

from typing import Any

import numpy as np

from bench.kernels import Kernel


def python(a, b, c, n, k, m):  # type: ignore[no-untyped-def]
    for i in range(n):
        for j in range(m):
            c[i, j] = 0.0
        for l in range(k):  # noqa: E741
            factor = a[i, l]
            for j in range(m):
                c[i, j] += factor * b[l, j]


def numpy(a: Any, b: Any, c: Any, n: int, k: int, m: int) -> None:
    np.matmul(a, b, out=c)


def arguments(size: int) -> list[Any]:
    a, b = np.random.default_rng(7).random((2, size, size))
    return [a.copy(), b.copy(), np.zeros((size, size)), size, size, size]


KERNEL = Kernel(
    "matrix_product",
    "void matrix_product(const double *, const double *, double *, int64_t, int64_t, int64_t);",
    "void(const double[:, :] a, const double[:, :] b, double[:, :] c, int64, int64, int64)",
    python,
    numpy,
    None,
    arguments,
    outputs=(2,),
    sizes=(200, 50, 8),
)
