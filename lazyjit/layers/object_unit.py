"""Objects and graphs made by hand as materialization units: linked when a symbol is wanted."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from lazyjit.core import JITDylib, MaterializationResponsibility, MaterializationUnit
from lazyjit.errors import ObjectFormatError, UsageError
from lazyjit.link.graph import LinkGraph
from lazyjit.link.placing import is_placed
from lazyjit.symbols import SymbolFlags

if TYPE_CHECKING:
    from lazyjit.layers.object_linking import ObjectLinkingLayer

__all__ = ["GraphUnit", "ObjectUnit"]

#: Objects up to this size stay read while they wait to be linked; larger ones are read again, so
#: that what is never wanted takes no more memory than its bytes.
_STAYS_READ = 16 << 10


#: The symbol outlives the unit, and objects may have one file name: so each has a number.
_numbers = itertools.count()


class ObjectUnit(MaterializationUnit):
    """An object file as it was handed in, linked when one of its symbols is wanted.

    `initializers` and `finalizers` are addresses in the order in which they run, known once it is
    linked; an object that has some has an `init_symbol`, to be looked up for that effect.
    """

    def __init__(self, layer: ObjectLinkingLayer, data: bytes, file: str) -> None:
        """Reads the object's symbol table. Raises ObjectFormatError, RelocationError."""
        graph = LinkGraph.from_object(data, file=file)
        self._set_up(layer, graph, file, keep=len(data) <= _STAYS_READ)
        self.data: bytes | None = data

    def _set_up(
        self, layer: ObjectLinkingLayer, graph: LinkGraph, file: str, *, keep: bool = True
    ) -> None:
        if layer.runs_here and not graph.runs_here:
            raise ObjectFormatError(
                f"code for {graph.arch} can be linked, but not run in this process", file=file
            )
        flags = dict(graph.defined)
        #: Names that it needs from elsewhere.
        self.externals = list(graph.externals)
        self._low = graph.needs_low_addresses
        init_symbol = None
        if graph.has_initializers:
            init_symbol = f"$.{file}.{next(_numbers)}.init"
            flags[init_symbol] = SymbolFlags.SIDE_EFFECTS_ONLY
        super().__init__(file.rpartition("/")[2], flags, init_symbol)
        self.layer = layer
        self.file = file
        self._graph = graph if keep else None
        #: Size and alignment of the common symbols that it defines.
        self.commons = graph.commons()
        #: (priority, address) in the order to call them.
        self.initializers: list[tuple[int, int]] = []
        self.finalizers: list[tuple[int, int]] = []

    def materialize(self, responsibility: MaterializationResponsibility) -> None:
        """Link it."""
        graph, self._graph = self._graph, None
        if graph is None and self.commons and self.data is not None:
            # The layer may take memory while it reads, and these may have to grow before.
            graph = LinkGraph.from_object(self.data, file=self.file)
        self.layer.emit(
            responsibility,
            self.data,
            file=self.file,
            graph=graph,
            prune=True,
            low=self._low,
            on_linked=self._linked if self.init_symbol is not None else None,
        )

    def discard(self, dylib: JITDylib, name: str) -> None:
        """Nothing to do: what the responsibility doesn't have becomes an external at the link."""

    def _linked(self, graph: LinkGraph) -> None:
        self.initializers = graph.initializers
        self.finalizers = graph.finalizers


class GraphUnit(ObjectUnit):
    """A graph that was made by hand, or read and changed, before it joined a dylib."""

    def __init__(self, layer: ObjectLinkingLayer, graph: LinkGraph) -> None:
        """The graph is the unit's from here on. Raises UsageError if it is allocated already."""
        if is_placed(graph):
            raise UsageError("the graph is linked, or being linked")
        self._set_up(layer, graph, graph.name)
        self.data = None
