"""Everything but LLVM, per unit: carving, session, linking, publishing.

All bodies of a program are asked for by one lookup, with one compile thread. What is left of that
time after LLVM's own (parsing, optimizing, emitting, as `JIT.statistics()` has it), divided by the
units, is what lazyjit adds to each.
"""

from __future__ import annotations

import statistics
from pathlib import Path

from bench import face, generate, lua, peers
from bench.measure import Measured
from bench.report import Cell, Column, Table, limit_aim
from bench.toolchain import Absent
from bench.workloads import Context

COLUMNS = [
    Column("program", "what was compiled, whole, at -O0 on one thread"),
    Column("units", "how many units it was split into", "{:.0f}"),
    Column("functions", "how many functions they hold", "{:.0f}"),
    Column("wall s", "from asking for all bodies to having them"),
    Column("LLVM s", "of that, inside LLVM"),
    Column("rest us/unit", "all but LLVM, per unit", "{:.1f}"),
    Column("rest us/function", "the same, per function", "{:.1f}"),
]


def rest(sample_report: dict[str, object]) -> float:
    """Seconds of one run that are not LLVM's."""
    wall = float(sample_report["returned"]) - float(sample_report["added"])
    return wall - face.llvm_seconds(sample_report)


def row(name: str, entry: Measured) -> list[Cell]:
    if entry.failure:
        return [name, entry.failure, *[None] * (len(COLUMNS) - 2)]
    reports = [dict(sample.report) for sample in entry.samples]
    counted = reports[0]["statistics"]
    units, functions = counted["units"], counted["functions_compiled"]
    wall = statistics.median(float(r["returned"]) - float(r["added"]) for r in reports)
    llvm = statistics.median(face.llvm_seconds(r) for r in reports)
    other = statistics.median(rest(r) for r in reports)
    return [name, units, functions, wall, llvm, other / units * 1e6, other / functions * 1e6]


def programs(context: Context) -> list[tuple[str, Path]]:
    found = [("generated", generate.module_path(200 if context.quick else 4_000, executed=100))]
    if context.quick:
        return found
    try:
        found.append(("Lua", lua.build("ll")))
    except Absent as reason:
        context.leave_out(f"Lua: {reason}")
    return found


def run(context: Context) -> list[Table]:
    """The table of this workload."""
    if not context.lazyjit:
        return []
    table = Table(
        "overhead",
        "All but LLVM, per unit",
        "Every function of a program compiled at -O0 by one lookup on one thread. The peers have no"
        " such figure: what they do beside LLVM's parsing and emission is not reported apart.",
        COLUMNS,
    )
    subjects = [
        peers.lazyjit(
            [path],
            opt_level=0,
            threads=1,
            options=["--all-bodies", "--unit-policy", policy],
            name=f"{name}, {policy}",
        )
        for name, path in programs(context)
        for policy in ("function", "cluster")
    ]
    measured = context.measure(subjects)
    table.rows = [row(name, entry) for name, entry in measured.items()]
    for name, entry in measured.items():
        if name.endswith("function"):
            value = row(name, entry)[5]
            figure = value if isinstance(value, float) else None
            table.aims.append(
                limit_aim(f"{name} by function: at most 60 us a unit", figure, 60, "us")
            )
    return [table]
