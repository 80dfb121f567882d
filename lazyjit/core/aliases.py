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

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from lazyjit.core.generators import DefinitionGenerator, NameFilter
from lazyjit.core.states import LookupFlags, LookupKind, SymbolState
from lazyjit.core.unit import MaterializationUnit
from lazyjit.errors import (
    DuplicateDefinition,
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

    #: The name that it stands for, in the source's dylib.
    aliasee: str
    #: The alias's own.
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
        for name, its_own in responsibility.delegate_each().items() if wanted else ():
            self._look_up(name, its_own)

    def _look_up(self, name: str, responsibility: MaterializationResponsibility) -> None:
        """One alias: its own responsibility, lest it wait for others that wait for it."""
        aliasee, flags = self.aliases[name]
        dylib = responsibility.dylib
        source = self.source or dylib
        session = dylib.session
        with session._lock:
            circle = _step_locked(dylib, name, source, aliasee)
        if circle is not None:
            responsibility.fail_materialization(circle)
            return
        not_ready: dict[JITDylib, set[str]] = {}

        def answer(
            symbols: Mapping[str, ExecutorSymbolDef] | None, error: LazyJITError | None
        ) -> None:
            with session._lock:
                session._alias_steps.pop((dylib, name), None)
            try:
                if symbols is None:
                    assert error is not None
                    raise error
                responsibility.notify_resolved(
                    {name: ExecutorSymbolDef(symbols[aliasee].address, flags)}
                )
                responsibility.notify_emitted([([name], not_ready)] if not_ready else ())
            except LazyJITError as problem:
                # Or it was removed or closed meanwhile, or what it stands for failed since.
                responsibility.fail_materialization(problem)

        session.lookup_async(
            [(source, self.source_flags)],
            [aliasee],
            SymbolState.RESOLVED,
            answer,
            register_dependences=not_ready.update,
        )


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
