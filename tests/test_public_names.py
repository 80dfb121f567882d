"""The public names: a change here is a change for everybody who imports them."""

from __future__ import annotations

import subprocess
import sys

import pytest

import lazyjit
from lazyjit import errors

PUBLIC = {
    "FunctionState": "lazyjit.call.typed",
    "JIT": "lazyjit.jit",
    "JITDylib": "lazyjit.core.dylib",
    "JITFunction": "lazyjit.layers.handle",
    "LazyJITError": "lazyjit.errors",
    "Plugin": "lazyjit.plugin",
    "ResourceTracker": "lazyjit.core.tracker",
    "Statistics": "lazyjit.layers.statistics",
    "TypedFunction": "lazyjit.call.typed",
    "UnitInfo": "lazyjit.layers.unit_policy",
    "UnitPolicy": "lazyjit.layers.unit_policy",
}

ERRORS = {
    "ArchiveFormatError",
    "ArenaFull",
    "AssemblyError",
    "CheckError",
    "CommonTooLarge",
    "CompileError",
    "CompilerNotFound",
    "Diagnostic",
    "DuplicateDefinition",
    "DuplicateDylib",
    "DylibNotFound",
    "FailedToMaterialize",
    "GraphError",
    "IRError",
    "IncompatibleLLVM",
    "InputError",
    "InternalError",
    "LazyJITError",
    "LibraryNotFound",
    "LinkError",
    "LinkerScriptError",
    "MaterializationError",
    "MissingDefinitions",
    "ObjectFormatError",
    "RelocationError",
    "ResourceError",
    "ResourceTrackerDefunct",
    "SessionClosed",
    "SourceError",
    "SymbolRemoved",
    "SymbolsCouldNotBeRemoved",
    "SymbolsNotFound",
    "UsageError",
}


def test_the_package_exports_these_names_and_no_others():
    assert set(lazyjit.__all__) == {*PUBLIC, "__version__"}
    assert set(errors.__all__) == ERRORS


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_is_the_one_thing_that_its_module_defines(name):
    assert getattr(lazyjit, name).__module__ == PUBLIC[name]
    assert name in dir(lazyjit)


@pytest.mark.parametrize("name", sorted(ERRORS - {"Diagnostic"}))
def test_everything_raised_on_purpose_has_one_base(name):
    assert issubclass(getattr(errors, name), lazyjit.LazyJITError)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Jit'"):
        _ = lazyjit.Jit


def test_importing_the_package_loads_neither_llvm_nor_numpy():
    program = "import sys, lazyjit; print([m for m in ('llvmlite', 'numpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
