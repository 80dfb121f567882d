"""Adds what a `lazyjit link` command line names: files by their content, libraries by search.

    read    every file is opened and told apart, before anything is set up
    add     dylibs are made and linked against each other; each input goes into its own

A file is an object, an archive (regular or thin), a shared library, a linker script that names
others, or, going by its name, assembly.
"""

from __future__ import annotations

import enum
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lazyjit.cli.libraries import SYSTEM, find_library
from lazyjit.cli.link_request import LinkInput, LinkRequest
from lazyjit.errors import InputError
from lazyjit.link.linker_script import is_linker_script, library_files

__all__ = ["File", "FileKind", "add", "read", "read_file"]


class FileKind(enum.Enum):
    """What a file is."""

    OBJECT = enum.auto()
    ARCHIVE = enum.auto()
    SHARED = enum.auto()
    #: A linker script, which names others.
    SCRIPT = enum.auto()
    ASSEMBLY = enum.auto()


@dataclass(frozen=True)
class File:
    """An input file, told apart. `data` is its content where that is what is added."""

    kind: FileKind
    name: str
    data: bytes = b""


#: What assembly is told by.
ASSEMBLY = (".s", ".asm")

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
    if is_linker_script(data):
        return File(FileKind.SCRIPT, name, data)
    if name.endswith(ASSEMBLY) or name == "-":
        return File(FileKind.ASSEMBLY, shown, data)
    if name.endswith(".S"):
        raise InputError("assembly for the C preprocessor: preprocess it first", file=shown)
    raise InputError("neither an object, an archive, a library nor assembly", file=shown)


def _directories(request: LinkRequest, dylib: str | None) -> list[str]:
    return [directory for owner, directory in request.library_dirs if owner == dylib]


def _follow(request: LinkRequest, entry: LinkInput) -> Iterator[File]:
    """What an input comes to: itself, or the libraries that a linker script leads to."""
    directories = _directories(request, entry.dylib)

    def find(name: str, first: Sequence[str]) -> Path:
        return find_library(name, first, system=request.search_system, scripts=True)

    path = entry.name
    if entry.library and entry.hidden:
        path = str(find_library(path, directories, system=request.search_system, archives=True))
    elif entry.library:
        path = str(find(path, directories))
    file = read_file(path)
    if entry.hidden and file.kind is not FileKind.ARCHIVE:
        raise InputError("only an archive can be hidden", file=path)
    if file.kind is not FileKind.SCRIPT:
        yield file
        return
    if request.search_system:
        directories = [*directories, *SYSTEM]
    for each in library_files(path, directories, find=find):
        yield read_file(str(each))


def read(request: LinkRequest) -> list[tuple[LinkInput, File]]:
    """All inputs, opened. Raises OSError, InputError, LibraryNotFound."""
    return [(entry, file) for entry in request.inputs for file in _follow(request, entry)]


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
    if file.kind is FileKind.ASSEMBLY:
        add_assembly(jit, request, file, dylib)
    elif file.kind is FileKind.OBJECT:
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


def add_assembly(jit: Any, request: LinkRequest, file: File, dylib: Any) -> None:
    """Assemble a file for the link's target, and add the object."""
    from lazyjit.codegen.assembler import assembler_for

    assembled = assembler_for(request.triple, request.assembler).assemble(
        file.data, file=file.name
    )
    sys.stderr.write(assembled.warnings)
    jit.add_object(assembled.object, dylib=dylib, name=file.name)


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
