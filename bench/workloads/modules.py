"""Modules of more and more functions, of which always 100 are called: the time to the last call.

A lazy JIT's cost should grow with what is executed. What is left of growth is the reading of the
text: the row "lazyjit, after indexing" leaves that out.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bench import generate, peers
from bench.measure import Subject
from bench.report import Aim, Cell, Column, Plot, Table
from bench.workloads import Context, factor, present

SIZES = (1_000, 4_000, 16_000, 64_000)
QUICK_SIZES = (200, 400)
EXECUTED = 100
#: On what is larger, LLLazyJIT needs minutes and llvmlite's JITs nearly one.
LARGEST_FOR_SLOW_PEERS = 16_000


def makers(context: Context, path: Path, size: int) -> list[Callable[[], Subject]]:
    found: list[Callable[[], Subject]] = [
        lambda: peers.llvm("lljit", 0, 0, [path]),
    ]
    if size <= LARGEST_FOR_SLOW_PEERS:
        found.append(lambda: peers.llvmlite("mcjit", 0, [path]))
        found.append(lambda: peers.llvmlite("lljit", 0, [path]))
        found.append(lambda: peers.llvm("lllazyjit", 0, 0, [path]))
    if context.lazyjit:
        for threads in (1, 2):
            found.append(lambda t=threads: peers.lazyjit([path], opt_level=0, threads=t))
    return found


def run(context: Context) -> list[Table]:
    """The table of this workload."""
    sizes = QUICK_SIZES if context.quick else SIZES
    executed = min(EXECUTED, sizes[0] // 2)
    columns = [Column("subject", "what ran the program; thr.: threads that compile")]
    columns += [
        Column(f"{n:,} s", f"time to the last call in a module of {n:,} functions") for n in sizes
    ]
    table = Table(
        "modules",
        f"Generated modules of which {executed} functions are called",
        "From .ll text (about 1.2 kB a function) at codegen level 0, from the start of work to the"
        " return of main. LLLazyJIT and llvmlite are not run on more than"
        f" {LARGEST_FOR_SLOW_PEERS:,} functions: they take minutes.",
        columns,
        plots=[
            Plot(
                "modules",
                f"Time to the end of a program that calls {executed} functions of its module",
                tuple(column.heading for column in columns[1:]),
                "seconds",
                kind="lines",
                along="functions in the module",
                ratio=False,
            )
        ],
    )
    times: dict[str, dict[int, Cell]] = {}
    repeats = context.repeats
    for size in sizes:
        program = generate.generate(size, executed=executed)
        path = generate.module_path(size, executed=executed)
        # Twenty seconds a run for some: the figures differ by factors, so fewer runs will do.
        context.repeats = min(repeats, 3) if size >= 16_000 else repeats
        subjects = present(context, makers(context, path, size))
        measured = context.measure(subjects, expected_output=b"%d\n" % program.checksum())
        for name, entry in measured.items():
            times.setdefault(name, {})[size] = entry.failure or entry.median("returned")
            if name.startswith("lazyjit") and entry.failure is None:
                after = [
                    float(s.report["returned"]) - float(s.report["added"]) for s in entry.samples
                ]
                times.setdefault(f"{name}, after indexing", {})[size] = sorted(after)[
                    len(after) // 2
                ]
    context.repeats = repeats
    table.rows = [[name, *(by_size.get(n) for n in sizes)] for name, by_size in times.items()]
    flat = times.get("lazyjit -O0, codegen 0, 1 thr., after indexing", {})
    first, last = flat.get(sizes[0]), flat.get(sizes[-1])
    growth = factor(last, first) if isinstance(first, float) and isinstance(last, float) else None
    table.aims.append(
        Aim(
            f"flat but for indexing: {sizes[-1]:,} functions at most 1.3 times {sizes[0]:,}",
            None if growth is None else f"{growth:.2f}x",
            None if growth is None else growth <= 1.3,
        )
    )
    return [table]
