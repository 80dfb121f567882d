"""LLVM's own word on operands: `llvm-mc --disassemble -show-inst`, read.

`truth(triple, codes)` decodes each byte string alone and gives (opcode's name, operands), an
immediate as a number and anything else as None; or None when LLVM doesn't decode exactly these
bytes as one instruction.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence

#: (name of the opcode, operands)
Decoded = tuple[str, tuple[int | None, ...]]

#: An instruction that ends what a line printed.
MARKS = {
    "x86_64": ("[0x0f,0x01,0xd5]", ("XEND", ())),
    "aarch64": ("[0x5a,0x5a,0,0]", ("UDF", (0x5A5A,))),
}

_INSTRUCTION = re.compile(r"<MCInst #\d+ (\w+)")
_OPERAND = re.compile(r"<MCOperand (\w+):(.*?)>")
_WARNING = re.compile(r"^<stdin>:(\d+):\d+: warning", re.M)


def llvm_mc() -> str | None:
    return shutil.which("llvm-mc-22")


def truth(triple: str, codes: Sequence[bytes], attributes: str = "") -> list[Decoded | None]:
    program = llvm_mc()
    assert program is not None
    mark, ending = MARKS[triple.partition("-")[0]]
    lines = []
    for code in codes:
        lines += ["[" + ",".join(map(hex, code)) + "]", mark]
    done = subprocess.run(
        [program, "--disassemble", "--show-inst", f"--triple={triple}", f"--mattr={attributes}"],
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        check=False,
    )
    warned = {(int(line) - 1) // 2 for line in _WARNING.findall(done.stderr)}
    answers: list[Decoded | None] = []
    found: list[Decoded] = []
    name, operands = "", []

    def finish() -> None:
        nonlocal name, operands, found
        if (name, tuple(operands)) == ending:
            whole = len(found) == 1 and len(answers) not in warned
            answers.append(found[0] if whole else None)
            found = []
        elif name:
            found.append((name, tuple(operands)))
        name, operands = "", []

    for line in done.stdout.splitlines():
        started = _INSTRUCTION.search(line)
        if started:
            finish()
            name = started.group(1)
        operand = _OPERAND.search(line)
        if operand and name:
            sort, value = operand.groups()
            operands.append(int(value) if sort == "Imm" else None)
    finish()
    assert len(answers) == len(codes), (len(answers), len(codes), done.stderr[-500:])
    return answers
