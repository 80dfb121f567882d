"""The session's arena as a memory manager.

The arena has a region for each protection, in which pages never change theirs: code and constants
are written through a second mapping. So segments of different links pack tightly, a small function
takes as many bytes as it has, and finalizing makes no system call. Freed spans are reused and
coalesced (`native/arena_spans.c`).

A layer that has this manager and no plugin doesn't call it: the same allocation is then made by
native code, together with everything else of the link.
"""

from __future__ import annotations

import mmap
from collections.abc import Sequence

from lazyjit.errors import UsageError
from lazyjit.link.arena import Arena, Region, Span
from lazyjit.link.memory import (
    FinalizedAllocation,
    MemProt,
    OnAllocated,
    OnDeallocated,
    Segment,
    SegmentRequest,
    check_request,
)
from lazyjit.link.memory_held import HeldMemory, deallocate

__all__ = ["ArenaMemoryManager"]


class ArenaMemoryManager:
    """Memory of an arena, which stays the caller's. Every method may be called from any thread."""

    def __init__(self, arena: Arena) -> None:
        """Of `arena`, which must be open as long as there are allocations."""
        self.arena = arena

    @property
    def page_size(self) -> int:
        """Of the system. Segments of one region share pages."""
        return mmap.PAGESIZE

    @property
    def runs_here(self) -> bool:
        """Yes."""
        return True

    def allocate(self, request: Sequence[SegmentRequest], on_allocated: OnAllocated) -> None:
        """See `MemoryManager`. The answer comes at once: ArenaFull, UsageError for memory that
        would be writable and executable or aligned to more than 2 MiB, SessionClosed.
        """
        spans: list[tuple[Region, Span] | None] = []
        try:
            check_request(request, 1 << 44)
            for prot, _, size, align in request:
                if align > 2 << 20:
                    raise UsageError(f"an alignment to {align} bytes")
                region = region_of(prot)
                spans.append((region, self.arena.alloc(region, size, align)))
        except Exception as error:
            for taken in spans:
                if taken is not None:
                    self.arena.free(taken[0], taken[1].target)
            on_allocated(None, error)
            return
        on_allocated(_ArenaMemory(self.arena, request, spans), None)

    def deallocate(
        self, allocations: Sequence[FinalizedAllocation], on_deallocated: OnDeallocated
    ) -> None:
        """See `MemoryManager`. The answer comes at once."""
        deallocate(allocations, on_deallocated)


def region_of(prot: MemProt) -> Region:
    """Where memory with this protection is."""
    if prot & MemProt.EXEC:
        return Region.TEXT
    return Region.DATA if prot & MemProt.WRITE else Region.RODATA


class _ArenaMemory(HeldMemory):
    __slots__ = ("_arena", "_spans")

    def __init__(
        self,
        arena: Arena,
        request: Sequence[SegmentRequest],
        spans: list[tuple[Region, Span] | None],
    ) -> None:
        super().__init__(
            request,
            [
                Segment(span.working, span.target, wanted.size)
                for wanted, (_, span) in zip(request, filter(None, spans), strict=True)
            ],
        )
        self._arena = arena
        self._spans = spans

    def seal(self) -> None:
        """The region is protected as it is."""

    def free(self, number: int) -> None:
        """See `HeldMemory`."""
        taken, self._spans[number] = self._spans[number], None
        if taken is not None and not self._arena.closed:
            self._arena.free(taken[0], taken[1].target)
