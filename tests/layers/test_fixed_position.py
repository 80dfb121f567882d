"""Code for fixed positions: absolute addresses of 32 bits, from IR and from objects."""

import ctypes

from lazyjit import JIT

SOURCE = """
@table = global [8 x i32] [i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7, i32 8]
@handler = global ptr @twice

define i32 @twice(i32 %n) {
  %r = shl i32 %n, 1
  ret i32 %r
}

define i32 @entry(i64 %i) {
  %p = getelementptr [8 x i32], ptr @table, i64 0, i64 %i
  %v = load i32, ptr %p
  %h = load ptr, ptr @handler
  %r = call i32 %h(i32 %v)
  ret i32 %r
}
"""


def test_static_code_indexes_tables_and_takes_addresses_of_functions():
    with JIT(opt_level=1, relocation_model="static") as jit:
        jit.add(SOURCE)
        entry = jit.function("entry", ctypes.c_int, ctypes.c_int64)
        assert [entry(i) for i in range(8)] == [2, 4, 6, 8, 10, 12, 14, 16]
        assert jit.lookup("table") < 1 << 31 > jit.lookup("twice")


def test_code_that_may_lie_anywhere_lies_near_the_c_library():
    with JIT(opt_level=1) as jit:
        jit.add(SOURCE)
        libc = ctypes.cast(ctypes.CDLL(None).memcpy, ctypes.c_void_p).value
        assert abs(jit.lookup("twice") - libc) < 1 << 31
