"""All of a program compiled on two threads against one: what parallel compilation gives."""

from __future__ import annotations

import os

from bench import peers
from bench.measure import Measured
from bench.report import Cell, Column, Plot, Table, ratio_aim
from bench.workloads import Context, factor
from bench.workloads.overhead import programs

COLUMNS = [
    Column("program", "what was compiled, whole, in clusters of functions"),
    Column("1 thread s", "from asking for all bodies to having them"),
    Column("2 threads s", "the same with two compile threads"),
    Column("speed-up", "the former by the latter; 2 is the most that there is", "{:.2f}x"),
]


def compile_seconds(entry: Measured) -> float | None:
    """The median time of compiling all, without indexing."""
    if entry.failure or not entry.samples:
        return None
    times = sorted(float(s.report["returned"]) - float(s.report["added"]) for s in entry.samples)
    return times[len(times) // 2]


def run(context: Context) -> list[Table]:
    """The table of this workload."""
    if not context.lazyjit:
        return []
    processors = len(os.sched_getaffinity(0))
    table = Table(
        "threads",
        "All of a program on 2 compile threads against 1",
        "LLVM's LLJIT compiles one module on one thread, so there is no peer in this table; the"
        " first table has it with two threads, where it is slower for cloning the module.",
        COLUMNS,
        plots=[
            Plot(
                "threads",
                "Compiling all of a program: two threads against one",
                ("speed-up",),
                "times one thread's speed",
            )
        ],
    )
    if processors < 2:
        table.notes.append("This machine has one processor: the figures say nothing.")
    levels = (0,) if context.quick else (0, 2)
    cases = [(name, path, level) for name, path in programs(context) for level in levels]
    subjects = [
        peers.lazyjit(
            [path],
            opt_level=level,
            threads=threads,
            options=["--all-bodies"],
            name=f"{name} -O{level} {threads}",
        )
        for name, path, level in cases
        for threads in (1, 2)
    ]
    measured = context.measure(subjects)
    for name, _, level in cases:
        pair = [measured[f"{name} -O{level} {threads}"] for threads in (1, 2)]
        one, two = (compile_seconds(entry) for entry in pair)
        speed_up = factor(one, two)
        failure = next((entry.failure for entry in pair if entry.failure), None)
        cells: list[Cell] = [f"{name}, -O{level}", failure or one, two, speed_up]
        table.rows.append(cells)
        table.aims.append(ratio_aim(f"{name}, -O{level}: 1.8 times", speed_up, 1.8))
    return [table]
