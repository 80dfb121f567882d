"""The workloads under pytest-benchmark: `pytest bench`, then its --benchmark-save and -compare.

A subject runs in a process of its own and reports how long it took, so what pytest-benchmark
measures here is not this process: its timer is `ReportedClock`, which each run advances by the
reported time. `python -m bench` has all the workloads, peers in turns, and the table; this has the
few that are worth watching from one change to the next.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from bench import generate, lua, peers
from bench.kernels import NAMES
from bench.measure import Subject, run_once
from bench.toolchain import Absent
from bench.workloads import Context, lazyjit_absent
from bench.workloads.kernels import Interpreters
from bench.workloads.lua import SCRIPT

ROUNDS = 5


class ReportedClock:
    """A clock that stands still but for the time that a subject reports."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


CLOCK = ReportedClock()
pytestmark = pytest.mark.benchmark(timer=CLOCK)

if absent := lazyjit_absent():
    ours_only = pytest.mark.skip(reason=absent)
else:
    ours_only = pytest.mark.filterwarnings("default")


def play(
    benchmark: Any,
    make: Callable[[], Subject],
    *,
    moment: str = "returned",
    output: bytes | None = None,
) -> None:
    """Measure a subject's `moment`, or skip when this machine does not have it."""
    try:
        subject = make()
    except Absent as reason:
        pytest.skip(str(reason))

    def once() -> None:
        sample = run_once(subject, expected_output=output)
        assert sample.failure is None, sample.failure
        CLOCK.now += float(sample.report[moment])

    benchmark.extra_info["subject"] = subject.name
    benchmark.pedantic(once, rounds=ROUNDS, iterations=1)


LUA_SUBJECTS: dict[str, Callable[[list[Any]], Subject]] = {
    "lljit": lambda program: peers.llvm("lljit", 0, 0, program),
    "lllazyjit": lambda program: peers.llvm("lllazyjit", 0, 0, program),
    "mcjit": lambda program: peers.llvmlite("mcjit", 0, program),
    "lazyjit-1": lambda program: peers.lazyjit(program, opt_level=0, threads=1),
    "lazyjit-2": lambda program: peers.lazyjit(program, opt_level=0, threads=2),
}


def subjects(names: list[str]) -> list[Any]:
    return [
        pytest.param(name, marks=ours_only if name.startswith("lazyjit") else ()) for name in names
    ]


@pytest.mark.benchmark(group="Lua to the script's end, -O0")
@pytest.mark.parametrize("name", subjects(list(LUA_SUBJECTS)))
def test_lua(benchmark: Any, name: str) -> None:
    try:
        module, binary = (lua.build(kind, jumptable=False) for kind in ("bc", "native"))
    except Absent as reason:
        pytest.skip(str(reason))
    output = subprocess.run([binary, SCRIPT], stdout=subprocess.PIPE, check=True).stdout
    play(benchmark, lambda: LUA_SUBJECTS[name]([module, SCRIPT]), output=output)


@pytest.mark.benchmark(group="100 functions of a module")
@pytest.mark.parametrize("size", [1_000, 16_000])
@pytest.mark.parametrize("name", subjects(["lljit", "lazyjit-1", "lazyjit-2"]))
def test_modules(benchmark: Any, name: str, size: int) -> None:
    path = generate.module_path(size, executed=100)
    output = b"%d\n" % generate.generate(size, executed=100).checksum()
    play(benchmark, lambda: LUA_SUBJECTS[name]([path]), output=output)


@ours_only
@pytest.mark.benchmark(group="resolving a stub whose body is ready")
def test_resolving(benchmark: Any) -> None:
    play(benchmark, lambda: peers.script("lazyjit_resolve", "lazyjit_resolve"), moment="each")


@ours_only
@pytest.mark.benchmark(group="100,000 dependent units")
@pytest.mark.parametrize(
    "shape", ["chain", "reverse-chain", "star", "reverse-star", "ring", "random"]
)
def test_dependences(benchmark: Any, shape: str) -> None:
    play(
        benchmark,
        lambda: peers.script("lazyjit_dependences", "lazyjit_dependences", "--shape", shape),
    )


@pytest.mark.benchmark(group="from source to a kernel's first result")
@pytest.mark.parametrize("kernel", NAMES)
@pytest.mark.parametrize("way", subjects(["lazyjit-c", "lazyjit-ll", "numba", "extension"]))
def test_first_results(benchmark: Any, way: str, kernel: str) -> None:
    context = Context()
    pythons = Interpreters(context)
    python = pythons.python(way)
    if python is None:
        pytest.skip("; ".join(context.left_out))
    make = pythons.subject(f"{kernel} {way}", python, "kernel_first", kernel, "--way", way)
    play(benchmark, lambda: make, moment="first")
