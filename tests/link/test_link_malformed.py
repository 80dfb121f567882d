"""Garbled objects: whatever the bytes, reading and fixing up end in a typed error or in a graph."""

from __future__ import annotations

import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from linking import Build

from lazyjit.errors import ArenaFull, LinkError, ObjectFormatError
from lazyjit.link.arena import Arena
from lazyjit.link.graph import LinkGraph

SOURCE = """
#include <stdexcept>
#include <vector>
thread_local long counter = 3; static long zeros[40]; extern long elsewhere;
template <class T> T twice(T x) { static T calls; calls += x; return calls + x; }
struct Base { virtual ~Base() {} virtual long f() { return counter++; } };
long use(Base *b) { try { return b->f() + twice(elsewhere) + zeros[3]; }
                    catch (std::exception &e) { throw std::runtime_error("again"); } }
static std::vector<long> global(3, 4);
"""

Objects = list[bytes]


@pytest.fixture(scope="module")
def module_objects() -> Objects:
    return []


@pytest.fixture
def objects(build: Build, module_objects: Objects) -> Objects:
    if not module_objects:
        module_objects += [
            build(SOURCE, "-fPIC", "-O1", language="cpp", by="gcc"),
            build(SOURCE, "-fPIC", "-O0", language="cpp", by="clang"),
            build("int common; int *f(void) { return &common; }", "-fcommon", "-mcmodel=large"),
        ]
    return module_objects


def survive(data: bytes, arena: Arena) -> None:
    """Read, allocate and fix up with null addresses: only typed errors may come."""
    graph = None
    try:
        graph = LinkGraph.from_object(data, file="garbled.o", arena=arena)
        _ = graph.resolved()
        list(graph.symbols())
        graph.fix_up([0 for _ in graph.externals])
        _ = graph.initializers, graph.finalizers
    except (ObjectFormatError, LinkError, ArenaFull):
        pass
    finally:
        if graph is not None:
            graph.deallocate()


def test_every_truncation_fails_cleanly(objects: Objects, arena: Arena) -> None:
    for data in objects:
        for end in range(0, len(data), 61):
            with pytest.raises(ObjectFormatError):
                LinkGraph.from_object(data[:end], arena=arena)


def test_every_header_field_at_its_extremes(objects: Objects, arena: Arena) -> None:
    """ELF header and section headers: each field in turn, at 0, 1, its largest, and near."""
    for data in objects:
        (table,) = struct.unpack_from("<Q", data, 40)
        (count,) = struct.unpack_from("<H", data, 60)
        fields = [(at, size) for at, size in ((16, 2), (18, 2), (40, 8), (58, 2), (60, 2), (62, 2))]
        layout = (
            (0, 4),
            (4, 4),
            (8, 8),
            (16, 8),
            (24, 8),
            (32, 8),
            (40, 4),
            (44, 4),
            (48, 8),
            (56, 8),
        )
        fields += [(table + 64 * i + at, size) for i in range(count) for at, size in layout]
        for at, size in fields:
            old = int.from_bytes(data[at : at + size], "little")
            for value in (
                0,
                1,
                old + 1,
                old - 1,
                2 ** (8 * size) - 1,
                2 ** (8 * size - 1),
                old * 2,
            ):
                changed = (value % 2 ** (8 * size)).to_bytes(size, "little")
                survive(data[:at] + changed + data[at + size :], arena)


@settings(max_examples=1500, suppress_health_check=list(HealthCheck), deadline=None)
@given(draw=st.data())
def test_flipped_bits_fail_cleanly(objects: Objects, arena: Arena, draw: st.DataObject) -> None:
    data = bytearray(draw.draw(st.sampled_from(objects)))
    for _ in range(draw.draw(st.integers(1, 8))):
        at = draw.draw(st.integers(4, len(data) - 1))
        data[at] ^= 1 << draw.draw(st.integers(0, 7))
    survive(bytes(data), arena)


@settings(max_examples=300, suppress_health_check=list(HealthCheck), deadline=None)
@given(body=st.binary(max_size=400))
def test_noise_behind_a_good_header_fails_cleanly(arena: Arena, body: bytes) -> None:
    header = b"\x7fELF\2\1\1".ljust(16, b"\0") + struct.pack(
        "<HHIQQQIHHHHHH", 1, 62, 1, 0, 0, 64, 0, 64, 0, 0, 64, max(1, len(body) // 64), 1
    )
    survive(header + body, arena)


def test_sections_that_overlap_beyond_the_files_size_are_refused(assemble: Build) -> None:
    """A small file must not make a large graph."""
    data = bytearray(assemble("\n".join(f'.section .s{i},"a"\n.zero 64' for i in range(40))))
    (table,) = struct.unpack_from("<Q", data, 40)
    (count,) = struct.unpack_from("<H", data, 60)
    for i in range(1, count):
        at = table + 64 * i
        if struct.unpack_from("<I", data, at + 4)[0] == 1:
            struct.pack_into("<QQ", data, at + 24, 0, len(data))
    with pytest.raises(ObjectFormatError, match="add up to more"):
        LinkGraph.from_object(bytes(data))


def test_section_0_is_no_string_table_whatever_it_says(objects: Objects, arena: Arena) -> None:
    data = bytearray(objects[2])
    (table,) = struct.unpack_from("<Q", data, 40)
    (count,) = struct.unpack_from("<H", data, 60)
    kinds = [struct.unpack_from("<I", data, table + 64 * i + 4)[0] for i in range(count)]
    struct.pack_into("<I", data, table + 64 * kinds.index(2) + 40, 0)  # the symbols' names: in 0
    struct.pack_into("<I", data, table + 4, 3)  # section 0: a string table,
    struct.pack_into("<QQ", data, table + 24, 1 << 56, 1 << 20)  # far outside
    with pytest.raises(ObjectFormatError, match="string table"):
        LinkGraph.from_object(bytes(data), file="garbled.o", arena=arena)
