"""Symbols with versions (`.symver`): asked of the process's libraries, and defined by objects."""

from __future__ import annotations

import ctypes

import pytest

from lazyjit.errors import SymbolsNotFound

INT = ctypes.c_int
VERSIONED = """
int f_v1(void) { return 1; }
int f_v2(void) { return 2; }
__asm__(".symver f_v1,f@V1\\n.symver f_v2,f@@V2");
"""


def test_a_library_is_asked_for_the_version(jit, compile_object):
    copy = "copy_as_it_was"
    source = (
        f"void *{copy}(void *, const void *, unsigned long);"
        f'__asm__(".symver {copy},memcpy@GLIBC_2.2.5");'
        f"int f(void) {{ int from = 7, to = 0; {copy}(&to, &from, sizeof to); return to; }}"
    )
    jit.add(compile_object(source, "-O0"))
    assert jit.function("f", INT)() == 7


@pytest.mark.parametrize("name", ["memcpy@NO_SUCH", "nowhere@GLIBC_2.2.5", "@", "memcpy@"])
def test_a_version_that_is_not_there_is_missing(jit, name):
    with pytest.raises(SymbolsNotFound):
        jit.lookup(name)


def test_the_default_version_is_there_by_the_plain_name(jit, compile_object):
    tracker = jit.add(compile_object(VERSIONED))
    jit.add(compile_object("int f(void); int g(void) { return f(); }"))
    jit.add(
        compile_object('int old(void); __asm__(".symver old,f@V1"); int h(void) { return old(); }')
    )
    assert jit.function("g", INT)() == 2
    assert jit.function("h", INT)() == 1
    assert jit.lookup("f") == jit.lookup("f@@V2") == jit.lookup("f_v2")
    jit.remove(tracker)
    jit.add(compile_object("int f(void) { return 5; }"))
    assert jit.function("f", INT)() == 5
