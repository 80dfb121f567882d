"""Memory managers: where linked code goes, behind one small interface.

A link asks for segments, one for each protection and lifetime that its sections have, and gets an
allocation in flight. It writes into the working memory, as if at the target addresses, and
finalizes: the manager sets protections, runs the link's finalize actions and answers with a
finalized allocation, which it takes back in `deallocate`.

    allocate  ->  InFlightAllocation  --finalize-->  FinalizedAllocation  ->  deallocate
                                      --abandon-->   nothing

A request doesn't say where memory should be. Objects for fixed positions (`-fno-pic`), which a JIT
puts below 2 GiB when memory is its own arena's, go to a manager like any others: one that is to
take them gives memory there (a slab with an `address`), or their links fail with RelocationError.

Every step answers by a callback, on this thread or any other, now or later; it calls it once. So a
manager may ask a process elsewhere for memory, and no thread of the session waits for it. What goes
wrong is the callback's second argument (a manager that raises instead is taken the same way).

**Finalize actions** are pairs (do, undo) of things to do in the process that runs the code when it
is in place, and to be undone before it goes: unwind tables and thread-local images are registered
so. They run in order; if one raises, those before it are undone, in reverse, and the finalization
fails. Deallocation undoes them all, the last first. Only a manager whose memory runs here runs them
here: the null manager (`lazyjit.link.memory_null`) runs none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, Union

from lazyjit.errors import ArenaFull, UsageError
from lazyjit.link.model import Lifetime, MemProt

__all__ = [
    "FinalizeAction",
    "FinalizedAllocation",
    "InFlightAllocation",
    "Lifetime",
    "MemProt",
    "MemoryManager",
    "OnAllocated",
    "OnDeallocated",
    "OnFinalized",
    "Segment",
    "SegmentRequest",
    "check_request",
    "run_actions",
    "undo_actions",
]


class SegmentRequest(NamedTuple):
    """A piece of memory that a link needs."""

    prot: MemProt
    #: STANDARD or FINALIZE.
    lifetime: Lifetime
    #: Bytes, from 1.
    size: int
    #: Of the target address: a power of two.
    align: int


class Segment(NamedTuple):
    """What was allocated for a request."""

    #: Where the linker writes: zeroed memory of this process, `size` bytes.
    working: int
    #: Where the program sees it.
    target: int
    size: int


class FinalizeAction(NamedTuple):
    """Something to do when the code is in place, and to undo before it goes; either may be None."""

    do: Callable[[], None] | None
    undo: Callable[[], None] | None = None


class FinalizedAllocation:
    """Memory in use, and what is to be undone before it is freed: for `deallocate`, once.

    Managers derive their own from it, with what they need to find the memory again.
    """

    __slots__ = ("undos",)

    def __init__(self, undos: list[Callable[[], None]]) -> None:
        """`undos`: as `run_actions` gives them."""
        self.undos = undos


#: (the allocation, None) or (None, the error).
OnAllocated = Callable[[Union["InFlightAllocation", None], Exception | None], None]
OnFinalized = Callable[[FinalizedAllocation | None, Exception | None], None]
#: None, or the error.
OnDeallocated = Callable[[Exception | None], None]


class InFlightAllocation(Protocol):
    """Memory that is being written. Ends by `finalize` or `abandon`, once."""

    @property
    def segments(self) -> Sequence[Segment]:
        """One for each request, in their order."""

    def finalize(self, actions: Sequence[FinalizeAction], on_finalized: OnFinalized) -> None:
        """Give the memory its protections, run the actions, and answer.

        On failure the memory is freed, and what was done is undone, before the answer.
        """

    def abandon(self, on_abandoned: OnDeallocated) -> None:
        """Free the memory; nothing of it was used."""


class MemoryManager(Protocol):
    """Gives memory to links. Every method may be called from any thread."""

    @property
    def page_size(self) -> int:
        """The unit of protection in the program's memory, bytes."""

    @property
    def runs_here(self) -> bool:
        """Whether this process will run the code: finalize actions are run then, and not else."""

    def allocate(self, request: Sequence[SegmentRequest], on_allocated: OnAllocated) -> None:
        """Memory for all of `request`, or an error and nothing."""

    def deallocate(
        self, allocations: Sequence[FinalizedAllocation], on_deallocated: OnDeallocated
    ) -> None:
        """Undo their actions and free their memory, all of them whatever fails; the answer has the
        first error. Nobody runs in it any more.
        """


def run_actions(actions: Sequence[FinalizeAction]) -> list[Callable[[], None]]:
    """Run every `do` in order; what undoes them, in the order in which it was done.

    When one raises, those before it are undone and the exception goes on.
    """
    undos: list[Callable[[], None]] = []
    for do, undo in actions:
        if do is not None:
            try:
                do()
            except BaseException:
                undo_actions(undos)
                raise
        if undo is not None:
            undos.append(undo)
    return undos


def undo_actions(undos: list[Callable[[], None]]) -> Exception | None:
    """Run them all, the last first, and empty the list; the first error, if any."""
    first: Exception | None = None
    while undos:
        undo: Any = undos.pop()
        try:
            undo()
        except Exception as error:
            first = first or error
    return first


def check_request(
    request: Sequence[SegmentRequest], largest: int, *, both: bool = False, whole: str = "memory"
) -> None:
    """For managers: raise UsageError for what no manager gives, ArenaFull for what is too large.

    `whole`: what has `largest` bytes, for words.
    `both`: whether memory may be writable and executable at once, since nobody will run it.
    """
    for prot, _, size, align in request:
        if size < 1 or align < 1 or align & (align - 1):
            raise UsageError(f"there is no segment of {size} bytes, aligned to {align}")
        if not both and prot & MemProt.WRITE and prot & MemProt.EXEC:
            raise UsageError("no memory is writable and executable")
        if size > largest or align > largest:
            raise ArenaFull(
                f"{whole} of {largest} bytes has no room for a segment of {size} bytes, "
                f"aligned to {align}"
            )
