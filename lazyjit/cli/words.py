"""One word of a command line, in LLVM's spelling, against a table of options.

What the commands share: finding an option's row under any of its spellings, taking its value from
the same word, suggesting what a misspelled one was meant to be, and storing the value where the row
says. In which order words come, and what a word is that is no option, each command's own parser
knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from lazyjit.cli.options import (
    Arity,
    CommandLineError,
    Fate,
    Option,
    parse_bool,
    parse_choice,
)

__all__ = ["Vocabulary", "expand", "take", "value_of"]


class Vocabulary:
    """The options of one command. Immutable; any thread."""

    def __init__(
        self,
        command: str,
        options: Iterable[Option],
        *,
        others: Callable[[str], Option | None] | None = None,
        other_names: Callable[[], Iterable[str]] | None = None,
    ) -> None:
        """Of `lazyjit command`. `others` finds rows that are made when they are needed, whose names
        are `other_names()`.
        """
        self.command = command
        self.by_name = {name: option for option in options for name in option.names}
        self._others = others
        self._other_names = other_names
        joined = [name for name, row in self.by_name.items() if row.arity is Arity.JOINED]
        #: Names that a value may be glued to; the longest first, for one may begin another.
        self._joined = sorted(joined, key=len, reverse=True)

    def find(self, name: str) -> Option | None:
        """The row that a spelling (without dashes) belongs to."""
        row = self.by_name.get(name)
        return self._others(name) if row is None and self._others is not None else row

    def split(self, word: str) -> tuple[str, Option, str | None]:
        """An option's spelling, row and attached value, from one word. Raises CommandLineError."""
        body = word[2:] if word.startswith("--") else word[1:]
        name, equals, value = body.partition("=")
        option = self.by_name.get(name)
        # -O2: looked at before `others`, which may have to read a long list.
        glued = None if option is not None else self._glued(word, body, digits=True)
        if option is None and glued is None:
            option = self.find(name)
        if option is not None:
            return word.partition("=")[0], option, value if equals else None
        # -lm, but not every misspelling that begins with one of these letters.
        glued = glued or self._glued(word, body, digits=False)
        if glued is not None:
            return glued
        raise CommandLineError(f"unknown option {word!r}{self._suggestion(name)}")

    def _glued(self, word: str, body: str, *, digits: bool) -> tuple[str, Option, str] | None:
        """An option with its value glued on: a number, or what follows -l and -L."""
        for joined in self._joined:
            value = body.removeprefix(joined)
            if value != body and (value.isdigit() if digits else joined[-1] in "lL"):
                return word[: len(word) - len(value)], self.by_name[joined], value
        return None

    def _suggestion(self, name: str) -> str:
        known = [*self.by_name, *(self._other_names() if self._other_names is not None else ())]
        import difflib  # for misspellings only

        close = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
        return f"; did you mean --{close[0]}?" if close else f"; see lazyjit {self.command} --help"


def value_of(spelling: str, option: Option, attached: str | None, rest: list[str]) -> str:
    """The option's value: attached to it, or the next of `rest`, which is taken off."""
    if attached is not None:
        return attached
    if option.arity not in (Arity.VALUE, Arity.JOINED):
        return ""
    if not rest:
        raise CommandLineError(f"{spelling} needs a value")
    return rest.pop(0)


def take(request: Any, spelling: str, option: Option, value: str) -> str:
    """Store an option's value; as it was stored. Raises CommandLineError for what is refused."""
    if option.arity is Arity.FLAG and option.fate is not Fate.LLVM:
        value = "true" if parse_bool(spelling, value) else "false"
    if value in option.refused:
        raise CommandLineError(f"{spelling}={value}: {option.refused[value]}")
    if option.values:
        parse_choice(spelling, value, option.values)
    if option.fate is Fate.REFUSE:
        raise CommandLineError(f"{spelling}: {option.text}")
    if option.apply is not None:
        option.apply(request, value)
    return value


#: How many response files a command line may name, those in response files included.
MOST_RESPONSE_FILES = 1000


def expand(word: str, before: int = 0) -> list[str] | None:
    """The words of a response file (`@F`), or None when `word` does not name one.

    `before` is how many the command line has named before. Raises CommandLineError when they go in
    circles.
    """
    if not word.startswith("@") or len(word) == 1:
        return None
    import shlex  # for response files only
    from pathlib import Path

    try:
        words = shlex.split(Path(word[1:]).read_text(errors="surrogateescape"))
    except (OSError, ValueError):
        return None
    if before >= MOST_RESPONSE_FILES:
        raise CommandLineError(f"{word}: more than {MOST_RESPONSE_FILES} response files")
    return words
