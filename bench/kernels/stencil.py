"""Heat on a plate, there and back between two arrays that fit into the second cache together."""

from typing import Any

import numpy as np

from bench.kernels import Kernel


def python(one, other, height, width, rounds):  # type: ignore[no-untyped-def]
    for _ in range(rounds):
        for i in range(1, height - 1):
            for j in range(1, width - 1):
                other[i, j] = 0.25 * (
                    one[i - 1, j] + one[i + 1, j] + (one[i, j + 1] + one[i, j - 1])
                )
        for i in range(1, height - 1):
            for j in range(1, width - 1):
                one[i, j] = 0.25 * (
                    other[i - 1, j] + other[i + 1, j] + (other[i, j + 1] + other[i, j - 1])
                )


def numpy(one: Any, other: Any, height: int, width: int, rounds: int) -> None:
    for old, new in ((one, other), (other, one)) * rounds:
        sides = old[1:-1, 2:] + old[1:-1, :-2]
        new[1:-1, 1:-1] = 0.25 * (old[:-2, 1:-1] + old[2:, 1:-1] + sides)


def numexpr(module: Any) -> Any:
    def call(one: Any, other: Any, height: int, width: int, rounds: int) -> None:
        for old, new in ((one, other), (other, one)) * rounds:
            names = {"n": old[:-2, 1:-1], "s": old[2:, 1:-1]}
            names |= {"e": old[1:-1, 2:], "w": old[1:-1, :-2]}
            module.evaluate("0.25 * (n + s + (e + w))", names, out=new[1:-1, 1:-1])

    return call


def arguments(size: int) -> list[Any]:
    one = np.random.default_rng(7).random((size, size))
    return [one, one.copy(), size, size, 10]


KERNEL = Kernel(
    "stencil",
    "void stencil(double *, double *, int64_t, int64_t, int64_t);",
    "void(double[:, :] one, double[:, :] other, int64 height, int64 width, int64 rounds)",
    python,
    numpy,
    numexpr,
    arguments,
    outputs=(0, 1),
    sizes=(250, 50, 10),
)
