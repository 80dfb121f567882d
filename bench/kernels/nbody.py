"""Five bodies that attract each other: the sun and its giants."""

import math
from typing import Any

import numpy as np

from bench.kernels import Kernel

G = 4 * math.pi**2


def python(bodies, n, half_kick, time, steps):  # type: ignore[no-untyped-def]
    for _ in range(steps):
        for half in range(2):
            for i in range(n):
                for j in range(i + 1, n):
                    dx = bodies[j, 0] - bodies[i, 0]
                    dy = bodies[j, 1] - bodies[i, 1]
                    dz = bodies[j, 2] - bodies[i, 2]
                    square = dx * dx + dy * dy + dz * dz
                    pull = half_kick / (square * math.sqrt(square))
                    to_i, to_j = pull * bodies[j, 7], pull * bodies[i, 7]
                    bodies[i, 4] += dx * to_i
                    bodies[i, 5] += dy * to_i
                    bodies[i, 6] += dz * to_i
                    bodies[j, 4] -= dx * to_j
                    bodies[j, 5] -= dy * to_j
                    bodies[j, 6] -= dz * to_j
            if half == 0:
                for i in range(n):
                    for k in range(3):
                        bodies[i, k] += time * bodies[i, 4 + k]


def numpy(bodies: Any, n: int, half_kick: float, time: float, steps: int) -> None:
    x, v, masses = bodies[:, :3], bodies[:, 4:7], bodies[:, 7]
    alone = np.eye(n)

    def kick() -> None:
        way = x[None] - x[:, None]
        square = (way * way).sum(axis=2) + alone
        pull = half_kick / (square * np.sqrt(square)) * masses[None]
        v[...] += (way * pull[:, :, None]).sum(axis=1)

    for _ in range(steps):
        kick()
        x[...] += time * v
        kick()


def planet(mass: float, distance: float, phase: float) -> list[float]:
    """On a circle around the sun, of mass 1."""
    speed, c, s = math.sqrt(G / distance), math.cos(phase), math.sin(phase)
    return [distance * c, distance * s, 0, 0, -speed * s, speed * c, 0, mass]


def arguments(size: int) -> list[Any]:
    bodies = np.array(
        [
            [0, 0, 0, 0, 0, 0, 0, 1.0],
            planet(9.548e-4, 5.203, 0.2),
            planet(2.859e-4, 9.537, 1.9),
            planet(4.366e-5, 19.19, 3.4),
            planet(5.151e-5, 30.07, 5.1),
        ]
    )
    return [bodies, len(bodies), G * 0.02 / 2, 0.02, size]


KERNEL = Kernel(
    "nbody",
    "void nbody(double *, int64_t, double, double, int64_t);",
    "void(double[:, 8] bodies, int64 n, double, double, int64 steps)",
    python,
    numpy,
    None,
    arguments,
    outputs=(0,),
    sizes=(4000, 200, 5),
)
