"""Releasing units that depend on each other: lazyjit's core alone, without IR, LLVM or a linker.

    python -m bench.peers.lazyjit_dependences --shape SHAPE [--units N] --times FILE

N units of one symbol each are defined, asked for by one query, and resolved. Then each is emitted
with its dependences, and the clock stops when the query has its answer: "returned", in seconds from
the first emission ("emitted": when the last one was done). "defined", "asked" and "resolved" are
what came before, each from its own start.

Shapes: `chain` unit i needs i+1, emitted from 0 on, so that all wait for the last one;
`reverse-chain` the same emitted from the end, so that each is ready at once; `star` all need unit
0, which is emitted last; `reverse-star` unit 0, emitted first, needs all; `ring` a chain whose last
unit needs the first; `random` each needs three others anywhere, in a random order: circles within
circles.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lazyjit.core.responsibility import MaterializationResponsibility
from lazyjit.core.session import ExecutionSession
from lazyjit.core.states import LookupFlags, SymbolState
from lazyjit.core.unit import MaterializationUnit
from lazyjit.symbols import ExecutorSymbolDef, SymbolFlags

SHAPES = ("chain", "reverse-chain", "star", "reverse-star", "ring", "random")


class Kept(MaterializationUnit):
    """A unit that is made later, by hand: it hands its responsibility out."""

    def __init__(self, name: str, kept: dict[str, MaterializationResponsibility]) -> None:
        super().__init__(name, {name: SymbolFlags.EXPORTED})
        self.kept = kept

    def materialize(self, responsibility: MaterializationResponsibility) -> None:
        self.kept[self.name] = responsibility


def shape(kind: str, count: int) -> tuple[Sequence[Sequence[int]], Sequence[int]]:
    """Whom each unit needs, and the order in which they are emitted."""
    forward = range(count)
    if kind in ("chain", "reverse-chain"):
        needs: list[list[int]] = [[i + 1] if i + 1 < count else [] for i in forward]
        return needs, forward if kind == "chain" else range(count - 1, -1, -1)
    if kind == "star":
        return [[0] if i else [] for i in forward], [*range(1, count), 0]
    if kind == "reverse-star":
        return [list(range(1, count)), *([] for _ in range(count - 1))], forward
    if kind == "ring":
        return [[(i + 1) % count] for i in forward], forward
    dice = random.Random(count)
    order = list(forward)
    dice.shuffle(order)
    return [[dice.randrange(count) for _ in range(3)] for _ in forward], order


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--shape", choices=SHAPES, required=True)
    parser.add_argument("--units", type=int, default=100_000)
    parser.add_argument("--times", type=Path, required=True)
    options = parser.parse_args()
    needs, order = shape(options.shape, options.units)
    names = [f"u{i}" for i in range(options.units)]
    clock = time.perf_counter

    session = ExecutionSession()
    dylib = session.create_dylib("main")
    kept: dict[str, MaterializationResponsibility] = {}
    start = clock()
    for name in names:
        dylib.define(Kept(name, kept))
    defined = clock() - start

    answer: list[Any] = []
    done = threading.Event()

    def complete(symbols: Any, error: Any) -> None:
        answer.append(error if error is not None else len(symbols))
        done.set()

    start = clock()
    where = [(dylib, LookupFlags.ALL_SYMBOLS)]
    session.lookup_async(where, names, SymbolState.READY, complete)
    asked = clock() - start
    responsibilities = [kept.pop(name) for name in names]
    start = clock()
    for number, responsibility in enumerate(responsibilities):
        address = ExecutorSymbolDef(4096 + 16 * number, SymbolFlags.EXPORTED)
        responsibility.notify_resolved({names[number]: address})
    resolved = clock() - start
    # Made beforehand: a linker has the names of what a unit needs at hand.
    groups = [[([names[i]], {dylib: [names[n] for n in needs[i]]})] for i in order]
    # The collector would walk all of the million objects that this program made for itself.
    gc.collect()
    gc.freeze()
    start = clock()
    for index, group in zip(order, groups, strict=True):
        responsibilities[index].notify_emitted(group)
    emitted = clock() - start
    done.wait(60)
    returned = clock() - start
    report = {"start": 0.0, "defined": defined, "asked": asked, "resolved": resolved}
    report |= {"emitted": emitted, "returned": returned}
    if answer != [options.units]:
        raise SystemExit(f"the query's answer was {answer[:1]}")
    options.times.write_text(json.dumps(report))
    os._exit(0)


if __name__ == "__main__":
    main()
