"""Common symbols of several objects: the largest wins, as long as nothing was linked."""

from __future__ import annotations

import ctypes

import pytest

from lazyjit import JIT
from lazyjit.core import MaterializationUnit
from lazyjit.errors import CommonTooLarge, DuplicateDefinition, FailedToMaterialize
from lazyjit.layers.plugin import Plugin
from lazyjit.link.graph import LinkGraph
from lazyjit.link.model import MemProt
from lazyjit.symbols import SymbolFlags

INT, POINTER = ctypes.c_int, ctypes.c_void_p


@pytest.fixture(params=["short way", "with a plugin"])
def jit(request):
    with JIT(compile_threads=1) as jit:
        if request.param == "with a plugin":
            jit.add_plugin(Plugin())
        yield jit


@pytest.fixture
def common(compile_object):
    """An object with `int table[size]` and a function that gives its address."""

    def common(size: int, align: int = 4, *more: str) -> bytes:
        return compile_object(
            f"int table[{size}] __attribute__((aligned({align})));"
            f"void *of{size}(void) {{ return table; }}",
            "-fcommon",
            *more,
        )

    return common


@pytest.mark.parametrize("order", [(2, 1000, 30), (1000, 30, 2), (30, 2, 1000)])
def test_the_largest_of_all_that_were_added_wins(jit, common, compile_object, order):
    for size in order:
        jit.add(common(size, 256 if size == 2 else 4))
    places = {jit.function(f"of{size}", POINTER)() for size in order}
    assert len(places) == 1, "they are one"
    [table] = places
    assert table % 256 == 0, "as strictly aligned as the strictest"
    # What comes next is not in it.
    jit.add(compile_object("char next[64]; void *after(void) { return next; }", "-fcommon"))
    after = jit.function("after", POINTER)()
    assert not table <= after < table + 4000
    ctypes.memset(table, 0x55, 4000)
    assert ctypes.string_at(after, 64) == bytes(64)


def test_a_late_one_may_be_aligned_as_compilers_align_arrays(jit, common):
    jit.add(common(100))
    assert jit.function("of100", POINTER)() % 64 == 0
    jit.add(common(50, 64))
    assert jit.function("of50", POINTER)() == jit.function("of100", POINTER)()
    with pytest.raises(CommonTooLarge):
        jit.add(common(20, 128))


def test_a_larger_one_that_comes_too_late_is_refused(jit, common):
    jit.add(common(2))
    assert jit.function("of2", POINTER)()
    with pytest.raises(CommonTooLarge, match="table of 12 bytes") as caught:
        jit.add(common(3))
    assert isinstance(caught.value, DuplicateDefinition)
    assert (caught.value.symbol, caught.value.dylib) == ("table", "main")
    assert (caught.value.wanted, caught.value.placed) == ((12, 4), (8, 8))
    with pytest.raises(CommonTooLarge):
        jit.add(common(2, 64))
    jit.add(common(1))
    assert jit.function("of1", POINTER)() == jit.function("of2", POINTER)()


def test_each_dylib_has_its_own(jit, common):
    other = jit.create_dylib("other")
    jit.add(common(2))
    assert jit.function("of2", POINTER)()
    jit.add(common(3), dylib=other)
    assert jit.function("of3", POINTER, dylib=other)() != jit.function("of2", POINTER)()


def test_what_was_removed_wants_nothing(jit, common):
    large = jit.add(common(1 << 22))
    jit.add(common(2))
    large.remove()
    assert jit.function("of2", POINTER)()
    with pytest.raises(CommonTooLarge) as caught:
        jit.add(common(3))
    assert caught.value.placed == (8, 8)


def test_what_was_placed_may_be_removed_and_come_anew(jit, common):
    first = jit.add(common(2))
    assert jit.function("of2", POINTER)()
    first.remove()
    jit.add(common(3))
    assert jit.function("of3", POINTER)()


def test_a_transferred_one_goes_with_its_new_tracker(jit, common):
    first, second = jit.add(common(2)), jit.add("@unrelated = global i32 0\n")
    assert jit.function("of2", POINTER)()
    first.transfer_to(second)
    with pytest.raises(CommonTooLarge):
        jit.add(common(3))
    second.remove()
    jit.add(common(3))


def test_a_strong_definition_is_as_large_as_it_is(jit, common, compile_object):
    jit.add(common(100))
    jit.add(compile_object("int table[2] = {7, 8}; void *strong(void) { return table; }"))
    place = jit.function("of100", POINTER)()
    assert place == jit.function("strong", POINTER)()
    jit.add(common(1000))  # as natively: the linker warns, and the definition stands
    assert jit.function("of1000", POINTER)() == place


def test_objects_too_large_to_stay_read_grow_too(jit, common, compile_object):
    pad = "const char pad[40000] = {1};"
    jit.add(compile_object(pad + "int table[1]; void *of1(void) { return table; }", "-fcommon"))
    jit.add(common(5000, 64))
    assert jit.function("of1", POINTER)() == jit.function("of5000", POINTER)()
    with pytest.raises(CommonTooLarge) as caught:
        jit.add(common(5001))
    assert caught.value.placed == (20000, 64)


def test_a_hand_made_graph_takes_part(jit, common):
    graph = LinkGraph("by hand")
    section = graph.create_section("zeros", MemProt.READ | MemProt.WRITE)
    graph.add_common_symbol("table", section, 4096, align=128)
    jit.add(common(2))
    jit.add_graph(graph)
    assert jit.function("of2", POINTER)() % 128 == 0
    with pytest.raises(CommonTooLarge) as caught:
        jit.add(common(2000))
    assert caught.value.placed == (4096, 128)


class Emitting(MaterializationUnit):
    """A compiler of somebody's own, which nobody told about common symbols."""

    def __init__(self, jit, data, symbols):
        super().__init__("emitting", symbols)
        self.jit, self.data = jit, data

    def materialize(self, responsibility):
        self.jit._objects.emit(responsibility, self.data, file="emitted.o")


EXPORTED, CALLABLE = SymbolFlags.EXPORTED, SymbolFlags.CALLABLE
COMMON = EXPORTED | SymbolFlags.WEAK | SymbolFlags.COMMON


@pytest.mark.parametrize("promised", [True, False])
def test_what_only_the_link_sees_is_held_against_what_was_placed(jit, common, promised):
    jit.add(common(2))
    assert jit.function("of2", POINTER)()
    symbols = {"of9": EXPORTED | CALLABLE, **({"table": COMMON} if promised else {})}
    jit.main.define(Emitting(jit, common(9), symbols))
    with pytest.raises(FailedToMaterialize) as caught:
        jit.lookup("of9")
    assert isinstance(caught.value.__cause__, CommonTooLarge)


def test_what_only_the_link_sees_has_its_place(jit, common):
    jit.main.define(Emitting(jit, common(9), {"of9": EXPORTED | CALLABLE}))
    assert jit.lookup("of9")
    with pytest.raises(CommonTooLarge) as caught:
        jit.add(common(10))
    assert caught.value.placed[0] == 36
