"""Definition generators: dylibs that come by definitions during a lookup.

A generator sits at the end of a dylib. A lookup that misses names there runs it, without the
session's lock; the generator defines in the dylib what it can, and the lookup searches again. So a
process symbol costs one `dlsym`, once, and one that is never referred to costs nothing.

One lookup at a time is in a generator; others that meet there wait for their turn, and search again
first, for what they miss may be defined by then. A generator that raises fails the lookup that it
was run for, and no other. Each generator here takes a `filter`, a predicate on names: what it
refuses the generator leaves alone.
"""

from __future__ import annotations

import ctypes
import os
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from lazyjit.core.progress import Errands, Resume
from lazyjit.core.states import LookupFlags, LookupKind
from lazyjit.errors import LibraryNotFound
from lazyjit.symbols import ExecutorSymbolDef, SymbolFlags, encode_name

if TYPE_CHECKING:
    from lazyjit.core.dylib import JITDylib
    from lazyjit.core.query import Query

__all__ = [
    "CallableGenerator",
    "DefinitionGenerator",
    "NameFilter",
    "ProcessSymbols",
    "SharedLibrary",
]

#: Whether a generator is to consider a name.
NameFilter = Callable[[str], bool]


class DefinitionGenerator(ABC):
    """Defines symbols on demand."""

    @abstractmethod
    def try_to_generate(
        self, kind: LookupKind, dylib: JITDylib, lookup_flags: LookupFlags, names: Sequence[str]
    ) -> None:
        """Define in `dylib` those of `names` that it can; others it leaves alone.

        Runs without a lock, on the thread of a lookup or of the dispatcher, for one lookup at a
        time. It may look up symbols: its own lookups pass it by. What it raises fails the lookup.
        """


class CallableGenerator(DefinitionGenerator):
    """Asks a callable: `find(names)` gives the definitions of those that it knows."""

    def __init__(
        self,
        find: Callable[[Sequence[str]], Mapping[str, ExecutorSymbolDef]],
        filter: NameFilter | None = None,
    ) -> None:
        """Ask `find`, for names that pass `filter`."""
        self._find = find
        self._filter = filter

    def try_to_generate(
        self, kind: LookupKind, dylib: JITDylib, lookup_flags: LookupFlags, names: Sequence[str]
    ) -> None:
        """Define what the callable answers."""
        wanted = [name for name in names if self._filter is None or self._filter(name)]
        if wanted:
            dylib.define_absolute(self._find(wanted), only_missing=True)


class _DynamicLibrary(DefinitionGenerator):
    """Asks the system's dynamic linker."""

    def __init__(self, library: ctypes.CDLL, filter: NameFilter | None) -> None:
        self._library = library  # keeps it loaded
        self._filter = filter

    def try_to_generate(
        self, kind: LookupKind, dylib: JITDylib, lookup_flags: LookupFlags, names: Sequence[str]
    ) -> None:
        """Define what `dlsym` finds, exported and absolute."""
        found = self.find(name for name in names if self._filter is None or self._filter(name))
        if found:
            dylib.define_absolute(found, only_missing=True)

    def find(self, names: Iterable[str]) -> dict[str, ExecutorSymbolDef]:
        """Those of `names` that the library or what it depends on has. Any thread."""
        handle = self._library._handle
        found = {}
        for name in names:
            raw = encode_name(name)
            if b"\0" in raw:
                continue
            address = _dlsym(handle, raw)
            if not address and b"@" in raw:
                # memcpy@GLIBC_2.2.5: what an object asks for by .symver.
                base, _, version = raw.partition(b"@")
                version = version.lstrip(b"@")
                if version:  # glibc may fault at an empty one
                    address = _dlvsym(handle, base, version)
            # A symbol may lie at address 0 (weak and undefined); nothing can be linked against it.
            if address:
                found[name] = ExecutorSymbolDef(address, _FLAGS)
        return found


class ProcessSymbols(_DynamicLibrary):
    """The symbols of this process: the executable's and those of libraries loaded globally."""

    def __init__(self, filter: NameFilter | None = None) -> None:
        """Names that pass `filter`."""
        super().__init__(ctypes.CDLL(None), filter)


class SharedLibrary(_DynamicLibrary):
    """The symbols of a shared library, which it loads and keeps loaded."""

    def __init__(self, path: str | os.PathLike[str], filter: NameFilter | None = None) -> None:
        """Load `path`, found as by `dlopen`. Raises LibraryNotFound with the system's words."""
        if not os.fspath(path):  # dlopen would take it for the process itself
            raise LibraryNotFound("an empty path names no library")
        try:
            library = ctypes.CDLL(os.fspath(path))
        except OSError as error:
            raise LibraryNotFound(f"{os.fspath(path)}: {error}", errno=error.errno) from error
        super().__init__(library, filter)
        #: The path as given.
        self.path = os.fspath(path)


class GeneratorRecord:
    """A generator as one dylib has it: who is in it, and who is next."""

    __slots__ = ("busy", "generator", "queue")

    def __init__(self, generator: DefinitionGenerator) -> None:
        """Of `generator`, free."""
        self.generator = generator
        self.busy = False
        self.queue: deque[Query] = deque()

    def pass_on_locked(self, errands: Errands) -> None:
        """Whoever held it is done with it: it is the next one's turn."""
        if self.queue:
            query = self.queue.popleft()
            query.holds = self
            errands.append(Resume(query))
        else:
            self.busy = False


_FLAGS = SymbolFlags.EXPORTED | SymbolFlags.ABSOLUTE
# ctypes' own attribute access raises for a missing symbol and builds a function object for a
# found one; asking dlsym itself is several times cheaper.
_dlsym: Callable[[int | None, bytes], int | None] = ctypes.CDLL(None).dlsym
_dlsym.restype = ctypes.c_void_p  # type: ignore[attr-defined]  # it is a ctypes function
_dlvsym: Callable[[int | None, bytes, bytes], int | None] = ctypes.CDLL(None).dlvsym
_dlvsym.restype = ctypes.c_void_p  # type: ignore[attr-defined]  # as above
_dlvsym.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p)  # type: ignore[attr-defined]
_dlsym.argtypes = (ctypes.c_void_p, ctypes.c_char_p)  # type: ignore[attr-defined]  # as above
