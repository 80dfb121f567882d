"""Many threads: calls run in parallel, and a function is compiled once however many call it first.

A call lets go of Python's lock for as long as it lasts, so threads that call compiled code run at
the same time. Every first call here is made by eight threads at once.
"""

import ctypes
import threading

import lazyjit

THREADS, FUNCTIONS = 8, 50

SOURCE = "\n".join(
    f"""
define i64 @work{i}(i64 %n) {{
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %sum = phi i64 [ {i}, %entry ], [ %more, %loop ]
  %square = mul i64 %i, %i
  %mixed = xor i64 %square, %sum
  %more = add i64 %mixed, %i
  %next = add i64 %i, 1
  %again = icmp ult i64 %next, %n
  br i1 %again, label %loop, label %done
done:
  ret i64 %more
}}"""
    for i in range(FUNCTIONS)
)


with lazyjit.JIT(unit_policy="function") as jit:
    jit.add(SOURCE, name="work.ll")
    functions = [jit.function(f"work{i}", ctypes.c_int64, ctypes.c_int64) for i in range(FUNCTIONS)]
    results: list[list[int]] = [[] for _ in range(THREADS)]
    together = threading.Barrier(THREADS)

    def run(mine: list[int]) -> None:
        """Call every function, each together with all other threads."""
        for function in functions:
            together.wait()
            mine.append(function(10_000))

    threads = [threading.Thread(target=run, args=(mine,)) for mine in results]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    print("calls:", sum(map(len, results)))
    print("all threads agree:", all(mine == results[0] for mine in results))
    print("functions compiled:", jit.statistics().functions_compiled)
    print("units compiled:", jit.statistics().units)
