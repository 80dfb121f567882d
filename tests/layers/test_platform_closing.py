"""Handlers and constructors on one thread, removal and closing on another: memory waits for them.

A handler or constructor is held within a Python function that it calls, which forces the race.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from waiting import eventually

from lazyjit import JIT, failures
from lazyjit.errors import LazyJITError
from lazyjit.link import runtime

#: What calls `hold` runs code of its own afterwards.
SOURCE = """
declare void @hold()
declare i32 @__cxa_thread_atexit(ptr, ptr, ptr)
declare i32 @atexit(ptr)
@__dso_handle = external global i8
@count = global i64 0
define void @after() noinline {
  %n = load i64, ptr @count
  %m = add i64 %n, 1
  store i64 %m, ptr @count
  ret void
}
define void @handler(ptr %unused) {
  call void @hold()
  call void @after()
  ret void
}
define i32 @for_exit() {
  %s = call i32 @atexit(ptr @handler)
  ret i32 %s
}
define i32 @for_thread_exit() {
  %s = call i32 @__cxa_thread_atexit(ptr @handler, ptr null, ptr @__dso_handle)
  ret i32 %s
}
"""
CONSTRUCTOR = """
@llvm.global_ctors = appending global [1 x { i32, ptr, ptr }]
  [{ i32, ptr, ptr } { i32 65535, ptr @construct, ptr null }]
define internal void @construct() {
  call void @handler(ptr null)
  ret void
}
"""


class Gate:
    """Where a thread is held in the middle of native code."""

    def __init__(self) -> None:
        self.inside, self.go_on = threading.Event(), threading.Event()

    def hold(self) -> None:
        self.inside.set()
        assert self.go_on.wait(600)


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.go_on.set()


def started(target: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=target)
    thread.start()
    return thread


def jit_with(gate: Gate, source: str = SOURCE) -> JIT:
    jit = JIT(compile_threads=1, speculate=False, opt_level=0)
    jit.define("hold", gate.hold, "void()")
    jit.add(source)
    # Nothing of it has to be compiled when the session is closing.
    jit.compile()
    jit["after"]()
    return jit


def close_while_held(jit: JIT, gate: Gate, worker: threading.Thread) -> None:
    """Close `jit` while `worker` is held, and let it go on; memory has to wait for it."""
    assert gate.inside.wait(600)
    jit.close()
    assert not jit._arena.closed
    assert jit._objects.session.closed
    gate.go_on.set()
    worker.join()
    assert eventually(lambda: jit._arena.closed)


def test_closing_waits_for_exit_handlers(gate: Gate) -> None:
    jit = jit_with(gate)
    jit["for_exit"]()
    close_while_held(jit, gate, started(jit.deinitialize))


def test_closing_waits_for_an_ending_thread(gate: Gate) -> None:
    jit = jit_with(gate)
    close_while_held(jit, gate, started(jit["for_thread_exit"]))


def test_closing_waits_for_constructors(gate: Gate) -> None:
    jit = jit_with(gate, SOURCE + CONSTRUCTOR)
    initializer = started(jit.initialize)
    assert gate.inside.wait(600)
    closer = started(jit.close)
    closer.join()
    assert not jit._arena.closed
    gate.go_on.set()
    initializer.join()
    assert jit._arena.closed


def test_a_constructor_that_comes_too_late_does_not_run(gate: Gate) -> None:
    # The session is closed between the look at what is to run and the run.
    jit = jit_with(gate, SOURCE + CONSTRUCTOR)
    platform = jit._platform
    enter = platform._grace.enter
    closed = []

    def closing_first() -> int:
        if not closed:
            closed.append(True)
            jit.close()
        return enter()

    platform._grace.enter = closing_first  # type: ignore[method-assign]
    jit.initialize()
    assert closed
    assert not gate.inside.is_set()
    assert jit._arena.closed


def test_removing_a_dylib_waits_for_an_ending_thread(gate: Gate) -> None:
    jit = JIT(compile_threads=1, speculate=False, opt_level=0)
    dylib = jit.create_dylib("plugin")
    jit.define("hold", gate.hold, "void()", dylib=dylib)
    jit.add(SOURCE, dylib=dylib)
    jit.compile(dylib=dylib)
    used = jit._arena.statistics().text.used
    worker = started(jit.callable("for_thread_exit", dylib=dylib))
    assert gate.inside.wait(600)
    jit.remove_dylib(dylib)
    assert jit._grace.waiting
    gate.go_on.set()
    worker.join()
    assert eventually(lambda: not jit._grace.waiting)
    assert jit._arena.statistics().text.used < used
    jit.close()


class Late:
    """A lock that a thread comes late to."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate

    def __enter__(self) -> None:
        self.gate.hold()

    def __exit__(self, *exception: object) -> None:
        pass


def test_a_dylib_may_be_removed_while_another_thread_is_about_to_deinitialize_it(
    gate: Gate,
) -> None:
    jit = jit_with(Gate())
    dylib = jit.create_dylib("plugin")
    state = jit._platform._states[dylib]
    lock, state.running = state.running, Late(gate)  # type: ignore[assignment]
    failed = []

    def deinitialize() -> None:
        try:
            jit.deinitialize(dylib)
        except Exception as error:
            failed.append(error)

    late = started(deinitialize)
    assert gate.inside.wait(600)
    state.running = lock
    jit.remove_dylib(dylib)
    assert state.runtime._dso is None
    gate.go_on.set()
    late.join()
    assert not failed
    jit.close()


def test_what_registers_later_is_forgotten(gate: Gate) -> None:
    jit = jit_with(gate)
    enroll = jit["for_exit"]
    state = jit._platform._states[jit.main]
    state.runtime.seal()
    assert enroll() == 0
    jit.deinitialize()
    assert not gate.inside.is_set()
    jit.close()


def test_an_exit_handler_may_close_its_session() -> None:
    jit = JIT(compile_threads=1, speculate=False, opt_level=0)
    jit.define("hold", jit.close, "void()")
    jit.add(SOURCE)
    jit.compile()
    jit["for_exit"]()
    jit.deinitialize()
    assert jit._arena.closed


def test_a_handler_that_fails_holds_nobody_up() -> None:
    jit = JIT(compile_threads=1, speculate=False, opt_level=0)
    jit.add("""
declare void @missing()
declare i32 @atexit(ptr)
declare void @__cxa_finalize(ptr)
@__dso_handle = external global i8
define void @handler() {
  call void @missing()
  ret void
}
define void @finalize() {
  %s = call i32 @atexit(ptr @handler)
  call void @__cxa_finalize(ptr @__dso_handle)
  ret void
}
""")
    finalize = jit["finalize"]
    for _ in range(2):
        with pytest.raises(LazyJITError):
            finalize()
    closer = started(jit.close)
    closer.join(600)
    assert not closer.is_alive()


def test_a_handler_that_fails_raises_and_the_others_stay_to_do(gate: Gate) -> None:
    jit = jit_with(gate)
    gate.go_on.set()
    jit.add("""
declare void @missing()
declare i32 @atexit(ptr)
define void @failing() {
  call void @missing()
  ret void
}
define i32 @for_exit_too() {
  %s = call i32 @atexit(ptr @failing)
  ret i32 %s
}
""")
    jit["for_exit"]()
    jit["for_exit_too"]()
    with pytest.raises(LazyJITError, match="missing"):
        jit.deinitialize()
    assert not gate.inside.is_set()
    jit.deinitialize()
    assert gate.inside.is_set()
    jit.close()


def test_a_finalizer_that_fails_raises_and_the_others_stay_to_do(gate: Gate) -> None:
    jit = jit_with(gate)
    gate.go_on.set()
    jit.add("""
@llvm.global_dtors = appending global [2 x { i32, ptr, ptr }]
  [{ i32, ptr, ptr } { i32 100, ptr @last, ptr null },
   { i32, ptr, ptr } { i32 200, ptr @failing, ptr null }]
declare void @missing()
declare void @hold()
define void @failing() {
  call void @missing()
  ret void
}
define void @last() {
  call void @hold()
  ret void
}
""")
    jit.initialize()
    with pytest.raises(LazyJITError, match="missing"):
        jit.deinitialize()
    assert not gate.inside.is_set()
    jit.deinitialize()
    assert gate.inside.is_set()
    jit.close()


def test_a_handler_may_wait_for_the_thread_that_removes_its_dylib(gate: Gate) -> None:
    # The only compile thread removes the dylib, while a handler of it makes a first call.
    jit = JIT(compile_threads=1, speculate=False, opt_level=0)
    dylib = jit.create_dylib("plugin")
    jit.define("hold", gate.hold, "void()", dylib=dylib)
    jit.add(SOURCE, dylib=dylib)
    jit.compile(["handler", "for_thread_exit"], dylib=dylib)
    jit.add("define void @other() {\n  ret void\n}")
    worker = started(jit.callable("for_thread_exit", dylib=dylib))
    assert gate.inside.wait(600)
    removed = threading.Event()

    def remove() -> None:
        jit.remove_dylib(dylib)
        removed.set()

    jit.after_calls(remove)
    assert removed.wait(600)
    jit["other"]()  # the compile thread goes on
    jit.compile()
    gate.go_on.set()
    worker.join()
    jit.close()


FOR_THREAD_EXIT = """
declare i32 @__cxa_thread_atexit(ptr, ptr, ptr)
@__dso_handle = external global i8
declare void @other()
define void @handler(ptr %unused) {
  call void @other()
  ret void
}
define i32 @twice() {
  %s = call i32 @__cxa_thread_atexit(ptr @last, ptr null, ptr @__dso_handle)
  %t = call i32 @__cxa_thread_atexit(ptr @handler, ptr null, ptr @__dso_handle)
  ret i32 %t
}
declare void @hold()
define void @last(ptr %unused) {
  call void @hold()
  ret void
}
"""


def test_a_thread_ends_whose_destructor_cannot_be_had(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda args: told.append(args.exc_value))
    gate.go_on.set()
    jit = JIT(compile_threads=1, speculate=False, opt_level=0)
    jit.define("hold", gate.hold, "void()")
    jit.add(FOR_THREAD_EXIT)
    started(jit["twice"]).join()
    assert eventually(gate.inside.is_set)  # the other destructor ran all the same
    assert ["other" in str(error) for error in told] == [True]
    jit.close()


def test_a_thread_ends_whose_destructor_is_removed_meanwhile(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda args: told.append(args.exc_value))
    jit = JIT(compile_threads=1, speculate=False, opt_level=0)
    jit.define("hold", gate.hold, "void()")
    other = jit.add("define void @other() {\n  ret void\n}")
    held = "call void @hold()\n  call void @other()"
    jit.add(FOR_THREAD_EXIT.replace("call void @other()", held))
    worker = started(jit["twice"])
    assert gate.inside.wait(600)
    other.remove()
    gate.go_on.set()
    worker.join()
    jit.close()
    assert told == []


@pytest.mark.parametrize("what", ["module", "object", "archive"])
@pytest.mark.parametrize("end", ["close", "remove_dylib"])
def test_what_is_added_while_its_dylib_goes_goes_with_it(
    monkeypatch: pytest.MonkeyPatch,
    compile_object: Callable[[str], bytes],
    make_archive: Callable[[dict[str, bytes]], Path],
    what: str,
    end: str,
) -> None:
    jit = JIT(compile_threads=1)
    dylib = jit.create_dylib("plugin")
    note = getattr(jit._platform, f"note_{what}")

    def too_late(*arguments: object) -> None:
        jit.close() if end == "close" else jit.remove_dylib(dylib)
        note(*arguments)

    monkeypatch.setattr(jit._platform, f"note_{what}", too_late)
    data = compile_object("int one(void) { return 1; }")
    if what == "module":
        tracker = jit.add("define i32 @one() {\n ret i32 1\n}\n", dylib=dylib)
    elif what == "object":
        tracker = jit.add(data, dylib=dylib)
    else:
        tracker = jit.add(make_archive({"one.o": data}), dylib=dylib)
    assert tracker.removed
    jit.close()


def test_an_ending_threads_error_may_be_gone_with_its_session() -> None:
    # The thread has unwound, so nothing waits for it, and has yet to look at what was wrong.
    token = failures.register(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        runtime._failed_at_thread_exit(token)
    failures.forget([token])
    runtime._failed_at_thread_exit(token)
