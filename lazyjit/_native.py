"""The door to lazyjit's own native library: every other module gets `lib` and `ffi` from here.

Native functions return a status and fill a fault; `check` turns the pair into an exception of
`lazyjit.errors`. cffi lets go of the GIL around each call, so a call is worth batching.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from lazyjit import errors

try:
    from lazyjit._native_lib import ffi, lib
except ModuleNotFoundError as problem:
    # Python started in a checkout sees its sources before an installed lazyjit.
    raise ModuleNotFoundError(
        f"the sources in {__file__.rpartition('/')[0]} are not built: if lazyjit is installed,"
        " start Python elsewhere; or build them there: python native/build.py",
        name=problem.name,
    ) from problem

__all__ = ["check", "error", "ffi", "held", "lib", "new_fault", "owned"]


def owned(pointer: Any, dispose: Callable[[Any], object]) -> Any:
    """`pointer`, a cffi pointer, for which `dispose` is called when nothing holds it any more.

    Python finalizes all objects of a garbage cycle, in any order, before it drops the first. What
    `ffi.gc` makes is finalized with them, under the feet of a `__del__` that still needs it. A
    plain pointer can't be part of a cycle, so this one lasts until every `__del__` has run. Not
    disposed of at the interpreter's end. Any thread.
    """
    weakref.finalize(pointer, dispose, ffi.cast(ffi.typeof(pointer), pointer)).atexit = False
    return pointer


def held(pointer: Any, size: int, owner: Any) -> Any:
    """A cffi buffer of the `size` bytes at `pointer`, which keeps `owner` alive. Any thread."""
    place = ffi.cast("char *", pointer)
    weakref.finalize(place, _let_go, owner).atexit = False
    return ffi.buffer(place, size)


def _let_go(owner: Any) -> None:
    """What `owner` was held for is gone."""


def new_fault() -> Any:
    """A cffi `lj_fault *` to pass to a native function. Any thread."""
    return ffi.new("lj_fault *")


def error(status: int, fault: Any = None, *, file: str | None = None) -> Exception:
    """The exception for a status that is not OK. Any thread.

    `file` is what the native function worked on. Of the fault, `detail` becomes the reason, and
    `line`, `offset` and `value` become the attributes that their code gives them.
    """
    raw_name = lib.lj_status_name(status)
    if raw_name == ffi.NULL:
        return errors.InternalError(f"native code returned the unknown status {status}")
    name = ffi.string(raw_name).decode()
    text = ffi.string(lib.lj_status_text(status)).decode()
    detail, line, offset, value = "", None, None, 0
    if fault is not None:
        detail = ffi.string(fault.detail).decode("utf-8", "replace").strip()
        line = int(fault.line) or None
        offset = int(fault.offset)
        value = int(fault.value)
    words = f"{text}: {detail}" if detail else text
    if name == "NO_MEMORY":
        return MemoryError(words)
    if name == "SYSTEM":
        return errors.ResourceError(words, errno=value or None)
    if name == "ARENA_FULL":
        return errors.ArenaFull(words)
    if name == "STATIC_TLS_FULL":
        return errors.ResourceError(words)
    if name == "CLOSED":
        return errors.SessionClosed(words)
    if name.startswith("IR_") or name in ("LLVM_PARSE", "LLVM_VERIFY"):
        return errors.IRError(detail or text, file=file, line=line)
    if name in ("LLVM_TARGET", "LLVM_EMIT"):
        return errors.CompileError(detail or text, unit=file or "<unit>", file=file)
    if name in ("OBJ_MALFORMED", "OBJ_UNSUPPORTED"):
        return errors.ObjectFormatError(words, file=file, offset=offset)
    if name == "ARCHIVE_MALFORMED":
        return errors.ArchiveFormatError(words, file=file)
    if name in ("OBJ_RELOCATION", "LINK_OVERFLOW", "LINK_MISALIGNED"):
        return errors.RelocationError(words, kind=f"R_X86_64 type {value}", file=file)
    if name == "LINK_UNDEFINED":
        return errors.SymbolsNotFound([detail], needed_by=file)
    return errors.InternalError(f"{name}: {words}")


def check(status: int, fault: Any = None, *, file: str | None = None) -> None:
    """Raise what `status` and `fault` say, or return when it is OK. Any thread."""
    if status:
        raise error(status, fault, file=file)
