"""Ufuncs over arrays: one addition, and five operations in one, beside NumPy, Numba and numexpr.

Numba and numexpr are measured where this Python has them, or the one that the environment variable
LAZYJIT_BENCH_NUMBA names.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from bench.measure import Measured, Subject
from bench.peers import python_path
from bench.report import Aim, Column, Plot, Table
from bench.toolchain import Absent
from bench.workloads import Context, factor, present

SIZES = (1000, 10_000_000)


def subject(library: str, sizes: Sequence[int]) -> Subject:
    python = sys.executable
    if library in ("numba", "numexpr"):
        python = os.environ.get("LAZYJIT_BENCH_NUMBA", python)
        there = subprocess.run(
            [python, "-c", f"import {library}"], capture_output=True, check=False
        )
        if there.returncode:
            raise Absent(f"{library} is not installed")
    command = [python, "-m", "bench.peers.ufunc_times", library, "--elements", *map(str, sizes)]
    return Subject(
        library,
        lambda times: [*command, "--times", times],
        environment={"PYTHONPATH": python_path()},
    )


def row(name: str, entry: Measured, keys: Sequence[str]) -> list[float | str | None]:
    if entry.failure:
        return [name, entry.failure, *[None] * len(keys)]
    times = [entry.median(key) for key in ("first", *keys)]
    scales = [1e3, *(1e6 if key.endswith(" 1000") else 1e3 for key in keys)]
    return [
        name,
        *(
            each * scale if each is not None else None
            for each, scale in zip(times, scales, strict=True)
        ),
    ]


def run(context: Context) -> list[Table]:
    """The table of this workload."""
    sizes = (1000, 100_000) if context.quick else SIZES
    keys = [
        f"{name} {layout} {size}"
        for size in sizes
        for name in ("add", "fused")
        for layout in ("contiguous", "strided")
    ]
    columns = [
        Column("library", "what made the loops"),
        Column("first ms", "from source to the fused expression's first result", "{:.1f}"),
    ]
    for key in keys:
        unit = "us" if key.endswith(" 1000") else "ms"
        columns.append(Column(f"{key} {unit}", "one call, into an array that is there", "{:.2f}"))
    table = Table(
        "ufuncs",
        "Ufuncs over arrays of doubles",
        "`a + b`, and `(a * b + c) * (a - d) / b`: one ufunc, but NumPy's five. One thread; the"
        " least of five calls, the median over processes.",
        columns,
        plots=[
            Plot(
                "ufuncs",
                "Ufuncs: the others' time by lazyjit's",
                tuple(column.heading for column in columns[2:]),
                "times lazyjit's time",
                across=True,
                over="lazyjit",
            )
        ],
    )
    names = [*(["lazyjit"] if context.lazyjit else []), "numpy", "numba", "numexpr"]
    subjects = present(context, [lambda each=each: subject(each, sizes) for each in names])
    measured = context.measure(subjects)
    table.rows = [row(name, entry, keys) for name, entry in measured.items()]
    ours = measured.get("lazyjit")
    if ours is None:
        return [table]
    key = f"fused contiguous {sizes[-1]}"
    times = factor(measured["numpy"].median(key), ours.median(key))
    table.aims.append(
        Aim(
            f"the fused expression: at least 3 times NumPy's speed at {sizes[-1]:,}",
            f"{times:.2f}" if times is not None else None,
            times >= 3 if times is not None else None,
        )
    )
    if "numba" in measured:
        ratios = [factor(measured["numba"].median(each), ours.median(each)) for each in keys]
        worst = min((each for each in ratios if each is not None), default=None)
        table.aims.append(
            Aim(
                "every figure ahead of Numba's vectorize or equal (within 5%)",
                f"{worst:.2f} of our speed at worst" if worst is not None else None,
                worst >= 0.95 if worst is not None else None,
            )
        )
    return [table]
