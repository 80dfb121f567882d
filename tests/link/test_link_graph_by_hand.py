"""Graphs without an object file, and objects' graphs that are changed: every operation."""

from __future__ import annotations

import ctypes

import pytest
from linking import Build, Program, call, linked

from lazyjit.errors import GraphError
from lazyjit.link.arena import Arena
from lazyjit.link.graph import LinkGraph
from lazyjit.link.model import Lifetime, Linkage, MemProt, Scope
from lazyjit.symbols import SymbolFlags as F

CODE = MemProt.READ | MemProt.EXEC
DATA = MemProt.READ | MemProt.WRITE
ANSWER = b"\xb8\x2a\x00\x00\x00\xc3"  # mov $42, %eax; ret
CALL = b"\xe9\x00\x00\x00\x00"  # jmp rel32
LOAD = b"\x48\x8b\x05\x00\x00\x00\x00\x48\x8b\x00\xc3"  # mov x@GOTPCREL(%rip), %rax; its value


def test_a_graph_made_by_hand_runs(arena: Arena) -> None:
    graph = LinkGraph("hand")
    assert (graph.name, graph.pointer_size, graph.endianness) == ("hand", 8, "little")
    assert graph.triple == "x86_64-unknown-linux-gnu" and graph.arch == "x86_64"
    text, data = graph.create_section("text", CODE), graph.create_section("data", DATA)
    answer = graph.create_content_block(text, ANSWER, align=16)
    graph.add_defined_symbol(answer, 0, "answer", len(ANSWER), callable=True)
    far = graph.add_external_symbol("far")
    jump = graph.create_content_block(text, CALL)
    graph.add_defined_symbol(jump, 0, "jump", callable=True, scope=Scope.HIDDEN)
    jump.add_edge("R_X86_64_PLT32", 1, far, -4)
    word = graph.create_content_block(data, bytes(8), align=8)
    value = graph.add_defined_symbol(word, 0, "word", 8, linkage=Linkage.WEAK)
    word.add_edge("Pointer64", 0, graph.add_absolute_symbol("number", 99))
    load = graph.create_content_block(text, LOAD)
    graph.add_defined_symbol(load, 0, "load", callable=True)
    load.add_edge("R_X86_64_REX_GOTPCRELX", 3, value, -4)
    assert graph.externals == ["far"]
    assert graph.defined == {
        "answer": F.EXPORTED | F.CALLABLE,
        "jump": F.CALLABLE,
        "word": F.EXPORTED | F.WEAK,
        "number": F.EXPORTED | F.ABSOLUTE,
        "load": F.EXPORTED | F.CALLABLE,
    }
    target = ctypes.cast(ctypes.CDLL(None).getpid, ctypes.c_void_p).value or 0
    # Out of reach of 32 bits or not, a branch gets there.
    addresses = linked(graph, arena, far=target)
    assert call(addresses["answer"]) == 42
    assert call(addresses["jump"]) == ctypes.CDLL(None).getpid()
    assert call(addresses["load"]) == 99
    assert addresses["answer"] % 16 == 0
    graph.deallocate()


def test_alignment_offsets_are_kept(arena: Arena) -> None:
    graph = LinkGraph("aligned")
    data = graph.create_section("data", DATA)
    for i, (align, offset) in enumerate([(1, 0), (64, 17), (4096, 4095), (16, 0), (32, 31)]):
        block = graph.create_zero_fill_block(data, 3, align=align, align_offset=offset)
        graph.add_defined_symbol(block, 0, f"s{i}")
    addresses = linked(graph, arena)
    assert addresses["s1"] % 64 == 17 and addresses["s2"] % 4096 == 4095
    assert addresses["s3"] % 16 == 0 and addresses["s4"] % 32 == 31
    graph.deallocate()


def test_symbols_change_their_nature(arena: Arena) -> None:
    graph = LinkGraph("nature")
    data = graph.create_section("data", DATA)
    block = graph.create_content_block(data, bytes(16), align=8)
    symbols = [graph.add_defined_symbol(block, 0, name, 8) for name in ("a", "b", "c")]
    use = graph.create_content_block(data, bytes(24), align=8)
    for i, symbol in enumerate(symbols):
        use.add_edge("Pointer64", 8 * i, symbol)
    use_symbol = graph.add_defined_symbol(use, 0, "use", 24)
    graph.make_external(symbols[0])
    graph.make_absolute(symbols[1], 0x1234)
    graph.make_external(symbols[2])
    graph.make_defined(symbols[2], block, 8, 8)
    assert [s.external for s in symbols] == [True, False, False]
    assert symbols[1].absolute and symbols[2].defined and symbols[2].offset == 8
    assert {s.name for s in graph.defined_symbols()} == {"c", "use"}
    assert {s.name for s in graph.external_symbols()} == {"a"}
    assert {s.name for s in graph.absolute_symbols()} == {"b"}
    assert {s.name for s in block.symbols()} == {"c"}
    addresses = linked(graph, arena, a=0x77)
    words = (ctypes.c_uint64 * 3).from_address(addresses["use"])
    assert list(words) == [0x77, 0x1234, addresses["c"]]
    assert use_symbol.address == addresses["use"]
    graph.deallocate()


def test_removed_things_are_gone_for_their_views(arena: Arena) -> None:
    graph = LinkGraph("removal")
    data, other = graph.create_section("data", DATA), graph.create_section("other", DATA)
    block = graph.create_content_block(data, bytes(8))
    kept = graph.create_content_block(other, bytes(8))
    symbol = graph.add_defined_symbol(block, 0, "gone")
    edge = kept.add_edge("Pointer64", 0, symbol)
    with pytest.raises(GraphError, match="symbol gone is in the block"):
        graph.remove_block(block)
    graph.remove_symbol(symbol)
    with pytest.raises(GraphError, match="has no target"):
        graph.verify()
    kept.remove_edge(edge)
    graph.remove_block(block)
    graph.verify()
    for view in (block, symbol):
        with pytest.raises(GraphError, match="removed"):
            _ = view.size
    with pytest.raises(GraphError, match="removed"):
        _ = edge.target
    assert list(kept.edges()) == [] and list(data.blocks()) == []
    assert graph.find_symbol("gone") is None
    graph.merge_sections(other, data)
    with pytest.raises(GraphError, match="removed"):
        _ = data.name
    assert graph.find_section("data") is None
    graph.add_defined_symbol(kept, 0, "kept")
    assert linked(graph, arena).keys() == {"kept"}
    graph.deallocate()


def test_a_split_block_shares_its_symbols_and_edges(arena: Arena) -> None:
    graph = LinkGraph("split")
    data = graph.create_section("data", DATA)
    block = graph.create_content_block(data, bytes(range(64)), align=16, align_offset=4)
    after = graph.create_content_block(data, b"after")
    symbols = [graph.add_defined_symbol(block, at, f"at{at}", 16) for at in (0, 16, 32, 48)]
    edges = [block.add_edge("Pointer64", at, symbols[-1], at) for at in (40, 0, 24)]
    rest = graph.split_block(block, 24)
    assert (block.size, rest.size) == (24, 40)
    assert (rest.align, rest.align_offset) == (16, 12)
    assert block.content == bytes(range(24)) and rest.content == bytes(range(24, 64))
    assert [(s.block, s.offset, s.size) for s in symbols] == [
        (block, 0, 16),
        (block, 16, 8),
        (rest, 8, 16),
        (rest, 24, 16),
    ]
    assert [(e.offset, e.addend) for e in block.edges()] == [(0, 0)]
    assert [(e.offset, e.addend) for e in rest.edges()] == [(16, 40), (0, 24)]
    assert edges[1].offset == 0
    with pytest.raises(GraphError, match="moved to another block"):
        _ = edges[0].offset
    assert list(data.blocks()) == [block, rest, after]
    with pytest.raises(GraphError, match="spans the cut"):
        graph.split_block(rest, 3)
    graph.verify()
    addresses = linked(graph, arena)
    raw = ctypes.string_at(addresses["at0"], 64)
    at48 = addresses["at48"]
    assert addresses["at48"] - addresses["at0"] == 48, "it still lies in one piece"
    assert [int.from_bytes(raw[at : at + 8], "little") - at48 for at in (0, 24, 40)] == [0, 24, 40]
    graph.deallocate()


def test_sections_merge_and_blocks_move(arena: Arena) -> None:
    graph = LinkGraph("merge")
    one, two = graph.create_section("one", DATA), graph.create_section("two", DATA)
    blocks = [graph.create_content_block(s, bytes([i])) for i, s in enumerate((one, two, two))]
    for i, block in enumerate(blocks):
        graph.add_defined_symbol(block, 0, f"s{i}")
    graph.merge_sections(one, two, preserve_source=True)
    assert list(one.blocks()) == blocks and list(two.blocks()) == []
    assert blocks[2].section == one and one.block_count == 3
    graph.transfer_block(blocks[1], two)
    assert list(one.blocks()) == [blocks[0], blocks[2]] and list(two.blocks()) == [blocks[1]]
    moved = graph.find_symbol("s0")
    assert moved is not None
    graph.transfer_defined_symbol(moved, blocks[2], 1)
    assert moved.block == blocks[2] and {s.name for s in one.symbols()} == {"s0", "s2"}
    addresses = linked(graph, arena)
    assert addresses["s2"] + 1 == addresses["s0"] and addresses["s1"] > addresses["s2"]
    graph.deallocate()


def test_content_is_replaced_and_written(arena: Arena) -> None:
    graph = LinkGraph("content")
    data = graph.create_section("data", DATA)
    block = graph.create_content_block(data, b"short")
    symbol = graph.add_defined_symbol(block, 4, "end", 1)
    block.content = b"longer than before"
    with pytest.raises(GraphError, match="outside"):
        block.content = b"tiny"
    block.mutable_content()[:6] = b"LONGER"
    assert block.content == b"LONGER than before"
    address = linked(graph, arena)["end"]
    block.mutable_content()[4:6] = b"!!"
    assert ctypes.string_at(address, 4) == b"!! t" and symbol.address == address
    with pytest.raises(GraphError, match="laid out"):
        block.content = b"too late"
    graph.deallocate()


def test_an_objects_own_bytes_are_not_written_to(build: Build, arena: Arena) -> None:
    data = build("int x = 7;")
    graph = LinkGraph.from_object(data)
    symbol = graph.find_symbol("x")
    assert symbol is not None and symbol.block is not None
    before = bytes(data)
    symbol.block.mutable_content()[:1] = b"\x09"
    assert data == before
    assert ctypes.c_int.from_address(linked(graph, arena)["x"]).value == 9
    graph.deallocate()


def test_many_edges_in_any_order_stay_with_their_blocks(arena: Arena) -> None:
    """Runs of edges grow by moving; none may get lost or mixed up."""
    graph = LinkGraph("edges")
    data = graph.create_section("data", DATA)
    target = graph.add_absolute_symbol("zero", 0, scope=Scope.LOCAL)
    blocks = [graph.create_content_block(data, bytes(800)) for _ in range(20)]
    for i in range(100):
        for k, block in enumerate(blocks):
            block.add_edge("Pointer64", 8 * i, target, 1000 * k + i)
    graph.verify()
    graph.add_defined_symbol(blocks[0], 0, "start")
    words = (ctypes.c_uint64 * 2000).from_address(linked(graph, arena)["start"])
    assert list(words) == [1000 * k + i for k in range(20) for i in range(100)]
    graph.deallocate()


def test_edges_can_be_changed(arena: Arena) -> None:
    graph = LinkGraph("retarget")
    data = graph.create_section("data", DATA)
    block = graph.create_content_block(data, bytes(8))
    graph.add_defined_symbol(block, 0, "word")
    a, b = (graph.add_external_symbol(name) for name in "ab")
    edge = block.add_edge("R_X86_64_PC64", 0, a)
    assert graph.externals == ["a"], "nothing refers to b"
    edge.kind, edge.target, edge.addend = "Pointer64", b, 5
    assert (edge.kind, edge.target, edge.addend) == ("Pointer64", b, 5)
    with pytest.raises(GraphError, match="no relocation"):
        edge.kind = "R_X86_64_NONSENSE"
    graph.remove_symbol(a)
    address = linked(graph, arena, b=10)["word"]
    assert ctypes.c_uint64.from_address(address).value == 15
    graph.deallocate()


def test_finalize_memory_goes_with_the_link(arena: Arena) -> None:
    graph = LinkGraph("scratch")
    scratch = graph.create_section("scratch", DATA, Lifetime.FINALIZE)
    data = graph.create_section("data", DATA)
    graph.add_defined_symbol(graph.create_content_block(data, b"stays"), 0, "stays")
    graph.add_defined_symbol(graph.create_content_block(scratch, b"goes"), 0, "goes")
    linked(graph, arena)
    assert arena.statistics().data.spans == 2
    graph.finalize()
    assert arena.statistics().data.spans == 1
    graph.deallocate()


def test_sections_without_memory_are_fixed_up_where_they_are(arena: Arena) -> None:
    graph = LinkGraph("notes")
    text = graph.create_section("text", CODE)
    notes = graph.create_section("notes", MemProt.READ, Lifetime.NO_ALLOC)
    code = graph.create_content_block(text, ANSWER)
    answer = graph.add_defined_symbol(code, 0, "answer")
    first = graph.create_content_block(notes, bytes(8))
    second = graph.create_content_block(notes, bytes(16))
    second.add_edge("Pointer64", 0, answer)
    second.add_edge("Pointer32", 8, graph.add_anonymous_symbol(second, 4))
    address = linked(graph, arena)["answer"]
    assert first.address == 0 and second.address == 8
    assert second.content == address.to_bytes(8, "little") + (12).to_bytes(8, "little")
    graph.deallocate()
    bad = LinkGraph("bad")
    where = bad.create_section("notes", MemProt.READ, Lifetime.NO_ALLOC)
    hidden = bad.add_anonymous_symbol(bad.create_content_block(where, bytes(8)), 0)
    block = bad.create_content_block(bad.create_section("data", DATA), bytes(8))
    block.add_edge("Pointer64", 0, hidden)
    with pytest.raises(GraphError, match="isn't linked"):
        bad.allocate(arena)


def test_symbols_for_effects_have_a_flag() -> None:
    graph = LinkGraph("effects")
    block = graph.create_content_block(graph.create_section("data", DATA), bytes(8))
    graph.add_defined_symbol(block, 0, "effect", scope=Scope.SIDE_EFFECTS_ONLY)
    assert graph.defined["effect"] & F.SIDE_EFFECTS_ONLY


def test_a_pass_renames_and_hides(build: Build, program: Program) -> None:
    graph = LinkGraph.from_object(build("int f(void) { return 3; }", "-fPIC"))
    symbol = graph.find_symbol("f")
    assert symbol is not None and symbol.callable and symbol.scope is Scope.DEFAULT
    symbol.name, symbol.scope = "renamed", Scope.HIDDEN
    assert graph.defined == {"renamed": F.CALLABLE}
    address = linked(graph, program.arena)["renamed"]
    assert call(address) == 3
    graph.deallocate()


def test_a_graph_is_shown_as_text_and_as_a_drawing(build: Build) -> None:
    source = "extern int x; static int f(void) { return x; } int g(void) { return f() + 1; }"
    graph = LinkGraph.from_object(build(source, "-fPIC", "-O0"), file="shown.o")
    text = graph.dump()
    assert text.startswith("graph shown.o (x86_64-unknown-linux-gnu)")
    assert "section .text (r-x, standard)" in text
    assert "symbol g, " in text and "R_X86_64_REX_GOTPCRELX -> x - 0x4" in text
    assert "\nexternal symbols\n" in text and "\n  x = 0x0 (strong, default)" in text
    dot = graph.to_dot()
    assert dot.startswith('digraph "shown.o" {') and dot.count("{") == dot.count("}")
    assert '[shape=ellipse, label="x"]' in dot and "->" in dot


def test_arrays_survive_that_the_records_move() -> None:
    graph = LinkGraph("moving")
    data = graph.create_section("data", DATA)
    first = graph.create_content_block(data, b"12345678")
    arrays = graph.records
    for i in range(1000):
        block = graph.create_zero_fill_block(data, 8)
        graph.add_defined_symbol(block, 0, f"name{i}")
    assert arrays.blocks[first.number]["size"] == 8
    assert first.size == 8 and len(list(graph.symbols())) == 1000
    graph.verify()
