"""Adds what a `lazyjit link` command line names: files by their content, libraries by search.

    read    every file is opened and told apart, before anything is set up
    add     dylibs are made and linked against each other; each input goes into its own

A file is an object, an archive (regular or thin), a shared library, a linker script that names
others, or, going by its name, assembly.
"""

from __future__ import annotations

import enum
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lazyjit.cli.libraries import find_library
from lazyjit.cli.link_request import LinkInput, LinkRequest
from lazyjit.errors import InputError

__all__ = ["File", "FileKind", "add", "read", "read_file"]


class FileKind(enum.Enum):
    """What a file is."""

    OBJECT = enum.auto()
    ARCHIVE = enum.auto()
    SHARED = enum.auto()


@dataclass(frozen=True)
class File:
    """An input file, told apart. `data` is its content where that is what is added."""

    kind: FileKind
    name: str
    data: bytes = b""


ELF, RELOCATABLE, SHARED_OBJECT = b"\x7fELF", 1, 3


def read_file(name: str) -> File:
    """Open a file (`-`: stdin) and tell what it is. Raises OSError, InputError."""
    data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    shown = "<stdin>" if name == "-" else name
    if data[:8] in (b"!<arch>\n", b"!<thin>\n"):
        return File(FileKind.ARCHIVE, name)
    if data[:4] == ELF:
        kind = int.from_bytes(data[16:18], "little")
        if kind == RELOCATABLE or kind > SHARED_OBJECT or len(data) < 18:
            return File(FileKind.OBJECT, shown, data)  # what is malformed the reader tells
        if kind == SHARED_OBJECT:
            return File(FileKind.SHARED, name)
        raise InputError("an executable is no input of a link", file=shown)
    raise InputError("neither an object, an archive, a library nor assembly", file=shown)


def _directories(request: LinkRequest, dylib: str | None) -> list[str]:
    return [directory for owner, directory in request.library_dirs if owner == dylib]


def _find(request: LinkRequest, entry: LinkInput) -> str:
    directories = _directories(request, entry.dylib)
    return str(find_library(entry.name, directories, system=request.search_system))


def read(request: LinkRequest) -> list[tuple[LinkInput, File]]:
    """All inputs, opened. Raises OSError, InputError, LibraryNotFound."""
    return [
        (entry, read_file(_find(request, entry) if entry.library else entry.name))
        for entry in request.inputs
    ]


def make_dylibs(jit: Any, request: LinkRequest) -> dict[str | None, Any]:
    """The dylibs of -jd, and main (under None): each links against all, the process last."""
    from lazyjit.core import LookupFlags

    named = {name: jit.create_dylib(name) for name in request.dylibs}
    dylibs = {None: jit.main, **named}
    for dylib in dylibs.values():
        process = dylib.link_order[1:]
        others = [(each, LookupFlags.EXPORTED_ONLY) for each in dylibs.values() if each != dylib]
        dylib.set_link_order([*others, *process])
    return dylibs


def add_file(jit: Any, request: LinkRequest, entry: LinkInput, file: File, dylib: Any) -> None:
    """Add one file to its dylib."""
    if file.kind is FileKind.OBJECT:
        jit.add_object(file.data, dylib=dylib, name=file.name)
    elif file.kind is FileKind.ARCHIVE:
        jit.add_archive(
            Path(file.name),
            dylib=dylib,
            whole=entry.whole or request.all_load,
            hidden=entry.hidden,
        )
    else:
        jit.load_library(file.name, dylib=dylib)


def add(jit: Any, request: LinkRequest, inputs: list[tuple[LinkInput, File]]) -> list[Any]:
    """Make the dylibs and add what goes into them; the dylibs beside main, in order."""
    dylibs = make_dylibs(jit, request)
    add_symbols(jit, request, dylibs)
    for entry, file in inputs:
        add_file(jit, request, entry, file, dylibs[entry.dylib])
    if request.phony_externals:
        add_phony_externals(jit, dylibs)
    return [dylibs[name] for name in request.dylibs]


def add_symbols(jit: Any, request: LinkRequest, dylibs: dict[str | None, Any]) -> None:
    """-abs and -alias."""
    from lazyjit.core import SymbolAlias, symbol_aliases
    from lazyjit.symbols import SymbolFlags

    for owner, name, address in request.absolutes:
        jit.define(name, address, dylib=dylibs[owner])
    for owner, name, aliasee in request.aliases:
        flags = SymbolFlags.EXPORTED | SymbolFlags.CALLABLE
        dylibs[owner].define(symbol_aliases({name: SymbolAlias(aliasee, flags)}))


def add_phony_externals(jit: Any, dylibs: dict[str | None, Any]) -> None:
    """-phony-externals: a last dylib, in which every name is at address 0."""
    from lazyjit.symbols import ExecutorSymbolDef, SymbolFlags

    nowhere = ExecutorSymbolDef(0, SymbolFlags.EXPORTED | SymbolFlags.ABSOLUTE)
    phony = jit.session.create_dylib("<phony externals>")
    phony.add_generator(lambda names: dict.fromkeys(names, nowhere))
    for dylib in dylibs.values():
        dylib.add_to_link_order(phony)
