"""Seeing what is compiled: units as they are made, and the statistics.

A unit is what is compiled at a time. The policy decides what goes into one: a function alone, a
cluster of functions that are likely to run together, or the whole module.
"""

import ctypes

import lazyjit
from lazyjit import UnitInfo

SOURCE = """
define i32 @leaf(i32 %x) {
  %r = add i32 %x, 1
  ret i32 %r
}
define i32 @root(i32 %x) {
  %a = call i32 @leaf(i32 %x)
  %b = call i32 @leaf(i32 %a)
  ret i32 %b
}
define i32 @elsewhere(i32 %x) {
  ret i32 %x
}
"""


def show(unit: UnitInfo) -> None:
    """Called before each unit is compiled, on the thread that compiles it."""
    print(f"  unit {', '.join(sorted(unit.functions))}: {len(unit.text)} bytes of IR")


for policy in lazyjit.UnitPolicy:
    # Without inlining, and without threads that work ahead, to keep the units apart.
    with lazyjit.JIT(opt_level=0, speculate=False, unit_policy=policy, on_unit=show) as jit:
        jit.add(SOURCE, name="calls.ll")
        print(f"{policy.value}:", flush=True)
        jit.function("root", ctypes.c_int, ctypes.c_int)(40)
        now = jit.statistics()
        print(
            f"  compiled {now.functions_compiled} of {now.functions_known} functions,"
            f" {now.first_calls} first calls"
        )

with lazyjit.JIT() as jit:
    jit.add(SOURCE, name="calls.ll")
    jit.compile(["root", "elsewhere"])  # now, and wait for it
    print("asked for:", jit.statistics().functions_compiled >= 2)
    print("stages:", ", ".join(jit.statistics().seconds))
