"""Gathering: a unit at work takes over others of its table that wait to begin."""

from __future__ import annotations

import pytest

from lazyjit.core import (
    ExecutionSession,
    Found,
    JITDylib,
    MaterializationResponsibility,
    SymbolState,
    TaskClass,
)
from lazyjit.errors import FailedToMaterialize, ResourceTrackerDefunct, SymbolRemoved, UsageError

from .making import EXPORTED, Answer, Kept, Made, SeededDispatcher, Stage, Table, finish, resolved

READY = SymbolState.READY
NAMES = [f"f{number}" for number in range(12)]


def table(main: JITDylib) -> dict[str, Kept]:
    """A table of twelve units of a symbol each, in `main`. They keep what they are asked for."""
    units = {name: Kept(name) for name in NAMES}

    def found(unit: Kept) -> Found:
        return Found(EXPORTED, None, lambda: unit)

    main.add_table(Table({name: found(unit) for name, unit in units.items()}))
    return units


@pytest.fixture
def dylib(slow: ExecutionSession) -> JITDylib:
    return slow.create_dylib("main")


def begin(queue: SeededDispatcher, place: int = 0) -> None:
    """Run the task that was queued at `place`."""
    task, _ = queue.queue.pop(place)
    task()


def test_what_is_gathered_is_made_once_and_answers_whoever_waits(
    slow: ExecutionSession, dylib: JITDylib, queue: SeededDispatcher
) -> None:
    units = table(dylib)
    whole, resolving = Answer(), Answer()
    slow.lookup_async(dylib, NAMES, READY, whole)
    slow.lookup_async(dylib, ["f1"], SymbolState.RESOLVED, resolving)
    begin(queue)
    it = units["f0"].responsibility
    assert it.gather(8) == [units["f1"], units["f2"]]  # of eleven that wait
    assert list(it.symbols) == ["f0", "f1", "f2"]
    slow.verify_session()
    it.notify_made(resolved(it.symbols))
    assert resolving.symbols and not whole.symbols
    queue.run()
    assert [unit.runs for unit in units.values()] == [1, 0, 0, *[1] * 9]
    for name in NAMES[3:]:
        finish(units[name].responsibility)
    assert whole.symbols is not None and whole.symbols.keys() == set(NAMES)


def test_the_limit_counts(slow: ExecutionSession, dylib: JITDylib, queue: SeededDispatcher) -> None:
    units = table(dylib)
    slow.lookup_async(dylib, NAMES, READY, Answer())
    begin(queue)
    assert units["f0"].responsibility.gather(0) == []
    assert units["f0"].responsibility.gather(1) == [units["f1"]]
    slow.close()


def test_what_has_begun_is_not_gathered(
    slow: ExecutionSession, dylib: JITDylib, queue: SeededDispatcher
) -> None:
    units = table(dylib)
    slow.lookup_async(dylib, NAMES, READY, Answer())
    for _ in range(2):
        begin(queue, 1)  # f1 and f2
    begin(queue)
    assert units["f0"].responsibility.gather(8) == [units["f3"], units["f4"]]
    slow.verify_session()
    slow.close()


def test_what_was_removed_is_not_gathered_and_a_removed_unit_gathers_nothing(
    slow: ExecutionSession, dylib: JITDylib, queue: SeededDispatcher
) -> None:
    units = table(dylib)
    answer = Answer()
    slow.lookup_async(dylib, NAMES, READY, answer)
    begin(queue)
    it = units["f0"].responsibility
    it.gather(8)
    dylib.clear()
    assert isinstance(answer.error, SymbolRemoved)
    with pytest.raises(ResourceTrackerDefunct):
        it.gather(8)
    queue.run()
    assert sum(unit.runs for unit in units.values()) == 1


def test_another_class_is_left_alone(
    slow: ExecutionSession, dylib: JITDylib, queue: SeededDispatcher
) -> None:
    units = table(dylib)
    slow.lookup_async(dylib, ["f0"], READY, Answer())
    slow.lookup_async(dylib, NAMES[1:], READY, Answer(), klass=TaskClass.SPECULATION)
    begin(queue)
    assert units["f0"].responsibility.gather(8) == []
    begin(queue)
    assert units["f1"].responsibility.gather(8) == [units["f2"], units["f3"]]
    slow.close()


def test_a_unit_of_no_table_gathers_nothing(session: ExecutionSession, main: JITDylib) -> None:
    unit = Kept("f")
    main.define(unit)
    session.lookup_async(main, ["f"], READY, Answer())
    assert unit.responsibility.gather(8) == []
    finish(unit.responsibility)
    with pytest.raises(UsageError):
        unit.responsibility.gather(8)


def test_part_of_what_is_gathered_can_fail_alone(
    slow: ExecutionSession, dylib: JITDylib, queue: SeededDispatcher
) -> None:
    units = table(dylib)
    good, bad = Answer(), Answer()
    slow.lookup_async(dylib, NAMES, READY, Answer())
    slow.lookup_async(dylib, ["f1"], READY, bad)
    slow.lookup_async(dylib, ["f0", "f2"], READY, good)
    begin(queue)
    it = units["f0"].responsibility
    it.gather(8)
    it.delegate(["f1"]).fail_materialization(ValueError("malformed"))
    it.notify_made(resolved(it.symbols))
    assert isinstance(bad.error, FailedToMaterialize) and good.symbols
    slow.verify_session()
    slow.close()


@pytest.mark.parametrize("seed", range(40))
def test_each_is_made_once_in_any_order_of_threads(seed: int) -> None:
    stage = Stage(seed)
    session = stage.session
    main = session.create_dylib("main")
    made: list[str] = []

    class Gathering(Made):
        def materialize(self, responsibility: MaterializationResponsibility) -> None:
            responsibility.gather(3)
            made.extend(responsibility.symbols)
            stage.pause()
            finish(responsibility)

    def found(name: str) -> Found:
        return Found(EXPORTED, None, lambda: Gathering(name))

    main.add_table(Table({name: found(name) for name in NAMES}))
    stage.run(
        lambda: session.lookup(main, NAMES),
        lambda: session.lookup(main, NAMES[4:]),
        lambda: session.lookup(main, NAMES[::-1]),
    )
    assert sorted(made) == sorted(NAMES)
    session.verify_session()
    session.close()
