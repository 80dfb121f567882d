"""A module's own inline assembly, as a unit of its own.

Assembly names symbols that the index can't see. What it defines becomes visible to all units of the
module, and the module's promoted locals are made known to it under the names that it uses.
"""

from __future__ import annotations

import re

from lazyjit._native import ffi, lib
from lazyjit.ir.entities import EntityFlag, Kind
from lazyjit.ir.index import ModuleIndex
from lazyjit.ir.naming import escaped

__all__ = ["ModuleAsm"]

_ESCAPE = re.compile(rb"\\(\\|[0-9a-fA-F]{2})")
_COMMENT = re.compile(r"/\*.*?\*/|#[^\n]*|//[^\n]*", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_NAME = r"[A-Za-z_.$][\w.$]*"
_LABEL = re.compile(rf"(?:^|[;\n])[ \t]*({_NAME})[ \t]*:", re.MULTILINE)
_SET = re.compile(rf"\.(?:set|equ)[ \t]+({_NAME})[ \t]*,|(?:^|[;\n])[ \t]*({_NAME})[ \t]*=")
_BINDING = re.compile(rf"\.(?:globl|global|weak)[ \t]+({_NAME}(?:[ \t]*,[ \t]*{_NAME})*)")
_LOCAL = re.compile(r"\.L|\d")


class ModuleAsm:
    """The inline assembly of one module. Immutable; any thread."""

    def __init__(self, index: ModuleIndex) -> None:
        """Read the statements of `index`'s module."""
        self.index = index
        length = ffi.new("uint32_t *")
        lines = []
        for i in range(index.counts.module_asm):
            start = lib.lj_ir_index_module_asm(index.native, i, length)
            raw = bytes(ffi.buffer(start, length[0]))
            lines.append(_ESCAPE.sub(_unescape, raw).decode("utf-8", "surrogateescape"))
        self.source = "\n".join(lines)
        bare = _STRING.sub('""', _COMMENT.sub(" ", self.source))
        self._names = set(re.findall(_NAME, bare))
        defined = {m.group(1) for m in _LABEL.finditer(bare)}
        defined |= {m.group(1) or m.group(2) for m in _SET.finditer(bare)}
        self._bound = {
            name.strip() for m in _BINDING.finditer(bare) for name in m.group(1).split(",")
        }
        self._defined = {name for name in defined if not _LOCAL.match(name)}

    def __bool__(self) -> bool:
        """Whether the module has any."""
        return bool(self.source)

    @property
    def defines(self) -> list[str]:
        """The symbols that its unit defines for others: global ones, and what the IR declares."""
        return sorted(self._defined & (self._bound | self._declared()))

    def _declared(self) -> set[str]:
        """Names that the assembly defines and the IR only declares."""
        index = self.index
        return {
            name
            for name in self._defined
            if (entity := index.entity(name)) >= 0
            and index.kind(entity) in (Kind.DECLARATION, Kind.EXTERNAL)
        }

    def unit(self) -> bytes:
        """The text of a unit that holds the assembly alone."""
        index = self.index
        before = [
            f".set {name}, {index.name(entity)}"
            for name in sorted(self._names)
            if (entity := index.entity(name)) >= 0 and index.has(entity, EntityFlag.LOCAL)
        ]
        after = [f".globl {name}" for name in sorted(self._declared() - self._bound)]
        lines = [*before, *self.source.split("\n"), *after]
        body = "".join(f'module asm "{escaped(line)}"\n' for line in lines)
        return index.settings + body.encode("ascii")


def _unescape(match: re.Match[bytes]) -> bytes:
    found = match.group(1)
    return b"\\" if found == b"\\" else bytes([int(found, 16)])
