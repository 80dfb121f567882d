"""One run is one process; subjects take turns; the figure is the median.

A subject is a way to run a program: a peer with its options, or lazyjit with its own. Its process
writes a report (peers/llvm_peer.cpp says what is in it) whose moments are seconds since the clock
of CLOCK_MONOTONIC that it names `start`. This parent reads the program's standard output as it
comes and notes on the same clock when the first byte was there: `first_output`, the moment at which
somebody who waits for a result sees one.

A process that dies, or outlives its limit, is a sample with a `failure` and no times.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Measured", "Sample", "Subject", "interleaved", "run_once"]


@dataclass(frozen=True)
class Subject:
    """A name and how to start its process: `command(times)` writes its report to that path."""

    name: str
    command: Callable[[Path], Sequence[str | Path]]
    environment: Mapping[str, str] = field(default_factory=dict)
    #: Seconds after which a run is given up.
    limit: float = 120.0


@dataclass(frozen=True)
class Sample:
    """One run."""

    report: Mapping[str, Any]
    output: bytes
    failure: str | None


@dataclass
class Measured:
    """All the runs of one subject."""

    subject: Subject
    samples: list[Sample] = field(default_factory=list)

    @property
    def failure(self) -> str | None:
        """Why it has no figures, or None; a single failed run spoils a subject."""
        return next((sample.failure for sample in self.samples if sample.failure), None)

    def values(self, moment: str) -> list[float]:
        """This moment in every run that reached it."""
        return [float(s.report[moment]) for s in self.samples if s.report.get(moment) is not None]

    def median(self, moment: str) -> float | None:
        """The median of a moment, None when a run failed or none has it."""
        values = self.values(moment)
        return statistics.median(values) if values and self.failure is None else None


def how_it_ended(code: int) -> str:
    """A return code in words."""
    if code < 0:
        try:
            return f"crashes ({signal.Signals(-code).name})"
        except ValueError:
            return f"crashes (signal {-code})"
    return f"ended with {code}"


def run_once(subject: Subject, *, expected_output: bytes | None = None) -> Sample:
    """Run a subject's process to its end."""
    with tempfile.TemporaryDirectory() as folder:
        times, complaints = Path(folder) / "times.json", Path(folder) / "stderr"
        with complaints.open("wb") as errors:
            process = subprocess.Popen(
                [str(part) for part in subject.command(times)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, **subject.environment},
            )
            overdue = threading.Timer(subject.limit, process.kill)
            overdue.start()
            first: float | None = None
            pieces: list[bytes] = []
            assert process.stdout is not None
            with process.stdout as stream:
                while piece := stream.read1(1 << 16):
                    if first is None:
                        first = time.clock_gettime(time.CLOCK_MONOTONIC)
                    pieces.append(piece)
            code = process.wait()
            gave_up = not overdue.is_alive()
            overdue.cancel()
        output = b"".join(pieces)
        if gave_up:
            return Sample({}, output, f"not done within {subject.limit:.0f} s")
        if code or not times.exists():
            words = complaints.read_text(errors="replace").strip().splitlines()
            reason = f": {words[-1][:200]}" if words and code > 0 else ""
            return Sample({}, output, how_it_ended(code) + reason)
        report = json.loads(times.read_text())
    if first is not None:
        report["first_output"] = first - report["start"]
    if expected_output is not None and output != expected_output:
        return Sample(report, output, "printed something else than the native program")
    return Sample(report, output, None)


def interleaved(
    subjects: Sequence[Subject],
    repeats: int,
    *,
    expected_output: bytes | None = None,
    step: Callable[[str], None] = lambda what: None,
) -> dict[str, Measured]:
    """Run every subject `repeats` times, in turns, starting with another one each time.

    A subject that failed is not run again. `step` is told the name of each run that is over.
    """
    measured = {subject.name: Measured(subject) for subject in subjects}
    for turn in range(repeats):
        offset = turn % max(len(subjects), 1)
        for subject in [*subjects[offset:], *subjects[:offset]]:
            entry = measured[subject.name]
            if entry.failure is None:
                entry.samples.append(run_once(subject, expected_output=expected_output))
            step(subject.name)
    return measured
