"""Closing a session, also while work is in flight."""

from __future__ import annotations

import pytest

from lazyjit.core import ExecutionSession, InPlaceDispatcher, JITDylib, SymbolState
from lazyjit.errors import FailedToMaterialize, SessionClosed

from .making import Answer, Found, Kept, Made, SeededDispatcher, Table, at

READY = SymbolState.READY


def test_every_use_of_a_closed_session_is_refused(
    session: ExecutionSession, main: JITDylib
) -> None:
    tracker = main.create_tracker()
    main.define(Made("f"))
    session.lookup(main, ["f"])
    session.close()
    session.close()
    answer = Answer()
    session.lookup_async(main, ["f"], READY, answer)
    assert isinstance(answer.error, SessionClosed)
    for use in (
        lambda: session.lookup(main, ["f"]),
        lambda: session.lookup_flags(main, ["f"]),
        lambda: session.create_dylib("x"),
        lambda: main.define(Made("g")),
        lambda: main.define_absolute({"g": at(1)}),
        lambda: main.add_table(Table({})),
        lambda: main.add_generator(lambda names: {}),
        lambda: main.default_tracker,
        lambda: main.create_tracker(),
        lambda: main.remove(["f"]),
        lambda: main.add_to_link_order(main),
        lambda: session.register_resource_manager(None),  # type: ignore[arg-type]  # unused
    ):
        with pytest.raises(SessionClosed):
            use()
    tracker.remove()
    main.clear()


def test_closing_fails_whoever_waits_and_stops_whoever_works(
    session: ExecutionSession, main: JITDylib
) -> None:
    making, emitted = Kept("making"), Kept("emitted")
    answers = [Answer() for _ in range(3)]
    for unit, answer in zip((making, emitted), answers, strict=False):
        main.define(unit)
        session.lookup_async(main, [unit.name], READY, answer)
        unit.resolve()
    session.lookup_async(main, ["making", "emitted"], READY, answers[2])
    emitted.emit("making")
    session.close()
    assert all(isinstance(answer.error, SessionClosed) for answer in answers)
    it = making.responsibility
    for step in (
        making.emit,
        making.resolve,
        lambda: it.delegate(["making"]),
        lambda: it.with_resource_key(lambda key: pytest.fail("it is closed")),
    ):
        with pytest.raises(SessionClosed):
            step()
    it.fail_materialization(ValueError("late"))


def test_queued_tasks_of_a_closed_session_make_nothing(
    slow: ExecutionSession, queue: SeededDispatcher
) -> None:
    main = slow.create_dylib("main")
    unit = Made("f")
    table_unit = Made("t")
    main.define(unit)
    main.add_table(Table({"t": Found(unit.symbols["f"], None, lambda: table_unit)}))
    answer = Answer()
    slow.lookup_async(main, ["f", "t"], READY, answer)
    assert len(queue.queue) == 2
    slow.close()
    assert queue.queue == [] and (unit.runs, table_unit.runs) == (0, 0)
    assert isinstance(answer.error, SessionClosed)


def test_a_materializer_at_work_when_the_session_closes_ends_quietly(
    reports: list[BaseException],
) -> None:
    session = ExecutionSession()
    session.report_error = reports.append
    main = session.create_dylib("main")

    class Closing(Made):
        def materialize(self, responsibility: object) -> None:
            session.close()
            super().materialize(responsibility)  # type: ignore[arg-type]  # it is one

    main.define(Closing("f"))
    with pytest.raises(SessionClosed):
        session.lookup(main, ["f"])
    assert reports == []


def test_resources_are_freed_last_and_their_errors_reported(
    reports: list[BaseException],
) -> None:
    events: list[str] = []

    class Noting(InPlaceDispatcher):
        def close(self) -> None:
            events.append("dispatcher closed")
            super().close()

    class Manager:
        def handle_remove_resources(self, dylib: JITDylib, key: int) -> None:
            events.append(f"freed in {dylib.name}")
            raise OSError("refused")

        def handle_transfer_resources(self, dylib: JITDylib, to: int, source: int) -> None:
            pass

    with ExecutionSession(Noting()) as session:
        session.report_error = reports.append
        session.register_resource_manager(Manager())
        for name in ("one", "two"):
            session.create_dylib(name).define(Made("f"))
    assert events == ["dispatcher closed", "freed in two", "freed in one"]
    assert [type(error) for error in reports] == [OSError, OSError]


def test_a_dispatcher_closed_too_early_fails_lookups_instead_of_hanging(
    queue: SeededDispatcher,
) -> None:
    session = ExecutionSession(queue)
    main = session.create_dylib("main")
    main.define(Made("f"))
    queue.close()
    with pytest.raises(FailedToMaterialize) as caught:
        session.lookup(main, ["f"])
    assert isinstance(caught.value.__cause__, SessionClosed)
    session.verify_session()
    session.close()


def test_errors_nobody_waits_for_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    session = ExecutionSession()
    main = session.create_dylib("main")
    main.define_absolute({"x": at(1)})

    def raising(symbols: object, error: object) -> None:
        raise ValueError("from a callback")

    session.lookup_async(main, ["x"], READY, raising)
    session.report_error = raising  # type: ignore[assignment]  # it raises, whatever it is called with
    session.lookup_async(main, ["x"], READY, raising)
    session.close()
    assert [record.name for record in caplog.records] == ["lazyjit", "lazyjit"]
    assert "from a callback" in caplog.text
