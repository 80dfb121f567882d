"""Assembly as a source of code: labels, calls into libc, errors, removal."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest

from lazyjit.core import MaterializationUnit
from lazyjit.errors import AssemblyError, DuplicateDefinition, FailedToMaterialize, SymbolsNotFound
from lazyjit.layers.assembly import AssemblyLayer
from lazyjit.symbols import SymbolFlags

INT, STRING = ctypes.c_int, ctypes.c_char_p

PROGRAM = """
        .globl  length_and_more
        .type   length_and_more, @function
length_and_more:
        subq    $8, %rsp
        callq   strlen@PLT
        addl    more(%rip), %eax
        addq    $8, %rsp
        retq
        .size   length_and_more, . - length_and_more
        .data
more:   .long   40
"""


def test_assembly_calls_into_libc(jit):
    jit.add_assembly(PROGRAM)
    assert jit.function("length_and_more", INT, STRING)(b"ab") == 42


def test_assembly_and_ir_call_each_other(jit):
    jit.add_assembly(".globl g\ng: callq h@PLT\naddl $1, %eax\nret\n")
    jit.add("declare i32 @g()\ndefine i32 @f() {\n  %r = call i32 @g()\n  ret i32 %r\n}\n"
            "define i32 @h() {\n  ret i32 41\n}\n")  # fmt: skip
    assert jit.function("f", INT)() == 42


def test_a_file_is_given_as_a_path(jit, tmp_path: Path):
    path = tmp_path / "a.s"
    path.write_text(PROGRAM)
    jit.add_assembly(path)
    assert jit.function("length_and_more", INT, STRING)(b"") == 40
    path.write_text("nop\nbah\n")
    with pytest.raises(AssemblyError, match="bah") as caught:
        jit.add_assembly(path)
    assert (caught.value.file, caught.value.line) == (str(path), 2)


def test_an_error_leaves_the_session_as_it_was(jit):
    with pytest.raises(AssemblyError):
        jit.add_assembly(".globl f\nf: ret\nbah\n")
    with pytest.raises(SymbolsNotFound):
        jit.lookup("f")
    jit.add_assembly(".globl f\nf: ret\n")
    with pytest.raises(DuplicateDefinition):
        jit.add_assembly(".globl f\nf: ret\n")
    jit.lookup("f")


def test_assembly_can_be_removed(jit):
    tracker = jit.add_assembly(PROGRAM)
    jit.lookup("length_and_more")
    tracker.remove()
    with pytest.raises(SymbolsNotFound):
        jit.lookup("length_and_more")


class Late(MaterializationUnit):
    """Assembly that is made when it is wanted."""

    def __init__(self, layer, text):
        super().__init__("late", {"late": SymbolFlags.EXPORTED | SymbolFlags.CALLABLE})
        self.layer, self.text = layer, text

    def materialize(self, responsibility):
        self.layer.emit(responsibility, self.text, file="late.s")

    def discard(self, dylib, name):
        """One symbol, of which there is no other."""


def test_a_unit_may_hand_assembly_to_the_layer(jit):
    layer = AssemblyLayer(jit._objects)
    jit.main.define(Late(layer, ".globl late\nlate: movl $42, %eax\nret\n"))
    assert jit.function("late", INT)() == 42
    jit.create_dylib("other").define(Late(layer, "bah"))
    with pytest.raises(FailedToMaterialize, match=r"late\.s:1: .*bah"):
        jit.lookup("late", dylib=jit.dylib("other"))
