"""Removing code: whatever is added comes with a tracker that takes it back.

Names go at once and can be defined anew. Memory goes when every call that was under way has
returned. A callable of removed code raises; it can't run into freed memory.
"""

import ctypes

import lazyjit
from lazyjit.errors import DuplicateDefinition, SymbolRemoved

VERSION = "define i32 @version() { ret i32 %d }"


with lazyjit.JIT() as jit:
    tracker = jit.add(VERSION.replace("%d", "1"), name="one.ll")
    first = jit.function("version", ctypes.c_int)
    print("version:", first())
    used = jit.statistics().arena["text_used"]

    try:
        jit.add(VERSION.replace("%d", "2"), name="two.ll")
    except DuplicateDefinition as error:
        print("refused:", error)

    tracker.remove()
    print("memory was given back:", jit.statistics().arena["text_used"] < used)
    jit.add(VERSION.replace("%d", "2"), name="two.ll")
    print("version:", jit.function("version", ctypes.c_int)())

    try:
        first()
    except SymbolRemoved as error:
        print("the old callable:", error)
