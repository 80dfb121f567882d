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
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "dropped\n", "")
