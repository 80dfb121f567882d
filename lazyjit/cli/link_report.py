"""What `lazyjit link` prints of a link, and of the time it took."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from time import perf_counter, process_time

__all__ = ["Times"]


class Times:
    """How long the phases took, by the wall clock and by that of the processors. One thread."""

    def __init__(self) -> None:
        """Nothing has been done."""
        self._taken: dict[str, tuple[float, float]] = {}

    @contextlib.contextmanager
    def of(self, phase: str) -> Iterator[None]:
        """A phase, from here to the end of the `with` statement. It counts also if it fails."""
        wall, processors = perf_counter(), process_time()
        try:
            yield
        finally:
            self._taken[phase] = (perf_counter() - wall, process_time() - processors)

    def table(self) -> str:
        """A line a phase: seconds by the wall clock, seconds of all processors, what it was."""
        total = tuple(map(sum, zip(*self._taken.values(), strict=True))) or (0.0, 0.0)
        rows = [*self._taken.items(), ("total", total)]
        lines = [f"  {wall:10.6f}  {cpu:10.6f}  {phase}\n" for phase, (wall, cpu) in rows]
        return "lazyjit: times\n    wall (s)     CPU (s)\n" + "".join(lines)

    def report(self) -> None:
        """Print the table on stderr."""
        sys.stderr.write(self.table())
        sys.stderr.flush()
