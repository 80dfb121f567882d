"""Calls from Python: what a typed callable costs beside the other ways into native code."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

from bench.measure import Subject
from bench.peers import python_path
from bench.report import Cell, Column, Plot, Table, ratio_aim
from bench.toolchain import Absent, built, digest, tool
from bench.toolchain import run as command_output
from bench.workloads import Context, factor, present

SOURCE = Path(__file__).resolve().parents[1] / "scripts" / "call_overhead.c"
PEER = Path(__file__).resolve().parents[1] / "peers" / "call_peer.py"

CASES = {"add": "double(double, double)", "touch": "void(double[:], double[:], int64)"}


def library(*, extension: bool) -> Path:
    """The C functions as a shared library, or with a module around them; raises Absent."""
    compiler = tool("clang")
    flags = ["-O3", "-shared", "-fPIC"]
    if extension:
        flags += ["-DAS_EXTENSION", f"-I{sysconfig.get_paths()['include']}"]
    name = "call_extension.so" if extension else "call_library.so"

    def build(product: Path) -> None:
        command_output([compiler, *flags, SOURCE, "-o", product])

    return built(name, digest([SOURCE, compiler, *flags, sys.version]), build)


def numba() -> str:
    """An interpreter that has Numba: this one, or the one that LAZYJIT_BENCH_NUMBA names."""
    for python in (sys.executable, os.environ.get("LAZYJIT_BENCH_NUMBA")):
        if python:
            done = subprocess.run([python, "-c", "import numba"], capture_output=True, check=False)
            if not done.returncode:
                return python
    raise Absent("Numba: not installed, and LAZYJIT_BENCH_NUMBA names no Python that has it")


def subject(way: str, case: str, calls: int) -> Subject:
    """One way of calling; raises Absent."""
    python, native = sys.executable, []
    if way in ("ctypes", "cffi", "extension"):
        native = ["--library", str(library(extension=way == "extension"))]
    environment = {"PYTHONPATH": python_path()}
    if way == "numba":
        python, environment = numba(), {}
    command = [python, PEER, "--way", way, "--case", case, "--calls", str(calls), *native]
    return Subject(way, lambda times: [*command, "--times", times], environment=environment)


def measured(context: Context, case: str) -> Table:
    table = Table(
        f"callables-{case}",
        f"A call from Python: {CASES[case]}",
        "A loop of calls, less the loop; the fastest round of all runs (the machine does other"
        " things too). bench/peers/call_peer.py has each way of calling; the extension module is"
        " written by hand (bench/scripts/call_overhead.c), cffi is in its ABI mode, Numba has a"
        " declared signature. A builtin is what a typed callable has as its attribute `builtin`.",
        [
            Column("way", "how the function is called"),
            Column("ns/call", "one call", "{:.1f}"),
            Column("of Python's", "as a part of a plain Python function's call", "{:.2f}"),
        ],
        plots=[
            Plot(
                f"callables-{case}",
                f"A call of {CASES[case]}, by that of a Python function",
                ("of Python's",),
                "times a plain Python function's call",
            )
        ],
    )
    calls = 20_000 if context.quick else 200_000
    ways = ["python", "ctypes", "cffi", "numba", "extension"]
    if context.lazyjit:
        ways = ["lazyjit", "lazyjit-builtin", "lazyjit-nogil", *ways]
    makers: list[Callable[[], Subject]] = [
        lambda way=way: subject(way, case, calls)  # type: ignore[misc]
        for way in ways
    ]
    found = context.measure(present(context, makers))
    each = {
        name: min(entry.values("each"), default=None) if entry.failure is None else None
        for name, entry in found.items()
    }
    python = each.get("python")
    for name, entry in found.items():
        seconds = each[name]
        nanoseconds: Cell = seconds * 1e9 if seconds is not None else None
        part = seconds / python if seconds is not None and python else None
        table.rows.append([name, entry.failure or nanoseconds, part])
    ours = each.get("lazyjit")
    if case == "add":
        for name in ("lazyjit", "lazyjit-builtin"):
            table.aims.append(
                ratio_aim(f"{name}: under 0.7 of Python's", factor(python, each.get(name)), 1 / 0.7)
            )
        table.aims.append(
            ratio_aim("under 0.3 of Numba's", factor(each.get("numba"), ours), 1 / 0.3)
        )
    else:
        table.aims.append(
            ratio_aim("under 0.5 of Numba's", factor(each.get("numba"), ours), 1 / 0.5)
        )
    return table


def run(context: Context) -> list[Table]:
    """The tables of this workload."""
    return [measured(context, case) for case in CASES]
