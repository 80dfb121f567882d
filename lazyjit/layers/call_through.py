"""Stubs for lazy reexports: the call-through manager that the program model asks for.

A stub's payload says who serves its first call. Modules have the lower half of the numbers (module
and function, see `on_demand`); here is the upper half, for stubs that lead to any symbol of any
dylib, whatever makes it: a unit of the user's own, an object, an alias.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping
from functools import partial

from lazyjit import forking
from lazyjit.core import Body, JITDylib, MaterializationResponsibility
from lazyjit.errors import InternalError, LazyJITError, LinkError, SymbolRemoved
from lazyjit.layers.grace import GracePeriods
from lazyjit.stubs import StubPool

__all__ = ["UPPER_HALF", "StubCallThrough"]

#: Payloads from here on are this manager's.
UPPER_HALF = 1 << 63


class StubCallThrough(forking.Guarded):
    """Makes stubs whose first call looks a symbol up. Every method: any thread."""

    def __init__(self, stubs: StubPool, grace: GracePeriods) -> None:
        """With stubs of `stubs`; a resource manager, to be registered with the session."""
        self._pool = stubs
        self._grace = grace
        self._lock = threading.Lock()
        self._payloads = itertools.count(UPPER_HALF)
        self._bodies: dict[int, tuple[int, Body]] = {}
        self._by_key: dict[int, list[tuple[int, int, str]]] = {}
        #: By payload: stubs of others that these lead to.
        self._held: dict[int, list[int]] = {}
        forking.join(forking.Phase.SESSION, self)

    def create_stubs(
        self, responsibility: MaterializationResponsibility, bodies: Mapping[str, Body]
    ) -> Mapping[str, int]:
        """A stub for each name, resolved if its body is ready now.

        Raises ArenaFull, SessionClosed, ResourceTrackerDefunct.
        """
        payloads = list(itertools.islice(self._payloads, len(bodies)))
        stubs = self._pool.create(payloads)
        made = list(zip(payloads, stubs, bodies, strict=True))

        def keep(key: int) -> None:
            with self._lock:
                self._by_key.setdefault(key, []).extend(made)
                for payload, stub, name in made:
                    self._bodies[payload] = (stub, bodies[name])

        try:
            responsibility.with_resource_key(keep)
        except LazyJITError:
            self._pool.free(stubs)
            raise
        for payload, stub, name in made:
            address = bodies[name].at_hand()
            if address is not None:
                self._landed(payload, stub, address)
        return dict(zip(bodies, stubs, strict=True))

    def first_call(self, payload: int) -> None:
        """A stub was called that leads nowhere yet. On a pool thread; never raises."""
        with self._lock:
            entry = self._bodies.get(payload)
        if entry is None:
            return  # removed meanwhile: the stub fails by itself
        stub, body = entry

        try:
            body.find(partial(self._landed, payload, stub))
        except LazyJITError as error:
            self._landed(payload, stub, None, error)

    def _landed(
        self, payload: int, stub: int, address: int | None, error: LazyJITError | None = None
    ) -> None:
        """A body is found, or can't be had; the stub may be gone by now."""
        with self._lock:
            entry = self._bodies.get(payload)
            if entry is None:
                return
            if address is None:
                self._pool.fail([stub], error or InternalError("no address and no error"))
            elif self._leads_to(address, stub):
                words = f"a circle of lazy reexports: {entry[1].name} leads back to itself"
                self._pool.fail([stub], LinkError(words))
            else:
                self._held.setdefault(payload, []).extend(self._pool.hold([address]))
                self._pool.resolve([stub], [address])

    def _leads_to(self, address: int, stub: int) -> bool:
        """Whether a call of `address` goes, by way of other stubs perhaps, to `stub`."""
        seen = {stub}
        at: int | None = address
        while at is not None and at not in seen:
            seen.add(at)
            at = self._pool.target(at)
        return at == stub

    # ResourceManager

    def handle_remove_resources(self, dylib: JITDylib, key: int) -> None:
        """Calls of these stubs raise SymbolRemoved; the stubs are freed a grace period later.

        As with a module's stubs, the session's end leaves those alone that lead somewhere.
        """
        closed = dylib.session.closed
        held: list[int] = []

        def free() -> None:
            self._pool.free([stub for _, stub, _ in made])
            self._pool.let_go(held)

        with self._lock:
            made = self._by_key.pop(key, [])
            for payload, stub, name in made:
                del self._bodies[payload]
                held += self._held.pop(payload, ())
                if not closed:
                    self._pool.fail([stub], SymbolRemoved(name))
        if made:
            self._grace.retire_code(free)

    def handle_transfer_resources(self, dylib: JITDylib, destination: int, source: int) -> None:
        """Hand the stubs of `source` to `destination`."""
        with self._lock:
            made = self._by_key.pop(source, None)
            if made:
                self._by_key.setdefault(destination, []).extend(made)
