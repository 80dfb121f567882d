"""What is printed of each unit as it is compiled: --print-units, and lli's -orc-lazy-debug.

lazyjit's own goes to stderr, so that it can't get mixed up with the program's output. lli's goes
where lli sends it, stdout, and through C's stdio, whose buffer the program's own output shares.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from lazyjit.cli.options import Dump
from lazyjit.cli.process import libc

__all__ = ["UnitInfo", "printer"]


class UnitInfo(Protocol):
    """What the JIT tells of a unit that is about to be compiled."""

    @property
    def name(self) -> str:
        """Unique in the session."""

    @property
    def functions(self) -> Sequence[str]:
        """The functions that the unit defines, by the names the program has for them."""

    @property
    def text(self) -> bytes:
        """The unit's IR."""


def _to_stderr(text: bytes) -> None:
    sys.stderr.flush()
    # One write, so that units compiled at the same time don't interleave.
    sys.stderr.buffer.write(text)
    sys.stderr.buffer.flush()


def _to_c_stdout(text: bytes) -> None:
    library = libc()
    stdout = ctypes.c_void_p.in_dll(library, "stdout")
    library.fwrite(text, ctypes.c_size_t(1), ctypes.c_size_t(len(text)), stdout)


def _functions(unit: UnitInfo) -> bytes:
    return " ".join(unit.functions).encode("utf-8", "surrogateescape")


def _names(unit: UnitInfo) -> None:
    name = unit.name.encode("utf-8", "surrogateescape")
    _to_stderr(b"unit %s: %s\n" % (name, _functions(unit) or b"(data)"))


def _ir(unit: UnitInfo) -> None:
    name = unit.name.encode("utf-8", "surrogateescape")
    text = unit.text.rstrip(b"\0\n")
    _to_stderr(b"; unit %s: %s\n%s\n\n" % (name, _functions(unit) or b"(data)", text))


def _lli_functions(unit: UnitInfo) -> None:
    if unit.functions:
        _to_c_stdout(b"[ %s ]\n" % _functions(unit))


def _lli_modules(unit: UnitInfo) -> None:
    text = unit.text.rstrip(b"\0\n")
    _to_c_stdout(b"----- Module Start -----\n%s\n----- Module End -----\n" % text)


def _lli_files(unit: UnitInfo) -> None:
    path = Path(unit.name.replace("/", "_") + ".ll")
    path.write_bytes(unit.text.rstrip(b"\0\n") + b"\n")


PRINTERS: dict[Dump, Callable[[UnitInfo], None]] = {
    Dump.NAMES: _names,
    Dump.IR: _ir,
    Dump.LLI_FUNCTIONS: _lli_functions,
    Dump.LLI_MODULES: _lli_modules,
    Dump.LLI_FILES: _lli_files,
}


def printer(dump: Dump) -> Callable[[UnitInfo], None] | None:
    """The callback for the JIT's `on_unit`; called on any thread, several at a time."""
    return PRINTERS.get(dump)
