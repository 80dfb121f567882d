"""Assembly text into objects, and what is wrong with a text."""

from __future__ import annotations

import shutil
import threading

import pytest

from lazyjit.codegen.assembler import LLVMAssembler, ProgramAssembler, assembler_for
from lazyjit.errors import AssemblyError, UsageError
from lazyjit.link.graph import LinkGraph

LLVM_MC = shutil.which("llvm-mc-22") or shutil.which("llvm-mc")
AARCH64 = "aarch64-unknown-linux-gnu"


def assemblers():
    yield pytest.param(LLVMAssembler, id="llvmlite")
    yield pytest.param(
        lambda: ProgramAssembler(LLVM_MC, "x86_64-unknown-linux-gnu"),
        id="llvm-mc",
        marks=pytest.mark.skipif(LLVM_MC is None, reason="llvm-mc is not installed"),
    )


@pytest.fixture(params=assemblers())
def assembler(request):
    return request.param()


def test_labels_and_references_are_an_object(assembler):
    text = ".globl f\nf: call g\nret\n.Llocal: .data\nd: .quad f\n"
    graph = LinkGraph.from_object(assembler.assemble(text).object)
    assert (list(graph.defined), list(graph.externals)) == (["f"], ["g"])


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("nop\n  nop\n blah %rax\nnop", 3, 2, "blah"),
        ("a:\nnop\na:\n", 3, 1, "already defined"),
        ('\n.error "told"', 2, 1, "told"),
        ("\r\n\r\n bah\r\n", 3, 2, "bah"),
        ('# 1 "x"\n'.replace('# 1 "x"', "# words") + " bah", 2, 2, "bah"),
        (".quad f-g", 1, None, "undefined"),
        (".cfi_endproc", 1, 1, "cfi_startproc"),
        ('.incbin "/nothing/there"', 1, None, "incbin"),
        ("é", 1, 1, "é|unexpected|invalid"),
    ],
)
def test_an_error_has_its_place(assembler, text, line, column, words):
    with pytest.raises(AssemblyError, match=words) as caught:
        assembler.assemble(text, file="a.s")
    error = caught.value
    assert (error.file, error.line) == ("a.s", line)
    assert column is None or error.column == column
    assert str(error).startswith(f"a.s:{line}: ")


def test_an_error_within_a_macro_says_so(assembler):
    with pytest.raises(AssemblyError, match=r"within a macro, at its line 2: .*bah") as caught:
        assembler.assemble(".macro m\nnop\n bah\n.endm\nnop\nm\n", file="a.s")
    assert caught.value.file == "a.s"


def test_line_markers_of_a_preprocessor_count(assembler):
    with pytest.raises(AssemblyError) as caught:
        assembler.assemble('# 33 "source.c"\n bah\n', file="a.s")
    assert (caught.value.file, caught.value.line) == ("source.c", 33)


def test_any_bytes_may_stand_in_a_string(assembler):
    text = b'.globl s\ns: .asciz "a\\\\b\xff\\"\xc3\xa9%d{}"\n'
    object = assembler.assemble(text).object
    assert b'a\\b\xff"\xc3\xa9%d{}\0' in object


def test_warnings_are_handed_on(assembler):
    assert "careful" in assembler.assemble('.warning "careful"\n').warnings
    assert assembler.assemble("nop").warnings == ""


def test_no_text_is_an_empty_object(assembler):
    assert not LinkGraph.from_object(assembler.assemble("").object).defined


def test_a_nul_byte_is_an_error():
    with pytest.raises(AssemblyError, match="NUL") as caught:
        LLVMAssembler().assemble(b"nop\n\0")
    assert caught.value.line == 2


def test_threads_assemble_at_once():
    assembler, objects = LLVMAssembler(), {}

    def assemble(number):
        objects[number] = assembler.assemble(f".globl f{number}\nf{number}: ret\n").object

    threads = [threading.Thread(target=assemble, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, data in objects.items():
        assert list(LinkGraph.from_object(data).defined) == [f"f{number}"]
    assert len(objects) == 4


@pytest.mark.skipif(LLVM_MC is None, reason="llvm-mc is not installed")
def test_other_processors_are_assembled_by_llvm_mc():
    data = assembler_for(AARCH64).assemble(".globl f\nf: bl g\nret\n").object
    assert data[:4] == b"\x7fELF" and int.from_bytes(data[18:20], "little") == 183
    with pytest.raises(AssemblyError) as caught:
        assembler_for(AARCH64).assemble("ret\nmovq %rax, %rbx\n", file="a.s")
    assert caught.value.line == 2


def test_without_llvm_mc_they_are_an_error(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="aarch64-unknown-linux-gnu needs llvm-mc"):
        assembler_for(AARCH64)
    with pytest.raises(UsageError, match="needs no-such-program"):
        assembler_for(AARCH64, "no-such-program")


def test_the_newest_llvm_mc_is_taken(monkeypatch, tmp_path):
    for name in ("llvm-mc-9", "llvm-mc-22", "llvm-mc-x"):
        (tmp_path / name).touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assembler = assembler_for(AARCH64)
    assert isinstance(assembler, ProgramAssembler)
    assert assembler.program == str(tmp_path / "llvm-mc-22")


def test_a_program_that_fails_is_an_error():
    with pytest.raises(AssemblyError, match="without a word"):
        ProgramAssembler("false", AARCH64).assemble("nop")
