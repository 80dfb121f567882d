"""What an index knows of a module: kinds, flags, names, references, initializers, errors."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from ir_programs import INPUTS, accept

from lazyjit.errors import IRError
from lazyjit.ir import Constructor, EntityFlag, Kind, Linkage, ModuleIndex, RefFlag, What
from lazyjit.symbols import SymbolFlags

TEXTS = {path.stem: path.read_bytes() for path in INPUTS}


@pytest.fixture(scope="module")
def linkages() -> ModuleIndex:
    return ModuleIndex.from_text(TEXTS["linkages"], file="linkages.ll", ordinal=7)


@pytest.fixture(scope="module")
def lexical() -> ModuleIndex:
    return ModuleIndex.from_text(TEXTS["lexical"], file="lexical.ll", ordinal=1)


def has(index: ModuleIndex, name: str, flag: EntityFlag) -> bool:
    return bool(index.entities[index.entity(name)]["flags"] & flag)


def test_every_entity_is_found_with_its_kind(linkages):
    kinds = {
        "external_data": Kind.VARIABLE,
        "declared": Kind.EXTERNAL,
        "alias_of_data": Kind.ALIAS,
        "resolved": Kind.IFUNC,
        "noted": Kind.DECLARATION,
        "tail": Kind.FUNCTION,
        "llvm.threadlocal.address.p0": Kind.UNDEFINED,
        "3": Kind.FUNCTION,
    }
    for name, kind in kinds.items():
        assert linkages.kind(linkages.entity(name)) == kind
    assert linkages.entity("nothing") == -1
    assert linkages.counts.functions == int((linkages.entities["kind"] == Kind.FUNCTION).sum())


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_the_index_agrees_with_llvm_on_what_a_module_has(name):
    module = accept(TEXTS[name])
    index = ModuleIndex.from_text(TEXTS[name])
    for functions in (True, False):
        values = module.functions if functions else module.global_variables
        kinds = (Kind.FUNCTION, Kind.DECLARATION) if functions else (Kind.VARIABLE, Kind.EXTERNAL)
        found = {
            index.source_name(entity): index.kind(entity)
            for entity in range(len(index))
            if index.kind(entity) in kinds and not has_number(index, entity)
        }
        theirs = {value.name: value for value in values if value.name}
        found.update(  # those that are declared by their use alone
            (name, Kind.DECLARATION)
            for name in theirs.keys() - found.keys()
            if functions and name.startswith("llvm.")
        )
        assert found.keys() == theirs.keys()
        for symbol, value in theirs.items():
            assert value.is_declaration == (found[symbol] in (Kind.DECLARATION, Kind.EXTERNAL))


def has_number(index: ModuleIndex, entity: int) -> bool:
    return bool(index.entities[entity]["flags"] & EntityFlag.NUMBERED)


def test_spans_hold_each_definition_and_nothing_else(lexical):
    assert lexical.source(lexical.entity("one")) == b"@one = global i32 1"
    assert lexical.source(lexical.entity("two")) == b"@two = global i32 2, align 4"
    assert lexical.source(lexical.entity("g")).startswith(b"define i32 @g(i32 %0) {")
    assert lexical.source(lexical.entity("g")).endswith(b"ret i32 %2 }")
    assert lexical.source(lexical.entity("split over")).endswith(b")) #0")
    assert lexical.line(lexical.entity("one")) == 14
    assert lexical.entity("not_there") == -1


def test_linkage_decides_what_is_local_weak_and_overridable(linkages):
    rows = {
        #                     local  weak  overridable
        "external_data": (False, False, False),
        "internal_data": (True, False, False),
        "private_data": (True, False, False),
        "weak_data": (False, True, True),
        "weak_odr_data": (False, True, False),
        "linkonce_data": (False, True, True),
        "linkonce_odr_data": (False, True, False),
        "common_data": (False, True, True),
        "inline_static": (False, True, False),
        "alone": (False, False, False),
        "declared_weak": (False, True, True),
        "0": (True, False, False),
    }
    flags = (EntityFlag.LOCAL, EntityFlag.WEAK, EntityFlag.OVERRIDABLE)
    for name, row in rows.items():
        assert tuple(has(linkages, name, flag) for flag in flags) == row, name
    linkage = linkages.entities[linkages.entity("appended")]["linkage"]
    assert linkage == Linkage.APPENDING


def test_private_constants_are_copyable_unless_something_pins_them(linkages):
    for name in ("string", "strings", "cyclic", "other_string", "1"):
        assert has(linkages, name, EntityFlag.COPYABLE), name
    for name in ("aliased_text", "addressed", "placed", "internal_data", "weak_odr_data"):
        assert not has(linkages, name, EntityFlag.COPYABLE), name


def test_attribute_groups_tell_what_may_not_be_inlined_elsewhere(linkages):
    assert has(linkages, "private_helper", EntityFlag.ALWAYSINLINE)
    assert has(linkages, "attributed", EntityFlag.NOINLINE)
    assert has(linkages, "variadic", EntityFlag.VARARG)
    assert not has(linkages, "external_function", EntityFlag.NOINLINE)


def test_symbols_carry_linker_names_and_flags(linkages):
    exported, callable_, weak = SymbolFlags.EXPORTED, SymbolFlags.CALLABLE, SymbolFlags.WEAK
    expected = {
        "external_function": ("external_function", exported | callable_),
        "internal_function": ("internal_function$7", callable_),
        "hidden_data": ("hidden_data", SymbolFlags.NONE),
        "protected_data": ("protected_data", exported),
        "weak_function": ("weak_function", exported | callable_ | weak),
        "common_data": ("common_data", exported | SymbolFlags.COMMON),
        "0": ("__unnamed_0$7", SymbolFlags.NONE),
        "needs quotes": ("needs quotes$7", SymbolFlags.NONE),
        "alias_of_function": ("alias_of_function", exported | callable_),
        "resolved": ("resolved", exported | callable_),
    }
    for name, symbol in expected.items():
        assert linkages.symbol(linkages.entity(name)) == symbol
    body = linkages.name(linkages.entity("3"), body=True)
    assert body == "__unnamed_3$7$body"


def test_names_are_found_by_what_the_linker_calls_them(linkages, lexical):
    rows = {
        "external_function": ("external_function", What.STUB),
        "external_function$body": ("external_function", What.BODY),
        "internal_function$7": ("internal_function", What.STUB),
        "internal_function$7$body": ("internal_function", What.BODY),
        "__unnamed_3$7$body": ("3", What.BODY),
        "__unnamed_0$7": ("0", What.DATA),
        "needs quotes$7": ("needs quotes", What.DATA),
        "alias_of_function": ("alias_of_function", What.STUB),
        "resolved": ("resolved", What.STUB),
        "alias_of_data": ("alias_of_data", What.DATA),
        "external_data": ("external_data", What.DATA),
    }
    found = linkages.find_many(list(rows))
    assert [hit[:2] for hit in found] == [
        (linkages.entity(name), what) for name, what in rows.values()
    ]
    for entity, what, flags in found:
        if what != What.BODY:
            assert flags == linkages.flags(entity)
    assert found[1][2] == SymbolFlags.CALLABLE  # nobody else sees a body
    absent = [
        "", "$body", "nothing", "internal_function", "internal_function$8", "external_data$body",
        "internal_function$07", "declared", "external_declared", "available", "external_function$7",
        "llvm.used", "metadata_text", "metadata_text$7", "available_function", "$7", "0",
        "alias_of_function$body", "__unnamed_99$7", "external\0data", "tail\0", "\0",
        "__unnamed_$7", "resolved$body", "é",
    ]  # fmt: skip
    assert linkages.find_many(absent) == [(-1, What.NONE, SymbolFlags.NONE)] * len(absent)
    assert linkages.find_many([]) == []
    hits = lexical.find_many(["under", "\1under", "tab\tand\\slash"])
    assert [hit[:2] for hit in hits] == [
        (lexical.entity("\1under"), What.DATA),
        (-1, What.NONE),
        (lexical.entity("tab\tand\\slash"), What.DATA),
    ]


def test_references_come_once_each_with_how_they_are_made(linkages):
    entity = linkages.entity("external_function")
    called = [linkages.source_name(e) for e in linkages.callees(entity)]
    assert called == [
        "internal_function", "weak_function", "alias_of_alias", "weak_alias", "resolved",
        "external_declared", "internal_alias", "linkonce_odr_function", "internal_resolved",
    ]  # fmt: skip
    entity = linkages.entity("internal_function")
    flags = dict(zip(linkages.refs(entity), linkages.ref_flags(entity), strict=True))
    assert len(flags) == len(linkages.refs(entity))
    assert flags[linkages.entity("internal_function")] == RefFlag.ADDRESS
    assert flags[linkages.entity("noted")] == RefFlag.CALL
    assert flags[linkages.entity("common_data")] == RefFlag.ADDRESS
    inline = linkages.entity("inline_function")
    assert linkages.entity("__gxx_personality_v0") in linkages.refs(inline)


def test_initializers_come_with_priority_function_and_data(linkages):
    assert linkages.constructors == [
        Constructor(65535, linkages.entity("constructor"), -1),
        Constructor(101, linkages.entity("weak_function"), linkages.entity("inline_static")),
    ]
    assert linkages.destructors == [Constructor(-1, linkages.entity("internal_function"), -1)]
    used = [linkages.source_name(entity) for entity in linkages.used]
    assert used == ["internal_function", "internal_data", "private_data"]
    many = ", ".join(f"{{ i32, ptr, ptr }} {{ i32 {i}, ptr @f, ptr null }}" for i in range(40))
    text = f"@llvm.global_ctors = appending global [40 x {{ i32, ptr, ptr }}] [{many}]"
    index = ModuleIndex.from_text(text.encode() + b" define void @f() { ret void }")
    assert [entry.priority for entry in index.constructors] == list(range(40))
    assert index.destructors == []


def test_aliases_lead_to_the_end_of_their_chain(linkages):
    def aliasee(name: str) -> str:
        return linkages.source_name(linkages.aliasee(linkages.entity(name)))

    assert aliasee("alias_of_alias") == "external_function"
    assert aliasee("alias_inside") == "typed"
    assert aliasee("resolved") == "resolver"
    assert linkages.aliasee(linkages.entity("alias_of_nothing")) == -1
    assert linkages.aliasee(linkages.entity("tail")) == -1


def test_long_chains_of_aliases_take_one_walk():
    count = 20_000
    links = b"".join(b"@a%d = alias i8, ptr @a%d\n" % (i, i + 1) for i in range(count))
    index = ModuleIndex.from_text(links + b"@a%d = global i8 0" % count)
    assert index.aliasee(index.entity("a0")) == index.entity(f"a{count}")
    assert len(index.together(index.entity("a7"))) == count + 1


def test_alias_cycles_end():
    index = ModuleIndex.from_text(
        b"@a = alias i8, ptr @b @b = alias i8, ptr @c @c = alias i8, ptr @a"
    )
    assert len(index) == 3


def test_what_must_be_together_is_one_group():
    index = ModuleIndex.from_text(TEXTS["gotos"])

    def together(name: str) -> set[str]:
        return {index.source_name(entity) for entity in index.together(index.entity(name))}

    assert together("interpret") == {"interpret", "table", "elsewhere"}
    assert together("both") == {"both", "left", "right"}
    assert together("reader") == {"reader", "apart2"}
    assert together("apart") == {"apart"}


def test_undefined_names_are_listed_with_whether_they_may_be_missing(linkages):
    undefined = dict(linkages.undefined())
    assert undefined["declared_weak"] and undefined["maybe"]
    assert not undefined["declared"] and not undefined["external_declared"]
    assert undefined.keys() & {"available", "available_function"} == {
        "available",
        "available_function",
    }
    assert not any(name.startswith("llvm.") for name in undefined)


def test_strong_duplicates_between_modules_are_found():
    left = ModuleIndex.from_text(
        b'define void @f() { ret void } define weak void @g() { ret void } @"\\01x" = global i8 0'
        b" define internal void @h() { ret void } @only = global i8 0 declare void @i()"
    )
    right = ModuleIndex.from_text(
        b"define i32 @f() { ret i32 0 } define void @g() { ret void } @x = global i32 0"
        b" define void @h() { ret void } define void @i() { ret void }"
    )
    assert sorted(left.conflicts([right])) == ["f", "x"]
    assert sorted(right.conflicts([left])) == ["f", "x"]
    many = b"".join(b"@v%d = global i8 0\n" % i for i in range(100))
    index = ModuleIndex.from_text(many)
    assert len(index.conflicts([ModuleIndex.from_text(many)])) == 100
    assert left.conflicts([]) == left.conflicts([index]) == []
    assert sorted(left.conflicts([index, right, index])) == ["f", "x"]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (b"\n\nnonsense", 3, "expected top-level entity"),
        (b"define void @f() {\n  ret void\n", 1, "unbalanced bracket"),
        (b"\n@x = global i32 0\n@x = global i32 1", 3, "redefinition of @x"),
        (b"declare void @f()\ndefine void @f() { ret void }", 2, "redefinition of @f"),
        (b"%t = type i8\n%t = type i32", 2, "redefinition of %t"),
        (b"!0 = !{}\n!0 = !{}", 2, "metadata number used twice"),
        (b'source_filename = "abc\n', 1, "expected a string"),
        (b"@x = global", 1, "expected the type of @x"),
        (b"@x 5", 1, "expected '='"),
        (b"define void f()", 1, "expected function name"),
        (b"define void @f()", 1, "expected '{'"),
        (b"define void @f {", 1, "expected '('"),
        (b'module asm "x', 1, "expected a string"),
        (b"@a = alias i32 @b", 1, "expected ','"),
        (b"attributes #0 = nounwind", 1, "expected '{'"),
        (b"}\n", 1, "expected top-level entity"),
        (b"@x = global [2 x i8] )", 1, "unbalanced bracket"),
        (b'define void @f() { call void @"g() }', 1, "unterminated name"),
        (b"target flavour = 5", 1, "expected top-level entity"),
    ],
)
def test_malformed_text_raises_with_file_line_and_reason(text, line, words):
    with pytest.raises(IRError) as caught:
        ModuleIndex.from_text(text, file="bad.ll")
    assert caught.value.file == "bad.ll"
    assert caught.value.line == line
    assert words in caught.value.reason


def test_an_error_deep_in_a_body_leaves_the_module_usable():
    index = ModuleIndex.from_text(b"define void @bad() { frobnicate } define void @ok() {ret void}")
    assert index.counts.functions == 2


def test_an_empty_module_has_an_empty_index():
    for text in (b"", b"; nothing\n", b"\0\0", b"/* never ends"):
        index = ModuleIndex.from_text(text)
        assert len(index) == 0 and index.find_many(["f"])[0][:2] == (-1, What.NONE)


def test_the_arrays_outlive_the_index():
    index = ModuleIndex.from_text(TEXTS["linkages"])
    entities, refs = index.entities, index.refs(index.entity("internal_function"))
    expected = entities.copy(), refs.copy()
    del index
    assert np.array_equal(entities, expected[0]) and np.array_equal(refs, expected[1])
    with pytest.raises(ValueError, match="read-only"):
        entities["kind"] = 0


def test_entities_that_do_not_exist_are_refused(linkages):
    for entity in (-1, len(linkages)):
        with pytest.raises(IndexError):
            linkages.name(entity)


def test_one_index_answers_many_threads_at_once(linkages):
    names = [linkages.name(entity) for entity in linkages.defined()]
    expected = linkages.find_many(names)
    wrong: list[object] = []

    def ask() -> None:
        for _ in range(200):
            if linkages.find_many(names) != expected:
                wrong.append(names)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_known_function_costs_little_memory():
    count = 5000
    text = b"".join(
        b"define i32 @function_%d(i32 %%x) { %%y = call i32 @function_%d(i32 %%x) ret i32 %%y }\n"
        % (i, (i + 1) % count)
        for i in range(count)
    )
    assert ModuleIndex.from_text(text).memory_bytes / count < 200
