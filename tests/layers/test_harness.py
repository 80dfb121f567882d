"""Harnesses: what is local can be called, what it calls can be mocked, the rest is left out."""

from __future__ import annotations

import ctypes

import pytest

from lazyjit.errors import DuplicateDefinition, SymbolsNotFound
from lazyjit.layers.harness import apply_harness
from lazyjit.link.graph import LinkGraph

INT = ctypes.c_int

TESTED = """
int callee(int), elsewhere(int), nobody(void);
int state = 5;
static __attribute__((noipa)) int quiet(int x) { return callee(x) + elsewhere(x) + state; }
__attribute__((noipa)) int callee(int x) { return x + nobody(); }
int untested(void) { return quiet(1) + nobody(); }
int (*pointer)(int) = callee;
"""
OTHER = """
int nobody_either(void);
int elsewhere(int x) { return 100 * x; }
int untested_too(void) { return nobody_either(); }
"""
HARNESS = """
extern int quiet(int);
int callee(int x) { return x + 1000; }
int test(void) { return quiet(2); }
"""


@pytest.fixture
def graph_of(compile_object):
    """`graph_of(name, source)`: the graph of an object, a section for each function."""

    def graph_of(name, source, *flags):
        data = compile_object(source, "-ffunction-sections", "-fdata-sections", *flags)
        return LinkGraph.from_object(data, file=name)

    return graph_of


def add_all(jit, harness, tested):
    apply_harness(harness, tested)
    for graph in (*harness, *tested):
        jit.add_graph(graph)


def test_a_static_function_runs_with_its_callee_mocked(jit, graph_of):
    tested = [graph_of("tested.o", TESTED), graph_of("other.o", OTHER)]
    add_all(jit, [graph_of("harness.o", HARNESS)], tested)
    assert jit.function("test", INT)() == 1002 + 200 + 5


def test_what_is_not_reached_is_neither_linked_nor_seen(jit, graph_of):
    tested = [graph_of("tested.o", TESTED), graph_of("other.o", OTHER)]
    add_all(jit, [graph_of("harness.o", HARNESS)], tested)
    jit.lookup("test")
    for name in ("untested", "untested_too", "state", "pointer"):
        with pytest.raises(SymbolsNotFound):
            jit.lookup(name)


def test_code_that_is_reached_by_an_address_calls_the_mock_too(jit, graph_of):
    source = HARNESS + "extern int (*pointer)(int); int indirect(void) { return pointer(3); }"
    tested = [graph_of("tested.o", TESTED), graph_of("other.o", OTHER)]
    add_all(jit, [graph_of("harness.o", source)], tested)
    assert jit.function("indirect", INT)() == 1003


def test_several_harness_files_are_one_harness(jit, graph_of):
    test = graph_of("test.o", "extern int quiet(int); int test(void) { return quiet(2); }")
    mock = graph_of("mock.o", "int callee(int x) { return 7; } int elsewhere(int x) { return 8; }")
    add_all(jit, [test, mock], [graph_of("tested.o", TESTED)])
    assert jit.function("test", INT)() == 7 + 8 + 5


def test_initializers_of_tested_files_run_with_what_they_need(jit, graph_of):
    tested = graph_of(
        "tested.o",
        "int make(void); static int made;"
        "__attribute__((constructor)) static void init(void) { made = make(); }"
        "__attribute__((used, noipa)) static int value(void) { return made; }",
    )
    maker = graph_of("maker.o", "int make(void) { return 9; }")
    harness = graph_of("harness.o", "int value(void); int test(void) { return value(); }")
    add_all(jit, [harness], [tested, maker])
    jit.initialize()
    assert jit.function("test", INT)() == 9


def test_two_files_that_have_what_is_tested_clash(jit, graph_of):
    source = "__attribute__((used)) static int quiet(int x) { return x; }"
    tested = [graph_of(name, source) for name in ("a.o", "b.o")]
    harness = [graph_of("harness.o", "int quiet(int); int test(void) { return quiet(2); }")]
    with pytest.raises(DuplicateDefinition, match="quiet"):
        add_all(jit, harness, tested)


def test_hidden_definitions_are_seen_by_the_harness(jit, graph_of):
    tested = graph_of(
        "tested.o", '__attribute__((visibility("hidden"))) int quiet(int x) { return x; }'
    )
    harness = graph_of("harness.o", "int quiet(int); int test(void) { return quiet(2); }")
    inner = jit.create_dylib("inner")
    apply_harness([harness], [tested])
    jit.add_graph(harness)
    jit.add_graph(tested, dylib=inner)
    jit.main.add_to_link_order(inner)
    assert jit.function("test", INT)() == 2


def test_without_a_harness_everything_is_local(jit, graph_of):
    tested = graph_of("tested.o", OTHER)
    apply_harness([], [tested])
    jit.add_graph(tested)
    with pytest.raises(SymbolsNotFound):
        jit.lookup("elsewhere")
