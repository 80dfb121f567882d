"""What a session did, counted where it happens and read as one snapshot.

Stages follow one unit: `carve` its text, `parse`, `optimize` and `emit` in LLVM, `link` (allocate,
resolve and fix up). Times are summed over threads, so with two compile threads a second of wall
time may hold two seconds of stages.
"""

from __future__ import annotations

import threading
from typing import Any

from lazyjit import forking
from lazyjit._native import ffi
from lazyjit.records import Record

__all__ = ["STAGES", "Counters", "Statistics"]

#: The stages of a unit, in the order in which it passes them.
STAGES = ("index", "carve", "parse", "optimize", "emit", "link")


class Statistics(Record):
    """A snapshot of a session's counters. Times are seconds, sizes bytes."""

    #: Modules added.
    modules: int
    #: Functions that they define.
    functions_known: int
    #: Functions whose code was emitted, each counted once.
    functions_compiled: int
    #: Functions whose code was made again, better (tiered sessions only).
    functions_promoted: int
    #: Units compiled.
    units: int
    #: Objects linked: units, and objects that were added as such.
    objects_linked: int
    #: Units that LLVM or the linker refused.
    failures: int
    #: First calls that came in through a stub.
    first_calls: int
    #: Object bytes that LLVM emitted.
    object_bytes: int
    #: Seconds by stage (see STAGES), summed over threads.
    seconds: dict[str, float]
    #: Bytes of the arena in live spans, by region name.
    arena: dict[str, int]


class Counters(forking.Guarded):
    """The live counters behind `Statistics`. Every method: any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = dict.fromkeys(
            (
                "modules",
                "functions_known",
                "functions_compiled",
                "functions_promoted",
                "units",
                "objects_linked",
                "failures",
                "first_calls",
                "object_bytes",
            ),
            0,
        )
        self._nanoseconds = dict.fromkeys(STAGES, 0)
        #: An `lj_unit_counts *`, where native code counts: a snapshot has both.
        self.native: Any = ffi.new("lj_unit_counts *")
        forking.join(forking.Phase.TABLE, self)

    def count(self, **by: int) -> None:
        """Add to counters by name."""
        with self._lock:
            for name, amount in by.items():
                self._counts[name] += amount

    def spend(self, **nanoseconds: int) -> None:
        """Add nanoseconds to stages by name."""
        with self._lock:
            for stage, amount in nanoseconds.items():
                self._nanoseconds[stage] += amount

    def unit(self, functions: int, object_bytes: int, **nanoseconds: int) -> None:
        """One unit was compiled: its functions, its object's size, its stages."""
        with self._lock:
            counts = self._counts
            counts["units"] += 1
            counts["functions_compiled"] += functions
            counts["object_bytes"] += object_bytes
            for stage, amount in nanoseconds.items():
                self._nanoseconds[stage] += amount

    def linked(self, nanoseconds: int) -> None:
        """One object was linked, in so much time of its own."""
        with self._lock:
            self._counts["objects_linked"] += 1
            self._nanoseconds["link"] += nanoseconds

    def snapshot(self, arena: dict[str, int]) -> Statistics:
        """Everything counted so far, read at one moment."""
        native = self.native
        with self._lock:
            counts, spent = dict(self._counts), dict(self._nanoseconds)
        counts["units"] += native.units
        counts["functions_compiled"] += native.functions
        counts["object_bytes"] += native.object_bytes
        counts["objects_linked"] += native.linked
        for stage in STAGES[1:]:
            spent[stage] += getattr(native, f"{stage}_ns")
        seconds = {stage: nanoseconds / 1e9 for stage, nanoseconds in spent.items()}
        return Statistics(**counts, seconds=seconds, arena=arena)
