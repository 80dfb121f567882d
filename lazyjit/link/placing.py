"""A graph and a memory manager: what one asks for and what the other gives, translated.

The native layout has a segment for each protection and lifetime (`native/link_graph.h`). What has
bytes in it becomes a request; what the manager gives is written back, and the blocks are placed. A
graph placed by these functions owns no memory, but for its place among the thread-local variables:
the manager's allocation is freed by who asked for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lazyjit._native import ffi, lib
from lazyjit.errors import UsageError
from lazyjit.link.graph import LinkGraph
from lazyjit.link.memory import FinalizeAction, Lifetime, MemProt, Segment, SegmentRequest

__all__ = ["is_placed", "place", "registration", "segment_requests"]

_PROTECTIONS = [MemProt(bits) for bits in range(8)]
_LIFETIMES = [Lifetime.STANDARD, Lifetime.FINALIZE]


def is_placed(graph: LinkGraph) -> bool:
    """Whether its blocks have addresses."""
    return bool(graph._records().allocated)


def segment_requests(graph: LinkGraph) -> list[SegmentRequest]:
    """Lay the graph out, planning slots if that wasn't done: what it needs. Sizes are fixed from
    here on. Raises RelocationError, ObjectFormatError, UsageError, MemoryError.
    """
    native = graph._records()
    if not native.planned:
        graph.plan()
    graph.layout()
    return [
        SegmentRequest(
            _PROTECTIONS[segment.prot],
            _LIFETIMES[segment.lifetime],
            segment.size,
            segment.align,
        )
        for segment in _needed(native)
    ]


def place(graph: LinkGraph, segments: Sequence[Segment], *, runs_here: bool) -> None:
    """Give every block its address, and copy contents to working memory; the input is free to go.

    `segments`: one for each of `segment_requests`, in order. `runs_here`: the code will run in this
    process, and so its thread-local variables get a place in every thread. Raises UsageError for
    segments that don't fit what was asked for, ArenaFull for too many thread-local variables.
    """
    native = graph._records()
    needed = _needed(native)
    if len(segments) != len(needed):
        raise UsageError(f"{len(segments)} segments for {len(needed)} that were asked for")
    for segment, (working, target, size) in zip(needed, segments, strict=True):
        if size < segment.size:
            raise UsageError(f"a segment of {size} bytes for one of {segment.size}")
        segment.working, segment.target = working, target
    status = lib.lj_graph_reserve_tls(native) if runs_here else 0
    status = status or lib.lj_graph_place(native, 1)
    if status:
        lib.lj_linked_release(ffi.addressof(native, "linked"))
        raise graph._error(status)
    graph._input = None


def registration(graph: LinkGraph) -> FinalizeAction | None:
    """What makes unwind tables and the thread-local image known to this process, and the undoing of
    it; None when there is nothing of the kind. The action may be done while the graph has its
    records, and undone at any time later.
    """
    native = graph._records()
    frames = any(
        native.sections[i].role == lib.LJ_ROLE_EH_FRAME for i in range(native.section_count)
    )
    if not (frames or native.linked.tls_size or native.linked.tls_static):
        return None
    linked: Any = ffi.new("lj_linked *")

    def do() -> None:
        status = lib.lj_graph_register(native)
        if status:
            raise graph._error(status)
        lib.lj_graph_finalize(native, linked)

    def undo() -> None:
        lib.lj_linked_release(linked)

    return FinalizeAction(do, undo)


def _needed(native: Any) -> list[Any]:
    """The native segments with bytes in them."""
    segments = native.segments
    return [segments[i] for i in range(lib.LJ_SEGMENTS) if segments[i].size]
