"""Reading what was linked: the machine code of each link, with names (needs capstone)."""

import ctypes
import sys

import lazyjit
from lazyjit.layers.plugins.disassembly import Disassembly

PROGRAM = """
declare i32 @abs(i32)
define i32 @distance(i32 %a, i32 %b) {
  %d = sub i32 %a, %b
  %r = call i32 @abs(i32 %d) nobuiltin
  ret i32 %r
}
"""

with lazyjit.JIT() as jit:
    jit.add_plugin(Disassembly(sys.stdout, functions="distance"))
    jit.add(PROGRAM, name="distance.ll")
    distance = jit.function("distance", ctypes.c_int, ctypes.c_int, ctypes.c_int)
    print("distance:", distance(3, 10))
