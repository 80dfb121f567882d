"""Six numeric kernels, each in the languages of those who run it.

A kernel is a file of C and a file of Python beside it. The C is what lazyjit and the extension
module are made of; the Python has the same loops for Numba, the same thing in whole arrays for
NumPy, which is also what every result is held against, and, where it can be said so, an expression
for numexpr. All take the same arguments in the same order: arrays, numbers, extents.

Nothing here imports more than NumPy, so that the kernels can be had in any interpreter that has one
of the peers.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["NAMES", "Kernel", "kernel"]

NAMES = ("mandelbrot", "nbody", "black_scholes", "stencil", "matrix_product", "fused")

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Kernel:
    """One kernel. Its C function and its C file have its `name`."""

    name: str
    #: The C function's prototype, for cffi.
    prototype: str
    #: The same in lazyjit's language.
    signature: str
    #: The same loops in Python that Numba compiles.
    python: Callable[..., None]
    #: The same in whole arrays.
    numpy: Callable[..., None]
    #: The same in numexpr's expressions, given the module; None where there is no way to say it.
    numexpr: Callable[[Any], Callable[..., None]] | None
    #: The arguments for a size: those in `outputs` are written to.
    arguments: Callable[[int], list[Any]]
    outputs: Sequence[int]
    #: Sizes to measure at, to be quick at, and of a first call whose own time is nothing.
    sizes: tuple[int, int, int]
    #: The part of the outputs that may be quite another: of results that jump.
    may_differ: float = 0.0

    @property
    def source(self) -> Path:
        """The file of C."""
        return HERE / f"{self.name}.c"

    def check(self, got: Sequence[Any], expected: Sequence[Any]) -> None:
        """Compare the outputs after a call with NumPy's after its own; raises AssertionError.

        Products and sums may be fused, and sums made in another order: all but the last digits.
        """
        for index in self.outputs:
            close = np.isclose(got[index], expected[index], rtol=1e-9, atol=1e-12)
            if (~close).sum() > np.ceil(self.may_differ * close.size):
                raise AssertionError(f"{self.name}: not what NumPy computes, in {(~close).sum()}")


def copies(arguments: Sequence[Any]) -> list[Any]:
    """Arguments of one's own."""
    return [each.copy() if isinstance(each, np.ndarray) else each for each in arguments]


def kernel(name: str) -> Kernel:
    """The kernel of this name."""
    found: Kernel = importlib.import_module(f"bench.kernels.{name}").KERNEL
    return found
