"""Lazy reexports: names that are stubs, leading to whatever makes the symbol when it is called."""

from __future__ import annotations

import ctypes

import pytest

from lazyjit.core import Body, MaterializationUnit
from lazyjit.errors import (
    DuplicateDefinition,
    FailedToMaterialize,
    LazyJITError,
    LinkError,
    SymbolRemoved,
    SymbolsNotFound,
)
from lazyjit.symbols import ExecutorSymbolDef, SymbolFlags

INT = ctypes.c_int
FLAGS = SymbolFlags.EXPORTED | SymbolFlags.CALLABLE


class Host(MaterializationUnit):
    """A function of Python's, made when somebody wants it."""

    def __init__(self, name: str, function) -> None:
        super().__init__(name, {name: FLAGS})
        self.callback = ctypes.CFUNCTYPE(INT, INT)(function)
        self.made = 0

    def materialize(self, responsibility) -> None:
        self.made += 1
        address = ctypes.cast(self.callback, ctypes.c_void_p).value
        responsibility.notify_resolved({self.name: ExecutorSymbolDef(address, FLAGS)})
        responsibility.notify_emitted()


def test_a_unit_of_ones_own_is_made_by_the_first_call(jit):
    library = jit.create_dylib("library")
    host = Host("host", lambda x: x + 1)
    library.define(host)
    jit.reexport_lazily({"later": "host"}, library)
    later = jit.function("later", INT, INT)
    assert host.made == 0
    assert [later(1), later(2)] == [2, 3]
    assert host.made == 1


def test_a_module_calls_a_lazy_reexport(jit):
    library = jit.create_dylib("library")
    host = Host("host", lambda x: x + 1)
    library.define(host)
    jit.reexport_lazily({"later": "host"}, library)
    jit.add(
        "declare i32 @later(i32)\ndefine i32 @go(i32 %x) {\n"
        "  %r = call i32 @later(i32 %x)\n  ret i32 %r\n}\n"
    )
    jit.compile(["go"])
    assert host.made == 0
    assert jit.function("go", INT, INT)(41) == 42


def test_what_is_ready_already_is_not_looked_up_by_a_call(jit, monkeypatch):
    library = jit.create_dylib("library")
    library.define(Host("host", lambda x: x + 1))
    library.define(Host("other", lambda x: x + 2))
    jit.lookup("host", dylib=library)
    jit.reexport_lazily({"now": "host", "later": "other"}, library)
    now, later = jit.function("now", INT, INT), jit.function("later", INT, INT)
    found = []
    find = Body.find
    monkeypatch.setattr(
        Body, "find", lambda body, *how: found.append(body.name) or find(body, *how)
    )
    assert (now(1), later(1)) == (2, 3)
    assert found == ["other"]


def test_an_object_is_linked_by_the_first_call(jit, compile_object):
    library = jit.create_dylib("library")
    jit.add(compile_object("int f(int x) { return x * 2; }"), dylib=library)
    jit.reexport_lazily({"f": "f"}, library)
    f = jit.function("f", INT, INT)
    assert jit.statistics().objects_linked == 0
    assert f(4) == 8


@pytest.mark.parametrize("circle", [["f"], ["f", "g"], ["f", "g", "h"]])
def test_a_circle_of_lazy_reexports_raises_instead_of_turning_for_ever(jit, circle):
    following = circle[1:] + circle[:1]
    jit.reexport_lazily(dict(zip(circle, following, strict=True)), jit.main)
    for name in circle:
        with pytest.raises(LinkError, match="circle of lazy reexports"):
            jit.function(name)()


def test_what_cannot_be_had_raises_in_each_call(jit):
    library = jit.create_dylib("library")
    jit.reexport_lazily({"f": "missing_f"}, library)
    f = jit.function("f", INT)
    for _ in range(2):
        with pytest.raises(SymbolsNotFound, match="missing_f"):
            f()

    def fail(x: int) -> int:
        raise AssertionError

    broken = Host("broken", fail)
    broken.materialize = lambda responsibility: responsibility.fail_materialization(None)
    library.define(broken)
    jit.reexport_lazily({"g": "broken"}, library)
    with pytest.raises(FailedToMaterialize):
        jit.function("g", INT, INT)(1)


def test_a_second_definition_is_refused(jit):
    library = jit.create_dylib("library")
    jit.reexport_lazily({"f": "f"}, library)
    with pytest.raises(DuplicateDefinition):
        jit.reexport_lazily({"f": "f"}, library)


def test_calls_after_the_source_was_removed_raise(jit):
    library = jit.create_dylib("library")
    tracker = jit.add("define i32 @f() {\n  ret i32 1\n}\n", dylib=library)
    jit.reexport_lazily({"g": "f"}, library)
    g = jit.function("g", INT)
    assert g() == 1
    jit.remove(tracker)
    with pytest.raises(LazyJITError):
        g()


def test_calls_after_the_reexport_was_removed_raise(jit):
    library = jit.create_dylib("library")
    jit.add("define i32 @f() {\n  ret i32 1\n}\n", dylib=library)
    jit.reexport_lazily({"g": "f", "h": "f"}, library)
    g = jit.function("g", INT)
    assert g() == 1
    jit.main.default_tracker.remove()
    with pytest.raises(SymbolRemoved):
        g()
    with pytest.raises(SymbolsNotFound):
        jit.lookup("h")
    assert jit.function("f", INT, dylib=library)() == 1
