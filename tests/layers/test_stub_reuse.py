"""Stubs of removed functions that other code was linked against: nobody gets them."""

from __future__ import annotations

import ctypes

import pytest

from lazyjit import JIT
from lazyjit.errors import SymbolRemoved
from lazyjit.layers.plugin import Plugin

INT = ctypes.c_int


@pytest.fixture(params=["short way", "with a plugin", "function by function"])
def jit(request):
    policy = {"unit_policy": "function"} if request.param == "function by function" else {}
    with JIT(compile_threads=1, speculate=False, opt_level=0, **policy) as jit:
        if request.param == "with a plugin":
            jit.add_plugin(Plugin())
        yield jit


def constant(name: str, value: int) -> str:
    return f"define i32 @{name}() {{\n  ret i32 {value}\n}}\n"


def caller(name: str, callee: str) -> str:
    return (
        f"declare i32 @{callee}()\n"
        f"define i32 @{name}() {{\n  %r = call i32 @{callee}()\n  ret i32 %r\n}}\n"
    )


def fill(jit: JIT, count: int = 600) -> set[int]:
    """Stubs of functions that come after; more than a chunk has."""
    jit.add("".join(constant(f"new{number}", -1) for number in range(count)))
    return {jit.lookup(f"new{number}") for number in range(count)}


@pytest.fixture(params=["module", "object"])
def add_caller(request, jit, compile_object):
    def add_caller(name: str, callee: str):
        if request.param == "module":
            return jit.add(caller(name, callee))
        source = f"int {callee}(void); int {name}(void) {{ return {callee}(); }}"
        return jit.add(compile_object(source))

    return add_caller


@pytest.mark.parametrize("known", [False, True])
def test_code_that_was_linked_against_it_calls_nobody_else(jit, add_caller, known):
    removed = jit.add(constant("f", 1))
    if known:  # then the caller's link finds it ready
        assert jit.function("f", INT)() == 1
    add_caller("use", "f")
    use = jit.function("use", INT)
    assert use() == 1
    stub = jit.lookup("f")
    removed.remove()
    assert stub not in fill(jit)
    with pytest.raises(SymbolRemoved):
        use()


def test_a_stub_is_reused_when_nothing_refers_to_it_any_more(jit, add_caller):
    removed, first, second = jit.add(constant("f", 1)), add_caller("a", "f"), add_caller("b", "f")
    assert jit.function("a", INT)() + jit.function("b", INT)() == 2
    stub = jit.lookup("f")
    first.transfer_to(second)
    removed.remove()
    assert stub not in fill(jit)
    second.remove()
    jit.add("".join(constant(f"later{number}", -1) for number in range(300)))
    assert stub in {jit.lookup(f"later{number}") for number in range(300)}


def test_what_nobody_refers_to_is_reused_at_once(jit):
    removed = jit.add(constant("f", 1))
    assert jit["f"]() == 1
    stub = jit.lookup("f")
    removed.remove()
    assert stub in fill(jit)


def test_coming_and_going_takes_no_more_stubs_for_ever(jit, add_caller):
    for number in range(300):
        removed = jit.add(constant("f", number))
        using = add_caller("use", "f")
        if number % 100 == 0:
            assert jit.function("use", INT)() == number
        elif number % 3:
            assert jit.lookup("use")
        using.remove() if number % 2 else removed.remove()
        removed.remove() if number % 2 else using.remove()
    assert jit._stubs.statistics().chunks <= 2


def test_a_lazy_reexport_leads_to_nobody_else(jit):
    library = jit.create_dylib("library")
    removed = jit.add(constant("f", 1), dylib=library)
    jit.reexport_lazily({"g": "f"}, library)
    g = jit.function("g", INT)
    assert g() == 1
    stub = jit.lookup("f", dylib=library)
    removed.remove()
    assert stub not in fill(jit)
    with pytest.raises(SymbolRemoved):
        g()
