"""Opens what a `lazyjit link` command line names, and tells it apart, before anything is set up.

A file is an object, an archive (regular or thin), a shared library, a linker script that names
others, or, going by its name, assembly. Libraries are searched for; linker scripts are followed to
the libraries that they lead to.
"""

from __future__ import annotations

import enum
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lazyjit.cli.link_request import LinkInput, LinkRequest
from lazyjit.errors import InputError
from lazyjit.records import Record

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["File", "FileKind", "Inputs", "object_of", "read", "read_file"]


class FileKind(enum.Enum):
    """What a file is."""

    OBJECT = enum.auto()
    ARCHIVE = enum.auto()
    SHARED = enum.auto()
    #: A linker script, which names others.
    SCRIPT = enum.auto()
    ASSEMBLY = enum.auto()


class File(Record):
    """An input file, told apart. `data` is its content where that is what is added."""

    kind: FileKind
    name: str
    data: bytes = b""


#: What assembly is told by.
ASSEMBLY = (".s", ".asm")

ELF, RELOCATABLE, SHARED_OBJECT = b"\x7fELF", 1, 3


def read_file(name: str) -> File:
    """Open a file (`-`: stdin) and tell what it is. Raises OSError, InputError."""
    if name == "-":
        data = sys.stdin.buffer.read()
    else:
        with open(name, "rb") as file:  # noqa: PTH123  # pathlib takes 3 ms
            data = file.read()
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
    from lazyjit.link.linker_script import is_linker_script  # objects need none of it

    if is_linker_script(data):
        return File(FileKind.SCRIPT, name, data)
    if name.endswith(ASSEMBLY) or name == "-":
        return File(FileKind.ASSEMBLY, shown, data)
    if name.endswith(".S"):
        raise InputError("assembly for the C preprocessor: preprocess it first", file=shown)
    if data[:4] in (b"BC\xc0\xde", b"\xde\xc0\x17\x0b"):
        raise InputError("LLVM bitcode: lazyjit run takes it, a link takes objects", file=shown)
    raise InputError("neither an object, an archive, a library nor assembly", file=shown)


def _directories(request: LinkRequest, dylib: str | None) -> list[str]:
    return [directory for owner, directory in request.library_dirs if owner == dylib]


def _follow(request: LinkRequest, entry: LinkInput) -> Iterator[File]:
    """What an input comes to: itself, or the libraries that a linker script leads to."""
    path = entry.name
    file = None if entry.library or entry.hidden else read_file(path)
    if file is not None and file.kind is not FileKind.SCRIPT:
        yield file
        return
    from lazyjit.cli.libraries import SYSTEM, find_library  # objects need none of it
    from lazyjit.link.linker_script import library_files

    directories = _directories(request, entry.dylib)

    def find(name: str, first: Sequence[str]) -> Path:
        return find_library(name, first, system=request.search_system, scripts=True)

    if entry.names_library and path in ("main", *request.dylibs):
        return  # a dylib to link against: see link_inputs
    if entry.library and entry.hidden:
        path = str(find_library(path, directories, system=request.search_system, archives=True))
    elif entry.library:
        path = str(find(path, directories))
    file = file or read_file(path)
    if entry.hidden and file.kind is not FileKind.ARCHIVE:
        raise InputError("only an archive can be hidden", file=path)
    if file.kind is not FileKind.SCRIPT:
        yield file
        return
    if request.search_system:
        directories = [*directories, *SYSTEM]
    for each in library_files(path, directories, find=find):
        yield read_file(str(each))


class Inputs(Record):
    """Every file of a link: what is linked, with what the command line says of it; the harness."""

    files: list[tuple[LinkInput, File]]
    harness: list[File]

    @property
    def all(self) -> list[File]:
        """All files."""
        return [file for _, file in self.files] + self.harness


def read(request: LinkRequest) -> Inputs:
    """All inputs, opened. Raises OSError, InputError, LibraryNotFound."""
    files = [(entry, file) for entry in request.inputs for file in _follow(request, entry)]
    harness = [read_file(name) for name in request.harness]
    for file in harness:
        if file.kind not in (FileKind.OBJECT, FileKind.ASSEMBLY):
            raise InputError("a harness file is an object or assembly", file=file.name)
    return Inputs(files, harness)


def object_of(request: LinkRequest, file: File, triple: str) -> bytes:
    """An object file's bytes; assembly is assembled for `triple`."""
    if file.kind is FileKind.OBJECT:
        return file.data
    from lazyjit.codegen.assembler import assembler_for

    assembler = assembler_for(triple, request.assembler)
    assembled = assembler.assemble(file.data, file=file.name)
    sys.stderr.write(assembled.warnings)
    return assembled.object
