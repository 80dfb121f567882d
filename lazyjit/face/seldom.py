"""Rooms of a JIT that few programs enter: each is furnished when somebody first opens its door.

A kernel of IR is added, called, and done; it should not wait for what ufuncs, Python functions
called from native code, or an assembler would need. What stands here is imported and made on first
use. Each is a resource manager that comes after those of memory, and holds nothing before.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from lazyjit.core import ExecutionSession
    from lazyjit.layers.assembly import AssemblyLayer
    from lazyjit.layers.calling_out import CallingOut
    from lazyjit.layers.grace import GracePeriods
    from lazyjit.layers.object_linking import ObjectLinkingLayer
    from lazyjit.layers.on_demand import CompileOnDemandLayer
    from lazyjit.layers.ufunc import UFuncs

__all__ = ["Seldom"]

_Room = TypeVar("_Room")


class Seldom:
    """What is made when it is first needed. Any thread; raises SessionClosed at the end."""

    session: ExecutionSession
    _objects: ObjectLinkingLayer
    _modules: CompileOnDemandLayer
    _grace: GracePeriods

    def __init__(self) -> None:
        self._rooms: dict[str, Any] = {}
        self._door = threading.Lock()

    def _room(self, name: str, make: Callable[[], _Room]) -> _Room:
        room: _Room | None = self._rooms.get(name)
        if room is None:
            with self._door:
                room = self._rooms.get(name)
                if room is None:
                    room = self._rooms[name] = make()
        return room

    @property
    def _ufuncs(self) -> UFuncs:
        from lazyjit.layers.ufunc import UFuncs

        return self._room(
            "ufuncs", lambda: UFuncs(self.session, self._objects, self._modules, self._grace)
        )

    @property
    def _calling_out(self) -> CallingOut:
        from lazyjit.layers.calling_out import CallingOut

        return self._room("calling out", lambda: CallingOut(self.session, self._grace))

    @property
    def _assembly(self) -> AssemblyLayer:
        from lazyjit.layers.assembly import AssemblyLayer

        return self._room("assembly", lambda: AssemblyLayer(self._objects))
