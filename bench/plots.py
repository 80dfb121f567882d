"""Plots of tables: bars of ratios on a logarithmic axis, and lines where a size grows.

A ratio is the honest thing to draw here: times of different kernels differ by factors of a
thousand, and those of another machine by some factor. On a logarithmic axis twice as fast is as far
from equal as half as fast. The files are SVG with text as text, and the same figures give the same
bytes, so that a repository keeps no history of dates.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any

from bench.report import Plot, Table
from bench.toolchain import Absent

__all__ = ["draw", "series"]

#: Category -> value, of each named series; what has no number is missing.
Series = dict[str, dict[str, float]]

COLOURS = ("#3f51b5", "#00897b", "#8d6e63", "#f4a000", "#d0485a", "#7e57c2", "#78909c", "#26c6da")
WIDTH, BAR = 7.2, 0.16
#: Of a time's heading; a ratio of times has none.
UNIT = re.compile(r" (us|ms|s)$")


def series(table: Table, plot: Plot) -> Series:
    """What a plot shows, taken out of its table."""
    headings = [column.heading for column in table.columns]
    places = [headings.index(heading) for heading in plot.columns if heading in headings]
    rows = [row for row in table.rows if str(row[0]).startswith(plot.rows)]
    over = next((row for row in rows if row[0] == plot.over), None)
    found: Series = {}
    for row in rows:
        for place in places:
            value, column = row[place], headings[place]
            if over is not None:
                if row is over:
                    continue
                below = over[place]
                value = value / below if number(value) and number(below) else None
            if not number(value) or value <= 0:
                continue
            category, name = str(row[0]), column
            if plot.split:
                category, _, name = category.partition(plot.split)
            elif plot.across or plot.kind == "lines":
                category, name = UNIT.sub("", name) if plot.ratio else name, category
            found.setdefault(name, {})[category] = float(value)
    return found


def number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def draw(table: Table, plot: Plot) -> str:
    """The plot as SVG, "" when its table has no such figures. Raises Absent without matplotlib."""
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError:
        raise Absent(
            "matplotlib is not installed: no plots (pip install 'lazyjit[bench]')"
        ) from None
    shown = series(table, plot)
    if not shown:
        return ""
    settings = {"svg.fonttype": "none", "svg.hashsalt": "lazyjit", "font.size": 9}
    settings |= {"font.family": "sans-serif", "axes.axisbelow": True}
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=(WIDTH, 3.4), layout="constrained", facecolor="white")
        axes = figure.subplots()
        (lines if plot.kind == "lines" else bars)(figure, axes, shown, plot)
        figure.suptitle(plot.title, x=0.01, ha="left", fontsize=10, fontweight="bold")
        axes.spines[["top", "right"]].set_visible(False)
        if len(shown) > 1 or plot.across:
            axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def plain(value: float, _: object = None) -> str:
    """A number as people write it: 0.25, 4, 1,000."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def bars(figure: Any, axes: Any, shown: Series, plot: Plot) -> None:
    """Groups of bars that lie, the first on top; from 1 to the value, so shorter is nearer to 1."""
    categories = list(dict.fromkeys(c for values in shown.values() for c in values))
    # Room only for the bars that a group has.
    place, ticks = 0.0, []
    base = 1.0 if plot.ratio else None
    values = [value for each in shown.values() for value in each.values()]
    low, high = min(values), max(values)
    low, high = (min(low, 1.0), max(high, 1.0)) if base else (low / 2, high)
    axes.set_xscale("log")
    for category in categories:
        present = [name for name in shown if category in shown[name]]
        middle = place + (len(present) - 1) / 2
        ticks.append(middle)
        for name in present:
            value = shown[name][category]
            colour = COLOURS[list(shown).index(name) % len(COLOURS)]
            start = base or low
            known = {"color": colour, "height": 0.86, "label": name}
            if category != next(c for c in categories if c in shown[name]):
                known["label"] = "_"
            axes.barh(place, value - start, left=start, **known)
            right = value >= start
            axes.annotate(
                f"{value:.3g}" if value < 1000 else f"{value:,.0f}",
                (value, place),
                xytext=(3 if right else -3, 0),
                textcoords="offset points",
                ha="left" if right else "right",
                va="center",
                fontsize=7,
            )
            place += 1
        place += 0.6
    figure.set_size_inches(WIDTH, 0.95 + BAR * place)
    axes.set_yticks(ticks, categories)
    axes.set_ylim(place - 0.4, -0.9)
    room = (high / low) ** 0.09 + 0.02
    axes.set_xlim(low / room, high * room)
    axes.set_xlabel(plot.axis)
    numbers(axes.xaxis)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    if base:
        axes.axvline(1, color="black", linewidth=0.8)


def numbers(axis: Any) -> None:
    """Plain numbers at an axis; more than the powers of ten where there are few."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = axis.get_view_interval()
    parts: Sequence[float] = (1,)
    if high / low < 4:
        parts = (1, 1.2, 1.5, 2, 3, 4, 5, 6, 7, 8, 9)
    elif high / low < 100:
        parts = (1, 2, 5)
    axis.set_major_locator(LogLocator(subs=parts))
    axis.set_major_formatter(FuncFormatter(plain))
    axis.set_minor_formatter(NullFormatter())


def lines(figure: Any, axes: Any, shown: Series, plot: Plot) -> None:
    """A line for each series, along the numbers that begin its categories; logarithmic axes."""
    for index, (name, values) in enumerate(shown.items()):
        at = [float(category.split()[0].replace(",", "")) for category in values]
        dashed = ":" if "after" in name else "-"
        colour = COLOURS[index % len(COLOURS)]
        axes.plot(
            at, list(values.values()), dashed, marker="o", markersize=3, color=colour, label=name
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(at, [f"{each:,.0f}" for each in at], minor=False)
    axes.minorticks_off()
    numbers(axes.yaxis)
    axes.set_ylabel(plot.axis)
    axes.set_xlabel(plot.along)
    axes.grid(color="#dddddd", linewidth=0.6)
