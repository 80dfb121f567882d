"""How long ufuncs take over arrays; one library's in its own process.

    python -m bench.peers.ufunc_times LIBRARY [--elements N ...] --times FILE

LIBRARY is lazyjit, numpy, numba or numexpr. Each makes `a + b` and a fused expression of five
operations, and is timed on contiguous and on strided arrays of doubles. The report has for each
"<function> <layout> <N>" the seconds of one call: the least of several, since that is what the
machine can do, and "first": seconds from source to the fused expression's first result.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import timeit
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

FUSED = """
define double @add(double %a, double %b) {
  %r = fadd double %a, %b
  ret double %r
}
define double @fused(double %a, double %b, double %c, double %d) {
  %ab = fmul double %a, %b
  %abc = fadd double %ab, %c
  %ad = fsub double %a, %d
  %up = fmul double %abc, %ad
  %r = fdiv double %up, %b
  ret double %r
}
"""

Call = Callable[..., Any]


def lazyjit_functions() -> tuple[Call, Call]:
    import lazyjit

    jit = lazyjit.JIT(compile_threads=1)
    jit.add(FUSED)
    return jit.ufunc("add"), jit.ufunc("fused")


def numpy_functions() -> tuple[Call, Call]:
    def fused(a: Any, b: Any, c: Any, d: Any, out: Any) -> Any:
        return np.divide((a * b + c) * (a - d), b, out=out)

    return np.add, fused


def numba_functions() -> tuple[Call, Call]:
    import numba

    add = numba.vectorize(["f8(f8,f8)"])(lambda a, b: a + b)
    fused = numba.vectorize(["f8(f8,f8,f8,f8)"])(lambda a, b, c, d: (a * b + c) * (a - d) / b)
    return add, fused


def numexpr_functions() -> tuple[Call, Call]:
    import numexpr

    numexpr.set_num_threads(1)

    def add(a: Any, b: Any, out: Any) -> Any:
        return numexpr.evaluate("a + b", out=out)

    def fused(a: Any, b: Any, c: Any, d: Any, out: Any) -> Any:
        return numexpr.evaluate("(a * b + c) * (a - d) / b", out=out)

    return add, fused


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("library", choices=["lazyjit", "numpy", "numba", "numexpr"])
    parser.add_argument("--elements", type=int, nargs="+", default=[1000, 10_000_000])
    parser.add_argument("--times", type=Path, required=True)
    options = parser.parse_args()
    start = time.perf_counter()
    add, fused = globals()[f"{options.library}_functions"]()
    small = [np.ones(3) for _ in range(4)]
    fused(*small, out=np.empty(3))
    report: dict[str, Any] = {"start": 0.0, "first": time.perf_counter() - start}
    for count in options.elements:
        random = np.random.default_rng(1)
        wide = [random.random(2 * count) + 1 for _ in range(4)]
        layouts = {
            "contiguous": [each[:count].copy() for each in wide],
            "strided": [each[::2] for each in wide],
        }
        out = np.empty(count)
        for layout, (a, b, c, d) in layouts.items():
            calls = {
                "add": lambda a=a, b=b, out=out: add(a, b, out=out),
                "fused": lambda a=a, b=b, c=c, d=d, out=out: fused(a, b, c, d, out=out),
            }
            for name, call in calls.items():
                call()
                number = max(1, 1_000_000 // count)
                least = min(timeit.repeat(call, number=number, repeat=5)) / number
                report[f"{name} {layout} {count}"] = least
    options.times.write_text(json.dumps(report))
    os._exit(0)


if __name__ == "__main__":
    main()
