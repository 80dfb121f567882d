"""The options by which LLVM itself is tuned: thresholds of passes, dumps, experiments.

lli lists some 2,700 of them, because every library of LLVM's registers its own in any tool that
links it. The LLVM inside llvmlite has nine tenths of these too, and reads them in the same passes:
they are handed on to it, and its own parser judges their values. What it lacks belongs to Polly,
which llvmlite is built without. lli runs no pass of Polly's in any of its kinds, so those options
make no difference there and none here.

`lli_options.txt` is the list; it is read only when an option is in neither of the two tables.
"""

from __future__ import annotations

import functools

from lazyjit.cli.options import Arity, Fate, Option, Request

__all__ = ["find", "names"]

TUNES = "tunes LLVM, which reads it here as there"
POLLY = "lli runs no pass of Polly's either"


@functools.cache
def names() -> dict[str, tuple[bool, bool]]:
    """Name -> (needs a value, llvmlite's LLVM has it), for every option that lli lists."""
    from pathlib import Path  # most command lines have no such option

    found = {}
    for line in Path(__file__).with_name("lli_options.txt").read_text().splitlines():
        if not line.startswith("#"):
            name = line.removeprefix("*").removesuffix("=")
            found[name] = (line.endswith("="), line.startswith("*"))
    return found


def find(name: str) -> Option | None:
    """The row for an option of LLVM's own, or None when lli has no such option."""
    if name not in names():
        return None
    valued, handed_on = names()[name]
    arity = Arity.VALUE if valued else Arity.FLAG

    def hand_on(request: Request, value: str) -> None:
        request.llvm_arguments.append(f"-{name}={value}" if valued or value else f"-{name}")

    if handed_on:
        return Option((name,), arity, Fate.LLVM, TUNES, hand_on, hidden=True)
    return Option((name,), arity, Fate.ACCEPT, POLLY, hidden=True)
