"""Six numeric kernels: how fast they run, how soon there is a result, and how threads scale.

lazyjit from C, and from the IR that clang's front end makes of that C, beside a C extension module
of the same file, Numba on the same loops in Python, and NumPy and numexpr where they can say it
(bench/kernels/ has all of these, and what flags they get). Each result is compared with NumPy's.

Run times are measured in one process that has lazyjit, the extension module and Numba, by turns on
the same arrays; that needs an interpreter with Numba that can import lazyjit, this one or that of
LAZYJIT_BENCH_NUMBA. Where there is none, Numba has a process of its own.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence

from bench.kernels import NAMES, kernel
from bench.kernels.ways import IMPORTS, extension_file, ir_file
from bench.measure import Measured, Subject
from bench.peers import python_path
from bench.report import Aim, Cell, Column, Plot, Table, ratio_aim
from bench.toolchain import Absent, tool
from bench.workloads import Context, factor
from bench.workloads.callables import numba as numba_python

OURS = ("lazyjit-c", "lazyjit-ll")
#: The ways, and what tables call them.
SHOWN = {
    "lazyjit-c": "lazyjit, C",
    "lazyjit-ll": "lazyjit, .ll",
    "lazyjit-numba": "lazyjit.numba",
    "extension": "C extension",
    "numba": "Numba",
    "numpy": "NumPy",
    "numexpr": "numexpr",
}
NEEDS = {
    "lazyjit-c": "from C text: clang's front end, then lazyjit",
    "lazyjit-ll": "from a file of the IR that clang's front end writes, before any optimization",
    "lazyjit-numba": "from a Python function: Numba's front end, then lazyjit",
    "extension": "from C text: cffi's wrapper and clang -O3, then loading the module",
    "numba": "from a Python function: numba.njit, called with arrays",
    "numpy": "whole arrays",
    "numexpr": "an expression of whole arrays, one thread",
}


class Interpreters:
    """Which Python runs a way; None where it is absent, with the reason noted once."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.path = {"PYTHONPATH": python_path()}
        self.numba: str | None = None
        #: Whether that interpreter can run the other ways as well.
        self.together = False
        try:
            self.numba = numba_python()
            self.together = self.numba == sys.executable or self.imports(
                self.numba, "numba", "cffi", *(["lazyjit.jit"] if context.lazyjit else [])
            )
        except Absent as reason:
            context.leave_out(str(reason))
        self.rest = self.numba if self.numba and self.together else sys.executable
        try:
            tool("clang")
            self.clang = True
        except Absent as reason:
            self.clang = False
            context.leave_out(f"kernels from C: {reason}")

    def imports(self, python: str, *modules: str) -> bool:
        """Whether `python`, of our version, can import these as we do."""
        code = f"import sys, {', '.join(modules)}; print(sys.implementation.cache_tag)"
        done = subprocess.run(
            [python, "-c", code],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **self.path},
        )
        return done.returncode == 0 and done.stdout.strip() == sys.implementation.cache_tag

    def python(self, way: str) -> str | None:
        """The interpreter for a way."""
        if way.startswith("lazyjit") and not self.context.lazyjit:
            return None
        if way in ("lazyjit-c", "lazyjit-ll", "extension") and not self.clang:
            return None
        if way == "numba":
            return self.numba
        if way == "lazyjit-numba" and not (self.numba and self.together):
            return None
        if not self.imports(self.rest, "numpy", *IMPORTS.get(way, ())):
            self.context.leave_out(f"{SHOWN[way]}: not installed")
            return None
        return self.rest

    def present(self, ways: Sequence[str]) -> dict[str, str]:
        """Way and interpreter, of those that are there."""
        found = {way: self.python(way) for way in ways}
        return {way: python for way, python in found.items() if python is not None}

    def subject(self, name: str, python: str, module: str, *arguments: str) -> Subject:
        command = [python, "-m", f"bench.peers.{module}", *arguments]
        return Subject(name, lambda times: [*command, "--times", times], environment=self.path)


def quickly(context: Context) -> list[str]:
    return ["--quick"] if context.quick else []


def running(context: Context, pythons: Interpreters) -> list[Table]:
    """Run times, and the same as ratios."""
    ways = pythons.present([*OURS, "extension", "numba", "numpy", "numexpr"])
    subjects = []
    for name in NAMES:
        able = [way for way in ways if way != "numexpr" or kernel(name).numexpr]
        for python in dict.fromkeys(ways.values()):
            group = [way for way in able if ways[way] == python]
            arguments = [name, "--ways", *group, *quickly(context)]
            subjects.append(pythons.subject(f"{name} {python}", python, "kernel_times", *arguments))
    measured = context.measure(subjects)
    times = Table(
        "kernels",
        "Six kernels: one call",
        "The least time of one call, of all turns of all runs. One thread, arrays that the caches"
        " hold. NumPy's matrix product is its BLAS library's, which is another algorithm.",
        [
            Column("kernel", "bench/kernels/ has it in C and in Python"),
            *(Column(f"{SHOWN[way]} ms", NEEDS[way]) for way in ways),
        ],
    )
    ratios = Table(
        "kernels-ratio",
        "Six kernels: times the C extension's time",
        "The same calls as ratios of neighbours in time: a way's call by the extension module's of"
        " the same turn, the median of all turns of all runs. Under 1 is faster than"
        " `clang -O3 -march=native -fno-math-errno`.",
        [
            Column("kernel", "as above"),
            *(Column(SHOWN[way], NEEDS[way], "{:.2f}") for way in ways if way != "extension"),
        ],
        plots=[
            Plot(
                "kernels-ratio",
                "Run time of a kernel, by the C extension's",
                tuple(SHOWN[way] for way in ways if way != "extension"),
                "times the C extension's time",
            )
        ],
    )
    against_c: list[float] = []
    against_numba: list[float] = []
    for name in NAMES:
        entries = [e for key, e in measured.items() if key.partition(" ")[0] == name]
        failure = next((e.failure for e in entries if e.failure), None)
        turns = all_turns(entries)
        row: list[Cell] = [name, *(least_ms(turns.get(way)) for way in ways)]
        reference = turns.get("extension")
        relative = {way: paired(turns.get(way), reference) for way in ways if way != "extension"}
        ratio: list[Cell] = [name, *relative.values()]
        if failure:
            row[1], ratio[1] = failure, failure
        times.rows.append(row)
        ratios.rows.append(ratio)
        against_c += [value for way in OURS if (value := relative.get(way)) is not None]
        against_numba += [
            value
            for way in OURS
            if (value := paired(turns.get("numba"), turns.get(way))) is not None
        ]
    worst = max(against_c, default=None)
    ratios.aims.append(
        Aim(
            "each kernel within 3% of the C extension",
            None if worst is None else f"{worst:.3f} at worst",
            None if worst is None else worst <= 1.03,
        )
    )
    slowest = min(against_numba, default=None)
    ratios.aims.append(
        Aim(
            "each kernel ahead of Numba or equal (within 3%)",
            None if slowest is None else f"Numba takes {slowest:.3f} of our time at worst",
            None if slowest is None else slowest >= 0.97,
        )
    )
    return [times, ratios]


def all_turns(entries: Sequence[Measured]) -> dict[str, list[float]]:
    """Each way's turns, of all runs one after the other."""
    found: dict[str, list[float]] = {}
    for entry in entries:
        for sample in entry.samples:
            for way, seconds in sample.report.get("seconds", {}).items():
                found.setdefault(way, []).extend(seconds)
    return found


def least_ms(turns: Sequence[float] | None) -> float | None:
    return min(turns) * 1e3 if turns else None


def paired(turns: Sequence[float] | None, reference: Sequence[float] | None) -> float | None:
    """The median ratio of neighbours, or of the least times where there were fewer turns of one."""
    if not turns or not reference:
        return None
    if len(turns) == len(reference):
        return statistics.median(a / b for a, b in zip(turns, reference, strict=True))
    return min(turns) / min(reference)


def first_results(context: Context, pythons: Interpreters) -> Table:
    """From source to the first result."""
    ways = pythons.present([*OURS, "lazyjit-numba", "numba", "extension"])
    table = Table(
        "kernels-first",
        "Six kernels: from source to the first result",
        "In a process that has made nothing before, on small arrays; the least of all runs. Numba"
        " and lazyjit.numba start from Python source, whose types have to be found first; lazyjit,"
        " as the extension module, from C, or from the IR that clang's front end makes of it.",
        [
            Column("kernel", "what was made and called, and by whom"),
            Column("first ms", "from source to result, all modules being imported", "{:.1f}"),
            Column("with imports ms", "the same and the imports, NumPy's too", "{:.1f}"),
            Column("later ms", "the same for a second kernel of the process", "{:.1f}"),
            Column("of Numba's", "first, as a part of Numba's", "{:.2f}"),
            Column("of Numba's, imports", "with imports, as a part of Numba's", "{:.2f}"),
            Column("of Numba's, later", "later, as a part of Numba's", "{:.2f}"),
        ],
        plots=[
            Plot(
                "kernels-first",
                "From source to the first result, by Numba's time",
                ("of Numba's",),
                "times Numba's time (imports left out)",
                split=": ",
            )
        ],
    )
    subjects = [
        pythons.subject(f"{name} {way}", python, "kernel_first", name, "--way", way)
        for name in NAMES
        for way, python in ways.items()
    ]
    measured = context.measure(subjects)
    worst: dict[str, dict[str, float]] = {way: {} for way in OURS}
    for name in NAMES:
        reference = moments(measured.get(f"{name} numba"))
        for way in ways:
            entry = measured[f"{name} {way}"]
            own = moments(entry)
            parts = {moment: factor(own[moment], reference[moment]) for moment in own}
            scaled = [None if each is None else each * 1e3 for each in own.values()]
            row: list[Cell] = [f"{name}: {SHOWN[way]}", *scaled]
            row += [None] * 3 if way == "numba" else parts.values()
            if entry.failure:
                row[1] = entry.failure
            table.rows.append(row)
            if way in worst:
                for moment, part in parts.items():
                    if part is not None:
                        worst[way][moment] = max(part, worst[way].get(moment, 0))
    texts = {"first": "imports left out", "all": "imports included", "later": "later kernels"}
    for way in OURS:
        for moment, text in texts.items():
            part = worst[way].get(moment)
            table.aims.append(
                Aim(
                    f"{SHOWN[way]}, {text}: a tenth of Numba's time for each kernel",
                    None if part is None else f"{part:.2f} of it at worst",
                    None if part is None else part <= 0.1,
                )
            )
    return table


def moments(entry: Measured | None) -> Mapping[str, float | None]:
    """First, with imports, and later: the least that was measured, in seconds."""
    if entry is None or entry.failure is not None:
        return {"first": None, "all": None, "later": None}
    first, later = entry.values("first"), entry.values("later")
    both = [a + b for a, b in zip(entry.values("import"), first, strict=True)]
    return {
        "first": min(first, default=None),
        "all": min(both, default=None),
        "later": min(later, default=None),
    }


def threads(context: Context, pythons: Interpreters) -> Table:
    """Four threads against one."""
    ways = pythons.present(["lazyjit-ll", "extension", "numba"])
    table = Table(
        "kernels-threads",
        "Six kernels: four threads against one",
        "Eight calls on eight sets of arrays, by one thread and by four that share them, in turns;"
        " lazyjit and Numba with `nogil=True`, cffi lets go of the lock by itself. By the least"
        f" time of each. Processors: {len(os.sched_getaffinity(0))}.",
        [
            Column("kernel", "what was called"),
            *(
                Column(SHOWN[way], f"{NEEDS[way]}: one thread's time by four threads'", "{:.2f}x")
                for way in ways
            ),
        ],
    )
    subjects = [
        pythons.subject(
            f"{name} {way}", python, "kernel_threads", name, "--way", way, *quickly(context)
        )
        for name in NAMES
        for way, python in ways.items()
    ]
    measured = context.measure(subjects)
    for name in NAMES:
        row: list[Cell] = [name]
        for way in ways:
            entry = measured[f"{name} {way}"]
            row.append(entry.failure or speed_up(entry))
        table.rows.append(row)
    if "lazyjit-ll" in ways:
        ours = [row[1] for row in table.rows if isinstance(row[1], float)]
        table.aims.append(ratio_aim("four threads: at least 1.9", min(ours, default=None), 1.9))
    return table


def speed_up(entry: Measured) -> float | None:
    one = [each for sample in entry.samples for each in sample.report["one"]]
    four = [each for sample in entry.samples for each in sample.report["four"]]
    return factor(min(one), min(four)) if one and four else None


def run(context: Context) -> list[Table]:
    """The tables of this workload."""
    pythons = Interpreters(context)
    if pythons.clang:
        for name in NAMES:  # before anybody's clock
            ir_file(kernel(name)), extension_file(kernel(name))
    repeats = context.repeats
    tables = running(context, pythons)
    context.repeats = repeats if context.quick else 2 * repeats
    tables.append(first_results(context, pythons))
    context.repeats = repeats
    tables.append(threads(context, pythons))
    return tables
