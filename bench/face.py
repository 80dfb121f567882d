"""lazyjit's face as the benchmarks use it: what they need beyond `JIT`'s own methods."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = [
    "body_name",
    "function_names",
    "llvm_seconds",
    "materialize_bodies",
    "new_jit",
    "statistics",
]

#: The stages whose time is LLVM's own, as `Statistics` names them.
LLVM_STAGES = ("parse", "optimize", "emit")

DEFINE = re.compile(rb'^define [^@]*@(?:"((?:[^"])*)"|([-a-zA-Z$._0-9]+))\(', re.MULTILINE)
LOCAL = re.compile(rb"^define (?:internal|private|available_externally) ", re.MULTILINE)


def new_jit(**options: Any) -> Any:
    """A `lazyjit.JIT`."""
    from lazyjit.jit import JIT

    return JIT(**options)


def body_name(name: str, ordinal: int | None = None) -> str:
    """The session's symbol for a function's code, as opposed to its stub.

    `ordinal` is the module's when the function is local to it.
    """
    return f"{name}$body" if ordinal is None else f"{name}${ordinal}$body"


def function_names(path: Path, *, ordinal: int = 0) -> list[str]:
    """The symbols of the bodies of a .ll file's functions, when it is the first one added."""
    names = []
    for line in path.read_bytes().splitlines():
        if line.startswith(b"define ") and not line.startswith(b"define available_externally"):
            match = DEFINE.match(line)
            if match is None:
                continue
            name = (match.group(1) or match.group(2)).decode("utf-8", "surrogateescape")
            names.append(body_name(name, ordinal if LOCAL.match(line) else None))
    return names


def materialize_bodies(jit: Any, names: Sequence[str]) -> dict[str, int]:
    """The addresses of these bodies, all asked for at once: whatever is missing is compiled."""
    from lazyjit.core.states import LookupFlags

    found = jit.session.lookup([(jit.main, LookupFlags.ALL_SYMBOLS)], names)
    return {name: symbol.address for name, symbol in found.items()}


def statistics(jit: Any) -> dict[str, Any]:
    """`jit.statistics()` as plain data that JSON takes."""
    return dict(plain(jit.statistics()))


def plain(value: Any) -> Any:
    """Data classes, named tuples, mappings and NumPy scalars as dicts, lists and numbers."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if hasattr(value, "item"):
        return value.item()
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return str(value)


def llvm_seconds(report: Mapping[str, Any]) -> float:
    """The time that LLVM itself took, of all threads together, from a report's statistics."""
    stages = report["statistics"]["seconds"]
    return sum(float(stages.get(stage, 0.0)) for stage in LLVM_STAGES)
