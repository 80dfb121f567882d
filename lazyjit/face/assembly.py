"""The layers of a JIT, put together by its options, and taken apart.

Everything that `JIT` does goes to one of the rooms below. Here they are made, in the order in which
they lean on each other, dylibs are set up and removed, and all is closed: what still runs returns
first, and memory goes last.
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from lazyjit import forking
from lazyjit.codegen import CompilerOptions, LLVMCompiler
from lazyjit.core import (
    ExecutionSession,
    JITDylib,
    ProcessSymbols,
    ResourceTracker,
)
from lazyjit.core.dispatch import ThreadPoolDispatcher
from lazyjit.errors import SessionClosed, UsageError
from lazyjit.face.seldom import Seldom
from lazyjit.finalizing import soon
from lazyjit.layers.call_through import UPPER_HALF, StubCallThrough
from lazyjit.layers.grace import GracePeriods
from lazyjit.layers.handle import JITFunction
from lazyjit.layers.idle import IdleWork
from lazyjit.layers.object_linking import LOW, ObjectLinkingLayer
from lazyjit.layers.on_demand import CompileOnDemandLayer
from lazyjit.layers.platform import Platform
from lazyjit.layers.plugin import Plugin as LinkPlugin
from lazyjit.layers.runtime_libraries import RuntimeLibraries
from lazyjit.layers.statistics import Counters, Statistics
from lazyjit.layers.typed import TypedFunctions
from lazyjit.layers.unit_policy import Chooser, UnitInfo, UnitPolicy
from lazyjit.link.arena import DEFAULT_SIZE, Arena, ArenaKind
from lazyjit.link.memory import MemoryManager
from lazyjit.link.runtime import DSOHandle, handlers_run
from lazyjit.records import replace
from lazyjit.stubs import StubPool

__all__ = ["Assembly"]

Self = TypeVar("Self", bound="Assembly")

#: Bytes of IR text of other units' functions that a unit may carry for inlining, by level; one of
#: them at most a quarter. (Lua at -O2: 8 KiB takes a fifth longer to compile than none, 32 KiB
#: four fifths, and its speed is the same from 8 on.)
_INLINE_BUDGET = {0: 0, 1: 4 << 10, 2: 8 << 10, 3: 16 << 10}

#: The least and the most bytes of address space: room for stubs in each region, and less than the
#: two gigabytes that code reaches by displacements of 32 bits.
_ARENA_SIZES = (64 << 10, 2000 << 20)


class Assembly(Seldom):
    """What a JIT is made of. Every method may be called from any thread. See `JIT` for options."""

    def __init__(
        self,
        *,
        opt_level: int = 2,
        codegen_level: int | None = None,
        compile_threads: int | None = None,
        lazy: bool = True,
        unit_policy: UnitPolicy | str = UnitPolicy.CLUSTER,
        tiered: bool = False,
        speculate: bool = True,
        cpu: str | None = None,
        features: str | None = None,
        relocation_model: str = "pic",
        code_model: str = "small",
        process_symbols: bool | Callable[[str], bool] = True,
        arena_size: int | None = None,
        on_unit: Callable[[UnitInfo], None] | None = None,
        debugger_support: bool = False,
        perf_support: bool = False,
        lazy_compile_failure: int = 0,
        memory_manager: MemoryManager | None = None,
    ) -> None:
        try:
            policy = UnitPolicy(unit_policy) if lazy else UnitPolicy.MODULE
        except ValueError:
            known = ", ".join(each.value for each in UnitPolicy)
            raise UsageError(f"unit_policy is one of {known}, not {unit_policy!r}") from None
        options = CompilerOptions(
            opt_level=opt_level,
            codegen_level=codegen_level,
            cpu=cpu,
            features=features,
            relocation_model=relocation_model,
            code_model=code_model,
        )
        if not isinstance(lazy_compile_failure, int) or not 0 <= lazy_compile_failure < 1 << 64:
            raise UsageError(f"lazy_compile_failure is an address, not {lazy_compile_failure!r}")
        size = DEFAULT_SIZE if arena_size is None else arena_size
        if not _ARENA_SIZES[0] <= size <= _ARENA_SIZES[1]:
            raise UsageError(f"arena_size is from 64 KiB to 2000 MiB, not {size}")
        compiler = LLVMCompiler(options)
        quick = replace(options, opt_level=0, codegen_level=0)
        first_tier = LLVMCompiler(quick) if tiered else None
        threads = len(os.sched_getaffinity(0)) if compile_threads is None else compile_threads
        super().__init__()
        self._lock = threading.Lock()
        self._closed = True  # until there is something to close
        # First of this phase: who makes a room registers it with the session.
        forking.join(forking.Phase.SESSION, self)
        plugins: list[LinkPlugin] = []
        if debugger_support or perf_support:
            from lazyjit.layers.plugins import plugins_of  # for few sessions

            plugins = plugins_of(debugger_support=debugger_support, perf_support=perf_support)
        self._lazy = lazy
        self._cpu = cpu
        self._ordinals = 0
        self._runtimes: set[DSOHandle] = set()
        self._grace = GracePeriods()
        self._counters = Counters()
        # Code for fixed positions has absolute addresses of 32 bits, for stubs and data alike.
        fixed = relocation_model != "pic" and code_model != "large"
        kind = ArenaKind.PROFILED if perf_support else ArenaKind.PLAIN
        kind = ArenaKind.DEBUGGED if debugger_support else kind
        clusters = policy is UnitPolicy.CLUSTER
        with contextlib.ExitStack() as undo:
            self._arena = Arena(size, near=LOW if fixed else None, kind=kind)
            undo.callback(self._arena.close)
            self._grace.uncounted = handlers_run(self._arena)
            self._dispatcher = ThreadPoolDispatcher(threads)
            undo.callback(self._dispatcher.close)
            #: The session behind it all.
            self.session: ExecutionSession = ExecutionSession(self._dispatcher)
            self._make_linker(plugins, memory_manager)
            self._make_compiler(
                compiler,
                first_tier,
                Chooser(policy, 0 if tiered else compiler.options.codegen_level or 0),
                _INLINE_BUDGET[opt_level],
                IdleWork(self.session, threads, speculate=speculate and clusters),
                on_unit,
            )
            self._stubs.set_failure_address(lazy_compile_failure)
            self._process = self.session.create_dylib("<process>")
            if process_symbols:
                self._admit_process(process_symbols if callable(process_symbols) else None)
            #: The dylib that things go to when none is named.
            self.main: JITDylib = self.create_dylib("main")
            undo.pop_all()
        self._closed = False

    def _make_linker(self, plugins: Iterable[LinkPlugin], memory: MemoryManager | None) -> None:
        """What links objects: stubs, the linker, initializers."""
        self._stubs = StubPool(self._arena, self._dispatcher.queue)
        self._objects = ObjectLinkingLayer(
            self.session,
            self._arena,
            self._grace,
            self._counters,
            memory=memory,
            stubs=self._stubs,
        )
        for plugin in plugins:
            self._objects.add_plugin(plugin)
        self._platform = Platform(self.session, self._grace, self._call_void)
        self._objects.on_structors = self._platform.note_structors

    def _make_compiler(
        self,
        compiler: LLVMCompiler,
        first_tier: LLVMCompiler | None,
        chooser: Chooser,
        inline_budget: int,
        idle: IdleWork,
        on_unit: Callable[[UnitInfo], None] | None,
    ) -> None:
        """What makes code: modules on demand, lazy reexports, typed callables."""
        self._modules = CompileOnDemandLayer(
            self.session,
            self._objects,
            compiler,
            self._stubs,
            self._grace,
            self._counters,
            chooser=chooser,
            inline_budget=inline_budget,
            idle=idle,
            first_tier=first_tier,
            on_unit=on_unit,
        )
        self._call_through = StubCallThrough(self._stubs, self._grace)
        self.session.register_resource_manager(self._call_through)
        self._typed = TypedFunctions(
            self.session, self._objects, self._modules, self._stubs, self._grace
        )
        # Pool threads hold the dispatcher; through this they must not hold the JIT, or nobody's
        # last reference would ever be the last.
        weak = weakref.WeakMethod(self._first_call)
        self._dispatcher.on_stub = lambda payload: _if_alive(weak, payload)

    def _admit_process(self, wanted: Callable[[str], bool] | None) -> None:
        """Let code use what this process exports: all of it, or the names that are `wanted`."""
        # Not this process's own main: a program without one is an error, not Python.
        self._process.add_generator(
            ProcessSymbols(lambda name: name != "main" and (wanted is None or wanted(name)))
        )
        self._process.add_generator(RuntimeLibraries(wanted))

    # Dylibs

    def create_dylib(self, name: str) -> JITDylib:
        """A new dylib, linked against itself and the process. Raises DuplicateDylib."""
        with self.session.kept_open():
            dylib = self.session.create_dylib(name)
            dylib.add_to_link_order(self._process)
            runtime = DSOHandle(self._arena)
            with self._lock:
                self._runtimes.add(runtime)
            self._platform.set_up(dylib, runtime)
        return dylib

    def remove_dylib(self, dylib: JITDylib) -> None:
        """Run a dylib's finalizers and remove it with all that it holds; its name is free again.

        Memory is freed when the calls under way have returned. Raises DylibNotFound when it isn't a
        dylib of this session (any more), and what a finalizer raises; then it is still there.
        """
        self._open(dylib)
        self._platform.deinitialize(dylib)
        with self.session.kept_open():
            runtime = self._platform.forget(dylib)
            with self._ending(() if runtime is None else (runtime,)):
                try:
                    self.session.remove_dylib(dylib)
                finally:
                    if runtime is not None:
                        with self._lock:
                            self._runtimes.discard(runtime)
                        self._grace.retire(runtime.close)

    def dylib(self, name: str) -> JITDylib:
        """The dylib of this name. Raises DylibNotFound."""
        return self.session.dylib(name)

    # Running

    def initialize(self, dylib: JITDylib | None = None) -> None:
        """Run the static constructors that haven't run yet, dependences first (see `Platform`)."""
        self._platform.initialize(self._open(dylib))

    def deinitialize(self, dylib: JITDylib | None = None) -> None:
        """Run what was registered with `atexit`, then the static destructors."""
        self._platform.deinitialize(self._open(dylib))

    def deinitialize_all(self) -> None:
        """Deinitialize every dylib, the latest first. Once; later calls do nothing new."""
        self._platform.deinitialize_all()

    def remove(self, tracker: ResourceTracker) -> None:
        """Remove what was added under `tracker`. Its names go at once; its memory is freed when the
        calls under way have returned. Removing again does nothing."""
        tracker.remove()

    def after_calls(self, action: Callable[[], None]) -> None:
        """Run `action` on a compile thread, once the calls that are under way have returned.

        May be called from a `__del__`. Raises SessionClosed, or drops `action` when the JIT closes
        meanwhile.
        """
        self._open(None)
        # Which takes no lock. What comes after it does.
        self._dispatch_quietly(partial(self._grace.retire, partial(self._dispatch_quietly, action)))

    def _dispatch_quietly(self, action: Callable[[], None]) -> None:
        with contextlib.suppress(SessionClosed):
            self._dispatcher.dispatch(action)

    def statistics(self) -> Statistics:
        """A snapshot of what was known, compiled and linked, and of the time it took."""
        regions = {}
        with contextlib.suppress(SessionClosed):
            arena = self._arena.statistics()
            regions = {f"{region}_used": getattr(arena, region).used for region in arena._fields}
        return self._counters.snapshot(regions)

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def close(self) -> None:
        """Stop: lookups and first calls under way fail with SessionClosed, and so do later ones.

        Memory is freed when the calls under way have returned. Finalizers are not run (see
        `deinitialize`). Twice is fine.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._platform.close()
        with self._lock:
            runtimes = list(self._runtimes)
        with self._ending(runtimes):
            self.session.close()
            self._dispatcher.close()
            self._stubs.close()
            self._grace.retire(self._free)

    @contextlib.contextmanager
    def _ending(self, runtimes: Sequence[DSOHandle]) -> Iterator[None]:
        """For removing these dylibs' code: its memory waits for exit handlers that run.

        They may be those of an ending thread, which makes no call that is counted; so this is one
        until they have returned. It doesn't wait itself: a handler may wait for this very thread.
        """
        epoch = self._grace.enter()

        def let_go() -> None:
            for runtime in busy:
                runtime.seal(wait=True)
            self._grace.leave(epoch)

        busy = [runtime for runtime in runtimes if runtime.seal()]
        try:
            yield
        finally:
            if busy:
                soon(let_go)
            else:
                let_go()

    def _free(self) -> None:
        self._stubs.dispose()
        self._objects.close()
        for runtime in self._runtimes:
            runtime.close()
        self._arena.close()

    def before_fork(self) -> None:
        """For `lazyjit.forking`: take the locks."""
        self._door.acquire()
        self._lock.acquire()

    def after_fork(self, in_child: bool) -> None:
        """For `lazyjit.forking`: give them back."""
        self._lock.release()
        self._door.release()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __del__(self) -> None:
        # Handles keep their JIT alive, so nobody calls into it any more.
        if not getattr(self, "_closed", True):
            soon(self.close)

    def __repr__(self) -> str:
        if self._closed:
            return "<JIT closed>"
        statistics = self.statistics()
        return (
            f"<JIT {statistics.functions_compiled} of {statistics.functions_known} functions"
            f" compiled in {statistics.units} units>"
        )

    # Within

    def _first_call(self, payload: int) -> None:
        if payload < UPPER_HALF:
            self._modules.first_call(payload)
        else:
            self._call_through.first_call(payload)

    def _open(self, dylib: JITDylib | None) -> JITDylib:
        if self._closed:
            raise SessionClosed("the JIT was closed")
        return self.main if dylib is None else dylib

    def _call_void(self, address: int) -> None:
        JITFunction(
            address, None, (), name=f"{address:#x}", grace=self._grace, tracker=None, keepalive=self
        )()


def _if_alive(method: Callable[[], Callable[[int], None] | None], payload: int) -> None:
    call = method()
    if call is not None:  # else the stubs fail as the JIT is taken apart
        call(payload)
