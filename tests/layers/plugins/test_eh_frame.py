"""Unwind tables by plugin: exceptions pass, tables are told of, and a refusal fails its link."""

from __future__ import annotations

import ctypes

import pytest

from lazyjit.errors import FailedToMaterialize
from lazyjit.layers.plugins.eh_frame import EHFrameRegistration

INT = ctypes.c_int
THROWING = """
static __attribute__((noinline)) int check(int x) { if (x > 3) throw x; return x; }
extern "C" int guarded(int x) { try { return check(x); } catch (int y) { return -y; } }
"""


class Registrar:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.tables: list[tuple[int, int]] = []
        self.refuse = False

    def register(self, address: int, size: int) -> None:
        if self.refuse:
            raise ZeroDivisionError("refused")
        assert ctypes.string_at(address + size - 4, 4) == bytes(4), "ends with an empty record"
        self.tables.append((address, size))

    def deregister(self, address: int, size: int) -> None:
        self.tables.remove((address, size))


def test_exceptions_pass_through_code_whose_tables_the_plugin_registered(jit, compile_object):
    registrar = Registrar()
    plugin = EHFrameRegistration(registrar)
    jit.add_plugin(plugin)
    tracker = jit.add(compile_object(THROWING, language="c++"))
    guarded = jit.function("guarded", INT, INT)
    assert [guarded(x) for x in (2, 5)] == [2, -5]
    assert registrar.tables == plugin.tables()
    assert len(registrar.tables) == 1
    tracker.remove()
    assert registrar.tables == plugin.tables() == []


def test_modules_have_tables_too(jit):
    registrar = Registrar()
    jit.add_plugin(EHFrameRegistration(registrar))
    jit.add("define i32 @f() uwtable {\n  ret i32 3\n}\n")
    assert jit.function("f", INT)() == 3
    assert len(registrar.tables) == 1
    jit.close()
    assert registrar.tables == []


def test_a_registrar_that_refuses_fails_the_link_and_leaves_nothing(jit, compile_object):
    registrar, other = Registrar(), Registrar()
    plugin = EHFrameRegistration(other, registrar)
    jit.add_plugin(plugin)
    registrar.refuse = True
    jit.add(compile_object(THROWING, language="c++"))
    jit.add(compile_object("int g(void) { return 4; }"))
    with pytest.raises(FailedToMaterialize) as caught:
        jit.lookup("guarded")
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert other.tables == plugin.tables() == []
    registrar.refuse = False
    assert jit.function("g", INT)() == 4
