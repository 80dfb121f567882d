"""Calling out: what of this process code may call by name.

An address gets a name, and no more. A ctypes or cffi function is an address that must live as long
as its name; so is a callable of lazyjit's, of this session or another. Any other Python callable
gets a trampoline (`lazyjit.call.trampoline`), which is IR, added as a module like any other: it is
compiled when it is called, and calls to it go through a stub. What lies behind a name is let go of
when the tracker under which it was defined is removed and the calls that are under way then have
returned.
"""

from __future__ import annotations

import ctypes
import inspect
import threading
from collections.abc import Callable
from typing import Any

from lazyjit import forking
from lazyjit.call.annotations import describe
from lazyjit.call.trampoline import Trampoline
from lazyjit.call.typed import address_of
from lazyjit.call.types import Pointer
from lazyjit.core import ExecutionSession, JITDylib, ResourceTracker
from lazyjit.core.tracker import current
from lazyjit.errors import LazyJITError, UsageError
from lazyjit.layers.grace import GracePeriods
from lazyjit.symbols import ExecutorSymbolDef, SymbolFlags

__all__ = ["CallingOut"]

#: Adds a module: its text, a name for messages, the dylib.
AddModule = Callable[[bytes, str, JITDylib], ResourceTracker]


class CallingOut(forking.Guarded):
    """Keeps what names of a session lead to. Every method: any thread."""

    def __init__(self, session: ExecutionSession, grace: GracePeriods) -> None:
        """A resource manager of `session`."""
        self._lock = threading.Lock()
        forking.join(forking.Phase.TABLE, self)
        self._grace = grace
        self._kept: dict[int, list[object]] = {}
        session.register_resource_manager(self)

    def define(
        self,
        dylib: JITDylib,
        name: str,
        what: Any,
        signature: object,
        is_function: bool,
        add_module: AddModule,
    ) -> ResourceTracker:
        """Give `what` a name in `dylib`; see `JIT.define`."""
        address = _address(what)
        if address is not None:
            if signature is not None:
                raise UsageError(f"{name}: an address needs no signature; callers have their own")
            flags = SymbolFlags.EXPORTED | SymbolFlags.ABSOLUTE
            if is_function:
                flags |= SymbolFlags.CALLABLE
            tracker = dylib.create_tracker()
            try:
                dylib.define_absolute({name: ExecutorSymbolDef(address, flags)}, tracker)
            except LazyJITError:
                tracker.remove()
                raise
            self.keep(tracker, what)
            return tracker
        if not callable(what):
            raise UsageError(f"{name}: {what!r} is no address and can't be called")
        if signature is None and not (inspect.isfunction(what) or inspect.ismethod(what)):
            raise UsageError(f"{name}: {what!r} has no annotations, so a signature is needed")
        described = describe(what if signature is None else signature)
        trampoline = Trampoline(name, what, described.signature)
        tracker = add_module(trampoline.text.encode(), f"<trampoline of {name}>", dylib)
        self.keep(tracker, trampoline)
        return tracker

    def keep(self, tracker: ResourceTracker, what: object) -> None:
        """Keep `what` alive until the tracker's code is removed, or the session closed."""
        with self._lock:
            if not tracker.removed:
                self._kept.setdefault(current(tracker).key, []).append(what)

    # ResourceManager

    def handle_remove_resources(self, dylib: JITDylib, key: int) -> None:
        """Let go, after the calls under way."""
        with self._lock:
            kept = self._kept.pop(key, None)
        if kept is not None:
            self._grace.retire_code(kept.clear)

    def handle_transfer_resources(self, dylib: JITDylib, destination: int, source: int) -> None:
        """What `source` keeps is `destination`'s."""
        with self._lock:
            kept = self._kept.pop(source, None)
            if kept:
                self._kept.setdefault(destination, []).extend(kept)


def _address(what: Any) -> int | None:
    """The address that an object is; None for a Python callable."""
    address = address_of(what, Pointer())
    if address is None and isinstance(getattr(what, "address", None), int):
        address = what.address  # a PluginFunction, Numba's cfunc, ...
    if address is not None and not 0 <= address < 1 << 64:
        raise UsageError(f"{what!r} is no address")
    if address is not None and isinstance(what, ctypes._SimpleCData | ctypes.Array) and not address:
        raise UsageError(f"{what!r} is a null pointer")
    return address
