"""Proof that a session lived through what a test did to it, shared by the tests of failures."""

from __future__ import annotations

import ctypes

from lazyjit import JIT
from lazyjit.errors import FailedToMaterialize

INT = ctypes.c_int32

GOOD = "define i32 @alive{0}(i32 %x) {{\n  %r = mul i32 %x, {1}\n  ret i32 %r\n}}\n"


def assert_alive(jit: JIT) -> None:
    """The session still takes modules, compiles and calls."""
    number = jit.statistics().modules
    jit.add(GOOD.format(number, number + 2))
    assert jit.function(f"alive{number}", INT, INT)(3) == 3 * (number + 2)
    jit.session.verify_session()


def root(error: BaseException) -> BaseException:
    """The failure at the root of a chain of FailedToMaterialize."""
    while isinstance(error, FailedToMaterialize) and error.__cause__ is not None:
        error = error.__cause__
    return error
