"""What joins a unit: callees by how likely each call is, and what is asked for anyway."""

from __future__ import annotations

import numpy as np
import pytest

from lazyjit.ir import ModuleIndex, seed, suggest

CALLEES = "".join(f"define void @{name}() {{ ret void }}\n" for name in ("a", "b", "c", "d"))


def likely(body: str, more: str = "", **states: int) -> set[str]:
    """Which of a, b, c and d join a unit around a function with this body."""
    text = (
        f"define void @f(i32 %x, ptr %p, i1 %t) personality ptr @a {{\n{body}\n}}\n{CALLEES}{more}"
    )
    index = ModuleIndex.from_text(text.encode())
    known = np.zeros(len(index), np.uint8)
    for name, state in states.items():
        known[index.entity(name)] = state
    chosen = seed(index, index.entity("f"), known, size_budget=1 << 20)
    return {index.source_name(entity) for entity in chosen} - {"f"}


def branch(condition: str, after: str = "") -> str:
    """A branch whose first way calls a and whose second calls b."""
    return f"""  {condition}
  br i1 %y, label %yes, label %no{after}
yes:
  call void @a()
  br label %end
no:
  call void @b()
  br label %end
end:
  call void @c()
  ret void"""


@pytest.mark.parametrize(
    ("condition", "joined"),
    [
        ("%y = icmp eq i32 %x, 77", "bc"),
        ("%y = icmp ne i32 %x, 77", "ac"),
        ("%y = icmp eq i32 %x, 0", "abc"),
        ("%y = icmp eq ptr %p, null", "abc"),
        ("%y = icmp slt i32 %x, 77", "abc"),
        ("%y = icmp eq i32 77, %x", "abc"),
        ("%z = icmp eq i32 %x, 77\n  %y = xor i1 %z, %t", "abc"),
    ],
)
def test_equality_with_an_odd_constant_is_unlikely(condition, joined):
    assert likely(branch(condition)) == set(joined)


@pytest.mark.parametrize(
    ("weights", "joined"),
    [
        ("i32 1, i32 2000", "bc"),
        ("i32 2000, i32 1", "ac"),
        ("i32 1, i32 1", "abc"),
        ("i32 0, i32 0", "abc"),
        ("i32 1", "abc"),
    ],
)
def test_weights_are_believed(weights, joined):
    node = f'!7 = !{{!"branch_weights", !"expected", {weights}}}\n'
    assert likely(branch("%y = icmp slt i32 %x, 77", ", !prof !7"), node) == set(joined)
    assert likely(branch("%y = icmp slt i32 %x, 77", ", !prof !8"), node) == set("abc")


def test_what_leads_to_the_end_of_the_world_is_unlikely():
    assert likely("call void @a() unreachable") == set()
    assert likely(
        "br i1 %t, label %bad, label %good bad: call void @a() unreachable"
        " good: call void @b() ret void"
    ) == {"b"}


def test_a_loop_is_left_in_the_end():
    assert likely(
        """  br label %outer
outer:
  br label %inner
inner:
  %y = icmp slt i32 %x, 3
  br i1 %y, label %inner, label %after
after:
  br i1 %t, label %outer, label %out
out:
  br i1 %t, label %last, label %more
last:
  call void @a()
  ret void
more:
  ret void"""
    ) == {"a"}


def test_chances_multiply_along_a_path_and_add_up_where_paths_meet():
    text = "".join(
        f"  br i1 %t, label %x{i}, label %meet\nx{i}:\n  call void @{name}()\n"
        for i, name in enumerate("abcd")
    )
    assert likely(text + "  br label %meet\nmeet:\n  ret void") == {"a", "b"}


def test_cases_and_unwinding():
    assert likely(
        "switch i32 %x, label %other [ i32 1, label %one\n i32 2, label %two ]\n"
        "one:\n call void @a() ret void\ntwo:\n call void @b() ret void\n"
        "other:\n invoke void @c() to label %out unwind label %landing\n"
        "landing:\n %l = landingpad { ptr, i32 } cleanup call void @d() ret void\n"
        '"out":\n ret void'
    ) == {"a", "b", "c", "d"}  # a block that the pass saw no way to is taken as even
    assert likely(
        "invoke void @c() to label %out unwind label %landing\n"
        "landing:\n %l = landingpad { ptr, i32 } cleanup br i1 %t, label %x, label %y\n"
        "x:\n br i1 %t, label %z, label %y\nz:\n call void @d() ret void\n"
        "y:\n ret void\nout:\n ret void"
    ) == {"c"}


def test_bodies_that_say_little_are_taken_as_they_are():
    many = "".join(f"  call void @a()\n  call void @b() ; {i}\n" for i in range(100))
    assert likely(many + "  ret void") == {"a", "b"}
    long = "".join(f"  br label %n{i}\nn{i}:\n" for i in range(5000))
    assert likely(long + "  call void @a()\n  ret void") == {"a"}
    ways = " ".join(f"i32 {i}, label %n{i}" for i in range(600))
    cases = "".join(f"n{i}:\n  ret void\n" for i in range(599))
    assert likely(
        f"switch i32 %x, label %n599 [ {ways} ]\n{cases}n599:\n  call void @b()\n  ret void"
    ) == {"b"}
    assert likely('call void @"a"() call void @"\\62"() ret void') == {"a"}


def test_what_is_asked_for_anyway_fills_small_units():
    assert likely("ret void", a=2, c=2) == {"a", "c"}
    assert likely("call void @b() ret void", a=2, b=1, c=1) == {"a"}
    text = "".join(f"define void @f{i}() {{ ret void }}\n" for i in range(100))
    index = ModuleIndex.from_text(text.encode())
    wanted = np.full(len(index), 2, np.uint8)
    chosen = seed(index, 40, wanted, max_functions=128, size_budget=1 << 20)
    assert chosen == list(range(40, 56))
    assert seed(index, 40, wanted, max_functions=1, size_budget=0) == [40]


def test_suggestions_are_callees_that_nobody_has_asked_for():
    text = (
        "define void @f() { call void @b() call void @a() call void @b() call void @gone()"
        f" ret void }}\ndeclare void @gone()\n{CALLEES}"
    )
    index = ModuleIndex.from_text(text.encode())
    states = np.zeros(len(index), np.uint8)

    def names(room: int) -> list[str]:
        found = suggest(index, [index.entity("f")], states, room)
        return [index.source_name(entity) for entity in found]

    assert names(10) == ["b", "a"] and names(1) == ["b"]
    states[index.entity("b")] = 1
    assert names(10) == ["a"]
