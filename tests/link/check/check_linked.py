"""Objects linked at pretended addresses, for any architecture that lazyjit links."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lazyjit.link import placing
from lazyjit.link.check import CheckRecorder
from lazyjit.link.graph import LinkGraph
from lazyjit.link.memory_null import NullMemoryManager


def recorded(data: bytes, file: str, externals: Mapping[str, int]) -> CheckRecorder:
    """What a recorder sees of an object whose externals are here, and which runs nowhere."""
    graph = LinkGraph.from_object(data, file=file)
    answers: list[Any] = []
    NullMemoryManager().allocate(
        placing.segment_requests(graph), lambda memory, error: answers.append(memory or error)
    )
    (memory,) = answers
    assert not isinstance(memory, Exception), memory
    placing.place(graph, memory.segments, runs_here=False)
    graph.bind([externals[name] for name in graph.externals])
    graph.apply()
    recorder = CheckRecorder()
    for name, address in externals.items():
        recorder.define(name, address)
    recorder.record(graph)
    graph.deallocate()
    return recorder
