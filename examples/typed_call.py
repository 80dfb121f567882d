"""Functions of IR as Python functions: their types come from IR, or from a signature.

A typed callable converts its arguments by code that was generated for its signature, so that a call
costs less than one of a plain Python function. What does not fit raises what a careful extension
module would raise.
"""

import ctypes
import inspect

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
define i8 @wrap(i8 %x) {
  ret i8 %x
}
define { double, double } @split(double %x) {
  %n = fptosi double %x to i64
  %whole = sitofp i64 %n to double
  %part = fsub double %x, %whole
  %one = insertvalue { double, double } poison, double %whole, 0
  %both = insertvalue { double, double } %one, double %part, 1
  ret { double, double } %both
}
"""


def attempt(call, *arguments):
    """Print what a call gives or raises."""
    try:
        print(" ", call(*arguments))
    except (TypeError, OverflowError) as error:
        print(f"  {type(error).__name__}: {error}")


with lazyjit.JIT() as jit:
    jit.add(SOURCE)
    hypotenuse = jit["hypotenuse"]
    print(hypotenuse, inspect.signature(hypotenuse))
    print("called:", hypotenuse(3.0, b=4), hypotenuse.state)

    print("refused:")
    attempt(hypotenuse, 3.0)
    attempt(hypotenuse, 3.0, "4")
    attempt(jit["wrap"], 200)
    print("an unsigned byte:")
    attempt(jit.callable("wrap", "uint8(uint8)"), 200)

    # Several results are a tuple; an aggregate of IR taken for a complex number is one.
    print("split:", jit["split"](2.5), jit.callable("split", "complex128(double)")(2.5))

    # Functions of the process have no IR: a signature says what they take. All three forms:
    print("strlen:", jit.callable("strlen", "size_t(char*)")("déjà vu"))
    print("abs:", jit.callable("abs", (ctypes.c_int, [ctypes.c_int]))(-5))

    def pow(x: float, y: float = 2.0) -> float:
        """x to the power of y, as the C library has it."""

    power = jit.callable("pow", pow)
    print("pow:", power(3.0), power(2.0, y=10.0), "-", power.__doc__)

    # In the hottest loops: the same as a builtin of Python's own, without the attributes.
    print(sum(map(hypotenuse.builtin, [3.0, 5.0, 8.0], [4.0, 12.0, 15.0])))
