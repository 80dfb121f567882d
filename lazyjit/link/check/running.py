"""A file of checks, made one after the other.

All are made, whatever fails: the report has each failure with its line, its expression, and the
values of both sides.
"""

from __future__ import annotations

from dataclasses import dataclass

from lazyjit.errors import CheckError
from lazyjit.link.check.context import CheckContext
from lazyjit.link.check.expressions import Malformed, evaluate
from lazyjit.link.check.lines import find_checks

__all__ = ["CheckReport", "check", "run_checks"]


@dataclass(frozen=True)
class CheckReport:
    """How many checks were made, and what failed, in the file's order."""

    checked: int
    failures: tuple[CheckError, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether there were checks, and all held: a file without any passes nothing."""
        return bool(self.checked) and not self.failures

    def raise_failure(self) -> None:
        """Raise the first failure, if there is one."""
        if self.failures:
            raise self.failures[0]


def check(
    expression: str, context: CheckContext, *, file: str | None = None, line: int | None = None
) -> None:
    """Make one check. Raises `CheckError` when it is false or can't be made, and
    `LibraryNotFound` when it looks at an instruction and there is no disassembler.

    From any thread, if the context is.
    """
    try:
        found = evaluate(expression, context)
    except Malformed as error:
        reason = f"error evaluating '{expression}': {error}"
        raise CheckError(reason, expression=expression, file=file, line=line) from error
    if not found.holds:
        relation = "!=" if found.relation == "=" else f"is not {found.relation}"
        raise CheckError(
            f"'{expression}' is false: {found.left:#x} {relation} {found.right:#x}",
            expression=expression,
            file=file,
            line=line,
            left=found.left,
            right=found.right,
        )


def run_checks(
    text: str, context: CheckContext, name: str = "jitlink-check", *, file: str | None = None
) -> CheckReport:
    """Make every check in `text` (`name` is what marks them; `file` is for messages).

    From any thread, if the context is. Raises `LibraryNotFound` when an instruction is to be looked
    at and there is no disassembler; what is wrong with the checks is in the report.
    """
    made, failures = 0, []
    for found in find_checks(text, name):
        made += 1
        try:
            if found.unfinished:
                raise CheckError(
                    f"'{found.text}' ends in a backslash that nothing continues",
                    expression=found.text,
                    file=file,
                    line=found.line,
                )
            check(found.text, context, file=file, line=found.line)
        except CheckError as error:
            failures.append(error)
    return CheckReport(made, tuple(failures))
