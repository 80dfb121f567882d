"""Each relocation kind: that it computes its formula, and that it refuses what doesn't fit.

The sources are assembly with absolute symbols, so that every value can be worked out by hand. A
test reads the fixed-up bytes back through a view, or runs them.
"""

from __future__ import annotations

import struct

import pytest
from linking import Build, Program

from lazyjit.errors import ObjectFormatError, RelocationError
from lazyjit.link.arena import Arena
from lazyjit.link.graph import LinkGraph

FAR = 0x7000_0000_0000_0000 >> 8  # no arena is within 2 GiB of it


def linked(arena: Arena, data: bytes, **externals: int) -> LinkGraph:
    graph = LinkGraph.from_object(data, file="unit.o", arena=arena)
    try:
        graph.fix_up([externals[name] for name in graph.externals])
    except BaseException:
        graph.deallocate()
        raise
    return graph


def field(graph: LinkGraph, section: str, offset: int, size: int, signed: bool = True) -> int:
    found = graph.section(section)
    assert found is not None
    (block,) = found.blocks()
    return int.from_bytes(block.content[offset : offset + size], "little", signed=signed)


def address(graph: LinkGraph, section: str) -> int:
    found = graph.section(section)
    assert found is not None
    (block,) = found.blocks()
    return block.address


# (kind, directive with the symbol x, size, S, the value written)
ABSOLUTE = [
    ("R_X86_64_64", ".quad x + 5", 8, 0x1122334455667788, 0x112233445566778D),
    ("R_X86_64_32", ".long x + 5", 4, 0xFFFFFFF0, 0xFFFFFFF5),
    ("R_X86_64_16", ".short x + 5", 2, 0xFFF0, 0xFFF5),
    ("R_X86_64_8", ".byte x + 5", 1, 0xF0, 0xF5),
]


@pytest.mark.parametrize(("kind", "directive", "size", "value", "written"), ABSOLUTE)
def test_absolute_kinds_write_symbol_plus_addend(
    assemble: Build, arena: Arena, kind: str, directive: str, size: int, value: int, written: int
) -> None:
    graph = linked(arena, assemble(f".data\n{directive}"), x=value)
    (block,) = graph.section(".data").blocks()  # type: ignore[union-attr]
    assert [edge.kind for edge in block.edges()] == [kind]
    assert field(graph, ".data", 0, size, signed=False) == written
    graph.deallocate()


@pytest.mark.parametrize(
    ("directive", "kind", "largest", "smallest"),
    [
        (".long x", "R_X86_64_32", 2**32 - 1, 0),
        (".short x", "R_X86_64_16", 2**16 - 1, -(2**15)),
        (".byte x", "R_X86_64_8", 2**8 - 1, -(2**7)),
    ],
)
def test_an_absolute_value_that_does_not_fit_is_an_overflow(
    assemble: Build, arena: Arena, directive: str, kind: str, largest: int, smallest: int
) -> None:
    data = assemble(f".data\n.quad 0\n{directive}")
    for fits in (largest, smallest):
        linked(arena, data, x=fits % 2**64).deallocate()
    for too_far in (largest + 1, smallest - 1):
        with pytest.raises(RelocationError) as caught:
            linked(arena, data, x=too_far % 2**64)
        error = caught.value
        assert (error.kind, error.symbol, error.section, error.offset, error.file) == (
            kind, "x", ".data", 8, "unit.o",
        )  # fmt: skip
        assert error.value == (too_far if too_far < 2**63 else too_far - 2**64)


def test_32s_is_sign_extended(assemble: Build, arena: Arena) -> None:
    data = assemble(".text\nmovq $x, %rax\nret")
    linked(arena, data, x=2**31 - 1).deallocate()
    graph = linked(arena, data, x=2**64 - 2**31)
    assert field(graph, ".text", 3, 4) == -(2**31)
    graph.deallocate()
    for too_far in (2**31, 2**32 - 1, 2**64 - 2**31 - 1):
        with pytest.raises(RelocationError) as caught:
            linked(arena, data, x=too_far)
        assert caught.value.kind == "R_X86_64_32S"


@pytest.mark.parametrize(
    ("kind", "directive", "size"),
    [
        ("R_X86_64_PC64", ".quad x + 3 - .", 8),
        ("R_X86_64_PC32", ".long x + 3 - .", 4),
        ("R_X86_64_PC16", ".short x + 3 - .", 2),
        ("R_X86_64_PC8", ".byte x + 3 - .", 1),
    ],
)
def test_relative_kinds_write_the_distance(
    assemble: Build, arena: Arena, kind: str, directive: str, size: int
) -> None:
    data = assemble(f".data\n.quad 0\n{directive}")
    probe = LinkGraph.from_object(data, arena=arena)
    place = address(probe, ".data")
    probe.deallocate()
    reach = 2 ** (8 * size - 1)
    for distance in (-reach, 0, reach - 1):
        graph = linked(arena, data, x=(place + 8 + distance - 3) % 2**64)
        assert address(graph, ".data") == place, "the arena reuses what was freed"
        (block,) = graph.section(".data").blocks()  # type: ignore[union-attr]
        assert [edge.kind for edge in block.edges()] == [kind]
        assert field(graph, ".data", 8, size) == distance
        graph.deallocate()
    if size == 8:
        return
    for distance in (-reach - 1, reach):
        with pytest.raises(RelocationError) as caught:
            linked(arena, data, x=(place + 8 + distance - 3) % 2**64)
        assert (caught.value.kind, caught.value.value) == (kind, distance)


CALL = ".text\n.globl f\nf:\nsub $8, %rsp\ncall x@PLT\nadd $8, %rsp\nret"
RETURN_42 = ".text\n.globl x\nx:\nmov $42, %eax\nret"


def test_a_call_in_reach_is_direct(assemble: Build, program: Program) -> None:
    program.link(assemble(RETURN_42), assemble(CALL), finalize=False)
    graph = program.graphs[1]
    call = address(graph, ".text") + 5
    assert field(graph, ".text", 5, 4) == program.symbols["x"] - (call + 4)
    assert program.call("f") == 42


def test_a_call_out_of_reach_goes_through_the_plt(assemble: Build, arena: Arena) -> None:
    graph = linked(arena, assemble(CALL), x=FAR)
    entry = address(graph, "$__PLT")
    assert field(graph, ".text", 5, 4) == entry - (address(graph, ".text") + 9)
    assert field(graph, "$__PLT", 0, 2, signed=False) == 0x25FF  # jmp *word(%rip)
    word = entry + 6 + field(graph, "$__PLT", 2, 4)
    assert field(graph, "$__GOT", word - address(graph, "$__GOT"), 8) == FAR
    graph.deallocate()


def test_a_far_function_is_really_called(assemble: Build, arena: Arena) -> None:
    elsewhere = Arena(size=16 << 20, near=64 << 20)
    target = Program(elsewhere).link(assemble(RETURN_42))
    caller = Program(arena, {"x": target.symbols["x"]})
    assert abs(target.symbols["x"] - arena.start) > 2**32
    caller.link(assemble(CALL + "\n.globl g\ng: jmp *x@GOTPCREL(%rip)"))
    assert caller.call("f") == 42
    assert caller.call("g") == 42
    caller.close()
    target.close()
    elsewhere.close()


def test_an_old_style_pc32_call_is_a_branch_too(assemble: Build, arena: Arena) -> None:
    source = ".text\n.byte 0xe8\n.reloc ., R_X86_64_PC32, x - 4\n.long 0\nret"
    graph = linked(arena, assemble(source), x=FAR)
    assert address(graph, "$__PLT") == address(graph, ".text") + 5 + field(graph, ".text", 1, 4)
    graph.deallocate()


def test_a_data_reference_out_of_reach_is_an_overflow(assemble: Build, arena: Arena) -> None:
    with pytest.raises(RelocationError, match="out of range") as caught:
        linked(arena, assemble(".text\nlea x(%rip), %rax"), x=FAR)
    assert (caught.value.kind, caught.value.symbol) == ("R_X86_64_PC32", "x")


def test_a_local_target_is_named_by_its_section(assemble: Build, arena: Arena) -> None:
    with pytest.raises(RelocationError) as caught:
        linked(arena, assemble(".data\n.byte here\n.section .rodata\n.quad 0\nhere:"))
    assert caught.value.symbol == ".rodata"


# (instruction, bytes before the displacement, those bytes in reach, displacement moved by)
RELAXED = [
    ("mov x@GOTPCREL(%rip), %rbx", "488b1d", "488d1d", 0),
    ("mov x@GOTPCREL(%rip), %r12", "4c8b25", "4c8d25", 0),
    ("mov x@GOTPCREL(%rip), %ebx", "8b1d", "8d1d", 0),
    ("call *x@GOTPCREL(%rip)", "ff15", "67e8", 0),
    ("jmp *x@GOTPCREL(%rip)", "ff25", "e9", -1),
]
UNRELAXED = [
    ("test %rax, x@GOTPCREL(%rip)", "488505"),
    ("add x@GOTPCREL(%rip), %rax", "480305"),
    ("push x@GOTPCREL(%rip)", "ff35"),
    ("cmpq $7, x@GOTPCREL(%rip)", "48833d"),
]


@pytest.mark.parametrize(("instruction", "far", "near", "moved"), RELAXED)
def test_a_got_load_in_reach_is_relaxed(
    assemble: Build, arena: Arena, instruction: str, far: str, near: str, moved: int
) -> None:
    data = assemble(f".text\n{instruction}")
    target = arena.start
    graph = linked(arena, data, x=target)
    at = len(far) // 2 + moved
    assert _bytes(graph, 0, at).hex() == near
    assert address(graph, ".text") + at + 4 + field(graph, ".text", at, 4) == target
    if moved:
        assert _bytes(graph, at + 4, 1) == b"\x90"
    graph.deallocate()
    graph = linked(arena, data, x=FAR)
    at = len(far) // 2
    assert _bytes(graph, 0, at).hex() == far, "out of reach it stays indirect"
    word = address(graph, ".text") + at + 4 + field(graph, ".text", at, 4)
    assert field(graph, "$__GOT", word - address(graph, "$__GOT"), 8) == FAR
    graph.deallocate()


@pytest.mark.parametrize(("instruction", "before"), UNRELAXED)
def test_other_instructions_keep_their_got_word(
    assemble: Build, arena: Arena, instruction: str, before: str
) -> None:
    graph = linked(arena, assemble(f".text\n{instruction}"), x=arena.start)
    size = len(before) // 2
    assert _bytes(graph, 0, size).hex() == before
    tail = len(_bytes(graph, 0, 100)) - size - 4
    word = address(graph, ".text") + size + 4 + tail + field(graph, ".text", size, 4)
    assert word == address(graph, "$__GOT")
    graph.deallocate()


def _bytes(graph: LinkGraph, offset: int, size: int) -> bytes:
    (block,) = graph.section(".text").blocks()  # type: ignore[union-attr]
    return block.content[offset : offset + size]


def test_one_symbol_has_one_got_word(assemble: Build, arena: Arena) -> None:
    source = ".text\n" + "cmp x@GOTPCREL(%rip), %rax\ncmp y@GOTPCREL(%rip), %rax\n" * 5
    graph = linked(arena, assemble(source), x=1, y=2)
    (got,) = graph.section("$__GOT").blocks()  # type: ignore[union-attr]
    assert got.size == 16
    assert sorted(edge.target.name for edge in got.edges()) == ["x", "y"]
    graph.deallocate()


def test_large_model_kinds_are_relative_to_the_got(assemble: Build, arena: Arena) -> None:
    source = """
    .data
    .quad x@GOT                          # GOT64: G + A
    .quad x@GOTOFF                       # GOTOFF64: S + A - GOT
    .quad x@PLTOFF                       # PLTOFF64: L + A - GOT
    .reloc ., R_X86_64_GOTPLT64, x + 1
    .quad 0
    .reloc ., R_X86_64_GOTPCREL64, x + 2 # G + GOT + A - P
    .quad 0
    .reloc ., R_X86_64_GOTPC64, _GLOBAL_OFFSET_TABLE_ + 3
    .quad 0
    .long x@GOT + 4                      # GOT32
    .reloc ., R_X86_64_GOTPC32, _GLOBAL_OFFSET_TABLE_ + 5
    .long 0
    """
    graph = linked(arena, assemble(source), x=FAR)
    got, data = address(graph, "$__GOT"), address(graph, ".data")
    (block,) = graph.section(".data").blocks()  # type: ignore[union-attr]
    kinds = [edge.kind.removeprefix("R_X86_64_") for edge in block.edges()]
    assert kinds[:5] == ["GOT64", "GOTOFF64", "PLTOFF64", "GOTPLT64", "GOTPCREL64"]
    assert kinds[5:] == ["GOTPC64", "GOT32", "GOTPC32"]
    word = field(graph, ".data", 0, 8)
    assert field(graph, "$__GOT", word, 8) == FAR
    assert field(graph, ".data", 8, 8) == FAR - got
    assert field(graph, ".data", 16, 8) == FAR - got
    assert field(graph, ".data", 24, 8) == word + 1
    assert field(graph, ".data", 32, 8) == word + got + 2 - (data + 32)
    assert field(graph, ".data", 40, 8) == got + 3 - (data + 40)
    assert field(graph, ".data", 48, 4) == word + 4
    assert field(graph, ".data", 52, 4) == got + 5 - (data + 52)
    graph.deallocate()


def test_size_kinds_write_the_symbols_size(assemble: Build, arena: Arena) -> None:
    source = ".data\n.quad x@SIZE + 1\n.long x@SIZE\n.globl x\nx: .zero 24\n.size x, 24"
    graph = linked(arena, assemble(source))
    assert field(graph, ".data", 0, 8) == 25
    assert field(graph, ".data", 8, 4) == 24
    graph.deallocate()
    with pytest.raises(RelocationError, match="size") as caught:
        linked(arena, assemble(".data\n.quad x@SIZE"), x=1)
    assert caught.value.kind == "R_X86_64_SIZE64"


@pytest.mark.parametrize("number", [5, 6, 7, 8, 36, 37, 38, 39, 40, 52, 200, 0xFFFFFFFF])
def test_kinds_that_no_compiler_emits_are_refused_by_name(
    assemble: Build, arena: Arena, number: int
) -> None:
    data = _with_kind(assemble(".data\n.quad x"), 1, number)
    with pytest.raises(RelocationError) as caught:
        LinkGraph.from_object(data, file="unit.o", arena=arena)
    assert caught.value.kind.startswith("R_X86_64_")
    assert caught.value.symbol == "x"


def _with_kind(data: bytes, old: int, new: int) -> bytes:
    """The object with the type of its only relocation changed."""
    (table,) = struct.unpack_from("<Q", data, 40)
    entry, count = struct.unpack_from("<HH", data, 58)
    for i in range(count):
        header = struct.unpack_from("<IIQQQQIIQQ", data, table + i * entry)
        if header[1] == 4:
            at = header[4] + 8
            assert data[at : at + 4] == old.to_bytes(4, "little")
            return data[:at] + new.to_bytes(4, "little") + data[at + 4 :]
    raise AssertionError("no relocation section")


def test_a_relocation_beyond_its_section_is_malformed(assemble: Build, arena: Arena) -> None:
    data = _with_kind(assemble(".data\n.byte x"), 14, 1)
    with pytest.raises(ObjectFormatError, match="outside of section"):
        LinkGraph.from_object(data, arena=arena)


def test_a_weak_undefined_symbol_is_zero(assemble: Build, program: Program) -> None:
    source = """
    .weak nobody
    .text
    .globl f
    f: mov nobody@GOTPCREL(%rip), %rax
    ret
    .globl never
    never: jmp nobody@PLT
    .data
    .globl pointer
    pointer: .quad nobody
    """
    program.link(assemble(source), finalize=False)
    assert program.graphs[0].external_weak == b"\1"
    assert program.call("f") == 0
    assert field(program.graphs[0], ".data", 0, 8) == 0


def test_a_reference_to_a_section_that_is_not_linked_is_refused(
    assemble: Build, arena: Arena
) -> None:
    source = '.data\n.quad here\n.section .notes,"",@progbits\nhere: .quad 0'
    with pytest.raises(RelocationError, match="isn't linked") as caught:
        LinkGraph.from_object(assemble(source), arena=arena)
    assert caught.value.kind == "R_X86_64_64"
