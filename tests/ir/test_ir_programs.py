"""Whole programs, split into units: each is LLVM's to accept, and together they are the program."""

from __future__ import annotations

from pathlib import Path

import ir_programs
import llvmlite.binding as llvm
import pytest
from ir_programs import INPUTS, accept, carve_everything, compiled, native_output, units

from lazyjit.ir import EntityFlag, Kind, ModuleAsm, ModuleIndex

LEVELS = [("-O0",), ("-O1",), ("-O2",), ("-O0", "-g"), ("-O2", "-g"), ("-O1", "-fno-pic")]
POLICIES = [(1, 0), (1, 8000), (16, 0), (16, 8000)]


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.stem)
@pytest.mark.parametrize(("functions", "budget"), POLICIES)
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"], ids=["lf", "crlf"])
def test_hand_written_modules_split_into_valid_units(path, functions, budget, newline):
    text = path.read_bytes().replace(b"\n", newline)
    accept(text)
    index = ModuleIndex.from_text(text, file=str(path), ordinal=3)
    carve_everything(index, max_functions=functions, inline_budget=budget)


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.stem)
def test_hand_written_modules_split_alike_once_llvm_has_printed_them(path):
    index = ModuleIndex.load(accept(path.read_bytes()), ordinal=3)
    carve_everything(index, max_functions=1, inline_budget=0)


@pytest.mark.parametrize("language", ["c", "c++"])
@pytest.mark.parametrize("options", LEVELS, ids=" ".join)
@pytest.mark.parametrize(("functions", "budget"), [(1, 0), (16, 8000)])
def test_compiled_programs_split_into_valid_units(language, options, functions, budget):
    index = ModuleIndex.from_text(compiled(language, *options), ordinal=0)
    carve_everything(index, max_functions=functions, inline_budget=budget)


@pytest.fixture(scope="module", autouse=True)
def native_target():
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    llvm.initialize_native_asmparser()  # for module asm


def stub_assembly(index: ModuleIndex) -> str:
    """What a session does at run time, for a linker: stubs, aliases and initializers."""
    lines = [".text"]
    for entity in index.defined():
        name = f'"{index.name(entity)}"'
        flags = int(index.entities[entity]["flags"])
        if index.kind(entity) == Kind.ALIAS and flags & EntityFlag.CALLABLE:
            lines += [f".globl {name}", f'.set {name}, "{index.name(index.aliasee(entity))}"']
        elif index.kind(entity) == Kind.FUNCTION:
            lines += [f".globl {name}", f'{name}: jmp "{index.name(entity, body=True)}"']
    for section, entries in (("init", index.constructors), ("fini", index.destructors)):
        for priority, function, _ in entries:
            order = "" if priority == 65535 else f".{priority:05}"
            lines += [f'.section .{section}_array{order},"aw"', f'.quad "{index.name(function)}"']
    return "\n".join([*lines, '.section .note.GNU-stack,"",@progbits', ""])


@pytest.mark.parametrize("language", ["c", "c++"])
@pytest.mark.parametrize("options", [("-O0",), ("-O2", "-g")], ids=" ".join)
@pytest.mark.parametrize(("functions", "budget"), [(1, 0), (16, 8000)])
def test_units_linked_together_are_the_program(tmp_path, language, options, functions, budget):
    index = ModuleIndex.from_text(compiled(language, *options), ordinal=0)
    machine = llvm.Target.from_default_triple().create_target_machine(
        opt=1 if budget else 0, reloc="pic", codemodel="small"
    )
    texts = [u.text for u in units(index, max_functions=functions, inline_budget=budget)]
    if index.counts.module_asm:
        texts.append(ModuleAsm(index).unit())
    objects: list[Path] = []
    for text in texts:
        module = accept(text)
        if budget:
            builder = llvm.create_pass_builder(
                machine, llvm.create_pipeline_tuning_options(speed_level=2)
            )
            builder.getModulePassManager().run(module, builder)
        objects.append(tmp_path / f"{len(objects)}.o")
        objects[-1].write_bytes(machine.emit_object(module))
    program = tmp_path / "program"
    ir_programs.link(program, objects, stub_assembly(index))
    assert ir_programs.run(program) == native_output(language)
