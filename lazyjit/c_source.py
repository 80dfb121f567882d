"""C as a source of kernels: a compiler that is found turns it into LLVM IR.

lazyjit has no C front end; clang is one, and many machines have it. What it makes here is IR as it
leaves the front end, with no optimization run on it but everything kept that lazyjit's own pipeline
wants to know (`-O2 -Xclang -disable-llvm-passes`: type-based aliasing, lifetimes, no `optnone`). So
a function that is never called costs clang's front end and nothing after it, and the level of
optimization is the JIT's, not the file's.

The compilers, in order of preference: `clang-22` and `clang` on the PATH, then the `ziglang` wheel
(`pip install lazyjit[c]`), whose `zig cc` is a clang too. An old LLVM's IR is read by
a newer LLVM, the reverse is not promised: a clang that is newer than the LLVM in llvmlite is passed
over. A clang of the same version gives text, which lazyjit indexes as it is; another one gives
bitcode, for which LLVM does promise compatibility, and LLVM prints it once.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from lazyjit.errors import CompilerNotFound, Diagnostic, SourceError
from lazyjit.records import Record

__all__ = ["CCompiler", "CompilerWarning", "compile_c", "find_compiler"]

#: LLVM's version in the llvmlite that lazyjit is pinned to: the newest IR that can be read.
_LLVM: Final = 22

#: By these clang tells C and its relatives apart. It would hand other files to the linker.
_ENDINGS: Final = frozenset(
    {".c", ".i", ".cc", ".cp", ".cpp", ".cxx", ".c++", ".C", ".CPP", ".ii", ".m", ".mi", ".mm"}
)

_FLAGS: Final = ("-O2", "-Xclang", "-disable-llvm-passes", "-emit-llvm", "-fPIC")


class CompilerWarning(UserWarning):
    """What the C compiler warned of, in a source that it took."""


class CCompiler(Record):
    """A C compiler that writes LLVM IR: the words of its command, and clang's major version."""

    command: tuple[str, ...]
    version: int

    @property
    def zig(self) -> bool:
        """Whether it is zig's clang, which has defaults of its own."""
        return "cc" in self.command


def find_compiler() -> CCompiler:
    """The C compiler to use. Any thread. Raises CompilerNotFound, which says what to install."""
    passed_over = []
    for name in (f"clang-{_LLVM}", "clang"):
        path = shutil.which(name)
        if path is None:
            continue
        # What has its version in its name is not started to be asked: that takes 12 ms.
        version = _LLVM if name == f"clang-{_LLVM}" else _version((path,))
        if version is not None and version <= _LLVM:
            return CCompiler((path,), version)
        passed_over.append(f"{path} is " + ("no clang" if version is None else f"clang {version}"))
    wheel = importlib.util.find_spec("ziglang")
    if wheel is not None and wheel.origin is not None:
        # The program itself: `python -m ziglang` would look in the present directory first.
        command = (str(Path(wheel.origin).with_name("zig")), "cc")
        version = _version(command)
        if version is not None and version <= _LLVM:
            return CCompiler(command, version)
        passed_over.append("the ziglang wheel does not run, or is too new")
    raise CompilerNotFound(
        f"no C compiler that writes IR for LLVM {_LLVM}: install clang {_LLVM} or older, or"
        " `pip install lazyjit[c]`" + "".join(f"; {each}" for each in passed_over)
    )


@functools.lru_cache(maxsize=8)
def _version(command: tuple[str, ...]) -> int | None:
    try:
        words = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return None
    found = re.search(r"clang version (\d+)\.", words.stdout)
    return int(found[1]) if found else None


def compile_c(
    source: str | os.PathLike[str],
    *,
    flags: Sequence[str] = (),
    name: str | None = None,
    cpu: str | None = None,
) -> bytes:
    """The IR (text or bitcode) of C source: a path, or the text itself. Any thread.

    A file is C unless its ending is a relative's (`.cpp`, `.m`) or `flags` say otherwise (`-x`).
    `name` is for messages; `cpu` is what to compile for, as clang's `-march=` spells it (None: this
    machine). `flags` come last, so they override. Text is compiled in a file of its own, with the
    present directory searched by `#include "..."`. Warnings are issued as CompilerWarning. Raises
    SourceError with file and line, CompilerNotFound, OSError for a path that can't be read.
    """
    compiler = find_compiler()
    with tempfile.TemporaryDirectory(prefix="lazyjit-c-") as folder:
        path, includes = Path(folder) / "source.c", [f"-iquote{Path.cwd()}"]
        file = name or ("<c>" if is_text(source) else os.fspath(source))
        if is_text(source):
            # Messages and __FILE__ name the caller's file, and lines count from where he does.
            shown = file.replace("\\", "\\\\").replace('"', '\\"')
            try:
                data = f'#line 1 "{shown}"\n{os.fspath(source)}\n'.encode()
            except UnicodeEncodeError as error:
                raise SourceError(str(error), file=file) from None
            path.write_bytes(data)
        else:
            with open(source, "rb"):  # noqa: PTH123  # Path("") would be "."
                path, includes = Path(source), []
        out = Path(folder) / ("unit.ll" if compiler.version == _LLVM else "unit.bc")
        done = subprocess.run(
            [
                *compiler.command,
                *_defaults(compiler, cpu),
                *includes,
                *(() if path.suffix in _ENDINGS else ("-x", "c")),
                *flags,
                "-fno-color-diagnostics",
                "-fno-caret-diagnostics",
                "-S" if out.suffix == ".ll" else "-c",
                str(path),
                "-o",
                str(out),
            ],
            capture_output=True,
            check=False,
        )
        words = done.stderr.decode("utf-8", "replace")
        found = list(diagnostics(words))
        if done.returncode or not out.exists():
            raise source_error(words, found, file)
        for each in found:
            warnings.warn(str(each), CompilerWarning, stacklevel=3)
        return out.read_bytes()


def is_text(source: str | os.PathLike[str]) -> bool:
    """Whether this is C itself and not a path. A path has no brace, semicolon or line end."""
    return isinstance(source, str) and any(sign in source for sign in "{;\n")


def _defaults(compiler: CCompiler, cpu: str | None) -> list[str]:
    # Each function of the IR says its processor; without this it would be the oldest x86-64.
    if cpu == "generic":
        cpu = "x86-64"
    flags = [*_FLAGS, f"-march={cpu or 'native'}"]
    if compiler.zig:
        # Zig spells processors its own way, and would trap on what C leaves undefined.
        flags[-1] = f"-mcpu={(cpu or 'native').replace('-', '_')}"
        flags += ["-fno-sanitize=undefined", "-Wno-unused-command-line-argument"]
    return flags


_DIAGNOSTIC: Final = re.compile(
    r"^(?:(?P<file>.*?):(?:(?P<line>\d+):(?:(?P<column>\d+):)?)? )?"
    r"(?P<kind>fatal error|error|warning|note): (?P<words>.*)$"
)


def diagnostics(words: str) -> list[Diagnostic]:
    """What a compiler said, taken apart; notes belong to what they follow."""
    found: list[Diagnostic] = []
    for line in words.splitlines():
        match = _DIAGNOSTIC.match(line)
        if match is None:
            continue
        found.append(
            Diagnostic(
                match["kind"].removeprefix("fatal "),
                match["words"],
                match["file"] or "clang",
                int(match["line"]) if match["line"] else None,
                int(match["column"]) if match["column"] else None,
            )
        )
    return found


def source_error(words: str, found: Sequence[Diagnostic], file: str) -> SourceError:
    """The exception for a compilation that failed."""
    errors = [each for each in found if each.kind == "error"]
    if not errors:
        return SourceError(words.strip() or "the compiler failed", file=file, diagnostics=found)
    first = errors[0]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return SourceError(
        first.reason + more,
        file=first.file if first.line is not None else file,
        line=first.line,
        column=first.column,
        diagnostics=found,
    )
