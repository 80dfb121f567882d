"""Figures on their way to the page: JSON and back, sections, plots; and the checks of kernels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.kernels import NAMES, copies, kernel
from bench.page import BEGIN, END, write_page
from bench.plots import draw, series
from bench.report import Aim, Column, Plot, Table, as_json, from_json

CONTEXT = {"machine": {"processor": "one"}}


def table(title: str, value: float) -> Table:
    return Table(
        title.lower(),
        title,
        "What was measured.",
        [Column("way", "who"), Column("ratio", "how much", "{:.1f}")],
        [["fused: ours", value], ["fused: theirs", 4.0], ["nbody: ours", "crashes"]],
        [Aim("be quick", "yes", True)],
        plots=[Plot("a-plot", "A plot", ("ratio",), "times", split=": ")],
    )


def test_figures_survive_json() -> None:
    tables = [table("First", 1.0), table("Second", 2.0)]
    assert from_json(as_json(tables, CONTEXT)) == (tables, CONTEXT)


def test_a_page_gets_new_sections_for_old_ones_and_keeps_the_others(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"Words before.\n\n{BEGIN}\n{END}\n\nWords after.\n")
    write_page(page, [table("First", 1.0), table("Second", 2.0)], CONTEXT, whole=True)
    once = page.read_text()
    write_page(page, [table("Second", 3.0)], CONTEXT, whole=False)
    assert page.read_text() == once.replace("| fused: ours | 2.0 |", "| fused: ours | 3.0 |")
    write_page(page, [table("Third", 5.0)], {"machine": {"processor": "two"}}, whole=False)
    text = page.read_text()
    assert text.startswith("Words before.") and text.endswith("Words after.\n")
    assert [text.count(f"### {title}\n") for title in ("First", "Second", "Third")] == [1, 1, 1]
    assert "Measured apart from the other tables. Machine: processor two." in text
    write_page(page, [table("Third", 5.0)], CONTEXT, whole=True)
    assert "### First" not in page.read_text()


def test_plots_take_ratios_out_of_tables_and_are_the_same_each_time(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    one = table("First", 0.5)
    assert series(one, one.plots[0]) == {"ours": {"fused": 0.5}, "theirs": {"fused": 4.0}}
    page = tmp_path / "page.md"
    for _ in range(2):
        assert write_page(page, [one], CONTEXT, whole=True) == []
        drawn = (tmp_path / "figures" / "a-plot.svg").read_text()
        assert drawn == draw(one, one.plots[0])
        assert "![A plot](figures/a-plot.svg)" in page.read_text()
    assert ">A plot<" in drawn and ">theirs<" in drawn  # text, not outlines


def test_rows_can_be_series_and_one_of_them_the_measure() -> None:
    rows: list[list[float | int | str | None]] = [["ours", 2.0, 5.0], ["theirs", 4.0, None]]
    columns = [Column("way", ""), Column("add us", ""), Column("mul us", "")]
    plot = Plot("p", "P", ("add us", "mul us"), "times", across=True, over="ours")
    assert series(Table("t", "T", "", columns, rows), plot) == {"theirs": {"add": 2.0}}


@pytest.mark.parametrize("name", NAMES)
def test_numpy_and_the_loops_agree_on_every_kernel_and_a_wrong_result_is_noticed(name: str) -> None:
    what = kernel(name)
    arguments = what.arguments(what.sizes[-1])
    by_numpy, by_loops = copies(arguments), copies(arguments)
    what.numpy(*by_numpy)
    what.python(*by_loops)
    what.check(by_loops, by_numpy)
    output = by_loops[what.outputs[-1]]
    np.add(output, 1, out=output)
    with pytest.raises(AssertionError, match=name):
        what.check(by_loops, by_numpy)
