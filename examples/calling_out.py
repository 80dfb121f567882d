"""Calling out: C code that calls a Python function, and what happens when that raises.

The exception passes through the native code, and is raised by the Python call that led there.
"""

import lazyjit

SOURCE = """
double f(double x);
double integrate(double from, double to, int steps) {
    double sum = 0, width = (to - from) / steps;
    for (int i = 0; i < steps; i++)
        sum += f(from + (i + 0.5) * width);
    return sum * width;
}
"""


def f(x: float) -> float:
    """The function to integrate."""
    if x == hole:
        raise ValueError(f"no value at {x}")
    return x * x


hole = None
with lazyjit.JIT() as jit:
    jit.define("f", f)  # its annotations say its type
    jit.add_c(SOURCE)
    integrate = jit["integrate"]
    print(f"integral of x squared: {integrate(0.0, 3.0, 1000):.4f}")
    hole = 1.5
    try:
        integrate(0.0, 3.0, 3)
    except ValueError as error:
        print("raised by Python, through C:", error)
