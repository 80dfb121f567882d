"""Unwind tables for somebody else: a profiler that walks stacks, say, or an unwinder of one's own.

The plugin tells the process's unwinder, as lazyjit does without it, and each registrar that it is
given: when code is in place, and before it goes.
"""

import ctypes

import lazyjit
from lazyjit.layers.plugins.eh_frame import EHFrameRegistration


class Walker:
    """Has to know the tables of all code."""

    def __init__(self):
        self.tables = {}

    def register(self, address, size):
        """Code is there."""
        self.tables[address] = ctypes.string_at(address, size)

    def deregister(self, address, size):
        """It goes."""
        del self.tables[address]


walker = Walker()
with lazyjit.JIT() as jit:
    jit.add_plugin(EHFrameRegistration(walker))
    tracker = jit.add("define i32 @f() uwtable {\n  ret i32 3\n}\n", name="f.ll")
    print("f:", jit.function("f", ctypes.c_int)())
    print("tables:", len(walker.tables))
    tracker.remove()
    print("after removal:", len(walker.tables))
