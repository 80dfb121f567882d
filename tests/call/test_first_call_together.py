"""A first call: the function and the wrapper of its signature are compiled at the same time."""

from __future__ import annotations

import threading

import pytest

import lazyjit
from lazyjit.errors import FailedToMaterialize
from lazyjit.layers import typed

IR = "define i64 @twice(i64 %x) { %y = add i64 %x, %x\n ret i64 %y }"


@pytest.fixture
def wrapping(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set when a wrapper's compilation begins."""
    begun = threading.Event()
    materialize = typed.WrapperUnit.materialize

    def noted(unit, responsibility):
        begun.set()
        materialize(unit, responsibility)

    monkeypatch.setattr(typed.WrapperUnit, "materialize", noted)
    return begun


def test_the_wrapper_does_not_wait_for_the_function(wrapping):
    seen = []
    # Before the function is compiled: its wrapper is on its way by then, or will be meanwhile.
    options = {"compile_threads": 2, "on_unit": lambda unit: seen.append(wrapping.wait(30))}
    with lazyjit.JIT(**options) as jit:
        jit.add(IR)
        assert jit["twice"](21) == 42
    assert seen == [True]


def test_one_thread_compiles_both(wrapping):
    with lazyjit.JIT(compile_threads=1) as jit:
        jit.add(IR)
        assert jit["twice"](21) == 42
        wrapping.clear()
        jit.add(IR.replace("twice", "again"))
        assert jit["again"](4) == 8
        assert not wrapping.is_set()  # the signature has its wrapper


def test_a_function_that_fails_says_why_whatever_becomes_of_its_wrapper(wrapping):
    with lazyjit.JIT() as jit:
        jit.add("declare i64 @nowhere()\ndefine i64 @f() { %x = call i64 @nowhere()\n ret i64 %x }")
        function = jit["f"]
        for _ in range(2):
            with pytest.raises(FailedToMaterialize):
                function()
