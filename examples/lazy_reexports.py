"""Lazy reexports: stubs for what something else makes when it is first called.

Modules are lazy by themselves. A lazy reexport is the same for symbols that anything makes, here
for those of a unit written in Python: looking the name up gives a stub at once, and only a call
through it starts the unit.
"""

import ctypes

import lazyjit
from lazyjit.core import MaterializationResponsibility, MaterializationUnit
from lazyjit.symbols import ExecutorSymbolDef, SymbolFlags

INT = ctypes.c_int
FLAGS = SymbolFlags.EXPORTED | SymbolFlags.CALLABLE


class Table(MaterializationUnit):
    """Makes `square`: a callback into Python that looks its answer up in a table."""

    def __init__(self) -> None:
        super().__init__("squares", {"square": FLAGS})

    def materialize(self, responsibility: MaterializationResponsibility) -> None:
        """Build the table, and give the callback's address."""
        print("building the table")
        squares = [n * n for n in range(1000)]
        self.callback = ctypes.CFUNCTYPE(INT, INT)(lambda n: squares[n])
        address = ctypes.cast(self.callback, ctypes.c_void_p).value or 0
        responsibility.notify_resolved({"square": ExecutorSymbolDef(address, FLAGS)})
        responsibility.notify_emitted()


PROGRAM = """
declare i32 @lazy_square(i32)

define i32 @program(i32 %n) {
  %small = icmp slt i32 %n, 2
  br i1 %small, label %easy, label %hard
easy:
  ret i32 %n
hard:
  %r = call i32 @lazy_square(i32 %n)
  ret i32 %r
}
"""

with lazyjit.JIT() as jit:
    tables = jit.create_dylib("tables")
    table = Table()
    tables.define(table)
    jit.reexport_lazily({"lazy_square": "square"}, tables)
    jit.add(PROGRAM)

    program = jit.function("program", INT, INT)
    print("program(1):", program(1))
    print("now the call that needs it")
    print("program(12):", program(12))
