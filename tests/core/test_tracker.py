"""Trackers: removing and transferring, in every state that code can be in."""

from __future__ import annotations

import pytest

from lazyjit.core import ExecutionSession, Found, JITDylib, SymbolState
from lazyjit.errors import (
    FailedToMaterialize,
    ResourceTrackerDefunct,
    SymbolRemoved,
    SymbolsCouldNotBeRemoved,
    SymbolsNotFound,
    UsageError,
)

from .making import EXPORTED, WEAK, Answer, Kept, Made, Raising, SeededDispatcher, Table, at

READY = SymbolState.READY


class Manager:
    """Counts resources by key."""

    def __init__(self) -> None:
        self.held: dict[int, int] = {}
        self.events: list[tuple[str, str, int]] = []

    def allocate(self, key: int) -> None:
        self.held[key] = self.held.get(key, 0) + 1

    def handle_remove_resources(self, dylib: JITDylib, key: int) -> None:
        self.held.pop(key, None)
        self.events.append(("remove", dylib.name, key))

    def handle_transfer_resources(self, dylib: JITDylib, destination: int, source: int) -> None:
        self.held[destination] = self.held.get(destination, 0) + self.held.pop(source, 0)


def gone(session: ExecutionSession, dylib: JITDylib, *names: str) -> None:
    assert session.lookup_flags(dylib, names) == {}


def test_removal_takes_back_definitions_in_every_quiet_state(
    session: ExecutionSession, main: JITDylib
) -> None:
    tracker = main.create_tracker()
    units = [Made("ready"), Made("untouched"), Raising("failed")]
    for unit in units:
        main.define(unit, tracker)
    main.define_absolute({"absolute": at(1)}, tracker)
    main.define(Made("other"))
    session.lookup(main, ["ready", "other"])
    with pytest.raises(FailedToMaterialize):
        session.lookup(main, ["failed"])
    tracker.remove()
    assert tracker.defunct
    gone(session, main, "ready", "untouched", "failed", "absolute")
    session.verify_session()
    assert session.lookup(main, ["other"])
    tracker.remove()
    # The names are free again.
    for unit in units:
        main.define(Made(*unit.symbols))
    assert session.lookup(main, ["ready", "untouched", "failed"])


def test_removal_during_materialization_fails_its_queries_and_stops_it(
    session: ExecutionSession, main: JITDylib
) -> None:
    tracker = main.create_tracker()
    unit = Kept("f", "g")
    main.define(unit, tracker)
    ready, resolved = Answer(), Answer()
    session.lookup_async(main, ["f"], READY, ready)
    session.lookup_async(main, ["g"], SymbolState.RESOLVED, resolved)
    unit.responsibility.notify_resolved({"f": at(1)})
    tracker.remove()
    for answer, name in ((ready, "f"), (resolved, "g")):
        assert isinstance(answer.error, SymbolRemoved) and answer.error.symbol == name
    it = unit.responsibility
    for step in (
        lambda: it.notify_resolved({"g": at(2)}),
        it.notify_emitted,
        lambda: it.claim({"h": EXPORTED}),
        lambda: it.delegate(["f"]),
        lambda: it.replace(Made("f")),
        lambda: it.with_resource_key(lambda key: pytest.fail("it is removed")),
    ):
        with pytest.raises(ResourceTrackerDefunct):
            step()
    it.fail_materialization(ValueError("late"))
    gone(session, main, "f", "g")
    main.define(Made("f"))
    assert session.lookup(main, ["f"])


def test_removal_before_the_task_runs_keeps_it_from_running(
    slow: ExecutionSession, queue: SeededDispatcher
) -> None:
    main = slow.create_dylib("main")
    tracker = main.create_tracker()
    unit = Made("f")
    main.define(unit, tracker)
    answer = Answer()
    slow.lookup_async(main, ["f"], READY, answer)
    tracker.remove()
    queue.run()
    assert unit.runs == 0 and isinstance(answer.error, SymbolRemoved)


def test_a_materializer_whose_code_is_removed_is_not_reported(
    session: ExecutionSession, main: JITDylib, reports: list[BaseException]
) -> None:
    tracker = main.create_tracker()

    class Removing(Made):
        def materialize(self, responsibility: object) -> None:
            tracker.remove()
            super().materialize(responsibility)  # type: ignore[arg-type]  # it is one

    main.define(Removing("f"), tracker)
    with pytest.raises(SymbolRemoved):
        session.lookup(main, ["f"])
    assert reports == []


def test_transferred_code_is_removed_with_its_new_tracker(
    session: ExecutionSession, main: JITDylib
) -> None:
    manager = Manager()
    session.register_resource_manager(manager)
    one, two = main.create_tracker(), main.create_tracker()
    making, untouched, done = Kept("making"), Made("untouched"), Made("done")
    for unit in (making, untouched, done):
        main.define(unit, one)
    session.lookup(main, ["done"])
    answer = Answer()
    session.lookup_async(main, ["making"], READY, answer)
    making.responsibility.with_resource_key(manager.allocate)
    one.transfer_to(two)
    assert one.defunct and not two.defunct
    session.verify_session()
    making.responsibility.with_resource_key(manager.allocate)
    assert manager.held == {two.key: 2}
    assert making.responsibility.tracker is two
    with pytest.raises(ResourceTrackerDefunct):
        main.define(Made("late"), one)
    one.remove()
    assert session.lookup(main, ["untouched", "done"])
    two.remove()
    assert isinstance(answer.error, SymbolRemoved)
    assert manager.held == {}
    gone(session, main, "making", "untouched", "done")


def test_the_default_tracker_is_replaced_when_it_is_removed(
    session: ExecutionSession, main: JITDylib
) -> None:
    main.define(Made("f"))
    first = main.default_tracker
    first.remove()
    gone(session, main, "f")
    main.define(Made("f"))
    assert main.default_tracker is not first
    main.default_tracker.transfer_to(main.create_tracker())
    main.define(Made("g"))
    main.default_tracker.remove()
    assert session.lookup(main, ["f"])
    gone(session, main, "g")


def test_misuse_of_trackers_is_refused(session: ExecutionSession, main: JITDylib) -> None:
    other = session.create_dylib("other")
    tracker = main.create_tracker()
    with pytest.raises(UsageError):
        other.define(Made("f"), tracker)
    with pytest.raises(UsageError):
        tracker.transfer_to(other.create_tracker())
    tracker.transfer_to(tracker)
    removed = main.create_tracker()
    removed.remove()
    with pytest.raises(ResourceTrackerDefunct):
        tracker.transfer_to(removed)
    with pytest.raises(ResourceTrackerDefunct):
        removed.transfer_to(tracker)
    with pytest.raises(ResourceTrackerDefunct):
        main.define_absolute({"f": at(1)}, removed)
    with pytest.raises(ResourceTrackerDefunct):
        main.add_table(Table({}), removed)


def test_a_removed_table_takes_its_symbols_along(session: ExecutionSession, main: JITDylib) -> None:
    tracker, second = main.create_tracker(), main.create_tracker()
    kept = Kept("made", "claimed")
    table = Table(
        {
            "stub": Found(EXPORTED, 1),
            "made": Found(EXPORTED, None, lambda: kept),
            "claimed": Found(EXPORTED, None, lambda: kept),
            "unused": Found(EXPORTED, 2),
        }
    )
    main.add_table(table, tracker)
    answer = Answer()
    session.lookup_async(main, ["made"], READY, answer)
    assert kept.responsibility.claim({"claimed": EXPORTED, "new": EXPORTED}) == {"claimed", "new"}
    assert session.lookup(main, ["stub"])
    tracker.transfer_to(second)
    session.verify_session()
    second.remove()
    assert isinstance(answer.error, SymbolRemoved)
    gone(session, main, "stub", "made", "claimed", "unused", "new")


def test_managers_are_told_last_registered_first_and_errors_come_out(
    session: ExecutionSession, main: JITDylib, reports: list[BaseException]
) -> None:
    order: list[str] = []

    class Failing(Manager):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

        def handle_remove_resources(self, dylib: JITDylib, key: int) -> None:
            order.append(self.name)
            raise OSError(self.name)

    managers = [Failing("first"), Failing("second"), Failing("deregistered")]
    for manager in managers:
        session.register_resource_manager(manager)
    session.deregister_resource_manager(managers[2])
    tracker = main.create_tracker()
    main.define(Made("f"), tracker)
    with pytest.raises(OSError, match="second"):
        tracker.remove()
    assert order == ["second", "first"]
    assert [str(error) for error in reports] == ["first"]
    gone(session, main, "f")
    for manager in managers:
        session.deregister_resource_manager(manager)


def test_single_symbols_can_be_removed_unless_they_are_being_made(
    session: ExecutionSession, main: JITDylib
) -> None:
    busy, quiet = Kept("busy"), Made("a", "b", flags=WEAK)
    main.define(busy)
    main.define(quiet)
    main.define_absolute({"x": at(1)})
    session.lookup_async(main, ["busy"], READY, Answer())
    with pytest.raises(SymbolsNotFound):
        main.remove(["x", "nowhere"])
    with pytest.raises(SymbolsCouldNotBeRemoved) as caught:
        main.remove(["x", "busy"])
    assert caught.value.symbols == ["busy"]
    main.remove(["x", "a"])
    assert quiet.discarded == ["a"]
    gone(session, main, "x", "a")
    session.lookup(main, ["b"])
    main.remove(["b"])
    session.verify_session()
    main.define(Made("b"))
    assert session.lookup(main, ["b"])


def test_clearing_a_dylib_removes_all_its_trackers(
    session: ExecutionSession, main: JITDylib
) -> None:
    manager = Manager()
    session.register_resource_manager(manager)
    trackers = [main.create_tracker() for _ in range(3)]
    for index, tracker in enumerate(trackers):
        main.define(Made(f"f{index}"), tracker)
    main.clear()
    assert all(tracker.defunct for tracker in trackers)
    assert [key for _, _, key in manager.events] == [t.key for t in reversed(trackers)]
    main.define(Made("f0"))
    assert session.lookup(main, ["f0"])


def test_a_circle_with_a_removed_unit_fails_as_a_whole(
    session: ExecutionSession, main: JITDylib
) -> None:
    tracker = main.create_tracker()
    a, b, never = Kept("a"), Kept("b"), Kept("never")
    answers = {}
    for unit, under in ((a, tracker), (b, None), (never, None)):
        main.define(unit, under)
        answers[unit.name] = Answer()
        session.lookup_async(main, [unit.name], READY, answers[unit.name])
        unit.resolve()
    a.emit("b", "never")
    b.emit("a")
    session.verify_session()
    tracker.remove()
    session.verify_session()
    assert isinstance(answers["a"].error, SymbolRemoved)
    assert isinstance(answers["b"].error, FailedToMaterialize)
    never.emit()
    assert answers["never"].symbols
