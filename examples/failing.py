"""A first call that fails: the exception surfaces in the Python call that led to it.

A broken function costs nothing until it is called. Then the call through native code is unwound,
and Python gets an exception with the symbols, the file and the line. The process and all other
functions go on.
"""

import ctypes

import lazyjit
from lazyjit.errors import FailedToMaterialize, IRError, LazyJITError, SymbolsNotFound

SOURCE = """
declare i32 @nobody_has_this(i32)

define i32 @broken() {
  %r = add i32 1, %nonsense
  ret i32 %r
}
define i32 @incomplete() {
  %r = call i32 @nobody_has_this(i32 1)
  ret i32 %r
}
define i32 @program(i32 %which) {
  switch i32 %which, label %fine [ i32 1, label %one i32 2, label %two ]
one:
  %a = call i32 @broken()
  ret i32 %a
two:
  %b = call i32 @incomplete()
  ret i32 %b
fine:
  ret i32 42
}
"""


def cause(error: BaseException) -> BaseException:
    """The failure at the root."""
    while isinstance(error, FailedToMaterialize) and error.__cause__ is not None:
        error = error.__cause__
    return error


with lazyjit.JIT(opt_level=0, unit_policy="function") as jit:
    jit.add(SOURCE, name="program.ll")
    program = jit.function("program", ctypes.c_int, ctypes.c_int)
    for which in (0, 1, 2, 0):
        try:
            print(f"program({which}):", program(which))
        except LazyJITError as error:
            root = cause(error)
            print(f"program({which}) raised {type(error).__name__}")
            if isinstance(root, IRError):
                print(f"  {root.file}, line {root.line}: {root.reason.splitlines()[0]}")
            elif isinstance(root, SymbolsNotFound):
                print(f"  missing: {', '.join(root.symbols)}")
