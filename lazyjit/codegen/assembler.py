"""Assembly text in, object bytes out.

libllvmlite has no entry for LLVM's assembler. But a module may hold assembly of its own, `module
asm "..."`, which the code generator hands to the assembler as it stands: a module of nothing else
is an assembly file. What the assembler says of line 3 is about line 3 of the text.

The library has this for the processor that it runs on only. Assembly for another one goes through
LLVM's own `llvm-mc`, if there is one.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple, Protocol

from lazyjit import errors
from lazyjit.codegen.compiler import LLVMCompiler
from lazyjit.codegen.options import CompilerOptions, host_triple

__all__ = ["Assembled", "Assembler", "LLVMAssembler", "ProgramAssembler", "assembler_for"]


class Assembled(NamedTuple):
    """An object file's bytes, and what the assembler said on the side, mostly nothing."""

    object: bytes
    warnings: str


class Assembler(Protocol):
    """What turns assembly into an object. Called from several threads at once."""

    def assemble(self, text: str | bytes, *, file: str | None = ...) -> Assembled:
        """One object for one text. Raises AssemblyError; `file` is the text's name in it."""
        ...


#: `error: <inline asm>:3:2: words`, or with the first two changed over.
_FINDING = re.compile(
    r"^(?:error: )?(?P<file>[^\n]+?):(?P<line>\d+):(?P<column>\d+): (?:error: )?(?P<reason>.*)",
    re.MULTILINE,
)
_CALLER = re.compile(r"^(?:<inline asm>|<stdin>):(\d+):(\d+): note: while in macro", re.MULTILINE)
#: Where the text itself is meant.
_OURS = ("<inline asm>", "<stdin>")


def _bytes(text: str | bytes) -> bytes:
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else bytes(text)


def _finding(words: str, file: str | None) -> errors.AssemblyError:
    """The error that the assembler's words describe: the first of them."""
    match = _FINDING.search(words)
    if match is None:
        reason = words.removeprefix("error: ").removeprefix("<unknown>:0: ").strip()
        return errors.AssemblyError(reason, file=file)
    reason, line, column = match["reason"], int(match["line"]), int(match["column"])
    where = match["file"]
    if where == "<unknown>":  # of the text as a whole
        return errors.AssemblyError(reason, file=file)
    if where == "<instantiation>":
        reason = f"within a macro, at its line {line}: {reason}"
        caller = _CALLER.search(words)  # not always told
        if caller is None:
            return errors.AssemblyError(reason, file=file)
        where, line, column = _OURS[0], int(caller[1]), int(caller[2])
    name = (file or "<assembly>") if where in _OURS else where
    return errors.AssemblyError(reason, file=name, line=line, column=column)


def _escaped(raw: bytes) -> bytes:
    """As a string of LLVM IR."""
    return re.sub(rb"[^ !#-\[\]-~]", lambda match: b"\\%02X" % match[0][0], raw)


class LLVMAssembler:
    """The assembler in llvmlite's LLVM, for this processor's family. Any thread."""

    def __init__(self, triple: str | None = None) -> None:
        """For `triple` (default: this process's). Raises UsageError for one that LLVM lacks."""
        self._compiler = LLVMCompiler(
            CompilerOptions(opt_level=0, verify=False, triple=triple, cpu="", features="")
        )

    def assemble(self, text: str | bytes, *, file: str | None = None) -> Assembled:
        """One object for one text. Raises AssemblyError."""
        raw = _bytes(text)
        if b"\0" in raw:
            line = raw[: raw.index(b"\0")].count(b"\n") + 1
            raise errors.AssemblyError("NUL byte in the text", file=file, line=line)
        module = b'source_filename = "%s"\ntarget triple = "%s"\nmodule asm "%s"\n' % (
            _escaped(_bytes(file or "<assembly>")),
            (self._compiler.options.triple or "").encode(),
            _escaped(raw),
        )
        try:
            with self._compiler.compile(module, file or "<assembly>", file) as compiled:
                return Assembled(compiled.bytes, compiled.warnings)
        except errors.CompileError as error:
            raise _finding(error.reason, file) from None


class ProgramAssembler:
    """An `llvm-mc`, run as a program for each text. Any thread."""

    def __init__(self, program: str, triple: str) -> None:
        """`program` is a path or a name on PATH."""
        self.program = program
        self.triple = triple

    def assemble(self, text: str | bytes, *, file: str | None = None) -> Assembled:
        """One object for one text. Raises AssemblyError, OSError when the program can't be run."""
        command = [self.program, "-filetype=obj", f"-triple={self.triple}", "-", "-o", "-"]
        ran = subprocess.run(command, input=_bytes(text), capture_output=True, check=False)
        words = ran.stderr.decode("utf-8", "replace")
        if ran.returncode:
            raise _finding(words or f"{self.program} failed without a word", file)
        return Assembled(ran.stdout, words)


def _family(triple: str) -> str:
    return triple.split("-")[0]


def assembler_for(triple: str | None = None, program: str | None = None) -> Assembler:
    """The assembler for a target: LLVM's own for this processor, else an `llvm-mc`.

    `program` is the one to use; without it, it is looked for on PATH. Raises UsageError when there
    is none.
    """
    host = host_triple()
    target = triple or host
    if program is None and _family(target) == _family(host):
        return LLVMAssembler(triple)
    found = shutil.which(program) if program else _find()
    if found is None:
        what = program or "llvm-mc"
        raise errors.UsageError(
            f"assembly for {target} needs {what}, which is not on PATH: the LLVM inside llvmlite "
            f"assembles for {_family(host)} only"
        )
    return ProgramAssembler(found, target)


def _find() -> str | None:
    """The `llvm-mc` of the highest version on PATH; one without a number is the system's choice."""
    plain = shutil.which("llvm-mc")
    if plain is not None:
        return plain
    numbered: dict[int, str] = {}
    for directory in os.environ.get("PATH", os.defpath).split(os.pathsep):
        for path in Path(directory or ".").glob("llvm-mc-*"):
            number = path.name.removeprefix("llvm-mc-")
            if number.isdigit():
                numbered.setdefault(int(number), str(path))
    return numbered[max(numbered)] if numbered else None
