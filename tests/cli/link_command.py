"""`lazyjit link` as a program, and files for it: what its tests share."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lazyjit.codegen.assembler import LLVMAssembler

ROOT = Path(__file__).resolve().parents[2]


class Linking:
    """A folder with files to link; `run` runs the command in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.assembler = LLVMAssembler()

    def path(self, name: str) -> Path:
        return self.folder / name

    def object(self, name: str, text: str) -> Path:
        """An object file made of assembly."""
        path = self.path(name)
        path.write_bytes(self.assembler.assemble(text, file=name).object)
        return path

    def archive(self, name: str, *members: str, flags: str = "rcs") -> Path:
        """An archive of files that are there."""
        subprocess.run(["ar", flags, name, *members], cwd=self.folder, check=True)
        return self.path(name)

    def run(self, *words: object, input: str | None = None, env=None):
        """The finished process, with its output as text."""
        return subprocess.run(
            [sys.executable, "-m", "lazyjit", "link", *map(str, words)],
            cwd=self.folder,
            env=env,
            input=input,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    def ok(self, *words: object, code: int = 0) -> str:
        """What it printed; it said nothing else and ended with `code`."""
        done = self.run(*words)
        assert (done.returncode, done.stderr) == (code, ""), done
        return done.stdout

    def fails(self, *words: object, code: int = 1) -> str:
        """What it said on stderr: one line."""
        done = self.run(*words)
        assert done.returncode == code, done
        assert done.stderr.startswith("lazyjit: error: "), done
        assert done.stderr.count("\n") == 1, done
        return done.stderr.removeprefix("lazyjit: error: ").rstrip("\n")


RETURN = """
        .globl  {name}
        .type   {name}, @function
{name}: movl    ${value}, %eax
        ret
"""

CALL = """
        .globl  {name}
        .type   {name}, @function
{name}: subq    $8, %rsp
        callq   {callee}@PLT
        addq    $8, %rsp
        ret
"""


def returns(name: str, value: int) -> str:
    """A function that returns a number."""
    return RETURN.format(name=name, value=value)


def calls(name: str, callee: str) -> str:
    """A function that returns what another returns."""
    return CALL.format(name=name, callee=callee)


@pytest.fixture
def linking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Linking:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return Linking(tmp_path)
