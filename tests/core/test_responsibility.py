"""Responsibilities: keeping a promise in parts, handing it on, and breaking it."""

from __future__ import annotations

import gc

import pytest

from lazyjit.core import (
    ExecutionSession,
    JITDylib,
    MaterializationResponsibility,
    SymbolState,
)
from lazyjit.errors import (
    FailedToMaterialize,
    MissingDefinitions,
    ResourceTrackerDefunct,
    UsageError,
)
from lazyjit.symbols import SymbolFlags

from .making import EXPORTED, HIDDEN, Answer, Kept, Made, Raising, at, finish, resolved

READY = SymbolState.READY


def start(session: ExecutionSession, dylib: JITDylib, unit: Kept, *names: str) -> Answer:
    """Define `unit` and look up `names` of it, or all."""
    dylib.define(unit)
    answer = Answer()
    session.lookup_async(dylib, names or list(unit.symbols), READY, answer)
    return answer


def test_it_knows_what_it_answers_for(session: ExecutionSession, main: JITDylib) -> None:
    unit = Kept("f", "g", "init", init_symbol="init")
    start(session, main, unit, "f")
    it = unit.responsibility
    assert it.dylib is main
    assert it.name == "f+g+init"
    assert it.symbols == {"f": EXPORTED, "g": EXPORTED, "init": EXPORTED}
    assert it.requested_symbols == {"f"}
    assert it.init_symbol == "init"
    assert it.tracker is main.default_tracker
    assert it.with_resource_key(lambda key: key) == main.default_tracker.key
    it.fail_materialization()


def test_the_declared_visibility_stays_whatever_is_reported(
    session: ExecutionSession, main: JITDylib
) -> None:
    unit = Kept("shown", "hidden")
    unit.symbols["hidden"] = HIDDEN
    answer = start(session, main, unit)
    flags = SymbolFlags.CALLABLE
    unit.responsibility.notify_resolved({"shown": at(1, flags), "hidden": at(2, flags | EXPORTED)})
    unit.emit()
    assert answer.symbols == {"shown": at(1, flags | EXPORTED), "hidden": at(2, flags)}


def test_notifying_twice_is_refused_and_harms_nothing(
    session: ExecutionSession, main: JITDylib
) -> None:
    unit = Kept("f", "g")
    answer = start(session, main, unit)
    unit.resolve()
    with pytest.raises(UsageError, match="resolved twice: f, g"):
        unit.resolve()
    unit.emit()
    for step in (unit.emit, unit.resolve, lambda: unit.responsibility.claim({"x": EXPORTED})):
        with pytest.raises(UsageError, match="emitted already"):
            step()
    unit.responsibility.fail_materialization(ValueError("too late"))
    assert answer.symbols and answer.symbols.keys() == {"f", "g"}


def test_a_unit_that_notifies_twice_is_reported(
    session: ExecutionSession, main: JITDylib, reports: list[BaseException]
) -> None:
    class Twice(Made):
        def materialize(self, responsibility: MaterializationResponsibility) -> None:
            super().materialize(responsibility)
            super().materialize(responsibility)

    main.define(Twice("f"))
    assert session.lookup(main, ["f"])
    assert [type(error) for error in reports] == [UsageError]
    assert session.lookup(main, ["f"])


def test_foreign_symbols_are_refused_and_nothing_changes(
    session: ExecutionSession, main: JITDylib
) -> None:
    unit = Kept("f", "g")
    answer = start(session, main, unit)
    it = unit.responsibility
    with pytest.raises(UsageError, match="not its symbol"):
        it.notify_resolved({"f": at(1), "x": at(2)})
    with pytest.raises(UsageError):
        it.delegate(["x"])
    with pytest.raises(UsageError):
        it.replace(Made("x"))
    unit.resolve()
    with pytest.raises(UsageError, match="not its symbol"):
        it.notify_emitted([(["f", "x"], {})])
    with pytest.raises(UsageError, match="two dependence groups"):
        it.notify_emitted([(["f"], {}), (["f", "g"], {})])
    with pytest.raises(UsageError, match="resolved"):
        it.replace(Made("f"))
    session.verify_session()
    unit.emit()
    assert answer.symbols


def test_emission_needs_every_symbol_resolved(session: ExecutionSession, main: JITDylib) -> None:
    unit = Kept("f", "g", "init", init_symbol="init")
    unit.symbols["init"] = SymbolFlags.SIDE_EFFECTS_ONLY
    answer = start(session, main, unit, "f", "g")
    unit.responsibility.notify_resolved({"f": at(1)})
    with pytest.raises(MissingDefinitions) as caught:
        unit.responsibility.notify_emitted()
    assert caught.value.symbols == ["g"]
    with pytest.raises(UsageError, match="no address"):
        unit.responsibility.notify_resolved({"init": at(1, SymbolFlags.SIDE_EFFECTS_ONLY)})
    unit.responsibility.notify_resolved({"g": at(2)})
    unit.responsibility.notify_emitted()
    assert answer.symbols


def test_what_depends_on_nothing_is_told_in_one_step(
    session: ExecutionSession, main: JITDylib
) -> None:
    unit = Kept("f", "g", "init", init_symbol="init")
    unit.symbols["g"] = HIDDEN
    unit.symbols["init"] = SymbolFlags.SIDE_EFFECTS_ONLY
    answer, early = start(session, main, unit, "f", "g"), Answer()
    session.lookup_async(main, ["g"], SymbolState.RESOLVED, early)
    it = unit.responsibility
    with pytest.raises(MissingDefinitions) as caught:
        it.notify_made({"f": at(1)})
    assert caught.value.symbols == ["g"]
    with pytest.raises(UsageError, match="not its symbol"):
        it.notify_made({"f": at(1), "g": at(2), "other": at(3)})
    session.verify_session()
    assert not early.told
    it.notify_made({"f": at(1), "g": at(2)})
    assert answer.symbols == {"f": at(1), "g": at(2, HIDDEN)}
    assert early.symbols == {"g": at(2, HIDDEN)}
    session.verify_session()
    with pytest.raises(UsageError, match="emitted already"):
        it.notify_made({"f": at(1), "g": at(2)})


def test_what_is_made_in_one_step_may_have_been_resolved_in_part(
    session: ExecutionSession, main: JITDylib
) -> None:
    unit = Kept("f", "g")
    answer = start(session, main, unit)
    unit.responsibility.notify_resolved({"f": at(1)})
    with pytest.raises(UsageError, match="resolved twice"):
        unit.responsibility.notify_made({"f": at(1), "g": at(2)})
    unit.responsibility.notify_made({"g": at(2)})
    assert answer.symbols == {"f": at(1), "g": at(2)}


def test_what_was_removed_is_not_made(session: ExecutionSession, main: JITDylib) -> None:
    unit = Kept("f")
    answer = start(session, main, unit)
    main.default_tracker.remove()
    with pytest.raises(ResourceTrackerDefunct):
        unit.responsibility.notify_made({"f": at(1)})
    assert answer.error
    session.verify_session()


def test_a_unit_that_waits_is_ready_with_what_is_made_in_one_step(
    session: ExecutionSession, main: JITDylib
) -> None:
    needed, needing = Kept("needed"), Kept("needing")
    start(session, main, needed)
    answer = start(session, main, needing)
    needing.responsibility.notify_resolved({"needing": at(1)})
    needing.responsibility.notify_emitted([(["needing"], {main: ["needed"]})])
    assert not answer.told
    needed.responsibility.notify_made({"needed": at(2)})
    assert answer.symbols == {"needing": at(1)}
    session.verify_session()


def test_a_unit_that_raises_fails_every_query_at_once_and_later(
    session: ExecutionSession, main: JITDylib
) -> None:
    unit = Raising("f", "g")
    main.define(unit)
    for name in "ffg":
        with pytest.raises(FailedToMaterialize) as caught:
            session.lookup(main, [name])
        assert caught.value.symbols == {"main": [name]}
        assert caught.value.__cause__ is unit.error


def test_a_unit_that_fails_without_a_reason_is_named_as_the_reason(
    session: ExecutionSession, main: JITDylib
) -> None:
    root, user = Kept("root"), Kept("user")
    at_root = start(session, main, root)
    at_user = start(session, main, user)
    user.resolve()
    user.emit("root")
    root.responsibility.fail_materialization()
    assert isinstance(at_root.error, FailedToMaterialize) and at_root.error.__cause__ is None
    assert isinstance(at_user.error, FailedToMaterialize)
    assert isinstance(at_user.error.__cause__, FailedToMaterialize)
    assert at_user.error.__cause__.symbols == {"main": ["root"]}
    with pytest.raises(UsageError, match="failed already"):
        root.resolve()


def test_a_unit_that_forgets_its_promise_fails(session: ExecutionSession, main: JITDylib) -> None:
    class Forgetful(Made):
        def materialize(self, responsibility: MaterializationResponsibility) -> None:
            responsibility.notify_resolved({"f": at(1)})

    main.define(Forgetful("f", "g"))
    with pytest.raises(FailedToMaterialize) as caught:
        session.lookup(main, ["g"])
    assert isinstance(caught.value.__cause__, MissingDefinitions)
    assert caught.value.__cause__.symbols == ["f", "g"]


def test_a_promise_that_is_forgotten_later_fails_too(
    session: ExecutionSession, main: JITDylib
) -> None:
    unit = Kept("f")
    main.define(unit)
    outcome = Answer()
    session.lookup_async(main, ["f"], READY, outcome)
    del unit.responsibility
    gc.collect()
    # The finalizer leaves it to a new thread; this lookup waits for that.
    with pytest.raises(FailedToMaterialize):
        session.lookup(main, ["f"])


def test_part_of_it_can_be_delegated_and_waiters_go_along(
    session: ExecutionSession, main: JITDylib
) -> None:
    unit, user = Kept("f", "g", "h"), Kept("user")
    answers = {name: Answer() for name in "fgh"}
    main.define(unit)
    for name, answer in answers.items():
        session.lookup_async(main, [name], READY, answer)
    unit.responsibility.notify_resolved({"f": at(1)})
    start(session, main, user)
    user.resolve()
    user.emit("g", "h")
    session.verify_session()
    part = unit.responsibility.delegate(["g"])
    session.verify_session()
    assert part.symbols.keys() == {"g"} and part.requested_symbols == {"g"}
    assert unit.responsibility.symbols.keys() == {"f", "h"}
    with pytest.raises(UsageError):
        unit.responsibility.notify_resolved({"g": at(2)})
    part.notify_resolved({"g": at(2)})
    part.notify_emitted()
    assert answers["g"].symbols == {"g": at(2)} and not answers["f"].told
    unit.responsibility.fail_materialization(ValueError("h is bad"))
    assert answers["h"].error is not None
    with pytest.raises(FailedToMaterialize):
        session.lookup(main, ["user"])


def test_delegating_everything_ends_it(session: ExecutionSession, main: JITDylib) -> None:
    unit = Kept("f")
    answer = start(session, main, unit)
    part = unit.responsibility.delegate(["f"])
    with pytest.raises(UsageError, match="given all its symbols away"):
        unit.resolve()
    finish(part)
    assert answer.symbols


def test_a_delegated_part_may_depend_on_the_rest_and_the_other_way_round(
    session: ExecutionSession, main: JITDylib
) -> None:
    unit = Kept("f", "g")
    answer = start(session, main, unit)
    part = unit.responsibility.delegate(["g"])
    for it, other in ((unit.responsibility, "g"), (part, "f")):
        it.notify_resolved(resolved(it.symbols))
        assert not answer.told
        it.notify_emitted([(list(it.symbols), {main: [other]})])
        session.verify_session()
    assert answer.symbols


def test_a_unit_can_be_replaced_for_what_nobody_wants(
    session: ExecutionSession, main: JITDylib
) -> None:
    unit, later = Kept("f", "g"), Made("g")
    answer = start(session, main, unit, "f")
    unit.responsibility.replace(later)
    session.verify_session()
    assert later.runs == 0
    unit.resolve()
    unit.emit()
    assert answer.symbols and later.runs == 0
    assert session.lookup(main, ["g"]) and later.runs == 1


def test_a_replacement_for_what_somebody_wants_starts_at_once(
    session: ExecutionSession, main: JITDylib
) -> None:
    unit, user = Kept("f", "g"), Kept("user")
    answer = start(session, main, unit)
    waits = start(session, main, user)
    user.resolve()
    user.emit("f", "g")
    for name in "fg":
        unit.responsibility.replace(Made(name))
        session.verify_session()
    assert answer.symbols and answer.symbols.keys() == {"f", "g"}
    assert waits.symbols
    with pytest.raises(UsageError):
        unit.resolve()


def test_symbols_of_a_group_wait_only_for_what_the_group_needs(
    session: ExecutionSession, main: JITDylib
) -> None:
    unit, slow = Kept("a", "b", "c"), Kept("slow")
    start(session, main, slow)
    answers = {name: Answer() for name in "abc"}
    main.define(unit)
    for name, answer in answers.items():
        session.lookup_async(main, [name], READY, answer)
    unit.resolve()
    unit.responsibility.notify_emitted([(["a"], {main: ["slow"]}), (["b"], {main: ["c"]})])
    session.verify_session()
    assert not answers["a"].told and answers["b"].symbols and answers["c"].symbols
    slow.resolve()
    slow.emit()
    assert answers["a"].symbols


def test_a_promise_to_depend_on_what_nobody_looked_up_is_refused(
    session: ExecutionSession, main: JITDylib
) -> None:
    main.define(Made("untouched"))
    unit = Kept("f")
    answer = start(session, main, unit)
    unit.resolve()
    with pytest.raises(UsageError, match="untouched of main, which nobody has looked up"):
        unit.emit("untouched")
    assert isinstance(answer.error, FailedToMaterialize)


def test_an_interrupted_materialization_fails_and_lets_the_interrupt_through(
    session: ExecutionSession, main: JITDylib
) -> None:
    class Interrupted(Made):
        def materialize(self, responsibility: MaterializationResponsibility) -> None:
            raise KeyboardInterrupt

    main.define(Interrupted("f"))
    with pytest.raises(KeyboardInterrupt):
        session.lookup(main, ["f"])
    with pytest.raises(FailedToMaterialize) as caught:
        session.lookup(main, ["f"])
    assert isinstance(caught.value.__cause__, KeyboardInterrupt)
