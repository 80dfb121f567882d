"""An extension of griffe, which reads sources for the API pages: comments that document attributes.

    #: Modules added, and the functions that they define.
    modules: int
    functions_known: int

is what the sources have instead of a string below. The comment is about the assignment under it,
and about those that follow without a blank line or a comment between.
"""

import re
from typing import Any

import griffe

#: An assignment or a declaration on one line.
MEMBER = re.compile(r"\s*(self\.)?\w+\s*[:=]")


class Comments(griffe.Extension):
    """Makes docstrings of comments that begin with `#:`."""

    def on_attribute_instance(self, *, attr: griffe.Attribute, **_: Any) -> None:
        """Griffe has found an attribute."""
        if attr.docstring is not None or not attr.lineno:
            return
        try:
            lines = attr.lines_collection[attr.filepath]
        except (KeyError, griffe.BuiltinModuleError):
            return
        above = attr.lineno - 2
        while above >= 0 and MEMBER.match(lines[above]):
            above -= 1
        words: list[str] = []
        while above >= 0 and (line := lines[above].strip()).startswith("#:"):
            words.insert(0, line[2:].strip())
            above -= 1
        if words:
            attr.docstring = griffe.Docstring("\n".join(words), parent=attr)
