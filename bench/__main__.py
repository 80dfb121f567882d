"""`python -m bench`: run the workloads, print the tables, keep the figures.

    python -m bench                        all workloads, five runs each: about twenty minutes
    python -m bench --quick                each once at a small size: a smoke test
    python -m bench --only lua --only calls --repeats 9
    python -m bench --json figures.json --markdown docs/benchmarks.md
    python -m bench --from figures.json --markdown docs/benchmarks.md     measures nothing

Tables go to standard output and progress to standard error. Ends with 1 when a subject that is ours
failed, not when an aim is missed: an aim depends on the machine.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from bench import peers
from bench.page import write_page
from bench.report import Table, as_json, from_json, machine, show
from bench.toolchain import Absent
from bench.workloads import Context, lazyjit_absent

WORKLOADS = (
    *("lua", "modules", "overhead", "threads", "calls", "callables", "ufuncs", "kernels"),
    *("dependences", "memory", "linking", "startup"),
)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="each workload once, at a small size")
    parser.add_argument(
        "--only", action="append", choices=WORKLOADS, help="this workload (repeatable)"
    )
    parser.add_argument("--repeats", type=int, help="runs of each subject (default 5, --quick 1)")
    parser.add_argument("--peers-only", action="store_true", help="leave lazyjit itself out")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument(
        "--markdown", type=Path, help="write tables and plots into this page and its figures/"
    )
    parser.add_argument(
        "--from",
        dest="kept",
        type=Path,
        action="append",
        help="figures that --json wrote, instead of new ones (repeatable: later tables win)",
    )
    return parser.parse_args()


class Progress:
    """A bar on standard error when that is a terminal; nothing otherwise."""

    def __init__(self, console: Any) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        self.bar = Bar(
            TextColumn("{task.description:<50}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self.shown = console.is_terminal
        self.task = self.bar.add_task("", total=0)
        self.workload = ""
        self.total = 0

    def running(self) -> AbstractContextManager[Any]:
        return self.bar if self.shown else nullcontext()

    def expect(self, runs: int) -> None:
        self.total += runs
        self.bar.update(self.task, total=self.total)

    def step(self, what: str) -> None:
        self.bar.update(self.task, advance=1, description=f"{self.workload}: {what}"[:50])


def main() -> int:
    options = parse()
    try:
        from rich.console import Console
    except ImportError:
        print(
            "python -m bench shows its tables with rich: pip install 'lazyjit[bench]'",
            file=sys.stderr,
        )
        return 2
    if options.kept:
        tables, described = kept(options.kept)
        left_out = described.pop("left_out", [])
    else:
        tables, left_out = measured(options, Progress(Console(stderr=True)))
        described = {"versions": peers.peer_versions(), "machine": machine()}
    if options.json:
        options.json.write_text(as_json(tables, {**described, "left_out": left_out}))
    if options.markdown:
        whole = not options.only and not options.kept
        left_out = [*left_out, *write_page(options.markdown, tables, described, whole=whole)]
    show(tables, described, Console(width=None if sys.stdout.isatty() else 120))
    for reason in left_out:
        print(f"left out: {reason}")
    return 1 if ours_failed(tables) else 0


def measured(options: argparse.Namespace, progress: Progress) -> tuple[list[Table], list[str]]:
    """The tables of the workloads, and why something was left out."""
    context = Context(quick=options.quick, repeats=options.repeats or (1 if options.quick else 5))
    reason = "left out by --peers-only" if options.peers_only else lazyjit_absent()
    if reason is not None:
        context.lazyjit = False
        context.leave_out(reason)
    context.step, context.expect = progress.step, progress.expect
    tables: list[Table] = []
    with progress.running():
        for name in options.only or WORKLOADS:
            progress.workload = name
            try:
                tables += importlib.import_module(f"bench.workloads.{name}").run(context)
            except Absent as absent:
                context.leave_out(f"{name}: {absent}")
    return tables, context.left_out


def kept(files: Sequence[Path]) -> tuple[list[Table], dict[str, Any]]:
    """Figures of earlier runs: a table is the last file's that has it, the rest the first's."""
    tables: dict[str, Table] = {}
    described: dict[str, Any] = {}
    for file in files:
        found, context = from_json(file.read_text())
        tables |= {table.name: table for table in found}
        described = {**context, **described}
    return list(tables.values()), described


def ours_failed(tables: list[Table]) -> bool:
    """Whether a subject of ours has a reason in the place of its first figure."""
    peers_of_ours = ("LLVM", "llvmlite")
    return any(
        isinstance(cell, str)
        for table in tables
        for row in table.rows
        if not str(row[0]).startswith(peers_of_ours)
        for cell in row[1:]
    )


if __name__ == "__main__":
    sys.exit(main())
