"""A unit in one native call: which units go that way, how it stops, and who has its memory."""

from __future__ import annotations

import ctypes

import pytest

from lazyjit import JIT, tracing
from lazyjit.errors import FailedToMaterialize, RelocationError
from lazyjit.layers.object_linking import ObjectLinkingLayer
from lazyjit.layers.unit_making import Unfinished

INT = ctypes.c_int32

PROGRAM = """
@counter = global i32 40
declare i32 @abs(i32)
define i32 @one() {
  ret i32 1
}
define i32 @plain() {
  %r = call i32 @one()
  ret i32 %r
}
define i32 @with_data() {
  %v = load i32, ptr @counter
  ret i32 %v
}
define i32 @with_abs(i32 %x) {
  %r = call i32 @abs(i32 %x)
  ret i32 %r
}
define i32 @again(i32 %x) {
  %r = call i32 @abs(i32 %x)
  ret i32 %r
}
"""


@pytest.fixture
def emitted(monkeypatch):
    """`emitted(jit)` -> the units that its object layer had to link, station by station."""
    seen = []
    emit = ObjectLinkingLayer.emit

    def spy(self, responsibility, data, *, file, **rest):
        seen.append((self, file.rpartition(":")[2]))
        emit(self, responsibility, data, file=file, **rest)

    monkeypatch.setattr(ObjectLinkingLayer, "emit", spy)
    # Another test's may be closing still, and finish what it was at.
    return lambda jit: [unit for layer, unit in seen if layer is jit._objects]


@pytest.fixture
def jit():
    with JIT(opt_level=0, unit_policy="function", compile_threads=1) as made:
        yield made
        made.session.verify_session()


def counts(jit):
    after = jit.statistics()
    return after.units, after.functions_compiled, after.objects_linked


def test_a_unit_of_its_own_module_alone_is_made_in_one_call(jit, emitted):
    jit.add(PROGRAM)
    assert jit.function("plain", INT)() == 1
    assert jit.function("with_data", INT)() == 40
    assert emitted(jit) == []
    assert counts(jit) == (3, 3, 3)
    seconds = jit.statistics().seconds
    assert all(seconds[stage] > 0 for stage in ("carve", "parse", "emit", "link"))


def test_names_from_elsewhere_are_taken_along_once_they_are_ready(jit, emitted):
    jit.add(PROGRAM)
    assert jit.function("with_abs", INT, INT)(-3) == 3
    assert emitted(jit) == ["with_abs$body"]  # nobody had asked the process for `abs` before
    assert jit.function("again", INT, INT)(-4) == 4
    assert emitted(jit) == ["with_abs$body"]
    assert counts(jit) == (2, 2, 2)


def test_with_neighbours_it_defines_all_of_them(emitted):
    with JIT(opt_level=0, unit_policy="cluster", compile_threads=1) as jit:
        jit.add(PROGRAM)
        assert jit.function("plain", INT)() == 1
        assert jit.function("one", INT)() == 1
        assert emitted(jit) == []
        assert counts(jit) == (1, 2, 1)
        jit.session.verify_session()


def test_who_listens_sees_every_station(jit, emitted):
    events = []
    before = tracing.listen(lambda event, data: events.append(event))
    try:
        jit.add(PROGRAM)
        assert jit.function("one", INT)() == 1
    finally:
        tracing.listen(before)
    assert [e for e in events if e in ("codegen.object", "link.object")] == [
        "codegen.object",
        "link.object",
    ]
    assert emitted(jit) == ["one$body"]
    assert counts(jit) == (1, 1, 1)


def test_a_refused_unit_tells_line_and_words(jit):
    jit.add("define i32 @good() {\n  ret i32 1\n}\ndefine i32 @bad() {\n  ret i64 %x\n}\n")
    assert jit.function("good", INT)() == 1
    with pytest.raises(FailedToMaterialize) as caught:
        jit.function("bad", INT)()
    assert caught.value.__cause__.line == 5
    assert jit.statistics().failures == 1


OUT_OF_REACH = """
@near = global i32 1
define i32 @value() {
  %v = load i32, ptr @near
  ret i32 %v
}
define void @narrow() {
  call void asm sideeffect "movl $$near, %eax", "~{eax}"()
  %v = load i32, ptr @near
  ret void
}
"""


def test_a_link_that_fails_gives_its_memory_back(jit, emitted):
    jit.add(OUT_OF_REACH)
    assert jit.function("value", INT)() == 1
    narrow = jit.function("narrow", None)
    before = jit.statistics().arena
    with pytest.raises(FailedToMaterialize) as caught:
        narrow()
    assert isinstance(caught.value.__cause__, RelocationError)
    assert caught.value.__cause__.symbol == "near"
    assert jit.statistics().arena == before
    assert emitted(jit) == []


def test_code_goes_with_its_module(jit, emitted):
    jit.add("define i32 @stays() {\n  ret i32 7\n}\n")
    assert jit.function("stays", INT)() == 7  # the first stub takes room for many
    before = jit.statistics().arena
    tracker = jit.add(PROGRAM)
    jit.compile(["plain", "with_data"])
    assert jit.statistics().arena != before
    jit.remove(tracker)
    assert jit.statistics().arena == before
    assert emitted(jit) == []


def test_a_module_that_is_gone_keeps_nothing(jit):
    jit.add(PROGRAM)
    assert jit.function("one", INT)() == 1
    [table] = jit._modules._tables.values()
    maker, entity = jit._modules.maker(table), table.index.entity("plain")
    table.stubs_of([table.index.entity("one")])
    table.remove()
    before = jit.statistics().arena
    made = maker.make("late", {"plain$body": entity}, plain=True)
    assert not isinstance(made, Unfinished)
    assert jit.statistics().arena == before


def test_the_compilers_additions_go_the_general_way(emitted):
    with JIT(opt_level=0, unit_policy="function", compile_threads=1) as jit:
        jit.add(
            "declare i32 @__gxx_personality_v0(...)\n"
            "define i32 @careful() personality ptr @__gxx_personality_v0 {\n"
            "  invoke void @quiet() to label %fine unwind label %bad\n"
            "fine:\n  ret i32 5\n"
            "bad:\n  %e = landingpad { ptr, i32 } cleanup\n  resume { ptr, i32 } %e\n}\n"
            "define void @quiet() {\n  ret void\n}\n"
        )
        for name in ("__gxx_personality_v0", "_Unwind_Resume"):
            jit.lookup(name)  # what is left is a definition: DW.ref.__gxx_personality_v0
        assert jit.function("careful", INT)() == 5
        assert emitted(jit) == ["careful$body"]
        jit.session.verify_session()


def test_what_may_be_missing_goes_the_general_way(jit, emitted):
    jit.add(
        "@maybe = extern_weak global i32\n"
        "define i1 @has() {\n  %h = icmp ne ptr @maybe, null\n  ret i1 %h\n}\n"
    )
    assert jit.function("has", ctypes.c_bool)() is False
    assert emitted(jit) == ["has$body"]
