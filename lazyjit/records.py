"""Records: immutable values with named fields, whose classes cost nothing to define.

    class Point(Record):
        x: int
        y: int = 0

is what a frozen dataclass would be: fields by position or name, equality and hash by value, a
`repr`. But `dataclasses` writes the source of each class's methods and compiles it, a third of a
millisecond a class, and imports `inspect` to do so; lazyjit has two dozen such classes before the
first kernel runs, which was a tenth of the time that it took. Here all classes share their methods.

To type checkers and to the functions of `dataclasses` (`replace`, `asdict`, `fields`) a record *is*
a dataclass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_):
        """For type checkers only, so that nobody needs to install it."""
        return lambda cls: cls


__all__ = ["Record", "replace"]


class _DataclassFields:
    """What `dataclasses` knows its own by, made for the first that asks."""

    def __get__(self, record: object, cls: type[Record]) -> dict[str, Any]:
        import dataclasses  # the import that records are there to do without

        twin = dataclasses.make_dataclass(
            cls.__name__,
            [
                (name, cls.__annotations__[name], dataclasses.field(compare=name not in cls._apart))
                for name in cls._fields
            ],
        )
        found: dict[str, Any] = twin.__dict__["__dataclass_fields__"]
        for name, default in cls._defaults.items():
            found[name].default = default
        cls.__dataclass_fields__ = found  # type: ignore[assignment]
        return found


@dataclass_transform(frozen_default=True)
class Record:
    """A base for immutable values. Any thread.

    Fields are the class's own annotations; `__post_init__`, where there is one, is called at the
    end of construction. `apart` in the class's arguments names fields that equality does not see.
    Raises TypeError for arguments that don't fit, FrozenInstanceError when a field is set.
    """

    _fields: ClassVar[tuple[str, ...]] = ()
    _apart: ClassVar[tuple[str, ...]] = ()
    _defaults: ClassVar[dict[str, Any]] = {}
    __dataclass_fields__ = _DataclassFields()

    def __init_subclass__(cls, *, apart: tuple[str, ...] = ()) -> None:
        super().__init_subclass__()
        cls._fields = tuple(cls.__annotations__)
        type.__setattr__(cls, "__match_args__", cls._fields)
        cls._defaults = {name: vars(cls)[name] for name in cls._fields if name in vars(cls)}
        cls._apart = apart

    if not TYPE_CHECKING:

        def __init__(self, *values, **named):
            fields = self._fields
            given = dict(zip(fields, values, strict=False))
            unknown = [name for name in named if name in given or name not in fields]
            if unknown or len(values) > len(fields):
                wrong = f"{unknown[0]!r}" if unknown else f"{len(values)} values"
                raise TypeError(f"{type(self).__name__} takes {', '.join(fields)}; not {wrong}")
            given = {**self._defaults, **given, **named}
            if len(given) < len(fields):
                missing = ", ".join(name for name in fields if name not in given)
                raise TypeError(f"{type(self).__name__} lacks {missing}")
            self.__dict__.update(given)
            self.__post_init__()

    def __post_init__(self) -> None:
        """Nothing to check."""

    def _values(self) -> tuple[object, ...]:
        values = self.__dict__
        return tuple(values[name] for name in self._fields if name not in self._apart)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Record) or other.__class__ is not self.__class__:
            return NotImplemented
        return self is other or self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        pairs = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._fields)
        return f"{type(self).__qualname__}({pairs})"

    if not TYPE_CHECKING:  # who sees these would take every assignment for granted

        def __setattr__(self, name, value):
            from dataclasses import FrozenInstanceError  # on the way to an error only

            raise FrozenInstanceError(f"cannot assign to field {name!r}")

        def __delattr__(self, name):
            from dataclasses import FrozenInstanceError  # on the way to an error only

            raise FrozenInstanceError(f"cannot delete field {name!r}")

    def __replace__(self: Self, /, **changes: Any) -> Self:
        """For `copy.replace`."""
        return replace(self, **changes)


Self = TypeVar("Self", bound=Record)


def replace(record: Self, **changes: Any) -> Self:
    """The same with other values of some fields. Any thread. Raises TypeError for no such field."""
    return type(record)(**{**vars(record), **changes})
