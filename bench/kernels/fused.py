"""Five operations in one pass; NumPy makes five, with an array after each."""

from typing import Any

import numpy as np

from bench.kernels import Kernel


def python(a, b, c, d, result, n):  # type: ignore[no-untyped-def]
    for i in range(n):
        result[i] = (a[i] * b[i] + c[i]) * (a[i] - d[i]) / b[i]


def numpy(a: Any, b: Any, c: Any, d: Any, result: Any, n: int) -> None:
    np.divide((a * b + c) * (a - d), b, out=result)


def numexpr(module: Any) -> Any:
    def call(a: Any, b: Any, c: Any, d: Any, result: Any, n: int) -> None:
        module.evaluate("(a * b + c) * (a - d) / b", out=result)

    return call


def arguments(size: int) -> list[Any]:
    arrays = np.random.default_rng(7).random((4, size)) + 1
    return [*(each.copy() for each in arrays), np.zeros(size), size]


KERNEL = Kernel(
    "fused",
    "void fused(const double *, const double *, const double *, const double *, double *,"
    " int64_t);",
    "void(const double[:], const double[:], const double[:], const double[:], double[:], int64)",
    python,
    numpy,
    numexpr,
    arguments,
    outputs=(4,),
    sizes=(100_000, 10_000, 100),
)
