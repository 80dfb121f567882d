"""Files that are linked at the first call of one of their functions: -lazy and -speculate.

Such a file goes into a dylib of its own, which finds what the file's real dylib finds. The real one
gets a stub for each of its functions and an alias for each of its variables; the first call, or
the first reference to a variable, links the file. Speculation links it when the program starts.
"""

from __future__ import annotations

from typing import Any

from lazyjit.errors import InputError

__all__ = ["LazyFiles", "read_order"]


def read_order(path: str) -> list[tuple[str, str]]:
    """The pairs (dylib, function) of a file for -speculate-order. Raises OSError, InputError."""
    import csv  # where an order was given
    from pathlib import Path

    pairs = []
    with Path(path).open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        for number, row in enumerate(csv.reader(file), 1):
            words = [word.strip() for word in row]
            if not any(words):
                continue
            if len(words) != 2 or not all(words):
                raise InputError("not a pair: dylib, function", file=path, line=number)
            pairs.append((words[0], words[1]))
    return pairs


class LazyFiles:
    """What was added lazily to one JIT. Main thread."""

    def __init__(self, jit: Any) -> None:
        """Nothing yet."""
        self._jit = jit
        #: The dylibs that the files are in, in order.
        self.dylibs: list[Any] = []
        #: Where a (dylib's, symbol's) name really is.
        self._places: dict[tuple[str, str], Any] = {}

    def add(self, data: bytes, file: str, dylib: Any) -> None:
        """Add an object. Raises what adding one raises."""
        from lazyjit.core import SymbolAlias, reexports
        from lazyjit.link.graph import LinkGraph
        from lazyjit.symbols import SymbolFlags

        graph = LinkGraph.from_object(data, file=file)
        symbols = dict(graph.defined)
        graph.deallocate()
        own = self._jit.create_dylib(f"{dylib.name}/{len(self.dylibs)}/{file}")
        own.set_link_order(dylib.link_order)
        self._jit.add_object(data, dylib=own, name=file)
        self.dylibs.append(own)
        functions = {name: name for name, flags in symbols.items() if flags & SymbolFlags.CALLABLE}
        if functions:
            self._jit.reexport_lazily(functions, own, dylib=dylib)
        others = {name: SymbolAlias(name, symbols[name]) for name in symbols.keys() - functions}
        if others:
            dylib.define(reexports(own, others))
        self._places.update(dict.fromkeys(((dylib.name, name) for name in symbols), own))

    def speculate(self, order: list[tuple[str, str]]) -> None:
        """Begin to link those of the functions that are lazy, on other threads; none is waited for.

        What goes wrong is told to whoever calls the function.
        """
        from lazyjit.core import LookupFlags, SymbolState
        from lazyjit.core.tasks import TaskClass

        for dylib, name in order:
            place = self._places.get((dylib, name))
            if place is not None:
                search = [(place, LookupFlags.ALL_SYMBOLS)]
                self._jit.session.lookup_async(
                    search,
                    [name],
                    SymbolState.READY,
                    lambda result, error: None,
                    klass=TaskClass.SPECULATION,
                )
