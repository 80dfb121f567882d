"""Relocations without addends (REL): the addend stands in the place that is to be written.

Assemblers for x86-64 and AArch64 write RELA. The tests move the addends of such an object into its
sections, as an assembler of REL would have put them, and compare what comes out of a link.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from linking import Build

from lazyjit._native import ffi
from lazyjit.errors import ObjectFormatError
from lazyjit.link.graph import LinkGraph
from lazyjit.link.memory import Segment
from lazyjit.link.placing import place, segment_requests

SHT_RELA, SHT_REL = 4, 9
BASE = 1 << 32

#: How AArch64's instructions hold an addend: lowest bit, width, divided by.
FIELDS = {283: (0, 26, 4), 282: (0, 26, 4), 280: (5, 19, 4), 277: (10, 12, 1), 286: (10, 12, 8),
          264: (5, 16, 1)}  # fmt: skip
SIZES = {"x86": {1: 8, 2: 4, 4: 4, 9: 4, 10: 4, 11: 4, 12: 2, 14: 1, 24: 8, 41: 4, 42: 4},
         "a64": {257: 8, 258: 4, 259: 2, 260: 8, 261: 4}}  # fmt: skip


def without_addends(data: bytes, machine: str) -> bytes:
    """The object with REL in the place of RELA."""
    out = bytearray(data)
    (table,) = struct.unpack_from("<Q", data, 40)
    entry, count = struct.unpack_from("<HH", data, 58)
    headers = [list(struct.unpack_from("<IIQQQQIIQQ", data, table + i * entry))
               for i in range(count)]  # fmt: skip
    for header in headers:
        if header[1] != SHT_RELA:
            continue
        at, size = header[4], header[5]
        for i in range(size // 24):
            offset, info, addend = struct.unpack_from("<QQq", data, at + 24 * i)
            put(out, headers[header[7]][4] + offset, info & 0xFFFFFFFF, addend, machine)
            struct.pack_into("<QQ", out, at + 16 * i, offset, info)
        header[1], header[5], header[9] = SHT_REL, size // 24 * 16, 16
    for i, header in enumerate(headers):
        struct.pack_into("<IIQQQQIIQQ", out, table + i * entry, *header)
    return bytes(out)


def put(out: bytearray, at: int, kind: int, addend: int, machine: str) -> None:
    """Writes an addend as the kind holds it."""
    if machine == "a64" and kind == 275:  # adrp: two bits at 29, the others at 5
        word = int.from_bytes(out[at : at + 4], "little")
        word |= (addend & 3) << 29 | (addend >> 2 & 0x7FFFF) << 5
        out[at : at + 4] = word.to_bytes(4, "little")
    elif machine == "a64" and kind in FIELDS:
        low, width, unit = FIELDS[kind]
        word = int.from_bytes(out[at : at + 4], "little")
        word |= (addend // unit & ((1 << width) - 1)) << low
        out[at : at + 4] = word.to_bytes(4, "little")
    else:
        size = SIZES[machine][kind]
        out[at : at + size] = (addend % (1 << (8 * size))).to_bytes(size, "little")


def linked(data: bytes) -> dict[str, bytes]:
    """The sections' contents, linked at a pretended address; every external is at 0x...1230."""
    graph = LinkGraph.from_object(data)
    target, memory, segments = BASE, [], []
    for request in segment_requests(graph):
        buffer = ffi.new("char[]", request.size)
        memory.append(buffer)
        working = int(ffi.cast("uintptr_t", buffer))
        segments.append(Segment(working, target, request.size))
        target += 0x10000
    place(graph, segments, runs_here=False)
    graph.bind([BASE + 0x71230 for _ in graph.externals])
    graph.apply()
    return {section.name: b"".join(block.content for block in section.blocks())
            for section in graph.sections() if section.linked}  # fmt: skip


def same(data: bytes, machine: str) -> None:
    other = without_addends(data, machine)
    assert other != data
    assert linked(other) == linked(data)


def test_x86_64(assemble: Build) -> None:
    source = """
    .text
    .globl f
    f: lea x+7(%rip), %rax
    movl $5, x-16(%rip)
    call y@PLT
    add z@GOTPCREL(%rip), %rax
    .data
    .quad f + 4
    .quad x - 0x123456789a
    .quad x + 2 - .
    """
    same(assemble(source), "x86")


def test_aarch64(tmp_path: Path) -> None:
    mc = shutil.which("llvm-mc-22") or shutil.which("llvm-mc")
    if mc is None:
        pytest.skip("no llvm-mc")
    source = """
    .text
    .globl f
    f: bl x + 8
    adrp x0, x + 0x1230
    add x0, x0, :lo12:x + 0x30
    ldr x0, [x0, :lo12:x + 16]
    movk x1, #:abs_g0_nc:x + 9
    b.eq y
    .data
    .xword x + 4
    .word x - .
    """
    text, out = tmp_path / "a.s", tmp_path / "a.o"
    text.write_text(source)
    subprocess.run([mc, "-triple=aarch64-linux-gnu", "-filetype=obj", text, "-o", out], check=True)
    same(out.read_bytes(), "a64")


def test_entries_of_another_size_are_malformed(assemble: Build) -> None:
    data = bytearray(without_addends(assemble(".data\n.quad x + 1"), "x86"))
    (table,) = struct.unpack_from("<Q", data, 40)
    entry, count = struct.unpack_from("<HH", data, 58)
    for i in range(count):
        if struct.unpack_from("<I", data, table + i * entry + 4)[0] == SHT_REL:
            struct.pack_into("<Q", data, table + i * entry + 56, 24)
    with pytest.raises(ObjectFormatError, match="relocations of 24 bytes"):
        LinkGraph.from_object(bytes(data))
