"""Arenas made for tools: what perf and debuggers need of the mappings, and nothing lost for it."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lazyjit.link.arena import Arena, ArenaKind, Region

#: mov eax, imm32; ret
RETURN = b"\xb8%b\xc3"
SIZE = 24 << 20


@pytest.fixture(params=list(ArenaKind), ids=lambda kind: kind.name)
def arena(request: pytest.FixtureRequest) -> Iterator[Arena]:
    arena = Arena(SIZE, kind=request.param)
    yield arena
    arena.close()


def code(arena: Arena, value: int) -> int:
    span = arena.alloc(Region.TEXT, 16)
    arena.write(span.target, RETURN % value.to_bytes(4, "little"))
    return span.target


def call(address: int) -> int:
    return ctypes.CFUNCTYPE(ctypes.c_int)(address)()


def mapping(address: int) -> tuple[str, str]:
    """Permissions and name of the mapping at an address."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        bounds, allowed, *rest = line.split(maxsplit=5)
        start, end = (int(bound, 16) for bound in bounds.split("-"))
        if start <= address < end:
            return allowed, rest[3] if len(rest) > 3 else ""
    raise AssertionError(f"{address:#x} isn't mapped")


def poke(address: int, data: bytes) -> None:
    """Write as a debugger does: into pages that the process itself can't write."""
    file = os.open("/proc/self/mem", os.O_RDWR)
    try:
        os.pwrite(file, data, address)
    finally:
        os.close(file)


def test_code_runs_and_no_view_is_writable_and_executable(arena: Arena) -> None:
    address = code(arena, 7)
    assert call(address) == 7
    assert mapping(address)[0][:3] == "r-x"
    assert mapping(arena.working(address))[0][:3] == "rw-"
    constant = arena.alloc(Region.RODATA, 16).target
    arena.write(constant, b"constant")
    assert ctypes.string_at(constant, 8) == b"constant"
    assert mapping(constant)[0][:3] == "r--"


def test_reused_memory_is_zeroed_in_both_views(arena: Arena) -> None:
    address = code(arena, 1)
    arena.free(Region.TEXT, address)
    again = arena.alloc(Region.TEXT, 16)
    assert again.target == address
    assert ctypes.string_at(address, 6) == ctypes.string_at(again.working, 6) == bytes(6)


def test_a_child_has_its_own_code(arena: Arena) -> None:
    address = code(arena, 3)
    child = os.fork()
    if not child:
        good = call(address) == 3
        arena.write(address, RETURN % b"\4\0\0\0")
        good = good and call(address) == 4 and call(code(arena, 5)) == 5
        os._exit(0 if good else 1)
    _, status = os.waitpid(child, 0)
    assert status == 0
    assert call(address) == 3
    assert call(code(arena, 6)) == 6


def test_profilers_see_anonymous_memory() -> None:
    arena = Arena(SIZE, kind=ArenaKind.PROFILED)
    # What perf takes for memory without a file; see native/arena.c.
    assert mapping(code(arena, 1))[1].startswith("/dev/zero")
    arena.close()


def test_debuggers_can_write_breakpoints_and_new_code_is_still_seen() -> None:
    arena = Arena(SIZE, kind=ArenaKind.DEBUGGED)
    first = code(arena, 1)
    try:
        poke(first, b"\xcc")
    except OSError as error:
        pytest.skip(f"this system lets nobody write like a debugger: {error}")
    assert ctypes.string_at(first, 1) == b"\xcc"
    second = code(arena, 2)
    assert call(second) == 2, "on the page that the debugger's write has copied?"
    poke(first, b"\xb8")
    assert call(first) == 1
    arena.free(Region.TEXT, first)
    assert call(code(arena, 9)) == 9, "the copied page was kept for new code"
    arena.close()


def test_an_ordinary_arena_packs_code_tightly() -> None:
    arena = Arena(SIZE)
    assert code(arena, 2) - code(arena, 1) < 4096
    arena.close()
