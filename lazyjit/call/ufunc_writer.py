"""Writes the IR of one loop function: blocks and values are numbered, its memory comes first."""

from __future__ import annotations

import itertools

from lazyjit.call.ufunc_operands import Operands

__all__ = ["Writer"]


class Writer:
    """One function in the making; blocks and values are numbered."""

    def __init__(self, operands: Operands, callee: str) -> None:
        self.operands = operands
        self.callee = callee
        self.slots: list[str] = []
        self.lines: list[str] = []
        self.numbers = itertools.count()
        self.block = "begin"

    def line(self, text: str) -> None:
        """One instruction."""
        self.lines.append(f"  {text}")

    def value(self, text: str) -> str:
        """One instruction with a value: its name."""
        name = f"%v{next(self.numbers)}"
        self.lines.append(f"  {name} = {text}")
        return name

    def new_block(self) -> str:
        """A block's name."""
        return f"b{next(self.numbers)}"

    def start(self, block: str) -> None:
        """What follows is in this block."""
        self.lines.append(f"{block}:")
        self.block = block

    def slot(self, size: int) -> str:
        """Memory of the function's own."""
        name = f"%m{next(self.numbers)}"
        self.slots.append(f"  {name} = alloca [{size} x i8], align 16")
        return name

    def at(self, pointer: str, offset: str | int) -> str:
        """The address so many bytes on."""
        if offset in (0, "0"):
            return pointer
        return self.value(f"getelementptr i8, ptr {pointer}, i64 {offset}")

    def conjunction(self, conditions: list[str]) -> str:
        """Whether all of these hold."""
        whole = conditions[0]
        for each in conditions[1:]:
            whole = self.value(f"and i1 {whole}, {each}")
        return whole

    def text(self, name: str, attributes: str) -> str:
        """The function as a whole."""
        head = f"define void @{name}(ptr %args, ptr %dims, ptr %steps, ptr %unused) {attributes} {{"
        return "\n".join([head, "begin:", *self.slots, *self.lines, "}"])
