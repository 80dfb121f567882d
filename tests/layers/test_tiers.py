"""Speculation and promotion: work that nobody waits for, and what it may not change."""

import ctypes
import threading

import pytest

from lazyjit import JIT
from lazyjit.errors import FailedToMaterialize

# main calls work and, if told to, rare; each has a callee of its own.
PROGRAM = """
@count = internal global i64 0

define i64 @step(i64 %n) {
  %old = load i64, ptr @count
  %new = add i64 %old, %n
  store i64 %new, ptr @count
  ret i64 %new
}

define internal i64 @twice(i64 %n) noinline {
  %a = call i64 @step(i64 %n)
  %b = call i64 @step(i64 %n)
  ret i64 %b
}

define i64 @run(i64 %n) {
  %r = call i64 @twice(i64 %n)
  ret i64 %r
}
"""


def chain(length: int) -> str:
    """f0 calls f1 calls f2 ...; the last returns its argument."""
    links = [
        f"define i64 @f{i}(i64 %n) noinline {{\n  %r = call i64 @f{i + 1}(i64 %n)\n"
        "  %s = add i64 %r, 1\n  ret i64 %s\n}"
        for i in range(length)
    ]
    return "\n".join([*links, f"define i64 @f{length}(i64 %n) noinline {{ ret i64 %n }}"])


def settled(jit: JIT, done, attempts: int = 10_000) -> bool:
    """Whether `done(statistics)` comes true while demands keep the pool turning."""
    probe = "define i64 @probe{0}() {{\n  ret i64 {0}\n}}"
    for i in range(attempts):
        if done(jit.statistics()):
            return True
        jit.add(probe.format(i))
        assert jit.function(f"probe{i}", ctypes.c_int64)() == i
    return False


def test_promoted_code_shares_the_data_of_the_first_tier():
    with JIT(opt_level=2, tiered=True, compile_threads=2) as jit:
        jit.add(PROGRAM)
        run = jit.function("run", ctypes.c_int64, ctypes.c_int64)
        before = jit.lookup("step")
        calls, expected = 0, 0
        assert run(1) == 2
        expected = 2
        assert settled(jit, lambda s: s.functions_promoted >= 3)
        for calls in range(1, 200):
            expected += 2 * calls
            assert run(calls) == expected
        assert jit.lookup("step") == before, "a function's address is its stub's, in every tier"


def test_a_session_without_tiers_compiles_each_function_once():
    with JIT(opt_level=2, compile_threads=2) as jit:
        jit.add(PROGRAM)
        assert jit.function("run", ctypes.c_int64, ctypes.c_int64)(1) == 2
        statistics = jit.statistics()
    assert (statistics.functions_compiled, statistics.functions_promoted) == (3, 0)


def test_threads_that_call_while_stubs_are_swapped_see_every_result_right():
    with JIT(opt_level=1, tiered=True, compile_threads=2) as jit:
        jit.add(chain(40))
        functions = [jit.function(f"f{i}", ctypes.c_int64, ctypes.c_int64) for i in range(40)]
        wrong = []

        def call() -> None:
            for _ in range(50):
                for i, function in enumerate(functions):
                    if function(7) != 7 + 40 - i:
                        wrong.append(i)

        threads = [threading.Thread(target=call) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong


def test_removal_takes_promoted_code_along():
    with JIT(opt_level=2, tiered=True, compile_threads=2) as jit:
        jit.add("define i64 @stays() {\n  ret i64 1\n}")
        assert jit.function("stays", ctypes.c_int64)() == 1
        tracker = jit.add(PROGRAM)
        run = jit.function("run", ctypes.c_int64, ctypes.c_int64)
        assert run(3) == 6
        jit.remove(tracker)
        with pytest.raises(Exception, match="was removed"):
            run(3)
        assert jit.function("stays", ctypes.c_int64)() == 1


@pytest.mark.parametrize("speculate", [False, True])
def test_speculation_changes_no_result_and_compiles_nothing_twice(speculate):
    with JIT(opt_level=0, compile_threads=3, speculate=speculate) as jit:
        jit.add(chain(200))
        assert jit.function("f0", ctypes.c_int64, ctypes.c_int64)(1) == 201
        assert jit.statistics().functions_compiled <= 201


def test_one_compile_thread_does_not_speculate():
    # The second function is never called; a cluster of one would not have it.
    source = "declare void @missing()\n" + chain(60)
    with JIT(opt_level=0, compile_threads=1) as jit:
        jit.add(source)
        assert jit.function("f50", ctypes.c_int64, ctypes.c_int64)(1) == 11
        assert jit.statistics().functions_compiled == 11


def test_a_unit_that_was_taken_apart_is_promoted_in_its_parts():
    with JIT(opt_level=2, tiered=True, compile_threads=1) as jit:
        jit.add(
            """
declare i64 @nowhere()
define internal i64 @rare() {
  %r = call i64 @nowhere()
  ret i64 %r
}
define i64 @usual(i1 %odd) {
  br i1 %odd, label %x, label %y
x:
  %r = call i64 @rare()
  ret i64 %r
y:
  ret i64 7
}
"""
        )
        usual = jit.function("usual", ctypes.c_int64, ctypes.c_bool)
        assert usual(False) == 7
        assert settled(jit, lambda s: s.functions_promoted > 0)
        assert jit.statistics().failures == 0
        assert usual(False) == 7
        with pytest.raises(FailedToMaterialize, match="nowhere"):
            usual(True)
