"""Dependences that no edge names, and which symbols of a link have them.

A link's externals are dependences of all that it defines: a unit is emitted, and becomes ready, as
one. What a pass adds (`PassConfiguration.add_dependences`) may be meant for some symbols only. Then
the link's symbols are emitted in groups, and those that have nothing to wait for are ready at once.

Who has a dependence that symbol `f` was given? `f`, whatever leads to `f` by edges, and whatever
shares a block with one of these: calls within a block have no edges, for the assembler has resolved
them. So it takes a section for each function (`-ffunction-sections`) to tell functions apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from lazyjit.core import JITDylib
from lazyjit.errors import GraphError

if TYPE_CHECKING:
    from lazyjit.link.graph import LinkGraph

__all__ = ["Dependences", "groups_of", "merged", "who_leads_to"]

#: Names by the dylib that they are in.
Dependences: TypeAlias = Mapping[JITDylib, Iterable[str]]


def who_leads_to(graph: LinkGraph, names: Iterable[str]) -> frozenset[str]:
    """Names of the definitions that others may see which are, or need, one of these symbols.

    Linear in the graph. Raises GraphError for a name that the graph doesn't define.
    """
    reached: set[int] = set()
    found: set[str] = set()
    for name in names:
        symbol = graph.find_symbol(name)
        if symbol is None or symbol.external:
            raise GraphError(f"dependences of {name}, which {graph.name} doesn't define")
        found.add(name)
        if symbol.block is not None:
            reached.add(symbol.block.number)
    records = graph.records
    place = records.symbols["place"]
    users: dict[int, list[int]] = {}
    for block in graph.blocks():
        row = records.blocks[block.number]
        start = int(row["first_edge"])
        rows = records.edges[start : start + int(row["edge_count"])]
        for target in set(place[rows["target"][rows["gone"] == 0]].tolist()):
            users.setdefault(target, []).append(block.number)
    todo = list(reached)
    while todo:
        fresh = [user for user in users.get(todo.pop(), ()) if user not in reached]
        reached.update(fresh)
        todo += fresh
    found.update(
        symbol.name
        for symbol in graph.defined_symbols()
        if symbol.name and not symbol.local and int(place[symbol.number]) in reached
    )
    return frozenset(found)


def merged(one: Dependences, other: Dependences) -> Dependences:
    """Both."""
    if not one or not other:
        return one or other
    both = {dylib: set(names) for dylib, names in one.items()}
    for dylib, names in other.items():
        both.setdefault(dylib, set()).update(names)
    return both


def groups_of(
    symbols: Iterable[str],
    everyone: Dependences,
    some: Sequence[tuple[frozenset[str], Dependences]],
) -> list[tuple[list[str], Dependences]]:
    """`symbols` in the groups that `notify_emitted` takes: all depend on `everyone`, and those of
    each entry of `some` also on that entry's. Symbols that depend on nothing are in no group.
    """
    some = [(names, dependences) for names, dependences in some if dependences]
    alike: dict[tuple[int, ...], list[str]] = {}
    for symbol in symbols:
        key = tuple(i for i, (names, _) in enumerate(some) if symbol in names)
        alike.setdefault(key, []).append(symbol)
    groups: list[tuple[list[str], Dependences]] = []
    for key, names in alike.items():
        dependences = everyone
        for i in key:
            dependences = merged(dependences, some[i][1])
        if dependences:
            groups.append((names, dependences))
    return groups
