"""Makes this process, a Python interpreter, look like the one that a C program expects.

A program started natively finds default signal handlers, the "C" locale, and its argument vector
in writable memory. Python has changed the first two by the time we run: it ignores SIGPIPE, so
that `lazyjit run p.ll | head` would never end; it turns SIGINT into a flag that only bytecode looks
at, so that Ctrl-C could not stop a program in machine code; it sets LC_CTYPE from the environment,
and may put LC_CTYPE into the environment. `become_plain` takes all of that back.

The end has one way only, whether main returns or the program calls `exit`: the C library's own
`exit`. It runs what was registered with it, in reverse order, and writes out stdio's buffers. Two
things are registered: the JIT's hook that runs the program's own atexit handlers and destructors,
and, before it and therefore run after it, whatever `at_exit` was given (the --stats table). Python
is never finalized: threads of the program may still be running code that must stay mapped.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn, TypeVar

__all__ = [
    "at_exit",
    "become_plain",
    "c_arguments",
    "captured_stderr",
    "default_signals",
    "environment",
    "flush_stdio",
    "forbid_core_files",
    "keep",
    "leave",
    "libc",
]

LC_ALL = 6

Kept = TypeVar("Kept")

#: What C code may still point to when Python has forgotten it. Never shrinks.
_kept: list[Any] = []


def keep(value: Kept) -> Kept:
    """`value`, which Python will never collect: machine code may use it to the last. Any thread."""
    _kept.append(value)
    return value


def libc() -> ctypes.CDLL:
    """The C library, as everything in this process sees it."""
    return ctypes.CDLL(None)


def default_signals() -> None:
    """Give back the default handlers that Python replaced. Main thread."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    # An inherited "ignore" (nohup, a shell's background job) stays, as it would natively.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def become_plain() -> None:
    """Undo what Python changed in this process and a program can see. Main thread."""
    default_signals()
    libc().setlocale(LC_ALL, b"C")
    # Python's locale coercion (PEP 538) exports LC_CTYPE; what we were started with tells.
    try:
        with open("/proc/self/environ", "rb") as file:  # noqa: PTH123  # pathlib takes 3 ms
            inherited = file.read().split(b"\0")
    except OSError:
        return
    if not any(variable.startswith(b"LC_CTYPE=") for variable in inherited):
        os.environ.pop("LC_CTYPE", None)


def forbid_core_files() -> None:
    """What lli's --disable-core-files does. Any thread."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def c_arguments(arguments: Sequence[str]) -> tuple[int, int]:
    """argc, and the address of an argv that lives as long as the process. Any thread.

    As C demands, the strings and the vector can be written to, and argv[argc] is null.
    """
    strings = [ctypes.create_string_buffer(os.fsencode(argument)) for argument in arguments]
    vector = (ctypes.c_void_p * (len(strings) + 1))(*map(ctypes.addressof, strings), None)
    keep(strings)
    return len(strings), ctypes.addressof(keep(vector))


def environment() -> int:
    """The C library's `environ`, which is main's third argument. Any thread."""
    return ctypes.c_void_p.in_dll(libc(), "environ").value or 0


def at_exit(callback: Callable[[], None]) -> None:
    """Call `callback` when the process ends by `exit`, from wherever; latest first. Any thread.

    It must not raise. Not called when the process dies of a signal or by `_exit`.
    """
    prototype = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
    hook = keep(prototype(lambda _: callback()))
    libc().__cxa_atexit(hook, None, None)


def flush_stdio() -> None:
    """Write out what the program has printed so far through C's stdio. Any thread."""
    libc().fflush(None)


@contextlib.contextmanager
def captured_stderr() -> Iterator[bytearray]:
    """What anything in this process writes to descriptor 2 meanwhile, filled in at the end.

    For the start of a run, while there is one thread.
    """
    text = bytearray()
    saved = os.dup(2)
    capture = os.memfd_create("stderr")
    os.dup2(capture, 2)
    try:
        yield text
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        text += os.pread(capture, os.fstat(capture).st_size, 0)
        os.close(capture)


def leave(code: int) -> NoReturn:
    """End the process through the C library's `exit`. Any thread."""
    for stream in (sys.stdout, sys.stderr):
        # Closed or full: what it held is lost, as it would be natively.
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    native = sys.modules.get("lazyjit._native")
    if native is not None:  # else nothing was ever compiled
        native.lib.lj_llvm_rest()
    libc().exit(code & 0xFF)
    raise AssertionError("exit returned")
