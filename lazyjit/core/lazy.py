"""Lazy reexports: names that stand for functions which are made when they are first called.

A lazy reexport is ready as soon as it is looked up, at the address of a stub; that is what makes a
program start before it is compiled. The stub's first call finds the body, in the ready state, and
from then on goes straight to it.

How stubs are made and how a first call is caught is machinery of a floor above. It plugs in as a
`LazyCallThroughManager`: it is given a `Body` for each stub, through which it finds the address
when the time comes, or learns that it is there already. The core makes nothing before that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from lazyjit.core.aliases import SymbolAlias
from lazyjit.core.states import LookupFlags, SymbolState
from lazyjit.core.tasks import TaskClass
from lazyjit.core.unit import MaterializationUnit
from lazyjit.errors import LazyJITError
from lazyjit.symbols import ExecutorSymbolDef

if TYPE_CHECKING:
    from lazyjit.core.dylib import JITDylib
    from lazyjit.core.responsibility import MaterializationResponsibility

__all__ = ["Body", "Landed", "LazyCallThroughManager", "LazyReExports", "lazy_reexports"]

#: Told once: the body's address, or why it can't be had.
Landed = Callable[[int | None, LazyJITError | None], None]


class Body:
    """What a stub leads to: a symbol that is looked up when the stub is first called."""

    __slots__ = ("dylib", "name")

    def __init__(self, dylib: JITDylib, name: str) -> None:
        """The symbol `name` of `dylib`, hidden or not."""
        self.dylib = dylib
        self.name = name

    def at_hand(self) -> int | None:
        """The symbol's address if it is ready now. Starts nothing; any thread, without a lock."""
        own = [(self.dylib, LookupFlags.ALL_SYMBOLS)]
        return self.dylib.session.find_ready(own, [self.name])[0] or None

    def find(self, landed: Landed, klass: TaskClass = TaskClass.DEMAND) -> None:
        """Have the symbol made ready and `landed` told. Doesn't block; any thread, again and again.

        `landed` is called without a lock, on this thread or another.
        """

        def answer(
            symbols: dict[str, ExecutorSymbolDef] | None, error: LazyJITError | None
        ) -> None:
            landed(None if symbols is None else symbols[self.name].address, error)

        self.dylib.session.lookup_async(
            [(self.dylib, LookupFlags.ALL_SYMBOLS)],
            [self.name],
            SymbolState.READY,
            answer,
            klass=klass,
        )


class LazyCallThroughManager(Protocol):
    """Makes stubs."""

    def create_stubs(
        self, responsibility: MaterializationResponsibility, bodies: Mapping[str, Body]
    ) -> Mapping[str, int]:
        """A stub for each name, whose first call leads to the body under it: their addresses.

        Called on a task, without a lock; what it raises fails the names. Files the stubs with
        `responsibility.with_resource_key`, to free them when the names are removed.
        """


class LazyReExports(MaterializationUnit):
    """Stubs for functions of one dylib."""

    __slots__ = ("aliases", "manager", "source")

    def __init__(
        self,
        manager: LazyCallThroughManager,
        source: JITDylib,
        aliases: Mapping[str, SymbolAlias],
    ) -> None:
        """For functions of `source`, with stubs made by `manager`."""
        super().__init__(
            f"<lazy reexports of {source.name}>",
            {name: alias.flags for name, alias in aliases.items()},
        )
        self.manager = manager
        self.source = source
        self.aliases = dict(aliases)

    def materialize(self, responsibility: MaterializationResponsibility) -> None:
        """Make stubs for the wanted names; the rest goes back."""
        wanted = responsibility.requested_symbols
        rest = {name: self.aliases[name] for name in responsibility.symbols if name not in wanted}
        if rest:
            responsibility.replace(LazyReExports(self.manager, self.source, rest))
        if not wanted:
            return
        stubs = self.manager.create_stubs(
            responsibility,
            {name: Body(self.source, self.aliases[name].aliasee) for name in sorted(wanted)},
        )
        responsibility.notify_resolved(
            {name: ExecutorSymbolDef(stubs[name], self.aliases[name].flags) for name in wanted}
        )
        responsibility.notify_emitted()


def lazy_reexports(
    manager: LazyCallThroughManager, source: JITDylib, aliases: Mapping[str, SymbolAlias]
) -> LazyReExports:
    """A unit of stubs for functions of `source`, which are made when first called."""
    return LazyReExports(manager, source, aliases)
