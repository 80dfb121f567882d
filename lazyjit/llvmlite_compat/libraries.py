"""`create_lljit_compiler`, `JITLibraryBuilder` and their trackers.

A library is a dylib. It lives as long as a tracker of it does: when the last one goes, its static
destructors run and its code is removed. The name of a library can't be used again.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm

from lazyjit.core import JITDylib, LookupFlags, SymbolState
from lazyjit.errors import (
    DuplicateDylib,
    DylibNotFound,
    FailedToMaterialize,
    LazyJITError,
    SessionClosed,
    SymbolsNotFound,
)
from lazyjit.finalizing import soon
from lazyjit.jit import JIT
from lazyjit.llvmlite_compat.closing import Closing
from lazyjit.llvmlite_compat.mcjit import compile_body
from lazyjit.llvmlite_compat.remembering import options_of

__all__ = ["LLJIT", "JITLibraryBuilder", "ResourceTracker", "create_lljit_compiler"]


def create_lljit_compiler(
    target_machine: Any = None, *, use_jit_link: bool = False, suppress_errors: bool = False
) -> LLJIT:
    """An empty LLJIT, compiling as `target_machine` says (None: for this host).

    `use_jit_link` chooses among LLVM's linkers; lazyjit has one. Raises RuntimeError.
    """
    try:
        return LLJIT(target_machine, suppress_errors)
    except LazyJITError as error:
        raise RuntimeError(str(error)) from error


class _Shared:
    """The JIT behind an LLJIT and the trackers of its libraries; closed with the last of them."""

    def __init__(self, target_machine: Any, suppress_errors: bool) -> None:
        options = options_of(target_machine)
        self.jit = JIT(
            opt_level=0,
            codegen_level=options.codegen_level,
            cpu=options.cpu,
            features=options.features,
        )
        if suppress_errors:
            self.jit.session.report_error = lambda error: None
        self._lock = threading.Lock()
        #: How many keep each library that was ever made; one that nobody keeps is unloaded.
        self._users = {"main": 0}  # LLVM makes one of this name, where nothing can be added

    def __del__(self) -> None:
        if hasattr(self, "jit"):
            soon(self.jit.close)

    def create(self, name: str) -> JITDylib:
        """A new library, kept by one user. Raises RuntimeError when there was one of that name."""
        with self._lock:
            try:
                dylib = self.jit.create_dylib(name)
            except DuplicateDylib as error:
                raise RuntimeError(f"Library name `{name}' is already in use.") from error
            self._users[name] = 1
        return dylib

    def acquire(self, name: str) -> bool:
        """Whether the library was still kept, and has one more user now.

        Raises RuntimeError when there never was one of that name.
        """
        with self._lock:
            users = self._users.get(name)
            if users is None:
                raise RuntimeError("No such library")
            if users:
                self._users[name] = users + 1
        return users > 0

    def release(self, name: str) -> None:
        """One user less; the last one unloads the library."""
        with self._lock:
            self._users[name] -= 1
            if self._users[name]:
                return
        unload(self.jit, self.jit.dylib(name))


class LLJIT(Closing):
    """Libraries that are linked against each other; the face of llvmlite's. Any thread."""

    def __init__(self, target_machine: Any, suppress_errors: bool) -> None:
        """Use `create_lljit_compiler`."""
        self._shared: _Shared | None = _Shared(target_machine, suppress_errors)
        self._target_data: Any = None
        self._machine = target_machine
        self._closed = False

    def lookup(self, dylib: str, fn: str) -> ResourceTracker:
        """A tracker of library `dylib` that has the address of `fn`.

        Raises RuntimeError when there is no such library or function, or it can't be compiled.
        """
        shared = self._open("lookup in")
        if not shared.acquire(dylib):
            raise RuntimeError(f"Symbols not found: [ {fn} ]")
        try:
            address = _address(shared.jit, shared.jit.dylib(dylib), fn)
        except BaseException:
            shared.release(dylib)
            raise
        return ResourceTracker(shared, dylib, {fn: address})

    @property
    def target_data(self) -> Any:
        """The TargetData of this instance; always the same one."""
        if self._target_data is None:
            self._open("ask")
            machine = self._machine
            if machine is None:
                machine = llvm.Target.from_default_triple().create_target_machine()
            self._target_data = machine.target_data
        return self._target_data

    def _open(self, what: str) -> _Shared:
        assert self._shared is not None, f"Cannot {what} closed JIT"
        return self._shared

    def _dispose(self) -> None:
        self._shared = None


class ResourceTracker(Closing):
    """Keeps a library loaded, and knows addresses in it. The face of llvmlite's. Any thread."""

    def __init__(self, shared: _Shared, name: str, addresses: Mapping[str, int]) -> None:
        """Use `JITLibraryBuilder.link` or `LLJIT.lookup`. It becomes the user that they were."""
        self._shared: _Shared | None = shared
        self._name = name
        self._addresses = dict(addresses)
        self._closed = False

    def __getitem__(self, item: str) -> int:
        return self._addresses[item]

    @property
    def name(self) -> str:
        """The library's name."""
        return self._name

    def _dispose(self) -> None:
        shared, self._shared = self._shared, None
        if shared is not None:
            shared.release(self._name)


class JITLibraryBuilder:
    """Collects what goes into a library, as a linker's command line does. Not for several threads.

    Every method but `link` returns the builder.
    """

    def __init__(self) -> None:
        """An empty library."""
        self._parts: list[tuple[str, Any]] = []
        self._exports: set[str] = set()
        self._imports: dict[str, int] = {}

    def add_ir(self, llvmir: Any) -> JITLibraryBuilder:
        """Add LLVM IR: text, or what turns into text by `str`."""
        self._parts.append(("ir", str(llvmir).encode()))
        return self

    def add_native_assembly(self, asm: Any) -> JITLibraryBuilder:
        """Add assembly of this machine, for LLVM's assembler."""
        self._parts.append(("assembly", str(asm)))
        return self

    def add_object_img(self, data: bytes) -> JITLibraryBuilder:
        """Add the bytes of an object."""
        self._parts.append(("object", bytes(data)))
        return self

    def add_object_file(self, file_path: str | os.PathLike[str]) -> JITLibraryBuilder:
        """Add an object by path. Raises OSError."""
        return self.add_object_img(Path(file_path).read_bytes())

    def add_jit_library(self, name: str) -> JITLibraryBuilder:
        """Link against a library that was linked before."""
        self._parts.append(("library", str(name)))
        return self

    def add_current_process(self) -> JITLibraryBuilder:
        """Link against what this process exports; as with LLVM's, every library is."""
        return self

    def import_symbol(self, name: str, address: int) -> JITLibraryBuilder:
        """Give an address a name that the library may use."""
        self._imports[str(name)] = int(address) & (1 << 64) - 1
        return self

    def export_symbol(self, name: str) -> JITLibraryBuilder:
        """Have the tracker know the address of this symbol."""
        self._exports.add(str(name))
        return self

    def link(self, lljit: LLJIT, library_name: str) -> ResourceTracker:
        """Make the library, run its constructors, and find what is exported.

        Raises RuntimeError when a part is malformed, a symbol missing or defined twice, or the name
        used before.
        """
        shared = lljit._open("add to")
        name = str(library_name)
        assert name, "Library cannot be empty"
        dylib = shared.create(name)
        try:
            for symbol, address in self._imports.items():
                shared.jit.define(symbol, address, dylib=dylib)
            for kind, value in self._parts:
                _add(shared.jit, dylib, kind, value)
            shared.jit.initialize(dylib)
            addresses = {each: _address(shared.jit, dylib, each) for each in sorted(self._exports)}
        except LazyJITError as error:
            shared.release(name)
            raise RuntimeError(str(error)) from error
        except BaseException:
            shared.release(name)
            raise
        return ResourceTracker(shared, name, addresses)


def _add(jit: JIT, dylib: JITDylib, kind: str, value: Any) -> None:
    if kind == "ir":
        jit.add_module(value, dylib=dylib, name="ir")
    elif kind == "object":
        jit.add_object(value, dylib=dylib, name="object")
    elif kind == "assembly":
        jit.add_assembly(value, dylib=dylib, name="asm")
    else:
        try:
            dylib.add_to_link_order(jit.dylib(value))
        except DylibNotFound:
            raise RuntimeError(f"Failed to find library `{value}'.") from None


def _address(jit: JIT, dylib: JITDylib, name: str) -> int:
    """The address of a symbol of `dylib` itself, compiled. Raises RuntimeError, in ORC's words."""
    try:
        own = [(dylib, LookupFlags.ALL_SYMBOLS)]
        found = jit.session.lookup(own, [name], SymbolState.READY)
        compile_body(jit, dylib, name)
    except FailedToMaterialize as error:
        raise RuntimeError(f"Failed to materialize symbols: {{ ({name}) }}: {error}") from error
    except SymbolsNotFound as error:
        raise RuntimeError(f"Symbols not found: [ {', '.join(error.symbols)} ]") from error
    return found[name].address


def unload(jit: JIT, dylib: JITDylib) -> None:
    """Run a library's destructors and remove what it holds; its name stays taken."""
    with contextlib.suppress(SessionClosed):  # then all is gone, or will be
        jit.deinitialize(dylib)
        dylib.clear()
