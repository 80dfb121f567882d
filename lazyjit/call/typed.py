"""`TypedFunction`: a native function as Python calls it, with types.

What Python calls is a native object (native/call_object.c) with a gate in its vectorcall slot. This
file is the rest of it: its attributes, and what the native side asks for on its slow ways. The
object's type derives from the class here, so that the attributes are ordinary properties.

Where the code comes from, and what becomes of it, is an `Origin`'s to know.
"""

from __future__ import annotations

import ctypes
import enum
import sys
from _ctypes import CFuncPtr, _Pointer
from typing import TYPE_CHECKING, Any, Final, Protocol

from lazyjit import failures
from lazyjit._native import ffi
from lazyjit.call import native
from lazyjit.call.function import NativeFunction
from lazyjit.call.guard import Guard
from lazyjit.call.signature import Signature
from lazyjit.call.types import SCALARS, Block, Pointer, Scalar, Structure, Type
from lazyjit.errors import LazyJITError

if TYPE_CHECKING:
    import inspect

__all__ = ["FunctionState", "Origin", "TypedFunction", "typed_function"]


class FunctionState(str, enum.Enum):
    """How far a function has come."""

    #: Known, and not compiled: nobody has called it.
    LAZY = "lazy"
    #: Being compiled.
    COMPILING = "compiling"
    #: Its code is in memory: a call goes there directly.
    READY = "ready"
    #: It could not be compiled; calls raise.
    FAILED = "failed"
    #: Its code was removed, or its session closed; calls raise.
    REMOVED = "removed"

    def __str__(self) -> str:
        return self.value


class Origin(Protocol):
    """What is behind a typed function. Every method: any thread."""

    #: What callers of the function jump to.
    address: int

    def prepare(self, function: TypedFunction) -> None:
        """Compile the function, and open its gate. Raises what kept it from being compiled."""

    def gone(self) -> LazyJITError:
        """Why calls can't be made any more."""

    def state(self) -> FunctionState:
        """How far the function has come."""

    def ir(self) -> str:
        """Its IR. Raises UsageError when there is none."""

    def asm(self) -> str:
        """Its assembly. Raises UsageError when there is no IR."""


class TypedFunction:
    """A native function that takes and gives Python's objects by its signature.

    Made by `jit["name"]` and `jit.callable("name", signature)`. It may be called from any thread;
    the GIL is held during the call, or let go of if it was made with `nogil=True`.

    A call raises TypeError for a wrong number of arguments or a wrong type, OverflowError for an
    integer that does not fit, ValueError for an array of the wrong shape or layout; what made a
    function that the call led to unavailable, FailedToMaterialize say; SymbolRemoved once its code
    was removed, SessionClosed once the session was closed.
    """

    __slots__ = ()

    def __new__(cls, *arguments: Any, **keywords: Any) -> TypedFunction:  # noqa: D102  # magic
        raise TypeError("typed functions are made by jit['name'] and jit.callable(...)")

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Call the function; arguments may be given by the signature's names."""
        raise TypeError("not a callable of ours")  # instances have a call of their own

    @property
    def _behind(self) -> Behind:
        found: Behind = native.behind(self)
        return found

    @property
    def __name__(self) -> str:
        return self._behind.name

    @property
    def __signature__(self) -> inspect.Signature:
        behind = self._behind
        return python_signature(behind.signature, behind.defaults)

    @property
    def signature(self) -> Signature:
        """What it takes and gives. As a str, it is in the signature language."""
        return self._behind.signature

    @property
    def nogil(self) -> bool:
        """Whether the GIL is free during a call."""
        return self._behind.nogil

    @property
    def address(self) -> int:
        """What native code calls: the function's one address, which never changes.

        Whoever calls it keeps the code from being removed meanwhile.
        """
        return self._behind.origin.address

    @property
    def state(self) -> FunctionState:
        """How far the function has come."""
        return self._behind.origin.state()

    @property
    def ready(self) -> bool:
        """Whether it is compiled."""
        return self.state is FunctionState.READY

    @property
    def ir(self) -> str:
        """Its LLVM IR: a module with this one function. Raises UsageError when there is none."""
        return self._behind.origin.ir()

    @property
    def asm(self) -> str:
        """Its assembly, compiled by itself. Raises UsageError when there is no IR."""
        return self._behind.origin.asm()

    def compile(self) -> TypedFunction:
        """Compile it now, and wait; itself. Raises FailedToMaterialize, SymbolRemoved."""
        self._behind.prepare(self)
        return self

    @property
    def builtin(self) -> Any:
        """The same function as one of Python's own builtins, for the hottest loops.

        Python has a shorter way to those than to any other object, some 5 ns of a call; but they
        have no attributes beyond name and documentation. Its `__self__` is this object.
        """
        return native.builtin(self)

    def __repr__(self) -> str:
        behind = self._behind
        return f"<jit function {behind.name}: {behind.signature} [{behind.origin.state()}]>"

    def __copy__(self) -> TypedFunction:
        return self

    def __deepcopy__(self, memo: object) -> TypedFunction:
        return self

    def __reduce__(self) -> Any:
        raise TypeError(f"{self.__name__} is machine code of this process and can't be pickled")


_Native: Final = native.new_type(TypedFunction, "lazyjit.call.typed.TypedFunction")


class Behind:
    """What a typed function keeps."""

    __slots__ = ("__weakref__", "_guard", "defaults", "doc", "name", "nogil", "origin", "signature")

    def __init__(
        self,
        name: str,
        signature: Signature,
        origin: Origin,
        nogil: bool,
        doc: str | None,
        defaults: tuple[Any, ...],
    ) -> None:
        self.name = name
        self.signature = signature
        self.origin = origin
        self.nogil = nogil
        self.doc = doc if doc is not None else f"{name}: {signature}"
        self.defaults = defaults
        self._guard: Guard | None = None

    def guard(self, target: int, stack_bytes: int) -> int:
        """A guarded way to `target`: where a failure below comes to the surface."""
        if self._guard is None:
            self._guard = Guard(target, stack_bytes)
        return self._guard.address

    # Asked by native/call_*.c

    def prepare(self, function: TypedFunction) -> None:
        """The first call: compile, and open the gate."""
        self.origin.prepare(function)

    def gone(self, function: TypedFunction) -> None:
        """A call after the end."""
        raise self.origin.gone()

    def failed(self, token: int) -> None:
        """Something that the call led to could not be compiled."""
        raise failures.exception(token)

    def array(self, value: object) -> object:
        """An array over the memory of what has no buffer, or None."""
        kind = type(value)
        words = "__array_interface__", "__array_struct__"
        if any(hasattr(kind, word) for word in words) or hasattr(value, words[0]):
            import numpy as np  # for arrays only: it takes a tenth of a second

            return np.asarray(value)
        return None

    def structure(self, place: int) -> Any:
        """The class that an argument must be of."""
        kind = self.signature.inputs[place].type
        assert isinstance(kind, Structure)
        return kind.cls

    def pointer(self, place: int, value: object) -> int | str:
        """The address that an object is; or else what the argument must be."""
        kind = self.signature.inputs[place].type
        # A pointer within a structure: of any type.
        wanted = kind if isinstance(kind, Pointer) else Pointer()
        address = address_of(value, wanted)
        if address is not None:
            return address
        if wanted.target is None:
            return "an address, a pointer or None"
        return f"a pointer to {wanted.target}, an address or None"

    def result(self, number: int, data: bytes) -> object:
        """An object of the bytes of a result."""
        kind = self.signature.results[number]
        if isinstance(kind, Block):
            import numpy as np  # for arrays only: it takes a tenth of a second

            return np.frombuffer(bytearray(data), kind.element.dtype.replace("b1", "?"))
        return _of_class(kind, data)


def _of_class(kind: Type, data: bytes) -> object:
    assert isinstance(kind, Structure)
    return kind.cls.from_buffer_copy(data)


def typed_function(
    name: str,
    signature: Signature,
    origin: Origin,
    counter: native.CallCounter,
    *,
    nogil: bool = False,
    doc: str | None = None,
    defaults: tuple[Any, ...] = (),
) -> TypedFunction:
    """A typed function of an origin. Any thread. `defaults` are the last arguments'."""
    behind = Behind(name, signature, origin, nogil, doc, defaults)
    names = tuple(argument.name for argument in signature.inputs)
    function: TypedFunction = native.new(_Native, counter, behind, name, names, defaults)
    return function


# What Python shows

_PYTHON: Final = {"i": int, "u": int, "f": float, "b": bool, "c": complex}


def python_signature(signature: Signature, defaults: tuple[Any, ...] = ()) -> inspect.Signature:
    """The signature as `inspect` has it. Nameless arguments can only be given by position."""
    import inspect  # five milliseconds, for those who look at signatures

    inputs = signature.inputs
    last_nameless = max((i for i, each in enumerate(inputs) if not each.name), default=-1)
    taken = {each.name for each in inputs}
    parameters = []
    for i, each in enumerate(inputs):
        name = each.name or f"arg{i}"
        while not each.name and name in taken:
            name += "_"
        at = i - (len(inputs) - len(defaults))
        parameters.append(
            inspect.Parameter(
                name,
                inspect.Parameter.POSITIONAL_ONLY
                if i <= last_nameless
                else inspect.Parameter.POSITIONAL_OR_KEYWORD,
                default=defaults[at] if at >= 0 else inspect.Parameter.empty,
                annotation=_annotation(each.type),
            )
        )
    results = signature.results
    if not results:
        returned: Any = None
    elif len(results) == 1:
        returned = _annotation(results[0])
    else:
        returned = f"({', '.join(map(str, results))})"
    return inspect.Signature(parameters, return_annotation=returned)


def _annotation(kind: Type) -> Any:
    if isinstance(kind, Scalar):
        return _PYTHON[kind.kind]
    if isinstance(kind, Structure) and kind.cls is not None:
        return kind.cls
    return str(kind)


# Pointers

_FOREIGN: Final = (_Pointer, ctypes.Array, CFuncPtr, ctypes.c_void_p, ctypes.c_char_p)
_BY_REFERENCE: Final[Any] = type(ctypes.byref(ctypes.c_int()))


def address_of(value: Any, wanted: Pointer) -> int | None:
    """The address that an object is, if it is one of what is wanted. Any thread."""
    if isinstance(value, TypedFunction | NativeFunction):
        return value.address if wanted.target is None else None
    if isinstance(value, int) or _is_numpy_integer(value):
        return int(value)
    if isinstance(value, _FOREIGN) or type(value) is _BY_REFERENCE:
        if not _points_to(value, wanted.target):
            return None
        return ctypes.cast(value, ctypes.c_void_p).value or 0
    if type(value).__module__ == "_cffi_backend" and isinstance(value, ffi.CData):
        return _cffi_address(value, wanted.target)
    return None


def _points_to(value: Any, target: Scalar | Structure | None) -> bool:
    if target is None or isinstance(value, ctypes.c_void_p):
        return True
    pointed = type(value._obj) if type(value) is _BY_REFERENCE else getattr(value, "_type_", None)
    if isinstance(target, Structure):
        return pointed is target.cls
    code = getattr(pointed, "_type_", None)
    return isinstance(code, str) and len(code) == 1 and _same_number(pointed, code, target)


def _cffi_address(value: Any, target: Scalar | Structure | None) -> int | None:
    kind = ffi.typeof(value)
    if kind.kind not in ("pointer", "array", "function"):
        return None
    if target is not None:
        item = kind.item if kind.kind != "function" else None
        if item is None or item.kind not in ("primitive", "void"):
            return None
        if item.kind == "primitive" and isinstance(target, Scalar):
            word = item.cname.replace("_Bool", "bool").replace(" ", "_")
            if word == "char":
                word = "uint8"
            same = SCALARS.get(word)
            if same is None or (same.kind, same.size) != (target.kind, target.size):
                return None
        elif item.kind == "primitive":
            return None
    return int(ffi.cast("uintptr_t", value))


def _is_numpy_integer(value: object) -> bool:
    numpy = sys.modules.get("numpy")  # who has a number of its has imported it
    return isinstance(value, getattr(numpy, "integer", ()))


#: What `struct` and ctypes call the kinds of numbers; `c` is char, which is any number of a byte.
_LETTERS: Final = {"i": "bhilqc", "u": "BHILQc", "f": "fd", "b": "?", "c": ""}


def _same_number(found: Any, code: str, target: Scalar) -> bool:
    return code in _LETTERS[target.kind] and ctypes.sizeof(found) == target.size
