"""Typed functions of a session: where they come from, and what becomes of them.

A wrapper is code like any other: a unit in a dylib of its own, `<wrappers>`, compiled when a
function of its signature is first called, and linked against the functions of native/call_*.c,
which that dylib defines. Functions of one signature share it, so all but the first cost nothing.

A function's first call compiles it by a lookup, on which it waits: what is wrong with it is raised
there and then. Later calls go through the gate, the wrapper, a guard and the stub; the guard is for
what the function itself calls for the first time. Where it calls nothing of the session, the
wrapper calls its code directly, and where it calls nothing at all, a quick wrapper may be the gate
(`lazyjit.layers.self_contained`, `lazyjit.call.wrapper`).

Removal closes the gates of a tracker's functions before its memory is retired. A call that is
under way then was counted by the gate, so its memory waits for it.
"""

from __future__ import annotations

import itertools
import threading
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lazyjit import forking
from lazyjit.call import native
from lazyjit.call.ir_head import read_head
from lazyjit.call.ir_types import fit, signature_of
from lazyjit.call.signature import Signature
from lazyjit.call.typed import FunctionState, TypedFunction, typed_function
from lazyjit.call.wrapper import Wrapper, generate
from lazyjit.codegen import CompilerOptions, LLVMCompiler
from lazyjit.core import (
    ExecutionSession,
    Found,
    JITDylib,
    LookupFlags,
    MaterializationResponsibility,
    MaterializationUnit,
    ResourceTracker,
    SymbolState,
    SymbolTable,
)
from lazyjit.core.listing import state_of
from lazyjit.core.tracker import current
from lazyjit.errors import (
    LazyJITError,
    SessionClosed,
    SymbolRemoved,
    SymbolsNotFound,
    UsageError,
)
from lazyjit.ir import ModuleIndex, carve
from lazyjit.layers.grace import GracePeriods
from lazyjit.layers.module_table import ModuleTable
from lazyjit.layers.object_linking import ObjectLinkingLayer
from lazyjit.layers.on_demand import CompileOnDemandLayer
from lazyjit.layers.self_contained import is_self_contained
from lazyjit.stubs import StubPool
from lazyjit.symbols import SymbolFlags

if TYPE_CHECKING:
    from lazyjit.call.annotations import Described

__all__ = ["TypedFunctions"]

#: A module's table, and the entity in it.
Definition = tuple[ModuleTable, int]

_QUICK = ".quick"
_FLAGS = SymbolFlags.EXPORTED | SymbolFlags.CALLABLE
#: Of a function whose stub leads nowhere yet, by the state of its code. Others are under way; READY
#: too, for a moment: until the stub is pointed at it.
_STATES = {
    SymbolState.NEVER_SEARCHED: FunctionState.LAZY,
    SymbolState.FAILED: FunctionState.FAILED,
}


def _heed_not(symbols: object, error: object) -> None:
    """Completes a query that nobody waits for."""


class WrapperUnit(MaterializationUnit):
    """The code of one wrapper."""

    def __init__(self, owner: TypedFunctions, name: str, wrapper: Wrapper) -> None:
        """As the symbol `name`, and with `quick` after it the quick one."""
        names = [name, name + _QUICK] if wrapper.quick else [name]
        super().__init__(name, dict.fromkeys(names, _FLAGS))
        self.owner = owner
        text = wrapper.text.replace("@wrapper(", f"@{name}(", 1)
        self.text = text.replace("@quick(", f"@{name}{_QUICK}(", 1)

    def materialize(self, responsibility: MaterializationResponsibility) -> None:
        """Compile and link it."""
        with self.owner.compiler().compile(self.text.encode(), self.name) as compiled:
            self.owner.objects.emit(
                responsibility, (compiled.address, compiled.size), file=self.name
            )


class WrapperTable:
    """The symbols of `<wrappers>`: wrappers, and what they refer to. Every method: any thread."""

    name = "<wrappers>"

    def __init__(self, owner: TypedFunctions) -> None:
        self._owner = owner
        self._numbers = itertools.count()
        self._names: dict[str, str] = {}
        self._wrappers: dict[str, Wrapper] = {}

    def name_of(self, wrapper: Wrapper) -> str:
        """The wrapper's symbol; the same for all of the same text."""
        name = self._names.setdefault(wrapper.text, f"wrapper.{next(self._numbers)}")
        self._wrappers.setdefault(name, wrapper)
        return name

    def find_many(self, names: Sequence[str]) -> list[Found | None]:
        """What there is under each of `names` (SymbolTable)."""
        return [self._find(name) for name in names]

    def _find(self, name: str) -> Found | None:
        if name in native.SYMBOLS:
            return Found(_FLAGS, address=native.SYMBOLS[name])
        plain = name.removesuffix(_QUICK)
        wrapper = self._wrappers.get(plain)
        if wrapper is None:
            return None
        together = frozenset({plain, plain + _QUICK}) if wrapper.quick else ()
        return Found(_FLAGS, None, lambda: WrapperUnit(self._owner, plain, wrapper), together)

    def conflicts(self, others: Sequence[SymbolTable]) -> list[str]:
        """None (SymbolTable)."""
        return []


class TypedFunctions(forking.Guarded):
    """Makes a session's typed functions, and closes them. Every method: any thread."""

    def __init__(
        self,
        session: ExecutionSession,
        objects: ObjectLinkingLayer,
        modules: CompileOnDemandLayer,
        stubs: StubPool,
        grace: GracePeriods,
    ) -> None:
        """A resource manager of `session`. Register it after all others: it goes first."""
        self.session = session
        self.objects = objects
        self.modules = modules
        self.stubs = stubs
        self.grace = grace
        self._lock = threading.Lock()
        forking.join(forking.Phase.TABLE, self)
        self._compiler: LLVMCompiler | None = None
        self._table = WrapperTable(self)
        self._dylib = session.create_dylib("<wrappers>")
        self._dylib.add_table(self._table)
        # By the key of the tracker whose removal closes them; 0: the session's end.
        self._open: dict[int, weakref.WeakSet[TypedFunction]] = {}
        session.register_resource_manager(self)

    def compiler(self) -> LLVMCompiler:
        """The compiler of wrappers, whatever options the session's own has: wrappers are written
        as they shall be, so LLVM's optimizer has nothing to do."""
        compiler = self._compiler
        if compiler is None:  # two are no harm
            compiler = self._compiler = LLVMCompiler(CompilerOptions(opt_level=0, codegen_level=2))
        return compiler

    def make(
        self,
        name: str,
        address: int,
        dylib: JITDylib,
        tracker: ResourceTracker | None,
        given: object,
        nogil: bool,
        keepalive: object,
    ) -> TypedFunction:
        """A typed function for what is at `address`. Raises UsageError.

        `given` is its signature in any form, or None: its IR says it. `keepalive` is what must
        live as long.
        """
        definition = self.modules.definition(dylib, tracker, name, address)
        described = None
        if given is not None:
            from lazyjit.call.annotations import describe  # `inspect`: five milliseconds

            described = describe(given)
        signature = _signature(name, described, definition)
        wrapper = generate(signature, nogil=nogil)
        origin = _Origin(self, name, address, tracker, definition, wrapper, keepalive)
        function = typed_function(
            name,
            signature,
            origin,
            self.grace.counter,
            nogil=nogil,
            doc=described.doc if described else None,
            defaults=described.defaults if described else (),
        )
        with self._lock:
            key = current(tracker).key if tracker else 0  # a transfer to come moves it on
            self._open.setdefault(key, weakref.WeakSet()).add(function)
            gone = origin.is_gone()
        if gone:
            native.close_gate(function)
        return function

    def _names(self, wrapper: Wrapper) -> list[str]:
        name = self._table.name_of(wrapper)
        return [name, name + _QUICK] if wrapper.quick else [name]

    def begin(self, wrapper: Wrapper) -> None:
        """Have a wrapper compiled, and don't wait: what goes wrong, `wrapper` will raise."""
        order = self._dylib.link_order
        self.session.lookup_async(order, self._names(wrapper), SymbolState.READY, _heed_not)

    def wrapper(self, wrapper: Wrapper) -> tuple[int, int]:
        """The addresses of a wrapper's code, and of the quick one's or 0; compiled for the first
        that asks."""
        names = self._names(wrapper)
        name = names[0]
        found = self.session.lookup(self._dylib.link_order, names, SymbolState.READY)
        return found[name].address, found[names[1]].address if wrapper.quick else 0

    def open(
        self, function: TypedFunction, origin: _Origin, wrapper: int, target: int, quick: int
    ) -> None:
        """Open a function's gate, unless its code is gone."""
        with self._lock:
            if not origin.is_gone():
                native.open_gate(function, wrapper, target, quick)
                return
            native.close_gate(function)
        raise origin.gone()

    # ResourceManager

    def handle_remove_resources(self, dylib: JITDylib, key: int) -> None:
        """Close the gates."""
        with self._lock:
            functions = list(self._open.pop(key, ()))
            if self.session.closed:
                functions += self._open.pop(0, ())
            for function in functions:
                native.close_gate(function)

    def handle_transfer_resources(self, dylib: JITDylib, destination: int, source: int) -> None:
        """Functions of `source` are `destination`'s."""
        with self._lock:
            functions = self._open.pop(source, None)
            if functions:
                self._open.setdefault(destination, weakref.WeakSet()).update(functions)


class _Origin:
    """Where one function comes from (`lazyjit.call.typed.Origin`)."""

    __slots__ = "_definition", "_keepalive", "_owner", "_tracker", "_wrapper", "address", "name"

    def __init__(
        self,
        owner: TypedFunctions,
        name: str,
        address: int,
        tracker: ResourceTracker | None,
        definition: Definition | None,
        wrapper: Wrapper,
        keepalive: object,
    ) -> None:
        self._owner = owner
        self.name = name
        self.address = address
        self._tracker = tracker
        self._definition = definition
        self._wrapper = wrapper
        self._keepalive = keepalive

    def is_gone(self) -> bool:
        """Whether calls can't be made any more. Takes no lock."""
        removed = self._tracker is not None and self._tracker.removed
        return removed or self._owner.session.closed

    def gone(self) -> LazyJITError:
        """Why."""
        if self._owner.session.closed:
            return SessionClosed(f"{self.name} was called after its session was closed")
        return SymbolRemoved(self.name)

    def prepare(self, function: TypedFunction) -> None:
        """Compile the function and its wrapper, and choose how the one calls the other."""
        owner = self._owner
        if self.is_gone():
            raise self.gone()
        body = self._body()
        address = None
        if body is not None:
            # At once, on two threads: a wrapper takes a fourth of the time of a small kernel.
            owner.begin(self._wrapper)
            dylib, name = body
            order = [(dylib, LookupFlags.ALL_SYMBOLS)]
            try:
                address = owner.session.lookup(order, [name], SymbolState.READY)[name].address
            except SymbolsNotFound:
                if self.is_gone():
                    raise self.gone() from None
                raise
        wrapper, quick = owner.wrapper(self._wrapper)
        if address is None or not self._is_self_contained(intrinsics_only=False):
            target = function._behind.guard(self.address, self._wrapper.stack_bytes)
            quick = 0
        else:
            target = address
            if quick and not self._is_self_contained(intrinsics_only=True):
                quick = 0
        owner.open(function, self, wrapper, target, quick)

    def _is_self_contained(self, *, intrinsics_only: bool) -> bool:
        owner = self._owner
        if owner.modules.first_tier is not None:
            return False  # better code will come, and the stub will lead there
        index, function = self._in_module()
        order = self._definition[0].dylib.link_order if self._definition else ()

        def of_process(name: str) -> bool:
            if intrinsics_only:
                return False
            # It is there: the function that refers to it has been linked.
            found = owner.session.lookup(order, [name], SymbolState.READY, weak=[name])
            return name in found and found[name].address not in owner.objects.arena

        return is_self_contained(index, function, of_process)

    def state(self) -> FunctionState:
        """How far it has come."""
        if self.is_gone():
            return FunctionState.REMOVED
        body = self._body()
        try:
            if body is None or self._owner.stubs.target(self.address) is not None:
                return FunctionState.READY
        except SessionClosed:  # meanwhile
            return FunctionState.REMOVED
        dylib, name = body
        return _STATES.get(state_of(dylib, name), FunctionState.COMPILING)

    def ir(self) -> str:
        """The unit of this function alone."""
        index, entity = self._in_module()
        text = carve(index, [entity]).text.decode("utf-8", "replace")
        return text.replace(index.name(entity, body=True), index.name(entity))

    def asm(self) -> str:
        """That unit, compiled."""
        index, entity = self._in_module()
        text = carve(index, [entity]).text
        compiler = self._owner.modules.compiler
        if not isinstance(compiler, LLVMCompiler):
            raise UsageError("the session's compiler emits no assembly")
        return compiler.emit_assembly(text, self.name, index.file)

    def _in_module(self) -> tuple[ModuleIndex, int]:
        if self._definition is None:
            raise UsageError(f"{self.name} does not come from IR")
        table, entity = self._definition
        return table.index, table.function_behind(entity)

    def _body(self) -> tuple[JITDylib, str] | None:
        """The symbol of its code, where that is compiled on demand."""
        if self._definition is None:
            return None
        table, entity = self._definition
        function = table.function_behind(entity)
        if not table.is_function(function):
            return None
        return table.dylib, table.index.name(function, body=True)


def _signature(name: str, described: Described | None, definition: Definition | None) -> Signature:
    head = None
    if definition is not None:
        table, entity = definition
        function = table.function_behind(entity)
        if table.is_function(function):
            index = table.index
            head = read_head(index.source(function), lambda: carve(index, [function]).text)
    if described is None:
        if head is None:
            raise UsageError(f"{name} has no IR that tells its type: give a signature")
        return signature_of(head, name)
    return described.signature if head is None else fit(described.signature, head, name)
