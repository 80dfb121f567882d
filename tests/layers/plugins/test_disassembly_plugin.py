"""Disassembly of links: functions with their names, and the names of what they call."""

from __future__ import annotations

import ctypes
import io
import os
import re

import pytest

from lazyjit.layers.plugins.disassembly import Disassembly

if "LAZYJIT_SANITIZED" in os.environ:
    pytest.skip("capstone can't be loaded under the sanitizers", allow_module_level=True)
pytest.importorskip("capstone")

INT = ctypes.c_int
SOURCE = """
extern int abs(int);
int value = 3;
__attribute__((noinline)) int leaf(int x) { return x + value; }
int calls(int x) { return abs(leaf(x)) + 1; }
"""


def test_code_is_shown_as_it_runs_with_names(jit, compile_object):
    out = io.StringIO()
    jit.add_plugin(Disassembly(out))
    jit.add(compile_object(SOURCE, "-fno-builtin"), name="shown.o")
    assert jit.function("calls", INT, INT)(-5) == 3
    lines = out.getvalue().splitlines()
    assert ".text of shown.o" in lines
    assert lines.index("leaf:") > 0 and lines.index("calls:") > 0
    assert any(re.search(r"call .*<leaf>$", line) for line in lines), lines
    assert any(line.endswith("<value>") for line in lines)
    address = jit.lookup("leaf")
    first = lines[lines.index("leaf:") + 1]
    assert first.lstrip().startswith(f"{address:x}:")
    assert ctypes.string_at(address, 2).hex(" ") in first


def test_only_the_functions_that_are_wanted(jit, compile_object):
    out = io.StringIO()
    jit.add_plugin(Disassembly(out, functions="^leaf$"))
    jit.add(compile_object(SOURCE, "-fno-builtin"))
    jit.lookup("calls")
    assert "leaf:" in out.getvalue() and "calls:" not in out.getvalue()


def test_compiled_modules_are_shown(jit):
    out = io.StringIO()
    jit.add_plugin(Disassembly(out))
    jit.add("define i32 @f(i32 %x) {\n  %r = mul i32 %x, 3\n  ret i32 %r\n}\n")
    assert jit.function("f", INT, INT)(2) == 6
    assert re.search(r"^f\$body:\n.*lea ", out.getvalue(), re.MULTILINE)
