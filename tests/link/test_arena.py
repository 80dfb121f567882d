"""The arena: spans, protections, nearness, reuse, fork."""

import ctypes
import itertools
import json
import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lazyjit.errors import ArenaFull, InternalError, SessionClosed
from lazyjit.link.arena import Arena, Region

MIB = 1 << 20


@pytest.fixture
def arena():
    arena = Arena()
    yield arena
    arena.close()


def mappings(low, high):
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, flags = line.split()[:2]
        start, end = (int(part, 16) for part in span.split("-"))
        if start < high and end > low:
            yield max(start, low), min(end, high), flags


def test_code_written_by_the_working_view_runs_at_the_target(arena):
    span = arena.alloc(Region.TEXT, 6)
    arena.write(span.target, bytes.fromhex("b82a000000c3"))  # mov $42, %eax ; ret
    assert ctypes.CFUNCTYPE(ctypes.c_int)(span.target)() == 42


def test_no_page_is_writable_and_executable(arena):
    for region in Region:
        span = arena.alloc(region, 100)
        for low, high in ((arena.start, arena.end), (span.working, span.working + 100)):
            assert not [flags for *_, flags in mappings(low, high) if "w" in flags and "x" in flags]
    flags = [flags[:3] for *_, flags in mappings(arena.start, arena.end)]
    assert flags == ["r-x", "r--", "rw-"]


IN_REACH = """
import sys
from lazyjit.link.arena import Arena, libc_address
count, size = map(int, sys.argv[1:])
arenas, libc = [Arena(size) for _ in range(count)], libc_address()
print([end - libc for arena in arenas for end in (arena.start, arena.end)])
"""


@pytest.mark.parametrize(("count", "size"), [(1, 768 * MIB), (4, 128 * MIB)])
def test_arenas_are_in_reach_of_libc(count, size):
    # In a process of its own: in this one the heaps of threads may have taken the room.
    done = subprocess.run(
        [sys.executable, "-c", IN_REACH, str(count), str(size)],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path or "." for path in sys.path)},
    )
    assert done.returncode == 0, done.stderr
    assert all(abs(distance) < 1 << 31 for distance in json.loads(done.stdout)), done.stdout


def test_the_place_does_not_matter_when_near_is_zero():
    arena = Arena(64 * MIB, near=0)
    assert arena.alloc(Region.TEXT, 10).target
    arena.close()


def test_an_impossible_neighbourhood_is_no_failure():
    arena = Arena(64 * MIB, near=(1 << 46) + 12345)
    arena.close()


@pytest.mark.parametrize("align", [1, 8, 16, 64, 4096, 2 * MIB])
def test_spans_are_aligned(arena, align):
    for region in Region:
        for size in (1, 17, 5000):
            span = arena.alloc(region, size, align)
            assert span.target % align == 0
            assert span.size >= size
            assert span.target in arena


@pytest.mark.parametrize("seed", range(4))
def test_spans_never_overlap_are_zeroed_and_are_reused(seed):
    arena = Arena(24 * MIB)
    rng = random.Random(seed)
    live = {}
    for _ in range(8000):
        if live and rng.random() < 0.48:
            target = rng.choice(list(live)) if rng.random() < 0.02 else next(iter(live))
            region, _ = live.pop(target)
            arena.free(region, target)
        else:
            region = rng.choice(list(Region))
            size, align = int(2 ** rng.uniform(0, 13)), 1 << rng.randrange(13)
            span = arena.alloc(region, size, align)
            assert span.target % align == 0
            assert not any(ctypes.string_at(span.target, span.size))
            ctypes.memset(span.working, 0xA5, span.size)
            assert ctypes.string_at(span.target, 1) == b"\xa5"
            live[span.target] = (region, span.size)
    spans = sorted((target, target + size) for target, (_, size) in live.items())
    assert all(one[1] <= next_[0] for one, next_ in itertools.pairwise(spans))
    statistics = arena.statistics()
    for region in Region:
        sizes = [size for kind, size in live.values() if kind == region]
        assert statistics[region].used == sum(sizes)
        assert statistics[region].spans == len(sizes)
        assert statistics[region].committed < statistics[region].reserved / 2
    for target, (region, _) in live.items():
        arena.free(region, target)
    # Everything was coalesced: the whole region is one span again.
    for region in Region:
        whole = arena.alloc(region, arena.statistics()[region].reserved)
        arena.free(region, whole.target)
    arena.close()


def test_a_full_region_says_so_and_recovers():
    arena = Arena(3 * 65536)
    spans = []
    with pytest.raises(ArenaFull):
        while True:
            spans.append(arena.alloc(Region.TEXT, 1000))
    assert len(spans) == 65536 // 1008
    assert arena.alloc(Region.DATA, 1000)
    for span in spans:
        arena.free(Region.TEXT, span.target)
    assert arena.alloc(Region.TEXT, 65536).size == 65536
    arena.close()


@pytest.mark.parametrize("size", [1 << 30, 1 << 40, 2**64 - 1])
def test_more_than_the_region_holds_is_refused(arena, size):
    for region in (Region.TEXT, Region.RODATA):
        with pytest.raises(ArenaFull):
            arena.alloc(region, size)
    if size > 1 << 31:
        with pytest.raises(ArenaFull):
            arena.alloc(Region.DATA, size)


@pytest.mark.parametrize("align", [0, 3, 4 * MIB])
def test_a_bad_alignment_is_refused(arena, align):
    with pytest.raises(InternalError):
        arena.alloc(Region.TEXT, 16, align)


def test_freeing_what_is_not_a_span_is_refused(arena):
    span = arena.alloc(Region.TEXT, 100)
    for target in (span.target + 16, span.target + 1, 0, arena.end, span.target - 16):
        with pytest.raises(InternalError):
            arena.free(Region.TEXT, target)
    with pytest.raises(InternalError):
        arena.free(Region.RODATA, span.target)
    arena.free(Region.TEXT, span.target)
    with pytest.raises(InternalError):
        arena.free(Region.TEXT, span.target)


def test_large_free_spans_give_their_memory_back_and_come_back_zeroed(arena):
    for region in Region:
        span = arena.alloc(region, 64 * MIB)
        ctypes.memset(span.working, 1, span.size)
        before = resident()
        arena.free(region, span.target)
        assert before - resident() > 32 * MIB
        again = arena.alloc(region, 64 * MIB)
        assert ctypes.string_at(again.target, MIB) == bytes(MIB)
        arena.free(region, again.target)


def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def test_working_addresses_are_aliases_inside_only(arena):
    span = arena.alloc(Region.RODATA, 100)
    assert arena.working(span.target + 7) == span.working + 7
    data = arena.alloc(Region.DATA, 100)
    assert data.working == data.target == arena.working(data.target)
    for outside in (arena.start - 1, arena.end, 0):
        with pytest.raises(ValueError):
            arena.working(outside)
    with pytest.raises(ValueError):
        arena.write(arena.end - 1, b"two")


def test_a_closed_arena_says_so():
    arena = Arena(MIB)
    arena.close()
    arena.close()
    assert arena.closed
    with pytest.raises(SessionClosed):
        arena.alloc(Region.TEXT, 1)


def test_threads_allocate_at_once(arena):
    results = []

    def work(seed):
        rng = random.Random(seed)
        mine = []
        for _ in range(1000):
            region = rng.choice(list(Region))
            span = arena.alloc(region, rng.randrange(1, 500))
            ctypes.memset(span.working, seed, span.size)
            mine.append((region, span))
            if rng.random() < 0.5:
                region, span = mine.pop(rng.randrange(len(mine)))
                assert set(ctypes.string_at(span.target, span.size)) == {seed}
                arena.free(region, span.target)
        results.append(mine)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 6
    spans = sorted((span.target, span.size) for mine in results for _, span in mine)
    assert all(one[0] + one[1] <= two[0] for one, two in itertools.pairwise(spans))


def code(value):
    return b"\xb8" + value.to_bytes(4, "little") + b"\xc3"  # mov $value, %eax ; ret


def test_a_forked_child_has_code_of_its_own(arena):
    spans = [arena.alloc(Region.TEXT, 16) for _ in range(100)]
    for i, span in enumerate(spans):
        arena.write(span.target, code(i))
    functions = [ctypes.CFUNCTYPE(ctypes.c_int)(span.target) for span in spans]
    ready, go = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        # The child frees, rewrites and adds; then the parent does, and the child looks again.
        for span in spans[50:]:
            arena.free(Region.TEXT, span.target)
        for _ in range(50):
            arena.write(arena.alloc(Region.TEXT, 16).target, code(1000))
        os.write(ready[1], b"x")
        os.read(go[0], 1)
        right = [function() for function in functions[:50]] == list(range(50))
        os._exit(7 if right and functions[60]() == 1000 else 1)
    os.read(ready[0], 1)
    assert [function() for function in functions] == list(range(100))
    for span in spans[:50]:
        arena.free(Region.TEXT, span.target)
    for _ in range(50):
        arena.write(arena.alloc(Region.TEXT, 16).target, code(2000))
    os.write(go[1], b"x")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert [function() for function in functions[50:]] == list(range(50, 100))
    for end in (*ready, *go):
        os.close(end)


@pytest.mark.skipif(
    "LAZYJIT_SANITIZED" in os.environ,
    reason="a thread that allocates may hold a lock of the sanitizer's, which a child waits for",
)
def test_forks_race_with_allocation(arena):
    stop = threading.Event()

    def allocate():
        while not stop.is_set():
            span = arena.alloc(Region.TEXT, 64)
            arena.free(Region.TEXT, span.target)

    threads = [threading.Thread(target=allocate) for _ in range(2)]
    for thread in threads:
        thread.start()
    codes = []
    for _ in range(20):
        child = os.fork()
        if child == 0:
            span = arena.alloc(Region.TEXT, 64)
            arena.write(span.target, code(9))
            os._exit(ctypes.CFUNCTYPE(ctypes.c_int)(span.target)())
        codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    stop.set()
    for thread in threads:
        thread.join()
    assert codes == [9] * 20


def test_a_forked_child_can_fork(arena):
    span = arena.alloc(Region.TEXT, 16)
    arena.write(span.target, code(3))
    child = os.fork()
    if child == 0:
        arena.write(span.target, code(4))
        grandchild = os.fork()
        if grandchild == 0:
            os._exit(ctypes.CFUNCTYPE(ctypes.c_int)(span.target)())
        os._exit(10 + os.waitstatus_to_exitcode(os.waitpid(grandchild, 0)[1]))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 14
