"""The disassembler: capstone, which is there only if it was asked for.

It comes with the extra `lazyjit[link]`. What needs it says so when it is needed, not when lazyjit
is imported.
"""

from __future__ import annotations

import threading
from typing import Any

from lazyjit.errors import LibraryNotFound, UsageError

__all__ = ["disassembler"]

_engines = threading.local()


def disassembler(triple: str) -> Any:
    """A capstone engine for the triple's architecture, with details; this thread's own.

    Any thread. Raises `LibraryNotFound` when capstone isn't installed or can't be loaded,
    `UsageError` for an architecture other than x86-64 and AArch64.
    """
    architecture = triple.partition("-")[0]
    engine = getattr(_engines, architecture, None)
    if engine is None:
        engine = _make(architecture)
        setattr(_engines, architecture, engine)
    return engine


def _make(architecture: str) -> Any:
    try:
        import capstone
    except ImportError as error:
        raise LibraryNotFound(
            "instructions are decoded by capstone, which can't be imported "
            f"({error}): pip install 'lazyjit[link]', or capstone itself"
        ) from error
    if architecture in ("x86_64", "amd64"):
        engine = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    elif architecture in ("aarch64", "arm64"):
        engine = capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_LITTLE_ENDIAN)
    else:
        raise UsageError(f"no disassembler for {architecture!r}: x86_64 and aarch64 are known")
    engine.detail = True
    return engine
