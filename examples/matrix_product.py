"""A matrix product, made for its extents: IR is text, and Python writes what it knows into it.

The loops are i, k, j, so that the innermost one runs along rows and LLVM makes vectors of it. With
extents as constants it can unroll as well, and the signature has every array checked for them. What
was made for one shape is removed when it isn't needed any more.
"""

from string import Template

import numpy as np

import lazyjit

SOURCE = Template("""
define void @product_${N}_${K}_$M(ptr noalias %a, ptr noalias %b, ptr noalias %c) {
entry:
  call void @llvm.memset.p0.i64(ptr %c, i8 0, i64 $BYTES, i1 false)
  br label %row
row:
  %i = phi i64 [ 0, %entry ], [ %i1, %row.end ]
  br label %inner
inner:
  %k = phi i64 [ 0, %row ], [ %k1, %inner.end ]
  %ap = getelementptr [$K x double], ptr %a, i64 %i, i64 %k
  %factor = load double, ptr %ap
  br label %column
column:
  %j = phi i64 [ 0, %inner ], [ %j1, %column ]
  %bp = getelementptr [$M x double], ptr %b, i64 %k, i64 %j
  %cp = getelementptr [$M x double], ptr %c, i64 %i, i64 %j
  %value = load double, ptr %bp
  %before = load double, ptr %cp
  %part = fmul double %factor, %value
  %sum = fadd double %before, %part
  store double %sum, ptr %cp
  %j1 = add i64 %j, 1
  %columns = icmp ult i64 %j1, $M
  br i1 %columns, label %column, label %inner.end
inner.end:
  %k1 = add i64 %k, 1
  %inners = icmp ult i64 %k1, $K
  br i1 %inners, label %inner, label %row.end
row.end:
  %i1 = add i64 %i, 1
  %rows = icmp ult i64 %i1, $N
  br i1 %rows, label %row, label %done
done:
  ret void
}
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
""")


def product_for(jit, n, k, m):
    """The product of n by k and k by m, and what removes it."""
    text = SOURCE.substitute(N=n, K=k, M=m, BYTES=8 * n * m)
    tracker = jit.add(text, name=f"product of {n}x{k} and {k}x{m}")
    signature = f"void(const double[{n}, {k}] a, const double[{k}, {m}] b, double[{n}, {m}] c)"
    return jit.callable(f"product_{n}_{k}_{m}", signature), tracker


with lazyjit.JIT() as jit:
    random = np.random.default_rng(7)
    for n, k, m in ((3, 3, 3), (64, 48, 32), (1, 200, 7)):
        multiply, tracker = product_for(jit, n, k, m)
        # Whole numbers: sums are exact, in whatever order they are made.
        a, b = random.integers(-9, 9, (n, k)) * 1.0, random.integers(-9, 9, (k, m)) * 1.0
        c = np.empty((n, m))
        multiply(a, b, c)
        print(f"{n}x{k} by {k}x{m}:", np.array_equal(c, a @ b))
        try:
            multiply(a, b, c[1:].copy())
        except ValueError as error:
            print(" ", error)
        tracker.remove()
