"""Libraries that a native program gets from its compiler without asking.

A link by `cc` adds libgcc (128-bit division, half floats, complex products), one by `c++` the C++
library. Code that was compiled for such a link refers to them, and this process, Python, need not
have loaded either. This generator does, at the first miss of a name that can only be theirs. What
libgcc has in its static part only, of the processor's features, `native/cpu_model.h` hands on.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from lazyjit._native import ffi, lib
from lazyjit.core import (
    DefinitionGenerator,
    JITDylib,
    LookupFlags,
    LookupKind,
    SharedLibrary,
)
from lazyjit.core.generators import NameFilter
from lazyjit.errors import LibraryNotFound
from lazyjit.symbols import ExecutorSymbolDef, SymbolFlags

__all__ = ["RuntimeLibraries"]

#: Each library with the prefixes of the names that are looked for in it: mangled ones, and
#: what compilers call behind a program's back.
_LIBRARIES = (
    ("libstdc++.so.6", ("_Z", "__")),
    ("libgcc_s.so.1", ("__", "_Unwind_")),
)

_PROCESSOR = {
    "__cpu_model": ("model", SymbolFlags.ABSOLUTE),
    "__cpu_features2": ("features2", SymbolFlags.ABSOLUTE),
    "__cpu_indicator_init": ("init", SymbolFlags.ABSOLUTE | SymbolFlags.CALLABLE),
}


class RuntimeLibraries(DefinitionGenerator):
    """Finds the compiler's own functions. Any thread."""

    def __init__(self, filter: NameFilter | None = None) -> None:
        """For names that pass `filter`. Nothing is loaded yet."""
        self._filter = filter
        self._lock = threading.Lock()
        self._loaded: dict[str, SharedLibrary | None] = {}

    def try_to_generate(
        self, kind: LookupKind, dylib: JITDylib, lookup_flags: LookupFlags, names: Sequence[str]
    ) -> None:
        """Define those of `names` that a runtime library has."""
        for file, prefixes in _LIBRARIES:
            wanted = [
                name
                for name in names
                if name.startswith(prefixes) and (self._filter is None or self._filter(name))
            ]
            library = self._library(file) if wanted else None
            if library is not None:
                dylib.define_absolute(library.find(wanted), only_missing=True)
        asked = [
            name
            for name in names
            if name in _PROCESSOR and (self._filter is None or self._filter(name))
        ]
        if asked:
            symbols = ffi.new("lj_cpu_symbols *")
            lib.lj_cpu_symbols_get(symbols)
            found = {}
            for name in asked:
                field, flags = _PROCESSOR[name]
                flags |= SymbolFlags.EXPORTED
                found[name] = ExecutorSymbolDef(getattr(symbols, field), flags)
            dylib.define_absolute(found, only_missing=True)

    def _library(self, file: str) -> SharedLibrary | None:
        with self._lock:
            if file not in self._loaded:
                try:
                    self._loaded[file] = SharedLibrary(file)
                except LibraryNotFound:
                    # Then the names stay missing, and an error says which they are.
                    self._loaded[file] = None
            return self._loaded[file]
