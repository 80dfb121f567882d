"""A memory manager for linking without execution.

What is linked gets working memory of this process and target addresses that it only pretends: they
may be those of another process, or of another machine's memory. Nothing is mapped there, nothing is
protected, and finalize actions don't run, so that nothing of a link shows in this process. For
checking what a linker does, for measuring it, and for architectures that this machine isn't.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lazyjit._native import ffi
from lazyjit.errors import UsageError
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

__all__ = ["NullMemoryManager"]


class NullMemoryManager:
    """Pretends `size` bytes of memory at `base`, with pages of `page_size`. Any thread.

    Defaults: 2 GiB, all within each other's 32-bit reach, at 64 GiB; pages of 4096 bytes. Every
    segment begins on a page of its own. Raises UsageError for a page size that is no power of two,
    a base that is not a multiple of it, and addresses beyond 64 bits.
    """

    def __init__(self, base: int = 64 << 30, size: int = 2 << 30, page_size: int = 4096) -> None:
        if page_size < 1 or page_size & (page_size - 1):
            raise UsageError(f"a page of {page_size} bytes")
        if base % page_size or base < 0 or size < page_size or base + size > 1 << 64:
            raise UsageError(f"{size} bytes at {base:#x}, in pages of {page_size}")
        self._page_size = page_size
        self._ranges = Ranges(base, size)

    @property
    def page_size(self) -> int:
        """Bytes."""
        return self._page_size

    @property
    def runs_here(self) -> bool:
        """No."""
        return False

    @property
    def used(self) -> int:
        """Bytes of pretended addresses that are taken, in whole pages."""
        return self._ranges.used

    def allocate(self, request: Sequence[SegmentRequest], on_allocated: OnAllocated) -> None:
        """See `MemoryManager`. The answer comes at once: UsageError, ArenaFull, MemoryError."""
        targets: list[int] = []
        page = self._page_size
        try:
            check_request(request, self._ranges.size, both=True)
            for _, _, size, align in request:
                targets.append(self._ranges.take(-(-size // page) * page, max(align, page)))
            # One piece of zeros for all; segments begin as far apart as their alignments want.
            sizes = [-(-wanted.size // 64) * 64 for wanted in request]
            memory = ffi.new("char[]", sum(sizes) + 64)
        except Exception as error:
            for target in targets:
                self._ranges.give(target)
            on_allocated(None, error)
            return
        working = (int(ffi.cast("uintptr_t", memory)) + 63) & -64
        segments = []
        for wanted, target, size in zip(request, targets, sizes, strict=True):
            segments.append(Segment(working, target, wanted.size))
            working += size
        on_allocated(_NullMemory(self._ranges, request, segments, memory), None)

    def deallocate(
        self, allocations: Sequence[FinalizedAllocation], on_deallocated: OnDeallocated
    ) -> None:
        """See `MemoryManager`. The answer comes at once."""
        deallocate(allocations, on_deallocated)


class _NullMemory(HeldMemory):
    __slots__ = ("_freed", "_memory", "_ranges")

    runs = False

    def __init__(
        self,
        ranges: Ranges,
        request: Sequence[SegmentRequest],
        segments: Sequence[Segment],
        memory: Any,
    ) -> None:
        super().__init__(request, segments)
        self._ranges = ranges
        self._memory = memory
        self._freed = [False] * len(segments)

    def seal(self) -> None:
        """Nothing runs here."""

    def free(self, number: int) -> None:
        """See `HeldMemory`. The working memory stays until the whole allocation goes."""
        if not self._freed[number]:
            self._freed[number] = True
            self._ranges.give(self.segments[number].target)
