"""`create_mcjit_compiler` and its ExecutionEngine.

The engine owns the modules that are handed to it, as LLVM's does, and takes their text when it
first needs it: at `finalize_object`, or when an address is asked for. From then on a module is
lazyjit's: its functions are compiled one by one as they are needed. Like MCJIT, the engine runs no
optimization pipeline; programs run their own passes before.
"""

from __future__ import annotations

import contextlib
import ctypes
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import llvmlite.binding as llvm

from lazyjit.core import CallableGenerator, LookupFlags, ResourceTracker, SymbolState
from lazyjit.errors import LazyJITError, SymbolsNotFound
from lazyjit.jit import JIT
from lazyjit.layers.plugins.perf import JitDump
from lazyjit.llvmlite_compat.closing import Closing
from lazyjit.llvmlite_compat.remembering import object_bytes, options_of
from lazyjit.symbols import ExecutorSymbolDef, SymbolFlags

__all__ = ["ExecutionEngine", "create_mcjit_compiler"]

Notify = Callable[[Any, bytes], None]
GetBuffer = Callable[[Any], "bytes | None"]


def create_mcjit_compiler(
    module: Any, target_machine: Any, use_lmm: bool | None = None
) -> ExecutionEngine:
    """An engine with `module` in it, compiling as `target_machine` says.

    `use_lmm` chooses among LLVM's memory managers; lazyjit has its own. Raises RuntimeError.
    """
    target_machine._owned = True
    return ExecutionEngine(module, target_machine)


@dataclass(eq=False)
class _Held:
    """A module of an engine."""

    #: The program's reference, which it may close.
    module: Any
    #: Our own to the same memory.
    ours: Any
    #: What removes its code, once lazyjit has it.
    tracker: ResourceTracker | None = None


class ExecutionEngine(Closing):
    """Owns modules and runs them; the face of llvmlite's. Any thread.

    Deleting the engine deletes its modules. An address is good until its module is removed, or the
    engine closed.
    """

    def __init__(self, module: Any, target_machine: Any) -> None:
        """Use `create_mcjit_compiler`."""
        options = options_of(target_machine)
        try:
            self._jit = JIT(
                opt_level=0,
                codegen_level=options.codegen_level,
                cpu=options.cpu,
                features=options.features,
            )
        except LazyJITError as error:
            raise RuntimeError(str(error)) from error
        self._closed = False
        self._machine = target_machine
        self._target_data: Any = None
        self._lock = threading.RLock()
        # By identity: a module that the program closes has no hash any more.
        self._held: dict[int, _Held] = {}
        self._waiting: list[_Held] = []
        self._profiled = False
        self._notify: Notify | None = None
        self._getbuffer: GetBuffer | None = None
        # What `add_symbol` and `load_library_permanently` have told LLVM.
        self._jit.main.add_generator(CallableGenerator(_known_to_llvm))
        self.add_module(module)

    def add_module(self, module: Any) -> None:
        """Take ownership of a module. Raises KeyError when it is in the engine already,
        ctypes.ArgumentError for what is no module or a closed one, RuntimeError for another
        engine's, which llvmlite would take, and free twice."""
        self._check()
        with self._lock:
            if id(module) in self._held:
                raise KeyError("module already added to this engine")
            if not isinstance(module, llvm.ModuleRef) or module.closed:
                given = "a closed module" if hasattr(module, "closed") else type(module).__name__
                raise ctypes.ArgumentError(f"expected an open ModuleRef, not {given}")
            if module._owned:
                raise RuntimeError("another engine owns this module")
            held = _Held(module, llvm.ModuleRef(module._ptr, module._context))
            module._owned = True
            self._held[id(module)] = held
            self._waiting.append(held)

    def remove_module(self, module: Any) -> None:
        """Give a module back, and remove its code. Raises KeyError when it isn't in the engine."""
        self._check()
        with self._lock:
            held = self._held.pop(id(module))
            held.ours.detach()
            module._owned = False
            if held in self._waiting:
                self._waiting.remove(held)
        if held.tracker is not None:
            held.tracker.remove()

    def finalize_object(self) -> None:
        """Take the modules that were added since; their functions can be asked for then.

        Raises RuntimeError for what lazyjit refuses: a second definition, say.
        """
        self._check()
        with self._lock:
            while self._waiting:
                held = self._waiting.pop(0)
                try:
                    held.tracker = self._take(held)
                except LazyJITError as error:
                    raise RuntimeError(str(error)) from error

    def get_function_address(self, name: str) -> int:
        """The address of a function, compiled; 0 when there is none of this name.

        Raises RuntimeError when it can't be compiled, or needs a symbol that nothing has.
        """
        return self._address(name)

    def get_global_value_address(self, name: str) -> int:
        """The address of a variable or a function; 0 when there is none of this name."""
        return self._address(name)

    def add_global_mapping(self, gv: Any, addr: int) -> None:
        """Let `gv`, a declaration, be at `addr`. Raises RuntimeError when it is defined already."""
        self._check()
        try:
            self._jit.define(gv.name, addr, callable=bool(gv.is_function))
        except LazyJITError as error:
            raise RuntimeError(str(error)) from error

    def add_object_file(self, obj_file: Any) -> None:
        """Add an object, by reference or by path. Raises RuntimeError, OSError; UsageError for a
        plain llvmlite reference."""
        self._check()
        data = object_bytes(obj_file)
        try:
            self._jit.add_object(data)
        except LazyJITError as error:
            raise RuntimeError(str(error)) from error

    def run_static_constructors(self) -> None:
        """Run the constructors that haven't run yet. Raises RuntimeError."""
        self.finalize_object()
        try:
            self._jit.initialize()
        except LazyJITError as error:
            raise RuntimeError(str(error)) from error

    def run_static_destructors(self) -> None:
        """Run what was registered with `atexit`, then the destructors. Raises RuntimeError."""
        self._check()
        try:
            self._jit.deinitialize()
        except LazyJITError as error:
            raise RuntimeError(str(error)) from error

    def set_object_cache(
        self, notify_func: Notify | None = None, getbuffer_func: GetBuffer | None = None
    ) -> None:
        """From now on, compile modules whole, and tell `notify_func` of each module and its object.

        `getbuffer_func`, asked first, may give the object of a module (bytes) instead.
        """
        self._check()
        self._notify, self._getbuffer = notify_func, getbuffer_func

    def enable_jit_events(self) -> bool:
        """Tell Linux perf of what is compiled from now on, in a dump for `perf inject --jit`.

        Whether that is so: False when the dump can't be written.
        """
        self._check()
        with self._lock:
            if not self._profiled:
                try:
                    self._jit.add_plugin(JitDump())
                except LazyJITError:
                    return False
                self._profiled = True
        return True

    @property
    def target_data(self) -> Any:
        """The TargetData of this engine; always the same one."""
        if self._target_data is None:
            self._check()
            self._target_data = self._machine.target_data
        return self._target_data

    def _take(self, held: _Held) -> ResourceTracker:
        """Hand a module to lazyjit, or its object when there is a cache."""
        name = held.ours.name or None
        if self._notify is None and self._getbuffer is None:
            return self._jit.add_module(held.ours, name=name)
        data = self._getbuffer(held.module) if self._getbuffer is not None else None
        if data is None:
            data = self._machine.emit_object(held.ours)
            if self._notify is not None:
                self._notify(held.module, data)
        return self._jit.add_object(bytes(data), name=name)

    def _address(self, name: str) -> int:
        self.finalize_object()
        try:
            address = self._jit.lookup(name)
            compile_body(self._jit, self._jit.main, name)
        except SymbolsNotFound as error:
            if list(error.symbols) == [name]:
                return 0
            raise RuntimeError(str(error)) from error
        except LazyJITError as error:
            raise RuntimeError(str(error)) from error
        return address

    def _dispose(self) -> None:
        self._jit.close()
        with self._lock:
            held, self._held = self._held, {}
        for each in held.values():
            each.module.detach()
            each.ours.close()


def compile_body(jit: JIT, dylib: Any, name: str) -> None:
    """Compile a function now, if it is one that is compiled lazily. Raises what a lookup raises."""
    body = f"{name}$body"
    order = [(each, LookupFlags.ALL_SYMBOLS) for each, _ in dylib.link_order]
    jit.session.lookup(order, [body], SymbolState.READY, weak=[body])


def _known_to_llvm(names: Any) -> dict[str, ExecutorSymbolDef]:
    flags = SymbolFlags.EXPORTED | SymbolFlags.ABSOLUTE | SymbolFlags.CALLABLE
    found = {}
    for name in names:
        with contextlib.suppress(UnicodeEncodeError):  # llvmlite takes ASCII alone
            address = llvm.address_of_symbol(name)
            if address:
                found[name] = ExecutorSymbolDef(address, flags)
    return found
