"""Whatever a client has as IR, turned into text: the one form that is indexed.

Text is taken as it is. Bitcode and llvmlite's modules are printed once by LLVM: bitcode in a
context of its own that is dropped with the module, since the text is all that is kept. It goes
through lazyjit's own door, behind which garbled bitcode can't end the process (`native/llvm.h`).

llvmlite's Python layer is not imported here: who has a module of its classes has imported it.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, Any, TypeAlias

from lazyjit.errors import UsageError
from lazyjit.llvmlib import print_module

if TYPE_CHECKING:
    import llvmlite.binding as llvm
    import llvmlite.ir

__all__ = ["Source", "load_text"]

#: What `load_text` takes.
Source: TypeAlias = (
    "str | bytes | bytearray | memoryview | os.PathLike[str] | llvmlite.ir.Module | llvm.ModuleRef"
)

#: Raw bitcode, and bitcode in the wrapper that Darwin's tools write.
_BITCODE = (b"BC\xc0\xde", b"\xde\xc0\x17\x0b")

# llvmlite serializes its calls, but a module is parsed and printed in several of them.
_printing = threading.Lock()


def load_text(source: Source, file: str | None = None) -> tuple[bytes, str]:
    """The text of `source`, and the file's name for messages. Any thread.

    Raises IRError when LLVM can't read bitcode, OSError when a file can't be read, UsageError when
    `source` is of no known type.
    """
    if _is(source, "llvmlite.ir", "Module"):
        return str(source).encode("utf-8", "surrogateescape"), file or _name(source)
    if _is(source, "llvmlite.binding", "ModuleRef"):
        with _printing:
            text = str(source)
        return text.encode("utf-8", "surrogateescape"), file or _name(source)
    if isinstance(source, str) and not _is_path(source):
        return source.encode("utf-8", "surrogateescape"), file or "<text>"
    if isinstance(source, (str, os.PathLike)):
        with open(source, "rb") as opened:  # noqa: PTH123  # importing pathlib takes 3 ms
            return _from_bytes(opened.read(), file or os.fspath(source))
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _from_bytes(bytes(source), file or "<text>")
    raise UsageError(f"not IR: {type(source).__name__}")


def _is(source: object, module: str, name: str) -> bool:
    """Whether `source` is of a class of a module that may not have been imported."""
    found = sys.modules.get(module)
    return found is not None and isinstance(source, getattr(found, name, ()))


def _name(module: Any) -> str:
    return module.name or "<module>"


def _is_path(text: str) -> bool:
    """Whether a str names a file: one line without what IR can't do without, or an existing one."""
    if "\n" in text or len(text) > 4096 or "\0" in text:
        return False
    return os.path.isfile(text) or text.endswith((".ll", ".bc"))  # noqa: PTH113


def _from_bytes(data: bytes, file: str) -> tuple[bytes, str]:
    if not data.startswith(_BITCODE):
        return data, file
    return print_module(data, file), file
