"""The rules of carving, each on the smallest text that shows it."""

from __future__ import annotations

import re

import numpy as np
import pytest
from ir_programs import INPUTS, accept

from lazyjit._native import ffi
from lazyjit.errors import InternalError
from lazyjit.ir import ModuleIndex, carve, seed, seed_many

TEXTS = {path.stem: path.read_bytes() for path in INPUTS}


def unit_of(text: str | bytes, *names: str, budget: int = 0, ordinal: int = 7) -> str:
    """The text of the unit that defines these names, once LLVM has accepted it."""
    raw = text.encode() if isinstance(text, str) else text
    index = ModuleIndex.from_text(raw, ordinal=ordinal)
    unit = carve(index, [index.entity(name) for name in names], inline_budget=budget)
    accept(unit.text)
    assert unit.address and unit.text[-1:] != b"\0" and len(unit) == len(unit.text)
    return unit.text.decode()


def linkages(*names: str, budget: int = 0) -> str:
    return unit_of(TEXTS["linkages"], *names, budget=budget)


CALLS = """
define void @f() { call void @g() call void @f()
  store ptr @f, ptr @p store ptr @g, ptr @p ret void }
define void @g() { call void @f() ret void }
define weak void @w() { call void @w() ret void }
define linkonce_odr void @o() { call void @o() ret void }
@p = global ptr null
"""


def test_calls_within_a_unit_bind_to_bodies_and_addresses_to_stubs():
    text = unit_of(CALLS, "f", "g")
    assert "define hidden void @f$body() { call void @g$body() call void @f$body()" in text
    assert "store ptr @f, ptr @p store ptr @g, ptr @p" in text
    assert "declare void @f()" in text and "declare void @g()" in text


def test_calls_out_of_a_unit_go_to_stubs():
    assert "call void @g() call void @f$body()" in unit_of(CALLS, "f")


def test_an_overridable_function_is_called_by_its_stub_even_by_itself():
    assert "define hidden void @w$body() { call void @w() ret void }" in unit_of(CALLS, "w")
    assert "define hidden void @o$body() { call void @o$body() ret void }" in unit_of(CALLS, "o")


def test_locals_are_promoted_under_names_of_their_module():
    text = linkages("internal_function")
    assert "define hidden i32 @internal_function$7$body(" in text
    assert "@internal_data$7 = external hidden global i32" in text
    assert "define available_externally hidden fastcc noundef i32 @private_helper$7(" in text
    assert "declare hidden i32 @internal_function$7(i32 %x)\n" in text
    assert "@__unnamed_2$7 = external hidden global ptr" in text
    assert '@"needs quotes$7" = hidden global i32 20' in linkages("needs quotes")


def test_private_constants_are_copied_with_all_that_they_name():
    text = linkages("internal_function")
    assert '@string$7 = private unnamed_addr constant [6 x i8] c"hello\\00", align 1' in text
    assert "@strings$7 = private unnamed_addr constant [2 x ptr] [ptr @string$7, ptr @other" in text
    assert "@cyclic$7 = private unnamed_addr constant [2 x ptr] [ptr @cyclic$7, ptr @inter" in text
    assert "@addressed$7 = external hidden constant i32" in text


def test_definitions_lose_linkage_comdat_and_partition_but_keep_their_place():
    assert "@weak_data = dso_local global i32 6" in linkages("weak_data")
    assert "@common_data = dso_local global [64 x i8] zeroinitializer, align 16" in linkages(
        "common_data"
    )
    assert "@inline_guard = dso_local global i64 0, align 8" in linkages("inline_guard")
    assert "@appended = dso_local global [1 x i32] [i32 10]" in linkages("appended")
    assert '@placed$7 = hidden unnamed_addr constant i32 15, section "mine"' in linkages("placed")
    assert "@partitioned = dso_local global i32 26\n" in linkages("partitioned")
    assert "@hidden_data = hidden global i32 2, align 4" in linkages("hidden_data")
    assert 'global i32 23, code_model "large", align 8' in linkages("coded")
    assert "global i32 24, no_sanitize_address, no_sanitize_hwaddress" in linkages("sanitized")
    assert '@link_order = dso_local global i32 21, section "linked"\n' in linkages("link_order")
    assert "@typed = dso_local global %pair { i32 1, ptr @external_data }, !type !10" in linkages(
        "typed"
    )
    text = linkages("linkonce_odr_function")
    assert 'define hidden i32 @linkonce_odr_function$body(i32 %x) section ".text.keyed" {' in text
    assert "comdat" not in text


def test_declarations_keep_only_what_llvm_allows_them():
    text = linkages("inline_function", "attributed", "constructor")
    assert "declare extern_weak void @maybe()" in text
    assert "@declared_weak = extern_weak global i32" in text
    assert "declare void @declared_hidden_function()\n" in text
    assert "declare void @declared_local_function()\n" in text
    assert "@declared_hidden = external global i32" in text
    text = unit_of(TEXTS["linkages"], "internal_function")
    assert "declare void @noted(ptr nocapture readonly) #0\n" in text
    header = """
    define weak dso_local hidden cc 9 i32 @g(ptr byval(%t) %x) local_unnamed_addr
      addrspace(0) #0 nounwind "k"="v" section "s" partition "p" comdat align 32 gc "shadow-stack"
      prefix { i32 } { i32 1 } prologue ptr getelementptr (i8, ptr @d, i64 1)
      personality ptr @p !note !0 !other !{!0} { ret i32 0 }
    define void @f() { %x = call cc 9 i32 @g(ptr byval(%t) null) ret void }
    declare i32 @p(...) %t = type { i8 } $g = comdat any @d = global i8 0 !0 = !{}
    attributes #0 = { noinline }
    """
    text = unit_of(header, "f")
    assert (
        "declare cc 9 i32 @g(ptr byval(%t) %x) local_unnamed_addr addrspace(0)"
        ' #0 nounwind "k"="v"\n' in text
    )


def test_thread_local_models_are_relaxed():
    for name in ("tls_data", "tls_hidden"):
        assert f"@{name} = thread_local global" in linkages(name)
    assert "@tls_internal$7 = thread_local global" in linkages("tls_internal")
    text = linkages("internal_function")
    assert "@tls_internal$7 = external thread_local global i32" in text
    assert "@tls_declared = external thread_local global i32" in text


def test_dso_local_is_kept_only_where_the_definition_is_in_reach():
    text = unit_of(
        "@near = dso_local global i32 0 @far = external dso_local global i32"
        " @weak = weak dso_local global i32 0 @shared = global i32 0"
        " define void @f() { store ptr @near, ptr @far store ptr @weak, ptr @shared ret void }",
        "f",
    )
    assert "@near = external dso_local global i32" in text
    for name in ("far", "weak", "shared"):
        assert f"@{name} = external global i32" in text


def test_aliases_of_functions_are_those_functions_unless_they_may_be_overridden():
    text = linkages("external_function")
    assert "%c = call i32 @external_function$body(" in text
    assert "%d = call i32 @weak_alias(" in text and "declare i32 @weak_alias(i32)" in text
    assert "%g = call i32 @internal_function$7(" in text
    assert "declare i32 @resolved(i32)" in text


def test_aliases_of_data_are_defined_with_it_and_declared_elsewhere():
    text = linkages("alias_inside")
    assert text.index("@alias_inside = hidden alias ptr, getelementptr inbounds (%pair") > 0
    assert "@typed = dso_local global %pair" in text
    text = linkages("internal_function")
    assert "@alias_of_data = external global i32" in text
    assert "@tls_alias = external thread_local global i32" in text
    assert "@spaced_alias = external addrspace(1) global i32" in text
    assert "getelementptr (i8, ptr @external_function$body, i64 1)" in linkages("alias_in_function")
    assert "@alias_of_nothing = dso_local alias i8, inttoptr" in linkages("alias_of_nothing")


def test_aliases_and_ifuncs_of_code_have_no_definition_of_their_own():
    index = ModuleIndex.from_text(TEXTS["linkages"])
    unit = carve(index, [index.entity("alias_of_function"), index.entity("resolved")])
    assert unit.defines == [] and unit.entities == []
    accept(unit.text)


def test_block_addresses_name_bodies_and_bring_their_functions():
    text = unit_of(TEXTS["gotos"], "reader")
    assert "blockaddress(@apart2$body, %x)" in text and "define hidden void @apart2$body" in text
    text = unit_of(TEXTS["gotos"], "table")
    assert text.count("@interpret$body, %") == 4 and "call i32 @interpret$body(" in text


def test_addresses_of_unnamed_blocks_are_taken_before_their_function_is_read():
    text = """
    @t = internal constant [1 x ptr] [ptr blockaddress(@f, %1)]
    define void @f() { br label %1 1: %p = load ptr, ptr @t ret void }"""
    unit = unit_of(text, "f")
    assert unit.index("@t$7 = hidden constant") < unit.index("define hidden void @f$body")


def test_flags_of_the_whole_image_are_dropped_and_others_kept():
    text = linkages("tail")
    assert '!{i32 1, !"wchar_size", i32 4}' in text and '!"PIC Level"' in text
    assert "PIE Level" not in text and "CG Profile" not in text and "nobody" not in text


def test_metadata_comes_along_with_what_it_names():
    text = linkages("uses_metadata")
    assert "!14 = !{ptr @private_function$7, ptr @internal_function$7}" in text
    assert '!19 = !{!"root"}' in text and "declare hidden i32 @internal_function$7(" in text


def test_only_needed_types_come_and_in_the_order_of_the_module():
    text = unit_of(TEXTS["types"], "h")
    names = re.findall(r"^%(\S+) = type", text, re.MULTILINE)
    assert names == ["array", "alias", "late", "later"]
    text = unit_of(TEXTS["types"], "number")
    assert re.findall(r"^%(\S+) = type", text, re.MULTILINE) == ["3", "7"]


INLINING = """
define i32 @f(i32 %x) { %a = call i32 @small(i32 %x) %b = call i32 @never(i32 %a)
  %c = call i32 @weak(i32 %b) %d = call i32 @odr(i32 %c) %e = load i32, ptr @number
  %g = call i32 @static(i32 %e) %h = load ptr, ptr @elsewhere ret i32 %g }
define i32 @small(i32 %x) { %y = call i32 @deeper(i32 %x) ret i32 %y }
define i32 @deeper(i32 %x) { %y = load i32, ptr @small_table ret i32 %y }
define i32 @never(i32 %x) #0 { ret i32 %x }
define weak i32 @weak(i32 %x) { ret i32 %x }
define linkonce_odr i32 @odr(i32 %x) { ret i32 %x }
define internal i32 @static(i32 %x) { ret i32 %x }
define i32 @address_only(i32 %x) { ret i32 %x }
@number = constant i32 5
@small_table = constant [2 x i32] [i32 1, i32 2]
@elsewhere = global ptr @address_only
attributes #0 = { noinline }
"""


def test_small_callees_and_constants_are_carried_for_inlining():
    text = unit_of(INLINING, "f", budget=4000)
    for name in ("small", "deeper", "odr"):
        assert f"define available_externally i32 @{name}(" in text
    assert "define available_externally hidden i32 @static$7(" in text
    assert "@number = available_externally constant i32 5" in text
    assert "@small_table = available_externally constant" in text
    for name in ("never", "weak"):
        assert f"declare i32 @{name}(" in text
    index = ModuleIndex.from_text(INLINING.encode())
    unit = carve(index, [index.entity("f")], inline_budget=4000)
    assert unit.carried == 6 and len(unit.defines) == 1


def test_nothing_is_carried_without_a_budget_or_beyond_it():
    assert "available_externally" not in unit_of(INLINING, "f")
    index = ModuleIndex.from_text(INLINING.encode())
    first = carve(index, [index.entity("f")], inline_budget=100, inline_limit=100).text
    assert 0 < first.count(b"available_externally") < 6
    assert carve(index, [index.entity("f")], inline_budget=100, inline_limit=5).carried == 0


def test_what_must_always_be_inlined_is_carried_whatever_the_budget():
    text = unit_of(
        "define void @f() { call void @g() call void @h() ret void }"
        " define available_externally void @g() alwaysinline { call void @i() ret void }"
        " define available_externally void @h() { ret void }"
        " define internal void @i() #0 { ret void } attributes #0 = { alwaysinline }",
        "f",
    )
    assert "define available_externally void @g()" in text and "declare void @h()" in text
    assert "define available_externally hidden void @i$7()" in text


def test_a_carried_body_calls_what_the_unit_defines_directly():
    text = unit_of(INLINING, "f", "deeper", budget=4000)
    assert "define available_externally i32 @small(i32 %x) { %y = call i32 @deeper$body(" in text


def test_ids_that_a_module_does_not_define_are_refused():
    index = ModuleIndex.from_text(TEXTS["linkages"])
    for entity in (-1, len(index), index.entity("declared"), index.entity("llvm.used")):
        with pytest.raises(InternalError):
            carve(index, [entity])


def test_an_empty_unit_is_a_module():
    index = ModuleIndex.from_text(TEXTS["linkages"])
    unit = carve(index, [])
    accept(unit.text)
    assert unit.defines == []


@pytest.mark.parametrize("stem", sorted(TEXTS))
def test_lines_of_a_unit_lead_back_to_the_module(stem):
    index = ModuleIndex.from_text(TEXTS[stem])
    original = TEXTS[stem].decode().split("\n")
    checked = 0
    for entity in index.defined():
        unit = carve(index, [entity])
        for number, line in enumerate(unit.text.decode().split("\n"), 1):
            for word in re.findall(r"%[a-z]\w* = \w+", line):
                there = unit.original_line(number)
                assert there is not None and word in original[there - 1]
                checked += 1
        assert unit.original_line(10**6) is None and unit.original_line(0) is None
    assert checked or stem == "gotos"


def test_an_error_in_a_body_is_found_on_its_line():
    text = b"define void @ok() {\n  ret void\n}\n\ndefine void @bad()\n  ; why\n{\n\n  frob\n}\n"
    index = ModuleIndex.from_text(text)
    unit = carve(index, [index.entity("bad")])
    with pytest.raises(RuntimeError) as caught:
        accept(unit.text)
    line = int(re.search(r"<string>:(\d+):", str(caught.value)).group(1))
    assert unit.original_line(line) == 9
    accept(carve(index, [index.entity("ok")]).text)


# --- the choice of units ------------------------------------------------------------------------


def seeds(text: str, name: str, claimed: tuple[str, ...] = (), **options: int) -> list[str]:
    index = ModuleIndex.from_text(text.encode())
    taken = np.zeros(len(index), np.uint8)
    taken[[index.entity(other) for other in claimed]] = 1
    return [index.source_name(e) for e in seed(index, index.entity(name), taken, **options)]


CHAIN = """
@used_by_a = global i32 0 @used_by_b = global i32 0 @unused = global i32 0
@through = global ptr @behind @behind = global i32 0
define void @a() { call void @outer() call void @b() call void @cold() call void @weak()
  store i32 0, ptr @used_by_a %x = load ptr, ptr @through ret void }
define internal void @b() { call void @c() store i32 0, ptr @used_by_b ret void }
define internal void @c() { call void @a() store ptr @taken, ptr @used_by_a ret void }
define void @outer() { ret void } define internal void @taken() { ret void }
define void @cold() noreturn { unreachable } define weak void @weak() { ret void }
"""


def test_callees_join_locals_first_breadth_first_and_data_follows():
    chosen = seeds(CHAIN, "a")
    assert chosen[:4] == ["a", "b", "outer", "c"]
    assert set(chosen[4:]) == {"used_by_a", "through", "behind", "used_by_b"}


def test_what_others_claimed_is_left_out():
    chosen = seeds(CHAIN, "a", claimed=("a", "b", "used_by_a"))
    assert chosen == ["a", "outer", "through", "behind"]


def test_units_stay_within_functions_and_size():
    assert seeds(CHAIN, "a", max_functions=1) == ["a", "used_by_a", "through", "behind"]
    assert seeds(CHAIN, "a", max_functions=2)[:2] == ["a", "b"]
    assert seeds(CHAIN, "a", size_budget=10)[:2] == ["a", "used_by_a"]


def many_seeds(
    index: ModuleIndex, *names: str, functions: int, size: int = 1000
) -> list[list[str]]:
    states = ffi.new("uint8_t[]", len(index))
    around = [index.entity(name) for name in names]
    chosen = seed_many(index, around, states, max_functions=functions, size_budget=size)
    assert all(states[entity] == 1 for each in chosen for entity in each)
    return [[index.source_name(entity) for entity in each] for each in chosen]


def test_units_that_are_made_in_one_go_share_the_bounds_and_define_nothing_twice():
    index = ModuleIndex.from_text(CHAIN.encode())
    assert many_seeds(index, "b", "a", "outer", functions=1) == [
        ["b", "used_by_b"],
        ["a", "used_by_a", "through", "behind"],
        ["outer"],
    ]
    # `a` takes `b`, and with it what the bounds allow.
    assert many_seeds(index, "a", "b", "taken", "c", functions=2) == [
        ["a", "b", "used_by_a", "through", "used_by_b", "behind"],
        ["taken"],
        ["c"],
    ]
    one, other = many_seeds(index, "outer", "b", functions=8, size=10)
    assert (one, other) == (["outer"], ["b", "used_by_b"])


def test_units_that_are_made_in_one_go_have_room_for_what_must_be_together():
    text = "@base = global i32 0\n" + "".join(f"@a{n} = alias i32, ptr @base\n" for n in range(200))
    data = "".join(f"@d{n} = global i32 {n}\n" for n in range(300))
    uses = "".join(f"  store i32 0, ptr @d{n}\n" for n in range(300))
    text += data + "define void @much() {\n" + uses + "  ret void\n}\n"
    index = ModuleIndex.from_text(text.encode())
    much, group = many_seeds(index, "much", "a7", functions=1)
    assert much[0] == "much" and len(set(much)) == len(much)
    assert group[0] == "a7" and set(group) == {"base", *(f"a{n}" for n in range(200))}


def test_what_must_be_together_joins_whatever_the_limits():
    index = ModuleIndex.from_text(TEXTS["gotos"])
    taken = np.zeros(len(index), np.uint8)
    chosen = seed(index, index.entity("both"), taken, max_functions=1, size_budget=1)
    assert index.source_name(chosen[0]) == "both"
    assert {index.source_name(entity) for entity in chosen} == {"both", "left", "right"}


def test_entities_without_a_definition_seed_nothing():
    assert seeds("declare void @f()", "f") == []
    index = ModuleIndex.from_text(b"define void @f() { ret void }")
    with pytest.raises(ValueError, match="fewer"):
        seed(index, 0, np.zeros(0, np.uint8))


# --- cost ---------------------------------------------------------------------------------------


def big_module(functions: int) -> bytes:
    body = """define i32 @function_%d(i32 %%x, ptr %%p) #0 {
entry:
  %%slot = alloca i32, align 4
  store i32 %%x, ptr %%slot, align 4
  %%q = getelementptr inbounds %%struct.node, ptr %%p, i32 0, i32 1
  %%y = call i32 @function_%d(i32 %%x, ptr %%q), !dbg !0
  ret i32 %%y
}
"""
    head = "%struct.node = type { ptr, i32 }\n"
    tail = "attributes #0 = { nounwind }\n!0 = !{}\n"
    return (
        head + "".join(body % (i, (i * 7 + 1) % functions) for i in range(functions)) + tail
    ).encode()


def test_a_unit_is_as_small_in_a_large_module_as_in_a_small_one():
    def size(functions: int) -> int:
        index = ModuleIndex.from_text(big_module(functions))
        return len(carve(index, [index.entity(f"function_{functions // 2}")]))

    assert abs(size(16000) - size(100)) < 20
