"""Ufuncs of a session: what they are made of, and what becomes of them.

Each dtype's loop is compiled by the first call that needs it (`lazyjit.layers.ufunc_unit`).

A loop is closed when its function's code is removed; calls under way hold the memory back by
entering the grace period's epoch together. The loop's own memory goes with the ufunc.
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from lazyjit import forking
from lazyjit._native import lib
from lazyjit.call.annotations import describe
from lazyjit.call.ir_types import fit, signature_of
from lazyjit.call.ufunc import Behind, make_ufunc
from lazyjit.call.ufunc_operands import (
    CoreSignature,
    Operands,
    core_operands,
    read_core,
    scalar_operands,
)
from lazyjit.core import (
    ExecutionSession,
    JITDylib,
    LookupFlags,
    ResourceTracker,
    SymbolState,
)
from lazyjit.core.tracker import current
from lazyjit.errors import (
    FailedToMaterialize,
    SessionClosed,
    SymbolRemoved,
    SymbolsNotFound,
    UsageError,
)
from lazyjit.layers.grace import GracePeriods
from lazyjit.layers.object_linking import ObjectLinkingLayer
from lazyjit.layers.on_demand import CompileOnDemandLayer
from lazyjit.layers.ufunc_unit import Function, Loop, LoopMaker, LoopUnit

__all__ = ["Function", "UFuncs", "asked_for"]


class UFuncs(forking.Guarded):
    """Makes a session's ufuncs, and closes their loops. Every method: any thread."""

    def __init__(
        self,
        session: ExecutionSession,
        objects: ObjectLinkingLayer,
        modules: CompileOnDemandLayer,
        grace: GracePeriods,
    ) -> None:
        """A resource manager of `session`. Register it after those of memory: it goes first."""
        self.session = session
        self.grace = grace
        self.maker = LoopMaker(session, objects, modules)
        self._lock = threading.Lock()
        forking.join(forking.Phase.TABLE, self)
        self._open: dict[int, weakref.WeakSet[_Source]] = {}
        session.register_resource_manager(self)

    def make(
        self,
        functions: Sequence[Function],
        dylib: JITDylib,
        *,
        core: str | None,
        name: str | None,
        doc: str | None,
        identity: object,
        fast_math: bool,
        keepalive: object,
        after_calls: Callable[[Callable[[], None]], None],
    ) -> np.ufunc:
        """A ufunc with a loop for each of `functions`. Raises UsageError. Compiles nothing."""
        if identity is not None and identity != "reorderable" and not _is_number(identity):
            raise UsageError(f"identity is a number, None or 'reorderable', not {identity!r}")
        parsed = None if core is None else read_core(core)
        loops = []
        for function in functions:
            loop = Loop(self.maker, dylib, function)
            loop.operands = _operands(loop, parsed)
            loops.append(loop)
        _check_alike(loops)
        called = name if name is not None else _common_name([each.name for each in functions])
        if not called or "\0" in called or "\0" in (doc or ""):
            raise UsageError("a ufunc's name and documentation are strings without NUL")
        source = _Source(self, loops, keepalive)
        words = doc if doc is not None else _document(loops)
        behind = Behind(called, words, source, [loop.operands for loop in loops])
        source.behind = weakref.ref(behind)
        made = make_ufunc(behind, identity)
        for loop in loops:
            tracker = loop.dylib.create_tracker()
            weakref.finalize(behind, _drop, after_calls, tracker).atexit = False
            loop.dylib.define(LoopUnit(loop, fast_math), tracker)
        with self._lock:
            for key in {current(loop.function.tracker).key for loop in loops} | {0}:
                self._open.setdefault(key, weakref.WeakSet()).add(source)
        return made

    def open(self, source: _Source, number: int, fast: int, exact: int) -> None:
        """Open a loop's gate, unless its code is gone."""
        with self._lock:
            source.check(number)
            lib.lj_ufunc_open(source.native(number), fast, exact)

    # ResourceManager

    def handle_remove_resources(self, dylib: JITDylib, key: int) -> None:
        """Close the gates."""
        with self._lock:
            closed = [(each, key) for each in self._open.pop(key, ())]
            if self.session.closed:
                closed += [(each, 0) for each in self._open.pop(0, ())]
            for source, of_key in closed:
                source.close(of_key)

    def handle_transfer_resources(self, dylib: JITDylib, destination: int, source: int) -> None:
        """Loops of `source` are `destination`'s."""
        with self._lock:
            moved = self._open.pop(source, None)
            if moved:
                self._open.setdefault(destination, weakref.WeakSet()).update(moved)


class _Source:
    """Where one ufunc's code comes from (`lazyjit.call.ufunc.Source`)."""

    def __init__(self, owner: UFuncs, loops: list[Loop], keepalive: object) -> None:
        self.owner = owner
        self.loops = loops
        self.keepalive = keepalive
        self.behind: weakref.ref[Behind] | None = None

    def native(self, number: int) -> Any:
        """The gate's native record."""
        behind = self.behind() if self.behind is not None else None
        assert behind is not None  # it is what calls
        return behind.loops + number

    def check(self, number: int) -> None:
        """Raises SymbolRemoved or SessionClosed when calls can't be made any more."""
        function = self.loops[number].function
        if self.owner.session.closed:
            raise SessionClosed(f"{function.name} was called after its session was closed")
        if function.tracker.removed:
            raise SymbolRemoved(function.name)

    def prepare(self, number: int) -> None:
        """Compile a loop, and open its gate."""
        self.check(number)
        loop = self.loops[number]
        order = [(loop.dylib, LookupFlags.ALL_SYMBOLS)]
        names = [loop.name, loop.exact]
        try:
            found = self.owner.session.lookup(order, names, SymbolState.READY)
        except SymbolsNotFound:
            self.check(number)
            raise
        except FailedToMaterialize as error:
            self.check(number)
            if names[0] not in error.symbols.get(loop.dylib.name, ()):
                raise
            # By the name that the user knows.
            symbols = {loop.dylib.name: [loop.function.name]}
            raise FailedToMaterialize(symbols, error.__cause__) from error.__cause__
        fast, exact = found[loop.name].address, found[loop.exact].address
        behind = self.behind() if self.behind is not None else None
        assert behind is not None and loop.body is not None
        if not loop.body.hazardous or loop.operands.core is not None:
            exact = 0
        if loop.needs_guard():
            fast, exact = behind.guard(fast), exact and behind.guard(exact)
        self.owner.open(self, number, fast, exact)

    def close(self, key: int) -> None:
        """Stop the loops whose functions a tracker had (0: all). Under the owner's lock."""
        if self.behind is None or self.behind() is None:
            return
        for number, loop in enumerate(self.loops):
            # Transferred resources are found under another key than their tracker's.
            if key and not loop.function.tracker.removed and loop.function.tracker.key != key:
                continue
            if loop.epoch is not None:
                continue  # it was closed, and calls are still in it: what is retired waits already
            epoch = loop.epoch = self.owner.grace.enter()
            if not lib.lj_ufunc_close(self.native(number)):
                loop.epoch = None
                self.owner.grace.leave(epoch)

    def drained(self, number: int) -> None:
        """The last call of a closed loop has left."""
        epoch = self.loops[number].epoch
        if epoch is not None:
            self.loops[number].epoch = None
            self.owner.grace.leave(epoch)


def _drop(after_calls: Callable[[Callable[[], None]], None], tracker: ResourceTracker) -> None:
    """The ufunc is gone: so is its code."""
    with contextlib.suppress(SessionClosed):
        after_calls(tracker.remove)


def _operands(loop: Loop, core: CoreSignature | None) -> Operands:
    function = loop.function
    head = loop.head()
    if core is not None:
        if not isinstance(function.given, str):
            raise UsageError(f"the types of {function.name} are a str such as 'dd->d'")
        return core_operands(function.name, core, function.given, head)
    if function.given is not None:
        signature = describe(function.given).signature
        if head is not None:
            signature = fit(signature, head, function.name)
    elif head is not None:
        signature = signature_of(head, function.name)
    else:
        raise UsageError(f"{function.name} has no IR that tells its type: give a signature")
    return scalar_operands(function.name, signature, head)


def _check_alike(loops: Sequence[Loop]) -> None:
    """Raise UsageError unless the loops are of one ufunc."""
    seen: dict[str, str] = {}
    first = loops[0]
    for loop in loops:
        operands = loop.operands
        counts = len(operands.inputs), len(operands.outputs)
        if counts != (len(first.operands.inputs), len(first.operands.outputs)):
            raise UsageError(
                f"{loop.function.name} has {counts[0]} inputs and {counts[1]} outputs,"
                f" {first.function.name} has not"
            )
        key = "".join(each.dtype.char for each in operands.inputs)
        if key in seen:
            raise UsageError(f"{seen[key]} and {loop.function.name} take the same types: {key}")
        seen[key] = loop.function.name


def _document(loops: Sequence[Loop]) -> str:
    lines = ["Compiled by lazyjit, each type at its first use:", ""]
    for loop in loops:
        left, right = (
            ", ".join(str(each.dtype) for each in side)
            for side in (loop.operands.inputs, loop.operands.outputs)
        )
        lines.append(f"    {loop.function.name}: {left} -> {right}")
    return "\n".join(lines)


def _common_name(names: Sequence[str]) -> str:
    """`f` for f_f32 and f_f64; the first name if they have no such stem."""
    stems = {name.rpartition("_")[0] for name in names}
    return stems.pop() if len(names) > 1 and len(stems) == 1 and "" not in stems else names[0]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | complex | np.number | np.bool_)


def asked_for(functions: object) -> dict[str, object]:
    """The names that `JIT.ufunc` was given, each with its signature or None. Raises UsageError."""
    if isinstance(functions, str):
        return {functions: None}
    if isinstance(functions, Mapping):
        found = dict(functions)
    elif isinstance(functions, Sequence):
        found = dict.fromkeys(functions)
        if len(found) < len(functions):
            raise UsageError("a function is named twice")
    else:
        raise UsageError(f"functions are named by a str, a list or a dict, not {functions!r}")
    if not found or not all(isinstance(name, str) for name in found):
        raise UsageError("a ufunc is made of at least one function, each named by a str")
    return found
