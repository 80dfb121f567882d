"""Whole little programs under every code model, and what else linked code can do: throw, be
resolved indirectly, start up and end.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest
from linking import Build, Program

from lazyjit.errors import ObjectFormatError
from lazyjit.link.arena import Arena
from lazyjit.link.graph import LinkGraph

MAIN = """
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
extern long table[]; long lookup(int); extern const char *const words[];
static long (*operation)(int) = lookup;
static int compare(const void *a, const void *b) {
    return *(const long *)a < *(const long *)b ? 1 : -1;
}
long work(long n) {
    char text[100];
    long copy[8];
    memcpy(copy, table, sizeof copy);
    qsort(copy, 8, sizeof *copy, compare);
    snprintf(text, sizeof text, "%s-%ld-%.1f", words[n & 1], copy[0], sqrt((double)n));
    switch (n % 7) {
    case 0: return strlen(text);
    case 1: return operation(1);
    case 2: return operation(2) + strlen(text);
    case 3: return copy[7];
    case 4: return text[0];
    case 5: return (long)strlen(words[1]);
    default: return -1;
    }
}
"""
TABLE = """
long table[8] = {5, 3, 8, 1, 9, 2, 7, 4};
const char *const words[] = {"even", "odd"};
static long calls;
long lookup(int i) { return table[i] * 10 + ++calls; }
"""
MODELS = [
    ("-fPIC",),
    ("-fPIE",),
    ("-fPIC", "-fno-plt"),
    ("-fPIC", "-mcmodel=large"),
    ("-fno-pic", "-mcmodel=large"),
    ("-fno-pic",),
    ("-fPIC", "-mcmodel=medium"),
    ("-fPIC", "-ffunction-sections", "-fdata-sections"),
]


@pytest.mark.parametrize("level", ["-O0", "-O2"])
@pytest.mark.parametrize("model", MODELS, ids=" ".join)
@pytest.mark.parametrize("by", ["gcc", "clang"])
@pytest.mark.parametrize("low", [False, True], ids=["near libc", "low"])
def test_a_program_runs_in_every_code_model(
    build: Build, by: str, model: tuple[str, ...], level: str, low: bool
) -> None:
    if model == ("-fno-pic",) and not low:
        pytest.skip("32-bit absolute addresses need an arena in the low 2 GiB")
    # In the low arena libc is out of reach: everything of it goes through GOT and PLT.
    arena = Arena(size=64 << 20, near=64 << 20) if low else Arena()
    assert (arena.end < 2**31) == low
    program = Program(arena)
    flags = (level, "-fno-builtin", *model)
    program.link(build(MAIN, *flags, by=by), build(TABLE, *flags, by=by))
    found = [program.call("work", n) for n in (7, 1, 2, 3, 4, 5, 6)]
    assert found == [len("odd-9-2.6"), 31, 82 + len("even-9-1.4"), 1, ord("e"), 3, -1]
    program.close()
    arena.close()


THROWS = """
#include <stdexcept>
#include <string>
struct Guard { long *n; ~Guard() { ++*n; } };
extern "C" long thrower(long depth);
extern "C" long cleaned; long cleaned;
extern "C" long middle(long depth) { Guard g{&cleaned}; return thrower(depth) + 1; }
extern "C" long catcher(long depth) {
    try { return middle(depth); }
    catch (const std::out_of_range &e) { return 1000 + (long)std::string(e.what()).size(); }
    catch (int n) { return n; }
}
"""
THROWER = """
#include <stdexcept>
extern "C" long middle(long depth);
extern "C" long thrower(long depth) {
    if (depth == 0) throw std::out_of_range("four");
    if (depth < 0) throw 7;
    return middle(depth - 1);
}
"""


@pytest.mark.parametrize("level", ["-O0", "-O2"])
@pytest.mark.parametrize("by", ["gcc", "clang"])
@pytest.mark.parametrize("model", [(), ("-mcmodel=large",)], ids=["small", "large"])
def test_exceptions_pass_through_frames_of_several_objects(
    build: Build, program: Program, by: str, level: str, model: tuple[str, ...]
) -> None:
    flags = (level, "-fPIC", *model)
    program.link(
        build(THROWS, *flags, language="cpp", by=by),
        build(THROWER, *flags, language="cpp", by=by),
    )
    assert program.call("catcher", 3) == 1004
    assert program.call("catcher", -1) == 7
    assert ctypes.c_long.from_address(program.symbols["cleaned"]).value == 5


def test_exceptions_still_work_after_other_code_was_freed(build: Build, arena: Arena) -> None:
    one = build(THROWS, "-fPIC", language="cpp")
    two = build(THROWER, "-fPIC", language="cpp")
    for _ in range(5):
        programs = [Program(arena).link(one, two) for _ in range(3)]
        for program in (programs[1], programs[0], programs[2]):
            assert program.call("catcher", 2) == 1004
            program.close()


def test_call_frame_information_for_foreign_code_is_refused(assemble: Build, arena: Arena) -> None:
    source = ".text\nf: .cfi_startproc\nret\n.cfi_endproc"
    data = assemble(source)
    graph = LinkGraph.from_object(data, arena=arena)
    frame = graph.section(".eh_frame")
    assert frame is not None
    (block,) = frame.blocks()
    (edge,) = block.edges()
    graph.records.edges[edge.number]["addend"] = 0x10000
    with pytest.raises(ObjectFormatError, match="another object"):
        graph.fix_up([])
    graph.deallocate()


@pytest.mark.parametrize("by", ["gcc", "clang"])
def test_indirect_functions_are_resolved_at_their_first_call(
    build: Build, program: Program, by: str
) -> None:
    source = """
    long resolved;
    static double twice(double a, long b, double c) { return 2 * a + b + c; }
    static void *pick(void) { resolved++; return (void *)twice; }
    double indirect(double, long, double) __attribute__((ifunc("pick")));
    double (*pointer)(double, long, double) = indirect;
    double call(double a) { return indirect(a, 3, 0.5) + pointer(a, 1, 0); }
    """
    program.link(build(source, "-fPIC", by=by))
    resolved = ctypes.c_long.from_address(program.symbols["resolved"])
    assert resolved.value == 0
    assert program.call("call", 1.5, restype=ctypes.c_double) == 6.5 + 4
    assert program.call("call", 2.5, restype=ctypes.c_double) == 8.5 + 6
    assert resolved.value == 1
    pointer = ctypes.c_uint64.from_address(program.symbols["pointer"]).value
    assert pointer == program.symbols["indirect"]


ORDER = """
extern int log_count, log_values[];
#define NOTE(n) (log_values[log_count++] = (n))
__attribute__((constructor)) static void c1(void) { NOTE(1); }
__attribute__((constructor(200))) static void c2(void) { NOTE(2); }
__attribute__((constructor(101))) static void c3(void) { NOTE(3); }
__attribute__((constructor)) static void c4(void) { NOTE(4); }
__attribute__((destructor)) static void d1(void) { NOTE(11); }
__attribute__((destructor(200))) static void d2(void) { NOTE(12); }
__attribute__((destructor(101))) static void d3(void) { NOTE(13); }
int log_count, log_values[100];
"""


@pytest.mark.parametrize("flags", [(), ("-fno-use-init-array",)], ids=["init_array", "ctors"])
def test_initializers_come_in_order_of_priority(
    build: Build, program: Program, flags: tuple[str, ...]
) -> None:
    by = "clang" if flags else "gcc"
    program.link(build(ORDER, "-fPIC", *flags, by=by))
    (graph,) = program.graphs
    assert [priority for priority, _ in graph.initializers] == [101, 200, 65535, 65535]
    assert [priority for priority, _ in graph.finalizers] == [65535, 200, 101]
    for address in [*graph.init_array, *graph.fini_array]:
        ctypes.CFUNCTYPE(None)(address)()
    count = ctypes.c_int.from_address(program.symbols["log_count"]).value
    values = (ctypes.c_int * count).from_address(program.symbols["log_values"])
    assert list(values) == [3, 2, 1, 4, 11, 12, 13]


def test_memory_is_given_back(build: Build, arena: Arena) -> None:
    data = build(TABLE, "-fPIC")
    before = arena.statistics()
    for _ in range(50):
        Program(arena).link(data).close()
    assert arena.statistics().text.used == before.text.used
    assert arena.statistics().data.committed - before.data.committed <= 1 << 16


def test_an_object_can_be_linked_from_a_file(
    build: Build, program: Program, tmp_path: Path
) -> None:
    path = tmp_path / "table.o"
    path.write_bytes(build(TABLE, "-fPIC"))
    program.link(path.read_bytes())
    assert program.call("lookup", 2) == 81
