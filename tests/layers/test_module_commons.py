"""Common variables of modules: sizes as LLVM has them, and one block for all of a name."""

from __future__ import annotations

import ctypes

import llvmlite.binding as llvm
import pytest

from lazyjit import JIT
from lazyjit.errors import CommonTooLarge, DuplicateDefinition
from lazyjit.ir import ModuleIndex
from lazyjit.layers.module_commons import commons_of
from lazyjit.link.graph import LinkGraph

POINTER = ctypes.c_void_p

TYPES = [
    *("i1", "i8", "i16", "i32", "i64", "i128", "half", "bfloat", "float", "double"),
    *("x86_fp80", "fp128", "ptr", "[7 x i16]", "[3 x [5 x double]]", "[0 x i32]", "{ i8, i64 }"),
    *("{ i8, [3 x i16], i8, x86_fp80 }", "<{ i8, i64, i8 }>", "[2 x <{ i8, i32 }>]", "{}"),
    *("<4 x float>", "<2 x i8>", "[3 x <4 x i64>]", "%named", "[2 x %named]", '%"a name"', "%0"),
    "{ i8, { i16, { i64 } }, i1 }",
]
NAMED = '%named = type { i32, %"a name", ptr }\n%"a name" = type <{ i8, %0 }>\n%0 = type { i16 }\n'


@pytest.mark.parametrize("align", ["", ", align 64"])
@pytest.mark.parametrize("kind", TYPES)
def test_a_type_is_as_large_as_llvm_says(kind, align):
    text = f"{NAMED}@x = common global {kind} zeroinitializer{align}\n"
    ours = commons_of(ModuleIndex.from_text(text.encode()))
    assert ours is not None
    module = llvm.parse_assembly('target triple = "x86_64-unknown-linux-gnu"\n' + text)
    machine = llvm.Target.from_triple(module.triple).create_target_machine()
    object_ = LinkGraph.from_object(machine.emit_object(module), file="llvm.o")
    size, least = object_.commons()["x"]
    # Of no alignment that is given, LLVM's own choice is the larger for some.
    assert ours.commons()["x"][0] == max(size, 1) or kind in ("{}", "[0 x i32]")
    assert ours.commons()["x"][1] >= (least if align else 1)
    assert ours.commons()["x"][1] % 64 == 0 or not align


@pytest.fixture(params=[{}, {"lazy": False}, {"opt_level": 0, "unit_policy": "function"}])
def jit(request):
    with JIT(compile_threads=1, **request.param) as jit:
        yield jit


def table(size: int, linkage: str = "common", name: str | None = None) -> str:
    return (
        f"@table = {linkage} global [{size} x i32] zeroinitializer, align 4\n"
        f"define ptr @{name or f'of{size}'}() {{\n  ret ptr @table\n}}\n"
    )


@pytest.mark.parametrize("order", [(2, 1000, 30), (1000, 30, 2), (30, 2, 1000)])
def test_the_largest_of_all_modules_wins(jit, order):
    for size in order:
        jit.add(table(size))
    assert len({jit.function(f"of{size}", POINTER)() for size in order}) == 1
    with pytest.raises(CommonTooLarge) as caught:
        jit.add(table(1001))
    assert caught.value.placed == (4000, 64)


def test_modules_and_objects_have_one(jit, compile_object):
    jit.add(table(2))
    jit.add(compile_object("int table[50]; void *of50(void) { return table; }", "-fcommon"))
    jit.add(table(40))
    assert len({jit.function(f"of{size}", POINTER)() for size in (2, 40, 50)}) == 1
    with pytest.raises(CommonTooLarge) as caught:
        jit.add(table(51))
    assert caught.value.placed == (200, 64)


def test_what_is_refused_leaves_nothing(jit):
    jit.add(table(2))
    assert jit.function("of2", POINTER)()
    with pytest.raises(CommonTooLarge):
        jit.add(table(3) + "@other = common global i32 0\n")
    jit.add("@other = global i32 5\n")
    assert ctypes.c_int.from_address(jit.lookup("other")).value == 5


def test_a_strong_definition_beats_them(jit):
    jit.add(table(20))
    jit.add(table(2, "", "strong"))
    jit.add(table(30))
    places = {jit.function(name, POINTER)() for name in ("of20", "strong", "of30")}
    assert places == {jit.lookup("table")}
    with pytest.raises(DuplicateDefinition):
        jit.add(table(2, "", "again"))


def test_a_hidden_one_is_seen_within_its_dylib_only(jit):
    library = jit.create_dylib("library")
    jit.add(table(2, "common hidden"), dylib=library)
    jit.add(table(3, "common hidden"), dylib=library)
    assert (
        jit.function("of2", POINTER, dylib=library)()
        == jit.function("of3", POINTER, dylib=library)()
    )
    jit.main.add_to_link_order(library)
    with pytest.raises(Exception, match="table"):
        jit.lookup("table")


def test_what_has_no_size_here_is_taken_as_it_is(jit):
    jit.add("@odd = common global i24 0, align 4\n@plain = common global i32 0, align 4\n")
    assert jit.lookup("odd") != jit.lookup("plain")


def test_another_modules_remains_when_the_first_is_removed(jit):
    first = jit.add(table(2))
    jit.add(table(3))
    first.remove()
    assert jit.function("of3", POINTER)() == jit.lookup("table")
