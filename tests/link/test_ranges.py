"""Address ranges: pieces never overlap, and what is given back is whole again."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazyjit.errors import ArenaFull, UsageError
from lazyjit.link.ranges import Ranges

STEPS = st.lists(
    st.tuples(st.booleans(), st.integers(1, 300), st.sampled_from([1, 2, 16, 64, 256])),
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_pieces_are_apart_and_everything_comes_back(steps):
    ranges = Ranges(1000, 2000)
    held: dict[int, int] = {}
    for take, size, align in steps:
        if take or not held:
            try:
                at = ranges.take(size, align)
            except ArenaFull:
                continue
            assert at % align == 0
            assert at >= 1000
            assert at + size <= 3000
            assert all(at + size <= other or other + held[other] <= at for other in held)
            held[at] = size
        else:
            at = sorted(held)[size % len(held)]
            del held[at]
            ranges.give(at)
        assert ranges.used == sum(held.values())
    for at in held:
        ranges.give(at)
    assert (ranges.used, ranges.pieces) == (0, 1)
    assert ranges.take(2000, 1) == 1000


def test_only_what_was_taken_is_given_back():
    ranges = Ranges(0, 100)
    at = ranges.take(10, 1)
    for wrong in (at + 1, -1, 100):
        with pytest.raises(UsageError):
            ranges.give(wrong)
    ranges.give(at)
    with pytest.raises(UsageError):
        ranges.give(at)


def test_a_child_of_fork_takes_and_gives_on():
    ranges = Ranges(0, 100)
    at = ranges.take(10, 1)
    child = os.fork()
    if not child:
        ranges.give(at)
        os._exit(0 if ranges.take(100, 1) == 0 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert ranges.used == 10
