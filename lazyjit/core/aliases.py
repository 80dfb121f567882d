"""Aliases and reexports: names that stand for other symbols.

An alias has the address of its aliasee, which is looked up when the alias is: in the same dylib
(`symbol_aliases`) or in another (`reexports`). Nothing is looked up for aliases of the same unit
that nobody wants: those go back, as a unit of their own.

An alias is resolved when its aliasee is, and depends on it. So a chain of aliases resolves from its
end. A circle of aliases would wait for ever; it is found when the alias that closes it starts: each
alias under way leaves its step in the session, and a new one follows the steps from its aliasee.
If they lead back to it, it fails with the LinkError that shows the circle, and the others with it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from lazyjit.core.generators import DefinitionGenerator, NameFilter
from lazyjit.core.states import LookupFlags, LookupKind, SymbolState
from lazyjit.core.unit import MaterializationUnit
from lazyjit.errors import (
    DuplicateDefinition,
    FailedToMaterialize,
    LazyJITError,
    LinkError,
    SymbolsNotFound,
)
from lazyjit.symbols import ExecutorSymbolDef, SymbolFlags

if TYPE_CHECKING:
    from lazyjit.core.dylib import JITDylib
    from lazyjit.core.responsibility import MaterializationResponsibility

__all__ = [
    "ReExports",
    "ReExportsGenerator",
    "SymbolAlias",
    "reexports",
    "simple_aliases",
    "symbol_aliases",
]


class SymbolAlias(NamedTuple):
    """What an alias stands for, and the alias's own flags."""

    aliasee: str
    flags: SymbolFlags


class ReExports(MaterializationUnit):
    """Aliases of symbols of one dylib."""

    __slots__ = ("aliases", "source", "source_flags")

    def __init__(
        self,
        source: JITDylib | None,
        aliases: Mapping[str, SymbolAlias],
        source_flags: LookupFlags = LookupFlags.EXPORTED_ONLY,
    ) -> None:
        """Of symbols of `source`; of the dylib that it is defined in if None."""
        super().__init__(
            "<aliases>" if source is None else f"<reexports of {source.name}>",
            {name: alias.flags for name, alias in aliases.items()},
        )
        self.source = source
        self.aliases = dict(aliases)
        self.source_flags = source_flags

    def materialize(self, responsibility: MaterializationResponsibility) -> None:
        """Look up what the wanted aliases stand for; the rest goes back."""
        wanted = responsibility.requested_symbols
        rest = {name: self.aliases[name] for name in responsibility.symbols if name not in wanted}
        if rest:
            responsibility.replace(ReExports(self.source, rest, self.source_flags))
        if wanted:
            self._look_up(responsibility, sorted(wanted))

    def _look_up(self, responsibility: MaterializationResponsibility, names: list[str]) -> None:
        dylib = responsibility.dylib
        source = self.source or dylib
        session = dylib.session
        circular = []
        with session._lock:
            for name in names:
                circle = _step_locked(dylib, name, source, self.aliases[name].aliasee)
                if circle is not None:
                    circular.append((name, circle))
        for name, circle in circular:
            responsibility.delegate([name]).fail_materialization(circle)
            names.remove(name)
        if not names:
            return
        not_ready: set[str] = set()

        def register(dependences: Mapping[JITDylib, set[str]]) -> None:
            not_ready.update(*dependences.values())

        def answer(
            symbols: Mapping[str, ExecutorSymbolDef] | None, error: LazyJITError | None
        ) -> None:
            _unstep(dylib, names)
            try:
                if symbols is not None:
                    self._publish(responsibility, source, names, symbols, not_ready)
                else:
                    assert error is not None
                    self._fail(responsibility, names, error)
            except LazyJITError as problem:
                # Removed or closed meanwhile, or what it stands for failed since.
                responsibility.fail_materialization(problem)

        session.lookup_async(
            [(source, self.source_flags)],
            {self.aliases[name].aliasee for name in names},
            SymbolState.RESOLVED,
            answer,
            register_dependences=register,
        )

    def _publish(
        self,
        responsibility: MaterializationResponsibility,
        source: JITDylib,
        names: Sequence[str],
        symbols: Mapping[str, ExecutorSymbolDef],
        not_ready: Collection[str],
    ) -> None:
        groups = []
        resolved = {}
        for name in names:
            aliasee, flags = self.aliases[name]
            resolved[name] = ExecutorSymbolDef(symbols[aliasee].address, flags)
            if aliasee in not_ready:
                groups.append(([name], {source: [aliasee]}))
        responsibility.notify_resolved(resolved)
        responsibility.notify_emitted(groups)

    def _fail(
        self, responsibility: MaterializationResponsibility, names: list[str], error: LazyJITError
    ) -> None:
        """Fail the aliases whose aliasees `error` names, and try the others again."""
        culprits: set[str] = set()
        if isinstance(error, SymbolsNotFound):
            culprits.update(error.symbols)
        elif isinstance(error, FailedToMaterialize):
            culprits.update(*error.symbols.values())
        failed = [name for name in names if self.aliases[name].aliasee in culprits]
        others = [name for name in names if name not in failed]
        if failed and others:
            responsibility.delegate(failed).fail_materialization(error)
            self._look_up(responsibility, others)
        else:
            responsibility.fail_materialization(error)


def symbol_aliases(aliases: Mapping[str, SymbolAlias]) -> ReExports:
    """A unit of aliases for symbols, hidden ones too, of the dylib that it is defined in."""
    return ReExports(None, aliases, LookupFlags.ALL_SYMBOLS)


def reexports(
    source: JITDylib,
    aliases: Mapping[str, SymbolAlias],
    source_flags: LookupFlags = LookupFlags.EXPORTED_ONLY,
) -> ReExports:
    """A unit of aliases for symbols of `source`."""
    return ReExports(source, aliases, source_flags)


def simple_aliases(source: JITDylib, names: Iterable[str]) -> dict[str, SymbolAlias]:
    """Aliases for reexporting `names` of `source` as they are. Blocks; raises SymbolsNotFound."""
    wanted = list(names)
    flags = source.session.lookup_flags([(source, LookupFlags.ALL_SYMBOLS)], wanted)
    missing = [name for name in wanted if name not in flags]
    if missing:
        raise SymbolsNotFound(missing)
    return {name: SymbolAlias(name, flags[name]) for name in wanted}


class ReExportsGenerator(DefinitionGenerator):
    """Reexports what a lookup misses, if another dylib has it."""

    def __init__(
        self,
        source: JITDylib,
        source_flags: LookupFlags = LookupFlags.EXPORTED_ONLY,
        filter: NameFilter | None = None,
    ) -> None:
        """Of `source`, for names that pass `filter`."""
        self._source = source
        self._source_flags = source_flags
        self._filter = filter

    def try_to_generate(
        self, kind: LookupKind, dylib: JITDylib, lookup_flags: LookupFlags, names: Sequence[str]
    ) -> None:
        """Define reexports for the names that the source has."""
        flags = dylib.session.lookup_flags(
            [(self._source, self._source_flags)],
            [name for name in names if self._filter is None or self._filter(name)],
        )
        for name, its in flags.items():
            try:
                dylib.define(
                    reexports(self._source, {name: SymbolAlias(name, its)}, self._source_flags)
                )
            except DuplicateDefinition:
                continue  # somebody has defined it since the lookup missed it


def _step_locked(dylib: JITDylib, name: str, source: JITDylib, aliasee: str) -> LinkError | None:
    """Leave the step from an alias to its aliasee; or the circle that it would close."""
    steps = dylib.session._alias_steps
    start = (dylib, name)
    path = [start]
    here: tuple[JITDylib, str] | None = (source, aliasee)
    while here is not None:
        path.append(here)
        if here == start:
            return LinkError("circle of aliases: " + " -> ".join(f"{d.name}:{n}" for d, n in path))
        here = steps.get(here)
    steps[start] = (source, aliasee)
    return None


def _unstep(dylib: JITDylib, names: Iterable[str]) -> None:
    session = dylib.session
    with session._lock:
        for name in names:
            session._alias_steps.pop((dylib, name), None)
