"""Debugging JIT'd code: gdb stops at its lines, and its backtraces show them.

With `debugger_support`, whatever is linked is shown to debuggers by GDB's JIT interface, with the
lines of its source if it has any (C compiled with -g, IR with !DILocation). Run this under gdb:

    $ gdb --args python plugin_debugger.py
    (gdb) set breakpoint pending on
    (gdb) break scale
    (gdb) run
    (gdb) bt

By itself it prints how many debug objects a debugger would find.
"""

import ctypes

import lazyjit
from lazyjit.layers.plugins.gdb import announced

PROGRAM = """
define i32 @scale(i32 %x) !dbg !4 {
  %y = mul i32 %x, 3, !dbg !7
  %z = add i32 %y, 1, !dbg !8
  ret i32 %z, !dbg !8
}

!llvm.dbg.cu = !{!0}
!llvm.module.flags = !{!2, !3}

!0 = distinct !DICompileUnit(language: DW_LANG_C, file: !1, emissionKind: FullDebug)
!1 = !DIFile(filename: "scale.lang", directory: "/home/you")
!2 = !{i32 2, !"Debug Info Version", i32 3}
!3 = !{i32 7, !"Dwarf Version", i32 5}
!4 = distinct !DISubprogram(name: "scale", file: !1, line: 10, type: !5, unit: !0,
                            spFlags: DISPFlagDefinition)
!5 = !DISubroutineType(types: !6)
!6 = !{}
!7 = !DILocation(line: 11, column: 3, scope: !4)
!8 = !DILocation(line: 12, column: 3, scope: !4)
"""

with lazyjit.JIT(debugger_support=True, opt_level=0) as jit:
    jit.add(PROGRAM, name="scale.ll")
    print("before the first call:", announced())
    print("scale:", jit.function("scale", ctypes.c_int, ctypes.c_int)(7))
    print("after it:", announced())
print("at the end:", announced())
