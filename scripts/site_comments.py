"""An extension of griffe, which reads sources for the API pages: comments that document attributes.

    #: Modules added.
    modules: int

is what the sources have instead of a string below. And what an attribute is set to by a constructor
is nobody's business: its value is not shown.
"""

from typing import Any

import griffe


class Comments(griffe.Extension):
    """Makes docstrings of comments that begin with `#:`."""

    def on_attribute_instance(self, *, attr: griffe.Attribute, **_: Any) -> None:
        """Griffe has found an attribute."""
        if "class-attribute" not in attr.labels and isinstance(attr.parent, griffe.Class):
            attr.value = None
        if attr.docstring is not None or not attr.lineno:
            return
        try:
            lines = attr.lines_collection[attr.filepath]
        except (KeyError, griffe.BuiltinModuleError):
            return
        above = attr.lineno - 2
        words: list[str] = []
        while above >= 0 and (line := lines[above].strip()).startswith("#:"):
            words.insert(0, line[2:].strip())
            above -= 1
        if words:
            attr.docstring = griffe.Docstring("\n".join(words), parent=attr)
