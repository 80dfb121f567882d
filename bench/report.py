"""Tables of figures that explain themselves, and the aims that they are held against.

A `Table` has a paragraph on what was measured, columns each with an explanation, rows, aims, and
what of it is worth a plot. It is shown on a terminal by rich, and written as JSON, which can be
read again, and as Markdown (`bench/page.py` puts that into the docs). A cell is a number, a text
(why there is no number) or None (the row has no such figure).
"""

from __future__ import annotations

import dataclasses
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = [
    "Aim",
    "Column",
    "Plot",
    "Table",
    "as_json",
    "from_json",
    "head_markdown",
    "machine",
    "show",
    "table_markdown",
]

Cell = float | int | str | None


@dataclass(frozen=True)
class Column:
    """A heading, what its figures mean, and how they are written (`{:.3f}`)."""

    heading: str
    meaning: str
    style: str = "{:.3f}"


@dataclass(frozen=True)
class Aim:
    """What we want, what we have (None: not measured), and whether that is enough."""

    text: str
    value: str | None
    met: bool | None


@dataclass(frozen=True)
class Plot:
    """What of a table is drawn, and how (`bench/plots.py`). `name` is the file's.

    Bars: a group for each row, in it a bar for each of the `columns`; `across`: a group for each
    column, in it a bar for each row. Lines: one for each row, along the columns.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    axis: str
    #: What the numbers are that the columns' headings begin with, of lines.
    along: str = ""
    kind: str = "bars"
    across: bool = False
    #: Values are divided by those of this row, which is left out.
    over: str | None = None
    #: A row's name is a group and a bar, with this between: "fused, by Numba".
    split: str = ""
    #: Only rows that begin so.
    rows: str = ""
    #: Whether values are ratios: bars then begin at 1.
    ratio: bool = True


@dataclass
class Table:
    """One workload's figures. `name` is what selects it on the command line."""

    name: str
    title: str
    about: str
    columns: Sequence[Column]
    rows: list[list[Cell]] = field(default_factory=list)
    aims: list[Aim] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    plots: list[Plot] = field(default_factory=list)


def written(cell: Cell, column: Column) -> str:
    if cell is None:
        return ""
    return cell if isinstance(cell, str) else column.style.format(cell)


def ratio_aim(text: str, value: float | None, least: float) -> Aim:
    """An aim that is met when `value` is at least `least`."""
    if value is None:
        return Aim(text, None, None)
    return Aim(text, f"{value:.2f}x", value >= least)


def limit_aim(text: str, value: float | None, most: float, unit: str) -> Aim:
    """An aim that is met when `value` is at most `most`."""
    if value is None:
        return Aim(text, None, None)
    return Aim(text, f"{value:.3g} {unit}", value <= most)


def verdict(aim: Aim) -> str:
    if aim.met is None:
        return "not measured"
    return "met" if aim.met else "missed"


def machine() -> dict[str, str]:
    """What the figures were made on."""
    model = "unknown"
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    processors = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    )
    return {"processor": model, "processors": str(processors), "system": platform.platform()}


def as_json(tables: Sequence[Table], context: Mapping[str, Any]) -> str:
    """Everything, for programs."""
    return json.dumps(
        {**context, "tables": [dataclasses.asdict(table) for table in tables]}, indent=1
    )


def from_json(text: str) -> tuple[list[Table], dict[str, Any]]:
    """What `as_json` wrote: the tables, and what they were measured with."""
    context = json.loads(text)
    tables = []
    for entry in context.pop("tables"):
        entry["columns"] = [Column(**column) for column in entry["columns"]]
        entry["aims"] = [Aim(**aim) for aim in entry["aims"]]
        plots = entry.pop("plots", [])
        entry["plots"] = [Plot(**{**plot, "columns": tuple(plot["columns"])}) for plot in plots]
        tables.append(Table(**entry))
    return tables, context


def head_markdown(context: Mapping[str, Any]) -> str:
    """What tables were measured with."""
    lines = [
        f"{what.capitalize()}: " + "; ".join(f"{k} {v}" for k, v in entries.items()) + ".\n"
        for what, entries in context.items()
        if isinstance(entries, Mapping)
    ]
    return "\n".join(lines)


def table_markdown(table: Table, images: Sequence[str] = ()) -> str:
    """One table as a section of docs/benchmarks.md, with these plots of it."""
    lines = [f"### {table.title}", "", table.about, ""]
    for image in images:
        lines += [image, ""]
    lines.append("| " + " | ".join(column.heading for column in table.columns) + " |")
    right = ["---"] + ["---:"] * (len(table.columns) - 1)
    lines.append("|" + "|".join(right) + "|")
    for row in table.rows:
        cells = [written(c, column) for c, column in zip(row, table.columns, strict=True)]
        lines.append("| " + " | ".join(cells) + " |")
    lines.append("")
    lines += [f"- *{column.heading}*: {column.meaning}" for column in table.columns]
    lines.append("")
    if table.aims:
        lines += ["| aim | measured | |", "|---|---:|---|"]
        lines += [f"| {a.text} | {a.value or ''} | {verdict(a)} |" for a in table.aims]
        lines.append("")
    for note in table.notes:
        lines += [note, ""]
    return "\n".join(lines)


def show(tables: Sequence[Table], context: Mapping[str, Any], console: Any) -> None:
    """Everything, on a rich console."""
    from rich.markup import escape
    from rich.table import Table as RichTable

    for what, entries in context.items():
        if isinstance(entries, Mapping):
            console.print(
                f"[bold]{what}[/]: " + escape("; ".join(f"{k} {v}" for k, v in entries.items()))
            )
    for table in tables:
        console.print()
        console.rule(f"[bold]{escape(table.title)}")
        console.print(escape(table.about))
        shown = RichTable(show_edge=False)
        for number, column in enumerate(table.columns):
            shown.add_column(escape(column.heading), justify="right" if number else "left")
        for row in table.rows:
            cells = zip(row, table.columns, strict=True)
            shown.add_row(*(escape(written(cell, column)) for cell, column in cells))
        console.print(shown)
        for column in table.columns:
            console.print(f"  [dim]{escape(column.heading)}: {escape(column.meaning)}[/]")
        for aim in table.aims:
            colour = {None: "yellow", True: "green", False: "red"}[aim.met]
            value = escape(aim.value or "")
            console.print(f"  [{colour}]{verdict(aim)}[/]: {escape(aim.text)}  [bold]{value}[/]")
        for note in table.notes:
            console.print(f"  {escape(note)}")
