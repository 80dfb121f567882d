"""Linker scripts, as far as they stand in for a library.

On many systems `libc.so` is no library but a text that says which libraries to link instead:

    /* GNU ld script */
    OUTPUT_FORMAT(elf64-x86-64)
    GROUP ( /lib/libc.so.6 /usr/lib/libc_nonshared.a  AS_NEEDED ( /lib64/ld-linux.so.2 ) )

`LinkerScript` reads such a text: the commands that name files (INPUT, GROUP, and AS_NEEDED inside
of them), that say where to look (SEARCH_DIR) and what for (OUTPUT_FORMAT, TARGET, OUTPUT_ARCH). A
script that lays sections out is for a linker that writes files; here it is an error.

`library_files` follows scripts to the libraries that they lead to. A name in a script is found as
ld finds it: an absolute path as it is, another one in the current directory, then where libraries
are searched for, and at last beside the script; `-lNAME` as on the command line. Circles among
scripts are errors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import NamedTuple

from lazyjit.errors import LibraryNotFound, LinkerScriptError

__all__ = ["LinkerScript", "ScriptEntry", "is_linker_script", "library_files"]

#: Finds what `-lNAME` means, in these directories first. Raises LibraryNotFound.
FindLibrary = Callable[[str, Sequence[str]], Path]

#: Comments; a quoted name; a punctuation mark; a bare name, which may hold almost anything.
_TOKEN = re.compile(
    r"(?P<space>\s+|/\*.*?\*/)"
    r'|"(?P<quoted>[^"\n]*)"'
    r"|(?P<mark>[(),;])"
    r"|(?P<name>(?:[^\s(),;\"/]|/(?!\*))+)",
    re.DOTALL,
)
_COMMAND = re.compile(r"[A-Z][A-Z_]*\Z")
_START = re.compile(rb"(?:\s+|/\*.*?\*/|;)*([A-Z_]+)\s*\(", re.DOTALL)
_COMMANDS = (
    b"INPUT GROUP AS_NEEDED OUTPUT_FORMAT OUTPUT_ARCH TARGET SEARCH_DIR OUTPUT ENTRY "
    b"SECTIONS PHDRS VERSION MEMORY EXTERN PROVIDE ASSERT"
).split()

#: A script is a screenful of text; a library that is not one may have gigabytes.
_LONGEST = 1 << 20


def is_linker_script(data: bytes) -> bool:
    """Whether these bytes begin as a linker script does: comments, then a command."""
    match = _START.match(data[:_LONGEST])
    return match is not None and match[1] in _COMMANDS


class ScriptEntry(NamedTuple):
    """A file that a script names. `name` may be of the form `-lNAME`."""

    name: str
    #: It is linked only if something needs it.
    as_needed: bool


class _Token(NamedTuple):
    text: str
    line: int
    mark: bool


class LinkerScript:
    """What a linker script names. Immutable; any thread."""

    def __init__(self, data: bytes, *, file: str | None = None) -> None:
        """Read the script; `file` is its name in errors. Raises LinkerScriptError."""
        self.file = file
        #: In the order in which they are to be linked.
        self.entries: list[ScriptEntry] = []
        #: Directories of SEARCH_DIR.
        self.search_dirs: list[str] = []
        #: What OUTPUT_FORMAT or TARGET says; None if neither is there.
        self.output_format: str | None = None
        if len(data) > _LONGEST:
            raise LinkerScriptError("a linker script of more than a megabyte", file=file)
        self._tokens = list(self._split(data.decode("utf-8", "surrogateescape")))
        self._at = 0
        while self._at < len(self._tokens):
            self._command()
        del self._tokens

    # -- reading -------------------------------------------------------------------------------

    def _fail(self, reason: str, token: _Token | None = None) -> LinkerScriptError:
        return LinkerScriptError(reason, file=self.file, line=token.line if token else None)

    def _split(self, text: str) -> Iterator[_Token]:
        at, line = 0, 1
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                what = "a comment" if text.startswith("/*", at) else "a quoted name"
                raise LinkerScriptError(f"{what} has no end", file=self.file, line=line)
            if match["space"] is None:
                name = match["quoted"] if match["quoted"] is not None else match["name"]
                yield _Token(match["mark"] or name, line, match["mark"] is not None)
            line += match[0].count("\n")
            at = match.end()

    def _next(self, after: _Token) -> _Token:
        if self._at == len(self._tokens):
            raise self._fail(f"the script ends within {after.text}", after)
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _command(self) -> None:
        token = self._tokens[self._at]
        self._at += 1
        if token.mark:
            if token.text == ";":
                return
            raise self._fail(f"{token.text!r} where a command should be", token)
        if token.text in ("INPUT", "GROUP"):
            self._files(token, as_needed=False)
        elif token.text in ("OUTPUT_FORMAT", "TARGET"):
            # OUTPUT_FORMAT(default, big endian, little endian)
            names = self._names(token, most=3 if token.text == "OUTPUT_FORMAT" else 1)
            self.output_format = names[0]
        elif token.text == "OUTPUT_ARCH":
            self._names(token, most=1)
        elif token.text == "SEARCH_DIR":
            self.search_dirs += self._names(token, most=1)
        elif _COMMAND.match(token.text):
            raise self._fail(f"{token.text} has no meaning here: nothing is laid out", token)
        else:
            raise self._fail(f"{token.text!r} is no command of a linker script", token)

    def _open(self, command: _Token) -> None:
        token = self._next(command)
        if token.text != "(" or not token.mark:
            raise self._fail(f"{command.text} without (", token)

    def _names(self, command: _Token, *, most: int) -> list[str]:
        self._open(command)
        names: list[str] = []
        while (token := self._next(command)).text != ")" or not token.mark:
            if token.mark and token.text != ",":
                raise self._fail(f"{token.text!r} within {command.text}", token)
            if not token.mark:
                names.append(token.text)
        if not 0 < len(names) <= most:
            raise self._fail(f"{command.text} of {len(names)} names", command)
        return names

    def _files(self, command: _Token, *, as_needed: bool) -> None:
        self._open(command)
        while (token := self._next(command)).text != ")" or not token.mark:
            if token.mark:
                if token.text != ",":
                    raise self._fail(f"{token.text!r} within {command.text}", token)
            elif token.text == "AS_NEEDED":
                if as_needed:
                    raise self._fail("AS_NEEDED within AS_NEEDED", token)
                self._files(token, as_needed=True)
            elif token.text in ("", "-l"):
                raise self._fail(f"an empty name within {command.text}", token)
            else:
                self.entries.append(ScriptEntry(token.text, as_needed))


# -- following ---------------------------------------------------------------------------------

_FORMATS = ("elf64-x86-64",)


def _script_of(path: Path) -> LinkerScript | None:
    """The script in a file; None for a library, and for what isn't there."""
    try:
        with path.open("rb") as file:
            data = file.read(4)
            if data[:4] == b"\x7fELF" or data[:3] == b"!<a" or data[:3] == b"!<t":
                return None
            data += file.read(_LONGEST)
    except OSError:
        return None
    return LinkerScript(data, file=str(path)) if is_linker_script(data) else None


def _no_search(name: str, directories: Sequence[str]) -> Path:
    for directory in directories:
        for file in (f"lib{name}.so", f"lib{name}.a"):
            if (Path(directory) / file).exists():
                return Path(directory) / file
    raise LibraryNotFound(f"-l{name}: no library of this name")


def _place(script: Path, name: str, directories: Sequence[str], find: FindLibrary) -> Path:
    if name.startswith("-l"):
        return find(name[2:], [*directories, str(script.parent)])
    path = Path(name.removeprefix("="))  # "=": below the system's root, which is / here
    if path.is_absolute() or path.exists():
        return path
    for directory in (*directories, str(script.parent)):
        if (Path(directory) / path).exists():
            return Path(directory) / path
    raise LibraryNotFound(f"{script}: {name}: no such file in the directories of libraries")


def library_files(
    path: str | PathLike[str],
    directories: Sequence[str] = (),
    *,
    find: FindLibrary = _no_search,
) -> list[Path]:
    """The libraries that `path` leads to: itself, or what the linker script in it names, in order.

    `directories` are searched for names without one, `find` is what `-l` inside a script means.
    Files need not exist unless a script names them. Any thread. Raises LinkerScriptError,
    LibraryNotFound.
    """
    found: list[Path] = []

    def follow(path: Path, directories: Sequence[str], above: tuple[Path, ...]) -> None:
        script = _script_of(path)
        if script is None:
            if above and not path.exists():
                raise LibraryNotFound(f"{above[-1]}: {path}: no such file")
            found.append(path)
            return
        real = path.resolve()
        if real in above:
            raise LinkerScriptError("the linker script leads back to itself", file=str(path))
        if script.output_format not in (None, *_FORMATS):
            raise LinkerScriptError(f"it is for {script.output_format}", file=str(path))
        directories = [*directories, *script.search_dirs]
        for entry in script.entries:
            follow(_place(path, entry.name, directories, find), directories, (*above, real))

    follow(Path(fspath(path)), directories, ())
    return found
