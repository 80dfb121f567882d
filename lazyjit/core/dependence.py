"""Who waits for whom: when an emitted unit becomes ready.

A unit is ready when all that it reaches, through circles too, is emitted. `native/depend.h` tells
how that is found out in linear time; here are the graph's nodes and edges, seen from the session.

A work becomes a node when the first unit is emitted that depends on it, or when it is itself
emitted and has to wait; most never do. An edge stands for one name that one unit depends on, and is
labelled with that name's place among the symbols of the work that makes it. The label matters when
such a work is split: each of its dependants then waits for the part that has the name.

All of it runs under the session's lock and calls nothing outside.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from lazyjit._native import lib
from lazyjit.core.entries import BLOCKED, DONE, Effect, Entry, Work
from lazyjit.symbols import ExecutorSymbolDef

if TYPE_CHECKING:
    from lazyjit.core.dylib import JITDylib

    class DependenceGraph:
        """The native graph. Nodes are numbers from 1, given anew once a work is no node any more.

        A need is the number of the node that is needed, with the edge's label in the upper 32 bits.
        What gets numbers that are not nodes, or of the wrong kind, raises ValueError.
        """

        def add(self, work: Work) -> int:
            """A new node, not emitted. The graph keeps `work` as long as it is a node."""

        def emit(self, node: int, needs: list[int]) -> list[Work]:
            """An unemitted node is emitted. Returns what is ready now, and no node any more.

            What is depended on comes before what depends on it, but for circles.
            """

        def wanted(self, node: int) -> list[int]:
            """The labels of the edges to an unemitted node."""

        def move(self, node: int, needs: list[int]) -> list[Work]:
            """Edges to an unemitted node, in the order of `wanted`, become these. It is none then.

            Returns what it stood for.
            """

        def fail(self, nodes: list[int]) -> list[Work]:
            """These, and all that reach them, are no nodes any more. Returns them all."""

        def check(self) -> str | None:
            """Which invariant is broken, if any. For tests; linear."""

else:
    # By ctypes, which calls with the GIL held; `lib` lets go of it.
    DependenceGraph = ctypes.PYFUNCTYPE(ctypes.py_object)(int(lib.lj_depend_type()))()

__all__ = [
    "DependenceGraph",
    "Dependences",
    "absorb_dependants_locked",
    "doomed_locked",
    "needs_locked",
    "split_dependants_locked",
    "wait_locked",
    "wanted_locked",
]

#: Names by the dylib that they are in.
Dependences = Mapping["JITDylib", Iterable[str]]


def needs_locked(
    work: Work, dependences: Dependences, bad: list[tuple[JITDylib, str, Entry | None]]
) -> list[int]:
    """The edges to what `work` depends on and is not ready, for `wait_locked`.

    To `bad` go the dependences that can't be had: failed, gone, or never looked up.
    """
    needs: list[int] = []
    for dylib, names in dependences.items():
        get = dylib._symbols.get
        for name in names:
            entry = get(name)
            if entry.__class__ is Work:
                if entry is not work:
                    needs.append(_need(entry, name))
            elif entry.__class__ is not ExecutorSymbolDef and entry.__class__ is not Effect:
                bad.append((dylib, name, entry))
    return needs


def wait_locked(work: Work, needs: list[int]) -> list[Work]:
    """`work` is emitted. Returns the works that are ready now, what they depend on first.

    Their stage is DONE; publishing them is the caller's.
    """
    if not needs and not work.node:
        work.stage = DONE
        return [work]
    graph = work.dylib.session._graph
    work.stage = BLOCKED
    ready = graph.emit(work.node or _node(work), needs)
    for each in ready:
        each.stage = DONE
        each.node = 0
    return ready


def wanted_locked(work: Work) -> list[str]:
    """The symbols of `work`, unemitted, that emitted units depend on; one name for each edge."""
    if not work.node:
        return []
    names = list(work.flags)
    return [names[label] for label in work.dylib.session._graph.wanted(work.node)]


def doomed_locked(works: Iterable[Work]) -> list[Work]:
    """`works` and all that depend on them, transitively: what fails if they do."""
    doomed = dict.fromkeys(works)
    nodes = [work.node for work in doomed if work.node]
    if nodes:
        graph = next(iter(doomed)).dylib.session._graph
        for work in graph.fail(nodes):
            work.node = 0
            doomed[work] = None
    return list(doomed)


def split_dependants_locked(work: Work, owner: Mapping[str, Work]) -> None:
    """Whoever depends on a name of `work`, unemitted, depends on the name's new owner instead."""
    if work.node:
        needs = [_need(owner[name], name) for name in wanted_locked(work)]
        work.dylib.session._graph.move(work.node, needs)
        work.node = 0


def absorb_dependants_locked(taker: Work, other: Work) -> None:
    """`taker`, whose symbols include those of `other` by now, is depended on in its stead."""
    split_dependants_locked(other, dict.fromkeys(other.flags, taker))


def _need(work: Work, name: str) -> int:
    """The edge to a name of `work`."""
    node = work.node or _node(work)
    if len(work.flags) == 1:
        return node
    places = work.places
    if places is None or len(places) != len(work.flags):
        # Symbols are only ever added to a work, behind those that it has.
        places = work.places = {name: place for place, name in enumerate(work.flags)}
    return node | places[name] << 32


def _node(work: Work) -> int:
    work.node = node = work.dylib.session._graph.add(work)
    return node
