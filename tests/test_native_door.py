"""Every status of native code becomes a typed exception at one door."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lazyjit import _native, errors

EXPECTED = {
    "NO_MEMORY": MemoryError,
    "MISUSE": errors.InternalError,
    "SYSTEM": errors.ResourceError,
    "CLOSED": errors.SessionClosed,
    "ARENA_FULL": errors.ArenaFull,
    "STATIC_TLS_FULL": errors.ResourceError,
    "IR_SYNTAX": errors.IRError,
    "IR_UNKNOWN": errors.IRError,
    "IR_DUPLICATE": errors.IRError,
    "IR_TOO_LARGE": errors.IRError,
    "LLVM_PARSE": errors.IRError,
    "LLVM_VERIFY": errors.IRError,
    "LLVM_TARGET": errors.CompileError,
    "LLVM_EMIT": errors.CompileError,
    "OBJ_MALFORMED": errors.ObjectFormatError,
    "OBJ_UNSUPPORTED": errors.ObjectFormatError,
    "OBJ_RELOCATION": errors.RelocationError,
    "ARCHIVE_MALFORMED": errors.ArchiveFormatError,
    "LINK_OVERFLOW": errors.RelocationError,
    "LINK_MISALIGNED": errors.RelocationError,
    "LINK_UNDEFINED": errors.SymbolsNotFound,
}


def statuses() -> dict[str, int]:
    ffi, lib = _native.ffi, _native.lib
    count = lib.lj_status_count()
    return {ffi.string(lib.lj_status_name(code)).decode(): code for code in range(count)}


def fault_of(code: int, detail: str, line: int = 0, offset: int = 0, value: int = 0):
    fault = _native.new_fault()
    fault.status, fault.line, fault.offset, fault.value = code, line, offset, value
    fault.detail = detail.encode()
    return fault


def test_every_code_has_an_expectation_here():
    assert set(statuses()) == {"OK", *EXPECTED}


@pytest.mark.parametrize("name", EXPECTED)
def test_every_code_raises_its_type_with_the_faults_words(name):
    code = statuses()[name]
    with pytest.raises(EXPECTED[name]) as caught:
        _native.check(code, fault_of(code, "the detail"), file="some.file")
    assert type(caught.value) is EXPECTED[name]
    assert "the detail" in str(caught.value)


@pytest.mark.parametrize("name", EXPECTED)
def test_every_code_raises_its_type_without_a_fault(name):
    with pytest.raises(EXPECTED[name]) as caught:
        _native.check(statuses()[name])
    assert str(caught.value)


def test_success_raises_nothing():
    _native.check(statuses()["OK"])


@pytest.mark.parametrize("code", [-1, 10_000])
def test_a_code_outside_the_list_is_our_own_bug(code):
    with pytest.raises(errors.InternalError, match=str(code)):
        _native.check(code)


def test_places_travel_as_attributes():
    codes = statuses()
    ir = _native.error(codes["IR_SYNTAX"], fault_of(1, "words", line=7), file="a.ll")
    assert (ir.file, ir.line, ir.reason) == ("a.ll", 7, "words")
    system = _native.error(codes["SYSTEM"], fault_of(1, "mmap", value=12))
    assert system.errno == 12
    malformed = _native.error(codes["OBJ_MALFORMED"], fault_of(1, "words", offset=64), file="a.o")
    assert (malformed.file, malformed.offset) == ("a.o", 64)
    refused = _native.error(codes["LLVM_EMIT"], fault_of(1, "words"), file="a.ll")
    assert (refused.reason, refused.file) == ("words", "a.ll")


def test_words_that_are_not_utf8_do_not_hide_the_error():
    fault = _native.new_fault()
    fault.detail = b"name \xff\xfe"
    assert "name" in str(_native.error(statuses()["IR_SYNTAX"], fault))


def test_the_list_in_the_header_is_the_list_in_the_library():
    header = Path(__file__).parent.parent / "native" / "status.h"
    listed = re.findall(r"^    X\((\w+), ", header.read_text(), re.MULTILINE)
    assert listed == list(statuses())


def test_sources_that_are_not_built_say_so(tmp_path: Path) -> None:
    """As Python meets them when it is started in a checkout."""
    package = Path(_native.__file__).parent
    unbuilt = shutil.ignore_patterns("*.so", "__pycache__")
    shutil.copytree(package, tmp_path / "lazyjit", ignore=unbuilt)
    done = subprocess.run(
        # Without site, which would know where an editable installation's library is.
        [sys.executable, "-S", "-c", "import lazyjit._native"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode
    assert f"{tmp_path / 'lazyjit'} are not built" in done.stderr
    assert "python native/build.py" in done.stderr
