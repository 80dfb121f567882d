"""Hand-made sections with a part in running the program: unwind tables, initializers, threads."""

from __future__ import annotations

import ctypes
import threading

import pytest

from lazyjit import JIT
from lazyjit.errors import FailedToMaterialize, GraphError
from lazyjit.layers.plugin import Plugin
from lazyjit.link.graph import LinkGraph
from lazyjit.link.memory_slab import SlabMemoryManager
from lazyjit.link.model import Lifetime, MemProt, Scope

INT = ctypes.c_int
RX, RW, R = MemProt.READ | MemProt.EXEC, MemProt.READ | MemProt.WRITE, MemProt.READ
RETURN_3 = b"\xb8\x03\0\0\0\xc3"  # mov $3, %eax; ret

CIE = bytes.fromhex("14000000 00000000 01 7a5200 01 78 10 01 1b 0c0708 9001 0000")
#: Length, distance to the CIE, start, size, no augmentation data, three times DW_CFA_nop.
FDE = bytes.fromhex("10000000 00000000 00000000 06000000 00 000000")


def describes(address: int) -> bool:
    """Whether the unwinder knows the code at an address."""
    find = ctypes.CDLL("libgcc_s.so.1")._Unwind_Find_FDE
    find.restype = ctypes.c_void_p
    return bool(find(ctypes.c_void_p(address), (ctypes.c_void_p * 3)()))


def unwind_table(graph: LinkGraph, functions, *, align: int, whole: bool) -> None:
    """CIE and FDEs, in a block each, or all in one."""
    section = graph.create_section(".eh_frame", R)
    if whole:
        block = graph.create_content_block(section, CIE + FDE * len(functions), align=8)
        start = graph.add_anonymous_symbol(block, 0)
        for i, function in enumerate(functions):
            at = len(CIE) + i * len(FDE)
            block.add_edge("NegDelta32", at + 4, start)
            block.add_edge("Delta32", at + 8, function)
        return
    cie = graph.add_anonymous_symbol(graph.create_content_block(section, CIE, align=align), 0)
    for function in functions:
        block = graph.create_content_block(section, FDE, align=align)
        block.add_edge("NegDelta32", 4, cie)
        block.add_edge("Delta32", 8, function)


@pytest.mark.parametrize("manager", ["arena", "slab"])
@pytest.mark.parametrize(("align", "whole"), [(1, False), (16, False), (8, True)])
def test_an_unwind_table_made_by_hand_is_registered_with_its_code(manager, align, whole):
    slab = SlabMemoryManager(1 << 20) if manager == "slab" else None
    with JIT(memory_manager=slab) as jit:
        graph = LinkGraph("unwound")
        text = graph.create_section(".text", RX)
        functions = [
            graph.add_defined_symbol(
                graph.create_content_block(text, RETURN_3, align=16), 0, name, 6, callable=True
            )
            for name in ("f", "g")
        ]
        dead = graph.create_content_block(text, RETURN_3, align=16)
        hidden = graph.add_anonymous_symbol(dead, 0, 6, callable=True)
        unwind_table(graph, [*functions, hidden], align=align, whole=whole)
        tracker = jit.add_graph(graph)
        addresses = [jit.lookup(name) for name in "fg"]
        assert jit.function("g", INT)() == 3
        assert all(describes(address + 1) for address in addresses)
        jit.remove(tracker)
        assert not any(describes(address + 1) for address in addresses)
    if slab is not None:
        slab.close()


def test_only_the_records_of_live_functions_are_kept() -> None:
    graph = LinkGraph("pruned")
    text = graph.create_section(".text", RX)
    blocks = [graph.create_content_block(text, RETURN_3) for _ in range(3)]
    functions = [graph.add_anonymous_symbol(block, 0, 6) for block in blocks]
    functions[1].live = True
    unwind_table(graph, functions, align=4, whole=False)
    graph.prune()
    section = graph.find_section(".eh_frame")
    assert section is not None
    targets = [[edge.target for edge in block.edges()] for block in section.blocks()]
    assert [len(each) for each in targets] == [0, 2]
    assert targets[1][1] == functions[1]


def counting(graph: LinkGraph, order: list[tuple[str, int]]) -> None:
    """Functions in sections of these names, in their order: each makes `trace` 10 times itself and
    adds its digit. Sections of one name are one section.
    """
    text, data = graph.create_section(".text", RX), graph.create_section(".data", RW)
    cell = graph.create_zero_fill_block(data, 8, align=8)
    trace = graph.add_defined_symbol(cell, 0, "trace", 8)
    for name, digit in order:
        # imul $10, trace(%rip), %rax; add $digit, %rax; mov %rax, trace(%rip); ret
        code = (
            b"\x48\x6b\x05\0\0\0\0\x0a\x48\x83\xc0" + bytes([digit]) + b"\x48\x89\x05\0\0\0\0\xc3"
        )
        block = graph.create_content_block(text, code, align=16)
        block.add_edge("R_X86_64_PC32", 3, trace, -5)
        block.add_edge("R_X86_64_PC32", 15, trace, -4)
        function = graph.add_anonymous_symbol(block, 0, len(code), callable=True)
        array = graph.find_section(name) or graph.create_section(name, RW)
        pointer = graph.create_content_block(array, bytes(8), align=8)
        pointer.add_edge("Pointer64", 0, function)


def trace_of(jit: JIT) -> int:
    return ctypes.c_int64.from_address(jit.lookup("trace")).value


ORDER = [
    (".init_array", 5),
    (".init_array.200", 3),
    (".init_array", 6),
    (".init_array.7", 2),
    (".preinit_array", 1),
    (".ctors.65000", 4),  # as .init_array.535
    (".fini_array", 8),
    (".fini_array.9", 9),
    (".fini_array", 7),
    (".init_array_of_no_kind", 0),
]


@pytest.mark.parametrize("with_plugin", [False, True])
def test_initializers_made_by_hand_run_by_priority(with_plugin):
    with JIT() as jit:
        if with_plugin:
            jit.add_plugin(Plugin())
        graph = LinkGraph("counting")
        counting(graph, ORDER)
        jit.add_graph(graph)
        jit.initialize()
        assert trace_of(jit) == 123456
        jit.deinitialize()
        assert trace_of(jit) == 123456789


@pytest.mark.parametrize("moment", ["pre_prune", "post_prune"])
@pytest.mark.parametrize("source", ["object", "module"])
def test_initializers_that_a_pass_adds_run_at_the_next_initialization(
    jit, compile_object, moment, source
):
    class Adds(Plugin):
        def modify_pass_config(self, responsibility, graph, config):
            if any(name.startswith("f") for name in responsibility.symbols):
                getattr(config, moment).append(
                    lambda graph: counting(graph, [(".init_array", 4), (".fini_array", 2)])
                )

    jit.add_plugin(Adds())
    if source == "object":
        tracker = jit.add(compile_object("int f(void) { return 3; }"))
    else:
        tracker = jit.add("define i32 @f() {\n ret i32 3\n}\n")
    jit.initialize()
    assert jit.function("f", INT)() == 3
    assert trace_of(jit) == 0
    jit.initialize()
    assert trace_of(jit) == 4
    jit.initialize()
    assert trace_of(jit) == 4
    jit.deinitialize()
    assert trace_of(jit) == 42
    jit.remove(tracker)
    jit.initialize()


def test_thread_local_variables_made_by_hand_are_each_threads_own(jit):
    graph = LinkGraph("threads")
    text = graph.create_section(".text", RX)
    image, zeros = graph.create_section(".tdata", RW), graph.create_section(".tbss.more", RW)
    x = graph.add_defined_symbol(
        graph.create_content_block(image, (40).to_bytes(8, "little"), align=8), 0, "x", 8
    )
    y = graph.add_defined_symbol(graph.create_zero_fill_block(zeros, 8, align=8), 0, "y", 8)
    # sub $8, %rsp; then for each: lea symbol@tlsgd(%rip), %rdi; call __tls_get_addr@PLT
    # incq (%rax); mov (%rax), %rax; the sum in rbx, which is saved in the place on the stack
    one = b"\x48\x8d\x3d\0\0\0\0\xe8\0\0\0\0\x48\xff\x00\x48\x8b\x00"
    code = b"\x53" + one + b"\x48\x89\xc3" + one + b"\x48\x01\xd8\x5b\xc3"
    block = graph.create_content_block(text, code, align=16)
    graph.add_defined_symbol(block, 0, "count", len(code), callable=True)
    get = graph.add_external_symbol("__tls_get_addr")
    for at, variable in ((1, x), (1 + len(one) + 3, y)):
        block.add_edge("R_X86_64_TLSGD", at + 3, variable, -4)
        block.add_edge("R_X86_64_PLT32", at + 8, get, -4)
    # What another graph defines is thread-local because it is used so.
    other = LinkGraph("user")
    code = b"\x53" + one + b"\x5b\xc3"
    user = other.create_content_block(other.create_section(".text", RX), code, align=16)
    other.add_defined_symbol(user, 0, "count_x", len(code), callable=True)
    user.add_edge("R_X86_64_TLSGD", 4, other.add_external_symbol("x"), -4)
    user.add_edge("R_X86_64_PLT32", 9, other.add_external_symbol("__tls_get_addr"), -4)
    jit.add_graph(graph)
    jit.add_graph(other)
    count, count_x = (jit.function(name, ctypes.c_long) for name in ("count", "count_x"))
    assert [count(), count(), count_x()] == [42, 44, 43]
    elsewhere: list[int] = []
    thread = threading.Thread(target=lambda: elsewhere.append(count()))
    thread.start()
    thread.join()
    assert elsewhere == [42] and count() == 47


def test_what_such_a_section_cannot_be_is_refused(jit):
    graph = LinkGraph("rules")
    for name, prot, lifetime in (
        (".eh_frame", R, Lifetime.FINALIZE),
        (".init_array.5", RW, Lifetime.FINALIZE),
        (".tbss", RW, Lifetime.FINALIZE),
        (".tdata", RX, Lifetime.STANDARD),
    ):
        with pytest.raises(GraphError, match=r"as long as the code|thread-local and executable"):
            graph.create_section(name, prot, lifetime)
    assert list(graph.sections()) == []
    notes = graph.create_section(".init_array", RW, Lifetime.NO_ALLOC)
    graph.create_content_block(notes, b"123")
    graph.verify()
    half = graph.create_content_block(graph.create_section(".fini_array", RW), b"1234")
    with pytest.raises(GraphError, match=r"section .fini_array isn't an array of pointers"):
        graph.verify()
    half.content = bytes(8)
    graph.create_zero_fill_block(graph.create_section(".eh_frame", R), 8)
    graph.add_defined_symbol(half, 0, "f")
    jit.add_graph(graph)
    with pytest.raises(FailedToMaterialize, match="unwind tables end there"):
        jit.lookup("f")


def test_blocks_that_join_the_initializers_stay() -> None:
    graph = LinkGraph("joining")
    array, other = graph.create_section(".init_array", RW), graph.create_section(".other", RW)
    third = graph.create_section(".third", RW)
    moved = graph.create_content_block(other, bytes(8))
    graph.transfer_block(moved, array)
    merged = graph.create_content_block(third, bytes(8))
    graph.merge_sections(array, third)
    gone = graph.create_content_block(other, bytes(8))
    graph.add_defined_symbol(gone, 0, "unused", scope=Scope.LOCAL)
    graph.prune()
    assert list(graph.blocks()) == [moved, merged]
