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

from lazyjit.cli import link_inputs, process
from lazyjit.cli.link_report import Times
from lazyjit.cli.link_request import LinkRequest
from lazyjit.errors import FailedToMaterialize, LazyJITError, LibraryNotFound

__all__ = ["make_jit", "run"]


def make_jit(request: LinkRequest) -> Any:
    """The JIT that the request describes."""
    # Here, not above: help texts and wrong options need neither LLVM nor NumPy.
    from lazyjit.jit import JIT

    threads = request.threads if request.threads is None else max(1, request.threads)
    return JIT(compile_threads=threads, process_symbols=request.process_symbols)


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


def look_up_entry(jit: Any, request: LinkRequest) -> int:
    """Link the entry point and what it needs; its address."""
    from lazyjit.core import SymbolState

    name = request.entry
    order = jit.main.link_order
    address: int = jit.session.lookup(order, [name], SymbolState.READY)[name].address
    return address


def execute(jit: Any, request: LinkRequest, dylibs: list[Any]) -> int:
    """Run initializers, the program, finalizers; what the program returned."""
    process.become_plain()
    for dylib in dylibs:
        jit.initialize(dylib)
    jit.initialize()
    main = jit.function(
        request.entry, ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p
    )
    count, vector = process.c_arguments([request.inputs[0].name, *request.arguments])
    result: int = main(count, vector, process.environment())
    jit.deinitialize()
    for dylib in reversed(dylibs):
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
        raise cause from cause.__cause__
    finally:
        if request.show_times:
            times.report()


def _run(request: LinkRequest, times: Times) -> int:
    inputs = link_inputs.read(request)
    preload(request)
    jit = process.keep(make_jit(request))
    with times.of("load and add files"):
        dylibs = link_inputs.add(jit, request, inputs)
    with times.of("link"):
        look_up_entry(jit, request)
    if not request.execute:
        return 0
    with times.of("run"):
        return execute(jit, request, dylibs)
