"""Machine code as text.

    for insn in disassemble(code, address, "x86_64-unknown-linux-gnu"):
        print(insn.text(resolve))

What a branch or a RIP-relative operand points at is worked out, so that a resolver, a function from
an address to a name, can say what it is. Bytes that are no instruction come out as `.byte`, one by
one (on AArch64 as `.word`), and the disassembly goes on: code has tables in it.

The numbering of operands that LLVM has is `lazyjit.link.operands`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from lazyjit.link.capstone import disassembler

__all__ = ["Instruction", "Resolver", "disassemble"]

#: An address -> what to call it (`f`, `f+0x10`), or None.
Resolver = Callable[[int], "str | None"]

# capstone's numbers.
_ARM64 = 1
_GROUP_JUMP, _GROUP_CALL, _GROUP_RELATIVE = 1, 2, 7
_IMMEDIATE, _MEMORY = 2, 3  # operands, on both architectures
_X86_RIP = 41


@dataclass(frozen=True)
class Instruction:
    """One instruction, or bytes that are none.

    `target` is the address that it branches to or names, if the instruction alone tells.
    """

    #: Where it is.
    address: int
    #: Its bytes.
    code: bytes
    #: Its name, or a directive for bytes that are none.
    mnemonic: str
    #: The rest of its text.
    operands: str
    #: Where it leads, or None.
    target: int | None = None

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.code)

    def text(self, resolve: Resolver | None = None) -> str:
        """Mnemonic and operands, and in angle brackets what the target is called."""
        line = f"{self.mnemonic} {self.operands}".rstrip()
        name = resolve(self.target) if resolve is not None and self.target is not None else None
        return f"{line} <{name}>" if name else line

    def line(self, resolve: Resolver | None = None) -> str:
        """Address, bytes and text, in columns."""
        return f"{self.address:>16x}:  {self.code.hex(' '):<30}  {self.text(resolve)}"


def disassemble(code: bytes, address: int, triple: str) -> Iterator[Instruction]:
    """The instructions of `code`, which runs at `address`, from first to last byte.

    Any thread. Raises, at the first step, `LibraryNotFound` without capstone and `UsageError` for
    an architecture other than x86-64 and AArch64.
    """
    engine = disassembler(triple)
    fixed = engine.arch == _ARM64  # every instruction has 4 bytes
    view, at = bytes(code), 0
    while at < len(view):
        # capstone stops where there is no instruction, and numbers from where it is told to.
        for insn in engine.disasm(view[at:], address + at):
            yield Instruction(
                insn.address, bytes(insn.bytes), insn.mnemonic, insn.op_str, _target(insn, fixed)
            )
            at = insn.address + insn.size - address
        if at < len(view):
            lost = view[at : at + (4 if fixed else 1)]
            whole = len(lost) == 4
            directive = ".word" if whole else ".byte"
            number = int.from_bytes(lost, "little")
            words = f"{number:#010x}" if whole else ", ".join(f"{byte:#04x}" for byte in lost)
            yield Instruction(address + at, lost, directive, words)
            at += len(lost)


def _target(insn: Any, fixed: bool) -> int | None:
    if fixed:
        names = insn.mnemonic in ("adr", "adrp")
        literal = insn.mnemonic.startswith("ldr") and "#" in insn.op_str and "[" not in insn.op_str
        branch = insn.group(_GROUP_JUMP) or insn.group(_GROUP_CALL)
        if names or literal or branch:
            immediates = [op.imm for op in insn.operands if op.type == _IMMEDIATE]
            return immediates[-1] & 2**64 - 1 if immediates else None
        return None
    for operand in insn.operands:
        if operand.type == _MEMORY and operand.mem.base == _X86_RIP:
            return int(insn.address + insn.size + operand.mem.disp) & 2**64 - 1
        if operand.type == _IMMEDIATE and insn.group(_GROUP_RELATIVE):
            return int(operand.imm) & 2**64 - 1
    return None
