"""A stencil: heat that spreads over a plate, each point moving to the mean of its four neighbours.

The rows of `old` and `new` may be padded or parts of larger arrays: with `strides` in the signature
the kernel is told how far apart they are, in bytes, and any layout will do.
"""

import numpy as np

import lazyjit

SOURCE = """
define internal double @at(ptr %p, i64 %row, i64 %i, i64 %column, i64 %j) {
  %down = mul i64 %row, %i
  %right = mul i64 %column, %j
  %offset = add i64 %down, %right
  %place = getelementptr i8, ptr %p, i64 %offset
  %value = load double, ptr %place
  ret double %value
}
define void @spread(ptr %old, i64 %h, i64 %w, i64 %r, i64 %c,
                    ptr %new, i64, i64, i64 %nr, i64 %nc) {
entry:
  %bottom = sub i64 %h, 1
  %edge = sub i64 %w, 1
  br label %row
row:
  %i = phi i64 [ 1, %entry ], [ %south, %row.end ]
  %south = add i64 %i, 1
  %north = sub i64 %i, 1
  %rows = icmp slt i64 %i, %bottom
  br i1 %rows, label %point.test, label %done
point.test:
  %j = phi i64 [ 1, %row ], [ %east, %point ]
  %columns = icmp slt i64 %j, %edge
  br i1 %columns, label %point, label %row.end
point:
  %east = add i64 %j, 1
  %west = sub i64 %j, 1
  %n = call double @at(ptr %old, i64 %r, i64 %north, i64 %c, i64 %j)
  %s = call double @at(ptr %old, i64 %r, i64 %south, i64 %c, i64 %j)
  %e = call double @at(ptr %old, i64 %r, i64 %i, i64 %c, i64 %east)
  %v = call double @at(ptr %old, i64 %r, i64 %i, i64 %c, i64 %west)
  %ns = fadd double %n, %s
  %ev = fadd double %e, %v
  %sum = fadd double %ns, %ev
  %mean = fmul double %sum, 0.25
  %down = mul i64 %nr, %i
  %right = mul i64 %nc, %j
  %offset = add i64 %down, %right
  %place = getelementptr i8, ptr %new, i64 %offset
  store double %mean, ptr %place
  br label %point.test
row.end:
  br label %row
done:
  ret void
}
"""

with lazyjit.JIT() as jit:
    jit.add(SOURCE, name="heat.ll")
    spread = jit.callable(
        "spread", "void(const double[:, :] shape strides old, double[:, :] shape strides new)"
    )
    old = np.zeros((200, 300))
    old[0] = 100.0  # the upper edge is hot
    old[100:110, 100:110] = 50.0
    new, expected = old.copy(), old.copy()
    for _ in range(500):
        spread(old, new)
        old, new = new, old
        middle = expected[:-2, 1:-1] + expected[2:, 1:-1]
        expected[1:-1, 1:-1] = (middle + (expected[1:-1, 2:] + expected[1:-1, :-2])) * 0.25
    print("as NumPy has it:", np.array_equal(old, expected))

    turned, result = old.T, np.zeros((300, 200))  # columns as rows, without a copy
    spread(turned, result)
    spread(old, new)
    print("transposed, too:", np.array_equal(result[1:-1, 1:-1], new.T[1:-1, 1:-1]))
