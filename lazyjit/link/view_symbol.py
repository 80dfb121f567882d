"""The view of a symbol: `lazyjit.link.views` has the others, and what is true of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazyjit._native import lib
from lazyjit.errors import GraphError
from lazyjit.link.model import Linkage, Scope
from lazyjit.link.view_base import View, check
from lazyjit.symbols import encode_name

if TYPE_CHECKING:
    from typing import Any

    from lazyjit.link.views import Block

__all__ = ["Symbol"]

_LINKAGES: list[Linkage] = list(Linkage)
_SCOPES: list[Scope] = list(Scope)


class Symbol(View):
    """A name for a place."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<Symbol {self.number} {self.name!r}>"

    @property
    def _row(self) -> Any:
        row = self._graph.symbols[self.number]
        if row.place == lib.LJ_PLACE_GONE:
            raise GraphError("the symbol was removed")
        return row

    def in_graph(self, graph: Any) -> int:
        """Its number, for another record of the native `graph`. Raises GraphError otherwise."""
        if self._graph != graph:
            raise GraphError("the symbol belongs to another graph")
        return self.number

    @property
    def name(self) -> str:
        """Empty for an anonymous one. Can be set."""
        return self._string(self._row.name)

    @name.setter
    def name(self, name: str) -> None:
        graph, raw = self._graph, encode_name(name)
        check(graph, lib.lj_graph_rename(graph, self.number, raw, len(raw)))

    @property
    def external(self) -> bool:
        """Whether it is defined elsewhere."""
        return bool(self._row.place == lib.LJ_PLACE_EXTERNAL)

    @property
    def absolute(self) -> bool:
        """Whether it is a number that no layout changes."""
        return bool(self._row.place == lib.LJ_PLACE_ABSOLUTE)

    @property
    def defined(self) -> bool:
        """Whether it is in a block."""
        return bool(self._row.place >= 0)

    @property
    def block(self) -> Block | None:
        """Where it is defined, or None."""
        from lazyjit.link.views import Block  # which has to know of symbols first

        place = self._row.place
        return Block(self._graph, place) if place >= 0 else None

    @property
    def offset(self) -> int:
        """In its block; the value of an absolute one. Can be set while it stays in the block."""
        return int(self._row.offset)

    @offset.setter
    def offset(self, offset: int) -> None:
        graph, row = self._graph, self._row
        if not 0 <= offset < 2**64:
            raise GraphError(f"{offset} is outside of 64 bits")
        check(graph, lib.lj_graph_move_symbol(graph, self.number, row.place, offset))

    @property
    def size(self) -> int:
        """In bytes; 0 when unknown. Can be set while it stays in the block."""
        return int(self._row.size)

    @size.setter
    def size(self, size: int) -> None:
        row, block = self._row, self.block
        if not 0 <= size < 2**64 or (block is not None and size > block.size - row.offset):
            raise GraphError(f"{size} bytes are more than the block has")
        row.size = size

    @property
    def address(self) -> int:
        """Its value, once known; a token for a thread-local variable."""
        return int(self._row.address)

    @property
    def linkage(self) -> Linkage:
        """What happens when another object defines it too. Can be set."""
        return _LINKAGES[int(self._row.linkage)]

    @linkage.setter
    def linkage(self, linkage: Linkage) -> None:
        self._row.linkage = linkage.value
        self._graph.listed = 0

    @property
    def scope(self) -> Scope:
        """Who sees its name. Can be set."""
        return _SCOPES[int(self._row.scope)]

    @scope.setter
    def scope(self, scope: Scope) -> None:
        if scope is not Scope.LOCAL and not self.name:
            raise GraphError("a symbol that others see needs a name")
        self._row.scope = scope.value
        self._graph.listed = 0

    @property
    def weak(self) -> bool:
        """Whether another definition overrides it, or, if external, whether it may be missing."""
        return bool(self._row.linkage == lib.LJ_LINKAGE_WEAK)

    @property
    def local(self) -> bool:
        """Whether no other object sees it."""
        return bool(self._row.scope == lib.LJ_SCOPE_LOCAL)

    @property
    def hidden(self) -> bool:
        """Whether no other dylib sees it."""
        return bool(self._row.scope < lib.LJ_SCOPE_DEFAULT)

    @property
    def thread_local(self) -> bool:
        """Whether every thread has its own."""
        return self._trait(lib.LJ_TRAIT_TLS)

    @property
    def callable(self) -> bool:
        """Whether it is a function. Can be set."""
        return self._trait(lib.LJ_TRAIT_CALLABLE)

    @callable.setter
    def callable(self, value: bool) -> None:
        self._set_trait(lib.LJ_TRAIT_CALLABLE, value)

    @property
    def live(self) -> bool:
        """Whether pruning keeps it, and all that it needs. Can be set before."""
        return self._trait(lib.LJ_TRAIT_LIVE)

    @live.setter
    def live(self, value: bool) -> None:
        self._set_trait(lib.LJ_TRAIT_LIVE, value)

    def _trait(self, bit: int) -> bool:
        return bool(self._row.traits & bit)

    def _set_trait(self, bit: int, value: bool) -> None:
        row = self._row
        row.traits = row.traits | bit if value else row.traits & ~bit
        self._graph.listed = 0
