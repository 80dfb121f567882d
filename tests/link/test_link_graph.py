"""What the reader makes of an object: names, flags, sections, groups, and what it refuses."""

from __future__ import annotations

import ctypes
import struct

import numpy as np
import pytest
from linking import Build, Program

from lazyjit.errors import ArenaFull, ObjectFormatError, UsageError
from lazyjit.link.arena import Arena, Region
from lazyjit.link.graph import LinkGraph
from lazyjit.symbols import SymbolFlags as F


def test_names_come_with_their_flags(build: Build) -> None:
    source = """
    extern int needed(int); extern int maybe(void) __attribute__((weak)); extern int unused(void);
    int tentative __attribute__((common));
    int variable = 3;
    static int local = 4;
    __attribute__((weak)) int overridable(void) { return local++; }
    __attribute__((visibility("hidden"))) int hidden(void) { return needed(variable); }
    __attribute__((visibility("protected"))) int guarded(void) { return maybe ? maybe() : 0; }
    """
    graph = LinkGraph.from_object(build(source, "-O1", "-fPIC"), file="names.o")
    assert sorted(graph.externals) == ["maybe", "needed"]
    weak = dict(zip(graph.externals, graph.external_weak, strict=True))
    assert weak == {"maybe": 1, "needed": 0}
    assert graph.defined == {
        "tentative": F.EXPORTED | F.COMMON | F.WEAK,
        "variable": F.EXPORTED,
        "overridable": F.EXPORTED | F.WEAK | F.CALLABLE,
        "hidden": F.CALLABLE,
        "guarded": F.EXPORTED | F.CALLABLE,
    }
    with pytest.raises(UsageError):
        _ = graph.addresses


def test_each_section_goes_to_its_region(build: Build, arena: Arena) -> None:
    source = """
    const int constant = 1; int variable = 2; int zeros[100]; int code(void) { return 3; }
    const int *const pointer = &constant; extern int far; const int *const to_far = &far;
    """
    graph = LinkGraph.from_object(build(source, "-fPIC"), arena=arena)
    assert graph._graph.linked.arena == arena.handle
    regions = {s.name: s.region for s in graph.sections() if s.linked}
    assert regions[".text"] == Region.TEXT
    assert regions[".rodata"] == regions[".eh_frame"] == Region.RODATA
    assert regions[".data"] == regions[".bss"] == Region.DATA
    assert regions[".data.rel.ro"] == Region.DATA
    assert ".comment" not in regions and ".note.gnu.property" not in regions
    bss = graph.section(".bss")
    assert bss is not None
    assert [block.zero_fill for block in bss.blocks()] == [True]
    graph.deallocate()


def test_alignment_of_sections_is_kept(assemble: Build, arena: Arena) -> None:
    source = """
    .data
    .globl a
    a: .byte 1
    .section .data.big,"aw"
    .balign 4096
    .globl b
    b: .byte 2
    .section .data.odd,"aw"
    .balign 32
    .globl c
    c: .byte 3
    """
    graph = LinkGraph.from_object(assemble(source), arena=arena)
    assert graph.addresses["b"] % 4096 == 0
    assert graph.addresses["c"] % 32 == 0
    assert ctypes.string_at(graph.addresses["c"], 1) == b"\3"
    graph.deallocate()


def test_common_symbols_are_zero_blocks_of_their_own(build: Build, program: Program) -> None:
    source = "int small; long big[1000]; long sum(void) { return small + big[999]; }"
    program.link(build(source, "-fcommon", "-fPIC"))
    assert program.symbols["big"] % 32 == 0
    ctypes.c_int.from_address(program.symbols["small"]).value = 5
    ctypes.c_long.from_address(program.symbols["big"] + 999 * 8).value = 6
    assert program.call("sum") == 11


def test_common_symbols_of_two_objects_are_one(build: Build, program: Program) -> None:
    first = build("int shared; void set(int v) { shared = v; }", "-fcommon", "-fPIC")
    second = build("int shared; int get(void) { return shared; }", "-fcommon", "-fPIC")
    program.link(first).link(second)
    program.call("set", 77)
    assert program.call("get") == 77


def test_a_lost_weak_definition_becomes_external(build: Build, program: Program) -> None:
    source = "__attribute__((weak)) int f(void) { return %d; } int %s(void) { return f(); }"
    program.link(build(source % (1, "one"), "-fPIC")).link(build(source % (2, "two"), "-fPIC"))
    assert program.call("one") == program.call("two") == 1
    assert program.graphs[1].file == "unit0.o"


def test_make_external_refuses_strong_and_unknown_names(build: Build, arena: Arena) -> None:
    graph = LinkGraph.from_object(build("int f(void) { return 1; }"), arena=arena)
    for name in ("f", "g"):
        with pytest.raises(UsageError, match="no weak definition"):
            graph.make_external([name])
    graph.deallocate()


COMDAT = """
template <class T> struct Counter { static T count; T next() { return ++count; } };
template <class T> T Counter<T>::count = 10;
inline int shared_static() { static int n = 100; return ++n; }
extern "C" long %s() { return Counter<int>().next() + shared_static(); }
"""


@pytest.mark.parametrize("by", ["gcc", "clang"])
def test_vague_linkage_is_weak_and_shared_between_objects(
    build: Build, program: Program, by: str
) -> None:
    one = build(COMDAT % "one", "-fPIC", language="cpp", by=by)
    two = build(COMDAT % "two", "-fPIC", "-O0", language="cpp", by=by)
    graph = LinkGraph.from_object(one)
    assert graph.defined["_ZN7CounterIiE4nextEv"] == F.EXPORTED | F.WEAK | F.CALLABLE
    assert graph.defined["_ZN7CounterIiE5countE"] == F.EXPORTED | F.WEAK
    program.link(one).link(two)
    assert program.call("one") == 11 + 101
    assert program.call("two") == 12 + 102


def test_a_group_makes_its_strong_symbols_weak(assemble: Build) -> None:
    source = """
    .section .text.f,"axG",@progbits,f,comdat
    .globl f
    f: ret
    .section .data.g,"awG",@progbits,f,comdat
    g: .quad f
    """
    graph = LinkGraph.from_object(assemble(source))
    assert graph.defined == {"f": F.EXPORTED | F.WEAK | F.CALLABLE}


def test_the_first_group_of_a_signature_is_kept(assemble: Build, arena: Arena) -> None:
    """A second group is made by renaming its signature to the first's number."""
    source = """
    .section .text.a,"axG",@progbits,a,comdat
    .weak a
    a: .byte 1
    .section .text.b,"axG",@progbits,b,comdat
    .weak b
    b: .byte 2
    .data
    .quad a, b
    """
    data = bytearray(assemble(source))
    (table,) = struct.unpack_from("<Q", data, 40)
    (count,) = struct.unpack_from("<H", data, 60)
    groups = [
        table + 64 * i
        for i in range(count)
        if struct.unpack_from("<I", data, table + 64 * i + 4)[0] == 17
    ]
    signature = data[groups[0] + 44 : groups[0] + 48]
    data[groups[1] + 44 : groups[1] + 48] = signature
    graph = LinkGraph.from_object(bytes(data), arena=arena)
    assert sorted(graph.defined) == ["a"]
    assert graph.externals == ["b"]
    graph.deallocate()


def test_many_sections_are_numbered_by_the_extended_table(
    assemble: Build, program: Program
) -> None:
    lines = [f'.section .data.s{i},"aw"\n.globl v{i}\nv{i}: .long {i}' for i in range(0xFF10)]
    data = assemble("\n".join(lines))
    assert struct.unpack_from("<H", data, 60) == (0,), "the header's count must not suffice"
    program.link(data)
    for i in (0, 1, 0xFEFF, 0xFF00, 0xFF0F):
        assert ctypes.c_int.from_address(program.symbols[f"v{i}"]).value == i


def test_absolute_symbols_keep_their_value(assemble: Build, program: Program) -> None:
    program.link(assemble(".globl answer\nanswer = 42\n.globl f\nf: mov $answer, %eax\nret"))
    assert program.symbols["answer"] == 42
    assert program.call("f") == 42
    assert LinkGraph.from_object(assemble(".globl answer\nanswer = 42")).defined == {
        "answer": F.EXPORTED | F.ABSOLUTE
    }


def test_section_bounds_have_names(build: Build, program: Program) -> None:
    source = """
    __attribute__((section("table"), used)) static int a = 1, b = 2, c = 3;
    extern int __start_table[], __stop_table[];
    long sum(void) {
        long s = 0;
        for (int *p = __start_table; p < __stop_table; p++) s += *p;
        return s;
    }
    """
    program.link(build(source, "-fPIC", "-O1"))
    assert program.call("sum") == 6


def test_names_that_are_not_utf8_round_trip(assemble: Build) -> None:
    data = assemble(".globl abc\nabc:\n.globl x\nx: .quad abd").replace(b"abc\0", b"\xff\xfec\0")
    assert "\udcff\udcfec" in LinkGraph.from_object(data).defined


def test_addresses_are_taken_from_memory_without_a_copy(build: Build, arena: Arena) -> None:
    data = build("int f(void) { return 9; }", "-fPIC")
    keep = ctypes.create_string_buffer(data, len(data))
    graph = LinkGraph.from_object(ctypes.addressof(keep), len(data), arena=arena)
    ctypes.memset(keep, 0xEE, len(data))  # once allocated, the input is free to go
    graph.fix_up([])
    address = graph.addresses["f"]
    graph.finalize()
    assert ctypes.CFUNCTYPE(ctypes.c_int)(address)() == 9
    graph.deallocate()
    graph.deallocate()


def test_records_are_arrays_over_native_memory(build: Build, arena: Arena) -> None:
    source = "extern int x; int f(void) { return x; } int g(void) { return f(); }"
    graph = LinkGraph.from_object(build(source, "-fPIC", "-O0"), arena=arena)
    sections, blocks, symbols, edges = graph.records
    text = graph.section(".text")
    assert text is not None
    (block,) = text.blocks()
    row = blocks[block.number]
    assert row["size"] == block.size and row["address"] == block.address
    ours = edges[row["first_edge"] : row["first_edge"] + row["edge_count"]]
    assert [e.offset for e in block.edges()] == ours["offset"].tolist()
    assert {e.target.name for e in block.edges()} == {"x", "f"}
    assert np.all(symbols["place"] < len(blocks)) and np.all(blocks["section"] < len(sections))
    x = graph.symbol("x")
    assert x is not None and x.external and not x.local and x.block is None
    graph.fix_up([0 for _ in graph.externals])
    graph.finalize()
    assert blocks[block.number]["address"] == block.address, "views outlive finalize"
    graph.deallocate()


def test_stations_out_of_order_are_refused(build: Build, arena: Arena) -> None:
    data = build("extern int x; int f(void) { return x; }", "-fPIC")
    graph = LinkGraph.from_object(data)
    with pytest.raises(UsageError, match="isn't ready"):
        graph.fix_up([0])
    graph.deallocate()
    graph = LinkGraph.from_object(data, arena=arena)
    with pytest.raises(UsageError, match="2 addresses for 1"):
        graph.fix_up([0, 0])
    graph.deallocate()
    graph = LinkGraph.from_object(data, arena=arena)
    graph.fix_up([arena.start])
    graph.finalize()
    with pytest.raises(UsageError, match="finalized"):
        graph.fix_up([0])
    graph.deallocate()


def test_an_object_too_large_for_the_arena_is_refused(assemble: Build) -> None:
    small = Arena(size=1 << 20)
    with pytest.raises(ArenaFull, match="bytes of data"):
        LinkGraph.from_object(assemble(".bss\n.globl x\nx: .zero 0x100000"), arena=small)
    assert small.statistics().data.spans == small.statistics().text.spans == 0
    small.close()


@pytest.mark.parametrize(
    ("offset", "value", "words"),
    [
        (4, b"\1", "ELF class 1"),
        (5, b"\2", "big-endian"),
        (16, b"\2\0", "an executable"),
        (16, b"\3\0", "a shared library"),
        (18, b"\x28\0", "machine 40"),
        (20, b"\2", "ELF version"),
    ],
)
def test_foreign_objects_are_unsupported(
    assemble: Build, offset: int, value: bytes, words: str
) -> None:
    data = bytearray(assemble(".text\nret"))
    data[offset : offset + len(value)] = value
    with pytest.raises(ObjectFormatError, match=words) as caught:
        LinkGraph.from_object(bytes(data), file="foreign.o")
    assert "unsupported format" in str(caught.value)
    assert caught.value.file == "foreign.o"


@pytest.mark.parametrize("data", [b"", b"\x7fEL", b"\x7fELF", b"BC\xc0\xde" * 20, b"\0" * 4096])
def test_what_is_no_object_is_malformed(data: bytes) -> None:
    with pytest.raises(ObjectFormatError, match="malformed"):
        LinkGraph.from_object(data)


def test_a_writable_and_executable_section_is_refused(assemble: Build) -> None:
    with pytest.raises(ObjectFormatError, match="writable and executable"):
        LinkGraph.from_object(assemble('.section .both,"awx"\nret'))
