"""`lazyjit link`: turns a `LinkRequest` into calls of the JIT.

`run` reads as the life of a link: libraries are loaded, the JIT is built, what is to be linked is
added, the entry point is looked up (which links it and all that it needs), what was asked for is
shown and checked, and the program runs, unless nothing is to run.

An error of the link is the error at its root: that a symbol could not be made because another could
not is what -show-err-failed-to-materialize adds.
"""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Any

from lazyjit.cli import link_files, link_inputs, link_target, link_watch, process
from lazyjit.cli.link_fixed import needs_fixed_position
from lazyjit.cli.link_lazy import read_order
from lazyjit.cli.link_report import Times, session_dump
from lazyjit.cli.link_request import LinkRequest
from lazyjit.errors import ArenaFull, FailedToMaterialize, LazyJITError, LibraryNotFound

__all__ = ["make_jit", "run"]

LOADING = "time to load/add object files"


def memory_manager(request: LinkRequest, foreign: bool) -> Any:
    """Where code goes: into the slab that was asked for, and what can't run here nowhere; else
    None, the JIT's own arena.
    """
    if request.slab_size is not None:
        from lazyjit.link.memory_slab import SlabMemoryManager

        return SlabMemoryManager(
            request.slab_size,
            request.slab_address,
            request.slab_page_size,
            execute=request.execute,
        )
    if foreign:
        from lazyjit.link.memory_null import NullMemoryManager

        return NullMemoryManager()
    return None


def make_jit(request: LinkRequest, *, foreign: bool, fixed: bool) -> Any:
    """The JIT that the request describes; `foreign`: for code of another processor, `fixed`: for
    code that has to be below 2 GiB.
    """
    # Here, not above: help texts and wrong options need neither LLVM nor NumPy.
    from lazyjit.jit import JIT

    threads = request.threads if request.threads is None else max(1, request.threads)
    debugger = request.execute if request.debugger is None else request.debugger
    return JIT(
        compile_threads=threads,
        process_symbols=request.process_symbols,
        memory_manager=memory_manager(request, foreign),
        debugger_support=debugger and not foreign,
        perf_support=request.perf and not foreign,
        relocation_model="static" if fixed else "pic",
    )


def preload(request: LinkRequest) -> None:
    """-preload: into the process, for everyone to see. Raises LibraryNotFound."""
    for path in request.preloads:
        try:
            ctypes.CDLL(path, ctypes.RTLD_GLOBAL | os.RTLD_NOW)
        except OSError as error:
            raise LibraryNotFound(str(error)) from None


def root_of(error: BaseException) -> BaseException:
    """What went wrong first: the cause at the end of a chain of failures to materialize."""
    while isinstance(error, FailedToMaterialize) and error.__cause__ is not None:
        error = error.__cause__
    return error


def look_up_entry(jit: Any, request: LinkRequest) -> Any:
    """Link the entry point and what it needs; the dylib that has it, the first of the command line.

    Raises SymbolsNotFound, and what the link raises.
    """
    from lazyjit.core import LookupFlags, SymbolState
    from lazyjit.errors import SymbolsNotFound

    name = request.entry
    for dylib in (jit.main, *map(jit.dylib, request.dylibs)):
        where = [(dylib, LookupFlags.ALL_SYMBOLS)]
        if jit.session.lookup_flags(where, [name]):
            jit.session.lookup(where, [name], SymbolState.READY)
            return dylib
    raise SymbolsNotFound([name])


def is_fixed(file: link_files.File) -> bool:
    """Whether a file is an object for a fixed position."""
    return file.kind is link_files.FileKind.OBJECT and needs_fixed_position(file.data)


def execute(jit: Any, request: LinkRequest, added: link_inputs.Added, home: Any) -> int:
    """Run initializers, the program, finalizers; what the program returned. Its entry point is in
    the dylib `home`.
    """
    process.become_plain()
    if added.below is not None:
        added.below.redirect()
    if request.speculate_order is not None:
        added.lazy.speculate(read_order(request.speculate_order))
    for dylib in added.initialized:
        jit.initialize(dylib)
    types = (ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
    main = jit.function(request.entry, *types, dylib=home)
    count, vector = process.c_arguments([request.inputs[0].name, *request.arguments])
    result: int = main(count, vector, process.environment())
    for dylib in reversed(added.initialized):
        jit.deinitialize(dylib)
    return result


def run(request: LinkRequest) -> int:
    """Link, and run; what the program's entry point returned. Main thread.

    Raises LazyJITError, OSError.
    """
    if request.arguments and not request.execute:
        print("lazyjit: warning: -args is ignored with -noexec", file=sys.stderr)
    times = Times()
    try:
        return _run(request, times)
    except LazyJITError as error:
        cause = error if request.show_secondary else root_of(error)
        if request.slab_size is not None and isinstance(cause, ArenaFull):
            raise ArenaFull(f"-slab-allocate: {cause}") from cause
        raise cause from cause.__cause__
    finally:
        if request.show_times:
            times.report()


def _run(request: LinkRequest, times: Times) -> int:
    with times.of(LOADING):
        inputs = link_files.read(request)
    triple = link_target.of(request, inputs)
    preload(request)
    foreign = link_target.is_foreign(triple)
    fixed = request.slab_size is None and any(map(is_fixed, inputs.all))
    jit = process.keep(make_jit(request, foreign=foreign, fixed=fixed))
    watcher = link_watch.Watcher(request, triple)
    watcher.watch(jit)
    with times.of(LOADING):
        added = link_inputs.add(jit, request, inputs, triple, fixed=fixed)
    if request.show_initial:
        sys.stdout.write(session_dump(jit.session))
    with times.of("time to link object files"):
        home = look_up_entry(jit, request)
    if request.show_linked:
        sys.stdout.write(session_dump(jit.session))
    watcher.tell(jit)
    sys.stdout.flush()
    if not request.execute:
        return 0
    with times.of("time to execute jitlink'd code"):
        return execute(jit, request, added, home)
