"""Checks on objects that were really linked."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lazyjit.link.arena import Arena
from lazyjit.link.check import CheckRecorder, run_checks
from lazyjit.link.graph import LinkGraph

SOURCE = """
    .text
    .globl main
    .type main, @function
main:
# jitlink-check: decode_operand(main, 4) = foo - next_pc(main)
    movl foo(%rip), %eax
    .size main, . - main
load_got:
# jitlink-check: decode_operand(load_got, 4) = got_addr(unit.o, far) - next_pc(load_got)
# jitlink-check: *{8}got_addr(unit.o, far) = far
    movq far@GOTPCREL(%rip), %rax
call_far:
# jitlink-check: decode_operand(call_far, 0) = \\
# jitlink-check:   stub_addr(unit.o, far) - next_pc(call_far)
# jitlink-check: *{2}stub_addr(unit.o, far) = 0x25ff
    call far@PLT
# jitlink-check: next_pc(call_far + 5) = call_far + 6
    ret
    .data
    .globl foo
# jitlink-check: section_addr(unit.o, .data) = foo
# jitlink-check: *{4}foo = 0x2a
foo: .long 42
pointer: .quad main
# jitlink-check: *{8}pointer = main
# jitlink-check: *{4}(*{8}(pointer)) = *{4}main
    .bss
    .globl zeros
# jitlink-check: *{8}zeros = 0
# jitlink-check: *{1}(zeros + 15) = 0
zeros: .zero 16
    .size zeros, 16
    .section .tagged, "a"
# jitlink-check: section_addr(unit.o, .tagged, tag) = tag
tag: .byte 7
"""

Link = Callable[..., CheckRecorder]


@pytest.fixture
def link(tmp_path: Path) -> Iterator[Link]:
    if shutil.which("gcc") is None:
        pytest.skip("no gcc to assemble with")
    arena, graphs = Arena(), []

    def make(*sources: str, names: tuple[str, ...] = ("unit.o",), **defined: int) -> CheckRecorder:
        recorder = CheckRecorder()
        for name, address in defined.items():
            recorder.define(name, address)
        for name, source in zip(names, sources, strict=True):
            text, out = tmp_path / "unit.s", tmp_path / "unit.o"
            text.write_text(source)
            subprocess.run(["gcc", "-c", str(text), "-o", str(out)], check=True)
            graph = LinkGraph.from_object(out.read_bytes(), file=f"some/{name}", arena=arena)
            graph.fix_up([defined[external] for external in graph.externals])
            graphs.append(graph)
            recorder.record(graph)
        return recorder

    yield make
    for graph in graphs:
        graph.deallocate()
    arena.close()


def failures(text: str, recorder: CheckRecorder) -> list[str]:
    return [str(error) for error in run_checks(text, recorder).failures]


def test_a_linked_object_passes_its_checks(link: Link) -> None:
    report = run_checks(SOURCE, link(SOURCE, far=0x7000_0000_0000))
    assert report.checked == 13
    assert report.passed, [str(error) for error in report.failures]


def test_checks_hold_when_the_graph_is_gone(link: Link) -> None:
    recorder = link(SOURCE, far=0x7000_0000_0000)
    before = recorder.symbol("main")
    assert before.content is not None and len(before.content) == 6
    assert recorder.symbol("call_far").size > 5, "without a size, code reaches to the block's end"


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("nowhere = 1", "no known address"),
        ("far = 1", "is false"),
        ("*{4}far = 1", "no linked memory at 0x700000000000"),
        ("*{8}(foo - 4) = 1", "no linked memory"),
        ("section_addr(other.o, .data) = 1", "no file 'other.o' was linked"),
        ("section_addr(unit.o, .nope) = 1", "no section '.nope'"),
        ("section_addr(unit.o, .data, main) = 1", "no section '.data' with symbol 'main'"),
        ("got_addr(unit.o, foo) = 1", "no GOT entry for 'foo'"),
        ("stub_addr(unit.o, foo) = 1", "no stub for 'foo'"),
        ("stub_addr(unit.o/.nope, far) = 1", "no section '.nope'"),
        ("stub_addr(unit.o, far, thumb) = 1", "1 stubs in file 'unit.o', and 0 of them match"),
        ("stub_addr(unit.o, far, [) = 1", "no pattern"),
    ],
)
def test_what_was_not_linked_says_so(link: Link, expression: str, words: str) -> None:
    recorder = link(SOURCE, far=0x7000_0000_0000)
    (message,) = failures(f"# jitlink-check: {expression}", recorder)
    assert words in message


def test_definitions_that_others_see_hide_local_ones(link: Link) -> None:
    local = ".data\nname: .byte 1\n.globl a\na: .byte 0\n"
    exported = ".data\n.globl name\nname: .byte 2\n"
    for sources in ((local, exported), (exported, local)):
        recorder = link(*sources, names=("one.o", "two.o"))
        assert failures("# jitlink-check: *{1}name = 2", recorder) == []


def test_files_of_one_name_are_ambiguous_and_members_have_their_own(link: Link) -> None:
    data = ".data\n.byte 1\n"
    recorder = link(data, data, data, names=("a.o", "a.o", "lib.a(member.o)"))
    text = "# jitlink-check: section_addr(a.o, .data) = 0"
    assert "2 files are named 'a.o'" in failures(text, recorder)[0]
    text = "# jitlink-check: section_addr(member.o, .data) = section_addr(lib.a(member.o, .data)"
    assert failures(text, recorder)
    assert recorder.section("member.o", ".data") == recorder.section("lib.a(member.o)", ".data")
