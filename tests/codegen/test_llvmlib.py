"""The door to LLVM: what it binds is there, and what is not there is told before anything runs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from lazyjit import _native, errors, llvmlib


def test_the_bound_llvm_is_the_one_that_lazyjit_was_written_for():
    assert llvmlib.version()[:2] == llvmlib.LLVM_VERSION


def test_native_code_is_handed_what_it_asks_for():
    fields = [name for name, _ in _native.ffi.typeof("lj_llvm_entries").fields]
    assert tuple(fields) == llvmlib.ENTRIES
    assert all(llvmlib.addresses().values())


def test_binding_again_gives_the_same_library():
    assert llvmlib.bind() is llvmlib.bind()


def test_a_library_without_the_entry_points_is_refused_with_what_to_install(tmp_path):
    source = tmp_path / "empty.c"
    source.write_text("int LLVMPY_GetVersionInfo(void) { return 22 << 16 | 1 << 8; }\n")
    library = tmp_path / "libllvmlite.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    with pytest.raises(errors.IncompatibleLLVM) as caught:
        llvmlib._load(library)
    assert "LLVMPY_ContextCreate" in str(caught.value)
    assert llvmlib.REQUIREMENT in str(caught.value)


def test_another_llvm_is_refused_with_what_to_install(tmp_path):
    names = [*llvmlib.ENTRIES, *llvmlib._SET_UP, *llvmlib._ASKED]
    functions = [f"int LLVMPY_{name}(void) {{ return 0x140105; }}\n" for name in names]
    source = tmp_path / "old.c"
    source.write_text("".join(functions))
    library = tmp_path / "libllvmlite.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    with pytest.raises(errors.IncompatibleLLVM, match=r"has LLVM 20\.1\.5, not 22\.1") as caught:
        llvmlib._load(library)
    assert llvmlib.REQUIREMENT in str(caught.value)


def test_a_file_that_is_no_library_is_refused(tmp_path):
    path = tmp_path / "libllvmlite.so"
    path.write_bytes(b"not a library")
    with pytest.raises(errors.IncompatibleLLVM):
        llvmlib._load(path)


def test_an_entry_that_is_null_is_refused_by_the_native_side():
    fault = _native.new_fault()
    status = _native.lib.lj_llvm_bind(_native.ffi.new("lj_llvm_entries *"), fault)
    with pytest.raises(errors.InternalError, match="entry point 0"):
        _native.check(status, fault)


def test_importing_codegen_leaves_llvmlites_python_layer_alone():
    program = "import sys, lazyjit.codegen; sys.exit('llvmlite.binding' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


def test_llvmlite_itself_still_works_beside_lazyjit():
    import llvmlite.binding as llvm

    module = llvm.parse_assembly("define i32 @f() {\n  ret i32 7\n}")
    assert "ret i32 7" in str(module)
    with pytest.raises(RuntimeError):
        llvm.parse_assembly("nonsense")
