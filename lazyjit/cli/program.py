"""Turns a `Request` into calls of the JIT: the one place where options meet the API.

`run` reads as the life of a program: the process is made plain, the JIT is built, inputs are added,
initializers run, the threads of --thread-entry start, main runs, the threads are joined, finalizers
run. It returns main's result; ending the process is `process.leave`'s business.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

from lazyjit.cli import process
from lazyjit.cli.options import CommandLineError, Dump, Input, InputKind, Request
from lazyjit.errors import LazyJITError, LibraryNotFound, LinkError, SymbolsNotFound

__all__ = ["EntryNotFound", "run"]


class EntryNotFound(LinkError):
    """None of the inputs defines the function to start at."""


HOST = (None, "native")


def features(request: Request) -> str | None:
    """The features to compile for; None leaves the choice to the JIT.

    Without --mcpu, --mattr adds to what this machine has, which may be less than what its
    processor's name promises (virtual machines mask features).
    """
    if not request.features or request.cpu not in HOST:
        return ",".join(request.features) or None
    from lazyjit.codegen.options import host_features

    return ",".join([host_features(), *request.features])


def make_jit(request: Request) -> Any:
    """The JIT that the request's compile options describe."""
    # Here, not above: help texts and wrong options need no LLVM.
    from lazyjit.jit import JIT

    on_unit = None
    if request.dump is not Dump.NOTHING:
        from lazyjit.cli import units

        on_unit = units.printer(request.dump)
    return JIT(
        opt_level=request.opt_level,
        codegen_level=request.codegen_level,
        compile_threads=request.compile_threads,
        lazy=request.lazy,
        unit_policy=request.unit_policy,
        tiered=request.tiered,
        speculate=request.speculate,
        cpu=None if request.cpu in HOST else request.cpu,
        features=features(request),
        relocation_model=request.relocation_model,
        code_model=request.code_model,
        process_symbols=request.process_symbols,
        on_unit=on_unit,
    )


def tune_llvm(request: Request) -> None:
    """Hand LLVM its own options. Raises CommandLineError with what its parser says of them."""
    if not request.llvm_arguments:
        return
    from lazyjit import llvmlib

    library = llvmlib.bind()
    for argument in request.llvm_arguments:
        # Called as a library, LLVM's parser complains on stderr and returns nothing.
        with process.captured_stderr() as complaint:
            library.LLVMPY_SetCommandLine(b"lazyjit", os.fsencode(argument))
        if complaint:
            words = complaint.decode(errors="replace").strip()
            raise CommandLineError(words.removeprefix("lazyjit: "))


def load_libraries(request: Request) -> None:
    """--dlopen and --load: into the process, for everyone to see, as lli does."""
    for path, required in request.loads:
        try:
            ctypes.CDLL(path, ctypes.RTLD_GLOBAL | os.RTLD_NOW)
        except OSError as error:
            if required:
                raise LibraryNotFound(str(error)) from None
            print(f"lazyjit: warning: {error}; --load={path} ignored", file=sys.stderr)


def check_files(request: Request) -> None:
    """Raise the OSError of the first input that can't be read, before anything is set up."""
    files = [entry.name for entry in request.inputs if entry.kind is not InputKind.LIBRARY]
    for name in (request.file, *files):
        if name != "-":
            open(name, "rb").close()  # noqa: PTH123  # pathlib takes 3 ms


class NamedFile(os.PathLike[str]):
    """A path that nobody takes for IR: as `pathlib.Path`, whose import takes 3 ms."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __fspath__(self) -> str:
        return self.name

    __str__ = __fspath__


def _source(name: str) -> bytes | NamedFile:
    return sys.stdin.buffer.read() if name == "-" else NamedFile(name)


def add_input(jit: Any, request: Request, entry: Input, dylib: Any) -> None:
    """Add one input to its dylib."""
    if entry.kind is InputKind.MODULE:
        jit.add_module(_source(entry.name), dylib=dylib)
    elif entry.kind is InputKind.OBJECT:
        jit.add_object(NamedFile(entry.name), dylib=dylib)
    elif entry.kind is InputKind.ARCHIVE:
        jit.add_archive(NamedFile(entry.name), dylib=dylib)
    else:
        from lazyjit.cli.libraries import find_library, is_archive  # where -l is given

        path = find_library(entry.name, request.library_dirs)
        if is_archive(path):
            jit.add_archive(path, dylib=dylib)
        else:
            jit.load_library(str(path), dylib=dylib)


def add_inputs(jit: Any, request: Request) -> list[Any]:
    """Add the program, the dylibs and what goes into them; the dylibs, in order."""
    if request.file.endswith(".c"):
        jit.add_c(NamedFile(request.file))
    else:
        jit.add(_source(request.file), name="<stdin>" if request.file == "-" else None)
    dylibs = {name: jit.create_dylib(name) for name in request.dylibs}
    for dylib in dylibs.values():
        # Both ways, as in lli: main finds what the dylib exports, and it what main exports.
        jit.main.add_to_link_order(dylib)
        dylib.add_to_link_order(jit.main)
    for entry in request.inputs:
        add_input(jit, request, entry, jit.main if entry.dylib is None else dylibs[entry.dylib])
    return list(dylibs.values())


class EntryThread(threading.Thread):
    """A thread of --thread-entry; `failure` is what stopped it, or None."""

    def __init__(self, function: Callable[[], object], name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.function = function
        self.failure: LazyJITError | None = None

    def run(self) -> None:
        """Run the program's function."""
        try:
            self.function()
        except LazyJITError as error:
            self.failure = error


def _function(jit: Any, name: str, option: str, *signature: Any) -> Callable[..., Any]:
    try:
        function: Callable[..., Any] = jit.function(name, *signature)
    except SymbolsNotFound as error:
        if error.symbols != [name]:
            raise
        raise EntryNotFound(f"the program has no function {name!r} ({option})") from None
    return function


def run_main(jit: Any, request: Request) -> int:
    """Run main beside the threads of --thread-entry; main's result, once all have ended."""
    threads = [
        EntryThread(_function(jit, name, "--thread-entry", None), name)
        for name in request.thread_entries
    ]
    # The x86-64 calling convention lets a main() or a main(argc, argv) ignore the rest.
    main = _function(
        jit, request.entry, "--entry",
        ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p,
    )  # fmt: skip
    count, vector = process.c_arguments([request.argv0 or request.file, *request.arguments])
    for thread in threads:
        thread.start()
    result: int = main(count, vector, process.environment())
    for thread in threads:
        thread.join()
        if thread.failure is not None:
            raise thread.failure
    return result


def run(request: Request) -> int:
    """Run the program; what its main returns. Main thread. Raises LazyJITError, OSError."""
    check_files(request)
    if not request.core_files:
        process.forbid_core_files()
    tune_llvm(request)
    load_libraries(request)
    # Registered first, the table is printed last: the JIT's own exit hook comes later, so earlier.
    jit: Any = None
    if request.stats:
        from lazyjit.cli import stats

        process.at_exit(lambda: stats.report(jit))
    jit = process.keep(make_jit(request))
    dylibs = add_inputs(jit, request)
    if not request.lazy:
        for dylib in [*dylibs, jit.main]:
            jit.compile(dylib=dylib)
    process.become_plain()
    if request.run_initializers:
        for dylib in dylibs:
            jit.initialize(dylib)
        jit.initialize()
    result = run_main(jit, request)
    if request.run_initializers:
        jit.deinitialize()
        for dylib in reversed(dylibs):
            jit.deinitialize(dylib)
    return result
