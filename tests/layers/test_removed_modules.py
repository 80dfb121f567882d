"""A module that was removed is let go of: its text and index are most of what it costs."""

import gc
import weakref

from lazyjit import JIT

SOURCE = """
@llvm.global_ctors = appending global [1 x { i32, ptr, ptr }]
  [{ i32, ptr, ptr } { i32 65535, ptr @start, ptr null }]
define void @start() {
  ret void
}
define i32 @answer() {
  ret i32 42
}
"""


def test_modules_added_and_removed_in_turn_do_not_pile_up():
    with JIT(opt_level=0, compile_threads=1) as jit:
        gone = []
        for _ in range(6):
            tracker = jit.add(SOURCE)
            table = jit.main._tables[-1].table
            gone.append(weakref.ref(table))
            del table
            tracker.remove()
        del tracker
        gc.collect()
        assert sum(each() is not None for each in gone) <= 1
