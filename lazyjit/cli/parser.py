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

from lazyjit.cli import codegen_flags, llvm_flags, table
from lazyjit.cli.options import CommandLineError, Request
from lazyjit.cli.words import Vocabulary, expand, take, value_of

__all__ = ["find", "parse"]

VOCABULARY = Vocabulary(
    "run",
    (*table.OPTIONS, *codegen_flags.OPTIONS),
    others=llvm_flags.find,
    other_names=llvm_flags.names,
)

#: The row that a spelling (without dashes) belongs to, or None. Any thread.
find = VOCABULARY.find


def parse(words: list[str]) -> Request:
    """What `words`, the command line behind `lazyjit run`, asks for. Raises CommandLineError."""
    request = Request()
    rest = list(words)
    only_files = False
    expansions = 0
    while rest:
        word = rest.pop(0)
        expanded = None if only_files else expand(word, expansions)
        if expanded is not None:
            rest[:0] = expanded
            expansions += 1
            continue
        if word == "--" and not only_files:
            only_files = True
            continue
        if only_files or not word.startswith("-") or word == "-":
            request.file, request.arguments, request.file_given = word, rest, True
            break
        spelling, option, value = VOCABULARY.split(word)
        taken = take(request, spelling, option, value_of(spelling, option, value, rest))
        if option.mcjit and taken != "false":
            request.mcjit_conflicts.append((spelling, option.mcjit))
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
