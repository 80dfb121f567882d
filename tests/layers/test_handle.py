"""Handles: typed callables that pin their session and know when their code is gone."""

from __future__ import annotations

import ctypes
import gc
import threading

import pytest

from lazyjit import JIT
from lazyjit.errors import ResourceTrackerDefunct, SessionClosed, SymbolRemoved, SymbolsNotFound

INT = ctypes.c_int

F = "define i32 @f(i32 %x) {\n  %r = add i32 %x, 1\n  ret i32 %r\n}\n"

#: Calls back into Python, then goes on in the same function; and in another one.
ALONE = """
declare i32 @pause(i32)
define i32 @go(i32 %x) {
  %a = call i32 @pause(i32 %x)
  %b = mul i32 %a, 3
  ret i32 %b
}
"""
IN_FLIGHT = """
declare i32 @pause(i32)
define i32 @go(i32 %x) {
  %a = call i32 @pause(i32 %x)
  %b = call i32 @after(i32 %a)
  ret i32 %b
}
define i32 @after(i32 %x) noinline {
  %r = mul i32 %x, 3
  ret i32 %r
}
"""


def callback(jit: JIT, name: str, function):
    made = ctypes.CFUNCTYPE(INT, INT)(function)
    jit.define(name, ctypes.cast(made, ctypes.c_void_p).value)
    return made


def test_arguments_are_checked_and_converted(jit):
    jit.add(F)
    f = jit.function("f", INT, INT)
    assert f(1) == 2
    with pytest.raises(TypeError):
        f()
    with pytest.raises(ctypes.ArgumentError):
        f("one")
    assert "f" in repr(f)
    assert (f.name, f.restype, f.argtypes, f.address) == ("f", INT, (INT,), jit.lookup("f"))


def test_a_handle_keeps_its_session_alive():
    def make():
        jit = JIT(compile_threads=1)
        jit.add(F)
        return jit.function("f", INT, INT)

    f = make()
    gc.collect()
    assert f(1) == 2


def test_calls_after_removal_raise_whether_or_not_there_was_one_before(jit):
    tracker = jit.add(F + F.replace("@f", "@g"))
    f, g = jit.function("f", INT, INT), jit.function("g", INT, INT)
    assert f(1) == 2
    jit.remove(tracker)
    jit.remove(tracker)
    for handle in (f, g, f):
        with pytest.raises(SymbolRemoved) as caught:
            handle(1)
        assert caught.value.symbol == handle.name
    with pytest.raises(SymbolsNotFound):
        jit.lookup("f")
    with pytest.raises(ResourceTrackerDefunct):
        tracker.dylib.create_tracker().transfer_to(tracker)


def test_a_name_is_free_again_after_removal_and_old_handles_stay_dead(jit):
    old = jit.add(F)
    f = jit.function("f", INT, INT)
    assert f(1) == 2
    jit.remove(old)
    jit.add(F.replace("1", "100").replace("i3200", "i32"))
    assert jit.function("f", INT, INT)(1) == 101
    with pytest.raises(SymbolRemoved):
        f(1)


def test_a_handle_follows_code_that_was_transferred(jit):
    first, second = jit.add(F), jit.main.create_tracker()
    f = jit.function("f", INT, INT)
    first.transfer_to(second)
    assert f(1) == 2
    jit.remove(second)
    with pytest.raises(SymbolRemoved):
        f(1)


def test_a_module_that_calls_what_was_removed_raises_in_the_python_call(jit):
    tracker = jit.add(F)
    jit.add(
        "declare i32 @f(i32)\ndefine i32 @use(i32 %x) {\n"
        "  %r = call i32 @f(i32 %x)\n  ret i32 %r\n}\n"
    )
    use = jit.function("use", INT, INT)
    assert use(1) == 2
    held = callback(jit, "hold", lambda x: x)
    assert held
    jit.remove(tracker)
    with pytest.raises(Exception, match="f"):
        use(1)


def test_code_in_flight_outlives_its_removal(jit):
    inside, removed = threading.Event(), threading.Event()

    def pause(x: int) -> int:
        inside.set()
        removed.wait()
        return x + 1

    kept = callback(jit, "pause", pause)
    jit.add(F)
    jit.lookup("f")  # the first stub takes room for many
    before = jit.statistics().arena
    tracker = jit.add(ALONE)
    jit.compile(["go"])
    go = jit.function("go", INT, INT)
    results: list[int] = []
    caller = threading.Thread(target=lambda: results.append(go(1)))
    caller.start()
    inside.wait()
    jit.remove(tracker)
    during = jit.statistics().arena
    with pytest.raises(SymbolRemoved):
        go(1)
    assert jit.statistics().arena == during != before
    removed.set()
    caller.join()
    assert results == [6]
    assert jit.statistics().arena == before
    assert kept


def test_a_function_may_remove_itself(jit):
    tracker = None

    def pause(x: int) -> int:
        jit.remove(tracker)
        return x

    kept = callback(jit, "pause", pause)
    jit.add(F)
    jit.lookup("f")  # the first stub takes room for many
    before = jit.statistics().arena
    tracker = jit.add(ALONE)
    jit.compile(["go"])
    go = jit.function("go", INT, INT)
    assert go(2) == 6
    with pytest.raises(SymbolRemoved):
        go(2)
    assert jit.statistics().arena == before
    assert kept


def test_a_call_in_flight_that_needs_more_of_what_was_removed_raises():
    tracker = None
    with JIT(compile_threads=1, unit_policy="function", opt_level=0) as lazy:
        kept = callback(lazy, "pause", lambda x: lazy.remove(tracker) or x)
        tracker = lazy.add(IN_FLIGHT)
        with pytest.raises(SymbolRemoved):
            lazy.function("go", INT, INT)(1)
        lazy.session.verify_session()
    assert kept


def test_a_call_may_close_its_own_session():
    jit = JIT(compile_threads=2)
    kept = callback(jit, "pause", lambda x: jit.close() or x + 1)
    jit.add(IN_FLIGHT)
    jit.compile(["go", "after"])
    go = jit.function("go", INT, INT)
    assert go(1) == 6
    with pytest.raises(SessionClosed):
        go(1)
    assert kept


def test_closing_while_a_call_is_in_flight_lets_it_return():
    inside, closed = threading.Event(), threading.Event()

    def pause(x: int) -> int:
        inside.set()
        closed.wait()
        return x + 1

    jit = JIT(compile_threads=2)
    kept = callback(jit, "pause", pause)
    jit.add(IN_FLIGHT)
    jit.compile(["go", "after"])
    go = jit.function("go", INT, INT)
    results: list[int] = []
    caller = threading.Thread(target=lambda: results.append(go(1)))
    caller.start()
    inside.wait()
    jit.close()
    with pytest.raises(SessionClosed):
        go(1)
    closed.set()
    caller.join()
    assert results == [6]
    assert kept


@pytest.mark.parametrize("policy", ["function", "cluster"])
def test_removal_while_the_first_call_compiles_fails_that_call(policy):
    trackers = []

    def take_away(unit) -> None:
        while trackers:
            trackers.pop().remove()

    with JIT(compile_threads=2, on_unit=take_away, unit_policy=policy) as jit:
        jit.add("define i32 @other() {\n  ret i32 5\n}\n")
        trackers.append(jit.add(F))
        with pytest.raises(SymbolRemoved):
            jit.function("f", INT, INT)(1)
        assert jit.function("other", INT)() == 5
        jit.add(F)
        assert jit.function("f", INT, INT)(1) == 2
        jit.session.verify_session()


@pytest.mark.parametrize("called", [True, False])
def test_two_hundred_rounds_of_adding_calling_and_removing_leave_nothing(jit, called):
    text = (
        F + "@data = global [64 x i32] zeroinitializer\ndefine ptr @where() {\n  ret ptr @data\n}\n"
    )

    def round_() -> None:
        tracker = jit.add(text)
        f, where = jit.function("f", INT, INT), jit.function("where", ctypes.c_void_p)
        if called:
            assert f(1) == 2
            assert where() == jit.lookup("data")
        jit.remove(tracker)

    for _ in range(3):
        round_()
    arena, stubs = jit.statistics().arena, jit._stubs.statistics().live
    for _ in range(200):
        round_()
    assert jit.statistics().arena == arena
    assert jit._stubs.statistics().live == stubs
    assert jit._grace.waiting == 0
