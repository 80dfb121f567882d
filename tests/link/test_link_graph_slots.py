"""Edges that come late: slots are planned for them until layout, and missed in words after it."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import pytest
from linking import Build, call

from lazyjit.errors import GraphError
from lazyjit.link.arena import Arena
from lazyjit.link.graph import LinkGraph
from lazyjit.link.model import MemProt

CODE, DATA = MemProt.READ | MemProt.EXEC, MemProt.READ | MemProt.WRITE
JUMP = b"\xe9\x00\x00\x00\x00"  # jmp rel32
LOAD = b"\x48\x8b\x05\x00\x00\x00\x00\x48\x8b\x00\xc3"  # mov x@GOTPCREL(%rip), %rax; its value
PROCESS = ctypes.CDLL(None)
GETPID, GETPPID = (
    ctypes.cast(each, ctypes.c_void_p).value or 0 for each in (PROCESS.getpid, PROCESS.getppid)
)


def linked(graph: LinkGraph, arena: Arena, **externals: int) -> dict[str, int]:
    graph.allocate(arena)
    graph.verify()
    addresses = {name: symbol.address for name, symbol in graph.resolved().items()}
    graph.fix_up([externals[name] for name in graph.externals])
    return addresses


def jump(graph: LinkGraph, name: str, target: str) -> None:
    """A function that goes on to another."""
    text = graph.find_section("text") or graph.create_section("text", CODE)
    block = graph.create_content_block(text, JUMP)
    graph.add_defined_symbol(block, 0, name, callable=True)
    other = graph.find_symbol(target) or graph.add_external_symbol(target)
    block.add_edge("R_X86_64_PLT32", 1, other, -4)


def load(graph: LinkGraph, name: str, target: str) -> None:
    """A function that returns what is in a variable, by the GOT."""
    text = graph.find_section("text") or graph.create_section("text", CODE)
    block = graph.create_content_block(text, LOAD)
    graph.add_defined_symbol(block, 0, name, callable=True)
    other = graph.find_symbol(target) or graph.add_external_symbol(target)
    block.add_edge("R_X86_64_GOTPCREL", 3, other, -4)


@pytest.mark.parametrize("first", [None, jump, load])
def test_slots_are_planned_for_edges_that_come_after_plan(
    arena: Arena, first: Callable[[LinkGraph, str, str], None] | None
) -> None:
    """With no GOT yet, with GOT and PLT, and with a GOT alone."""
    graph = LinkGraph("late")
    cell = ctypes.c_long(77)
    known = {"one": GETPID if first is jump else ctypes.addressof(cell)}
    if first is not None:
        first(graph, "early", "one")
    graph.plan()
    jump(graph, "late_jump", "two")
    load(graph, "late_load", "three")
    load(graph, "again", "three")
    more = ctypes.c_long(1234)
    known.update(two=GETPPID, three=ctypes.addressof(more))
    addresses = linked(graph, arena, **known)
    assert call(addresses["late_jump"]) == PROCESS.getppid()
    assert call(addresses["late_load"]) == call(addresses["again"]) == 1234
    if first is not None:
        assert call(addresses["early"]) == (PROCESS.getpid() if first is jump else 77)
    graph.deallocate()


def test_a_gots_name_is_bound_when_the_got_comes_late(arena: Arena) -> None:
    graph = LinkGraph("named")
    graph.plan()
    data = graph.create_section("data", DATA)
    block = graph.create_content_block(data, bytes(8), align=8)
    graph.add_defined_symbol(block, 0, "distance", 8)
    table = graph.add_external_symbol("_GLOBAL_OFFSET_TABLE_")
    block.add_edge("R_X86_64_GOTPC64", 0, table, 0)
    addresses = linked(graph, arena)
    start = table.address
    assert start and ctypes.c_int64.from_address(addresses["distance"]).value == (
        start - addresses["distance"]
    )
    graph.deallocate()


def test_thread_local_slots_are_planned_late(build: Build, arena: Arena) -> None:
    source = "__thread int y = 5; int *f(void) { return &y; }"
    graph = LinkGraph.from_object(build(source, "-fPIC", "-ftls-model=global-dynamic"))
    graph.plan()
    got, symbol = graph.find_section("$__GOT"), graph.find_symbol("y")
    assert got is not None and symbol is not None
    (table,) = got.blocks()
    before = table.size
    block = graph.create_content_block(graph.create_section("more", CODE), bytes(4))
    graph.add_defined_symbol(block, 0, "more", 4)
    block.add_edge("R_X86_64_GOTPC32_TLSDESC", 0, symbol, 0)
    graph.layout()
    assert table.size == before + 32
    more = linked(graph, arena, __tls_get_addr=GETPID)["more"]
    assert more + ctypes.c_int32.from_address(more).value == table.address + before
    graph.deallocate()


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("R_X86_64_GOTPCREL", "no such GOT entry"),
        ("R_X86_64_GOTPC32", "no GOT"),
        ("R_X86_64_TLSGD", "no such GOT entry"),
        ("R_X86_64_TLSLD", "no such GOT entry"),
        ("R_X86_64_GOTPC32_TLSDESC", "no such GOT entry"),
        ("R_X86_64_GOTTPOFF", "no such GOT entry"),
    ],
)
@pytest.mark.parametrize("how", ["add", "change"])
def test_an_edge_that_comes_after_layout_without_its_slot_is_told(
    build: Build, arena: Arena, kind: str, words: str, how: str
) -> None:
    graph = LinkGraph.from_object(build("__thread int y; int x; int f(void) { return 1; }"))
    text = graph.create_section("more", CODE)
    block = graph.create_content_block(text, bytes(16))
    other = graph.add_external_symbol("other")
    edge = block.add_edge("R_X86_64_PC32", 8, other)
    graph.allocate(arena)
    target = graph.find_symbol("y" if "TLS" in kind or "TPOFF" in kind else "x")
    assert target is not None
    if how == "add":
        with pytest.raises(GraphError, match=f"{kind}: .*{words}.* post-prune passes"):
            block.add_edge(kind, 0, target)
        edge.target = graph.add_absolute_symbol("near", block.address)
        graph.fix_up([0] * len(graph.externals))
    else:
        edge.kind, edge.target = kind, target
        with pytest.raises(GraphError, match=words):
            graph.fix_up([0] * len(graph.externals))
    graph.deallocate()


def test_an_edge_that_comes_after_layout_uses_the_slots_that_there_are(arena: Arena) -> None:
    graph = LinkGraph("reuse")
    load(graph, "early", "one")
    text = graph.find_section("text")
    assert text is not None
    spare = graph.create_content_block(text, LOAD)
    graph.add_defined_symbol(spare, 0, "late", callable=True)
    graph.allocate(arena)
    one = graph.find_symbol("one")
    assert one is not None
    spare.add_edge("R_X86_64_GOTPCREL", 3, one, -4)
    addresses = {name: symbol.address for name, symbol in graph.resolved().items()}
    cell = ctypes.c_long(9)
    graph.fix_up([ctypes.addressof(cell)])
    assert call(addresses["early"]) == call(addresses["late"]) == 9
    graph.deallocate()
