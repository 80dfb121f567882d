"""`__start_x` and `__stop_x`: the bounds of one section, never of a part without a word."""

from __future__ import annotations

import ctypes
import shutil
import subprocess

import pytest

from lazyjit import JIT
from lazyjit.errors import FailedToMaterialize, SymbolsNotFound

LONG = ctypes.c_long

OBJECT = """
extern char __start_set[], __stop_set[];
long a __attribute__((section("set"), used)) = 1;
long size(void) { return __stop_set - __start_set; }
"""
OTHER = 'long b __attribute__((section("set"), used)) = 2;'
MODULE = """
@a = global i64 1, section "set"
@b = global i64 2, section "set"
@__start_set = external hidden global i64
@__stop_set = external hidden global i64
define i64 @size() {
  %start = ptrtoint ptr @__start_set to i64
  %stop = ptrtoint ptr @__stop_set to i64
  %size = sub i64 %stop, %start
  ret i64 %size
}
"""


def test_an_objects_bounds_are_of_its_own_section(jit, compile_object):
    jit.add(compile_object(OBJECT))
    jit.add(compile_object(OTHER))
    assert jit.function("size", LONG)() == 8


def test_objects_that_were_joined_have_one(jit, compile_object, tmp_path):
    if shutil.which("ld") is None:
        pytest.skip("needs ld (binutils)")
    for name, source in (("a.o", OBJECT), ("b.o", OTHER)):
        (tmp_path / name).write_bytes(compile_object(source))
    subprocess.run(["ld", "-r", "a.o", "b.o", "-o", "ab.o"], cwd=tmp_path, check=True)
    jit.add(tmp_path / "ab.o")
    assert jit.function("size", LONG)() == 16


def test_a_module_in_parts_is_told_and_a_whole_one_has_all(jit):
    jit.add(MODULE)
    with pytest.raises(FailedToMaterialize) as caught:
        jit.function("size", LONG)()
    assert isinstance(caught.value.__cause__, SymbolsNotFound)
    with JIT(compile_threads=1, lazy=False) as whole:
        whole.add(MODULE)
        assert whole.function("size", LONG)() == 16
