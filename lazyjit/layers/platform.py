"""What a platform owes a program: initializers, finalizers, and `atexit` by dylib.

A dylib is *initialized* once its constructors have run: those of `llvm.global_ctors` and of
`.init_array`, by priority, and within one priority in the order in which things were added. First
come the dylibs that it links against. Modules that are added later bring initializers that the next
`initialize` runs. *Deinitializing* runs what the code registered with `atexit` and `__cxa_atexit`,
latest first, then `llvm.global_dtors` and `.fini_array`.

Each dylib has a `__dso_handle` of its own, which is how handlers are told apart, as between shared
libraries (Itanium C++ ABI, section 3.3.6).
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from lazyjit import forking
from lazyjit.call import NativeFunction
from lazyjit.core import (
    ExecutionSession,
    JITDylib,
    LookupFlags,
    MaterializationResponsibility,
    ResourceTracker,
    SymbolState,
)
from lazyjit.errors import LazyJITError
from lazyjit.ir import Constructor
from lazyjit.layers.grace import GracePeriods
from lazyjit.layers.module_table import ModuleTable
from lazyjit.layers.object_unit import ObjectUnit
from lazyjit.link.runtime import OVERRIDABLE, DSOHandle, call_at_exit, runtime_symbols
from lazyjit.symbols import ExecutorSymbolDef, SymbolFlags

if TYPE_CHECKING:
    from lazyjit.layers.archive import StaticLibraryGenerator

__all__ = ["Platform"]

#: Calls a `void()` at an address; raises what a failed first call raises.
Caller = Callable[[int], None]


class _Structor(NamedTuple):
    """A constructor or destructor: when it runs, how, and what removes its code."""

    priority: int
    run: Callable[[], None]
    tracker: ResourceTracker


class _State:
    """One dylib's; guarded by the platform's lock."""

    def __init__(self, runtime: DSOHandle) -> None:
        self.runtime = runtime
        #: Held while its initializers or finalizers run; they may look symbols up, and re-enter.
        self.running = threading.RLock()
        #: What has initializers that have not run yet, each with what may remove it before.
        self.added: list[tuple[ModuleTable | ObjectUnit, ResourceTracker]] = []
        #: Constructors that are linked: an initialization did not come to them, for one before them
        #: failed; or they came with a link that nobody expected them of.
        self.left: list[_Structor] = []
        #: To be run at deinitialization, the last one first.
        self.finalizers: list[_Structor] = []
        self.archives: list[StaticLibraryGenerator] = []
        #: Modules whose references have not been held against the archives yet.
        self.unchecked: list[tuple[ModuleTable, ResourceTracker]] = []
        #: Likewise objects, in order. One that was linked and is gone has found its members.
        self.objects: weakref.WeakKeyDictionary[ObjectUnit, None] = weakref.WeakKeyDictionary()


def _call_with(function: int, argument: int) -> None:
    """Call native code that may fail."""
    NativeFunction(function, None, [ctypes.c_void_p])(argument)


_live: weakref.WeakSet[Platform] = weakref.WeakSet()


def _deinitialize_everything() -> None:
    """JIT'd code has called exit(): run the finalizers of all sessions. Reports, never raises."""
    for platform in list(_live):
        try:
            platform.deinitialize_all()
        except LazyJITError:
            sys.excepthook(*sys.exc_info())


class Platform(forking.Guarded):
    """Runs initializers and finalizers. Any thread; those of one dylib on one thread at a time."""

    def __init__(self, session: ExecutionSession, grace: GracePeriods, call: Caller) -> None:
        """`call` runs a `void()` at an address. `grace` counts what runs, so that its memory waits
        for it."""
        self._session = session
        self._grace = grace
        self._call = call
        self._lock = threading.Lock()
        self._states: dict[JITDylib, _State] = {}
        forking.join(forking.Phase.TABLE, self)
        _live.add(self)
        call_at_exit(_deinitialize_everything)

    def after_fork(self, in_child: bool) -> None:
        """For `lazyjit.forking`: in a child, initializers that other threads ran are nobody's."""
        if in_child:
            for state in self._states.values():
                if not state.running.acquire(blocking=False):
                    state.running = threading.RLock()
                else:
                    state.running.release()
        super().after_fork(in_child)

    def set_up(self, dylib: JITDylib, runtime: DSOHandle) -> None:
        """Define the platform's symbols in a new dylib."""
        flags = SymbolFlags.ABSOLUTE | SymbolFlags.CALLABLE
        symbols = runtime_symbols(runtime).items()
        weak = flags | SymbolFlags.WEAK
        dylib.define_absolute(
            {
                name: ExecutorSymbolDef(address, weak if name in OVERRIDABLE else flags)
                for name, address in symbols
            }
        )
        with self._lock:
            self._states[dylib] = _State(runtime)

    def note_module(self, table: ModuleTable, tracker: ResourceTracker) -> None:
        """A module was added: its constructors run at the next initialization."""
        with self._lock:
            state = self._states.get(table.dylib)
            if state is None:
                return  # the dylib was removed, or the session closed, meanwhile
            if table.index.constructors or table.index.destructors:
                _append(state.added, (table, tracker))
            _append(state.unchecked, (table, tracker))

    def note_object(self, dylib: JITDylib, unit: ObjectUnit, tracker: ResourceTracker) -> None:
        """An object was added: likewise."""
        with self._lock:
            state = self._states.get(dylib)
            if state is None:
                return  # likewise
            state.objects[unit] = None
            if unit.init_symbol is not None:
                _append(state.added, (unit, tracker))

    def note_structors(
        self,
        responsibility: MaterializationResponsibility,
        initializers: list[tuple[int, int]],
        finalizers: list[tuple[int, int]],
    ) -> None:
        """Something was linked, and has more of these than was known when it was added: (priority,
        address) in the order to call them. They run at the next initialization.
        """
        tracker = responsibility.tracker
        with self._lock:
            state = self._states.get(responsibility.dylib)
            if state is None:
                return  # forgotten, or the session closed meanwhile
            for each in self._addressed(initializers, tracker):
                _append(state.left, each)
            for each in self._addressed(reversed(finalizers), tracker):
                _append(state.finalizers, each)

    def note_archive(self, dylib: JITDylib, generator: StaticLibraryGenerator) -> None:
        """A static library was added: members that need initializing are found when it is time."""
        with self._lock:
            state = self._states.get(dylib)
            if state is not None:
                state.archives.append(generator)

    def initialize(self, dylib: JITDylib) -> None:
        """Run what has not run yet of `dylib` and of all that it links against, dependences first.

        Raises what a constructor's lookup or first call raises; that one and later ones stay to do.
        """
        for each in self._in_order(dylib):
            with self._lock:
                state = self._states.get(each)
            if state is not None:
                with state.running:
                    self._initialize_one(each, state)

    def deinitialize(self, dylib: JITDylib) -> None:
        """Run the handlers and finalizers of `dylib`. It may be initialized again.

        Raises what one of them fails with; that one is done with, and later ones stay to do.
        """
        with self._lock:
            state = self._states.get(dylib)
        if state is None:
            return  # forgotten, or the session closed meanwhile
        with state.running, self._counted():
            with self._lock:
                if self._states.get(dylib) is not state:
                    return  # likewise, while this thread waited
            state.runtime.run_exit_handlers(_call_with)
            with self._lock:
                finalizers, state.finalizers = state.finalizers, []
            todo = sorted(finalizers, key=lambda each: each.priority)
            try:
                while todo:
                    self._run_all([todo.pop()])
            except BaseException:
                with self._lock:
                    state.finalizers[:0] = todo
                raise

    def forget(self, dylib: JITDylib) -> DSOHandle | None:
        """Know a dylib no more, for it is about to be removed; the handle to close when nobody runs
        in it. None when it isn't known.
        """
        with self._lock:
            state = self._states.pop(dylib, None)
        return state.runtime if state is not None else None

    def deinitialize_all(self) -> None:
        """Deinitialize every dylib, the latest first."""
        with self._lock:
            dylibs = list(self._states)
        for dylib in reversed(dylibs):
            self.deinitialize(dylib)

    def close(self) -> None:
        """Run nothing more."""
        _live.discard(self)
        with self._lock:
            self._states.clear()

    def _in_order(self, dylib: JITDylib) -> list[JITDylib]:
        order: list[JITDylib] = []
        seen = {dylib}
        # Depth first without recursion: a dylib comes after all that it links against.
        stack = [(dylib, iter(list(dylib.link_order)))]
        while stack:
            top, rest = stack[-1]
            for other, _ in rest:
                if other not in seen:
                    seen.add(other)
                    stack.append((other, iter(list(other.link_order))))
                    break
            else:
                order.append(top)
                stack.pop()
        return order

    def _initialize_one(self, dylib: JITDylib, state: _State) -> None:
        self._add_members(dylib, state)
        todo = self._take_constructors(dylib, state)
        try:
            while todo:
                self._run_all(todo[:1])
                del todo[0]
        except BaseException:
            with self._lock:
                state.left[:0] = todo
            raise

    def _add_members(self, dylib: JITDylib, state: _State) -> None:
        """Add those members of libraries that have initializers and that the program refers to."""
        with self._lock:
            archives = list(state.archives)
            if not archives:
                return  # what there is waits for the first library
            unchecked, state.unchecked = state.unchecked, []
            objects = list(state.objects)
            for unit in objects:
                del state.objects[unit]
        try:
            needed = [
                name
                for table, tracker in unchecked
                if not tracker.removed
                for name, _ in table.index.undefined()
            ]
            needed += [name for unit in objects for name in unit.externals]
            for archive in archives:
                archive.add_initialized(dylib, needed)
        except BaseException:
            with self._lock:
                state.unchecked[:0] = unchecked
                state.objects.update(dict.fromkeys(objects))
            raise

    def _take_constructors(self, dylib: JITDylib, state: _State) -> list[_Structor]:
        """The constructors that have not run yet, in order; objects are linked for theirs. The
        finalizers that come with them are filed."""
        with self._lock:
            added, state.added = state.added, []
            left, state.left = state.left, []
        todo, finalizers = list(left), []
        try:
            for each, tracker in added:
                if tracker.removed:
                    continue
                if isinstance(each, ModuleTable):
                    todo += self._structors(each, each.index.constructors, tracker)
                    finalizers += self._structors(each, each.index.destructors, tracker)
                    continue
                assert each.init_symbol is not None
                init = [each.init_symbol]
                order = [(dylib, LookupFlags.ALL_SYMBOLS)]
                self._session.lookup(order, init, SymbolState.READY, weak=init)
                todo += self._addressed(each.initializers, tracker)
                # These come in the order to call them.
                finalizers += self._addressed(reversed(each.finalizers), tracker)
        except BaseException:
            with self._lock:
                state.added[:0] = added
                state.left[:0] = left
            raise
        with self._lock:
            for finalizer in finalizers:
                _append(state.finalizers, finalizer)
        return sorted(todo, key=lambda each: each.priority)

    def _addressed(
        self, entries: Iterable[tuple[int, int]], tracker: ResourceTracker
    ) -> list[_Structor]:
        """Constructors, or finalizers, of which linked code gives (priority, address)."""
        return [_Structor(priority, partial(self._call, at), tracker) for priority, at in entries]

    def _structors(
        self, table: ModuleTable, entries: Iterable[Constructor], tracker: ResourceTracker
    ) -> list[_Structor]:
        return [
            _Structor(
                priority, partial(self._run, table.dylib, table.index.name(function)), tracker
            )
            for priority, function, _ in entries
            if function >= 0
        ]

    def _run_all(self, structors: Iterable[_Structor]) -> None:
        """Run them in this order, but for those whose code was removed meanwhile."""
        for structor in structors:
            with self._counted():
                # Counted first: a removal that comes after the look waits with freeing memory.
                if not structor.tracker.removed:
                    structor.run()

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        """A call is under way."""
        epoch = self._grace.enter()
        try:
            yield
        finally:
            self._grace.leave(epoch)

    def _run(self, dylib: JITDylib, name: str) -> None:
        order = [(dylib, LookupFlags.ALL_SYMBOLS)]
        self._call(self._session.lookup(order, [name], SymbolState.READY)[name].address)


_Entry = TypeVar("_Entry", bound="tuple[Any, ...]")


def _append(entries: list[_Entry], entry: _Entry) -> None:
    """Append; and drop what was removed meanwhile: at once what came last, as in a program that
    adds and removes in turn (an entry keeps a module's text), the rest when the list has doubled.

    The last part of an entry is what removes it.
    """
    while entries and entries[-1][-1].removed:
        entries.pop()
    count = len(entries)
    if count >= 16 and not count & count - 1:
        entries[:] = [each for each in entries if not each[-1].removed]
    entries.append(entry)
