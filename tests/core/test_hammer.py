"""Real threads, as hard as they can, with a tiny switch interval. Nothing sleeps."""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from lazyjit.core import ExecutionSession, JITDylib, SymbolState
from lazyjit.errors import (
    FailedToMaterialize,
    LazyJITError,
    SessionClosed,
    SymbolRemoved,
    SymbolsNotFound,
)

from .making import Answer, Made, Raising, Threads, address_of, at

READY = SymbolState.READY


@pytest.fixture(autouse=True)
def _switch_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def together(*jobs: Callable[[], None]) -> None:
    """Run `jobs` on threads that start at one moment; raise what one of them raised."""
    failures: list[BaseException] = []
    gate = threading.Barrier(len(jobs))

    def play(job: Callable[[], None]) -> None:
        gate.wait()
        try:
            job()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=play, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def random_program(main: JITDylib, rng: random.Random, count: int, bad: int = 0) -> list[Made]:
    units: list[Made] = []
    for i in range(count):
        if i < bad:
            units.append(Raising(f"u{i}"))
        else:
            needs = [f"u{rng.randrange(bad, count)}" for _ in range(rng.randrange(4))]
            units.append(Made(f"u{i}", needs=needs))
        main.define(units[-1])
    return units


@pytest.mark.parametrize("seed", range(3))
def test_sixteen_threads_look_up_a_random_program_in_random_orders(seed: int) -> None:
    rng = random.Random(seed)
    session = ExecutionSession(Threads(3))
    main = session.create_dylib("main")
    units = random_program(main, rng, 3000)

    def job(mine: random.Random) -> Callable[[], None]:
        def look_up() -> None:
            for _ in range(300):
                names = [f"u{mine.randrange(3000)}" for _ in range(mine.randrange(1, 5))]
                found = session.lookup(main, names)
                assert all(found[name].address == address_of(name) for name in names)

        return look_up

    together(*(job(random.Random(seed * 100 + i)) for i in range(16)))
    assert all(unit.runs <= 1 for unit in units)
    session.verify_session()
    session.close()


@pytest.mark.parametrize("seed", range(3))
def test_removal_and_redefinition_under_lookups(seed: int) -> None:
    session = ExecutionSession(Threads(2))
    main = session.create_dylib("main")
    main.define(Made("stays"))
    rounds = 300

    def churn() -> None:
        for _ in range(rounds):
            tracker = main.create_tracker()
            main.define(Made("f", needs=["g", "stays"]), tracker)
            main.define(Made("g", needs=["f"]), tracker)
            tracker.remove()

    def look_up() -> None:
        for _ in range(rounds * 3):
            try:
                assert session.lookup(main, ["f", "stays"]).keys() == {"f", "stays"}
            except (SymbolRemoved, SymbolsNotFound):
                pass
            except FailedToMaterialize as error:
                assert error.__cause__ is not None

    together(churn, look_up, look_up, look_up)
    assert session.lookup(main, ["stays"])
    session.verify_session()
    session.close()


@pytest.mark.parametrize("seed", range(20))
def test_closing_in_the_middle_answers_everybody(seed: int) -> None:
    rng = random.Random(seed)
    reports: list[BaseException] = []
    session = ExecutionSession(Threads(2))
    session.report_error = reports.append
    main = session.create_dylib("main")
    random_program(main, rng, 200)
    answers = [Answer() for _ in range(200)]
    after = rng.randrange(150)
    reached = threading.Event()

    def blocking() -> None:
        try:
            for i in range(200):
                session.lookup(main, [f"u{i}"])
        except SessionClosed:
            pass

    def queued() -> None:
        for i, answer in enumerate(answers):
            session.lookup_async(main, [f"u{199 - i}"], READY, answer)
            if i == after:
                reached.set()

    def close() -> None:
        reached.wait()
        session.close()

    together(blocking, queued, close, blocking)
    assert all(answer.told == 1 for answer in answers)
    assert all(
        answer.error is None or isinstance(answer.error, SessionClosed) for answer in answers
    )
    assert reports == []
    session.verify_session()


def test_a_generator_under_many_lookups_defines_each_name_once() -> None:
    session = ExecutionSession(Threads(2))
    main = session.create_dylib("main")
    asked: list[str] = []

    def find(names: object) -> dict[str, object]:
        asked.extend(names)  # type: ignore[call-overload]  # a sequence of str
        return {name: at(address_of(name)) for name in names}  # type: ignore[attr-defined]

    main.add_generator(find)  # type: ignore[arg-type]  # as above

    def look_up() -> None:
        for i in range(100):
            name = f"n{i}"
            assert session.lookup(main, [name])[name].address == address_of(name)

    together(*[look_up] * 8)
    assert sorted(asked) == sorted(f"n{i}" for i in range(100))
    session.verify_session()
    session.close()


def test_failures_reach_everybody_under_load() -> None:
    session = ExecutionSession(Threads(2))
    main = session.create_dylib("main")
    main.define(Raising("bad"))
    for i in range(200):
        main.define(Made(f"u{i}", needs=[f"u{i + 1}" if i < 199 else "bad", "u0"]))
    outcomes: list[LazyJITError] = []

    def look_up() -> None:
        for i in range(0, 200, 7):
            with pytest.raises(FailedToMaterialize) as caught:
                session.lookup(main, [f"u{i}"])
            outcomes.append(caught.value)

    together(*[look_up] * 6)
    assert {type(error.__cause__) for error in outcomes} == {ValueError}
    session.verify_session()
    session.close()
