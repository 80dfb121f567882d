"""Garbage cycles: Python finalizes their parts in any order, and each may still use the others.

What a cycle held is used here by the `__del__` of an object that is younger or older than it, and
so finalized later or earlier.
"""

from __future__ import annotations

import ctypes
import functools
import gc
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lazyjit._native import ffi, held, owned
from lazyjit.call.function import NativeFunction


class Last:
    """Says its last word when it is finalized."""

    def __init__(self) -> None:
        self.parts: list[Any] = []
        self.word: Callable[[], object] = lambda: None

    def __del__(self) -> None:
        self.word()


def drop_cycle(older: bool, make: Callable[[], Any], use: Callable[[Any], object]) -> None:
    """Have the `__del__` of an object `use` what `make` makes, in a cycle with it."""
    first = Last() if older else None
    thing = make()
    last = first or Last()
    last.parts += [last, thing]
    last.word = functools.partial(use, thing)
    del first, last, thing
    gc.collect()


@pytest.mark.parametrize("older", [False, True])
def test_what_is_owned_outlives_every_finalizer_of_its_cycle(older: bool) -> None:
    log: list[object] = []
    address = 0x1000

    def make() -> Any:
        return [owned(ffi.cast("char *", address), log.append)]

    drop_cycle(older, make, lambda thing: log.append(len(thing)))
    assert log == [1, ffi.cast("char *", address)]


def test_a_held_buffer_keeps_its_owner() -> None:
    log: list[object] = []
    memory = ffi.new("char[]", b"abc")
    buffer = held(memory, 3, owned(ffi.cast("int *", memory), lambda _: log.append("gone")))
    gc.collect()
    assert bytes(buffer) == b"abc"
    assert log == []
    del buffer
    assert log == ["gone"]


@pytest.mark.parametrize("older", [False, True])
def test_a_function_of_a_cycle_can_be_called_by_a_finalizer(older: bool) -> None:
    labs, toupper = (
        ctypes.cast(getattr(ctypes.CDLL(None), name), ctypes.c_void_p).value or 0
        for name in ("labs", "toupper")
    )
    results = []

    def use(function: NativeFunction) -> None:
        # A guard that had been given back would be this one's now.
        other = NativeFunction(toupper, ctypes.c_int, [ctypes.c_int])
        results.append((function(-5), other(ord("a"))))

    drop_cycle(older, lambda: NativeFunction(labs, ctypes.c_long, [ctypes.c_long]), use)
    assert results == [(5, ord("A"))]


ADDED_LATER = """
import gc, sys, lazyjit
gc.disable()
jit = lazyjit.JIT(compile_threads=1, speculate=False)
for generation in range(int(sys.argv[1])):
    gc.collect(generation)
jit.add("define i64 @f(i64 %x) {\\n  %y = add i64 %x, 1\\n  ret i64 %y\\n}")
assert jit["f"](1) == 2
del jit
gc.collect()
print("dropped")
"""


@pytest.mark.parametrize("generation", [0, 1, 2])
def test_a_jit_that_is_dropped_finds_its_modules_alive(generation: int) -> None:
    # A collection takes the youngest generation before the middle one, so the module is finalized
    # before the JIT then, which removes it. Freed memory is overwritten, lest a use pass unseen.
    done = subprocess.run(
        [sys.executable, "-c", ADDED_LATER, str(generation)],
        env={**os.environ, "MALLOC_PERTURB_": "165"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "dropped\n", "")


UNDER_LOCKS = """
import contextlib, faulthandler, gc, pathlib, sys, threading, weakref
faulthandler.dump_traceback_later(500, exit=True)
import lazyjit
import lazyjit.llvmlite_compat as llvm

SOURCE = "define double @f(double %x) {\\n  ret double %x\\n}"
what, folder = sys.argv[1], pathlib.Path(sys.argv[2])
gc.disable()
if what == "library":
    lljit = llvm.create_lljit_compiler()
    builder = llvm.JITLibraryBuilder().add_ir(SOURCE).export_symbol("f")
    dropped = [builder.link(lljit, "library")]
    jit = lljit._shared.jit
else:
    jit = lazyjit.JIT(compile_threads=1)
    jit.add(SOURCE)
    if what == "jit":
        assert jit["f"](1.0) == 1.0
        done = threading.Event()
        jit.after_calls(done.set)
        done.wait()  # the compile thread has nothing more to do that it would need a lock for
        dropped = []
    elif what == "ufunc":
        dropped = [jit.ufunc("f")]
        assert dropped[0](1.0) == 1.0
    else:
        (folder / "p.ll").write_text(SOURCE)
        dropped = [jit.load(folder / "p.ll")]
        assert dropped[0].f(1.0) == 1.0
dropped.append(dropped)
parts = [jit, jit.session, jit._grace, jit._stubs, jit._arena, jit._objects, jit._dispatcher]
locks = [part._lock for part in parts]
pool = list(jit._dispatcher._threads)
with contextlib.ExitStack() as stack:
    for lock in locks:
        stack.enter_context(lock)
    gone = weakref.ref(jit)
    if what == "jit":
        del jit
    del dropped, parts
    gc.collect()
    while what == "jit" and gone() is not None:
        gc.collect()
    print("collected", flush=True)
if what == "jit":
    for thread in pool:
        thread.join()
else:
    jit.close()
print("closed")
"""


@pytest.mark.parametrize("what", ["jit", "plugin", "ufunc", "library"])
def test_garbage_is_collected_in_the_middle_of_anything(what: str, tmp_path: Path) -> None:
    # A collection may come while this very thread holds a lock that a finalizer might want.
    done = subprocess.run(
        [sys.executable, "-c", UNDER_LOCKS, what, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "collected\nclosed\n"), done.stderr
