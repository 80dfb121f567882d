"""The Mandelbrot set; a discontinuous thing, of which a fused multiplication moves a few pixels."""

from typing import Any

import numpy as np

from bench.kernels import Kernel


def python(image, height, width, left, top, step, limit):  # type: ignore[no-untyped-def]
    for row in range(height):
        for column in range(width):
            cx, cy, x, y = left + column * step, top - row * step, 0.0, 0.0
            n = 0
            while n < limit:
                xx, yy = x * x, y * y
                if xx + yy > 4:
                    break
                y = 2 * x * y + cy
                x = xx - yy + cx
                n += 1
            image[row, column] = n


def numpy(
    image: Any, height: int, width: int, left: float, top: float, step: float, limit: int
) -> None:
    cx, cy = left + np.arange(width) * step, top - np.arange(height) * step
    c = (cx + 1j * cy[:, None]).ravel()
    where, z = np.arange(height * width), np.zeros(height * width, complex)
    counts = image.reshape(-1)
    counts[:] = limit
    for n in range(limit):
        inside = z.real * z.real + z.imag * z.imag <= 4
        counts[where[~inside]] = n
        where, z = where[inside], z[inside]
        z = z * z + c[where]


def arguments(size: int) -> list[Any]:
    image = np.zeros((size * 3 // 4, size), np.uint8)
    return [image, *image.shape, -2.25, 1.5 * 3 / 4, 3.0 / size, 200]


KERNEL = Kernel(
    "mandelbrot",
    "void mandelbrot(uint8_t *, int64_t, int64_t, double, double, double, int64_t);",
    "void(uint8[:, :] image, int64 height, int64 width, double, double, double, int64)",
    python,
    numpy,
    None,
    arguments,
    outputs=(0,),
    sizes=(200, 60, 16),
    may_differ=0.005,
)
