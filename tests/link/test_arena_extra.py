"""Data that DATA has no room for: mapped by itself, in reach, and given back."""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from linking import Build, Program

from lazyjit.errors import ArenaFull, InternalError
from lazyjit.link.arena import Arena, Region
from lazyjit.link.graph import LinkGraph
from lazyjit.link.model import MemProt

MIB = 1 << 20
SHORE = 0x2000_0000_0000
NORESERVE, FIXED_NOREPLACE = 0x4000, 0x100000  # of mmap, where Python's has no names for them


def mapped(address: int) -> bool:
    """Whether an address is a mapping's."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    bounds = [line.split()[0].split("-") for line in lines]
    return any(int(low, 16) <= address < int(high, 16) for low, high in bounds)


@contextlib.contextmanager
def taken(low: int, high: int) -> Iterator[None]:
    """These addresses are not free meanwhile."""
    libc = ctypes.CDLL(None, use_errno=True)
    place, size = ctypes.c_void_p(low), ctypes.c_size_t(high - low)
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | NORESERVE | FIXED_NOREPLACE
    libc.mmap.restype = ctypes.c_void_p
    assert libc.mmap(place, size, 0, flags, -1, ctypes.c_long(0)) == low
    try:
        yield
    finally:
        assert libc.munmap(place, size) == 0


@pytest.fixture
def arena() -> Iterator[Arena]:
    """Where nothing else is: near libc, what this process has done decides how much room there is.

    It is right below `SHORE`.
    """
    with taken(SHORE, SHORE + 800 * MIB):
        arena = Arena(768 * MIB, near=SHORE)
        assert SHORE - 4 * MIB < arena.end < SHORE
        yield arena
        left = arena.statistics()
        arena.close()
        assert [left.text.spans, left.data.spans] == [0, 0]


@pytest.mark.parametrize("align", [1, 4096, 2 * MIB])
def test_a_large_span_of_data_is_mapped_in_reach_of_the_code(arena: Arena, align: int) -> None:
    before = arena.statistics().data
    span = arena.alloc(Region.DATA, 512 * MIB + 5, align)
    code = arena.alloc(Region.TEXT, 16)
    assert span.target % align == 0 and span.working == span.target
    assert abs(span.target + span.size - code.target) < 1 << 31
    assert abs(code.target - span.target) < 1 << 31
    last = ctypes.c_char.from_address(span.target + 512 * MIB)
    assert last.value == b"\0"
    last.value = b"x"
    assert arena.working(span.target + 100) == span.target + 100
    during = arena.statistics().data
    assert during.spans == before.spans + 1 and during.used - before.used == span.size
    arena.free(Region.TEXT, code.target)
    arena.free(Region.DATA, span.target)
    assert arena.statistics().data == before and not mapped(span.target)
    with pytest.raises(InternalError):
        arena.free(Region.DATA, span.target)


def test_what_counts_is_how_far_it_is_from_code(arena: Arena) -> None:
    # Above there is room that is nearer to the arena, but too far from code, which is at its start.
    with taken(arena.start - 900 * MIB, arena.start):
        span = arena.alloc(Region.DATA, 512 * MIB)
        code = arena.alloc(Region.TEXT, 16)
        assert abs(span.target - code.target) < 1 << 31
        assert abs(span.target + span.size - code.target) < 1 << 31
        arena.free(Region.TEXT, code.target)
        arena.free(Region.DATA, span.target)


def test_what_is_left_at_the_end_goes_with_the_arena() -> None:
    arena = Arena(size=3 * MIB)
    spans = [arena.alloc(Region.DATA, 20 * MIB) for _ in range(3)]
    arena.close()
    assert not any(mapped(span.target) for span in spans)


def test_small_spans_stay_within_the_region() -> None:
    arena = Arena(size=3 * MIB)
    with pytest.raises(ArenaFull):
        arena.alloc(Region.DATA, 2 * MIB)
    full = arena.alloc(Region.DATA, MIB // 2)
    with pytest.raises(ArenaFull):
        arena.alloc(Region.DATA, 768 << 10)
    assert arena.alloc(Region.DATA, 20 * MIB).size == 20 * MIB, "a full region too has extras"
    arena.free(Region.DATA, full.target)
    arena.close()


def test_a_child_has_a_copy_of_its_own(arena: Arena) -> None:
    span = arena.alloc(Region.DATA, 300 * MIB)
    byte = ctypes.c_ubyte.from_address(span.target + 299 * MIB)
    byte.value = 7
    child = os.fork()
    if not child:
        seen = byte.value
        byte.value = 9
        os._exit(seen)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert byte.value == 7
    arena.free(Region.DATA, span.target)


@pytest.mark.parametrize("source", ["char", "static char"])
@pytest.mark.parametrize("flags", [("-fcommon",), ("-fno-common",)])
def test_code_reaches_half_a_gigabyte_of_zeros(
    build: Build, program: Program, source: str, flags: tuple[str, ...]
) -> None:
    program.link(
        build(
            f"{source} big[512 << 20]; int small = 5;"
            "int at(long i, int x) { int old = big[i]; big[i] = x; return old + small; }",
            *flags,
        )
    )
    at = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_long, ctypes.c_int)(program.symbols["at"])
    ends = [0, 511 << 20, (512 << 20) - 1]
    assert [at(i, 3) for i in ends] == [5, 5, 5]
    assert [at(i, 3) for i in ends] == [8, 8, 8]


def test_a_full_arena_says_what_is_wanted_and_what_is_free(arena: Arena) -> None:
    graph = LinkGraph("large")
    section = graph.create_section("data", MemProt.READ | MemProt.WRITE)
    graph.create_zero_fill_block(section, 2**32 - 8192)
    with pytest.raises(
        ArenaFull, match=r"arena is full: \d+ bytes of data are wanted, \d+ are free in DATA"
    ):
        graph.allocate(arena)
    with pytest.raises(ArenaFull, match=r"\d+ bytes of code are wanted, \d+ are free in TEXT"):
        arena.alloc(Region.TEXT, 2**34)
