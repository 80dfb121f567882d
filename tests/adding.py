"""The small programs that the tests of the face run."""

import ctypes

INT = ctypes.c_int32

TWICE = "define i32 @twice(i32 %x) {\n  %r = add i32 %x, %x\n  ret i32 %r\n}\n"

#: Three functions and a sum that they share; `never` is never called.
PROGRAM = """
@total = global i32 0
define i32 @add(i32 %x) {
  %old = load i32, ptr @total
  %new = add i32 %old, %x
  store i32 %new, ptr @total
  ret i32 %new
}
define i32 @add_twice(i32 %x) {
  %first = call i32 @add(i32 %x)
  %second = call i32 @add(i32 %x)
  ret i32 %second
}
define i32 @never() {
  ret i32 0
}
"""
