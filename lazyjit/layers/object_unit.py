"""An object file as a materialization unit: linked when one of its symbols is wanted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lazyjit.core import JITDylib, MaterializationResponsibility, MaterializationUnit
from lazyjit.link.graph import LinkGraph
from lazyjit.symbols import SymbolFlags

if TYPE_CHECKING:
    from lazyjit.layers.object_linking import ObjectLinkingLayer

__all__ = ["ObjectUnit"]


class ObjectUnit(MaterializationUnit):
    """An object file as it was handed in, linked when one of its symbols is wanted.

    `initializers` and `finalizers` are addresses in the order in which they run, known once it is
    linked; an object that has some has an `init_symbol`, to be looked up for that effect.
    """

    def __init__(self, layer: ObjectLinkingLayer, data: bytes, file: str) -> None:
        """Reads the object's symbol table. Raises ObjectFormatError, RelocationError."""
        graph = LinkGraph.from_object(data, file=file)
        flags = dict(graph.defined)
        #: Names that it needs from elsewhere.
        self.externals = list(graph.externals)
        self._low = graph.needs_low_addresses
        init_symbol = None
        if graph.has_initializers:
            init_symbol = f"$.{file}.{id(self):x}.init"
            flags[init_symbol] = SymbolFlags.SIDE_EFFECTS_ONLY
        graph.deallocate()
        super().__init__(Path(file).name, flags, init_symbol)
        self.layer = layer
        self.data = data
        self.file = file
        #: (priority, address) in the order to call them.
        self.initializers: list[tuple[int, int]] = []
        self.finalizers: list[tuple[int, int]] = []

    def materialize(self, responsibility: MaterializationResponsibility) -> None:
        """Link it."""
        self.layer.emit(
            responsibility, self.data, file=self.file, low=self._low, on_linked=self._linked
        )

    def discard(self, dylib: JITDylib, name: str) -> None:
        """Nothing to do: what the responsibility doesn't have becomes an external at the link."""

    def _linked(self, graph: LinkGraph) -> None:
        self.initializers = graph.initializers
        self.finalizers = graph.finalizers
