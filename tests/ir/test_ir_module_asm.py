"""A module's inline assembly: what it defines, and how it reaches the module's locals."""

from __future__ import annotations

from ir_programs import accept

from lazyjit.ir import ModuleAsm, ModuleIndex

TEXT = rb"""
source_filename = "m.c"
target triple = "x86_64-pc-linux-gnu"
module asm ".globl exported, also"
module asm "exported: call internal # comment: not_a_label"
module asm "also: ret; same_line: ret"
module asm ".Lprivate: .ascii \22label: in string\22"
module asm "1: jmp 1b"
module asm "declared_here:"
module asm ".weak feeble"
module asm "feeble = exported"
module asm ".set assigned, exported"
declare void @exported()
declare void @declared_here()
declare void @elsewhere()
define internal void @internal() { ret void }
define void @uses() { call void asm "call exported", ""() ret void }
"""


def test_global_symbols_and_those_that_ir_declares_are_defined():
    assembly = ModuleAsm(ModuleIndex.from_text(TEXT, ordinal=2))
    assert assembly and assembly.defines == ["also", "declared_here", "exported", "feeble"]


def test_its_unit_reaches_promoted_locals_and_shows_what_ir_declares():
    index = ModuleIndex.from_text(TEXT, ordinal=2)
    unit = ModuleAsm(index).unit()
    accept(unit)
    assert b'module asm ".set internal, internal$2"' in unit
    assert b'module asm ".globl declared_here"' in unit
    assert b".globl exported, also" in unit and b"define" not in unit
    assert rb".ascii \22label: in string\22" in unit
    assert b'target triple = "x86_64-pc-linux-gnu"' in unit


def test_a_module_without_assembly_has_none():
    assembly = ModuleAsm(ModuleIndex.from_text(b"define void @f() { ret void }"))
    assert not assembly and assembly.defines == []
