"""The error tree: drawn once, branched by whose fault it is, and carrying its data."""

from __future__ import annotations

import inspect
import re

import pytest

from lazyjit import errors

CLASSES = [
    value
    for value in vars(errors).values()
    if inspect.isclass(value) and issubclass(value, errors.LazyJITError)
]

EXAMPLES = [
    errors.UsageError("words"),
    errors.SessionClosed("words"),
    errors.DylibNotFound("main"),
    errors.DuplicateDylib("main"),
    errors.ResourceTrackerDefunct("words"),
    errors.IRError("words", file="a.ll", line=3),
    errors.SourceError("words", file="a.c", line=3, column=4),
    errors.ObjectFormatError("words", file="a.o", offset=8),
    errors.ArchiveFormatError("words", file="a.a"),
    errors.LinkerScriptError("words", file="libc.so", line=3),
    errors.AssemblyError("words", file="a.s", line=3, column=2),
    errors.SymbolsNotFound(["g", "f"], needed_by="a.o"),
    errors.DuplicateDefinition("f", "main", by="b.ll"),
    errors.CommonTooLarge("x", "main", (8, 4), (4, 4), by="b.o"),
    errors.RelocationError("words", kind="R_X86_64_PC32", symbol="f", section=".text", offset=4),
    errors.MissingDefinitions("unit", ["f"]),
    errors.FailedToMaterialize({"main": ["f"]}, ValueError("cause")),
    errors.SymbolRemoved("f"),
    errors.CompileError("words", unit="u", file="a.ll"),
    errors.ResourceError("words", errno=12),
    errors.ArenaFull("words"),
    errors.LibraryNotFound("words"),
    errors.CompilerNotFound("words"),
    errors.IncompatibleLLVM("words"),
    errors.InternalError("words"),
]


def test_the_drawing_names_every_class_and_no_other():
    drawn = set(re.findall(r"\b[A-Z]\w+", errors.__doc__.split("\n\n")[1]))
    drawn = {name for name in drawn if name in vars(errors) or name.endswith("Error")}
    assert {cls.__name__ for cls in CLASSES} <= drawn
    assert drawn <= {cls.__name__ for cls in CLASSES}


def test_every_class_is_public():
    assert {cls.__name__ for cls in CLASSES} <= set(errors.__all__)


def test_the_branches_say_whose_fault_it_is():
    branches = {
        errors.UsageError: [errors.SessionClosed, errors.DylibNotFound, errors.DuplicateDylib],
        errors.InputError: [errors.IRError, errors.ObjectFormatError, errors.ArchiveFormatError],
        errors.LinkError: [
            errors.SymbolsNotFound,
            errors.DuplicateDefinition,
            errors.CommonTooLarge,
            errors.RelocationError,
            errors.MissingDefinitions,
        ],
        errors.MaterializationError: [
            errors.FailedToMaterialize,
            errors.SymbolRemoved,
            errors.CompileError,
        ],
        errors.ResourceError: [errors.ArenaFull, errors.LibraryNotFound],
    }
    for branch, leaves in branches.items():
        for leaf in leaves:
            others = [other for other in branches if other is not branch]
            assert issubclass(leaf, branch)
            assert not any(issubclass(leaf, other) for other in others)


def test_data_travels_as_attributes():
    ir = errors.IRError("expected type", file="a.ll", line=3)
    assert (ir.file, ir.line, ir.reason) == ("a.ll", 3, "expected type")
    assert str(ir) == "a.ll:3: expected type"
    missing = errors.SymbolsNotFound(["g", "f"], needed_by="a.o")
    assert missing.symbols == ["f", "g"]
    assert str(missing) == "symbols not found: f, g (needed by a.o)"
    relocation = errors.RelocationError(
        "out of range", kind="R_X86_64_PC32", symbol="f", file="a.o", section=".text", offset=4
    )
    assert str(relocation) == "a.o: .text+0x4: R_X86_64_PC32 against f: out of range"
    compile_error = errors.CompileError("cannot select", unit="f", file="a.ll")
    assert (compile_error.unit, compile_error.file) == ("f", "a.ll")


def test_a_failure_keeps_its_cause():
    cause = ValueError("why")
    failure = errors.FailedToMaterialize({"main": ["f"]}, cause)
    assert failure.__cause__ is cause
    assert failure.symbols == {"main": ["f"]}
    assert str(failure) == "failed to materialize main: f: why"


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_every_error_has_words(error):
    assert isinstance(error, errors.LazyJITError)
    assert str(error)
