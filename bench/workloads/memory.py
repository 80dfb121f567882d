"""What a function costs in memory that is known to the JIT and never called.

Resident memory is taken when the JIT exists and again when the module was added; nothing is
compiled. The difference between a large and a small module, divided by the functions between them,
is free of what any module costs.
"""

from __future__ import annotations

from collections.abc import Callable

from bench import generate, peers
from bench.measure import Subject
from bench.report import Cell, Column, Table, limit_aim
from bench.workloads import Context, present

SIZES = (1_000, 64_000)
QUICK_SIZES = (100, 400)

COLUMNS = [
    Column("subject", "what the module was added to, lazily where it can"),
    Column(
        "bytes/function", "resident memory for each function known, its text included", "{:.0f}"
    ),
    Column("beyond text", "the same less the function's own text of IR", "{:.0f}"),
]


def run(context: Context) -> list[Table]:
    """The table of this workload."""
    small, large = QUICK_SIZES if context.quick else SIZES
    executed = 50
    paths = {n: generate.module_path(n, executed=executed) for n in (small, large)}
    text = (paths[large].stat().st_size - paths[small].stat().st_size) / (large - small)
    table = Table(
        "memory",
        "Memory of a function that is known and never called",
        f"Modules of {small:,} and {large:,} functions ({text:.0f} bytes of text each) are added."
        " LLVM's peers keep the parsed module in memory and not its text.",
        COLUMNS,
    )

    def subjects(size: int) -> list[Callable[[], Subject]]:
        program = [paths[size]]
        found: list[Callable[[], Subject]] = [lambda: peers.llvm("lljit", 0, 0, program)]
        if context.lazyjit:
            found.append(lambda: peers.lazyjit(program, opt_level=0, threads=1))
        return found

    repeats, context.repeats = context.repeats, min(context.repeats, 3)
    by_size = {n: context.measure(present(context, subjects(n))) for n in (small, large)}
    context.repeats = repeats
    ours: float | None = None
    for name, entry in by_size[large].items():
        less, more = by_size[small][name].median("added_rss"), entry.median("added_rss")
        cells: list[Cell]
        if less is None or more is None:
            cells = [name, entry.failure or by_size[small][name].failure, None]
        else:
            each = (more - less) / (large - small)
            cells = [name, each, each - text]
            if name.startswith("lazyjit"):
                ours = each - text
        table.rows.append(cells)
    table.aims.append(limit_aim("under 300 bytes beyond its text", ours, 300, "bytes"))
    return [table]
