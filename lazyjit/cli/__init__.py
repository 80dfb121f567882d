"""The `lazyjit` command: `lazyjit run` is lli's counterpart, `lazyjit link` llvm-jitlink's.

`main` is the console script. Whatever goes wrong is one line on stderr, `lazyjit: error: ...`, and
an exit code: 2 when the command line is wrong, 1 for everything else. Set LAZYJIT_TRACEBACK in the
environment to see where an error came from.
"""

from __future__ import annotations

import os
import sys

from lazyjit.cli import process
from lazyjit.cli.options import CommandLineError
from lazyjit.errors import InternalError, LazyJITError

__all__ = ["dispatch", "main"]

FAILURE = 1
USAGE = 2


def version() -> str:
    """The text of `lazyjit --version`."""
    import importlib.metadata
    import platform

    try:
        own = importlib.metadata.version("lazyjit")
    except importlib.metadata.PackageNotFoundError:
        own = "(not installed)"
    from llvmlite import __version__ as llvmlite

    from lazyjit import llvmlib

    llvm = ".".join(map(str, llvmlib.version()))
    return f"lazyjit {own}, LLVM {llvm} (llvmlite {llvmlite}), Python {platform.python_version()}\n"


def _one_line(error: BaseException) -> str:
    """An error's message on one line: LLVM's come with the source line and a caret below it."""
    lines = [line.strip() for line in str(error).splitlines()]
    kept = [line for line in lines if line.strip("^~ ")]
    return "; ".join(kept) or type(error).__name__


def _message(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, MemoryError):
        return f"out of memory{': ' + _one_line(error) if error.args else ''}"
    if isinstance(error, InternalError) or not isinstance(error, LazyJITError | OSError):
        return f"this is a bug in lazyjit: {type(error).__name__}: {_one_line(error)}"
    return _one_line(error)


def report(error: BaseException) -> int:
    """Print an error as one line; the exit code for it."""
    if os.environ.get("LAZYJIT_TRACEBACK"):
        import traceback  # two milliseconds

        traceback.print_exception(type(error), error, error.__traceback__)
    process.flush_stdio()  # what the program printed before belongs before
    sys.stderr.write(f"lazyjit: error: {_message(error)}\n")
    return USAGE if isinstance(error, CommandLineError) else FAILURE


def _run(words: list[str]) -> int:
    from lazyjit.cli import parser, program

    request = parser.parse(words)
    if request.action == "version":
        sys.stdout.write(version())
        return 0
    if request.action != "run":
        from lazyjit.cli import reference

        sys.stdout.write(reference.run_help(hidden=request.action == "help-hidden"))
        return 0
    if not request.file_given and sys.stdin.isatty():
        raise CommandLineError("no FILE, and stdin is a terminal; see lazyjit run --help")
    return program.run(request)


def _link(words: list[str]) -> int:
    from lazyjit.cli import link_parser

    request = link_parser.parse(words)
    if request.action == "version":
        sys.stdout.write(version())
        return 0
    if request.action != "run":
        from lazyjit.cli import reference

        sys.stdout.write(reference.link_help(hidden=request.action == "help-hidden"))
        return 0
    from lazyjit.cli import link

    return link.run(request)


def dispatch(words: list[str]) -> int:
    """Run the command line `words` (without the command's own name); its exit code.

    Main thread. Raises nothing.
    """
    try:
        command, *rest = words or ["--help"]
        if command == "run":
            return _run(rest)
        if command == "link":
            return _link(rest)
        if command in ("--help", "-help", "-h", "help"):
            from lazyjit.cli.reference import COMMANDS

            sys.stdout.write(COMMANDS)
            return 0 if words else USAGE
        if command in ("--version", "-version", "-V"):
            sys.stdout.write(version())
            return 0
        raise CommandLineError(f"no command {command!r}; see lazyjit --help")
    except Exception as error:
        return report(error)


def main() -> None:
    """The console script. Does not return."""
    process.default_signals()
    process.leave(dispatch(sys.argv[1:]))
