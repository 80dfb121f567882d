"""Code for fixed positions: absolute addresses of 32 bits, from IR and from objects."""

import ctypes
import os
import subprocess
import sys

import pytest

from lazyjit import JIT
from lazyjit.errors import FailedToMaterialize, RelocationError
from lazyjit.link.memory_slab import SlabMemoryManager

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


ANYWHERE = """
import ctypes, sys
from lazyjit import JIT
with JIT(opt_level=1) as jit:
    jit.add(sys.argv[1])
    print(jit.lookup("twice") - ctypes.cast(ctypes.CDLL(None).memcpy, ctypes.c_void_p).value)
"""


def test_code_that_may_lie_anywhere_lies_near_the_c_library():
    # In a process of its own: in this one the heaps of threads may have taken the room.
    done = subprocess.run(
        [sys.executable, "-c", ANYWHERE, SOURCE],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path or "." for path in sys.path)},
    )
    assert done.returncode == 0, done.stderr
    assert abs(int(done.stdout)) < 1 << 31


FIXED = "int table[4] = {1, 2, 3, 4}; int get(long i) { return table[i]; }"


def test_a_slab_below_2_gib_takes_objects_for_fixed_positions(compile_object):
    slab = SlabMemoryManager(1 << 20, address=0x3000_0000)
    with JIT(memory_manager=slab) as jit:
        jit.add(compile_object(FIXED, "-fno-pic", "-O1"))
        get = jit.function("get", ctypes.c_int, ctypes.c_long)
        assert [get(i) for i in range(4)] == [1, 2, 3, 4]
        assert 0x3000_0000 <= jit.lookup("get") < 0x3010_0000
    slab.close()


def test_a_manager_elsewhere_is_told_what_they_need(compile_object):
    slab = SlabMemoryManager(1 << 20)
    with JIT(memory_manager=slab) as jit:
        jit.add(compile_object(FIXED, "-fno-pic", "-O1"))
        with pytest.raises(FailedToMaterialize) as caught:
            jit.lookup("get")
        assert isinstance(caught.value.__cause__, RelocationError)
        assert "needs memory below 2 GiB" in str(caught.value.__cause__)
    slab.close()
