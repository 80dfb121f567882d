"""Objects that can't run as they are: refused when they are read, with a word on what to do."""

from __future__ import annotations

import pytest
from linking import Build

from lazyjit._native import ffi, lib
from lazyjit.errors import ObjectFormatError
from lazyjit.link.graph import LinkGraph

NESTED = """
int apply(int (*f)(int), int x);
int outer(int k) { int add(int x) { return x + k; } return apply(add, 3); }
"""


def scanned(data: bytes) -> int:
    """The status of reading for an archive's index."""
    out = ffi.new("lj_graph **")
    status = int(lib.lj_graph_scan(ffi.from_buffer(data), len(data), out))
    lib.lj_graph_free(out[0])
    return status


def test_code_that_wants_an_executable_stack_is_refused(build: Build) -> None:
    data = build(NESTED, "-O0")
    with pytest.raises(ObjectFormatError, match="executable stack"):
        LinkGraph.from_object(data)
    assert scanned(data) == 0, "an archive may hold it"


def test_an_ordinary_stack_note_says_nothing(build: Build, assemble: Build) -> None:
    for flags in ("", "x"):
        data = assemble(f'.globl f\nf: ret\n.section .note.GNU-stack,"{flags}",@progbits')
        if flags:
            with pytest.raises(ObjectFormatError, match="executable stack"):
                LinkGraph.from_object(data)
        else:
            assert "f" in LinkGraph.from_object(data).defined


def test_code_for_link_time_optimization_alone_is_refused(build: Build) -> None:
    source = "int f(void) { return 3; }"
    slim = build(source, "-flto", "-fno-fat-lto-objects")
    with pytest.raises(ObjectFormatError, match="-ffat-lto-objects"):
        LinkGraph.from_object(slim)
    fat = build(source, "-flto", "-ffat-lto-objects")
    assert "f" in LinkGraph.from_object(fat).defined
