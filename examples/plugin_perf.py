"""Profiling JIT'd code: Linux perf reports its functions by name.

With `perf_support`, the functions of whatever is linked are written where perf looks for them:

    perf record -e cpu-clock python plugin_perf.py; perf report

and, with their code and lines, to a dump for `perf inject --jit` (see lazyjit.layers.plugins.perf).
By itself this prints what perf would read.
"""

import ctypes
import os
import tempfile
from pathlib import Path

import lazyjit

PROGRAM = """
define i64 @sum(i64 %n) {
  br label %loop
loop:
  %i = phi i64 [ 0, %0 ], [ %next, %loop ]
  %s = phi i64 [ 0, %0 ], [ %t, %loop ]
  %t = add i64 %s, %i
  %next = add i64 %i, 1
  %more = icmp ule i64 %next, %n
  br i1 %more, label %loop, label %done
done:
  ret i64 %t
}
"""

with tempfile.TemporaryDirectory() as folder:
    os.environ["JITDUMPDIR"] = folder  # or the system's folder for temporary files
    with lazyjit.JIT(perf_support=True, opt_level=0) as jit:
        jit.add(PROGRAM, name="sum.ll")
        print("sum:", jit.function("sum", ctypes.c_int64, ctypes.c_int64)(10_000_000))
        the_map = Path(f"/tmp/perf-{os.getpid()}.map")
        for line in the_map.read_text().splitlines():
            start, size, name = line.split(" ", 2)
            print(f"perf knows {name}, {int(size, 16)} bytes at {start}")
        the_map.unlink()
    print("for perf inject:", *(path.suffix for path in Path(folder).iterdir()))
