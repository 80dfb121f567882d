"""Code for another processor: linked, checked, sent elsewhere; but never run in this process."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import pytest

from lazyjit import JIT
from lazyjit.errors import ObjectFormatError, RelocationError
from lazyjit.link.arena import Arena
from lazyjit.link.graph import LinkGraph
from lazyjit.link.memory_null import NullMemoryManager

SOURCE = """
    .text
    .globl f
f:  adrp x0, counter
    ldr x1, [x0, :lo12:counter]
    bl callee
    ret
    .data
    .globl counter
counter: .xword 41
"""


@pytest.fixture
def aarch64(tmp_path: Path) -> bytes:
    """An object for AArch64."""
    mc = shutil.which("llvm-mc-22") or shutil.which("llvm-mc")
    if mc is None:
        pytest.skip("no llvm-mc")
    out = tmp_path / "arm.o"
    command = [mc, "-triple=aarch64-linux-gnu", "-filetype=obj", "-o", str(out)]
    subprocess.run(command, input=SOURCE.encode(), check=True)
    return out.read_bytes()


def test_it_gets_no_memory_that_runs(aarch64: bytes, arena: Arena) -> None:
    with pytest.raises(ObjectFormatError, match="aarch64 can be linked, but not run"):
        LinkGraph.from_object(aarch64, file="arm.o", arena=arena)


def test_a_session_that_runs_code_refuses_it_and_goes_on(aarch64: bytes) -> None:
    with JIT() as jit:
        with pytest.raises(ObjectFormatError, match="not run in this process"):
            jit.add_object(aarch64)
        jit.add_module("define i32 @still() { ret i32 7 }")
        assert jit.function("still", ctypes.c_int)() == 7


def test_the_null_manager_links_it(aarch64: bytes) -> None:
    with JIT(memory_manager=NullMemoryManager(base=1 << 36)) as jit:
        jit.add_object(aarch64)
        jit.define("callee", (1 << 36) + 0x100000)
        assert jit.lookup("f") >> 31 == (1 << 36) >> 31


def test_errors_have_the_architectures_names(aarch64: bytes) -> None:
    graph = LinkGraph.from_object(aarch64, file="arm.o")
    block = next(iter(graph.section(".text").blocks()))  # type: ignore[union-attr]
    assert [edge.kind for edge in block.edges()] == [
        "R_AARCH64_ADR_PREL_PG_HI21",
        "R_AARCH64_LDST64_ABS_LO12_NC",
        "R_AARCH64_CALL26",
    ]


def test_a_kind_beyond_the_abis_is_refused_by_number(aarch64: bytes) -> None:
    data = bytearray(aarch64)
    at = data.index((283).to_bytes(4, "little"))
    data[at : at + 4] = (999).to_bytes(4, "little")
    with pytest.raises(RelocationError) as caught:
        LinkGraph.from_object(bytes(data), file="arm.o")
    assert caught.value.kind == "R_AARCH64_999"
