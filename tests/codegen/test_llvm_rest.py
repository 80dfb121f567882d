"""A process that ends while other threads compile: LLVM is not taken apart under them."""

from __future__ import annotations

import subprocess
import sys

import pytest

#: Exits by `way` as soon as the pool threads are compiling functions that take LLVM a while.
PROGRAM = """
import ctypes, sys, threading
import lazyjit

lines = "".join(f"  %x{i + 1} = mul i64 %x{i}, %x{i // 2}\\n" for i in range(1000))
text = "".join(
    f"define i64 @f{n}(i64 %x0) {{\\n{lines}  ret i64 %x1000\\n}}\\n" for n in range(4)
) + "declare void @exit(i32)\\ndefine void @leave() { call void @exit(i32 7)\\n ret void }\\n"
begun = threading.Semaphore(0)
jit = lazyjit.JIT(
    compile_threads=3, unit_policy="function", speculate=False, on_unit=lambda unit: begun.release()
)
jit.add(text)
leave = jit.function("leave", None)
jit.compile(["leave"])
begun.acquire()
for n in range(2):
    threading.Thread(target=jit.compile, args=([f"f{n}"],), daemon=True).start()
    begun.acquire()
if sys.argv[1] == "jit":
    leave()
ctypes.CDLL(None).exit(7)
"""


@pytest.mark.parametrize("way", ["jit", "libc"])
def test_compilations_under_way_are_waited_for(way: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, way], capture_output=True, text=True, timeout=600
    )
    assert (done.returncode, done.stderr) == (7, "")
