"""Link graphs for `lazyjit link`: -sectcreate's, made by hand, and -harness's, changed.

With a harness, all other objects are read into graphs first, members of archives too, for what
becomes of one depends on all (see `lazyjit.layers.harness`). An archive is then no more than its
members: those of which nothing is needed define nothing that anyone sees.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lazyjit.cli.link_files import File, FileKind, Inputs, object_of
from lazyjit.cli.link_request import LinkInput, LinkRequest, SectCreate
from lazyjit.errors import InputError
from lazyjit.layers.harness import apply_harness
from lazyjit.link.archive import Archive
from lazyjit.link.graph import LinkGraph
from lazyjit.link.model import MemProt, Scope

__all__ = ["add_with_harness", "section_graph"]


def section_graph(wanted: SectCreate, triple: str) -> LinkGraph:
    """A graph of one section with a file's bytes. Raises OSError, InputError."""
    content = Path(wanted.file).read_bytes()
    graph = LinkGraph(wanted.file, triple)
    section = graph.create_section(wanted.section, MemProt.READ | MemProt.WRITE)
    block = graph.create_content_block(section, content, align=16)
    for name, offset in wanted.symbols:
        if offset > len(content):
            raise InputError(f"-sectcreate: {name} is at {offset}, past the end", file=wanted.file)
        graph.add_defined_symbol(block, offset, name, live=True)
    return graph


def _graphs_of(request: LinkRequest, entry: LinkInput, file: File, triple: str) -> list[LinkGraph]:
    """The graphs that a tested file comes to."""
    if file.kind is not FileKind.ARCHIVE:
        return [LinkGraph.from_object(object_of(request, file, triple), file=file.name)]
    graphs = [
        LinkGraph.from_object(member.data, file=f"{file.name}({member.name})")
        for member in Archive(Path(file.name)).members()
        if member.data[:4] == b"\x7fELF"
    ]
    if entry.hidden:
        for graph in graphs:
            for symbol in graph.defined_symbols():
                if symbol.scope is Scope.DEFAULT:
                    symbol.scope = Scope.HIDDEN
    return graphs


def add_with_harness(
    jit: Any, request: LinkRequest, inputs: Inputs, dylibs: dict[str | None, Any], triple: str
) -> list[tuple[LinkInput, File]]:
    """Add the harness to main, and all that it tests each to its dylib; the inputs that are left,
    which are shared libraries.
    """
    harness = [
        LinkGraph.from_object(object_of(request, file, triple), file=file.name)
        for file in inputs.harness
    ]
    tested: list[tuple[Any, LinkGraph]] = []
    left = []
    for entry, file in inputs.files:
        if file.kind is FileKind.SHARED:
            left.append((entry, file))
            continue
        if entry.lazy:
            raise InputError("what is tested is not linked lazily", file=file.name)
        for graph in _graphs_of(request, entry, file, triple):
            tested.append((dylibs[entry.dylib], graph))
    apply_harness(harness, [graph for _, graph in tested])
    for graph in harness:
        jit.add_graph(graph, dylib=dylibs[None])
    for dylib, graph in tested:
        jit.add_graph(graph, dylib=dylib)
    return left
