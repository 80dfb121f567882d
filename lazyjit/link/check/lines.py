"""Finding the checks in a file.

A check is a line that, blanks aside, starts with `# NAME:`; a backslash at its end continues it in
the next line, which starts the same way. Everything else in the file is somebody else's: usually
assembly, in which the checks are comments.

    # jitlink-check: decode_operand(f, 0) = \\
    # jitlink-check:   g - next_pc(f)

As in LLVM, blanks before the prefix don't count, and blank lines don't break a continuation, but
any other line does. A check that is cut off, by such a line or by the end of the file, is found,
and fails: LLVM makes what it has of the former and nothing of the latter, and a check that silently
isn't made is worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["CheckLine", "find_checks"]

#: Where C's isspace has one; `str.splitlines` knows more ends than an assembler does.
_BLANKS = " \t\v\f"


class CheckLine(NamedTuple):
    """A check: the line that it starts in, from 1, its text, and whether its end is missing."""

    line: int
    text: str
    unfinished: bool = False


def find_checks(text: str, name: str = "jitlink-check") -> Iterator[CheckLine]:
    """Every check of this name, in order. Any thread; raises nothing."""
    prefix = f"# {name}:"
    start, expression = 0, None
    for number, line in enumerate(re.split("\r\n|\r|\n", text.partition("\0")[0]), 1):
        line = line.lstrip(_BLANKS)
        if not line:
            continue
        if not line.startswith(prefix):
            if expression is not None:
                yield CheckLine(start, expression.strip(), unfinished=True)
                expression = None
            continue
        piece = line[len(prefix) :]
        if expression is None:
            start, expression = number, ""
        if piece.endswith("\\"):
            expression += piece[:-1]
            continue
        yield CheckLine(start, (expression + piece).strip())
        expression = None
    if expression is not None:
        yield CheckLine(start, expression.strip(), unfinished=True)
