"""What the managers of this process have in common: an allocation on its way, in terms of memory.

A manager derives a class from `HeldMemory` that says how memory is sealed (gets its protections)
and freed; the rest, which order and what happens on failure, is the same for all.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from lazyjit.errors import UsageError
from lazyjit.link.memory import (
    FinalizeAction,
    FinalizedAllocation,
    Lifetime,
    OnDeallocated,
    OnFinalized,
    Segment,
    SegmentRequest,
    run_actions,
    undo_actions,
)

__all__ = ["HeldMemory", "Holding", "deallocate"]


class HeldMemory(ABC):
    """Memory that is being written: see `InFlightAllocation`. Answers at once, on the caller's
    thread.
    """

    __slots__ = ("_ended", "request", "segments")

    #: Whether finalize actions run: whether the memory is where this process would run it.
    runs = True

    def __init__(self, request: Sequence[SegmentRequest], segments: Sequence[Segment]) -> None:
        self.request = request
        self.segments = segments
        self._ended = threading.Lock()

    def finalize(self, actions: Sequence[FinalizeAction], on_finalized: OnFinalized) -> None:
        """See `InFlightAllocation`. Raises UsageError if it has ended."""
        self._end()
        undos = []
        try:
            self.seal()
            if self.runs:
                undos = run_actions(actions)
            for number, request in enumerate(self.request):
                if request.lifetime is Lifetime.FINALIZE:
                    self.free(number)
        except Exception as error:
            undo_actions(undos)
            self.free_all()
            on_finalized(None, error)
            return
        on_finalized(Holding(self, undos), None)

    def abandon(self, on_abandoned: OnDeallocated) -> None:
        """See `InFlightAllocation`. Raises UsageError if it has ended."""
        self._end()
        on_abandoned(self.free_all())

    def _end(self) -> None:
        if not self._ended.acquire(blocking=False):
            raise UsageError("the allocation was finalized or abandoned before")

    @abstractmethod
    def seal(self) -> None:
        """Give every segment its protection."""

    @abstractmethod
    def free(self, number: int) -> None:
        """Free a segment, by its number; nothing if that was done."""

    def free_all(self) -> Exception | None:
        """Free every segment whatever happens; the first error."""
        first: Exception | None = None
        for number in range(len(self.segments)):
            try:
                self.free(number)
            except Exception as error:
                first = first or error
        return first


class Holding(FinalizedAllocation):
    """Finalized memory of a manager in this process."""

    __slots__ = ("memory",)

    def __init__(self, memory: HeldMemory, undos: list[Callable[[], None]]) -> None:
        super().__init__(undos)
        self.memory: HeldMemory | None = memory


def deallocate(allocations: Sequence[FinalizedAllocation], on_deallocated: OnDeallocated) -> None:
    """What `MemoryManager.deallocate` promises, for `Holding`s."""
    first: Exception | None = None
    for allocation in allocations:
        if not isinstance(allocation, Holding) or allocation.memory is None:
            first = first or UsageError("not an allocation of this manager, or deallocated before")
            continue
        memory, allocation.memory = allocation.memory, None
        undone = undo_actions(allocation.undos)
        freed = memory.free_all()
        first = first or undone or freed
    on_deallocated(first)
