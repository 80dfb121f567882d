"""What a link graph that is made or changed by hand may not be, and the words for it."""

from __future__ import annotations

import pytest
from linking import Build, call, linked

from lazyjit.errors import GraphError, ObjectFormatError, RelocationError
from lazyjit.link.arena import Arena
from lazyjit.link.graph import LinkGraph
from lazyjit.link.model import Lifetime, MemProt, Scope

CODE = MemProt.READ | MemProt.EXEC
DATA = MemProt.READ | MemProt.WRITE
ANSWER = b"\xb8\x2a\x00\x00\x00\xc3"  # mov $42, %eax; ret


def test_what_breaks_the_rules_is_refused() -> None:
    graph, other = LinkGraph("rules"), LinkGraph("other")
    data = graph.create_section("data", DATA)
    block = graph.create_content_block(data, bytes(8))
    zeros = graph.create_zero_fill_block(data, 8)
    symbol = graph.add_defined_symbol(block, 0, "x")
    foreign = other.add_external_symbol("foreign")
    wrong = [
        lambda: LinkGraph("x", "vax-dec-ultrix"),
        lambda: graph.create_section("wx", MemProt.WRITE | MemProt.EXEC),
        lambda: graph.create_section("zero\0byte", DATA),
        lambda: graph.create_content_block(data, b"", align=3),
        lambda: graph.create_content_block(data, b"", align=4, align_offset=4),
        lambda: graph.create_zero_fill_block(data, -1),
        lambda: graph.create_zero_fill_block(data, 2**40),
        lambda: graph.add_defined_symbol(block, 9, "outside"),
        lambda: graph.add_defined_symbol(block, 4, "too long", 5),
        lambda: graph.add_defined_symbol(block, -1, "before"),
        lambda: graph.add_defined_symbol(block, 0, ""),
        lambda: graph.add_external_symbol(""),
        lambda: block.add_edge("Pointer64", 1, symbol),
        lambda: block.add_edge("Pointer64", -1, symbol),
        lambda: block.add_edge("R_X86_64_NOTHING", 0, symbol),
        lambda: block.add_edge(0x7FFFFFFF, 0, symbol),
        lambda: block.add_edge("Pointer64", 0, foreign),
        lambda: zeros.add_edge("Pointer64", 0, symbol),
        lambda: zeros.mutable_content(),
        lambda: graph.remove_symbol(foreign),
        lambda: graph.split_block(block, 9),
        lambda: graph.make_external(graph.add_anonymous_symbol(block, 0)),
        lambda: setattr(symbol, "size", 9),
        lambda: setattr(symbol, "name", ""),
    ]
    for action in wrong:
        with pytest.raises(GraphError):
            action()
    graph.verify()


def test_verify_finds_what_arrays_break(build: Build) -> None:
    source = "int g(void); int x; int f(void) { return g() + x; } int h(void) { return f(); }"
    data = build(source, "-ffunction-sections", "-fPIC")

    def broken(array: str, field: str, value: int, words: str, where: str = "size") -> None:
        graph = LinkGraph.from_object(data)
        rows = getattr(graph.records, array)
        number = int(rows[where].argmax())
        rows[number][field] = value
        with pytest.raises(GraphError, match=words):
            graph.verify()
        with pytest.raises(GraphError, match=words):
            graph.plan()

    broken("blocks", "align", 3, "alignment")
    broken("blocks", "align_offset", 99999, "alignment")
    broken("blocks", "section", 1, "list of blocks|no section")
    broken("blocks", "next", 0, "list of blocks")
    broken("blocks", "edge_count", 9999, "outside of the edges", "edge_count")
    broken("blocks", "first_edge", 0, "shares edges", "first_edge")
    broken("edges", "target", 9999, "no target", "offset")
    broken("edges", "offset", 2**31, "outside of it", "offset")
    broken("edges", "kind", 200, "unknown relocation", "offset")
    broken("symbols", "place", 9999, "in no block", "place")
    broken("symbols", "offset", 9999, "outside of its block", "place")
    broken("symbols", "name", 2**31, "outside of the names", "place")
    broken("sections", "prot", 6, "writable and executable", "linked")


def test_two_symbols_of_one_name_are_refused(arena: Arena) -> None:
    graph = LinkGraph("twice")
    block = graph.create_content_block(graph.create_section("data", DATA), bytes(8))
    graph.add_defined_symbol(block, 0, "x")
    graph.add_defined_symbol(block, 0, "x", scope=Scope.LOCAL)
    graph.verify()
    graph.add_defined_symbol(block, 4, "x")
    with pytest.raises(GraphError, match="two symbols are named x"):
        graph.allocate(arena)


def test_a_target_out_of_range_is_named(arena: Arena) -> None:
    graph = LinkGraph("range.o")
    block = graph.create_content_block(graph.create_section("data", DATA), bytes(8))
    block.add_edge("Delta32", 4, graph.add_external_symbol("far"))
    with pytest.raises(RelocationError) as caught:
        linked(graph, arena, far=2**63)
    error = caught.value
    assert (error.kind, error.symbol, error.section, error.offset) == ("Delta32", "far", "data", 4)
    graph.deallocate()


def test_lists_of_names_do_not_follow_what_arrays_break(build: Build) -> None:
    for array, field, value in (
        ("symbols", "name", 2**31),
        ("symbols", "place", 2**30),
        ("sections", "name", 2**31),
        ("blocks", "section", 2**30),
    ):
        graph = LinkGraph.from_object(build("int f(void) { return 1; }", "-fPIC"))
        for row in getattr(graph.records, array)[1:]:
            row[field] = value
        if array == "blocks":
            graph.records.blocks[0][field] = value
        with pytest.raises(GraphError, match=r"outside of the names|in no block"):
            _ = graph.defined


@pytest.mark.parametrize("addend", [2**63, -(2**63) - 1, 2**70])
def test_an_addend_has_64_bits(addend: int) -> None:
    graph = LinkGraph("addend")
    block = graph.create_content_block(graph.create_section("data", DATA), bytes(8))
    word = graph.add_defined_symbol(block, 0, "word")
    with pytest.raises(GraphError, match="an addend of"):
        block.add_edge("R_X86_64_64", 0, word, addend)
    assert list(block.edges()) == []
    edge = block.add_edge("R_X86_64_64", 0, word, -(2**63))
    with pytest.raises(GraphError, match="an addend of"):
        edge.addend = addend
    assert edge.addend == -(2**63)


@pytest.mark.parametrize("finalized", [False, True])
def test_content_that_was_given_back_is_refused(arena: Arena, finalized: bool) -> None:
    graph = LinkGraph("gone")
    brief = graph.create_section("brief", DATA, Lifetime.FINALIZE)
    blocks = [
        graph.create_content_block(graph.create_section("data", DATA), b"data"),
        graph.create_content_block(brief, b"brief"),
    ]
    kept = graph.create_section("debug", MemProt.READ, Lifetime.NO_ALLOC)
    note = graph.create_content_block(kept, b"note")
    linked(graph, arena)
    if finalized:
        graph.finalize()
        assert blocks[0].content == b"data"
        with pytest.raises(GraphError, match="given back"):
            _ = blocks[1].content
    graph.deallocate()
    for block in blocks:
        with pytest.raises(GraphError, match="given back"):
            _ = block.content
        with pytest.raises(GraphError, match="given back"):
            block.mutable_content()
    assert note.content == b"note" and blocks[0].size == 4


def test_alignments_are_set_before_layout(arena: Arena) -> None:
    graph = LinkGraph("align")
    block = graph.create_content_block(graph.create_section("data", DATA), b"data")
    graph.add_defined_symbol(block, 0, "x")
    block.align = 64
    block.align_offset = 8
    for wrong in (0, 3, -8, 2**22, 2**70):
        with pytest.raises(GraphError, match="alignment"):
            block.align = wrong
    for wrong in (64, -1):
        with pytest.raises(GraphError, match="alignment offset"):
            block.align_offset = wrong
    with pytest.raises(GraphError, match="alignment offset 8, but alignment 8"):
        block.align = 8
    assert (block.align, block.align_offset) == (64, 8)
    assert linked(graph, arena)["x"] % 64 == 8
    with pytest.raises(GraphError, match="laid out"):
        block.align = 128
    graph.deallocate()


def test_protections_and_lifetimes_are_set_before_layout(arena: Arena) -> None:
    graph = LinkGraph("memory")
    section = graph.create_section("code", DATA)
    graph.add_defined_symbol(graph.create_content_block(section, ANSWER), 0, "answer", 6)
    with pytest.raises(GraphError, match="writable and executable"):
        section.prot = DATA | MemProt.EXEC
    section.prot = CODE
    notes = graph.create_section("notes", DATA)
    note = graph.create_content_block(notes, b"note")
    notes.lifetime = Lifetime.NO_ALLOC
    assert (section.prot, notes.lifetime, notes.linked) == (CODE, Lifetime.NO_ALLOC, False)
    assert call(linked(graph, arena)["answer"]) == 42
    assert note.content == b"note"
    with pytest.raises(GraphError, match="laid out"):
        section.prot = DATA
    with pytest.raises(GraphError, match="laid out"):
        section.lifetime = Lifetime.FINALIZE
    graph.deallocate()


def test_the_linkers_own_sections_keep_their_memory(build: Build) -> None:
    graph = LinkGraph.from_object(build("_Thread_local int x = 1; int f(void) { return x; }"))
    for name in (".tdata", ".eh_frame"):
        section = graph.find_section(name)
        assert section is not None
        with pytest.raises(GraphError, match="as long as the code"):
            section.lifetime = Lifetime.FINALIZE
    section = graph.find_section(".tdata")
    assert section is not None
    with pytest.raises(GraphError, match="linker's affair"):
        section.prot = CODE


def test_a_name_that_is_defined_twice_is_told_each_time() -> None:
    graph = LinkGraph("twice")
    block = graph.create_content_block(graph.create_section("data", DATA), bytes(8))
    for name, offset in (("other", 0), ("sd", 0), ("sd", 5)):
        graph.add_defined_symbol(block, offset, name)
    for _ in range(2):
        with pytest.raises(ObjectFormatError, match="symbol sd is defined twice"):
            _ = graph.defined


def test_records_of_blocks_have_no_raw_pointers() -> None:
    graph = LinkGraph("records")
    graph.create_content_block(graph.create_section("data", DATA), bytes(8))
    assert "content" not in graph.records.blocks.dtype.names
    assert graph.records.blocks["size"].tolist() == [8]
