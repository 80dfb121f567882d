"""SymPy expressions as compiled functions: a front end of one file, for numbers and arrays."""

import numpy as np
import sympy

import lazyjit
from lazyjit.sympy import lambdify

x, y = sympy.symbols("x y")
bump = sympy.exp(-(x**2 + y**2)) * sympy.Piecewise((sympy.cos(x), x > y), (sympy.sin(y), True))

with lazyjit.JIT(speculate=False) as jit:
    slope = lambdify([x, y], sympy.diff(bump, x), jit=jit)
    print("at a point:", round(slope(0.5, 0.25), 6))
    statistics = jit.statistics()  # the loop for arrays has not been needed yet
    print(statistics.functions_compiled, "of", statistics.functions_known, "functions compiled")

    grid = np.linspace(-2, 2, 201)
    ours = slope(grid[:, None], grid)
    theirs = sympy.lambdify([x, y], sympy.diff(bump, x), "numpy")(*np.meshgrid(grid, grid))
    print("agrees with NumPy:", np.allclose(ours, theirs.T))
