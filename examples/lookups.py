"""Addresses and calls: what `lookup` and `function` give, and how data gets in and out.

`lookup` gives an address: a function's is that of its stub, and stays the same when the function
is compiled. `function` gives a Python callable, with types of ctypes; NumPy arrays go in as their
addresses. Global variables are memory, to be read through ctypes.
"""

import ctypes

import numpy as np

import lazyjit

SOURCE = """
@calls = global i64 0

define double @dot(ptr %x, ptr %y, i64 %n) {
entry:
  %before = load i64, ptr @calls
  %after = add i64 %before, 1
  store i64 %after, ptr @calls
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %sum = phi double [ 0.0, %entry ], [ %more, %loop ]
  %px = getelementptr double, ptr %x, i64 %i
  %py = getelementptr double, ptr %y, i64 %i
  %a = load double, ptr %px
  %b = load double, ptr %py
  %ab = fmul double %a, %b
  %more = fadd double %sum, %ab
  %next = add i64 %i, 1
  %again = icmp ult i64 %next, %n
  br i1 %again, label %loop, label %done
done:
  ret double %more
}
"""

with lazyjit.JIT() as jit:
    jit.add(SOURCE, name="dot.ll")

    before = jit.lookup("dot")
    print("compiled by the lookup:", jit.statistics().functions_compiled)

    dot = jit.function("dot", ctypes.c_double, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
    x = np.arange(1000.0)
    y = np.full(1000, 2.0)
    print("dot:", dot(x.ctypes.data, y.ctypes.data, len(x)))
    print("one address:", jit.lookup("dot") == before)

    calls = ctypes.c_int64.from_address(jit.lookup("calls"))
    dot(x.ctypes.data, y.ctypes.data, 10)
    print("calls counted by the program:", calls.value)

    # An address can be called by any means; the callable above also turns failures into exceptions
    # and keeps the code in memory while it runs.
    prototype = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
    print("by address:", prototype(before)(x.ctypes.data, y.ctypes.data, 4))
