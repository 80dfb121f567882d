"""Graphs made by hand, and graphs that passes change: linked like anything else."""

from __future__ import annotations

import ctypes

import pytest

from lazyjit import JIT
from lazyjit.errors import (
    DuplicateDefinition,
    FailedToMaterialize,
    LazyJITError,
    RelocationError,
    SymbolRemoved,
    SymbolsNotFound,
    UsageError,
)
from lazyjit.layers.plugin import Plugin
from lazyjit.link.graph import LinkGraph
from lazyjit.link.memory import FinalizeAction
from lazyjit.link.memory_slab import SlabMemoryManager
from lazyjit.link.model import Lifetime, Linkage, MemProt, Scope

INT = ctypes.c_int
RX, RW = MemProt.READ | MemProt.EXEC, MemProt.READ | MemProt.WRITE


def constant(value: int) -> bytes:
    return bytes([0xB8, *value.to_bytes(4, "little"), 0xC3])  # mov $value, %eax; ret


def function(name: str, code: bytes, **traits) -> tuple[LinkGraph, object]:
    graph = LinkGraph(f"graph of {name}")
    block = graph.create_content_block(graph.create_section(".text", RX), code, align=16)
    graph.add_defined_symbol(block, 0, name, len(code), callable=True, **traits)
    return graph, block


def jump_to(name: str, target: str, *, weak: bool = False) -> LinkGraph:
    graph, block = function(name, b"\xe9\0\0\0\0")  # jmp target
    block.add_edge("R_X86_64_PLT32", 1, graph.add_external_symbol(target, weak=weak), -4)
    return graph


class Passes(Plugin):
    """The given functions, by the list that they go to; each takes the graph."""

    def __init__(self, **passes) -> None:
        self.passes = passes

    def modify_pass_config(self, responsibility, graph, config):
        for name, link_pass in self.passes.items():
            getattr(config, name).append(link_pass)


def test_a_graph_is_linked_when_it_is_wanted(jit):
    jit.add_graph(function("f", constant(3))[0])
    assert jit.statistics().objects_linked == 0
    assert jit.function("f", INT)() == 3
    assert jit.statistics().objects_linked == 1


def test_graphs_objects_and_modules_call_each_other(jit, compile_object):
    jit.add_graph(jump_to("one", "two"))
    jit.add(compile_object("int three(void); int two(void) { return three() + 1; }"))
    jit.add("declare i32 @four()\ndefine i32 @three() {\n %r = call i32 @four()\n ret i32 %r\n}\n")
    jit.add_graph(function("four", constant(4))[0])
    assert jit.function("one", INT)() == 5


def test_a_graph_is_removed_and_its_memory_comes_back(jit):
    before = sum(jit.statistics().arena.values())
    tracker = jit.add_graph(function("f", constant(3))[0])
    f = jit.function("f", INT)
    assert f() == 3
    jit.remove(tracker)
    with pytest.raises(SymbolRemoved):
        f()
    assert sum(jit.statistics().arena.values()) == before


def test_a_graph_goes_to_any_manager():
    slab = SlabMemoryManager(1 << 20)
    with JIT(memory_manager=slab) as jit:
        jit.add_graph(function("f", constant(9))[0])
        assert jit.function("f", INT)() == 9
    assert slab.used == 0
    slab.close()


def test_a_graph_in_a_dylib_of_its_own(jit):
    library = jit.create_dylib("library")
    jit.add_graph(function("inner", constant(6), scope=Scope.HIDDEN)[0], dylib=library)
    jit.add_graph(jump_to("outer", "inner"), dylib=library)
    jit.main.add_to_link_order(library)
    assert jit.function("outer", INT)() == 6
    with pytest.raises(SymbolsNotFound):
        jit.lookup("inner")


def test_a_weak_definition_of_a_graph_gives_way(jit):
    graph, block = function("f", constant(1), linkage=Linkage.WEAK)
    graph.add_defined_symbol(block, 0, "g", 6, callable=True)
    jit.add_graph(graph)
    jit.add("define i32 @f() {\n ret i32 2\n}\n")
    assert jit.function("g", INT)() == 1
    assert jit.function("f", INT)() == 2


@pytest.mark.parametrize("defined", [False, True])
def test_a_common_symbol_is_zeros_of_its_own_unless_others_define_it(jit, defined):
    graph = LinkGraph("tentative")
    data = graph.create_section(".data", RW)
    graph.add_common_symbol("shared", data, 8, align=8)
    graph.add_defined_symbol(graph.create_content_block(data, b"own"), 0, "wanted", 3)
    jit.add_graph(graph)
    if defined:
        jit.add("@shared = global i64 42\n")
    jit.lookup("wanted")
    shared = jit.lookup("shared")
    assert shared % 8 == 0
    assert ctypes.c_int64.from_address(shared).value == (42 if defined else 0)


def test_a_missing_weak_external_is_zero(jit):
    graph = LinkGraph("weak")
    block = graph.create_content_block(graph.create_section(".data", RW), bytes(8), align=8)
    graph.add_defined_symbol(block, 0, "pointer", 8)
    block.add_edge("R_X86_64_64", 0, graph.add_external_symbol("nowhere", weak=True))
    jit.add_graph(graph)
    assert ctypes.c_uint64.from_address(jit.lookup("pointer")).value == 0


def test_two_graphs_with_one_name_clash(jit):
    jit.add_graph(function("f", constant(1))[0])
    with pytest.raises(DuplicateDefinition):
        jit.add_graph(function("f", constant(2))[0])
    assert jit.function("f", INT)() == 1


def test_a_graph_joins_once(jit):
    graph = function("f", constant(1))[0]
    graph.allocate(jit._arena)
    with pytest.raises(UsageError):
        jit.add_graph(graph)
    graph.deallocate()


def test_a_target_out_of_range_is_a_relocation_error(jit):
    graph, block = function("f", b"\xb8\0\0\0\0\xc3")
    far = graph.add_absolute_symbol("far", 1 << 40)
    block.add_edge("R_X86_64_32", 1, far)
    jit.add_graph(graph)
    with pytest.raises(FailedToMaterialize) as caught:
        jit.lookup("f")
    assert isinstance(caught.value.__cause__, RelocationError)
    assert caught.value.__cause__.file == "graph of f"


def test_a_broken_graph_fails_its_link_alone(jit):
    def break_it(graph: LinkGraph) -> None:
        if graph.name == "graph of f":
            graph.remove_symbol(graph.find_symbol("g"))  # an edge still targets it

    before = sum(jit.statistics().arena.values())
    jit.add_plugin(Passes(post_prune=break_it))
    jit.add_graph(jump_to("f", "g"))
    jit.add_graph(function("h", constant(4))[0])
    with pytest.raises(LazyJITError):
        jit.lookup("f")
    assert sum(jit.statistics().arena.values()) == before
    assert jit.function("h", INT)() == 4


# -- pruning -----------------------------------------------------------------------------------


def test_what_nobody_needs_is_not_linked_nor_what_it_needs(jit):
    graph, _ = function("f", constant(3))
    text = graph.find_section(".text")
    dead = graph.create_content_block(text, b"\xe9\0\0\0\0", align=16)
    graph.add_defined_symbol(dead, 0, "unused", 5, scope=Scope.LOCAL)
    dead.add_edge("R_X86_64_PLT32", 1, graph.add_external_symbol("missing"), -4)
    jit.add_graph(graph)
    assert jit.function("f", INT)() == 3


@pytest.mark.parametrize("with_plugin", [False, True])
def test_what_is_marked_live_is_kept(jit, with_plugin):
    if with_plugin:
        jit.add_plugin(Plugin())
    graph, _ = function("f", constant(3))
    text = graph.find_section(".text")
    kept = graph.create_content_block(text, b"\xe9\0\0\0\0", align=16)
    graph.add_defined_symbol(kept, 0, "kept", 5, scope=Scope.LOCAL, live=True)
    kept.add_edge("R_X86_64_PLT32", 1, graph.add_external_symbol("missing"), -4)
    jit.add_graph(graph)
    with pytest.raises(FailedToMaterialize) as caught:
        jit.lookup("f")
    assert isinstance(caught.value.__cause__, SymbolsNotFound)


@pytest.mark.parametrize("with_plugin", [False, True])
@pytest.mark.parametrize("large", [False, True])
def test_an_objects_dead_sections_are_not_linked(jit, compile_object, with_plugin, large):
    if with_plugin:
        jit.add_plugin(Plugin())
    source = (
        ".text\n.globl f\nf: mov $3, %eax\nret\n"
        '.section .text.unused,"ax",@progbits\nunused: jmp missing\n'
    )
    if large:
        source += '.section .rodata,"a"\n.globl filling\nfilling: .zero 30000, 1\n'
    data = compile_object(source, language="assembler")
    jit.add(data)
    assert jit.function("f", INT)() == 3


def test_constructors_are_kept_though_nobody_refers_to_them(jit, compile_object):
    jit.add(
        compile_object(
            "int set; static __attribute__((constructor)) void begin(void) { set = 5; }"
            "int f(void) { return set; }",
            "-ffunction-sections",
        )
    )
    jit.initialize()
    assert jit.function("f", INT)() == 5


def test_unwind_tables_go_and_stay_with_their_functions(jit, compile_object):
    jit.load_library("libstdc++.so.6")
    jit.load_library("libgcc_s.so.1")
    jit.add(
        compile_object(
            "static int unused(int x) { try { throw x; } catch (int y) { return y; } }"
            'extern "C" int f(int x) {'
            "  try { if (x) throw x; return 0; } catch (int y) { return y + 1; } }"
            "int (*keep)(int) = unused;",
            "-ffunction-sections",
            "-fdata-sections",
            language="c++",
        )
    )
    assert jit.function("f", INT, INT)(4) == 5


# -- passes that change things -----------------------------------------------------------------


def test_a_pass_may_add_code_and_data(jit, compile_object):
    def add(graph: LinkGraph) -> None:
        if graph.find_symbol("f") is None or graph.find_symbol("added") is not None:
            return
        section = graph.create_section(".text.added", RX)
        block = graph.create_content_block(section, constant(12), align=16)
        graph.add_defined_symbol(block, 0, "added", 6, callable=True)

    jit.add_plugin(Passes(pre_prune=add))
    jit.add(compile_object("int f(void) { return 3; }"))
    jit.lookup("f")
    assert jit.function("added", INT)() == 12  # claimed for the unit that the pass added it to


def test_a_pass_sees_addresses_as_soon_as_there_are_some(jit, compile_object):
    seen: dict[str, int] = {}

    def note(moment):
        def look(graph: LinkGraph) -> None:
            seen[moment] = graph.find_symbol("strlen").address

        return look

    jit.add_plugin(Passes(post_allocation=note("post_allocation"), pre_fixup=note("pre_fixup")))
    jit.add(
        compile_object(
            "unsigned long strlen(const char *); unsigned long f(const char *s)"
            "{ return strlen(s); }",
            "-fno-builtin",
        )
    )
    jit.lookup("f")
    assert seen["post_allocation"] == 0
    assert seen["pre_fixup"] == ctypes.cast(ctypes.CDLL(None).strlen, ctypes.c_void_p).value


def test_a_pass_may_patch_what_was_fixed_up(jit):
    def patch(graph: LinkGraph) -> None:
        graph.find_symbol("f").block.mutable_content()[1] = 77

    jit.add_plugin(Passes(post_fixup=patch))
    jit.add_graph(function("f", constant(3))[0])
    assert jit.function("f", INT)() == 77


def test_actions_of_passes_are_done_once_and_undone_with_the_code(jit):
    log: list[str] = []

    class Acts(Plugin):
        def modify_pass_config(self, responsibility, graph, config):
            def add(graph: LinkGraph) -> None:
                for name in "ab":
                    config.actions.append(
                        FinalizeAction(
                            lambda name=name: log.append(f"do {name}"),
                            lambda name=name: log.append(f"undo {name}"),
                        )
                    )

            config.post_fixup.append(add)

    jit.add_plugin(Acts())
    tracker = jit.add_graph(function("f", constant(3))[0])
    assert jit.function("f", INT)() == 3
    assert log == ["do a", "do b"]
    jit.remove(tracker)
    assert log[2:] == ["undo b", "undo a"]


def test_an_action_that_fails_fails_the_link(jit):
    before = sum(jit.statistics().arena.values())

    class Acts(Plugin):
        def modify_pass_config(self, responsibility, graph, config):
            def fail() -> None:
                raise ZeroDivisionError

            config.actions.append(FinalizeAction(fail))

    jit.add_plugin(Acts())
    jit.add_graph(function("f", constant(3))[0])
    with pytest.raises(FailedToMaterialize) as caught:
        jit.lookup("f")
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert sum(jit.statistics().arena.values()) == before


@pytest.mark.parametrize("with_plugin", [False, True])
def test_memory_for_finalizing_is_given_back(with_plugin):
    with JIT() as jit:
        if with_plugin:
            jit.add_plugin(Plugin())
        graph, _ = function("f", constant(3))
        scratch = graph.create_section(".scratch", RW, Lifetime.FINALIZE)
        block = graph.create_content_block(scratch, b"x" * 50_000, align=16)
        graph.add_defined_symbol(block, 0, "scratch", 1, scope=Scope.LOCAL, live=True)
        before = jit.statistics().arena["data_used"]
        jit.add_graph(graph)
        assert jit.function("f", INT)() == 3
        assert jit.statistics().arena["data_used"] == before
