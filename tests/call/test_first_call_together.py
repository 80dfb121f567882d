"""A first call: the function and the wrapper of its signature are compiled at the same time."""

from __future__ import annotations

import threading

import pytest

import lazyjit
from lazyjit.errors import FailedToMaterialize
from lazyjit.layers import typed

IR = "define i64 @twice(i64 %x) { %y = add i64 %x, %x\n ret i64 %y }"


class Wrapping:
    """In which sessions a wrapper's compilation has begun: another test's may be closing still."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._owners: list[object] = []

    def note(self, owner: object) -> None:
        with self._changed:
            self._owners.append(owner)
            self._changed.notify_all()

    def times(self, jit: lazyjit.JIT) -> int:
        return self._owners.count(jit._typed)

    def wait(self, jit: lazyjit.JIT) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self.times(jit) > 0, 60)


@pytest.fixture
def wrapping(monkeypatch: pytest.MonkeyPatch) -> Wrapping:
    """Told when a wrapper's compilation begins."""
    wrapping = Wrapping()
    materialize = typed.WrapperUnit.materialize

    def noted(unit, responsibility):
        wrapping.note(unit.owner)
        materialize(unit, responsibility)

    monkeypatch.setattr(typed.WrapperUnit, "materialize", noted)
    return wrapping


def test_the_wrapper_does_not_wait_for_the_function(wrapping):
    seen = []
    # Before the function is compiled: its wrapper is on its way by then, or will be meanwhile.
    options = {"compile_threads": 2, "on_unit": lambda unit: seen.append(wrapping.wait(jit))}
    with lazyjit.JIT(**options) as jit:
        jit.add(IR)
        assert jit["twice"](21) == 42
    assert seen == [True]


def test_one_thread_compiles_both(wrapping):
    with lazyjit.JIT(compile_threads=1) as jit:
        jit.add(IR)
        assert jit["twice"](21) == 42
        assert wrapping.times(jit) == 1
        jit.add(IR.replace("twice", "again"))
        assert jit["again"](4) == 8
        assert wrapping.times(jit) == 1  # the signature has its wrapper


def test_a_function_that_fails_says_why_whatever_becomes_of_its_wrapper(wrapping):
    with lazyjit.JIT() as jit:
        jit.add("declare i64 @nowhere()\ndefine i64 @f() { %x = call i64 @nowhere()\n ret i64 %x }")
        function = jit["f"]
        for _ in range(2):
            with pytest.raises(FailedToMaterialize):
                function()
