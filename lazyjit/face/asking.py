"""What comes out of a JIT: addresses, and callables of every kind.

Looking a function up gives its stub; it is compiled when it is called, or by `compile`.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lazyjit.call.typed import TypedFunction
from lazyjit.core import (
    JITDylib,
    LookupFlags,
    SymbolState,
)
from lazyjit.errors import SymbolRemoved, SymbolsNotFound, UsageError
from lazyjit.face.assembly import Assembly
from lazyjit.layers.handle import JITFunction
from lazyjit.symbols import SymbolFlags

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Asking"]


class Asking(Assembly):
    """The methods that ask. Every one may be called from any thread."""

    def lookup(self, name: str, *, dylib: JITDylib | None = None) -> int:
        """The address of a symbol that `dylib` or what it links against has.

        Of a function that is its stub's, and nothing is compiled yet (in a lazy session). Who calls
        an address keeps its code from being removed meanwhile. Raises SymbolsNotFound,
        FailedToMaterialize.
        """
        target = self._open(dylib)
        found = self.session.lookup(target.link_order, [name], SymbolState.READY)
        if not self._lazy:
            everywhere = [(each, LookupFlags.ALL_SYMBOLS) for each, _ in target.link_order]
            body = f"{name}$body"
            self.session.lookup(everywhere, [body], SymbolState.READY, weak=[body])
        return found[name].address

    def function(
        self, name: str, restype: Any = None, *argtypes: Any, dylib: JITDylib | None = None
    ) -> JITFunction:
        """A Python callable for a function, with ctypes types. It lets go of the GIL.

        A first call that can't be compiled raises FailedToMaterialize here, with the cause; a call
        after removal raises SymbolRemoved. Raises SymbolsNotFound when there is no such symbol.
        """
        target = self._open(dylib)
        address = self.lookup(name, dylib=target)
        tracker = self.session.tracker_of(target.link_order, name)
        if tracker is None:
            self._open(target)
            raise SymbolRemoved(name)
        return JITFunction(
            address,
            restype,
            argtypes,
            name=name,
            grace=self._grace,
            tracker=tracker,
            keepalive=self,
        )

    def functions(self, dylib: JITDylib | None = None) -> list[str]:
        """The functions that `dylib` exports: its modules' and objects'; archives' members only
        once they are linked. Compiles nothing.
        """
        target = self._open(dylib)
        names = list(dict.fromkeys([*target.names(), *self._modules.functions(target)]))
        flags = self.session.lookup_flags([(target, LookupFlags.ALL_SYMBOLS)], names)
        exported = SymbolFlags.EXPORTED | SymbolFlags.CALLABLE
        return [name for name in names if flags[name] & exported == exported]

    def __getitem__(self, name: str) -> TypedFunction:
        """The function `name` of the main dylib as a Python callable, typed by its IR.

        Raises SymbolsNotFound, and UsageError where IR does not tell the type (see `callable`).
        """
        if not isinstance(name, str):
            raise TypeError(f"a function's name is a str, not {type(name).__name__}")
        return self.callable(name)

    def callable(
        self,
        name: str,
        signature: object = None,
        *,
        nogil: bool = False,
        dylib: JITDylib | None = None,
    ) -> TypedFunction:
        """A Python callable for a function, with arguments and results as `signature` has them.

        That is a str of the signature language (see `lazyjit.call.signature`), ctypes types
        `(result, [arguments])`, an annotated function as a stub, or None: what its IR says. With
        `nogil`, the GIL is free during a call. Nothing is compiled yet. Raises SymbolsNotFound,
        and UsageError for a signature that is none, or not this function's.
        """
        target = self._open(dylib)
        found = self.session.lookup(target.link_order, [name], SymbolState.READY)[name]
        tracker = self.session.tracker_of(target.link_order, name)
        if tracker is None:
            self._open(target)
            raise SymbolRemoved(name)
        if not found.flags & SymbolFlags.CALLABLE and not found.flags & SymbolFlags.ABSOLUTE:
            raise UsageError(f"{name} is data, not a function")
        return self._typed.make(name, found.address, target, tracker, signature, nogil, self)

    def ufunc(
        self,
        functions: str | Sequence[str] | Mapping[str, object],
        *,
        name: str | None = None,
        doc: str | None = None,
        identity: object = None,
        fast_math: bool = False,
        dylib: JITDylib | None = None,
    ) -> np.ufunc:
        """A NumPy ufunc of a function of numbers, or of several, one for each type.

        `functions` is a name, names, or names with signatures (as `callable` takes them; None: what
        the IR says). NumPy takes the first whose types fit, so the narrowest comes first.
        `identity` is what a reduction starts with, "reorderable" if there is nothing but the order
        does not matter. `fast_math` lets LLVM reorder the function's arithmetic. Nothing is
        compiled yet.

        Raises SymbolsNotFound, and UsageError for what is no function of numbers. A call raises
        FailedToMaterialize, SymbolRemoved, SessionClosed.
        """
        from lazyjit.layers.ufunc import asked_for  # NumPy, and what writes loops

        return self._make_ufunc(asked_for(functions), None, name, doc, identity, fast_math, dylib)

    def gufunc(
        self,
        functions: str | Mapping[str, str],
        signature: str,
        types: str | None = None,
        *,
        name: str | None = None,
        doc: str | None = None,
        identity: object = None,
        fast_math: bool = False,
        dylib: JITDylib | None = None,
    ) -> np.ufunc:
        """A generalized ufunc, for a signature of core dimensions such as "(m,n),(n)->(m)".

        `types` are the operands', as NumPy has them ("dd->d"; default: doubles); several functions
        come as a dict from names to types. A function takes a pointer to each operand, each core
        dimension's size (i64, in the order of their first appearance), and for each operand the
        stride in bytes of each of its core dimensions (i64). It returns nothing. Raises as `ufunc`.
        """
        from lazyjit.layers.ufunc import asked_for  # NumPy, and what writes loops

        asked: dict[str, object]
        if isinstance(functions, Mapping):
            if types is not None:
                raise UsageError("types are given once: in the dict")
            asked = asked_for(functions)
        else:
            if types is None and isinstance(signature, str):
                left, _, right = signature.partition("->")
                types = f"{'d' * left.count('(')}->{'d' * right.count('(')}"
            asked = dict.fromkeys(asked_for(functions), types)
        return self._make_ufunc(asked, signature, name, doc, identity, fast_math, dylib)

    def _make_ufunc(
        self,
        asked: dict[str, object],
        core: str | None,
        name: str | None,
        doc: str | None,
        identity: object,
        fast_math: bool,
        dylib: JITDylib | None,
    ) -> np.ufunc:
        from lazyjit.layers.ufunc import Function  # NumPy, and what writes loops

        target = self._open(dylib)
        found = self.session.lookup(target.link_order, list(asked), SymbolState.READY)
        functions = []
        for each, given in asked.items():
            tracker = self.session.tracker_of(target.link_order, each)
            if tracker is None:
                self._open(target)
                raise SymbolRemoved(each)
            if not found[each].flags & (SymbolFlags.CALLABLE | SymbolFlags.ABSOLUTE):
                raise UsageError(f"{each} is data, not a function")
            functions.append(Function(each, found[each].address, tracker, given))
        weak = weakref.WeakMethod(self.after_calls)

        def after_calls(action: Callable[[], None]) -> None:
            method = weak()
            if method is not None:  # else the code is gone with the JIT
                method(action)

        return self._ufuncs.make(
            functions,
            target,
            core=core,
            name=name,
            doc=doc,
            identity=identity,
            fast_math=fast_math,
            keepalive=self,
            after_calls=after_calls,
        )

    def compile(self, names: Sequence[str] | None = None, *, dylib: JITDylib | None = None) -> None:
        """Compile these functions now (None: all of the dylib's modules), in parallel, and wait.

        Raises SymbolsNotFound, FailedToMaterialize.
        """
        target = self._open(dylib)
        if names is None:
            bodies = self._modules.want_all(target)
        else:
            bodies = [f"{name}$body" for name in names]
        order = [(target, LookupFlags.ALL_SYMBOLS)]
        try:
            self.session.lookup(order, bodies, SymbolState.READY)
        except SymbolsNotFound as error:
            plain = [name.removesuffix("$body") for name in error.symbols]
            raise SymbolsNotFound(plain, needed_by=error.needed_by) from None
