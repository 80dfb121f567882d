"""Ufuncs: a function of numbers, as NumPy's own object for whole arrays.

`ufunc` makes a `numpy.ufunc`: broadcasting, casting, `out`, `where`, `reduce` are NumPy's, the
loops are made by LLVM around the function, each for one type and when it is first used. `gufunc`
does the same for a function of whole rows or matrices, which gets sizes and strides.
"""

import numpy as np

import lazyjit

SOURCE = """
define float @blend_f32(float %a, float %b, float %t) {
  %d = fsub float %b, %a
  %s = fmul float %d, %t
  %r = fadd float %a, %s
  ret float %r
}

define double @blend_f64(double %a, double %b, double %t) {
  %d = fsub double %b, %a
  %s = fmul double %d, %t
  %r = fadd double %a, %s
  ret double %r
}

define double @larger(double %a, double %b) {
  %more = fcmp ogt double %a, %b
  %r = select i1 %more, double %a, double %b
  ret double %r
}

define void @last(ptr %row, ptr %out, i64 %n, i64 %stride) {
  %before = sub i64 %n, 1
  %offset = mul i64 %before, %stride
  %place = getelementptr i8, ptr %row, i64 %offset
  %value = load double, ptr %place
  store double %value, ptr %out
  ret void
}
"""

with lazyjit.JIT() as jit:
    jit.add(SOURCE, name="blend.ll")

    blend = jit.ufunc(["blend_f32", "blend_f64"])
    print(blend, blend.types)
    x = np.linspace(0.0, 1.0, 5)
    print("blended:", blend(x, 10.0, 0.5))
    print("a table:", blend(x[:, None], x, 0.25).shape)
    print("single precision:", blend(x.astype("f4"), np.float32(1), np.float32(0.5)).dtype)

    larger = jit.ufunc("larger", identity=-np.inf)
    print("largest so far:", larger.accumulate([3.0, 1.0, 4.0, 1.0, 5.0]))
    print("of nothing:", larger.reduce([]))

    last = jit.gufunc("last", "(n)->()")
    print("last of each row:", last(np.arange(12.0).reshape(3, 4)))
