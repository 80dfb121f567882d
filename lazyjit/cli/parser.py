"""Reads a command line of `lazyjit run` as LLVM's own command-line library would.

The rules, found by trying them on lli:

- options come before FILE; the first word that is none is FILE, and everything behind it, dashes
  or not, belongs to the program. `--` says that the next word is FILE. A lone `-` is a file: stdin.
- one dash or two make no difference. A value follows after `=`, or is the next word where the
  option can't do without one, whatever that word looks like.
- a flag takes `=true`, `=false`, `=1`, `=0` in a few spellings, and never the next word.
- of an option given twice the last counts, but for those that collect.
- `@F` stands for the words in the file F, if there is one.
"""

from __future__ import annotations

import difflib
import shlex
from pathlib import Path

from lazyjit.cli import codegen_flags, llvm_flags, table
from lazyjit.cli.options import (
    Arity,
    CommandLineError,
    Fate,
    Option,
    Request,
    parse_bool,
    parse_choice,
)

__all__ = ["find", "parse"]

BY_NAME: dict[str, Option] = {
    name: option for option in (*table.OPTIONS, *codegen_flags.OPTIONS) for name in option.names
}
JOINED = sorted(
    (name for name, option in BY_NAME.items() if option.arity is Arity.JOINED and len(name) == 1),
)


def find(name: str) -> Option | None:
    """The row that a spelling (without dashes) belongs to. Any thread."""
    return BY_NAME.get(name) or llvm_flags.find(name)


def _split(word: str) -> tuple[str, Option, str | None]:
    """An option's spelling, row and attached value, from one word."""
    body = word[2:] if word.startswith("--") else word[1:]
    name, equals, value = body.partition("=")
    option = find(name)
    if option is not None:
        return word.partition("=")[0], option, value if equals else None
    # -O2 and -lm, but not every misspelling that begins with one of these letters.
    if body[:1] in JOINED and (body[0] in "lL" or body[1:].isdigit()):
        return word[: len(word) - len(body) + 1], BY_NAME[body[0]], body[1:]
    raise CommandLineError(f"unknown option {word!r}{_suggestion(name)}")


def _suggestion(name: str) -> str:
    known = [*BY_NAME, *llvm_flags.names()]
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
    return f"; did you mean --{close[0]}?" if close else "; see lazyjit run --help"


def _take(request: Request, spelling: str, option: Option, value: str) -> None:
    if option.arity is Arity.FLAG and option.fate is not Fate.LLVM:
        value = "true" if parse_bool(spelling, value) else "false"
    if value in option.refused:
        raise CommandLineError(f"{spelling}={value}: {option.refused[value]}")
    if option.values:
        parse_choice(spelling, value, option.values)
    if option.fate is Fate.REFUSE:
        raise CommandLineError(f"{spelling}: {option.text}")
    if option.mcjit and value != "false":
        request.mcjit_conflicts.append((spelling, option.mcjit))
    if option.apply is not None:
        option.apply(request, value)


def _expand(word: str) -> list[str] | None:
    """The words of a response file, or None when `word` does not name one."""
    if not word.startswith("@") or len(word) == 1:
        return None
    try:
        return shlex.split(Path(word[1:]).read_text(errors="surrogateescape"))
    except (OSError, ValueError):
        return None


def parse(words: list[str]) -> Request:
    """What `words`, the command line behind `lazyjit run`, asks for. Raises CommandLineError."""
    request = Request()
    rest = list(words)
    only_files = False
    while rest:
        word = rest.pop(0)
        expanded = None if only_files else _expand(word)
        if expanded is not None:
            rest[:0] = expanded
            continue
        if word == "--" and not only_files:
            only_files = True
            continue
        if only_files or not word.startswith("-") or word == "-":
            request.file, request.arguments, request.file_given = word, rest, True
            break
        spelling, option, value = _split(word)
        if value is None:
            if option.arity in (Arity.VALUE, Arity.JOINED):
                if not rest:
                    raise CommandLineError(f"{spelling} needs a value")
                value = rest.pop(0)
            else:
                value = ""
        _take(request, spelling, option, value)
        if request.action != "run":
            break
    _check(request)
    return request


def _check(request: Request) -> None:
    """What only the whole command line shows."""
    if not request.entry:
        raise CommandLineError("--entry needs a name")
    if request.jit_kind != "mcjit":
        return
    # lli refuses the first three itself.
    for given, spelling in (
        (request.thread_entries, "--thread-entry"),
        (request.unit_policy == "module", "--per-module-lazy"),
    ):
        if given:
            raise CommandLineError(f"{spelling} can't be had with --jit-kind=mcjit")
    for spelling, reason in request.mcjit_conflicts:
        raise CommandLineError(f"{spelling} with --jit-kind=mcjit: {reason}")
