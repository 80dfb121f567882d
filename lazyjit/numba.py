"""Numba's front end, this back end.

    from lazyjit import numba

    def norm(x):
        return np.sqrt((x * x).sum())

    norm = numba.add(jit, norm, "float64(float64[:])")
    norm(np.arange(10.0))

Numba infers types and lowers Python to LLVM IR. Here it stops before it optimizes modules and
generates code: the modules of the function and of all that it calls are linked into one, which is
added to the JIT as any other, so a callee that never runs is never compiled. With the function come
the two entries that Numba writes: the one that Python calls, which unboxes arguments, raises what
the function raises and boxes the result exactly as in Numba, and the C entry of `numba.cfunc`.

What the code refers to besides is Numba's runtime (`NRT_*`, `numba_*`, ...), which Numba registers
with LLVM when it is imported; names are looked up there. Each function also has an *environment*, a
Python object with its constants, that its code finds in a global variable. Numba patches that
variable once the code is in memory; here the address is written into the IR, and the object lives
as long as the code.

This needs the Numba that goes with lazyjit's llvmlite (0.68 with 0.50): `pip install
lazyjit[numba]`. A callee that is itself an `@njit` function is compiled by Numba too, when Numba
comes upon it; what runs is nevertheless what was compiled here. `parallel=True` is refused: such
code brings its own thread pool, with kernels compiled by Numba.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable
from typing import Any, Final

import llvmlite.binding as llvm
import numpy as np
from llvmlite.binding import ModuleRef
from numba import njit, typeof
from numba.core import compiler, sigutils, types
from numba.core.compiler_lock import global_compiler_lock
from numba.core.dispatcher import Dispatcher
from numba.core.environment import Environment
from numba.core.errors import NumbaError
from numba.core.registry import cpu_target

from lazyjit import failures
from lazyjit._native import lib
from lazyjit.call.guard import Guard
from lazyjit.core import (
    CallableGenerator,
    JITDylib,
    LookupFlags,
    ResourceTracker,
    SymbolState,
)
from lazyjit.errors import SessionClosed, SymbolRemoved, UsageError
from lazyjit.jit import JIT
from lazyjit.symbols import ExecutorSymbolDef, SymbolFlags

__all__ = ["NumbaFunction", "add"]

_FLAGS: Final = SymbolFlags.EXPORTED | SymbolFlags.ABSOLUTE
#: To Numba `PyExc_TypeError` is the exception's class; to C, and so to everybody else's code, it is
#: a variable that points there. So Numba's get another name.
_EXCEPTION: Final = re.compile(r"@(?=PyExc_\w)")
_OWN: Final = "numba."

#: How Python calls an entry: `PyObject *entry(PyObject *self, PyObject *args, PyObject *kws)`.
_Entry: Final = ctypes.PYFUNCTYPE(
    ctypes.py_object, ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p
)
_ENVIRONMENT: Final = re.compile(
    r"^(@(_ZN08NumbaEnv[\w$.]*|\"_ZN08NumbaEnv[^\"]*\") = )[^\n]*\bglobal (?:i8\*|ptr) null",
    re.MULTILINE,
)

#: Functions that box what an exception is made of: one for a list of types, in each module.
_PRIVATE: Final = re.compile(r"^(define )(?=[^@\n]*@__excinfo_unwrap_args)", re.MULTILINE)


def _runtime_symbols(names: Any) -> dict[str, ExecutorSymbolDef]:
    """What Numba (or another extension) registered with LLVM."""
    found = {}
    for name in names:
        address = llvm.address_of_symbol(name.removeprefix(_OWN))
        if address:
            found[name] = ExecutorSymbolDef(address, _FLAGS | SymbolFlags.CALLABLE)
    return found


class _Argument:
    """What Numba's dispatcher would let pass as one argument. Unboxing does not look: it takes the
    words of any object for those of a str, and an array's bytes for those of its own dtype."""

    __slots__ = ("_type", "seen")

    def __init__(self, kind: Any) -> None:
        self._type = kind
        #: What passed, for the usual types: finding Numba's type takes microseconds.
        self.seen: set[object] = set()

    def check(self, value: Any) -> None:
        """Raise TypeError for what Numba would not take."""
        kind = type(value)
        key: object = kind if kind in _TYPED_BY_CLASS else None
        if kind is np.ndarray:
            key = (value.dtype, value.ndim, value.flags.num)
            if key in self.seen:
                return
        try:
            given = typeof(value)
        except (ValueError, NumbaError) as error:
            if kind is int:
                return  # too large for any type: unboxing says so
            raise TypeError(str(error)) from None
        if cpu_target.typing_context.can_convert(given, self._type) is None:
            raise TypeError(f"{given} is given, where {self._type} is wanted")
        if key is not None:
            self.seen.add(key)


_TYPED_BY_CLASS: Final = frozenset(
    {bool, int, float, complex, str, type(None)}
    | {np.dtype(code).type for code in np.typecodes["All"] if code not in "OSUVMm"}
)


class NumbaFunction:
    """A function that Numba lowered and lazyjit runs. Any thread; the GIL is held during a call,
    unless the function was decorated with `nogil=True`."""

    def __init__(
        self, jit: JIT, dylib: JITDylib, tracker: ResourceTracker, result: Any, function: Any
    ) -> None:
        """Use `add`."""
        description = result.fndesc
        self._jit = jit
        self._tracker = tracker
        self._arguments = tuple(_Argument(each) for each in description.argtypes)
        self.__name__ = function.__name__
        self.__doc__ = function.__doc__
        self.__wrapped__ = function
        #: Numba's signature: types of arguments and result.
        self.signature = result.signature
        #: The C entry's symbol, as IR calls it. None for an optional result, which C has not.
        self.symbol: str | None = _c_entry(result)
        order = [(dylib, LookupFlags.ALL_SYMBOLS)]
        entry: str = description.llvm_cpython_wrapper_name
        wanted = [entry] if self.symbol is None else [entry, self.symbol]
        found = jit.session.lookup(order, wanted, SymbolState.READY)
        #: The C entry's address, its stub's: `double f(double)`; what Numba's `cfunc` has. Or None.
        self.address: int | None = None if self.symbol is None else found[self.symbol].address
        self._guard = Guard(found[entry].address)
        self._call = _Entry(self._guard.address)

    def __call__(self, *arguments: Any) -> Any:
        """Call it. Raises TypeError for wrong arguments, what the function raises, SymbolRemoved
        once its code was removed, and what kept it or a callee from being compiled."""
        grace = self._jit._grace
        epoch = grace.enter()
        try:
            if self._tracker.removed:
                if self._jit.closed:
                    raise SessionClosed(f"{self.__name__} was called after its session was closed")
                raise SymbolRemoved(self.__name__)
            for argument, value in zip(self._arguments, arguments, strict=False):
                if type(value) not in argument.seen:
                    argument.check(value)
            try:
                return self._call(None, arguments, None)
            except ValueError:
                # A guard that was abandoned returns NULL without an exception.
                token = lib.lj_guard_take()
                if token:
                    raise failures.exception(token) from None
                raise
        finally:
            grace.leave(epoch)

    def __repr__(self) -> str:
        return f"<NumbaFunction {self.__name__}{self.signature}>"


def add(
    jit: JIT,
    function: Callable[..., Any],
    signature: Any,
    *,
    name: str | None = None,
    dylib: JITDylib | None = None,
) -> NumbaFunction:
    """Lower `function` by Numba for `signature`, and add it to `jit`. Any thread.

    `function` is a Python function or one of `numba.njit`, whose options then hold; `signature` is
    anything that Numba takes for one: "float64(float64[:])", `float64(int64)`, a tuple of types.
    With `name`, IR can call its C entry by that name. Nothing is compiled yet. Raises what Numba's
    front end raises (its errors are numba.core.errors.NumbaError), UsageError for options that
    can't be had, DuplicateDefinition for a `name` that is taken.
    """
    dispatcher = function if isinstance(function, Dispatcher) else njit(function)
    if dispatcher.targetoptions.get("parallel"):
        raise UsageError("parallel=True brings a thread pool of its own, which can't be added")
    target = jit.main if dylib is None else dylib
    with global_compiler_lock:
        result = _lower(dispatcher, signature)
        text, environments = _module(result)
    if name is not None:
        if not name.isidentifier():
            raise UsageError(f"{name!r} is no identifier")
        entry = _c_entry(result)
        if entry is None:
            raise UsageError(f"{name}: C has no {result.signature.return_type} as a result")
        text += f'\n@"{name}" = alias ptr, ptr @"{entry}"\n'
    _give_runtime(jit, target)
    tracker = jit.add_module(text, dylib=target, name=f"<numba {dispatcher.__name__}>")
    jit._calling_out.keep(tracker, (environments, result))
    return NumbaFunction(jit, target, tracker, result, dispatcher.py_func)


def _lower(dispatcher: Any, signature: Any) -> Any:
    """Numba's result for the signature, with IR and no machine code."""
    arguments, returned = sigutils.normalize_signature(signature)
    flags = compiler.Flags()
    dispatcher.targetdescr.options.parse_as_flags(flags, dispatcher.targetoptions)
    flags.no_compile = True
    with dispatcher._compiling_counter:  # a call of itself is then known for one
        return compiler.compile_extra(
            dispatcher.targetdescr.typing_context,
            dispatcher.targetdescr.target_context,
            dispatcher.py_func,
            args=arguments,
            return_type=returned,
            flags=flags,
            locals=dispatcher.locals,
        )


def _c_entry(result: Any) -> str | None:
    """The symbol of the entry that Numba wrote for C, if it did."""
    if isinstance(result.signature.return_type, types.Optional | types.Generator):
        return None
    symbol: str = result.fndesc.llvm_cfunc_wrapper_name
    return symbol


def _module(result: Any) -> tuple[str, list[Any]]:
    """One module of IR with all that the function needs, and the environments that it names."""
    library = result.library
    whole: ModuleRef = library._final_module
    if not library._finalized:
        whole = whole.clone()
        for other in dict.fromkeys(library._linking_libraries):
            whole.link_in(other._get_module_for_linking(), preserve=True)
    environments = []

    def fill(match: re.Match[str]) -> str:
        environment = Environment._memo.get(match[2].strip('"'))
        if environment is None:
            return match[0]
        environments.append(environment)
        return f"{match[1]}internal global ptr inttoptr (i64 {id(environment)} to ptr)"

    text = _PRIVATE.sub(r"\1internal ", _ENVIRONMENT.sub(fill, str(whole)))
    return _EXCEPTION.sub(f"@{_OWN}", text), environments


def _give_runtime(jit: JIT, dylib: JITDylib) -> None:
    """Let the dylib have Numba's runtime: once a JIT, in a dylib of its own."""
    with jit._lock:
        runtime = getattr(jit, "_numba_runtime", None)
        if runtime is None:
            runtime = jit.session.create_dylib("<numba>")
            runtime.add_generator(CallableGenerator(_runtime_symbols))
            jit._numba_runtime = runtime  # type: ignore[attr-defined]  # ours alone
    if all(each is not runtime for each, _ in dylib.link_order):
        dylib.add_to_link_order(runtime)
