"""Lua running a script that uses part of it: when does it say something, and when is it done?

The side by side is on the build without computed goto, which every peer can run; ours is shown on
the build with it too, where LLLazyJIT crashes. Peers run no optimization pipeline, so the row of
lazyjit that does the same work as theirs is the one of -O0 at their codegen level; -O2 is a row of
its own.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from bench import lua, peers
from bench.measure import Measured, Subject
from bench.report import Cell, Column, Plot, Table, ratio_aim
from bench.toolchain import Absent
from bench.workloads import Context, factor, least, present

SCRIPT = Path(__file__).resolve().parents[1] / "scripts" / "part.lua"

COLUMNS = [
    Column("subject", "what ran the program; thr.: threads that compile"),
    Column("first result s", "from the process's start of work to the first byte of output"),
    Column("end s", "... to the return of main"),
    Column(
        "vs ours, first",
        "its first result divided by our best one of the same codegen level",
        "{:.1f}x",
    ),
    Column("vs ours, end", "its end divided by our best one of the same codegen level", "{:.1f}x"),
    Column("peak MB", "the most memory that was resident", "{:.0f}"),
]


#: Quick code first, then the level that the row names, on threads that nobody waits for.
TIERED = "lazyjit tiered,"


def makers(context: Context, module: Path, levels: tuple[int, ...]) -> list[Callable[[], Subject]]:
    program = [module, SCRIPT]
    found: list[Callable[[], Subject]] = []
    for level in levels:
        for kind in ("lljit", "lllazyjit"):
            for threads in (0,) if context.quick else (0, 2):
                found.append(lambda k=kind, n=level, t=threads: peers.llvm(k, n, t, program))
        for kind in ("mcjit", "lljit"):
            found.append(lambda k=kind, n=level: peers.llvmlite(k, n, program))
        if context.lazyjit:
            for threads in (1, 2):
                found.append(
                    lambda n=level, t=threads: peers.lazyjit(
                        program, opt_level=0, codegen_level=n, threads=t
                    )
                )
    if context.lazyjit and not context.quick:
        for threads in (1, 2):
            found.append(lambda t=threads: peers.lazyjit(program, opt_level=2, threads=t))
        for level in (0, 2):
            found.append(
                lambda n=level: peers.lazyjit(
                    program,
                    opt_level=n,
                    codegen_level=2,
                    threads=2,
                    options=["--tiered"],
                    name=f"{TIERED} -O{n}, codegen 2, 2 thr.",
                )
            )
    return found


def ours(measured: dict[str, Measured], level: int, moment: str) -> float | None:
    """Our best at this codegen level doing what the peers do."""
    start = f"lazyjit -O0, codegen {level},"
    return least([m.median(moment) for name, m in measured.items() if name.startswith(start)])


def theirs(measured: dict[str, Measured], peer: str, level: int, moment: str) -> float | None:
    start = f"{peer}, codegen {level}"
    return least([m.median(moment) for name, m in measured.items() if name.startswith(start)])


def row(name: str, entry: Measured, measured: dict[str, Measured]) -> list[Cell]:
    if entry.failure:
        return [name, entry.failure, None, None, None, None]
    level = int(name.partition("codegen ")[2][0])
    first, end = entry.median("first_output"), entry.median("returned")
    memory = entry.median("max_rss")
    is_ours = name.startswith("lazyjit")
    return [
        name,
        first,
        end,
        None if is_ours else factor(first, ours(measured, level, "first_output")),
        None if is_ours else factor(end, ours(measured, level, "returned")),
        memory / 1e6 if memory else None,
    ]


def side_by_side(context: Context, kind: str) -> Table:
    """The build that every peer can run, from one kind of input."""
    table = Table(
        f"lua-{kind}",
        f"Lua 5.4 from .{kind}, without computed goto",
        "A real C program of 650 functions, compiled by clang -O1, runs bench/scripts/part.lua,"
        " which uses part of it.",
        COLUMNS,
        plots=[
            Plot(
                f"lua-{kind}",
                f"Lua from .{kind}: the peers' time by our best of the same codegen level",
                ("vs ours, first", "vs ours, end"),
                "times ours",
            )
        ],
    )
    module = lua.build(kind, jumptable=False)
    binary = lua.build("native", jumptable=False)
    output = subprocess.run([binary, SCRIPT], stdout=subprocess.PIPE, check=True).stdout
    levels = (0,) if context.quick else (0, 2)
    subjects = present(context, makers(context, module, levels))
    measured = context.measure(subjects, expected_output=output)
    table.rows = [row(name, entry, measured) for name, entry in measured.items()]

    def ratio(peer: str, level: int, moment: str) -> float | None:
        return factor(theirs(measured, peer, level, moment), ours(measured, level, moment))

    table.aims.append(
        ratio_aim(
            "codegen 0: no slower than eager LLJIT at the end",
            ratio("LLVM LLJIT", 0, "returned"),
            1,
        )
    )
    table.aims.append(
        ratio_aim(
            "codegen 0: 7 times faster than LLLazyJIT at the end",
            ratio("LLVM LLLazyJIT", 0, "returned"),
            7,
        )
    )
    if 2 in levels:
        for peer in ("LLVM LLJIT", "LLVM LLLazyJIT"):
            table.aims.append(
                ratio_aim(
                    f"default level: 5 times faster than {peer[5:]} at the first result",
                    ratio(peer, 2, "first_output"),
                    5,
                )
            )
            tiered = least(
                [
                    m.median("first_output")
                    for name, m in measured.items()
                    if name.startswith(TIERED)
                ]
            )
            table.aims.append(
                ratio_aim(
                    f"default level, tiered: 5 times {peer[5:]}'s speed at the first result",
                    factor(theirs(measured, peer, 2, "first_output"), tiered),
                    5,
                )
            )
    return table


def with_goto(context: Context) -> Table:
    """The build as Lua comes."""
    table = Table(
        "lua-goto",
        "Lua 5.4 from .bc, as it comes, with computed goto",
        "The same script on Lua as its makers build it. LLVM's LLLazyJIT crashes on it.",
        COLUMNS,
    )
    program = [lua.build("bc"), SCRIPT]
    output = subprocess.run(
        [lua.build("native"), SCRIPT], stdout=subprocess.PIPE, check=True
    ).stdout
    found: list[Callable[[], Subject]] = [
        lambda: peers.llvm("lljit", 0, 0, program),
        lambda: peers.llvm("lllazyjit", 0, 0, program),
    ]
    if context.lazyjit:
        for level in (0, 2):
            for threads in (1, 2):
                found.append(
                    lambda n=level, t=threads: peers.lazyjit(program, opt_level=n, threads=t)
                )
    measured = context.measure(present(context, found), expected_output=output)
    table.rows = [row(name, entry, measured) for name, entry in measured.items()]
    return table


def run(context: Context) -> list[Table]:
    """The tables of this workload; raises Absent without clang or Lua's source."""
    try:
        lua.build("bc", jumptable=False)
    except Absent as reason:
        context.leave_out(f"Lua: {reason}")
        return []
    if context.quick:
        return [side_by_side(context, "bc")]
    return [side_by_side(context, "bc"), side_by_side(context, "ll"), with_goto(context)]
