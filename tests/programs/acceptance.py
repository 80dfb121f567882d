"""Runs one program natively and under `lazyjit run`, and compares what the world sees of the two.

A program is compiled once, to LLVM IR, and its native twin is linked from the same IR: whatever
differs, then, is lazyjit's doing. Both run in a fresh folder with the same argv (argv[0] too),
standard input and environment; their standard output, standard error, exit code or final signal,
and the files that they leave must be equal.

Each run of lazyjit is a process of its own, so the default run of the tests makes a small choice of
configurations (`some`), spread over the programs; `LAZYJIT_FULL=1` runs every one on every program.
`LAZYJIT_RUN` replaces the command that runs a program, for example to try the tests themselves on
LLVM's `lli-22 --jit-kind=orc`.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest

from bench.toolchain import Absent

HERE = Path(__file__).resolve().parent
FULL = os.environ.get("LAZYJIT_FULL", "") not in ("", "0")

#: A run that takes longer hangs.
LIMIT = 900.0

STANDARD_INPUT = b"first line\n42 rest of the second\nthird\nthe last, without a newline"
ENVIRONMENT = {"LAZYJIT_TEST_VALUE": "seen", "LC_ALL": "C.UTF-8", "TZ": "UTC"}

Built = TypeVar("Built")


@dataclass(frozen=True)
class Configuration:
    """How lazyjit is asked to run a program."""

    opt_level: int
    threads: int
    kind: str = "ll"
    variant: str = ""
    eager: bool = False

    @property
    def options(self) -> list[str]:
        options = [f"-O{self.opt_level}", "--compile-threads", str(self.threads)]
        return [*options, "--eager"] if self.eager else options

    def __str__(self) -> str:
        parts = [f"O{self.opt_level}", f"{self.threads}thr", self.kind, self.variant]
        return "-".join([*(part for part in parts if part), *(["eager"] if self.eager else [])])


@dataclass(frozen=True)
class Outcome:
    """What the world sees of a program's run."""

    stdout: bytes
    stderr: bytes
    ending: str
    files: dict[str, bytes] = field(default_factory=dict)

    def __str__(self) -> str:
        def show(data: bytes) -> str:
            text = data.decode("utf-8", "replace")
            return text if len(text) < 4000 else f"{text[:2000]}\n[...]\n{text[-2000:]}"

        return (
            f"ending: {self.ending}\n--- standard output\n{show(self.stdout)}"
            f"\n--- standard error\n{show(self.stderr)}\n--- files: {sorted(self.files)}"
        )


def some(count: int, every: Sequence[Configuration], program_number: int) -> list[Configuration]:
    """All of `every` in a full run; else `count` of them, others for each program."""
    if FULL:
        return list(every)
    start = program_number * count
    return [every[(start + i) % len(every)] for i in range(count)]


def or_skip(build: Callable[[], Built]) -> Built:
    """What `build` makes, or a skipped test with the reason why this machine can't make it."""
    try:
        return build()
    except Absent as reason:
        pytest.skip(str(reason))


def lazyjit_command() -> list[str]:
    return shlex.split(os.environ.get("LAZYJIT_RUN", "")) or [
        sys.executable,
        "-m",
        "lazyjit",
        "run",
    ]


def python_path() -> str:
    """The parent's import path, made absolute: the child runs in a folder of its own."""
    return os.pathsep.join(str(Path(path or ".").resolve()) for path in sys.path)


def finish(
    command: Sequence[str | Path],
    folder: Path,
    *,
    executable: Path | None = None,
    stdin: bytes = STANDARD_INPUT,
) -> Outcome:
    """Run a command in a new folder to its end."""
    folder.mkdir()
    done = subprocess.run(
        [str(part) for part in command],
        executable=executable,
        cwd=folder,
        input=stdin,
        capture_output=True,
        timeout=LIMIT,
        check=False,
        env={**os.environ, **ENVIRONMENT, "PYTHONPATH": python_path()},
    )
    code = done.returncode
    ending = f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    return Outcome(done.stdout, done.stderr, ending, files)


def run_native(
    binary: Path, arguments: Sequence[str | Path], folder: Path, *, name: Path | None = None
) -> Outcome:
    """The native twin's outcome; it is told that its name is `name`, the module's path."""
    return finish([name or binary, *arguments], folder, executable=binary)


def run_jit(
    module: Path, arguments: Sequence[str | Path], folder: Path, options: Sequence[str | Path]
) -> Outcome:
    """The outcome under lazyjit."""
    return finish([*lazyjit_command(), *options, module, *arguments], folder)


def assert_same(jit: Outcome, native: Outcome) -> None:
    """Fail with both outcomes when the world could tell them apart."""
    # Python's and the JIT's core files, if any, are not the program's.
    assert jit == native, (
        f"lazyjit and the native program differ\n\nlazyjit: {jit}\n\nnative: {native}"
    )
