"""How long lazyjit takes to resolve a stub whose body is ready; a subject in its own process.

    python -m bench.peers.lazyjit_resolve [--functions N] [--reexports] --times FILE

A module has N small functions and one that calls through a table of addresses. All bodies are
compiled before the table's stubs are called for the first time, so each finds its body ready. A
module's own stubs are resolved with their bodies, and their first call finds nothing to do. With
--reexports the table has lazy reexports of the functions instead, made before the bodies were:
where they lead is found out by their first call. The second sweep is the cost of the calls
themselves. The report's "each" is the difference per stub, in seconds; "first" and "second" are the
sweeps.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import time
from pathlib import Path
from typing import Any

from bench import face


def module_text(count: int) -> str:
    leaves = "\n".join(
        f"define i64 @leaf{i}(i64 %x) {{\n  %y = add i64 %x, {i}\n  ret i64 %y\n}}"
        for i in range(count)
    )
    return (
        leaves
        + """
define i64 @sweep(ptr %table, i64 %count) {
entry:
  br label %next

next:
  %i = phi i64 [ 0, %entry ], [ %i.next, %next ]
  %sum = phi i64 [ 0, %entry ], [ %sum.next, %next ]
  %slot = getelementptr ptr, ptr %table, i64 %i
  %leaf = load ptr, ptr %slot
  %result = call i64 %leaf(i64 %i)
  %sum.next = add i64 %sum, %result
  %i.next = add i64 %i, 1
  %more = icmp ult i64 %i.next, %count
  br i1 %more, label %next, label %done

done:
  ret i64 %sum.next
}
"""
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--functions", type=int, default=2000)
    parser.add_argument("--reexports", action="store_true")
    parser.add_argument("--times", type=Path, required=True)
    options = parser.parse_args()
    count = options.functions

    jit = face.new_jit(opt_level=0, compile_threads=1)
    jit.add(module_text(count))
    names = [f"leaf{i}" for i in range(count)]
    bodies = [face.body_name(name) for name in names]
    if options.reexports:
        names = [f"again.{name}" for name in names]
        jit.reexport_lazily(dict(zip(names, bodies, strict=True)), jit.main)
    for name in names:
        jit.lookup(name)
    face.materialize_bodies(jit, bodies)
    table = (ctypes.c_void_p * count)(*(jit.lookup(name) for name in names))
    sweep = jit.function("sweep", ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64)
    # Compiles sweep itself, with a leaf that is not in the table's part that is measured.
    sweep(ctypes.addressof(table), 1)

    def timed() -> float:
        start = time.perf_counter()
        result = sweep(ctypes.addressof(table), count)
        elapsed = time.perf_counter() - start
        assert result == sum(2 * i for i in range(count))
        return elapsed

    first, second = timed(), timed()
    report: dict[str, Any] = {"start": 0.0, "first": first, "second": second}
    report["each"] = (first - second) / (count - 1)
    options.times.write_text(json.dumps(report))
    os._exit(0)


if __name__ == "__main__":
    main()
