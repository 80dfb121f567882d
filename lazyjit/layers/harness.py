"""Test harnesses: objects linked so that a test gets at what is private there, and mocks the rest.

A function that is `static` in its file can't be called by a test, and what it calls can't be
replaced, once the file is compiled. A linker can do both, to the very object that the build made.
Given the graphs of the harness (the test and its mocks) and those of the tested objects,
`apply_harness` changes the latter:

1. What the harness defines gives way to it: the tested definition becomes external, so that calls
   go to the mock, from within its own file too.
2. What the harness refers to becomes visible to it, be it local in its file.
3. What tested code that is reached from there needs of another tested file stays as visible as it
   was. Initializers count as reached.
4. Every other definition becomes local to its file. Nobody looks it up, so pruning leaves it out,
   and what only it needs is not missed.

(llvm-jitlink's -harness has 1, 2 and 4. Without 3, tested files could not call each other.)

    harness = [LinkGraph.from_object(test, file="test.o")]
    tested = [LinkGraph.from_object(data, file="parser.o")]
    apply_harness(harness, tested)
    for graph in (*harness, *tested):
        jit.add_graph(graph)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lazyjit.link.graph import LinkGraph
from lazyjit.link.model import Scope
from lazyjit.link.views import Block, Symbol

__all__ = ["apply_harness"]

#: What runs without being called.
_INITIALIZERS = (".init_array", ".preinit_array", ".fini_array", ".ctors", ".dtors")


def apply_harness(harness: Iterable[LinkGraph], tested: Sequence[LinkGraph]) -> None:
    """Change the graphs `tested` for the graphs `harness`, which stay as they are.

    Before any of them is added to a JIT; the graphs belong to the calling thread. Two tested files
    that both define what the harness refers to will clash when they are added. Raises
    ObjectFormatError for malformed unwind tables.
    """
    defines: set[str] = set()
    refers: set[str] = set()
    for graph in harness:
        for symbol in graph.symbols():
            if symbol.external:
                refers.add(symbol.name)
            elif symbol.name and not symbol.local:
                defines.add(symbol.name)
    for graph in tested:
        graph.split_eh_frames()  # so that a function's unwind record counts as what it needs
        for symbol in list(_definitions(graph)):
            if symbol.name in defines:
                graph.make_external(symbol)
            elif symbol.name in refers:
                symbol.scope = Scope.DEFAULT
    needed = refers | _needed(tested, refers)
    for graph in tested:
        for symbol in _definitions(graph):
            if symbol.name not in needed:
                symbol.scope = Scope.LOCAL


def _definitions(graph: LinkGraph) -> Iterator[Symbol]:
    for symbol in graph.symbols():
        if symbol.name and not symbol.external:
            yield symbol


def _needed(tested: Sequence[LinkGraph], refers: set[str]) -> set[str]:
    """Names that reached code of one tested file has from elsewhere."""
    visible: dict[str, list[Symbol]] = {}
    for graph in tested:
        for symbol in _definitions(graph):
            if not symbol.local:
                visible.setdefault(symbol.name, []).append(symbol)
    blocks = [
        block
        for graph in tested
        for section in graph.sections()
        if section.name.startswith(_INITIALIZERS)
        for block in section.blocks()
    ]
    names = list(refers)
    needed: set[str] = set()
    seen: set[Block] = set()
    while blocks or names:
        if names:
            found = visible.get(names.pop(), ())
            blocks += [block for symbol in found if (block := symbol.block) is not None]
            continue
        block = blocks.pop()
        if block in seen:
            continue
        seen.add(block)
        for edge in block.edges():
            target = edge.target
            if target.external:
                if target.name not in needed:
                    needed.add(target.name)
                    names.append(target.name)
            elif (inner := target.block) is not None:
                blocks.append(inner)
    return needed
