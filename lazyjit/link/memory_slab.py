"""A memory manager over one slab: a fixed piece of memory at a chosen address and page size.

For whoever must know beforehand where code will be. Segments begin on pages of their own, which are
readable and writable while a link writes them, and get their protections when it finalizes; no page
is ever writable and executable. Freed pages are zero and readable and writable again.

With `execute=False` the slab's addresses are only pretended, as the null manager's are
(`lazyjit.link.memory_null`): any address and any page size are then possible, and finalize actions
don't run.
"""

from __future__ import annotations

import mmap
import threading
from collections.abc import Sequence

from lazyjit._native import check, ffi, lib, new_fault
from lazyjit.errors import SessionClosed, UsageError
from lazyjit.link.memory import (
    FinalizedAllocation,
    OnAllocated,
    OnDeallocated,
    Segment,
    SegmentRequest,
    check_request,
)
from lazyjit.link.memory_held import HeldMemory, deallocate
from lazyjit.link.ranges import Ranges

__all__ = ["SlabMemoryManager"]


class SlabMemoryManager:
    """One slab of `size` bytes (rounded up to pages). Every method may be called from any thread.

    `address` is where the program sees it (default: wherever there is room), `page_size` what
    protections and placement go by (default: the system's; to be run, a multiple of it). Raises
    UsageError for what is no page size or not on a page, ResourceError when the system has
    something else there.
    """

    def __init__(
        self,
        size: int,
        address: int | None = None,
        page_size: int | None = None,
        *,
        execute: bool = True,
    ) -> None:
        page = mmap.PAGESIZE if page_size is None else page_size
        if page < 1 or page & (page - 1) or (execute and page % mmap.PAGESIZE):
            raise UsageError(
                f"a page size of {page} bytes is not a power of two that the system protects: its "
                f"own pages have {mmap.PAGESIZE}"
            )
        if not 1 <= size <= 1 << 44:
            raise UsageError(f"a slab has from 1 to 2**44 bytes, not {size}")
        size = -(-size // page) * page
        if address is not None and (address % page or not 0 < address <= (1 << 64) - size):
            raise UsageError(
                f"{address:#x} is no address for a slab of {size} bytes in pages of {page}"
            )
        self._page_size = page
        self._lock = threading.Lock()
        self._execute = execute
        # Room to begin on a page, when pages are larger than the system's.
        spare = max(page - mmap.PAGESIZE, 0)
        self._mapped = -(-(size + spare) // mmap.PAGESIZE) * mmap.PAGESIZE
        fault, out = new_fault(), ffi.new("uint64_t *")
        if execute and address is not None:
            self._mapped = size
            check(lib.lj_slab_map(address, size, out, fault), fault)
        else:
            check(lib.lj_slab_map(0, self._mapped, out, fault), fault)
        self._base = int(out[0])
        if address is None:
            address = (self._base + page - 1) & -page
        #: What to add to a target address for its working address.
        self._shift = 0 if execute else self._base - address
        self._ranges = Ranges(address, size, "a slab")
        self._open = True

    @property
    def address(self) -> int:
        """Where it begins, for the program."""
        return self._ranges.start

    @property
    def size(self) -> int:
        """Bytes."""
        return self._ranges.size

    @property
    def page_size(self) -> int:
        """Bytes."""
        return self._page_size

    @property
    def runs_here(self) -> bool:
        """Unless it was made with `execute=False`."""
        return self._execute

    @property
    def used(self) -> int:
        """Bytes that are allocated, in whole pages."""
        return self._ranges.used

    def allocate(self, request: Sequence[SegmentRequest], on_allocated: OnAllocated) -> None:
        """See `MemoryManager`. The answer comes at once: ArenaFull, UsageError, SessionClosed."""
        page = self._page_size
        targets: list[int] = []
        try:
            if not self._open:
                raise SessionClosed("the slab was closed")
            check_request(request, self._ranges.size, both=not self._execute, whole="a slab")
            for _, _, size, align in request:
                targets.append(self._ranges.take(-(-size // page) * page, max(align, page)))
        except Exception as error:
            for target in targets:
                self._ranges.give(target)
            on_allocated(None, error)
            return
        segments = [
            Segment(target + self._shift, target, wanted.size)
            for wanted, target in zip(request, targets, strict=True)
        ]
        on_allocated(_SlabMemory(self, request, segments), None)

    def deallocate(
        self, allocations: Sequence[FinalizedAllocation], on_deallocated: OnDeallocated
    ) -> None:
        """See `MemoryManager`. The answer comes at once."""
        deallocate(allocations, on_deallocated)

    def close(self) -> None:
        """Unmap the slab. Nobody may use it any more. A second call does nothing."""
        with self._lock:
            was_open, self._open = self._open, False
        if was_open:
            lib.lj_slab_unmap(self._base, self._mapped)


class _SlabMemory(HeldMemory):
    __slots__ = ("_freed", "_slab", "runs")

    def __init__(
        self, slab: SlabMemoryManager, request: Sequence[SegmentRequest], segments: list[Segment]
    ) -> None:
        super().__init__(request, segments)
        self._slab = slab
        self._freed = [False] * len(segments)
        self.runs = slab._execute

    def seal(self) -> None:
        """Protect the pages."""
        if not self.runs:
            return
        for wanted, segment in zip(self.request, self.segments, strict=True):
            fault = new_fault()
            pages = self._pages(segment.size)
            check(lib.lj_slab_protect(segment.target, pages, wanted.prot.value, fault), fault)

    def free(self, number: int) -> None:
        """See `HeldMemory`."""
        slab, segment = self._slab, self.segments[number]
        if self._freed[number]:
            return
        self._freed[number] = True
        if not slab._open:
            return
        if self.runs:
            fault = new_fault()
            check(lib.lj_slab_clear(segment.working, self._pages(segment.size), fault), fault)
        else:
            pages = self._pages(segment.size)
            ffi.memmove(ffi.cast("char *", segment.working), bytes(pages), pages)
        slab._ranges.give(segment.target)

    def _pages(self, size: int) -> int:
        page = self._slab._page_size
        return -(-size // page) * page
