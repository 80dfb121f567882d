"""The workloads: each file measures one promise and gives a table of it.

    lua           a real program's time to its first result and to its end
    modules       100 calls into modules of 1,000 to 64,000 functions
    overhead      all but LLVM, per unit
    threads       two compile threads against one
    calls         a call through a stub, and resolving a stub
    callables     a call from Python, beside the other ways into native code
    dependences   100,000 units in chains, stars and rings
    memory        what a function costs that is known and never called
    linking       objects linked without execution, beside llvm-jitlink
    startup       whole processes: a first result, and short programs beside LLVM's tools
    ufuncs        arrays through ufuncs, beside NumPy, Numba and numexpr
    kernels       six numeric kernels: run time, time to the first result, threads

A workload is a function from a `Context` to a `Table`. It must leave out what is absent, saying so,
and in quick mode be done within seconds.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.measure import Measured, Subject, interleaved
from bench.toolchain import Absent

__all__ = ["Context", "factor", "lazyjit_absent", "present"]


@dataclass
class Context:
    """How to measure. `step` is told of each run that is over, `expect` how many are to come."""

    quick: bool = False
    repeats: int = 5
    lazyjit: bool = True
    step: Callable[[str], None] = lambda what: None
    expect: Callable[[int], None] = lambda runs: None
    #: Why something was left out, each reason once.
    left_out: list[str] = field(default_factory=list)

    def leave_out(self, reason: str) -> None:
        """Note why something is not measured."""
        if reason not in self.left_out:
            self.left_out.append(reason)

    def measure(
        self, subjects: Sequence[Subject], *, expected_output: bytes | None = None
    ) -> dict[str, Measured]:
        """Run the subjects in turns."""
        self.expect(self.repeats * len(subjects))
        return interleaved(subjects, self.repeats, expected_output=expected_output, step=self.step)


def present(context: Context, makers: Sequence[Callable[[], Subject]]) -> list[Subject]:
    """The subjects that this machine can run."""
    subjects = []
    for make in makers:
        try:
            subjects.append(make())
        except Absent as reason:
            context.leave_out(str(reason))
    return subjects


def lazyjit_absent() -> str | None:
    """Why lazyjit itself can't be measured, or None."""
    if importlib.util.find_spec("lazyjit") is None:
        return "lazyjit is not installed"
    try:
        import lazyjit.jit  # noqa: F401
    except ImportError as reason:
        return f"lazyjit can't be imported: {reason}"
    return None


def factor(theirs: float | None, ours: float | None) -> float | None:
    """How many times as long theirs takes as ours."""
    return theirs / ours if theirs is not None and ours else None


def least(values: Sequence[float | None]) -> float | None:
    """The smallest that there is."""
    there = [value for value in values if value is not None]
    return min(there) if there else None
