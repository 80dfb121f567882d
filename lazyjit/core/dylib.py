"""A JIT dylib: a namespace of symbols, as a shared library is one.

It holds definitions in one dict (see `lazyjit.core.entries`), asks its tables for names that are
not there, and its generators for names that the tables don't have either. It sees other dylibs
through its link order, which begins with itself.

A name is defined once. A second strong definition is refused; a weak one gives way to any other,
but only until somebody has asked for it: from then on code may have been linked against it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from lazyjit.core.clashes import admit_table_locked, admit_unit_locked, discard_locked
from lazyjit.core.entries import Effect, Failure, Pending, Work
from lazyjit.core.generators import CallableGenerator, DefinitionGenerator, GeneratorRecord
from lazyjit.core.progress import Errands
from lazyjit.core.search import is_overridable, search_tables_locked
from lazyjit.core.states import LookupFlags
from lazyjit.core.table import SymbolTable, TableRecord
from lazyjit.core.tracker import ResourceTracker, check_usable_locked
from lazyjit.core.unit import AbsoluteSymbols, MaterializationUnit
from lazyjit.errors import (
    DuplicateDefinition,
    SymbolsCouldNotBeRemoved,
    SymbolsNotFound,
    UsageError,
)
from lazyjit.symbols import ExecutorSymbolDef

if TYPE_CHECKING:
    from lazyjit.core.session import ExecutionSession

__all__ = ["JITDylib"]


class JITDylib:
    """A namespace of symbols. Every method may be called from any thread.

    Methods that change it raise SessionClosed, and UsageError once it was removed.
    """

    __slots__ = (
        "__weakref__",
        "_absent",
        "_default_tracker",
        "_generators",
        "_link_order",
        "_removed",
        "_symbols",
        "_tables",
        "_trackers",
        "name",
        "session",
    )

    def __init__(self, session: ExecutionSession, name: str) -> None:
        """Use `ExecutionSession.create_dylib`."""
        #: Whose it is.
        self.session = session
        #: Unique in the session.
        self.name = name
        self._symbols: dict[str, Pending | Work | ExecutorSymbolDef | Effect | Failure] = {}
        # These two are replaced, never changed, so that a search can go on with what it has.
        self._tables: tuple[TableRecord, ...] = ()
        self._generators: tuple[GeneratorRecord, ...] = ()
        self._absent: set[str] = set()  # names that no table has
        self._trackers: dict[ResourceTracker, None] = {}
        self._default_tracker: ResourceTracker | None = None
        self._link_order: tuple[tuple[JITDylib, LookupFlags], ...] = (
            (self, LookupFlags.ALL_SYMBOLS),
        )
        self._removed = False

    def __repr__(self) -> str:
        """With its name."""
        return f"<JITDylib {self.name}>"

    # --- What it sees.

    @property
    def link_order(self) -> list[tuple[JITDylib, LookupFlags]]:
        """Where its code finds symbols, in order; a copy."""
        return list(self._link_order)

    def set_link_order(
        self, order: Iterable[tuple[JITDylib, LookupFlags]], *, self_first: bool = True
    ) -> None:
        """Replace the link order; with `self_first` the dylib itself is put before `order`."""
        new = [(dylib, LookupFlags(flags)) for dylib, flags in order]
        if self_first and (not new or new[0][0] is not self):
            new.insert(0, (self, LookupFlags.ALL_SYMBOLS))
        with self.session._lock:
            self._check_open_locked()
            self._link_order = tuple(new)

    def add_to_link_order(
        self, dylib: JITDylib, flags: LookupFlags = LookupFlags.EXPORTED_ONLY
    ) -> None:
        """Look into `dylib` too, last. Does nothing if it is in the order."""
        with self.session._lock:
            self._check_open_locked()
            if all(known is not dylib for known, _ in self._link_order):
                self._link_order = (*self._link_order, (dylib, LookupFlags(flags)))

    def replace_in_link_order(
        self, old: JITDylib, new: JITDylib, flags: LookupFlags = LookupFlags.EXPORTED_ONLY
    ) -> None:
        """Look into `new` where it looked into `old`."""
        with self.session._lock:
            self._check_open_locked()
            self._link_order = tuple(
                (new, LookupFlags(flags)) if dylib is old else (dylib, how)
                for dylib, how in self._link_order
            )

    def remove_from_link_order(self, dylib: JITDylib) -> None:
        """Don't look into `dylib`."""
        with self.session._lock:
            self._check_open_locked()
            self._link_order = tuple(e for e in self._link_order if e[0] is not dylib)

    # --- What it defines.

    def names(self) -> list[str]:
        """Names that are defined here by themselves; those of tables and generators are apart."""
        with self.session._lock:
            return list(self._symbols)

    @property
    def default_tracker(self) -> ResourceTracker:
        """Of what is defined without a tracker. A new one once it was removed or transferred."""
        with self.session._lock:
            self._check_open_locked()
            return self._default_tracker_locked()

    def create_tracker(self) -> ResourceTracker:
        """A new tracker for definitions in this dylib."""
        with self.session._lock:
            self._check_open_locked()
            return self._create_tracker_locked()

    def define(self, unit: MaterializationUnit, tracker: ResourceTracker | None = None) -> None:
        """Add what `unit` can make. `unit` belongs to the session from here on.

        Weak definitions lose to those that are there, and weak ones that nobody has asked for
        lose to strong ones of `unit`: the loser's `discard` is called before this returns.
        Raises DuplicateDefinition for a second strong definition, or a strong one of a name that
        was weak and has been asked for; then nothing has changed.
        """
        session = self.session
        symbols = unit.symbols
        errands: Errands = []
        with session._lock:
            self._check_open_locked()
            tracker = self._usable_locked(tracker)
            pending = Pending(unit, tracker)
            if self._tables or not symbols.keys().isdisjoint(self._symbols.keys()):
                admit_unit_locked(self, pending, errands)
            self._symbols.update(dict.fromkeys(symbols, pending))
            tracker._names.update(symbols)
        if errands:
            session._carry_out(errands)

    def define_absolute(
        self,
        definitions: Mapping[str, ExecutorSymbolDef],
        tracker: ResourceTracker | None = None,
        *,
        only_missing: bool = False,
    ) -> None:
        """Add symbols at known addresses; they become ABSOLUTE, and are ready at once.

        Raises DuplicateDefinition as `define` does; with `only_missing`, names that the dylib has
        by now are left as they are instead, which is what a generator wants.
        """
        unit = AbsoluteSymbols(definitions)
        session = self.session
        errands: Errands = []
        with session._lock:
            self._check_open_locked()
            tracker = self._usable_locked(tracker)
            if only_missing:
                have = unit.symbols.keys() & self._symbols.keys()
                if self._tables:
                    have |= search_tables_locked(self, unit.symbols.keys() - have)[0].keys()
                for name in have:
                    del unit.symbols[name]
            pending = Pending(unit, tracker)
            admit_unit_locked(self, pending, errands)
            for name, flags in unit.symbols.items():
                # A weak one stays untouched until asked for, so that it can be overridden.
                weak = is_overridable(flags)
                self._symbols[name] = pending if weak else unit.definitions[name]
            tracker._names.update(unit.symbols)
        session._carry_out(errands)

    def add_table(self, table: SymbolTable, tracker: ResourceTracker | None = None) -> None:
        """Add the names of `table` without making anything of them.

        Raises DuplicateDefinition as `define` does, for the first of the names in their order.
        """
        session = self.session
        compared: set[TableRecord] = set()
        while True:
            # Comparing two tables takes as long as they are large: not under the lock.
            with session._lock:
                tables = self._tables
            others = [record.table for record in tables if record not in compared]
            twice = min(table.conflicts(others), default=None)
            if twice is not None:
                raise DuplicateDefinition(twice, self.name, by=table.name)
            compared.update(tables)
            errands: Errands = []
            with session._lock:
                self._check_open_locked()
                usable = self._usable_locked(tracker)
                if not compared.issuperset(self._tables):
                    continue  # others were added meanwhile
                admit_table_locked(self, table, errands)
                self._tables = (*self._tables, TableRecord(table, usable))
                self._absent = set()
            session._carry_out(errands)
            return

    def add_generator(
        self,
        generator: DefinitionGenerator | Callable[[Sequence[str]], Mapping[str, ExecutorSymbolDef]],
    ) -> DefinitionGenerator:
        """Ask `generator`, after those added before it, for names that a lookup misses here.

        A plain callable is wrapped in a CallableGenerator. Returns the generator.
        """
        if not isinstance(generator, DefinitionGenerator):
            generator = CallableGenerator(generator)
        with self.session._lock:
            self._check_open_locked()
            self._generators = (*self._generators, GeneratorRecord(generator))
        return generator

    def remove_generator(self, generator: DefinitionGenerator) -> None:
        """Ask `generator` no more; what it has defined stays. Lookups that are in it finish."""
        with self.session._lock:
            self._check_open_locked()
            self._generators = tuple(r for r in self._generators if r.generator is not generator)

    # --- What it gives up.

    def remove(self, names: Iterable[str]) -> None:
        """Remove single symbols, ready or failed or never asked for; resources stay held.

        A name that a table has too comes back with the next lookup. Raises SymbolsNotFound or
        SymbolsCouldNotBeRemoved (for those being made), with nothing changed.
        """
        session = self.session
        wanted = list(dict.fromkeys(names))
        errands: Errands = []
        with session._lock:
            self._check_open_locked()
            missing = [name for name in wanted if name not in self._symbols]
            if missing:
                raise SymbolsNotFound(missing)
            busy = [name for name in wanted if isinstance(self._symbols[name], Work)]
            if busy:
                raise SymbolsCouldNotBeRemoved(busy)
            for name in wanted:
                entry = self._symbols.pop(name)
                for tracker in self._trackers:
                    tracker._names.discard(name)
                if isinstance(entry, Pending):
                    discard_locked(entry, name, errands)
        session._carry_out(errands)

    def clear(self) -> None:
        """Remove everything defined here, tracker by tracker, as `ResourceTracker.remove` does."""
        with self.session._lock:
            trackers = list(self._trackers)
        for tracker in reversed(trackers):
            tracker.remove()

    # --- With the lock held.

    def _check_open_locked(self) -> None:
        self.session._check_open_locked()
        if self._removed:
            raise UsageError(f"dylib {self.name} was removed")

    def _create_tracker_locked(self) -> ResourceTracker:
        tracker = ResourceTracker(self)
        self._trackers[tracker] = None
        return tracker

    def _default_tracker_locked(self) -> ResourceTracker:
        tracker = self._default_tracker
        if tracker is None or tracker.defunct:
            tracker = self._default_tracker = self._create_tracker_locked()
        return tracker

    def _usable_locked(self, tracker: ResourceTracker | None) -> ResourceTracker:
        """`tracker` or the default one. Raises if it is defunct or another dylib's."""
        if tracker is None:
            return self._default_tracker_locked()
        if tracker.dylib is not self:
            raise UsageError(f"the tracker is {tracker.dylib.name}'s, not {self.name}'s")
        check_usable_locked(tracker)
        return tracker
