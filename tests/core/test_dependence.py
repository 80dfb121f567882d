"""Dependences: ready means that all one reaches is emitted; failure reaches whoever reaches it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pytest

from lazyjit.core import ExecutionSession, JITDylib, MaterializationUnit, SymbolState
from lazyjit.core.responsibility import MaterializationResponsibility
from lazyjit.errors import FailedToMaterialize, SymbolRemoved
from lazyjit.symbols import SymbolFlags

from .making import EXPORTED, Answer, Kept, at

READY = SymbolState.READY
Graph = list[list[int]]


def keep_all(
    session: ExecutionSession, dylib: JITDylib, names: list[str]
) -> tuple[dict[str, Kept], dict[str, Answer]]:
    """Units of one symbol each, started and resolved."""
    units = {name: Kept(name) for name in names}
    answers = {name: Answer() for name in names}
    for name, unit in units.items():
        dylib.define(unit)
        session.lookup_async(dylib, [name], READY, answers[name])
        unit.resolve()
    return units, answers


def ready(answers: dict[str, Answer]) -> set[str]:
    return {name for name, answer in answers.items() if answer.symbols}


def test_a_unit_waits_for_what_it_reaches(session: ExecutionSession, main: JITDylib) -> None:
    units, answers = keep_all(session, main, ["a", "b", "c"])
    units["a"].emit("b")
    units["b"].emit("c")
    assert ready(answers) == set()
    units["c"].emit()
    assert ready(answers) == {"a", "b", "c"}


def test_a_circle_becomes_ready_together(session: ExecutionSession, main: JITDylib) -> None:
    units, answers = keep_all(session, main, ["a", "b", "c", "out"])
    units["a"].emit("b")
    units["b"].emit("c", "out")
    units["c"].emit("a")
    session.verify_session()
    assert ready(answers) == set()
    units["out"].emit()
    assert ready(answers) == {"a", "b", "c", "out"}


def test_a_unit_may_depend_on_itself(session: ExecutionSession, main: JITDylib) -> None:
    units, answers = keep_all(session, main, ["a"])
    units["a"].emit("a")
    assert ready(answers) == {"a"}


def test_dependences_cross_dylibs(session: ExecutionSession, main: JITDylib) -> None:
    other = session.create_dylib("other")
    here, at_here = keep_all(session, main, ["f"])
    there, at_there = keep_all(session, other, ["f"])
    here["f"].emit("f", dylib=other)
    there["f"].emit("f", dylib=main)
    assert ready(at_here) == ready(at_there) == {"f"}


def test_a_failure_fails_whoever_reaches_it_now_and_later(
    session: ExecutionSession, main: JITDylib
) -> None:
    other = session.create_dylib("other")
    units, answers = keep_all(session, main, ["a", "b", "bad", "fine", "late", "later"])
    far, at_far = keep_all(session, other, ["far"])
    units["a"].emit("b")
    units["b"].emit("a", "bad")
    far["far"].emit("a", dylib=main)
    problem = ValueError("bad")
    units["bad"].responsibility.fail_materialization(problem)
    for name in ("a", "b", "bad"):
        error = answers[name].error
        assert isinstance(error, FailedToMaterialize) and error.__cause__ is problem
        assert error.symbols == {"main": [name]}
    error = at_far["far"].error
    assert isinstance(error, FailedToMaterialize) and error.__cause__ is problem
    assert not answers["late"].told
    # Those that are not emitted yet learn of it when they are.
    for name, need in (("late", "a"), ("later", "late")):
        with pytest.raises(FailedToMaterialize) as caught:
            units[name].emit(need)
        assert caught.value.symbols == {"main": [need]}
        assert caught.value.__cause__ is problem
        assert answers[name].error is not None
    units["fine"].emit()
    assert ready(answers) == {"fine"}
    with pytest.raises(FailedToMaterialize):
        session.lookup(main, ["fine", "a"])


def test_removal_fails_whoever_depends_on_it(session: ExecutionSession, main: JITDylib) -> None:
    tracker = main.create_tracker()
    removed = Kept("removed")
    main.define(removed, tracker)
    session.lookup_async(main, ["removed"], READY, Answer())
    removed.resolve()
    units, answers = keep_all(session, main, ["a", "b", "never"])
    removed.emit("never")
    units["a"].emit("removed")
    tracker.remove()
    error = answers["a"].error
    assert isinstance(error, FailedToMaterialize)
    assert isinstance(error.__cause__, SymbolRemoved)
    with pytest.raises(SymbolRemoved):
        units["b"].emit("removed")
    units["never"].emit()
    assert ready(answers) == {"never"}


def test_a_queried_name_in_another_group_of_the_same_unit_is_found(
    session: ExecutionSession, main: JITDylib
) -> None:
    unit = Kept("f", "g", "h")
    main.define(unit)
    answer = Answer()
    session.lookup_async(main, ["f", "g", "h"], READY, answer)
    unit.resolve()
    unit.responsibility.notify_emitted(
        [(["f"], {main: ["g"]}), (["g"], {main: ["h"]}), (["h"], {main: ["f"]})]
    )
    assert answer.symbols


# --- Against reachability computed the plain way.


def reached(graph: Graph, start: int) -> set[int]:
    seen = {start}
    stack = [start]
    while stack:
        for target in graph[stack.pop()]:
            if target not in seen:
                seen.add(target)
                stack.append(target)
    return seen


@pytest.mark.parametrize("seed", range(150))
def test_random_graphs_are_released_exactly_when_all_is_emitted(seed: int) -> None:
    rng = random.Random(seed)
    count = rng.randrange(2, 14)
    density = rng.choice([0.5, 1, 1.5, 3])
    graph = [
        [rng.randrange(count) for _ in range(int(density * rng.random() * 2))] for _ in range(count)
    ]
    session = ExecutionSession()
    main = session.create_dylib("main")
    names = [f"u{i}" for i in range(count)]
    units, answers = keep_all(session, main, names)
    fail_at = rng.randrange(count) if rng.random() < 0.3 else -1
    emitted: set[int] = set()
    failed: set[int] = set()
    order = list(range(count))
    rng.shuffle(order)
    for step, index in enumerate(order):
        if step == fail_at:
            units[names[index]].responsibility.fail_materialization()
            failed.add(index)
        else:
            try:
                units[names[index]].emit(*(names[target] for target in graph[index]))
                emitted.add(index)
            except FailedToMaterialize:
                failed.add(index)
        session.verify_session()
        doomed = {i for i in emitted | failed if _reaches(graph, i, failed, emitted | failed)}
        expected = {i for i in emitted - doomed if reached(graph, i) <= emitted and i not in doomed}
        assert ready(answers) == {names[i] for i in expected}
        assert {name for name, answer in answers.items() if answer.error} == {
            names[i] for i in doomed
        }
    session.close()


def _reaches(graph: Graph, start: int, targets: set[int], within: set[int]) -> bool:
    """Whether emitted units lead from `start` to one of `targets`."""
    seen = {start}
    stack = [start]
    while stack:
        index = stack.pop()
        if index in targets:
            return True
        for target in graph[index] if index in within else ():
            if target not in seen:
                seen.add(target)
                stack.append(target)
    return False


# --- The large shapes. That they finish at all is the test: what is quadratic here takes hours.

COUNT = 100_000


def chain() -> Iterator[list[int]]:
    for i in range(COUNT):
        yield [i + 1] if i + 1 < COUNT else []


def reverse_chain() -> Iterator[list[int]]:
    for i in range(COUNT):
        yield [i - 1] if i else []


def star() -> Iterator[list[int]]:
    for i in range(COUNT):
        yield [COUNT - 1] if i + 1 < COUNT else []


def hub() -> Iterator[list[int]]:
    yield list(range(1, COUNT))
    for _ in range(1, COUNT):
        yield []


def ring() -> Iterator[list[int]]:
    for i in range(COUNT):
        yield [(i + 1) % COUNT]


def reverse_ring() -> Iterator[list[int]]:
    for i in range(COUNT):
        yield [(i - 1) % COUNT]


def shuffled_ring() -> Iterator[list[int]]:
    order = list(range(COUNT))
    random.Random(1).shuffle(order)
    follows = dict(zip(order, order[1:] + order[:1], strict=True))
    for i in range(COUNT):
        yield [follows[i]]


def random_graph() -> Iterator[list[int]]:
    rng = random.Random(1)
    for _ in range(COUNT):
        yield [rng.randrange(COUNT) for _ in range(2)]


def top_of_a_chain_replaced_again_and_again() -> Iterator[list[int]]:
    """A long lean path whose root changes at each step, asked for from its bottom each time."""
    third = COUNT // 3
    for i in range(third):  # the path: i needs its own blocker first, then the next
        yield [third + 2 * i, i + 1] if i + 1 < third else [third + 2 * i]
    for _ in range(third):
        yield []  # the blocker of path node i
        yield [0]  # a unit that asks for the bottom's root (and is depended on)
    for _ in range(3 * third, COUNT):
        yield []


class Node(MaterializationUnit):
    """Emitted as soon as it is started."""

    def __init__(self, name: str, needs: list[str]) -> None:
        super().__init__(name, {name: EXPORTED})
        self.needs = needs

    def materialize(self, responsibility: MaterializationResponsibility) -> None:
        responsibility.notify_resolved({self.name: at(1)})
        responsibility.notify_emitted([([self.name], {responsibility.dylib: self.needs})])


@pytest.mark.parametrize(
    "shape",
    [
        chain,
        reverse_chain,
        star,
        hub,
        ring,
        reverse_ring,
        shuffled_ring,
        random_graph,
        top_of_a_chain_replaced_again_and_again,
    ],
)
def test_a_hundred_thousand_units_are_released(
    session: ExecutionSession, main: JITDylib, shape: Callable[[], Iterator[list[int]]]
) -> None:
    names = [f"u{i}" for i in range(COUNT)]
    for name, needs in zip(names, shape(), strict=True):
        main.define(Node(name, [names[i] for i in needs]))
    assert len(session.lookup(main, names)) == COUNT


def test_a_hundred_thousand_dependants_fail_with_the_one_they_need(
    session: ExecutionSession, main: JITDylib
) -> None:
    count = COUNT // 4
    bad = Kept("bad")
    main.define(bad)
    session.lookup_async(main, ["bad"], READY, Answer())
    names = [f"u{i}" for i in range(count)]
    for name, need in zip(names, ["bad", *names], strict=False):
        main.define(Node(name, [need]))
    answer = Answer()
    session.lookup_async(main, names, READY, answer)
    bad.responsibility.fail_materialization(ValueError("bad"))
    assert isinstance(answer.error, FailedToMaterialize)
    flags = session.lookup_flags(main, names)
    assert set(flags.values()) == {SymbolFlags.EXPORTED}
    with pytest.raises(FailedToMaterialize):
        session.lookup(main, [names[-1]])
