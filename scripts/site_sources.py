"""An extension of griffe, which reads sources for the API pages: what the sources say in their way.

    #: Modules added.
    modules: int

is what the sources have instead of a string below. And what an attribute is set to by a constructor
is nobody's business: its value is not shown. A class of records (`lazyjit.records`) has fields, of
which its constructor's signature is made.
"""

from typing import Any

import griffe


class Sources(griffe.Extension):
    """Makes docstrings of comments that begin with `#:`, and constructors of records."""

    def on_class_members(self, *, cls: griffe.Class, **_: Any) -> None:
        """Griffe has found a class, with what is in it."""
        if "Record" not in map(str, cls.bases) or "__init__" in cls.members:
            return
        fields = [
            griffe.Parameter(
                name,
                kind=griffe.ParameterKind.positional_or_keyword,
                annotation=field.annotation,
                default=field.value,
            )
            for name, field in cls.attributes.items()
            if field.annotation is not None and "property" not in field.labels
        ]
        itself = griffe.Parameter("self", kind=griffe.ParameterKind.positional_or_keyword)
        constructor = griffe.Function("__init__", parameters=griffe.Parameters(itself, *fields))
        cls.set_member("__init__", constructor)

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
