"""Symbols that can't be made, and where the failure of a first call comes to the surface."""

from __future__ import annotations

import ctypes
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
from surviving import assert_alive, root

from lazyjit import JIT
from lazyjit.core import MaterializationUnit
from lazyjit.errors import (
    CompileError,
    FailedToMaterialize,
    MissingDefinitions,
    UsageError,
)
from lazyjit.symbols import ExecutorSymbolDef, SymbolFlags

INT = ctypes.c_int32

# A materializer of the user's own


class Own(MaterializationUnit):
    """Defines `own` by a function of the test's."""

    def __init__(self, act: Callable[..., None]) -> None:
        super().__init__("own", {"own": SymbolFlags.EXPORTED})
        self.act = act

    def materialize(self, responsibility) -> None:
        self.act(responsibility)


HERE = {"own": ExecutorSymbolDef(4096, SymbolFlags.EXPORTED)}


def raising(responsibility) -> None:
    raise ZeroDivisionError("of the user's")


def returning(responsibility) -> None:
    pass


def half_way(responsibility) -> None:
    responsibility.notify_resolved(HERE)


def emitting_only(responsibility) -> None:
    responsibility.notify_emitted()


def failing(responsibility) -> None:
    responsibility.fail_materialization(CompileError("no", unit="own"))


@pytest.mark.parametrize(
    ("act", "cause"),
    [
        (raising, ZeroDivisionError),
        (returning, MissingDefinitions),
        (half_way, MissingDefinitions),
        (emitting_only, MissingDefinitions),
        (failing, CompileError),
    ],
)
def test_a_materializer_that_misbehaves_fails_its_symbols_at_once_and_later(jit, act, cause):
    jit.main.define(Own(act))
    for _ in range(2):
        with pytest.raises(FailedToMaterialize) as caught:
            jit.lookup("own")
        assert isinstance(root(caught.value), cause)
    jit.add("@own = external global i32\ndefine ptr @needs() {\n  ret ptr @own\n}\n")
    with pytest.raises(FailedToMaterialize):
        jit.function("needs", ctypes.c_void_p)()
    assert_alive(jit)


def test_notifying_twice_is_refused_and_changes_nothing(jit):
    refused = []

    def twice(responsibility) -> None:
        responsibility.notify_resolved(HERE)
        for again in (lambda: responsibility.notify_resolved(HERE), responsibility.notify_emitted):
            for _ in range(2):
                try:
                    again()
                except UsageError as error:
                    refused.append(error)
        responsibility.fail_materialization(CompileError("too late", unit="own"))

    jit.main.define(Own(twice))
    assert jit.lookup("own") == 4096
    assert len(refused) == 3
    assert_alive(jit)


def test_on_unit_that_raises_fails_that_unit_alone():
    def refuse(unit) -> None:
        if "f" in unit.functions:
            raise ZeroDivisionError("of the user's")

    with JIT(compile_threads=2, on_unit=refuse) as jit:
        jit.add("define i32 @f() {\n  ret i32 1\n}\n")
        with pytest.raises(FailedToMaterialize) as caught:
            jit.function("f", INT)()
        assert isinstance(root(caught.value), ZeroDivisionError)
        assert_alive(jit)


# Where a failed first call surfaces

FRAMES = """
declare i32 @missing_leaf(i32)
define i32 @one(i32 %x) noinline {
  %r = call i32 @two(i32 %x)
  %s = add i32 %r, 1
  ret i32 %s
}
define i32 @two(i32 %x) noinline {
  %r = call i32 @three(i32 %x)
  %s = add i32 %r, 1
  ret i32 %s
}
define i32 @three(i32 %x) noinline {
  %zero = icmp eq i32 %x, 0
  br i1 %zero, label %good, label %bad
good:
  ret i32 0
bad:
  %r = call i32 @leaf(i32 %x)
  ret i32 %r
}
define i32 @leaf(i32 %x) noinline {
  %r = call i32 @missing_leaf(i32 %x)
  ret i32 %r
}
"""


@pytest.mark.parametrize("policy", ["function", "cluster"])
def test_a_failed_first_call_raises_through_several_compiled_frames(policy):
    with JIT(compile_threads=2, unit_policy=policy, opt_level=0) as jit:
        jit.add(FRAMES, name="frames.ll")
        if policy == "cluster":
            jit.add("define i32 @missing_leaf(i32 %x) {\n  %b = add i64 %x, 1\n  ret i32 %b\n}\n")
        one = jit.function("one", INT, INT)
        assert one(0) == 2
        for _ in range(3):
            with pytest.raises(FailedToMaterialize):
                one(1)
        assert one(0) == 2
        assert_alive(jit)


def test_a_failed_first_call_raises_on_the_thread_that_made_it(jit):
    jit.add(FRAMES)
    one = jit.function("one", INT, INT)
    errors: list[BaseException] = []

    def call() -> None:
        try:
            one(1)
        except FailedToMaterialize as error:
            errors.append(root(error))

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [error.symbols for error in errors] == [["missing_leaf"]] * 4
    assert_alive(jit)


def test_a_failure_passes_through_a_python_callback_to_the_nearest_call(jit):
    caught: list[BaseException] = []
    jit.add(FRAMES.replace("@one", "@deep"))
    deep = jit.function("deep", INT, INT)

    @ctypes.CFUNCTYPE(INT, INT)
    def host(x: int) -> int:
        try:
            return deep(x)
        except FailedToMaterialize as error:
            caught.append(error)
            return -1

    jit.define("host", ctypes.cast(host, ctypes.c_void_p).value)
    jit.add(
        "declare i32 @host(i32)\ndefine i32 @outer(i32 %x) {\n"
        "  %r = call i32 @host(i32 %x)\n  ret i32 %r\n}\n"
    )
    assert jit.function("outer", INT, INT)(1) == -1
    assert len(caught) == 1
    assert_alive(jit)


NO_PYTHON_BELOW = """
import ctypes, sys
from lazyjit import JIT
handler = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda x: x + 1000)
address = ctypes.cast(handler, ctypes.c_void_p).value if sys.argv[1] == "handler" else 0
jit = JIT(compile_threads=1, lazy_compile_failure=address)
jit.add("declare i32 @missing_one(i32)\\ndefine i32 @f(i32 %x) {\\n"
        "  %r = call i32 @missing_one(i32 %x)\\n  ret i32 %r\\n}\\n")
raw = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(jit.lookup("f"))
print(raw(7), flush=True)
"""


def test_without_a_python_call_below_the_failure_handler_gets_the_call():
    command = [sys.executable, "-c", NO_PYTHON_BELOW, "handler"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "1007\n"), done.stderr


def test_without_a_handler_either_the_process_ends_and_says_why():
    command = [sys.executable, "-c", NO_PYTHON_BELOW, "none"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode != 0
    assert done.stdout == ""
    assert "missing_one" in done.stderr
