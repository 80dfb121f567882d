"""Records are values as frozen dataclasses are, to Python and to `dataclasses`."""

from __future__ import annotations

import copy
import dataclasses
import pickle

import pytest

from lazyjit.records import Record, replace


class Point(Record):
    x: int
    y: int = 0


class Tagged(Record, apart=("tag",)):
    value: int
    tag: str = ""


class Even(Record):
    number: int

    def __post_init__(self) -> None:
        if self.number % 2:
            raise ValueError(self.number)


def test_fields_come_by_position_or_name():
    assert Point(1, 2) == Point(1, y=2) == Point(y=2, x=1)
    assert Point(1).y == 0
    assert repr(Point(1)) == "Point(x=1, y=0)"


@pytest.mark.parametrize(
    ("values", "named"), [((), {}), ((1, 2, 3), {}), ((1,), {"x": 1}), ((1,), {"z": 1})]
)
def test_arguments_that_do_not_fit_are_type_errors(values, named):
    with pytest.raises(TypeError, match="Point"):
        Point(*values, **named)


def test_equality_and_hash_go_by_class_and_value():
    assert {Point(1), Point(1, 0), Point(2)} == {Point(1), Point(2)}
    assert Point(2) != Even(2)
    assert Point(1) != (1, 0)
    assert Tagged(1, "a") == Tagged(1, "b") and hash(Tagged(1, "a")) == hash(Tagged(1, "b"))
    assert Tagged(1) != Tagged(2)


def test_a_record_does_not_change():
    point = Point(1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        point.x = 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        del point.x
    assert point.x == 1


def test_replacing_makes_another_and_checks_it():
    assert replace(Point(1, 2), y=3) == Point(1, 3)
    with pytest.raises(ValueError, match="3"):
        replace(Even(2), number=3)
    with pytest.raises(TypeError):
        replace(Point(1), z=1)


def test_dataclasses_know_a_record():
    assert dataclasses.is_dataclass(Point) and dataclasses.is_dataclass(Point(1))
    assert [(each.name, each.default) for each in dataclasses.fields(Point)] == [
        ("x", dataclasses.MISSING),
        ("y", 0),
    ]
    assert dataclasses.asdict(Point(1, 2)) == {"x": 1, "y": 2}
    assert dataclasses.replace(Point(1, 2), x=5) == Point(5, 2)
    assert [each.compare for each in dataclasses.fields(Tagged)] == [True, False]


def test_a_record_can_be_copied_pickled_and_matched():
    assert copy.copy(Point(1)) == copy.deepcopy(Point(1)) == Point(1)
    assert pickle.loads(pickle.dumps(Point(1, 2))) == Point(1, 2)
    match Point(3, 4):
        case Point(x, y):
            assert (x, y) == (3, 4)
