"""A stub that is given back may be another function's in the next moment: nothing comes late to it.

The moment is forced: what another thread would do just then is done in the middle of a step.
"""

from __future__ import annotations

import ctypes

import pytest

from lazyjit import JIT, failures
from lazyjit.errors import SymbolRemoved
from lazyjit.stubs import pool

INT = ctypes.c_int32


def constant(name: str, value: int) -> str:
    return f"define i32 @{name}() {{\n  ret i32 {value}\n}}\n"


def test_a_failure_that_comes_late_spoils_no_other_function(
    jit: JIT, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker = jit.add(constant("old", 1))
    stub = jit.lookup("old")
    [table] = jit._modules._tables.values()
    register = failures.register

    def removed_meanwhile(error: BaseException) -> int:
        monkeypatch.undo()
        jit.remove(tracker)
        jit.add(constant("new", 2))
        assert jit.lookup("new") == stub
        return register(error)

    known = len(failures._failures)
    monkeypatch.setattr(failures, "register", removed_meanwhile)
    table.fail(table.index.entity("old"), SymbolRemoved("old"))
    assert jit.function("new", INT)() == 2
    assert len(failures._failures) == known


def test_what_the_next_function_failed_with_is_kept(
    jit: JIT, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker = jit.add(constant("old", 1))
    jit.lookup("old")
    forget, new = jit._stubs.forget, []

    def another_fails(stubs: list[int]) -> None:
        monkeypatch.undo()
        jit.add(constant("new", 2))
        new.append(jit.function("new", INT))
        [after] = jit._modules._tables.values()
        after.fail(after.index.entity("new"), ZeroDivisionError("new"))  # type: ignore[arg-type]
        forget(stubs)

    monkeypatch.setattr(jit._stubs, "forget", another_fails)
    jit.remove(tracker)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            new[0]()


def test_an_error_is_kept_before_anybody_is_told_of_it(
    jit: JIT, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is told may remove the function, and then nothing is left."""
    tracker = jit.add(constant("old", 1))
    jit.lookup("old")
    [table] = jit._modules._tables.values()
    known = len(failures._failures)
    check = pool.check

    def told(status: int) -> None:
        monkeypatch.undo()
        check(status)
        jit.remove(tracker)

    monkeypatch.setattr(pool, "check", told)
    table.fail(table.index.entity("old"), SymbolRemoved("old"))
    assert len(failures._failures) == known
