"""What was linked, in numbers: by section, by kind of symbol, and the largest of them."""

import ctypes

import lazyjit
from lazyjit.layers.plugins.sizes import SizeStatistics

PROGRAM = """
@table = global [100 x i32] zeroinitializer
define i32 @at(i32 %i) {
  %p = getelementptr [100 x i32], ptr @table, i32 0, i32 %i
  %r = load i32, ptr %p
  ret i32 %r
}
"""

sizes = SizeStatistics(largest=1)
with lazyjit.JIT() as jit:
    jit.add_plugin(sizes)
    jit.add(PROGRAM, name="table.ll")
    jit.function("at", ctypes.c_int, ctypes.c_int)(3)
    print(sizes.table())

found = sizes.statistics()
print("the largest:", found.largest[0][1], found.largest[0][0])
