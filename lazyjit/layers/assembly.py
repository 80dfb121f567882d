"""The assembly layer: assembly text in, symbols published.

    jit.add_assembly('''
        .globl  answer
    answer:
        movl    $42, %eax
        ret
    ''')

A text is assembled when it is added, for only the assembler knows what it defines; the object that
comes of it is linked when one of its symbols is wanted, by the object layer below. It may hold all
that LLVM's assembler reads: labels, sections, macros, directives for debuggers and unwinders.
"""

from __future__ import annotations

from typing import Any

from lazyjit.codegen.assembler import Assembler, assembler_for
from lazyjit.core import JITDylib, MaterializationResponsibility
from lazyjit.layers.object_linking import ObjectLinkingLayer
from lazyjit.layers.object_unit import ObjectUnit

__all__ = ["AssemblyLayer"]


class AssemblyLayer:
    """Assembles, and hands on to an object layer. Every method may be called from any thread."""

    def __init__(self, objects: ObjectLinkingLayer, assembler: Assembler | None = None) -> None:
        """Above `objects`; `assembler` is LLVM's for this processor if none is given."""
        self.objects = objects
        self._assembler = assembler

    @property
    def assembler(self) -> Assembler:
        """What assembles; made when it is first needed."""
        if self._assembler is None:
            self._assembler = assembler_for()
        return self._assembler

    def add(
        self, dylib: JITDylib, text: str | bytes, *, file: str, tracker: Any = None
    ) -> ObjectUnit:
        """Define a text's symbols in `dylib`; it is linked when one of them is looked up.

        Raises AssemblyError with the line in the text, and what `ObjectLinkingLayer.add` raises.
        """
        assembled = self.assembler.assemble(text, file=file)
        return self.objects.add(dylib, assembled.object, file=file, tracker=tracker)

    def emit(
        self, responsibility: MaterializationResponsibility, text: str | bytes, *, file: str
    ) -> None:
        """Assemble and link a text whose symbols `responsibility` answers for. Never raises:
        failures go to `responsibility`.
        """
        try:
            assembled = self.assembler.assemble(text, file=file)
        except Exception as error:
            responsibility.fail_materialization(error)
            return
        self.objects.emit(responsibility, assembled.object, file=file)
