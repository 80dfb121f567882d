"""What a call from Python costs, by one way of calling; a subject in its own process.

    python call_peer.py --way WAY --case {add,touch} [--library FILE] [--calls N] --times FILE

`add` is `double(double, double)`, `touch` is `void(double[:], double[:], int64)`. The report's
"each" is the seconds of one call: the fastest of many rounds of N calls in a loop, less the loop
itself (its body's one call). "loop" is what was subtracted. Imports nothing but what its way needs,
so that Numba may have an interpreter of its own.
"""

import argparse
import ctypes
import importlib.machinery
import importlib.util
import json
import time
from pathlib import Path

ROUNDS = 25

SOURCE = """
define double @add(double %a, double %b) {
  %r = fadd double %a, %b
  ret double %r
}
define void @touch(ptr %x, ptr %y, i64 %n) {
  %some = icmp sgt i64 %n, 0
  br i1 %some, label %yes, label %no
yes:
  %v = load double, ptr %x
  store double %v, ptr %y
  ret void
no:
  ret void
}
"""


def lazyjit(case, library, *, builtin=False, nogil=False):
    from lazyjit import JIT

    jit = JIT(compile_threads=1)
    jit.add(SOURCE)
    signature = {"add": None, "touch": "void(const double[:], double[:], int64)"}[case]
    function = jit.callable(case, signature, nogil=nogil).compile()
    return function.builtin if builtin else function


def python(case, library):
    def add(a, b):
        return a + b

    def touch(x, y, n):
        return None

    return {"add": add, "touch": touch}[case]


def by_ctypes(case, library):
    function = getattr(ctypes.CDLL(library), case)
    if case == "add":
        function.restype, function.argtypes = ctypes.c_double, [ctypes.c_double] * 2
    else:
        import numpy

        row = numpy.ctypeslib.ndpointer(numpy.float64, ndim=1, flags="C_CONTIGUOUS")
        function.restype, function.argtypes = None, [row, row, ctypes.c_int64]
    return function


def by_cffi(case, library):
    import cffi

    ffi = cffi.FFI()
    ffi.cdef("double add(double, double); void touch(const double *, double *, int64_t);")
    function = getattr(ffi.dlopen(library), case)
    if case == "add":
        return function
    view = ffi.from_buffer

    def touch(x, y, n):
        return function(view("double[]", x), view("double[]", y), n)

    return touch


def numba(case, library):
    import numba

    if case == "add":

        @numba.njit("float64(float64, float64)")
        def add(a, b):
            return a + b

        return add

    @numba.njit("void(float64[::1], float64[::1], int64)")
    def touch(x, y, n):
        if n > 0:
            y[0] = x[0]

    return touch


def extension(case, library):
    loader = importlib.machinery.ExtensionFileLoader("call_overhead", library)
    spec = importlib.util.spec_from_loader("call_overhead", loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return getattr(module, case)


WAYS = {
    "lazyjit": lazyjit,
    "lazyjit-builtin": lambda case, library: lazyjit(case, library, builtin=True),
    "lazyjit-nogil": lambda case, library: lazyjit(case, library, nogil=True),
    "python": python,
    "ctypes": by_ctypes,
    "cffi": by_cffi,
    "numba": numba,
    "extension": extension,
}

LOOPS = {
    "add": "def loop(f, a, b, c, calls):\n    for _ in range(calls):\n        f(a, b)\n",
    "touch": "def loop(f, a, b, c, calls):\n    for _ in range(calls):\n        f(a, b, c)\n",
    "empty": "def loop(f, a, b, c, calls):\n    for _ in range(calls):\n        pass\n",
}


def fastest(kind, function, arguments, calls):
    names = {}
    exec(LOOPS[kind], names)  # a function of its own, so that Python specializes it for this call
    loop = names["loop"]
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter_ns()
        loop(function, *arguments, calls)
        best = min(best, time.perf_counter_ns() - start)
    return best / calls * 1e-9


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--way", choices=WAYS, required=True)
    parser.add_argument("--case", choices=("add", "touch"), required=True)
    parser.add_argument("--library")
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--times", type=Path, required=True)
    options = parser.parse_args()
    function = WAYS[options.way](options.case, options.library)
    if options.case == "add":
        arguments = (1.5, 2.5, None)
        assert function(1.5, 2.5) == 4.0
    else:
        import numpy

        x, y = numpy.arange(1.0, 5.0), numpy.zeros(4)
        arguments = (x, y, 4)
        function(*arguments)
        assert options.way == "python" or y[0] == 1.0
    loop = fastest("empty", function, arguments, options.calls)
    each = fastest(options.case, function, arguments, options.calls)
    report = {"start": 0.0, "loop": loop, "each": each - loop, "gross": each}
    options.times.write_text(json.dumps(report))


main()
