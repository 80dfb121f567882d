"""Calls: through the stub of a compiled function, and the first through one whose body is ready."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path

from bench import peers
from bench.measure import Measured, Subject
from bench.report import Cell, Column, Table, limit_aim
from bench.toolchain import Absent, compile_program
from bench.workloads import Context, present

SOURCE = Path(__file__).resolve().parents[1] / "scripts" / "calls.c"


def call_nanoseconds(entry: Measured) -> float | None:
    """What the program printed, the median of its runs."""
    if entry.failure or not entry.samples:
        return None
    return statistics.median(float(sample.output) for sample in entry.samples)


def through_stubs(context: Context) -> Table:
    table = Table(
        "calls",
        "A call through a function's address, when it is compiled",
        "bench/scripts/calls.c calls a function through a pointer in a loop, at the default codegen"
        " level. Eager JITs hand out the code's address, lazy ones a stub's.",
        [
            Column("subject", "what ran the loop"),
            Column("ns/call", "one call and return, and the loop around it", "{:.2f}"),
            Column("over direct", "the same less eager LLJIT's: what the stub costs", "{:+.2f}"),
        ],
    )
    module = compile_program([SOURCE], flags=["-O1"], kind="bc")
    makers: list[Callable[[], Subject]] = [
        lambda: peers.llvm("lljit", 2, 0, [module]),
        lambda: peers.llvm("lllazyjit", 2, 0, [module]),
        lambda: peers.llvmlite("mcjit", 2, [module]),
    ]
    if context.lazyjit:
        makers.append(lambda: peers.lazyjit([module], opt_level=0, codegen_level=2, threads=1))
        makers.append(lambda: peers.lazyjit([module], opt_level=2, threads=1))
    measured = context.measure(present(context, makers))
    direct = next((call_nanoseconds(e) for n, e in measured.items() if "LLJIT" in n), None)
    ours = None
    for name, entry in measured.items():
        each = call_nanoseconds(entry)
        over = each - direct if each is not None and direct is not None else None
        cells: list[Cell] = [name, entry.failure or each, over]
        table.rows.append(cells)
        if name.startswith("lazyjit") and over is not None:
            ours = max(over, ours) if ours is not None else over
    table.aims.append(limit_aim("a resolved stub: within 1 ns of a direct call", ours, 1.0, "ns"))
    return table


def resolving(context: Context) -> Table:
    functions = 100 if context.quick else 2000
    table = Table(
        "resolve",
        "The first call of a stub whose body is ready",
        f"{functions} functions are compiled, then called for the first time through their stubs,"
        " one after the other on one thread. A module's own stubs were resolved with their bodies:"
        " their first call finds nothing to do. So is a lazy reexport that is made when its body is"
        " ready; one that was there before sends its first call to the pool, which looks the symbol"
        " up and answers.",
        [
            Column("subject", "what was called"),
            Column("us/stub", "a first call less a second one", "{:.2f}"),
        ],
    )
    count = ["--functions", str(functions)]
    subjects = [
        peers.script("lazyjit, a function", "lazyjit_resolve", *count),
        peers.script("lazyjit, an older lazy reexport", "lazyjit_resolve", *count, "--reexports"),
    ]
    for name, entry in context.measure(subjects).items():
        each = entry.median("each")
        microseconds = each * 1e6 if each is not None else None
        table.rows.append([name, entry.failure or microseconds])
        table.aims.append(limit_aim(f"{name}: within 5 us", microseconds, 5.0, "us"))
    return table


def run(context: Context) -> list[Table]:
    """The tables of this workload."""
    tables = []
    try:
        tables.append(through_stubs(context))
    except Absent as reason:
        context.leave_out(f"calls: {reason}")
    if context.lazyjit:
        tables.append(resolving(context))
    return tables
