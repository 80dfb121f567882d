"""Start-up: whole processes, from their start to a first result and to their end.

A program that runs for a tenth of a second is mostly start. So here the process counts whole:
Python's own start, imports, the JIT's construction, compilation, and the end. Bytecode is compiled
beforehand, as installing a package does.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.measure import Measured, Subject
from bench.peers import ROOT
from bench.report import Cell, Column, Table, ratio_aim
from bench.toolchain import Absent, built, cache_dir, digest, system_tool, tool
from bench.toolchain import run as run_tool
from bench.workloads import Context, factor, present
from bench.workloads.callables import numba

PEER = ROOT / "bench" / "peers" / "process_times.py"

IR = "define double @twice(double %x) { %y = fadd double %x, %x\\n ret double %y }"
C = "double twice(double x) { return x + x; }"

#: What a Python process does; each ends when it has done it.
SCRIPTS = {
    "Python alone": "pass",
    "import numpy": "import numpy",
    "import lazyjit": "import lazyjit.jit",
    "JIT()": "import lazyjit; lazyjit.JIT()",
    "result of IR": f'import lazyjit\njit = lazyjit.JIT()\njit.add("{IR}")\n'
    'assert jit["twice"](4.0) == 8.0',
    "result of C": f'import lazyjit\njit = lazyjit.JIT()\njit.add_c("{C}")\n'
    'assert jit["twice"](4.0) == 8.0',
    "Numba: import": "import numba",
    "Numba: result": "import numba\n@numba.njit\ndef twice(x):\n    return x + x\n"
    "assert twice(4.0) == 8.0",
}

COLUMNS = [
    Column("process", "what it does, from its start to its end"),
    Column("wall ms", "the fastest run, on the clock", "{:.1f}"),
    Column("CPU ms", "the run with the least time of processors, all threads", "{:.1f}"),
]


def subject(
    context: Context, name: str, command: Sequence[str | Path], *, ours: bool = True
) -> Subject:
    """A process to be started and timed, some rounds in each run."""
    rounds = "3" if context.quick else "10"
    environment = {
        # Bytecode is compiled once, in a place of its own; and nothing else is searched.
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(cache_dir() / "bytecode"),
        "PYTHONPATH": str(ROOT) if ours else "",
    }
    return Subject(
        name,
        lambda times: [sys.executable, PEER, "--rounds", rounds, "--times", times, "--", *command],
        environment=environment,
    )


def script(context: Context, name: str) -> Subject:
    """A script of SCRIPTS; raises Absent."""
    ours = not name.startswith("Numba")
    if name == "result of C":
        tool("clang")
    return subject(
        context, name, [sys.executable if ours else numba(), "-c", SCRIPTS[name]], ours=ours
    )


def milliseconds(entry: Measured, moment: str) -> float | None:
    if entry.failure is not None:
        return None
    least = min(entry.values(moment), default=None)
    return None if least is None else least * 1e3


def cells(name: str, entry: Measured) -> list[Cell]:
    wall = milliseconds(entry, "wall")
    return [name, entry.failure or wall, milliseconds(entry, "cpu")]


def first_results(context: Context) -> Table:
    table = Table(
        "startup",
        "A first result, from the start of the process",
        "Each a Python process, whole. Results are those of a function that adds a number to"
        " itself: as IR text, as C (which includes starting clang), and jitted by Numba.",
        [*COLUMNS, Column("of Numba's result", "wall, as a part of its", "{:.3f}")],
    )
    names = [
        name
        for name in SCRIPTS
        if context.lazyjit or name.startswith(("Numba", "Python", "import numpy"))
    ]
    makers: list[Callable[[], Subject]] = [
        lambda name=name: script(context, name)  # type: ignore[misc]
        for name in names
    ]
    found = context.measure(present(context, makers))
    walls = {name: milliseconds(entry, "wall") for name, entry in found.items()}
    theirs = walls.get("Numba: result")
    for name, entry in found.items():
        wall = walls[name]
        part = wall / theirs if wall is not None and theirs else None
        table.rows.append([*cells(name, entry), part])
    table.aims.append(
        ratio_aim(
            "a first result of IR in a tenth of Numba's time",
            factor(theirs, walls.get("result of IR")),
            10,
        )
    )
    return table


def object_file() -> Path:
    """A program of one object: main returns 0."""
    compiler = system_tool("cc")
    source = "int twice(int x) { return x + x; }\nint main(void) { return twice(21) - 42; }\n"

    def build(product: Path) -> None:
        text = product.with_suffix(".c")
        text.write_text(source)
        run_tool([compiler, "-O1", "-fPIC", "-c", text, "-o", product])

    return built("twice.o", digest([compiler, source]), build)


def commands(context: Context) -> Table:
    table = Table(
        "startup-commands",
        "Commands: whole programs beside LLVM's tools",
        "`lazyjit run` and lli with examples/mandelbrot.ll, which draws a picture in a few"
        " milliseconds; `lazyjit link` and llvm-jitlink with an object of two functions.",
        [*COLUMNS, Column("x LLVM's", "wall, as a multiple of the LLVM tool's", "{:.2f}")],
    )
    own = [sys.executable, "-m", "lazyjit"]
    program = ROOT / "examples" / "mandelbrot.ll"
    makers: dict[str, Callable[[], Sequence[str | Path]]] = {
        "lli": lambda: [tool("lli"), program],
        "lli, lazy": lambda: [tool("lli"), "--jit-kind=orc-lazy", program],
        "lazyjit run": lambda: [*own, "run", program],
        "lazyjit run, eager": lambda: [*own, "run", "--eager", program],
        "llvm-jitlink": lambda: [tool("llvm-jitlink"), object_file()],
        "lazyjit link": lambda: [*own, "link", object_file()],
        "lazyjit link, no debugger": lambda: [
            *own, "link", "--debugger-support=false", object_file(),
        ],
        "lazyjit --help": lambda: [*own, "--help"],
    }  # fmt: skip
    subjects = []
    for name, make in makers.items():
        if name.startswith("lazyjit") and not context.lazyjit:
            continue
        try:
            subjects.append(subject(context, name, make()))
        except Absent as reason:
            context.leave_out(str(reason))
    found = context.measure(subjects)
    walls = {name: milliseconds(entry, "wall") for name, entry in found.items()}
    for name, entry in found.items():
        peer = "lli" if "run" in name or "lli" in name else "llvm-jitlink"
        times = None if name.endswith("--help") else factor(walls[name], walls.get(peer))
        table.rows.append([*cells(name, entry), times])
    return table


def run(context: Context) -> list[Table]:
    """The tables of this workload."""
    return [first_results(context), commands(context)]
