"""The page of figures: tables and plots written between its markers.

`python -m bench --markdown docs/benchmarks.md` of all workloads writes the part between the markers
anew. A run of some of them (`--only`) writes their sections and leaves the others alone; a section
is what stands under a table's title. Such a section says what it was measured with where that is
not what the head of the page says. Plots become SVG files in `figures/` beside the page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.plots import draw
from bench.report import Table, head_markdown, table_markdown
from bench.toolchain import Absent

__all__ = ["write_page"]

#: Where a page takes the tables.
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
SECTION = re.compile(r"^### (?P<title>.*)$", re.MULTILINE)


def write_page(
    path: Path, tables: Sequence[Table], context: Mapping[str, Any], *, whole: bool
) -> list[str]:
    """Put tables and plots into a page: between its markers if it has them, else as all of it.

    `whole` says that these are all the tables there are. Gives reasons why plots were left out.
    """
    page = path.read_text() if path.exists() else ""
    before, begin, rest = page.partition(BEGIN)
    old, end, after = rest.partition(END)
    marked = bool(begin and end)
    left_out: list[str] = []
    new = {table.title: section(table, path.parent, left_out) for table in tables}
    head = head_markdown(context)
    if not whole and marked:
        old_head, old_sections = split(old)
        if old_head.strip():
            if old_head.strip() != head.strip():
                note = "Measured apart from the other tables. " + " ".join(head.split())
                new = {title: f"{text.rstrip()}\n\n{note}\n\n" for title, text in new.items()}
            head = old_head
        new = old_sections | new
    text = head.strip() + "\n\n" + "".join(text.strip() + "\n\n" for text in new.values())
    path.write_text(f"{before}{begin}\n\n{text}{end}{after}" if marked else text)
    return left_out


def split(text: str) -> tuple[str, dict[str, str]]:
    """What is between the markers, as its head and its sections by title."""
    found = list(SECTION.finditer(text))
    ends = [each.start() for each in found[1:]] + [len(text)]
    sections = {
        each["title"]: text[each.start() : end] for each, end in zip(found, ends, strict=True)
    }
    return text[: found[0].start()] if found else text, sections


def section(table: Table, folder: Path, left_out: list[str]) -> str:
    """A table's Markdown, with its plots drawn into `figures/`."""
    images = []
    for plot in table.plots:
        try:
            drawing = draw(table, plot)
        except Absent as reason:
            if str(reason) not in left_out:
                left_out.append(str(reason))
            continue
        if drawing:
            figure = folder / "figures" / f"{plot.name}.svg"
            figure.parent.mkdir(exist_ok=True)
            figure.write_text(drawing)
            images.append(f"![{plot.title}](figures/{plot.name}.svg)")
    return table_markdown(table, images)
