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
from llvmlite.binding import ModuleRef
from numba import njit
from numba.core import compiler, sigutils
from numba.core.compiler_lock import global_compiler_lock
from numba.core.dispatcher import Dispatcher
from numba.core.environment import Environment

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


def _runtime_symbols(names: Any) -> dict[str, ExecutorSymbolDef]:
    """What Numba (or another extension) registered with LLVM."""
    found = {}
    for name in names:
        address = llvm.address_of_symbol(name.removeprefix(_OWN))
        if address:
            found[name] = ExecutorSymbolDef(address, _FLAGS | SymbolFlags.CALLABLE)
    return found


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
        self._arguments = len(description.argtypes)
        self.__name__ = function.__name__
        self.__doc__ = function.__doc__
        self.__wrapped__ = function
        #: Numba's signature: types of arguments and result.
        self.signature = result.signature
        #: The C entry's symbol, as IR calls it.
        self.symbol: str = description.llvm_cfunc_wrapper_name
        order = [(dylib, LookupFlags.ALL_SYMBOLS)]
        entry: str = description.llvm_cpython_wrapper_name
        found = jit.session.lookup(order, [entry, self.symbol], SymbolState.READY)
        #: The C entry's address, its stub's: `double f(double)`; what Numba's `cfunc` has.
        self.address: int = found[self.symbol].address
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
        text += f'\n@"{name}" = alias ptr, ptr @"{result.fndesc.llvm_cfunc_wrapper_name}"\n'
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
    return compiler.compile_extra(
        dispatcher.targetdescr.typing_context,
        dispatcher.targetdescr.target_context,
        dispatcher.py_func,
        args=arguments,
        return_type=returned,
        flags=flags,
        locals=dispatcher.locals,
    )


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

    text = _ENVIRONMENT.sub(fill, str(whole))
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
