"""Plug-ins: code that comes and goes while the program runs.

    plugin = jit.load("effects.ll")
    plugin.reverb(samples, 0.3)
    plugin.reload()             # the file has changed: the next call runs the new code
    del plugin                  # finalizers run, the memory goes

A plug-in is a dylib of its own, linked against the JIT's main one and what that is linked against:
two loads of one file are two plug-ins with data of their own. What is loaded is a *generation*. A
function that a plug-in hands out is a `PluginFunction`, which calls the present generation's.
Reloading makes a new generation, swaps the two in one store, and retires the old one: calls that
are in it return from it, then its finalizers run and its memory goes.

A plug-in is unloaded by `unload`, at the end of its `with` block, or when nothing refers to it or
to a function of it. Unloading for the last reason runs on a compile thread: Python may drop a
reference in the middle of anything.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from lazyjit.core import ExecutionSession, JITDylib, LookupFlags
from lazyjit.errors import SessionClosed, SymbolRemoved, SymbolsNotFound
from lazyjit.link.archive import is_archive

__all__ = ["Host", "Plugin", "PluginFunction"]

_numbers = itertools.count()


class Host(Protocol):
    """What a plug-in needs of the JIT that loads it."""

    session: ExecutionSession
    main: JITDylib

    @property
    def closed(self) -> bool:
        """Whether it was closed."""

    def create_dylib(self, name: str) -> JITDylib:
        """A new dylib."""

    def remove_dylib(self, dylib: JITDylib) -> None:
        """Run its finalizers and remove it."""

    def add(self, source: Any, *, dylib: JITDylib | None = None) -> Any:
        """Add a file by content."""

    def initialize(self, dylib: JITDylib | None = None) -> None:
        """Run its constructors."""

    def callable(self, name: str, signature: Any = None, *, dylib: JITDylib | None = None) -> Any:
        """A typed callable."""

    def functions(self, dylib: JITDylib | None = None) -> list[str]:
        """What it exports."""

    def after_calls(self, action: Callable[[], None]) -> None:
        """Run `action` when the calls under way have returned."""


class _Generation:
    """What one load of a file has made."""

    def __init__(self, jit: Host, path: Path) -> None:
        """Loads and initializes. Raises what `JIT.add` and constructors raise; nothing stays."""
        self.jit = jit
        self.dylib: JITDylib = jit.create_dylib(f"plugin {next(_numbers)}: {path.name}")
        #: By name and signature; the latter is kept, or another could get its `id`.
        self.functions: dict[tuple[str, str | int | None], tuple[Any, Any]] = {}
        try:
            # The host's definitions come before the process's, as in the host itself.
            self.dylib.set_link_order(
                (each, LookupFlags.EXPORTED_ONLY) for each, _ in jit.main.link_order
            )
            self.source = jit.add(path, dylib=self.dylib)
            with path.open("rb") as file:
                #: An archive's members, with their constructors, come when they are needed.
                self.members_come_later = is_archive(file.read(8))
            jit.initialize(self.dylib)
        except BaseException:
            self.remove()
            raise

    def function(self, name: str, signature: Any) -> Any:
        """The typed callable of this generation; made once a signature."""
        key = (name, signature if isinstance(signature, str | None) else id(signature))
        found = self.functions.get(key)
        if found is None:
            # Its own: what it is linked against has functions too.
            own = [(self.dylib, LookupFlags.EXPORTED_ONLY)]
            if not self.jit.session.lookup_flags(own, [name]):
                raise SymbolsNotFound([name])
            made = self.jit.callable(name, signature, dylib=self.dylib)
            if self.members_come_later:
                self.jit.initialize(self.dylib)
            found = self.functions.setdefault(key, (signature, made))
        return found[1]

    def remove(self) -> None:
        """Run the finalizers and remove the code."""
        self.functions.clear()
        with contextlib.suppress(SessionClosed):  # then all is gone already
            self.jit.remove_dylib(self.dylib)

    def retire(self) -> None:
        """Remove it on a compile thread, once the calls under way have returned."""
        with contextlib.suppress(SessionClosed):
            self.jit.after_calls(self.remove)


class Plugin:
    """A loaded file of IR, bitcode, an object, or an archive. Every method: any thread.

    A function that the file exports is an attribute, and an item. Its type is read from IR;
    `function` takes a signature for those of objects.
    """

    def __init__(self, jit: Host, path: str | os.PathLike[str]) -> None:
        """Use `JIT.load`."""
        self._generation: _Generation | None = None
        self._lock = threading.Lock()
        self._jit = jit
        #: The file.
        self.path = Path(path)
        self._generation = _Generation(jit, self.path)

    def __getattr__(self, name: str) -> PluginFunction:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self.function(name)
        except SymbolsNotFound:
            raise AttributeError(f"{self!r} has no function {name!r}") from None

    def __getitem__(self, name: str) -> PluginFunction:
        return self.function(name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.names()})

    def names(self) -> list[str]:
        """The functions that the file exports and that Python could name, archives' members apart.

        Raises SymbolRemoved once it is unloaded.
        """
        dylib = self._present().dylib
        return [name for name in self._jit.functions(dylib) if name.isidentifier()]

    def function(self, name: str, signature: Any = None) -> PluginFunction:
        """A function by name, with a signature where the file has no type (see `JIT.callable`).

        It calls whatever is loaded at the time of the call, and keeps the plug-in loaded. Raises
        SymbolsNotFound, UsageError (no type known), SymbolRemoved once it is unloaded.
        """
        made = PluginFunction(self, name, signature)
        made._target()  # is there such a function?
        return made

    @property
    def loaded(self) -> bool:
        """Whether it can be called."""
        return self._generation is not None and not self._jit.closed

    def reload(self) -> None:
        """Load the file again: calls that begin from now on run the new code.

        Static data starts anew. Calls under way finish on the old code, whose finalizers run when
        they have. Raises what loading raises; then the old code stays. Raises SymbolRemoved once it
        is unloaded.
        """
        self._present()
        new = _Generation(self._jit, self.path)
        with self._lock:
            old = self._generation
            if old is not None:
                self._generation = new
        if old is None:  # unloaded meanwhile
            new.retire()
            raise SymbolRemoved(self.path.name)
        old.retire()

    def unload(self) -> None:
        """Unload it now: later calls raise SymbolRemoved. Again: nothing.

        Finalizers run before this returns, and memory goes when calls under way have returned.
        """
        with self._lock:
            old, self._generation = self._generation, None
        if old is not None:
            old.remove()

    def _present(self) -> _Generation:
        generation = self._generation
        if generation is None:
            raise SymbolRemoved(self.path.name)
        return generation

    def __enter__(self) -> Plugin:
        return self

    def __exit__(self, *exception: object) -> None:
        self.unload()

    def __del__(self) -> None:
        generation = self.__dict__.get("_generation")
        if generation is not None:
            generation.retire()

    def __repr__(self) -> str:
        return f"<Plugin {self.path.name}{'' if self.loaded else ' unloaded'}>"


class PluginFunction:
    """A function of a plug-in, whatever is loaded at the moment. Any thread."""

    __slots__ = ("__weakref__", "_known", "_plugin", "name", "signature")

    def __init__(self, plugin: Plugin, name: str, signature: Any) -> None:
        """Use `Plugin.function`."""
        self._plugin = plugin
        # A generation and its callable, as one: threads that know different ones may both store.
        self._known: tuple[_Generation | None, Callable[..., Any] | None] = None, None
        #: Its name in the file.
        self.name = name
        #: As it was given; None: the file's own.
        self.signature = signature

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Call it, by the types of its signature.

        Raises SymbolRemoved once the plug-in is unloaded, SymbolsNotFound when the file was
        reloaded without it, and what a typed callable raises.
        """
        while True:
            generation, target = self._present()
            try:
                return target(*args, **named)
            except SymbolRemoved:
                # Reloaded between the two lines above: the new one then. Unloaded: that raises.
                if self._plugin._generation is generation:
                    raise

    def _target(self) -> Callable[..., Any]:
        """The present generation's callable."""
        return self._present()[1]

    def _present(self) -> tuple[_Generation, Callable[..., Any]]:
        """The present generation and its callable."""
        generation = self._plugin._generation
        known, native = self._known
        if generation is None:
            raise SymbolRemoved(self.name)
        if known is not generation or native is None:
            native = generation.function(self.name, self.signature)
            self._known = generation, native
        return generation, native

    @property
    def __name__(self) -> str:
        return self.name

    @property
    def __signature__(self) -> Any:
        return getattr(self._target(), "__signature__")  # noqa: B009  # unknown to the protocol

    def __getattr__(self, name: str) -> Any:
        """What a typed callable has: `address`, `ir`, `asm`, `state`, `compile()`, ..."""
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._target(), name)

    def __repr__(self) -> str:
        return f"<function {self.name} of {self._plugin!r}>"
