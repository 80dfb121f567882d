"""A first kernel: a function of LLVM IR, compiled when Python first calls it."""

import lazyjit

SOURCE = """
declare double @llvm.sqrt.f64(double)
define double @hypotenuse(double %a, double %b) {
  %aa = fmul double %a, %a
  %bb = fmul double %b, %b
  %sum = fadd double %aa, %bb
  %root = call double @llvm.sqrt.f64(double %sum)
  ret double %root
}
"""

with lazyjit.JIT() as jit:
    jit.add(SOURCE)
    hypotenuse = jit["hypotenuse"]
    print("hypotenuse:", hypotenuse(3.0, 4.0))
