"""Races, found by a seed and found again: threads that switch wherever one takes the lock.

Each scenario runs under many seeds on a `Stage`; the lying lock also fails the test when foreign
code runs under it. Whatever the order, each unit is made once, each lookup is answered once and
rightly, and the session's invariants hold.
"""

from __future__ import annotations

import pytest

from lazyjit.core import (
    Found,
    JITDylib,
    MaterializationResponsibility,
    SymbolAlias,
    SymbolState,
    symbol_aliases,
)
from lazyjit.errors import (
    DuplicateDefinition,
    FailedToMaterialize,
    LazyJITError,
    ResourceTrackerDefunct,
    SessionClosed,
    SymbolRemoved,
    SymbolsNotFound,
)

from .making import EXPORTED, WEAK, Answer, Made, Raising, Stage, Table, address_of, finish

READY = SymbolState.READY
SEEDS = range(60)


@pytest.mark.parametrize("seed", SEEDS)
def test_lookups_of_a_circle_from_several_threads(seed: int) -> None:
    stage = Stage(seed)
    main = stage.session.create_dylib("main")
    names = [f"u{i}" for i in range(6)]
    units = [Made(name, needs=[names[i - 1], names[(i * 3) % 6]]) for i, name in enumerate(names)]
    for unit in units:
        main.define(unit)

    def look_up(*wanted: str) -> None:
        found = stage.session.lookup(main, wanted)
        assert {n: s.address for n, s in found.items()} == {n: address_of(n) for n in wanted}

    stage.run(
        lambda: look_up("u0"),
        lambda: look_up("u3", "u1"),
        lambda: look_up(*names),
        lambda: look_up("u5"),
    )
    assert [unit.runs for unit in units] == [1] * 6
    stage.session.verify_session()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_failure_reaches_every_thread_and_every_dependant(seed: int) -> None:
    stage = Stage(seed)
    main = stage.session.create_dylib("main")
    bad = Raising("bad")
    for unit in (Made("a", needs=["b"]), Made("b", needs=["a", "bad"]), bad, Made("fine")):
        main.define(unit)
    main.define(symbol_aliases({"alias": SymbolAlias("a", EXPORTED)}))

    def fails(*names: str) -> None:
        with pytest.raises(FailedToMaterialize) as caught:
            stage.session.lookup(main, names)
        assert caught.value.__cause__ is bad.error

    stage.run(
        lambda: fails("a"),
        lambda: fails("fine", "b"),
        lambda: fails("alias"),
        lambda: fails("bad"),
    )
    for name in ("a", "b", "bad", "alias"):
        with pytest.raises(FailedToMaterialize):
            stage.session.lookup(main, [name])
    stage.session.verify_session()


@pytest.mark.parametrize("seed", SEEDS)
def test_removal_while_others_look_up_and_make(seed: int) -> None:
    stage = Stage(seed)
    session = stage.session
    main = session.create_dylib("main")
    tracker, kept = main.create_tracker(), main.create_tracker()
    held: dict[int, int] = {}

    class Manager:
        def handle_remove_resources(self, dylib: JITDylib, key: int) -> None:
            held.pop(key, None)

        def handle_transfer_resources(self, dylib: JITDylib, to: int, source: int) -> None:
            held[to] = held.get(to, 0) + held.pop(source, 0)

    class Allocating(Made):
        def materialize(self, responsibility: MaterializationResponsibility) -> None:
            def allocate(key: int) -> None:
                held[key] = held.get(key, 0) + 1

            responsibility.with_resource_key(allocate)
            super().materialize(responsibility)

    session.register_resource_manager(Manager())
    main.define(Allocating("a", needs=["b"]), tracker)
    main.define(Allocating("b", needs=["a"]), tracker)
    main.define(Allocating("user", needs=["a"]), kept)
    main.define(Allocating("other"), kept)

    def look_up(name: str) -> None:
        try:
            assert session.lookup(main, [name])[name].address == address_of(name)
        except (SymbolRemoved, SymbolsNotFound, FailedToMaterialize):
            assert name != "other"

    second = main.create_tracker()

    def transfer() -> None:
        try:
            tracker.transfer_to(second)
        except ResourceTrackerDefunct:
            assert tracker.defunct or second.defunct

    stage.run(
        lambda: look_up("a"),
        lambda: look_up("user"),
        lambda: look_up("other"),
        transfer,
        second.remove if seed % 2 else tracker.remove,
    )
    session.verify_session()
    for left in (tracker, second):
        left.remove()
    assert set(held) <= {kept.key}
    assert session.lookup_flags(main, ["a", "b"]) == {}
    main.define(Made("a"))
    assert session.lookup(main, ["a"])


@pytest.mark.parametrize("seed", SEEDS)
def test_closing_while_others_look_up_and_make(seed: int) -> None:
    stage = Stage(seed)
    session = stage.session
    reports: list[BaseException] = []
    session.report_error = reports.append
    main = session.create_dylib("main")
    for i in range(5):
        main.define(Made(f"u{i}", needs=[f"u{(i + 1) % 5}"]))
    answers = [Answer() for _ in range(3)]

    def look_up(name: str) -> None:
        try:
            assert session.lookup(main, [name])
        except SessionClosed:
            assert session._closed

    def queued() -> None:
        for i, answer in enumerate(answers):
            session.lookup_async(main, [f"u{i}"], READY, answer)

    stage.run(lambda: look_up("u0"), queued, session.close, lambda: look_up("u3"))
    assert all(answer.told == 1 for answer in answers)
    assert reports == []
    session.verify_session()


@pytest.mark.parametrize("seed", SEEDS)
def test_definitions_race_for_a_name_and_one_wins(seed: int) -> None:
    stage = Stage(seed)
    session = stage.session
    main = session.create_dylib("main")
    units = [
        Made("f", "a"),
        Made("f", "b"),
        Made("f", "c", flags=WEAK),
        Made("f", "d", flags=WEAK),
    ]
    refused: list[Made] = []

    def define(unit: Made) -> None:
        try:
            main.define(unit)
        except DuplicateDefinition:
            refused.append(unit)

    def look_up() -> None:
        assert session.lookup(main, [], weak=["f"]).keys() <= {"f"}

    stage.run(*(lambda unit=unit: define(unit) for unit in units), look_up)
    session.verify_session()
    found = session.lookup(main, ["f"], weak=list("abcd"))
    assert found["f"]
    makers = [u for u in units if u not in refused and "f" not in u.discarded]
    assert len(makers) == 1
    assert all(unit.runs <= 1 for unit in units)


@pytest.mark.parametrize("seed", SEEDS)
def test_units_of_a_table_claim_from_each_other_and_each_name_is_made_once(seed: int) -> None:
    stage = Stage(seed)
    session = stage.session
    main = session.create_dylib("main")
    names = [f"f{i}" for i in range(6)]
    made: list[str] = []

    class Cluster(Made):
        """Makes its name, and takes the next two along if they are free."""

        def materialize(self, responsibility: MaterializationResponsibility) -> None:
            index = names.index(self.name)
            cluster = {names[(index + i) % 6]: EXPORTED for i in range(3)}
            got = responsibility.claim(cluster)
            assert self.name in got
            made.extend(responsibility.symbols)
            needs = [name for name in cluster if name not in got]
            finish(responsibility, needs)

    main.add_table(
        Table(
            {
                name: Found(EXPORTED, None, lambda name=name: Cluster(name))  # type: ignore[misc]
                for name in names
            }
        )
    )

    def look_up(*wanted: str) -> None:
        assert session.lookup(main, wanted).keys() == set(wanted)

    stage.run(
        lambda: look_up("f0", "f1"),
        lambda: look_up("f2", "f3"),
        lambda: look_up("f5"),
        lambda: look_up(*names),
    )
    assert sorted(made) == names
    session.verify_session()


@pytest.mark.parametrize("seed", SEEDS)
def test_parts_of_a_unit_are_delegated_and_replaced_while_others_wait(seed: int) -> None:
    stage = Stage(seed)
    session = stage.session
    main = session.create_dylib("main")

    class Splitting(Made):
        def materialize(self, responsibility: MaterializationResponsibility) -> None:
            part = responsibility.delegate(["b"])
            responsibility.replace(Made("c", needs=["a"]))
            session._dispatcher.dispatch(lambda: finish(part, ["c", "user"]))
            finish(responsibility, ["b"])

    main.define(Splitting("a", "b", "c"))
    main.define(Made("user", needs=["a", "b", "c"]))

    def look_up(*wanted: str) -> None:
        assert session.lookup(main, wanted).keys() == set(wanted)

    stage.run(lambda: look_up("user"), lambda: look_up("b"), lambda: look_up("c", "a"))
    session.verify_session()


@pytest.mark.parametrize("seed", SEEDS)
def test_circles_of_aliases_are_found_from_whichever_side(seed: int) -> None:
    stage = Stage(seed)
    session = stage.session
    main = session.create_dylib("main")
    for name, aliasee in (("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")):
        main.define(symbol_aliases({name: SymbolAlias(aliasee, EXPORTED)}))

    def fails(name: str) -> None:
        with pytest.raises(LazyJITError, match="circle of aliases"):
            session.lookup(main, [name])

    stage.run(*(lambda name=name: fails(name) for name in "abcd"))  # type: ignore[misc]
    assert session._alias_steps == {}
    session.verify_session()
