"""Sizes: how much of what is linked, by section and by kind of symbol, and what pruning saved.

    sizes = SizeStatistics()
    jit.add_plugin(sizes)
    ...
    print(sizes.table())

Sums over all links since the plugin was added, whether their code is still there or not. Each link
costs a pass over its sections and two over its arrays, no step per symbol.
"""

from __future__ import annotations

import heapq
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lazyjit._native import lib
from lazyjit.layers.plugin import Plugin

if TYPE_CHECKING:
    from lazyjit.core import MaterializationResponsibility
    from lazyjit.link.graph import LinkGraph
    from lazyjit.link.passes import PassConfiguration

__all__ = ["SizeStatistics", "Sizes", "Total"]


@dataclass
class Total:
    """So many of a kind, and their bytes."""

    count: int = 0
    bytes: int = 0

    def add(self, count: int, size: int) -> None:
        """Some more."""
        self.count += count
        self.bytes += size


@dataclass
class Sizes:
    """What was linked."""

    links: int = 0
    #: By name: how many sections, and the bytes of their blocks.
    sections: dict[str, Total] = field(default_factory=dict)
    #: Definitions with a size: functions, data, thread-local variables.
    symbols: dict[str, Total] = field(default_factory=dict)
    #: Blocks that nothing live needed, and their bytes.
    pruned: Total = field(default_factory=Total)
    #: (bytes, name, file) of the largest definitions, the largest first.
    largest: list[tuple[int, str, str]] = field(default_factory=list)


class SizeStatistics(Plugin):
    """Counts. Any thread."""

    def __init__(self, largest: int = 10) -> None:
        """`largest`: how many of the largest symbols to keep the names of."""
        self._lock = threading.Lock()
        self._sizes = Sizes()
        self._wanted = largest
        self._heap: list[tuple[int, str, str]] = []

    def statistics(self) -> Sizes:
        """A snapshot."""
        with self._lock:
            sizes = self._sizes
            return Sizes(
                sizes.links,
                {name: replace(total) for name, total in sizes.sections.items()},
                {kind: replace(total) for kind, total in sizes.symbols.items()},
                replace(sizes.pruned),
                sorted(self._heap, reverse=True),
            )

    def table(self) -> str:
        """The same to be read: a line for each section, the largest first, and so on."""
        sizes = self.statistics()
        lines = [f"{sizes.links} links"]
        for title, totals in (("sections", sizes.sections), ("symbols", sizes.symbols)):
            lines.append(f"{title + ':':<32}{'count':>10}{'bytes':>14}")
            for name, total in sorted(totals.items(), key=lambda item: -item[1].bytes):
                lines.append(f"  {name:<30}{total.count:>10}{total.bytes:>14}")
        lines.append(f"{'pruned blocks:':<32}{sizes.pruned.count:>10}{sizes.pruned.bytes:>14}")
        if sizes.largest:
            lines.append("largest:")
            lines += [f"  {name:<40}{size:>14}  {file}" for size, name, file in sizes.largest]
        return "\n".join(lines)

    def modify_pass_config(
        self,
        responsibility: MaterializationResponsibility,
        graph: LinkGraph,
        config: PassConfiguration,
    ) -> None:
        """See `Plugin`."""
        before = Total()
        config.pre_prune.append(lambda graph: before.add(*_blocks(graph)))
        after = Total()
        config.post_prune.append(lambda graph: after.add(*_blocks(graph)))
        config.post_allocation.append(lambda graph: self._count(graph, before, after))

    def _count(self, graph: LinkGraph, before: Total, after: Total) -> None:
        records = graph.records
        there = _there(records)
        blocks = records.blocks[there]
        sums = np.bincount(
            blocks["section"], weights=blocks["size"], minlength=len(records.sections)
        )
        names = [
            (section.name, int(sums[section.number]))
            for section in graph.sections()
            if section.linked
        ]
        symbols = records.symbols
        sized = np.flatnonzero((symbols["place"] >= 0) & (symbols["size"] > 0))
        traits = symbols["traits"][sized]
        threads = traits & lib.LJ_TRAIT_TLS != 0
        functions = (traits & lib.LJ_TRAIT_CALLABLE != 0) & ~threads
        bytes_ = symbols["size"][sized]
        kinds = (
            ("functions", functions),
            ("thread-local", threads),
            ("data", ~functions & ~threads),
        )
        largest = sized[np.argsort(bytes_)[-self._wanted :]] if self._wanted else sized[:0]
        numbers = set(largest.tolist())
        named = [
            (symbol.size, symbol.name, graph.name)
            for symbol in graph.defined_symbols()
            if symbol.number in numbers and symbol.name
        ]
        with self._lock:
            sizes = self._sizes
            sizes.links += 1
            sizes.pruned.add(max(before.count - after.count, 0), max(before.bytes - after.bytes, 0))
            for name, size in names:
                sizes.sections.setdefault(name, Total()).add(1, size)
            for kind, these in kinds:
                if these.any():
                    total = sizes.symbols.setdefault(kind, Total())
                    total.add(int(these.sum()), int(bytes_[these].sum()))
            self._heap = heapq.nlargest(self._wanted, [*self._heap, *named])


def _there(records: Any) -> Any:
    """Which blocks are part of the graph and go to memory."""
    blocks = records.blocks
    linked = records.sections["region"][blocks["section"]] != lib.LJ_REGION_NONE
    return (blocks["state"] & lib.LJ_BLOCK_GONE == 0) & linked


def _blocks(graph: LinkGraph) -> tuple[int, int]:
    """How many blocks, and bytes, are part of the graph."""
    records = graph.records
    there = _there(records)
    return int(there.sum()), int(records.blocks["size"][there].sum())
