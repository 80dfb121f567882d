"""What goes into a JIT: modules, objects, archives, libraries, plug-ins, names, linker plugins.

Adding compiles and links nothing. What a source is, is told by its content.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, Union

from lazyjit.core import (
    JITDylib,
    ResourceTracker,
    SharedLibrary,
    SymbolAlias,
    lazy_reexports,
)
from lazyjit.errors import LazyJITError, UsageError
from lazyjit.face.asking import Asking
from lazyjit.ir import ModuleIndex
from lazyjit.symbols import SymbolFlags

if TYPE_CHECKING:
    from lazyjit.layers.object_unit import ObjectUnit
    from lazyjit.layers.plugin import Plugin as LinkPlugin
    from lazyjit.link.graph import LinkGraph
    from lazyjit.plugin import Plugin

__all__ = ["Adding", "Source"]

#: What `add` takes: a path, or contents, or an llvmlite module.
Source = Union[str, bytes, "os.PathLike[str]", Any]


class Adding(Asking):
    """The methods that add. Every one may be called from any thread."""

    def add(
        self, source: Source, *, dylib: JITDylib | None = None, name: str | None = None
    ) -> ResourceTracker:
        """Add IR, bitcode, an object or an archive, by content; the tracker that removes it.

        `source` is a path, `bytes`, IR text, or an llvmlite module. A `str` with a line break or a
        brace is text, any other is a path, an empty one too. An empty file is a module of nothing.
        Raises InputError for what is malformed or none of these, DuplicateDefinition, OSError when
        a file can't be read.
        """
        data, file = _read(source, name)
        if isinstance(data, bytes):
            if data.startswith((b"!<arch>\n", b"!<thin>\n")):
                return self._add_archive(source, data, file, dylib)
            if data.startswith(b"\x7fELF"):
                return self._add_object(data, file, dylib)
        return self._add_module(data, file, dylib)

    def add_module(
        self, source: Source, *, dylib: JITDylib | None = None, name: str | None = None
    ) -> ResourceTracker:
        """Add a module: `.ll` or `.bc` by path or content, or an llvmlite module. Compiles nothing.

        Raises IRError, DuplicateDefinition, OSError.
        """
        return self._add_module(*_read(source, name), dylib)

    def add_c(
        self,
        source: str | os.PathLike[str],
        *,
        flags: Sequence[str] = (),
        name: str | None = None,
        dylib: JITDylib | None = None,
    ) -> ResourceTracker:
        """Add C, by path or as text: its IR is made now, by clang, and compiled when it is called.

        `flags` are clang's; `name` is the file's in messages. A `str` with a line break, a
        brace or a semicolon is text, any other is a path, an empty one too. Optimization is the
        JIT's own (see `lazyjit.c_source`). Raises SourceError with file and line, CompilerNotFound
        when there is no compiler, DuplicateDefinition, OSError. Warnings are issued as
        CompilerWarning.
        """
        from lazyjit.c_source import compile_c, is_text  # subprocesses and temporary files

        target = self._open(dylib)
        data = compile_c(source, flags=flags, name=name, cpu=self._cpu)
        file = name or ("<c>" if is_text(source) else os.fspath(source))
        return self._add_module(data, file, target)

    def add_object(
        self, source: Source, *, dylib: JITDylib | None = None, name: str | None = None
    ) -> ResourceTracker:
        """Add an ELF object by path or content; it is linked when a symbol of it is wanted.

        Raises ObjectFormatError, RelocationError, DuplicateDefinition, OSError.
        """
        data, file = _read(source, name)
        if not isinstance(data, bytes):
            raise UsageError("an object is given by its path or its bytes")
        return self._add_object(data, file, dylib)

    def add_archive(
        self,
        source: Source,
        *,
        dylib: JITDylib | None = None,
        name: str | None = None,
        whole: bool = False,
        hidden: bool = False,
    ) -> ResourceTracker:
        """Add a static library: a member is linked when it is needed (with `whole`: each is added).

        What `hidden` members define is seen within the dylib, but not from others.

        `source` is a path or the archive's bytes; a thin archive needs its path. Raises
        ArchiveFormatError, also for an empty file, and OSError when the file can't be read; with
        `whole` also what `add_object` raises.
        """
        self._open(dylib)
        if isinstance(source, str):
            data, file = _contents(source), name or source  # a str is a path here, braces or not
        else:
            data, file = _read(source, name)
        if not isinstance(data, bytes):
            raise UsageError("an archive is given by its path or its bytes")
        return self._add_archive(source, data, file, dylib, whole=whole, hidden=hidden)

    def add_assembly(
        self,
        text: str | bytes | os.PathLike[str],
        *,
        dylib: JITDylib | None = None,
        name: str | None = None,
    ) -> ResourceTracker:
        """Add assembly, by its text or by the path of a file (as a `Path`, not as a `str`).

        It is assembled now, and linked when a symbol of it is wanted. Raises AssemblyError with the
        line in the text, RelocationError, DuplicateDefinition, OSError.
        """
        target = self._open(dylib)
        if isinstance(text, os.PathLike):
            name = name or os.fspath(text)
            text = _contents(text)
        file = name or "<assembly>"
        assembled = self._assembly.assembler.assemble(text, file=file)
        return self._add_object(assembled.object, file, target)

    def add_graph(self, graph: LinkGraph, *, dylib: JITDylib | None = None) -> ResourceTracker:
        """Add a link graph, made by hand say, which is the JIT's from here on.

        It is linked when a symbol of it is wanted. Raises DuplicateDefinition, UsageError.
        """
        target = self._open(dylib)
        return self._added(
            target, lambda tracker: self._objects.add_graph(target, graph, tracker=tracker)
        )

    def load_library(self, name: str | os.PathLike[str], *, dylib: JITDylib | None = None) -> None:
        """Let `dylib` use the symbols of a shared library, loading it.

        A path may also be that of a linker script, as `libc.so` often is: then the libraries that
        it names, archives too. Raises LibraryNotFound, LinkerScriptError, ArchiveFormatError.
        """
        from pathlib import Path  # few programs load libraries

        from lazyjit.link.linker_script import library_files

        target = self._open(dylib)
        files = library_files(name)
        if files == [Path(name)]:  # as it was given: the loader searches for what has no slash
            target.add_generator(SharedLibrary(os.fspath(name)))
            return
        for file in files:
            if file.suffix == ".a":
                self.add_archive(file, dylib=target)
            else:
                target.add_generator(SharedLibrary(file.resolve()))

    def load(self, path: str | os.PathLike[str]) -> Plugin:
        """Load a file of IR, bitcode, an object or an archive as a plug-in, by content.

        It is linked against the main dylib and the process, its constructors run, and it is
        unloaded when its last handle goes. Raises what `add` and a constructor raise.
        """
        from lazyjit.plugin import Plugin  # few programs have plug-ins

        return Plugin(self, path)

    def define(
        self,
        name: str,
        what: Any,
        signature: object = None,
        *,
        dylib: JITDylib | None = None,
        callable: bool = True,
    ) -> ResourceTracker:
        """Make something of this process visible to code as `name`; the tracker that removes it.

        `what` is an address, a ctypes or cffi function or pointer, a callable of lazyjit's, or any
        other Python callable. To that one a trampoline leads that is typed by `signature` (as
        `callable` takes it; None: the callable's own annotations). It takes the GIL, so any thread
        may call it, and what it raises is raised by the Python call that led there. (Where none
        did, on a thread of native code's own, `sys.unraisablehook` is told and the result is 0.)
        `callable` says of an address that it is a function's. Raises DuplicateDefinition, and
        UsageError for what can't be called with such a signature.
        """
        return self._calling_out.define(
            self._open(dylib), name, what, signature, callable, self._add_module
        )

    def reexport_lazily(
        self,
        names: Mapping[str, str],
        source: JITDylib,
        *,
        dylib: JITDylib | None = None,
    ) -> None:
        """Give functions of `source` names in `dylib` (new name: name there), as stubs.

        Whatever makes them there is started by their first call, which raises LinkError when the
        names lead back to themselves. Raises DuplicateDefinition.
        """
        flags = SymbolFlags.EXPORTED | SymbolFlags.CALLABLE
        aliases = {name: SymbolAlias(aliasee, flags) for name, aliasee in names.items()}
        self._open(dylib).define(lazy_reexports(self._call_through, source, aliases))

    def add_plugin(self, plugin: LinkPlugin) -> None:
        """Have `plugin` see, and change, what is linked from now on.

        Objects and compiled modules alike; each link then costs tens of microseconds more. Raises
        UsageError if it was added before.
        """
        self._objects.add_plugin(plugin)

    def remove_plugin(self, plugin: LinkPlugin) -> None:
        """Leave `plugin` out of later links. Raises UsageError if it was not added."""
        self._objects.remove_plugin(plugin)

    # Within

    def _add_module(self, data: Any, file: str, dylib: JITDylib | None) -> ResourceTracker:
        target = self._open(dylib)
        with self._lock:
            ordinal = self._ordinals
            self._ordinals += 1
        started = perf_counter_ns()
        index = ModuleIndex.load(data, file=file, ordinal=ordinal)
        self._counters.spend(index=perf_counter_ns() - started)
        tracker = target.create_tracker()
        try:
            table = self._modules.add(index, target, tracker)
        except LazyJITError:
            tracker.remove()
            raise
        self._platform.note_module(table, tracker)
        return tracker

    def _add_archive(
        self,
        source: Source,
        data: bytes,
        file: str,
        dylib: JITDylib | None,
        *,
        whole: bool = False,
        hidden: bool = False,
    ) -> ResourceTracker:
        """Add the archive that was read from `source`."""
        from lazyjit.layers.archive import StaticLibraryGenerator  # few programs have archives
        from lazyjit.link.archive import Archive

        target = self._open(dylib)
        path = os.fspath(source) if isinstance(source, str | os.PathLike) else None
        archive = Archive(data, file=file, path=path)
        tracker = target.create_tracker()
        generator = StaticLibraryGenerator(
            archive,
            self._objects,
            tracker,
            on_object=self._platform.note_object,
            hidden=hidden,
        )
        if whole:
            generator.add_all(target)
        else:
            target.add_generator(generator)
            self._platform.note_archive(target, generator)
        return tracker

    def _add_object(self, data: bytes, file: str, dylib: JITDylib | None) -> ResourceTracker:
        target = self._open(dylib)
        return self._added(
            target, lambda tracker: self._objects.add(target, data, file=file, tracker=tracker)
        )

    def _added(
        self, target: JITDylib, add: Callable[[ResourceTracker], ObjectUnit]
    ) -> ResourceTracker:
        """A new tracker, with what `add` defines under it."""
        tracker = target.create_tracker()
        try:
            unit = add(tracker)
        except LazyJITError:
            tracker.remove()
            raise
        self._platform.note_object(target, unit, tracker)
        return tracker


def _read(source: Source, name: str | None) -> tuple[Any, str]:
    """The source's content (bytes, or an llvmlite module as it is) and a name for messages."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source), name or "<bytes>"
    if isinstance(source, str) and ("\n" in source or "{" in source):
        return source.encode(), name or "<string>"
    if isinstance(source, str | os.PathLike):
        return _contents(source), name or os.fspath(source)
    return source, name or "<module>"


def _contents(path: str | os.PathLike[str]) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123  # importing pathlib takes 3 ms
        return file.read()
