"""The table of --stats: how much was known, how little was compiled, and where the time went."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["report", "table"]


def _fields(statistics: Any) -> Mapping[str, Any]:
    if isinstance(statistics, Mapping):
        return statistics
    if dataclasses.is_dataclass(statistics):
        return {
            field.name: getattr(statistics, field.name) for field in dataclasses.fields(statistics)
        }
    as_dict = getattr(statistics, "_asdict", None)
    fields: Mapping[str, Any] = as_dict() if as_dict else vars(statistics)
    return fields


def _amount(name: str, value: Any) -> str:
    if isinstance(value, float):
        return f"{value * 1e3:,.1f} ms"
    if isinstance(value, int) and name.split("_")[-1] in ("bytes", "reserved", "committed", "used"):
        return f"{value / 1024:,.0f} KiB"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)


def _rows(statistics: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    fields = _fields(statistics)
    for name, value in fields.items():
        label = f"{prefix}{name.replace('_', ' ')}"
        if isinstance(value, Mapping) or dataclasses.is_dataclass(value):
            yield from _rows(value, f"{label}: ")
        else:
            text = _amount(name, value)
            known = fields.get("functions_known")
            if name == "functions_compiled" and known:
                text += f" ({100 * value / known:.1f}%)"
            yield label, text


def table(statistics: Any) -> str:
    """Labels and figures in two columns. Seconds are floats, and shown as milliseconds."""
    rows = list(_rows(statistics))
    left = max((len(label) for label, _ in rows), default=0)
    return "".join(f"  {label:<{left}}  {text:>12}\n" for label, text in rows)


def report(jit: Any) -> None:
    """Print the table of `jit` (None: there is no JIT yet) on stderr. Any thread; never raises."""
    if jit is None:
        return
    try:
        sys.stderr.write("lazyjit: statistics\n" + table(jit.statistics()))
        sys.stderr.flush()
    except Exception as error:  # a table must not change how a program ends
        sys.stderr.write(f"lazyjit: warning: no statistics: {error}\n")
