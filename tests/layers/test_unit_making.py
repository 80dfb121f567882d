"""A unit in one native call: which units go that way, how it stops, and who has its memory."""

from __future__ import annotations

import ctypes

import pytest

from lazyjit import JIT, tracing
from lazyjit.errors import FailedToMaterialize, RelocationError
from lazyjit.layers import ir_unit
from lazyjit.layers.object_linking import ObjectLinkingLayer
from lazyjit.layers.unit_making import AT_ONCE, UnitMaker

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


def test_names_from_elsewhere_are_taken_along_if_they_are_ready(jit, emitted):
    jit.add(PROGRAM)
    assert jit.function("with_abs", INT, INT)(-3) == 3
    assert emitted(jit) == []  # though nobody had asked the process for `abs` before
    assert jit.function("again", INT, INT)(-4) == 4
    assert emitted(jit) == []
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
    _, unfinished = maker.make({"late": {"plain$body": entity}}, plain=True)
    assert not unfinished
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


@pytest.fixture
def calls(monkeypatch):
    """`calls(jit)` -> how many units each call made."""
    seen = []
    make = UnitMaker.make

    def spy(self, units, *, plain):
        seen.append((self._layer, len(units)))
        return make(self, units, plain=plain)

    monkeypatch.setattr(UnitMaker, "make", spy)
    return lambda jit: [count for layer, count in seen if layer is jit._modules]


def functions(count, body):
    """`count` functions f0, f1, ... with that body, of which `{}` is the number."""
    each = "define i32 @f{0}() {{\n{1}\n}}\n"
    return "".join(each.format(number, body(number)) for number in range(count))


def test_units_for_which_somebody_waits_are_made_a_few_at_a_time(jit, calls, emitted):
    jit.add(functions(200, lambda number: f"  ret i32 {number}"))
    names = [f"f{number}" for number in range(200)]
    jit.session.lookup(jit.main, [f"{name}$body" for name in names])
    assert max(calls(jit)) == AT_ONCE
    assert sum(calls(jit)) == 200
    assert counts(jit) == (200, 200, 200)
    assert emitted(jit) == []
    assert [jit.function(name, INT)() for name in names] == list(range(200))


def test_what_others_need_from_elsewhere_keeps_no_unit_from_its_end(jit, emitted):
    jit.lookup("abs")

    def body(number):
        if number % 2:
            return f"  ret i32 {number}"
        return f"  %r = call i32 @abs(i32 -{number})\n  ret i32 %r"

    jit.add("declare i32 @abs(i32)\n" + functions(40, body))
    jit.session.lookup(jit.main, [f"f{number}$body" for number in range(40)])
    assert emitted(jit) == []
    assert [jit.function(f"f{number}", INT)() for number in range(40)] == list(range(40))


def test_a_bad_unit_fails_none_of_those_made_with_it(jit, calls):
    def body(number):
        return f"  ret i32 {number}" if number % 5 else "  ret i64 %x"

    jit.add(functions(40, body))
    names = [f"f{number}$body" for number in range(40)]
    with pytest.raises(FailedToMaterialize):
        jit.session.lookup(jit.main, names)
    assert max(calls(jit)) == 10  # a quarter of those that wait, and the first
    for number in range(40):
        if number % 5:
            assert jit.function(f"f{number}", INT)() == number
        else:
            with pytest.raises(FailedToMaterialize) as caught:
                jit.function(f"f{number}", INT)()
            assert caught.value.__cause__.line == 3 * number + 2
    assert jit.statistics().failures == 8


def test_a_link_that_fails_fails_none_of_those_made_with_it(jit, calls):
    jit.add(OUT_OF_REACH + functions(40, lambda number: f"  ret i32 {number}"))
    names = [f"f{number}$body" for number in range(40)]
    with pytest.raises(FailedToMaterialize) as caught:
        jit.session.lookup(jit.main, [names[0], "narrow$body", *names[1:]])
    assert isinstance(caught.value.__cause__, RelocationError)
    assert caught.value.symbols == {"main": ["narrow$body"]}
    assert max(calls(jit)) > 1
    assert jit.session.lookup(jit.main, names).keys() == set(names)


@pytest.mark.parametrize("options", [{"opt_level": 1}, {"opt_level": 0, "codegen_level": 2}])
def test_what_takes_long_to_compile_is_made_by_itself(calls, options):
    with JIT(unit_policy="function", compile_threads=1, **options) as jit:
        jit.add(functions(40, lambda number: f"  ret i32 {number}"))
        jit.session.lookup(jit.main, [f"f{number}$body" for number in range(40)])
        assert set(calls(jit)) == {1}


def test_who_looks_on_sees_one_unit_at_a_time(calls):
    units = []
    with JIT(opt_level=0, unit_policy="function", compile_threads=1, on_unit=units.append) as jit:
        jit.add(functions(40, lambda number: f"  ret i32 {number}"))
        jit.session.lookup(jit.main, [f"f{number}$body" for number in range(40)])
        assert set(calls(jit)) == {1}
        assert sorted(unit.functions for unit in units) == sorted([f"f{n}"] for n in range(40))


def test_clusters_are_made_together_and_each_function_once(calls):
    def body(number):
        if number < 20:
            return f"  %r = call i32 @f{number + 20}()\n  ret i32 %r"
        return f"  ret i32 {number - 20}"

    with JIT(opt_level=0, compile_threads=1) as jit:
        jit.add(functions(40, body))
        jit.session.lookup(jit.main, [f"f{number}$body" for number in range(40)])
        assert max(calls(jit)) > 1
        assert counts(jit)[:2] == (sum(calls(jit)), 40)
        assert sum(calls(jit)) == 20
        assert [jit.function(f"f{number}", INT)() for number in range(20)] == list(range(20))
        jit.session.verify_session()


def test_units_that_were_made_together_are_promoted_one_by_one(calls, monkeypatch):
    promoted = []
    promote = ir_unit.promote

    def spy(layer, table, chosen, tracker):
        promoted.append(len(chosen := list(chosen)))
        promote(layer, table, chosen, tracker)

    monkeypatch.setattr(ir_unit, "promote", spy)
    with JIT(tiered=True, unit_policy="function", compile_threads=1) as jit:
        jit.add(functions(40, lambda number: f"  ret i32 {number}"))
        jit.session.lookup(jit.main, [f"f{number}$body" for number in range(40)])
        assert max(calls(jit)) == 10  # a quarter of those that wait, and the first
        assert promoted == [1] * 40
