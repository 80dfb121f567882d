"""Memory managers: what all of them promise, and what each is for."""

from __future__ import annotations

import ctypes
import itertools
import mmap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lazyjit.errors import ArenaFull, ResourceError, SessionClosed, UsageError
from lazyjit.link.arena import Arena
from lazyjit.link.memory import (
    FinalizeAction,
    FinalizedAllocation,
    InFlightAllocation,
    Lifetime,
    MemProt,
    SegmentRequest,
)
from lazyjit.link.memory_arena import ArenaMemoryManager
from lazyjit.link.memory_null import NullMemoryManager
from lazyjit.link.memory_slab import SlabMemoryManager

R, RW, RX = MemProt.READ, MemProt.READ | MemProt.WRITE, MemProt.READ | MemProt.EXEC
RETURN_42 = bytes([0xB8, 42, 0, 0, 0, 0xC3])  # mov $42, %eax; ret
MIB = 1 << 20


def request(prot=RX, size=100, align=16, lifetime=Lifetime.STANDARD) -> SegmentRequest:
    return SegmentRequest(prot, lifetime, size, align)


def allocate(manager, *wanted: SegmentRequest) -> InFlightAllocation:
    """An allocation, or what the manager answers instead of one."""
    answers: list = []
    manager.allocate(wanted, lambda *answer: answers.append(answer))
    [(allocation, error)] = answers
    if error is not None:
        raise error
    return allocation


def finalize(allocation, *actions: FinalizeAction) -> FinalizedAllocation:
    answers: list = []
    allocation.finalize(actions, lambda *answer: answers.append(answer))
    [(finalized, error)] = answers
    if error is not None:
        raise error
    return finalized


def deallocate(manager, *allocations: FinalizedAllocation) -> None:
    answers: list = []
    manager.deallocate(allocations, answers.append)
    [error] = answers
    if error is not None:
        raise error


def write(address: int, data: bytes) -> None:
    ctypes.memmove(address, data, len(data))


def read(address: int, size: int) -> bytes:
    return ctypes.string_at(address, size)


@pytest.fixture
def arena() -> Iterator[Arena]:
    arena = Arena(12 * MIB)
    yield arena
    arena.close()


@pytest.fixture(params=["arena", "slab", "pretended slab", "null"])
def manager(request, arena):
    """Each of them, with a way to see how much of it is in use."""
    if request.param == "arena":
        made = ArenaMemoryManager(arena)
        return made, lambda: sum(region.used for region in arena.statistics())
    if request.param == "null":
        made = NullMemoryManager()
    else:
        made = SlabMemoryManager(MIB, execute=request.param == "slab")
        request.addfinalizer(made.close)
    return made, lambda: made.used


Managed = tuple[object, Callable[[], int]]


def test_segments_are_as_they_were_asked_for(manager: Managed):
    made, _ = manager
    wanted = [request(RX, 100, 16), request(R, 5, 256), request(RW, 70_000, 64)]
    allocation = allocate(made, *wanted)
    assert [segment.size for segment in allocation.segments] == [100, 5, 70_000]
    for asked, segment in zip(wanted, allocation.segments, strict=True):
        assert segment.target % asked.align == 0
        assert read(segment.working, segment.size) == bytes(segment.size)
        write(segment.working, b"\x01" * segment.size)
    places = sorted((s.target, s.target + s.size) for s in allocation.segments)
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(places))
    deallocate(made, finalize(allocation))


def test_what_is_given_back_is_used_again_and_zero(manager: Managed):
    made, used = manager
    first = allocate(made, request(RW, 5000))
    [segment] = first.segments
    write(segment.working, b"\xff" * 5000)
    deallocate(made, finalize(first))
    assert used() == 0
    second = allocate(made, request(RW, 5000))
    assert second.segments[0].target == segment.target
    assert read(second.segments[0].working, 5000) == bytes(5000)
    second.abandon(lambda error: None)
    assert used() == 0


def test_thousands_of_cycles_leave_nothing(manager: Managed):
    made, used = manager
    for _ in range(2000):
        deallocate(made, finalize(allocate(made, request(RX), request(R), request(RW))))
    assert used() == 0


def test_memory_for_finalizing_goes_when_that_is_done(manager: Managed):
    made, used = manager
    keep = finalize(allocate(made, request(RW, 10)))
    alone = used()
    both = finalize(allocate(made, request(RW, 10), request(RX, 9000, lifetime=Lifetime.FINALIZE)))
    assert used() == 2 * alone
    deallocate(made, keep, both)
    assert used() == 0


def test_an_allocation_ends_once(manager: Managed):
    made, used = manager
    allocation = allocate(made, request())
    finalized = finalize(allocation)
    with pytest.raises(UsageError):
        finalize(allocation)
    with pytest.raises(UsageError):
        allocation.abandon(lambda error: None)
    deallocate(made, finalized)
    with pytest.raises(UsageError):
        deallocate(made, finalized)
    assert used() == 0


@pytest.mark.parametrize("bad", [request(size=0), request(align=3), request(align=0)])
def test_what_is_no_segment_is_refused(manager: Managed, bad):
    made, used = manager
    with pytest.raises(UsageError):
        allocate(made, request(), bad)
    assert used() == 0


def test_what_is_too_large_is_refused_and_nothing_is_kept(manager: Managed):
    made, used = manager
    with pytest.raises(ArenaFull):
        allocate(made, request(), request(size=4 << 30))
    assert used() == 0


def test_no_memory_that_runs_is_writable_too(manager: Managed):
    made, used = manager
    everything = request(MemProt.READ | MemProt.WRITE | MemProt.EXEC)
    if made.runs_here:
        with pytest.raises(UsageError):
            allocate(made, everything)
    else:
        allocate(made, everything).abandon(lambda error: None)
    assert used() == 0


class Log(list):
    def action(self, name: str, *, fails: bool = False) -> FinalizeAction:
        def do() -> None:
            self.append(f"do {name}")
            if fails:
                raise ZeroDivisionError(name)

        return FinalizeAction(do, lambda: self.append(f"undo {name}"))


@pytest.mark.parametrize("kind", ["arena", "slab"])
def test_actions_run_in_order_and_are_undone_in_reverse(kind, arena):
    made = ArenaMemoryManager(arena) if kind == "arena" else SlabMemoryManager(MIB)
    log = Log()
    only_undo = FinalizeAction(None, lambda: log.append("undo z"))
    finalized = finalize(allocate(made, request()), log.action("a"), only_undo, log.action("b"))
    assert log == ["do a", "do b"]
    del log[:]
    deallocate(made, finalized)
    assert log == ["undo b", "undo z", "undo a"]


@pytest.mark.parametrize("kind", ["arena", "slab"])
def test_an_action_that_fails_has_the_others_undone_and_the_memory_returned(kind, arena):
    made = ArenaMemoryManager(arena) if kind == "arena" else SlabMemoryManager(MIB)
    log = Log()
    with pytest.raises(ZeroDivisionError):
        finalize(
            allocate(made, request()),
            log.action("a"),
            log.action("b"),
            log.action("c", fails=True),
            log.action("d"),
        )
    assert log == ["do a", "do b", "do c", "undo b", "undo a"]
    used = made.used if kind == "slab" else sum(region.used for region in arena.statistics())
    assert used == 0


def test_all_undo_actions_run_whatever_one_of_them_raises(arena):
    made = ArenaMemoryManager(arena)
    log = Log()

    def fail() -> None:
        raise ZeroDivisionError

    finalized = finalize(
        allocate(made, request()), log.action("a"), FinalizeAction(None, fail), log.action("b")
    )
    with pytest.raises(ZeroDivisionError):
        deallocate(made, finalized)
    assert log[2:] == ["undo b", "undo a"]
    assert sum(region.used for region in arena.statistics()) == 0


@pytest.mark.parametrize("kind", ["null", "pretended slab"])
def test_who_does_not_run_code_runs_no_actions(kind):
    made = NullMemoryManager() if kind == "null" else SlabMemoryManager(MIB, execute=False)
    log = Log()
    deallocate(made, finalize(allocate(made, request()), log.action("a")))
    assert log == []


# -- the arena's ---------------------------------------------------------------------------------


def test_the_arenas_code_runs(arena):
    made = ArenaMemoryManager(arena)
    allocation = allocate(made, request(RX))
    [segment] = allocation.segments
    write(segment.working, RETURN_42)
    finalize(allocation)
    assert segment.target in arena
    assert ctypes.CFUNCTYPE(ctypes.c_int)(segment.target)() == 42


def test_a_closed_arena_is_a_typed_answer(arena):
    made = ArenaMemoryManager(arena)
    finalized = finalize(allocate(made, request()))
    arena.close()
    with pytest.raises(SessionClosed):
        allocate(made, request())
    deallocate(made, finalized)


# -- the slab's ----------------------------------------------------------------------------------


def protections(address: int) -> str:
    """What the system says of the page at an address."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        bounds, allows = line.split()[:2]
        low, high = (int(part, 16) for part in bounds.split("-"))
        if low <= address < high:
            return allows[:3]
    return "not mapped"


ADDRESS = 0x1234_5000_0000


def test_a_slab_is_where_it_was_asked_to_be_and_its_code_runs():
    slab = SlabMemoryManager(MIB, ADDRESS, 1 << 16)
    try:
        assert (slab.address, slab.size, slab.page_size) == (ADDRESS, MIB, 1 << 16)
        allocation = allocate(slab, request(RX), request(R), request(RW))
        targets = [segment.target for segment in allocation.segments]
        assert targets == [ADDRESS, ADDRESS + (1 << 16), ADDRESS + (2 << 16)]
        write(allocation.segments[0].working, RETURN_42)
        assert [protections(target) for target in targets] == ["rw-"] * 3
        finalized = finalize(allocation)
        assert [protections(target) for target in targets] == ["r-x", "r--", "rw-"]
        assert ctypes.CFUNCTYPE(ctypes.c_int)(ADDRESS)() == 42
        deallocate(slab, finalized)
        assert protections(ADDRESS) == "rw-"
    finally:
        slab.close()
    assert protections(ADDRESS) == "not mapped"
    slab.close()


def test_a_slab_with_large_pages_anywhere_begins_on_one():
    slab = SlabMemoryManager(100_000, page_size=1 << 16)
    assert (slab.address % (1 << 16), slab.size) == (0, 2 << 16)
    finalize(allocate(slab, request(RX), request(RX)))
    slab.close()


def test_a_full_slab_says_so_and_goes_on():
    slab = SlabMemoryManager(4 * mmap.PAGESIZE)
    held = [finalize(allocate(slab, request(RX))) for _ in range(4)]
    with pytest.raises(ArenaFull):
        allocate(slab, request(RX))
    deallocate(slab, held[1], held[2])
    with pytest.raises(ArenaFull):
        allocate(slab, request(RX, 3 * mmap.PAGESIZE))
    held[1] = finalize(allocate(slab, request(RX, 2 * mmap.PAGESIZE)))
    deallocate(slab, held[0], held[1], held[3])
    assert (slab.used, slab._ranges.pieces) == (0, 1)
    slab.close()


def test_a_slab_does_not_take_what_is_in_use():
    slab = SlabMemoryManager(MIB, ADDRESS)
    with pytest.raises(ResourceError):
        SlabMemoryManager(MIB, ADDRESS)
    slab.close()


@pytest.mark.parametrize(
    ("size", "address", "page"),
    [
        (0, None, None),
        (1 << 60, None, None),
        (MIB, 5, None),
        (MIB, -4096, None),
        (MIB, None, 5000),
        (MIB, None, 16),
        (MIB, None, 0),
        (MIB, (1 << 64) - 4096, None),
    ],
)
def test_what_is_no_slab_is_refused(size, address, page):
    with pytest.raises(UsageError):
        SlabMemoryManager(size, address, page)


def test_a_closed_slab_gives_nothing():
    slab = SlabMemoryManager(MIB)
    finalized = finalize(allocate(slab, request()))
    slab.close()
    with pytest.raises(SessionClosed):
        allocate(slab, request())
    deallocate(slab, finalized)


def test_a_pretended_slab_has_any_address_and_page_size():
    slab = SlabMemoryManager(MIB, 0xFFFF_0000_0000_0000, 64, execute=False)
    allocation = allocate(slab, request(RX, 65), request(RW))
    assert [s.target - slab.address for s in allocation.segments] == [0, 128]
    slab.close()


# -- the null manager ------------------------------------------------------------------------------


def test_pretended_addresses_are_near_the_base_and_not_mapped():
    made = NullMemoryManager(0x7000_0000_0000, page_size=1 << 14)
    allocation = allocate(made, request(RX), request(R, align=1 << 20), request(RW))
    targets = [segment.target - 0x7000_0000_0000 for segment in allocation.segments]
    assert targets == [0, 1 << 20, 1 << 14]
    assert protections(allocation.segments[0].target) == "not mapped"


def test_pretended_memory_is_written_apart():
    made = NullMemoryManager()
    allocation = allocate(made, *(request(RW, size) for size in (1, 64, 65, 3)))
    for number, segment in enumerate(allocation.segments):
        write(segment.working, bytes([number]) * segment.size)
    for number, segment in enumerate(allocation.segments):
        assert read(segment.working, segment.size) == bytes([number]) * segment.size


@pytest.mark.parametrize(
    ("base", "size", "page"),
    [(0, MIB, 3), (5, MIB, 4096), (-4096, MIB, 4096), (0, 1, 4096), ((1 << 64) - 4096, MIB, 4096)],
)
def test_what_cannot_be_pretended_is_refused(base, size, page):
    with pytest.raises(UsageError):
        NullMemoryManager(base, size, page)


def test_managers_are_for_many_threads(manager: Managed):
    made, used = manager
    errors: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(200):
                allocation = allocate(made, request(RW, 600))
                [segment] = allocation.segments
                write(segment.working, b"x" * 600)
                assert read(segment.working, 600) == b"x" * 600
                deallocate(made, finalize(allocation))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert used() == 0
