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
from typing import TYPE_CHECKING, Any, Final, Protocol

from lazyjit._native import lib
from lazyjit.core.entries import BLOCKED, DONE, Effect, Entry, Work
from lazyjit.symbols import ExecutorSymbolDef

if TYPE_CHECKING:
    from lazyjit.core.dylib import JITDylib

__all__ = [
    "DependenceGraph",
    "Dependences",
    "absorb_dependants_locked",
    "doomed_locked",
    "needs_locked",
    "new_graph",
    "split_dependants_locked",
    "wait_locked",
    "wanted_locked",
]

#: Names by the dylib that they are in.
Dependences = Mapping["JITDylib", Iterable[str]]


class DependenceGraph(Protocol):
    """The native graph. Nodes are numbers from 1, given anew once a work is no node any more.

    A need is the number of the node that is needed, with the edge's label in the upper 32 bits.
    Numbers that are not nodes, or of the wrong kind, raise ValueError, and change nothing.
    """

    def add(self, work: Work) -> int:
        """A new node, not emitted. The graph keeps `work` as long as it is a node."""

    def needs(
        self, work: Work, symbols: dict[str, Entry], names: Iterable[str], needs: list[int]
    ) -> list[str]:
        """Append to `needs` the edges from `work` to `names` in a dylib's table.

        Ready symbols need none, nor do the work's own. Returns the other names: what is neither
        ready nor a work.
        """

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


#: By ctypes, which calls with the GIL held; `lib` lets go of it.
_native_graph: Final[Any] = ctypes.PYFUNCTYPE(ctypes.py_object)(int(lib.lj_depend_type()))()


def new_graph() -> DependenceGraph:
    """An empty graph: a session's."""
    graph: DependenceGraph = _native_graph(Work, ExecutorSymbolDef, Effect, _become_node)
    return graph


def needs_locked(
    work: Work, dependences: Dependences, bad: list[tuple[JITDylib, str, Entry | None]]
) -> list[int]:
    """The edges to what `work` depends on and is not ready, for `wait_locked`.

    To `bad` go the dependences that can't be had: failed, gone, or never looked up.
    """
    graph = work.dylib.session._graph
    needs: list[int] = []
    for dylib, names in dependences.items():
        for name in graph.needs(work, dylib._symbols, names, needs):
            bad.append((dylib, name, dylib._symbols.get(name)))
    return needs


def wait_locked(work: Work, needs: list[int]) -> list[Work]:
    """`work` is emitted. Returns the works that are ready now, what they depend on first.

    Their stage is DONE; publishing them is the caller's.
    """
    if not needs and not work.node:
        work.stage = DONE
        return [work]
    graph = work.dylib.session._graph
    ready = graph.emit(work.node or _become_node(work), needs)
    work.stage = BLOCKED
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
        needs = []
        for name in wanted_locked(work):
            part = owner[name]
            node = part.node or _become_node(part)
            needs.append(node if part.places is None else _labelled(part, name))
        work.dylib.session._graph.move(work.node, needs)
        work.node = 0


def absorb_dependants_locked(taker: Work, other: Work) -> None:
    """`taker`, whose symbols include those of `other` by now, is depended on in its stead."""
    split_dependants_locked(other, dict.fromkeys(other.flags, taker))


def _become_node(work: Work) -> int:
    """Make a node of `work`."""
    work.node = node = work.dylib.session._graph.add(work)
    if len(work.flags) > 1:
        work.number_places()
    return node


def _labelled(work: Work, name: str) -> int:
    """The edge to one symbol of a node that has several."""
    assert work.places is not None
    return work.node | work.places[name] << 32
