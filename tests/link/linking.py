"""Objects from whatever compiler is there, linked for real: what the tests of this folder share."""

from __future__ import annotations

import ctypes
import shutil
import threading
from collections.abc import Callable, Sequence

import pytest

from lazyjit.errors import SymbolsNotFound
from lazyjit.link.arena import Arena
from lazyjit.link.graph import LinkGraph
from lazyjit.link.runtime import DSOHandle, runtime_symbols

COMPILERS = {
    "gcc": {"c": "gcc", "s": "gcc", "cpp": "g++"},
    "clang": {"c": "clang-22", "s": "clang-22", "cpp": "clang++-22"},
}


def compiler(name: str, language: str) -> str:
    """The command for a language, or a skip that says what is missing."""
    command = COMPILERS[name][language]
    found = shutil.which(command)
    if found is None and name == "clang":
        found = shutil.which(command.removesuffix("-22"))
    if found is None:
        pytest.skip(f"no {command} to make objects with")
    return found


#: `build(source, *flags, language="c", by="gcc")` -> the bytes of an object.
Build = Callable[..., bytes]


def process_address(name: str, libraries: Sequence[str] = ("libm.so.6", "libstdc++.so.6")) -> int:
    for library in (None, *libraries):
        try:
            handle = ctypes.CDLL(library)
            return ctypes.cast(handle[name], ctypes.c_void_p).value or 0
        except (OSError, AttributeError):
            continue
    return 0


class Program:
    """Objects linked with each other, with the runtime of a dylib, and with the process."""

    def __init__(self, arena: Arena, absolute: dict[str, int] | None = None) -> None:
        self.arena = arena
        self.dso = DSOHandle(arena)
        self.symbols: dict[str, int] = {**runtime_symbols(self.dso), **(absolute or {})}
        self.graphs: list[LinkGraph] = []

    def link(self, *objects: bytes, finalize: bool = True) -> Program:
        fresh = [
            LinkGraph.from_object(data, file=f"unit{i}.o", arena=self.arena)
            for i, data in enumerate(objects)
        ]
        self.graphs += fresh
        for graph in fresh:
            lost = [
                name
                for name, flags in graph.defined.items()
                if flags.overridable() and name in self.symbols
            ]
            graph.make_external(lost)
            for name, definition in graph.resolved().items():
                assert name not in self.symbols, f"{name} is defined twice"
                self.symbols[name] = definition.address
        for graph in fresh:
            graph.fix_up(
                [
                    self.find(name, bool(weak))
                    for name, weak in zip(graph.externals, graph.external_weak, strict=True)
                ]
            )
            if finalize:
                graph.finalize()
        return self

    def find(self, name: str, weak: bool = False) -> int:
        address = self.symbols.get(name)
        if address is None:
            address = process_address(name)
            if not address and not weak:
                raise SymbolsNotFound([name])
        return address

    def call(self, name: str, *arguments: object, restype: object = ctypes.c_long) -> object:
        types = [
            ctypes.c_double if isinstance(argument, float) else ctypes.c_long
            for argument in arguments
        ]
        return ctypes.CFUNCTYPE(restype, *types)(self.symbols[name])(*arguments)

    def close(self) -> None:
        for graph in reversed(self.graphs):
            graph.deallocate()
        self.dso.close()


def on_thread(work: Callable[[], object]) -> object:
    """What `work` returns on a thread of its own."""
    results: list[object] = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    thread.join()
    return results[0]


def linked(graph: LinkGraph, arena: Arena, **externals: int) -> dict[str, int]:
    """Addresses of what the graph defines, after a whole link."""
    graph.verify()
    graph.allocate(arena)
    addresses = {name: symbol.address for name, symbol in graph.resolved().items()}
    graph.fix_up([externals.get(name, 0) for name in graph.externals])
    graph.verify()
    return addresses


def call(address: int) -> int:
    """What a function without arguments returns."""
    return ctypes.CFUNCTYPE(ctypes.c_long)(address)()
