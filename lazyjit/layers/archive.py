"""Static libraries: members are linked when a symbol of theirs is needed, and not before.

A definition generator of a dylib. A lookup that finds a name nowhere in the dylib brings it here;
the archive's index says which member defines it, and that member is added as an object. Its own
needs are met the same way, by the lookups of its link.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from lazyjit.core.dylib import JITDylib
from lazyjit.core.generators import DefinitionGenerator
from lazyjit.core.states import LookupFlags, LookupKind
from lazyjit.core.tracker import ResourceTracker
from lazyjit.layers.object_linking import ObjectLinkingLayer, ObjectUnit
from lazyjit.link.archive import Archive

__all__ = ["StaticLibraryGenerator"]


class StaticLibraryGenerator(DefinitionGenerator):
    """Adds members of an archive to a dylib on demand. Any thread."""

    def __init__(
        self,
        archive: Archive,
        objects: ObjectLinkingLayer,
        tracker: ResourceTracker,
        on_object: Any = None,
    ) -> None:
        """Members go under `tracker`. `on_object(dylib, unit)` is told of each."""
        self.archive = archive
        self._objects = objects
        self._tracker = tracker
        self._on_object = on_object
        self._lock = threading.Lock()
        self._added: set[int] = set()

    def try_to_generate(
        self, kind: LookupKind, dylib: JITDylib, lookup_flags: LookupFlags, names: Sequence[str]
    ) -> None:
        """Add the members that define any of `names`.

        Raises ArchiveFormatError, ObjectFormatError, DuplicateDefinition.
        """
        for name in names:
            member = self.archive.member_for(name)
            if member is None:
                continue
            with self._lock:
                if member.offset in self._added:
                    continue
                self._added.add(member.offset)
            unit = self._objects.add(
                dylib, member.data, file=f"{self.archive.file}({member.name})", tracker=self._tracker
            )
            if self._on_object is not None:
                self._on_object(dylib, unit)

    def add_all(self, dylib: JITDylib) -> list[ObjectUnit]:
        """Add every member at once, needed or not."""
        units = []
        for member in self.archive.members:
            with self._lock:
                if member.offset in self._added:
                    continue
                self._added.add(member.offset)
            name = f"{self.archive.file}({member.name})"
            units.append(self._objects.add(dylib, member.data, file=name, tracker=self._tracker))
        return units
