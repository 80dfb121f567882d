"""Static libraries: members are linked when a symbol of theirs is needed, and not before.

A definition generator of a dylib. A lookup that finds a name nowhere in the dylib brings it here;
the archive's index says which member defines it, and that member is added as an object. Its own
needs are met the same way, by the lookups of its link.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence

from lazyjit.core import (
    DefinitionGenerator,
    JITDylib,
    LookupFlags,
    LookupKind,
    ResourceTracker,
)
from lazyjit.core.tracker import current
from lazyjit.errors import ResourceTrackerDefunct
from lazyjit.layers.object_linking import ObjectLinkingLayer
from lazyjit.layers.object_unit import ObjectUnit
from lazyjit.link.archive import Archive, Member
from lazyjit.symbols import SymbolFlags

__all__ = ["StaticLibraryGenerator"]


class StaticLibraryGenerator(DefinitionGenerator):
    """Adds members of an archive to a dylib on demand. Any thread."""

    def __init__(
        self,
        archive: Archive,
        objects: ObjectLinkingLayer,
        tracker: ResourceTracker,
        on_object: Callable[[JITDylib, ObjectUnit, ResourceTracker], None],
        *,
        hidden: bool = False,
    ) -> None:
        """Members go under `tracker`; `on_object` is told of each that is added.

        `hidden`: other dylibs do not see what they define.
        """
        self.archive = archive
        self._objects = objects
        self._tracker = tracker
        self._on_object = on_object
        self._hidden = hidden
        self._lock = threading.Lock()
        self._added: set[int] = set()

    def try_to_generate(
        self, kind: LookupKind, dylib: JITDylib, lookup_flags: LookupFlags, names: Sequence[str]
    ) -> None:
        """Add the members that define any of `names`; none once the library was removed.

        Raises ArchiveFormatError, ObjectFormatError, DuplicateDefinition.
        """
        if self._tracker.removed:
            return
        for name in names:
            member = self.archive.member_for(name)
            if member is not None:
                self._add(dylib, member)

    def add_all(self, dylib: JITDylib) -> None:
        """Add every member at once, needed or not. Raises as `try_to_generate`."""
        for member in self.archive.members():
            self._add(dylib, member)

    def add_initialized(self, dylib: JITDylib, needed: Iterable[str]) -> None:
        """Add the members with initializers that a link of a program with these references has.

        A program's constructors run before its main, so those of members that are only linked
        later, when a call needs them, would come too late. Which members a static link would have
        follows from the references alone; the ones without initializers stay where they are.
        """
        names = [] if self._tracker.removed else list(needed)
        seen: set[int] = set()
        while names:
            member = self.archive.member_for(names.pop())
            if member is None or member.offset in seen:
                continue
            seen.add(member.offset)
            unit = self._unit(member)
            names += unit.externals
            if unit.init_symbol is not None:
                self._add(dylib, member, unit)

    def _unit(self, member: Member) -> ObjectUnit:
        unit = ObjectUnit(self._objects, member.data, f"{self.archive.file}({member.name})")
        if self._hidden:
            for name in unit.symbols:
                unit.symbols[name] &= ~SymbolFlags.EXPORTED
        return unit

    def _add(self, dylib: JITDylib, member: Member, unit: ObjectUnit | None = None) -> None:
        if member.offset in self._added:
            return
        unit = unit or self._unit(member)  # a malformed one raises, for each who needs it
        with self._lock:
            if member.offset in self._added:
                return
            self._added.add(member.offset)
        tracker = current(self._tracker)
        try:
            dylib.define(unit, tracker)
        except ResourceTrackerDefunct:
            if tracker.removed:
                return
            raise
        self._on_object(dylib, unit, tracker)
