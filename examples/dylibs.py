"""Dylibs and link order: one name, two definitions, and who finds which.

A dylib is a namespace, as a shared library is one. Its code finds names along its link order: in
itself first, hidden names included, then in the others, exported names only.
"""

import ctypes

import lazyjit
from lazyjit.core import LookupFlags

INT = ctypes.c_int

PLUGIN = "define i32 @scale() { ret i32 %d }"

PROGRAM = """
declare i32 @scale()
declare i32 @isatty(i32)

define i32 @program() {
  %s = call i32 @scale()
  %a = call i32 @isatty(i32 -1)
  %r = add i32 %s, %a
  ret i32 %r
}
"""

with lazyjit.JIT() as jit:
    tens, hundreds = jit.create_dylib("tens"), jit.create_dylib("hundreds")
    jit.add(PLUGIN.replace("%d", "10"), dylib=tens)
    jit.add(PLUGIN.replace("%d", "100"), dylib=hundreds)

    for plugin in (tens, hundreds):
        dylib = jit.create_dylib(f"program with {plugin.name}")
        dylib.add_to_link_order(plugin)
        jit.add(PROGRAM, dylib=dylib)
        print(f"{dylib.name}:", jit.function("program", INT, dylib=dylib)())

    # `isatty` came from the C library: a new dylib looks into itself, then into the process.
    print("link order:", ", ".join(each.name for each, _ in dylib.link_order))

    # Another order: the plugin before the process, so that it may replace functions of C's.
    jit.add("define i32 @isatty(i32 %file) { ret i32 1 }", dylib=hundreds)
    first = jit.create_dylib("program with the plugin first")
    process = first.link_order[1]
    first.set_link_order([(hundreds, LookupFlags.EXPORTED_ONLY), process])
    jit.add(PROGRAM, dylib=first)
    print(f"{first.name}:", jit.function("program", INT, dylib=first)())
