"""`JIT`: everything put together, LLJIT's and LLLazyJIT's counterpart.

    with lazyjit.JIT() as jit:
        jit.add("kernels.ll")
        scale = jit.function("scale", ctypes.c_double, ctypes.c_double)
        scale(3.0)  # compiles `scale` and what it calls, now

A program is handed over whole. Nothing is compiled until it is called; a call compiles what it
needs on a pool of threads, and the next call is one indirect jump. All the rooms below can be used
without this one; what it adds is the usual choice at each point, and one place to close everything.
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter_ns
from typing import Any, Union

import numpy as np

from lazyjit.c_source import compile_c, is_text
from lazyjit.call.typed import TypedFunction
from lazyjit.codegen import CompilerOptions, LLVMCompiler
from lazyjit.core import (
    ExecutionSession,
    JITDylib,
    LookupFlags,
    ProcessSymbols,
    ResourceTracker,
    SharedLibrary,
    SymbolAlias,
    SymbolState,
    lazy_reexports,
)
from lazyjit.core.dispatch import ThreadPoolDispatcher
from lazyjit.errors import LazyJITError, SessionClosed, SymbolRemoved, SymbolsNotFound, UsageError
from lazyjit.ir import ModuleIndex
from lazyjit.layers.archive import StaticLibraryGenerator
from lazyjit.layers.assembly import AssemblyLayer
from lazyjit.layers.call_through import UPPER_HALF, StubCallThrough
from lazyjit.layers.calling_out import CallingOut
from lazyjit.layers.grace import GracePeriods
from lazyjit.layers.handle import JITFunction
from lazyjit.layers.idle import IdleWork
from lazyjit.layers.object_linking import LOW, ObjectLinkingLayer
from lazyjit.layers.object_unit import ObjectUnit
from lazyjit.layers.on_demand import CompileOnDemandLayer
from lazyjit.layers.platform import Platform
from lazyjit.layers.plugin import Plugin as LinkPlugin
from lazyjit.layers.runtime_libraries import RuntimeLibraries
from lazyjit.layers.statistics import Counters, Statistics
from lazyjit.layers.typed import TypedFunctions
from lazyjit.layers.ufunc import Function, UFuncs, asked_for
from lazyjit.layers.unit_policy import Chooser, UnitInfo, UnitPolicy
from lazyjit.link.archive import Archive
from lazyjit.link.arena import DEFAULT_SIZE, Arena, ArenaKind
from lazyjit.link.graph import LinkGraph
from lazyjit.link.linker_script import library_files
from lazyjit.link.memory import MemoryManager
from lazyjit.link.runtime import DSOHandle
from lazyjit.plugin import Plugin
from lazyjit.stubs import StubPool
from lazyjit.symbols import SymbolFlags

__all__ = ["JIT"]

#: What `add` takes: a path, or contents, or an llvmlite module.
Source = Union[str, bytes, "os.PathLike[str]", Any]

#: Bytes of IR text of other units' functions that a unit may carry for inlining, by level; one of
#: them at most a quarter. (Lua at -O2: 8 KiB takes a fifth longer to compile than none, 32 KiB
#: four fifths, and its speed is the same from 8 on.)
_INLINE_BUDGET = {0: 0, 1: 4 << 10, 2: 8 << 10, 3: 16 << 10}


class JIT:
    """A session with dylibs, a compiler, a linker and a thread pool. A context manager.

    Every method may be called from any thread. Options:

    - `opt_level` 0..3: LLVM's default pipeline at that level, on each unit
    - `codegen_level` 0..3: the code generator's effort (default: as `opt_level`)
    - `compile_threads`: how many threads compile (default: the processors this process may use)
    - `lazy`: compile what is called; when False, a module is compiled whole as soon as a symbol of
      it is looked up
    - `unit_policy`: what is compiled together, see `UnitPolicy`
    - `tiered`: make code quickly at first, at level 0, and again with the options above on threads
      that nobody waits for; a function that is called once and runs long stays at level 0
    - `speculate`: let idle compile threads make what is likely to be called next
    - `cpu`, `features`: as LLVM spells them (default: the host's)
    - `relocation_model`, `code_model`: as LLVM spells them
    - `process_symbols`: whether code may use what this process exports (the C library, ...), or a
      predicate that tells of which names it may; on any thread, perhaps several times for a name
    - `arena_size`: bytes of address space for code and data
    - `on_unit`: called with a `UnitInfo` before each unit is compiled, on the compiling thread
    - `memory_manager`: where linked code and data go (default: the arena); stubs stay in the arena
    - `debugger_support`: show code to debuggers, with lines of the source where there is debug
      information, and keep it where they can write breakpoints (see `lazyjit.layers.plugins.gdb`)
    - `perf_support`: tell Linux perf the names of functions (see `lazyjit.layers.plugins.perf`)
    - `lazy_compile_failure`: where a failed first call goes that no Python call led to (an address)

    Raises UsageError for options out of range, ResourceError when the system refuses memory.
    """

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
        compiler = LLVMCompiler(options)
        first_tier = None
        if tiered:
            first_tier = LLVMCompiler(replace(options, opt_level=0, codegen_level=0))
        threads = compile_threads if compile_threads is not None else _processors()
        self._lock = threading.Lock()
        self._closed = True  # until there is something to close
        plugins = _plugins(debugger_support, perf_support)
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
        self._arena = Arena(arena_size or DEFAULT_SIZE, near=LOW if fixed else None, kind=kind)
        try:
            self._dispatcher = ThreadPoolDispatcher(threads)
        except BaseException:
            self._arena.close()
            raise
        self._closed = False
        #: The session behind it all.
        self.session = ExecutionSession(self._dispatcher)
        self._stubs = StubPool(self._arena, self._dispatcher.queue)
        self._stubs.set_failure_address(lazy_compile_failure)
        self._objects = ObjectLinkingLayer(
            self.session, self._arena, self._grace, self._counters, memory=memory_manager
        )
        self._assembly = AssemblyLayer(self._objects)
        for plugin in plugins:
            self._objects.add_plugin(plugin)
        self._idle = IdleWork(
            self.session, threads, speculate=speculate and policy is UnitPolicy.CLUSTER
        )
        self._modules = CompileOnDemandLayer(
            self.session,
            self._objects,
            compiler,
            self._stubs,
            self._grace,
            self._counters,
            chooser=Chooser(policy, 0 if tiered else compiler.options.codegen_level or 0),
            inline_budget=_INLINE_BUDGET[opt_level],
            idle=self._idle,
            first_tier=first_tier,
            on_unit=on_unit,
        )
        self._call_through = StubCallThrough(self._stubs, self._grace)
        self.session.register_resource_manager(self._call_through)
        self._typed = TypedFunctions(
            self.session, self._objects, self._modules, self._stubs, self._grace
        )
        self._calling_out = CallingOut(self.session, self._grace)
        self._ufuncs = UFuncs(self.session, self._objects, self._modules, self._grace)
        # Pool threads hold the dispatcher; through this they must not hold the JIT, or nobody's
        # last reference would ever be the last.
        weak = weakref.WeakMethod(self._first_call)
        self._dispatcher.on_stub = lambda payload: _if_alive(weak, payload)
        self._platform = Platform(self.session, self._call_void)
        self._process = self.session.create_dylib("<process>")
        if process_symbols:
            # Not this process's own main: a program without one is an error, not Python.
            wanted = process_symbols if callable(process_symbols) else None
            self._process.add_generator(
                ProcessSymbols(lambda name: name != "main" and (wanted is None or wanted(name)))
            )
            self._process.add_generator(RuntimeLibraries(wanted))
        #: The dylib that things go to when none is named.
        self.main = self.create_dylib("main")

    # Dylibs

    def create_dylib(self, name: str) -> JITDylib:
        """A new dylib, linked against itself and the process. Raises DuplicateDylib."""
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
        self.session.remove_dylib(dylib)
        runtime = self._platform.forget(dylib)
        if runtime is not None:
            with self._lock:
                self._runtimes.discard(runtime)
            self._grace.retire(runtime.close)

    def dylib(self, name: str) -> JITDylib:
        """The dylib of this name. Raises DylibNotFound."""
        return self.session.dylib(name)

    # Adding

    def add(
        self, source: Source, *, dylib: JITDylib | None = None, name: str | None = None
    ) -> ResourceTracker:
        """Add IR, bitcode, an object or an archive, by content; the tracker that removes it.

        `source` is a path, `bytes`, IR text, or an llvmlite module. Raises InputError for what is
        malformed or none of these, DuplicateDefinition, OSError when a file can't be read.
        """
        data, file = _read(source, name)
        if isinstance(data, bytes):
            if data.startswith((b"!<arch>\n", b"!<thin>\n")):
                return self.add_archive(source, dylib=dylib, name=name)
            if data.startswith(b"\x7fELF"):
                return self._add_object(data, file, dylib)
        return self._add_module(data, file, dylib)

    def add_module(
        self, source: Source, *, dylib: JITDylib | None = None, name: str | None = None
    ) -> ResourceTracker:
        """Add a module: `.ll` or `.bc` by path or content, or an llvmlite module. Compiles nothing.

        Raises IRError, DuplicateDefinition, OSError.
        """
        return self._add_module(*_read(source, name), dylib)

    def add_c(
        self,
        source: str | os.PathLike[str],
        *,
        flags: Sequence[str] = (),
        name: str | None = None,
        dylib: JITDylib | None = None,
    ) -> ResourceTracker:
        """Add C, by path or as text: its IR is made now, by clang, and compiled when it is called.

        `flags` are clang's; `name` is the file's in messages. Optimization is the JIT's own (see
        `lazyjit.c_source`). Raises SourceError with file and line, CompilerNotFound when there is
        no compiler, DuplicateDefinition, OSError. Warnings are issued as CompilerWarning.
        """
        target = self._open(dylib)
        data = compile_c(source, flags=flags, name=name, cpu=self._cpu)
        file = name or ("<c>" if is_text(source) else os.fspath(source))
        return self._add_module(data, file, target)

    def add_object(
        self, source: Source, *, dylib: JITDylib | None = None, name: str | None = None
    ) -> ResourceTracker:
        """Add an ELF object by path or content; it is linked when a symbol of it is wanted.

        Raises ObjectFormatError, RelocationError, DuplicateDefinition, OSError.
        """
        data, file = _read(source, name)
        if not isinstance(data, bytes):
            raise UsageError("an object is given by its path or its bytes")
        return self._add_object(data, file, dylib)

    def add_archive(
        self,
        source: Source,
        *,
        dylib: JITDylib | None = None,
        name: str | None = None,
        whole: bool = False,
        hidden: bool = False,
    ) -> ResourceTracker:
        """Add a static library: a member is linked when it is needed (with `whole`: each is added).

        What `hidden` members define is seen within the dylib, but not from others.

        Raises ArchiveFormatError, OSError; with `whole` also what `add_object` raises.
        """
        target = self._open(dylib)
        if isinstance(source, bytes):
            archive = Archive(source, file=name)
        else:
            archive = Archive(Path(os.fspath(source)), file=name)
        tracker = target.create_tracker()
        generator = StaticLibraryGenerator(
            archive,
            self._objects,
            tracker,
            on_object=self._platform.note_object,
            hidden=hidden,
        )
        if whole:
            generator.add_all(target)
        else:
            target.add_generator(generator)
            self._platform.note_archive(target, generator)
        return tracker

    def add_assembly(
        self,
        text: str | bytes | os.PathLike[str],
        *,
        dylib: JITDylib | None = None,
        name: str | None = None,
    ) -> ResourceTracker:
        """Add assembly, by its text or by the path of a file (as a `Path`, not as a `str`).

        It is assembled now, and linked when a symbol of it is wanted. Raises AssemblyError with the
        line in the text, RelocationError, DuplicateDefinition, OSError.
        """
        target = self._open(dylib)
        if isinstance(text, os.PathLike):
            path = Path(text)
            text, name = path.read_bytes(), name or str(path)
        file = name or "<assembly>"
        assembled = self._assembly.assembler.assemble(text, file=file)
        return self._add_object(assembled.object, file, target)

    def add_graph(self, graph: LinkGraph, *, dylib: JITDylib | None = None) -> ResourceTracker:
        """Add a link graph, made by hand say, which is the JIT's from here on.

        It is linked when a symbol of it is wanted. Raises DuplicateDefinition, UsageError.
        """
        target = self._open(dylib)
        return self._added(
            target, lambda tracker: self._objects.add_graph(target, graph, tracker=tracker)
        )

    def load_library(self, name: str | os.PathLike[str], *, dylib: JITDylib | None = None) -> None:
        """Let `dylib` use the symbols of a shared library, loading it.

        A path may also be that of a linker script, as `libc.so` often is: then the libraries that
        it names, archives too. Raises LibraryNotFound, LinkerScriptError, ArchiveFormatError.
        """
        target = self._open(dylib)
        files = library_files(name)
        if files == [Path(name)]:  # as it was given: the loader searches for what has no slash
            target.add_generator(SharedLibrary(os.fspath(name)))
            return
        for file in files:
            if file.suffix == ".a":
                self.add_archive(file, dylib=target)
            else:
                target.add_generator(SharedLibrary(file.resolve()))

    def load(self, path: str | os.PathLike[str]) -> Plugin:
        """Load a file of IR, bitcode, an object or an archive as a plug-in, by content.

        It is linked against the main dylib and the process, its constructors run, and it is
        unloaded when its last handle goes. Raises what `add` and a constructor raise.
        """
        return Plugin(self, path)

    def define(
        self,
        name: str,
        what: Any,
        signature: object = None,
        *,
        dylib: JITDylib | None = None,
        callable: bool = True,
    ) -> ResourceTracker:
        """Make something of this process visible to code as `name`; the tracker that removes it.

        `what` is an address, a ctypes or cffi function or pointer, a callable of lazyjit's, or any
        other Python callable. To that one a trampoline leads that is typed by `signature` (as
        `callable` takes it; None: the callable's own annotations). It takes the GIL, so any thread
        may call it, and what it raises is raised by the Python call that led there. (Where none
        did, on a thread of native code's own, `sys.unraisablehook` is told and the result is 0.)
        `callable` says of an address that it is a function's. Raises DuplicateDefinition, and
        UsageError for what can't be called with such a signature.
        """
        return self._calling_out.define(
            self._open(dylib), name, what, signature, callable, self._add_module
        )

    def reexport_lazily(
        self,
        names: Mapping[str, str],
        source: JITDylib,
        *,
        dylib: JITDylib | None = None,
    ) -> None:
        """Give functions of `source` names in `dylib` (new name: name there), as stubs.

        Whatever makes them there is started by their first call. Raises DuplicateDefinition.
        """
        flags = SymbolFlags.EXPORTED | SymbolFlags.CALLABLE
        aliases = {name: SymbolAlias(aliasee, flags) for name, aliasee in names.items()}
        self._open(dylib).define(lazy_reexports(self._call_through, source, aliases))

    # Asking

    def lookup(self, name: str, *, dylib: JITDylib | None = None) -> int:
        """The address of a symbol that `dylib` or what it links against has.

        Of a function that is its stub's, and nothing is compiled yet (in a lazy session). Who calls
        an address keeps its code from being removed meanwhile. Raises SymbolsNotFound,
        FailedToMaterialize.
        """
        target = self._open(dylib)
        found = self.session.lookup(target.link_order, [name], SymbolState.READY)
        if not self._lazy:
            everywhere = [(each, LookupFlags.ALL_SYMBOLS) for each, _ in target.link_order]
            body = f"{name}$body"
            self.session.lookup(everywhere, [body], SymbolState.READY, weak=[body])
        return found[name].address

    def function(
        self, name: str, restype: Any = None, *argtypes: Any, dylib: JITDylib | None = None
    ) -> JITFunction:
        """A Python callable for a function, with ctypes types. It lets go of the GIL.

        A first call that can't be compiled raises FailedToMaterialize here, with the cause; a call
        after removal raises SymbolRemoved. Raises SymbolsNotFound when there is no such symbol.
        """
        target = self._open(dylib)
        address = self.lookup(name, dylib=target)
        tracker = self.session.tracker_of(target.link_order, name)
        if tracker is None:
            self._open(target)
            raise SymbolRemoved(name)
        return JITFunction(
            address,
            restype,
            argtypes,
            name=name,
            grace=self._grace,
            tracker=tracker,
            keepalive=self,
        )

    def functions(self, dylib: JITDylib | None = None) -> list[str]:
        """The functions that `dylib` exports: its modules' and objects'; archives' members only
        once they are linked. Compiles nothing.
        """
        target = self._open(dylib)
        names = list(dict.fromkeys([*target.names(), *self._modules.functions(target)]))
        flags = self.session.lookup_flags([(target, LookupFlags.ALL_SYMBOLS)], names)
        exported = SymbolFlags.EXPORTED | SymbolFlags.CALLABLE
        return [name for name in names if flags[name] & exported == exported]

    def __getitem__(self, name: str) -> TypedFunction:
        """The function `name` of the main dylib as a Python callable, typed by its IR.

        Raises SymbolsNotFound, and UsageError where IR does not tell the type (see `callable`).
        """
        if not isinstance(name, str):
            raise TypeError(f"a function's name is a str, not {type(name).__name__}")
        return self.callable(name)

    def callable(
        self,
        name: str,
        signature: object = None,
        *,
        nogil: bool = False,
        dylib: JITDylib | None = None,
    ) -> TypedFunction:
        """A Python callable for a function, with arguments and results as `signature` has them.

        That is a str of the signature language (see `lazyjit.call.signature`), ctypes types
        `(result, [arguments])`, an annotated function as a stub, or None: what its IR says. With
        `nogil`, the GIL is free during a call. Nothing is compiled yet. Raises SymbolsNotFound,
        and UsageError for a signature that is none, or not this function's.
        """
        target = self._open(dylib)
        found = self.session.lookup(target.link_order, [name], SymbolState.READY)[name]
        tracker = self.session.tracker_of(target.link_order, name)
        if tracker is None:
            self._open(target)
            raise SymbolRemoved(name)
        if not found.flags & SymbolFlags.CALLABLE and not found.flags & SymbolFlags.ABSOLUTE:
            raise UsageError(f"{name} is data, not a function")
        return self._typed.make(name, found.address, target, tracker, signature, nogil, self)

    def ufunc(
        self,
        functions: str | Sequence[str] | Mapping[str, object],
        *,
        name: str | None = None,
        doc: str | None = None,
        identity: object = None,
        fast_math: bool = False,
        dylib: JITDylib | None = None,
    ) -> np.ufunc:
        """A NumPy ufunc of a function of numbers, or of several, one for each type.

        `functions` is a name, names, or names with signatures (as `callable` takes them; None: what
        the IR says). NumPy takes the first whose types fit, so the narrowest comes first.
        `identity` is what a reduction starts with, "reorderable" if there is nothing but the order
        does not matter. `fast_math` lets LLVM reorder the function's arithmetic. Nothing is
        compiled yet.

        Raises SymbolsNotFound, and UsageError for what is no function of numbers. A call raises
        FailedToMaterialize, SymbolRemoved, SessionClosed.
        """
        return self._make_ufunc(asked_for(functions), None, name, doc, identity, fast_math, dylib)

    def gufunc(
        self,
        functions: str | Mapping[str, str],
        signature: str,
        types: str | None = None,
        *,
        name: str | None = None,
        doc: str | None = None,
        identity: object = None,
        fast_math: bool = False,
        dylib: JITDylib | None = None,
    ) -> np.ufunc:
        """A generalized ufunc, for a signature of core dimensions such as "(m,n),(n)->(m)".

        `types` are the operands', as NumPy has them ("dd->d"; default: doubles); several functions
        come as a dict from names to types. A function takes a pointer to each operand, each core
        dimension's size (i64, in the order of their first appearance), and for each operand the
        stride in bytes of each of its core dimensions (i64). It returns nothing. Raises as `ufunc`.
        """
        asked: dict[str, object]
        if isinstance(functions, Mapping):
            if types is not None:
                raise UsageError("types are given once: in the dict")
            asked = asked_for(functions)
        else:
            if types is None and isinstance(signature, str):
                left, _, right = signature.partition("->")
                types = f"{'d' * left.count('(')}->{'d' * right.count('(')}"
            asked = dict.fromkeys(asked_for(functions), types)
        return self._make_ufunc(asked, signature, name, doc, identity, fast_math, dylib)

    def _make_ufunc(
        self,
        asked: dict[str, object],
        core: str | None,
        name: str | None,
        doc: str | None,
        identity: object,
        fast_math: bool,
        dylib: JITDylib | None,
    ) -> np.ufunc:
        target = self._open(dylib)
        found = self.session.lookup(target.link_order, list(asked), SymbolState.READY)
        functions = []
        for each, given in asked.items():
            tracker = self.session.tracker_of(target.link_order, each)
            if tracker is None:
                self._open(target)
                raise SymbolRemoved(each)
            if not found[each].flags & (SymbolFlags.CALLABLE | SymbolFlags.ABSOLUTE):
                raise UsageError(f"{each} is data, not a function")
            functions.append(Function(each, found[each].address, tracker, given))
        weak = weakref.WeakMethod(self.after_calls)

        def after_calls(action: Callable[[], None]) -> None:
            method = weak()
            if method is not None:  # else the code is gone with the JIT
                method(action)

        return self._ufuncs.make(
            functions,
            target,
            core=core,
            name=name,
            doc=doc,
            identity=identity,
            fast_math=fast_math,
            keepalive=self,
            after_calls=after_calls,
        )

    def compile(self, names: Sequence[str] | None = None, *, dylib: JITDylib | None = None) -> None:
        """Compile these functions now (None: all of the dylib's modules), in parallel, and wait.

        Raises SymbolsNotFound, FailedToMaterialize.
        """
        target = self._open(dylib)
        if names is None:
            bodies = self._modules.want_all(target)
        else:
            bodies = [f"{name}$body" for name in names]
        order = [(target, LookupFlags.ALL_SYMBOLS)]
        try:
            self.session.lookup(order, bodies, SymbolState.READY)
        except SymbolsNotFound as error:
            plain = [name.removesuffix("$body") for name in error.symbols]
            raise SymbolsNotFound(plain, needed_by=error.needed_by) from None

    # Looking on

    def add_plugin(self, plugin: LinkPlugin) -> None:
        """Have `plugin` see, and change, what is linked from now on. Raises UsageError if it does.

        Objects and compiled modules alike; each link then costs tens of microseconds more.
        """
        self._objects.add_plugin(plugin)

    def remove_plugin(self, plugin: LinkPlugin) -> None:
        """Leave `plugin` out of later links. Raises UsageError if it was not added."""
        self._objects.remove_plugin(plugin)

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
        self._grace.retire(partial(self._dispatch_quietly, action))

    def _dispatch_quietly(self, action: Callable[[], None]) -> None:
        with contextlib.suppress(SessionClosed):
            self._dispatcher.dispatch(action)

    def statistics(self) -> Statistics:
        """A snapshot of what was known, compiled and linked, and of the time it took."""
        arena = self._arena.statistics() if not self._arena.closed else None
        regions = (
            {}
            if arena is None
            else {f"{region}_used": getattr(arena, region).used for region in arena._fields}
        )
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
        self.session.close()
        self._dispatcher.close()
        self._stubs.close()
        self._grace.retire(self._free)

    def _free(self) -> None:
        self._stubs.dispose()
        self._objects.close()
        for runtime in self._runtimes:
            runtime.close()
        self._arena.close()

    def __enter__(self) -> JIT:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __del__(self) -> None:
        # Handles keep their session alive, so nobody calls it any more.
        if not getattr(self, "_closed", True):
            self.close()

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

    def _add_module(self, data: Any, file: str, dylib: JITDylib | None) -> ResourceTracker:
        target = self._open(dylib)
        with self._lock:
            ordinal = self._ordinals
            self._ordinals += 1
        started = perf_counter_ns()
        index = ModuleIndex.load(data, file=file, ordinal=ordinal)
        self._counters.spend(index=perf_counter_ns() - started)
        tracker = target.create_tracker()
        try:
            table = self._modules.add(index, target, tracker)
        except LazyJITError:
            tracker.remove()
            raise
        self._platform.note_module(table, tracker)
        return tracker

    def _add_object(self, data: bytes, file: str, dylib: JITDylib | None) -> ResourceTracker:
        target = self._open(dylib)
        return self._added(
            target, lambda tracker: self._objects.add(target, data, file=file, tracker=tracker)
        )

    def _added(
        self, target: JITDylib, add: Callable[[ResourceTracker], ObjectUnit]
    ) -> ResourceTracker:
        """A new tracker, with what `add` defines under it."""
        tracker = target.create_tracker()
        try:
            unit = add(tracker)
        except LazyJITError:
            tracker.remove()
            raise
        self._platform.note_object(target, unit, tracker)
        return tracker

    def _call_void(self, address: int) -> None:
        JITFunction(
            address, None, (), name=f"{address:#x}", grace=self._grace, tracker=None, keepalive=self
        )()


def _if_alive(method: Callable[[], Callable[[int], None] | None], payload: int) -> None:
    call = method()
    if call is not None:  # else the stubs fail as the JIT is taken apart
        call(payload)


def _plugins(debugger_support: bool, perf_support: bool) -> list[LinkPlugin]:
    """What the options ask for; imported here, since few sessions do."""
    plugins: list[LinkPlugin] = []
    if debugger_support:
        from lazyjit.layers.plugins.gdb import DebuggerSupport

        plugins.append(DebuggerSupport())
    if perf_support:
        from lazyjit.layers.plugins.perf import JitDump, PerfMap

        plugins += [PerfMap(), JitDump()]
    return plugins


def _processors() -> int:
    return len(os.sched_getaffinity(0))


def _read(source: Source, name: str | None) -> tuple[Any, str]:
    """The source's content (bytes, or an llvmlite module as it is) and a name for messages."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source), name or "<bytes>"
    if isinstance(source, str) and ("\n" in source or "{" in source):
        return source.encode(), name or "<string>"
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        return path.read_bytes(), name or str(path)
    return source, name or "<module>"
