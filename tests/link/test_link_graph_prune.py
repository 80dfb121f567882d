"""Dead-stripping: what no live symbol needs goes, and takes its unwind information along."""

from __future__ import annotations

import ctypes
import importlib.util
import itertools
import zlib
from pathlib import Path

import pytest
from linking import Build, Program, process_address

from lazyjit.errors import GraphError, ObjectFormatError
from lazyjit.link.arena import Arena
from lazyjit.link.graph import LinkGraph
from lazyjit.link.model import Lifetime, MemProt

SOURCE = """
int used_data = 5; int dead_data = 6; extern int outside(void);
static __attribute__((noinline)) int helper(void) { return used_data; }
int wanted(void) { return helper() + 1; }
int dead(void) { return outside() + dead_data; }
volatile int started; static __attribute__((constructor)) void at_start(void) { started++; }
__attribute__((used, section("table"))) static int entries[2] = {1, 2};
"""
FLAGS = ("-O1", "-fPIC", "-ffunction-sections", "-fdata-sections")


def pruned(data: bytes, *roots: str) -> LinkGraph:
    graph = LinkGraph.from_object(data, file="pruned.o")
    for name in roots:
        symbol = graph.find_symbol(name)
        assert symbol is not None
        symbol.live = True
    graph.prune()
    graph.verify()
    return graph


def names(graph: LinkGraph) -> set[str]:
    return {section.name for section in graph.sections() if section.block_count}


def linked(graph: LinkGraph, arena: Arena) -> dict[str, int]:
    graph.allocate(arena)
    addresses = {name: symbol.address for name, symbol in graph.resolved().items()}
    graph.fix_up([process_address(name) for name in graph.externals])
    return addresses


@pytest.mark.parametrize("by", ["gcc", "clang"])
def test_what_nothing_needs_goes(build: Build, arena: Arena, by: str) -> None:
    graph = pruned(build(SOURCE, *FLAGS, by=by), "wanted")
    kept = names(graph)
    assert {".text.wanted", ".data.used_data", ".init_array"} <= kept
    assert not {".text.dead", ".data.dead_data", "table"} & kept
    assert graph.externals == [] and set(graph.defined) == {"wanted", "used_data", "started"}
    addresses = linked(graph, arena)
    assert len(graph.initializers) == 1
    assert ctypes.CFUNCTYPE(ctypes.c_int)(addresses["wanted"])() == 6
    graph.deallocate()


def test_everything_that_others_see_can_be_kept(build: Build) -> None:
    graph = LinkGraph.from_object(build(SOURCE, *FLAGS))
    graph.mark_exported()
    graph.prune()
    assert set(graph.defined) == {"wanted", "dead", "used_data", "dead_data", "started"}
    assert graph.externals == ["outside"]
    assert "table" not in names(graph)


def test_the_bounds_of_a_section_keep_it(build: Build, arena: Arena) -> None:
    source = (
        SOURCE
        + """
    extern int __start_table[], __stop_table[];
    int sum(void) {
        int s = 0;
        for (int *p = __start_table; p < __stop_table; p++) s += *p;
        return s;
    }
    """
    )
    graph = pruned(build(source, *FLAGS), "sum")
    assert "table" in names(graph)
    assert ctypes.CFUNCTYPE(ctypes.c_int)(linked(graph, arena)["sum"])() == 3
    graph.deallocate()


def test_a_retained_section_stays(assemble: Build) -> None:
    source = (
        '.section kept,"awR"\n.quad 1\n.section lost,"aw"\n.quad 2\n.globl x\n.data\nx: .quad 3'
    )
    assert names(pruned(assemble(source), "x")) == {"kept", ".data"}


def test_a_section_linked_to_a_function_lives_with_it(assemble: Build) -> None:
    one = """
    .section .text.{0},"ax"
    .globl {0}
    {0}: ret
    .section .list.{0},"ao",@progbits,.text.{0}
    .quad 1
    """
    graph = pruned(assemble(one.format("f") + one.format("g")), "f")
    assert names(graph) == {".text.f", ".list.f"}


EXCEPTIONS = """
struct Guard { int *n; ~Guard() { ++*n; } };
extern "C" {
int calls;
int alive(int x) {
    try { Guard g{&calls}; if (x > 2) throw x; return 0; } catch (int y) { return y * 10; }
}
int unused(int x) {
    try { Guard g{&calls}; if (x > 3) throw x; return 0; } catch (int y) { return y; }
}
}
"""


@pytest.mark.parametrize("by", ["gcc", "clang"])
@pytest.mark.parametrize("model", ["-fPIC", "-mcmodel=large"])
def test_unwind_information_goes_with_its_function(
    build: Build, program: Program, by: str, model: str
) -> None:
    data = build(EXCEPTIONS, "-O1", model, "-ffunction-sections", language="cpp", by=by)
    whole = LinkGraph.from_object(data)
    whole.split_eh_frames()
    frames = whole.find_section(".eh_frame")
    assert frames is not None
    every = frames.block_count
    graph = pruned(data, "alive")
    frames = graph.find_section(".eh_frame")
    assert frames is not None
    assert 1 < frames.block_count < every
    # Each record but the CIEs refers to one, and is kept by what lives.
    kept_by = {edge.target.block for block in graph.blocks() for edge in block.edges()
               if edge.kind == "KeepAlive"}  # fmt: skip
    described = {block for block in frames.blocks()
                 if any(edge.kind == "NegDelta32" for edge in block.edges())}  # fmt: skip
    assert described and described <= kept_by
    assert not any(s.name.startswith(".text.unused") for s in graph.sections() if s.block_count)
    address = 0
    graph.allocate(program.arena)
    address = graph.resolved()["alive"].address
    graph.fix_up([program.find(name) for name in graph.externals])
    function = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(address)
    assert [function(1), function(5)] == [0, 50]
    graph.deallocate()


def test_unwind_information_of_dead_functions_disappears(build: Build, arena: Arena) -> None:
    source = "int data = 3; int f(void) { return data; }"
    graph = pruned(build(source, *FLAGS), "data")
    assert names(graph) == {".data.data"}
    linked(graph, arena)
    assert graph._records().linked.frame_count == 0
    graph.deallocate()


def test_split_unwind_information_works_as_the_whole(build: Build, program: Program) -> None:
    """Every record is found again after a round trip through blocks, with nothing pruned."""
    data = build(EXCEPTIONS, "-O2", "-fPIC", language="cpp")
    graph = LinkGraph.from_object(data)
    before = graph.find_section(".eh_frame")
    assert before is not None
    (block,) = before.blocks()
    size = block.size
    graph.split_eh_frames()
    graph.split_eh_frames()
    assert sum(block.size for block in before.blocks()) == size
    graph.verify()
    graph.allocate(program.arena)
    address = graph.resolved()["unused"].address
    graph.fix_up([program.find(name) for name in graph.externals])
    assert ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(address)(7) == 7
    graph.deallocate()


def frame(body: str) -> str:
    return f'.text\n.globl f\nf: ret\n.section .eh_frame,"a",@progbits\n{body}'


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (".long 100\n.long 0", "outside of the section"),
        (".long 0xffffffff\n.quad 8\n.quad 0", "64-bit"),
        (".long 2\n.short 0\n.long 8\n.quad 0", "outside of the section"),
        (".long 12\n.long 40\n.quad f", "CIE lies outside"),
        (".long 12\n.long 4\n.quad f", "without a CIE"),
    ],
)
def test_malformed_unwind_information_is_refused(assemble: Build, body: str, words: str) -> None:
    graph = LinkGraph.from_object(assemble(frame(body)), file="frames.o")
    with pytest.raises(ObjectFormatError, match=words):
        graph.prune()


DEBUG = (
    "int helper(int x) { return x * 2; } int dead(int x) { return helper(x) + 1; } int data = 4;"
)


@pytest.mark.parametrize("flags", [(), ("-gz=zlib",)])
def test_debug_sections_keep_nothing_alive(
    build: Build, arena: Arena, flags: tuple[str, ...]
) -> None:
    data = build(DEBUG, "-g", "-O1", "-ffunction-sections", *flags)
    assert "\n.debug_info" not in "\n" + "\n".join(
        s.name for s in LinkGraph.from_object(data).sections()
    )
    graph = LinkGraph.from_object(data, file="debug.o", no_alloc=True)
    info = graph.find_section(".debug_info")
    assert info is not None and info.lifetime is Lifetime.NO_ALLOC and info.prot is MemProt.READ
    (block,) = info.blocks()
    assert block.content[4:6] in (b"\5\0", b"\4\0"), "DWARF's version"
    symbol = graph.find_symbol("helper")
    assert symbol is not None
    symbol.live = True
    graph.prune()
    graph.verify()
    assert "dead" not in graph.defined and "data" not in graph.defined
    address = linked(graph, arena)["helper"]
    assert address.to_bytes(8, "little") in block.content, "its address stands in the information"
    graph.deallocate()


def test_a_broken_compressed_section_is_refused(build: Build) -> None:
    data = bytearray(build(DEBUG, "-g", "-gz=zlib"))
    at = (
        data.index(zlib.compress(b"")[:1] + b"\x9c") if b"\x78\x9c" in data else data.index(b"\x78")
    )
    for change in (1, 7):
        broken = bytearray(data)
        broken[at + change] ^= 0x55
        with pytest.raises(ObjectFormatError, match="debug"):
            LinkGraph.from_object(bytes(broken), file="broken.o", no_alloc=True)


def test_what_python_cannot_decompress_stays_as_it_is(build: Build) -> None:
    try:
        data = build(DEBUG, "-g", "-gz=zstd", by="clang")
    except AssertionError:
        pytest.skip("the compiler has no Zstandard")
    graph = LinkGraph.from_object(data, file="zstd.o", no_alloc=True)
    section = graph.find_section(".debug_info")
    assert section is not None
    (block,) = section.blocks()
    if importlib.util.find_spec("compression") is not None:
        assert not section.flags & 0x800 and block.content[4:6] in (b"\5\0", b"\4\0")
    else:
        assert section.flags & 0x800 and block.content in data, "as it is in the file"
        assert list(block.edges()) == []
    graph.verify()


def test_a_compressed_section_may_not_claim_what_no_stream_holds(build: Build) -> None:
    data = bytearray(build(DEBUG, "-g", "-gz=zlib"))
    table = int.from_bytes(data[40:48], "little")
    for i in range(int.from_bytes(data[60:62], "little")):
        header = table + 64 * i
        if int.from_bytes(data[header + 8 : header + 16], "little") & 0x800:
            at = int.from_bytes(data[header + 24 : header + 32], "little")
            data[at + 8 : at + 16] = (2**31).to_bytes(8, "little")
    with pytest.raises(ObjectFormatError, match="claims to be"):
        LinkGraph.from_object(bytes(data), no_alloc=True)


def test_stations_of_pruning_out_of_order_are_refused(build: Build) -> None:
    graph = LinkGraph.from_object(build(SOURCE, *FLAGS))
    graph.plan()
    with pytest.raises(GraphError, match="too late"):
        graph.prune()
    with pytest.raises(GraphError, match="planned already"):
        graph.plan()


def test_a_chain_of_sections_is_walked_without_recursion(assemble: Build, arena: Arena) -> None:
    count = 20000
    lines = [f'.section .text.f{i},"ax"\n.globl f{i}\nf{i}: jmp f{i + 1}' for i in range(count)] + [
        f'.section .text.end,"ax"\n.globl f{count}\nf{count}: ret'
    ]
    data = assemble("\n".join(itertools.chain(lines)))
    graph = pruned(data, f"f{count - 3}")
    assert len(graph.defined) == 4
    graph = pruned(data, "f0")
    assert len(graph.defined) == count + 1


def test_rel_sections_have_their_addends_in_place(
    assemble: Build, program: Program, tmp_path: Path
) -> None:
    """Made from a RELA object: the addends go to their places, the entries get shorter."""
    source = ".data\n.globl a\na: .quad b + 5\n.globl b\nb: .quad 0\n.globl c\nc: .quad a - 3\n"
    data = bytearray(assemble(source))
    table = int.from_bytes(data[40:48], "little")

    def field(header: int, at: int, size: int = 8) -> int:
        return int.from_bytes(data[header + at : header + at + size], "little")

    headers = [table + 64 * i for i in range(int.from_bytes(data[60:62], "little"))]
    for header in headers:
        if field(header, 4, 4) != 4:
            continue
        place, entries = headers[field(header, 44, 4)], field(header, 24)
        for i in range(field(header, 32) // 24):
            entry = bytes(data[entries + 24 * i : entries + 24 * i + 24])
            at = field(place, 24) + int.from_bytes(entry[:8], "little")
            data[at : at + 8] = entry[16:24]
            data[entries + 16 * i : entries + 16 * i + 16] = entry[:16]
        data[header + 4 : header + 8] = (9).to_bytes(4, "little")
        data[header + 32 : header + 40] = (field(header, 32) // 24 * 16).to_bytes(8, "little")
        data[header + 56 : header + 64] = (16).to_bytes(8, "little")
    program.link(bytes(data))
    read = lambda name: ctypes.c_uint64.from_address(program.symbols[name]).value  # noqa: E731
    assert read("a") == program.symbols["b"] + 5
    assert read("c") == program.symbols["a"] - 3
