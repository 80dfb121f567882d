"""What JIT'd code finds under the names that crt files and the dynamic loader give elsewhere.

A shared library has a `__dso_handle` by which the C library knows whose exit handlers to run, an
`atexit` of its own, and a loader that sets up thread-local variables. `DSOHandle` is that for one
dylib: define `runtime_symbols(handle)` in it as absolute symbols, before looking into the process.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import Any, Final

from lazyjit import failures
from lazyjit._native import check, ffi, lib
from lazyjit.errors import SessionClosed, SymbolRemoved, UsageError

__all__ = ["OVERRIDABLE", "DSOHandle", "call_at_exit", "runtime_symbols", "thread_local_address"]


class DSOHandle:
    """One dylib's identity towards exit handlers. All methods: any thread."""

    def __init__(self, arena: Any) -> None:
        """Takes a cell and three thunks in `arena`. Raises `ArenaFull`, `MemoryError`."""
        out = ffi.new("lj_dso **")
        check(lib.lj_dso_new(arena.handle, out))
        self._dso: Any = out[0]
        self._arena = arena
        self._lock = threading.Lock()

    def _live(self) -> Any:
        if self._dso is None:
            raise UsageError("the DSO handle was closed")
        return self._dso

    def run_exit_handlers(self, call: Callable[[int, int], object] | None = None) -> None:
        """Run what `atexit`, `__cxa_atexit` and this thread's thread_local variables registered,
        last in, first out, those included that a handler registers. Each runs once.

        `call(function, argument)` calls the native function that does so, and raises what a handler
        fails with; those that have not run then stay to do. Without, no handler may fail.
        """
        dso = self._live()
        if call is None:
            lib.lj_atexit_run(dso)
        else:
            call(_run_address, int(ffi.cast("uintptr_t", dso)))

    def seal(self, *, wait: bool = False) -> bool:
        """Forget handlers that did not run, and those to be registered yet. Whether other threads,
        which may be ending, are in one still; with `wait`, returns when none is. Again: the same.
        """
        dso = self._dso
        return dso is not None and bool(lib.lj_dso_seal(dso, wait))

    def close(self) -> None:
        """Forget handlers that did not run, and free the memory. A second call does nothing."""
        with self._lock:
            dso, self._dso = self._dso, None
        if dso is not None:
            lib.lj_dso_dispose(dso)


def forget_handlers(start: int, size: int) -> None:
    """Code or data in a range of addresses is going: forget the exit handlers that lead there, or
    have something there to destroy. Any thread.
    """
    lib.lj_atexit_forget(start, size)


def handlers_run(arena: Any) -> Callable[[bool], bool]:
    """Asks whether other threads run exit handlers of dylibs in `arena`; given True, returns when
    none does. It may outlive the arena. Any thread.
    """
    handle = ffi.cast("lj_arena *", ffi.cast("uintptr_t", arena.handle))  # owns nothing
    return lambda wait: bool(lib.lj_atexit_busy(handle, wait))


_run_address = int(ffi.cast("uintptr_t", ffi.addressof(lib, "lj_atexit_run")))

_exit_hook: Any = None


def call_at_exit(callback: Callable[[], None]) -> None:
    """Call `callback` when JIT'd code calls `exit`, before anything else happens.

    On the thread that exits. One for the process: a later one takes the place of an earlier one.
    """
    global _exit_hook
    _exit_hook = ctypes.CFUNCTYPE(None)(callback)
    lib.lj_exit_hook_set(ctypes.cast(_exit_hook, ctypes.c_void_p).value or 0)


def _failed_at_thread_exit(token: int) -> None:
    """A thread_local's destructor has failed. What this raises, ctypes tells `unraisablehook`."""
    error = failures.find(token)
    # Removed while the thread was ending, its error too perhaps: forgotten, as what had not begun
    # is.
    if error is None or token == lib.LJ_FAILURE_FREED:
        return
    if not isinstance(error, SessionClosed | SymbolRemoved):
        raise error


_failure_hook: Final = ctypes.CFUNCTYPE(None, ctypes.c_uint64)(_failed_at_thread_exit)
lib.lj_exit_failure_hook_set(ctypes.cast(_failure_hook, ctypes.c_void_p).value or 0)

#: Linker names by the native structure's fields.
_NAMES = {
    "dso_handle": ("__dso_handle",),
    "atexit": ("atexit",),
    "at_quick_exit": ("at_quick_exit",),
    "pthread_atfork": ("pthread_atfork",),
    "cxa_atexit": ("__cxa_atexit",),
    "cxa_thread_atexit": ("__cxa_thread_atexit", "__cxa_thread_atexit_impl"),
    "cxa_finalize": ("__cxa_finalize",),
    "exit": ("exit",),
    "quick_exit": ("quick_exit",),
    "tls_get_addr": ("__tls_get_addr",),
}
_FORK_NAMES = {"fork": ("fork", "__fork"), "daemon": ("daemon",), "forkpty": ("forkpty",)}

#: A program may have functions of its own under these names, as in a native link.
OVERRIDABLE: Final = frozenset(
    ["atexit", "at_quick_exit", "pthread_atfork", "exit", "quick_exit"]
    + [name for names in _FORK_NAMES.values() for name in names]
)


def runtime_symbols(dso_handle: DSOHandle) -> dict[str, int]:
    """Addresses, by name, that a dylib's code must find before the process's own. Any thread.

    `exit` and `quick_exit` run the handlers of all dylibs before the process's; what forks runs
    those of `os.register_at_fork`.
    """
    own, forks = ffi.new("lj_dso_symbols *"), ffi.new("lj_fork_symbols *")
    lib.lj_dso_symbols_get(dso_handle._live(), own)
    lib.lj_fork_symbols_get(forks)
    return {
        name: getattr(symbols, field)
        for symbols, fields in ((own, _NAMES), (forks, _FORK_NAMES))
        for field, names in fields.items()
        for name in names
    }


def thread_local_address(token: int) -> int:
    """The calling thread's address of a JIT'd thread-local variable, from the token that stands
    for it in symbol tables. Raises `UsageError` for anything else.
    """
    address = int(ffi.cast("uintptr_t", lib.lj_tls_address(token)))
    if not address:
        raise UsageError(f"{token:#x} is not a thread-local variable")
    return address
