"""Whatever a client has as IR, turned into text: the one form that is indexed.

Text is taken as it is. Bitcode and llvmlite's modules are printed once by LLVM: bitcode in a
context of its own that is dropped with the module, since the text is all that is kept.
"""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path
from typing import TypeAlias

import llvmlite.binding as llvm
import llvmlite.ir

from lazyjit.errors import IRError, UsageError

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
    if isinstance(source, llvmlite.ir.Module):
        return str(source).encode("utf-8", "surrogateescape"), file or source.name or "<module>"
    if isinstance(source, llvm.ModuleRef):
        with _printing:
            text = str(source)
        return text.encode("utf-8", "surrogateescape"), file or source.name or "<module>"
    if isinstance(source, str) and not _is_path(source):
        return source.encode("utf-8", "surrogateescape"), file or "<text>"
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        return _from_bytes(path.read_bytes(), file or str(path))
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _from_bytes(bytes(source), file or "<text>")
    raise UsageError(f"not IR: {type(source).__name__}")


def _is_path(text: str) -> bool:
    """Whether a str names a file: one line without what IR can't do without, or an existing one."""
    if "\n" in text or len(text) > 4096 or "\0" in text:
        return False
    return Path(text).is_file() or text.endswith((".ll", ".bc"))


def _from_bytes(data: bytes, file: str) -> tuple[bytes, str]:
    if not data.startswith(_BITCODE):
        return data, file
    with _printing:
        try:
            module = llvm.parse_bitcode(data, context=llvm.create_context())
            text = str(module)
        except RuntimeError as error:
            raise IRError(_words(str(error)), file=file) from None
        module.close()
    return text.encode("utf-8", "surrogateescape"), file


def _words(message: str) -> str:
    """LLVM's words, without llvmlite's introduction."""
    return re.sub(r"^LLVM bitcode parsing error\s*", "", message).strip() or "unreadable bitcode"
