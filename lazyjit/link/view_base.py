"""What every view of a link graph's record has: a graph, a number, and errors with words."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from lazyjit._native import ffi, lib
from lazyjit.errors import GraphError
from lazyjit.symbols import decode_name

__all__ = ["View", "check", "held", "kind_name", "kind_number"]


def check(graph: Any, status: int) -> None:
    """Raise what an editing function of `native/link_records.h` says, or return when it is OK."""
    if status:
        if ffi.string(lib.lj_status_name(status)) == b"NO_MEMORY":
            raise MemoryError("no memory for the link graph")
        raise GraphError(ffi.string(graph.fault.detail).decode("utf-8", "replace"))


def held(native: Any, address: Any, size: int) -> Any:
    """A cffi buffer over memory of a graph, which keeps the graph alive."""
    pointer = ffi.gc(ffi.cast("char *", address), lambda _, owner=native: None)
    return ffi.buffer(pointer, size)


@lru_cache(maxsize=1024)
def _kind_number(arch: int, name: str) -> int:
    number = lib.lj_relocation_number(ffi.cast("lj_arch *", arch), name.encode())
    if number == 2**32 - 1:
        raise GraphError(f"there is no relocation {name}")
    return int(number)


def kind_number(graph: Any, kind: str | int) -> int:
    """The number of a kind of edge: the ABI's, or of one of the linker's own (`Pointer64`)."""
    if isinstance(kind, int):
        return kind
    return _kind_number(int(ffi.cast("uintptr_t", graph.arch)), kind)


def kind_name(graph: Any, number: int) -> str:
    """The name of a kind of edge."""
    name = lib.lj_relocation_name(graph.arch, number)
    return ffi.string(name).decode() if name else f"kind {number}"


class View:
    """A row of a graph."""

    __slots__ = ("_graph", "number")

    def __init__(self, graph: Any, number: int) -> None:
        self._graph = graph
        self.number = number

    def __eq__(self, other: object) -> bool:
        return (
            type(other) is type(self)
            and isinstance(other, View)
            and other._graph == self._graph
            and other.number == self.number
        )

    def __hash__(self) -> int:
        return hash((type(self), self.number))

    @property
    def _row(self) -> Any:
        """The record now. Raises GraphError when it was removed."""
        raise AssertionError

    def _string(self, offset: int) -> str:
        return decode_name(ffi.string(self._graph.strings + offset))
