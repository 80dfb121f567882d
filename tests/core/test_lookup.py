"""Lookups: what they find, where, in which state, and what they say when they can't."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from lazyjit.core import ExecutionSession, JITDylib, LookupFlags, SymbolState, TaskClass
from lazyjit.errors import (
    DuplicateDylib,
    DylibNotFound,
    FailedToMaterialize,
    SymbolsNotFound,
)
from lazyjit.symbols import ExecutorSymbolDef, SymbolFlags

from .making import (
    EXPORTED,
    HIDDEN,
    Answer,
    Kept,
    Made,
    Raising,
    SeededDispatcher,
    address_of,
    at,
)


def test_a_lookup_makes_what_it_asks_for_and_nothing_else(
    session: ExecutionSession, main: JITDylib
) -> None:
    wanted, other = Made("wanted"), Made("other")
    main.define(wanted)
    main.define(other)
    assert session.lookup(main, ["wanted"]) == {"wanted": at(address_of("wanted"))}
    assert (wanted.runs, other.runs) == (1, 0)


def test_a_symbol_is_made_once_however_often_it_is_looked_up(
    session: ExecutionSession, main: JITDylib
) -> None:
    unit = Made("f", "g")
    main.define(unit)
    for names in (["f"], ["g"], ["f", "g"], ["f", "f"]):
        assert session.lookup(main, names).keys() == set(names)
    assert unit.runs == 1


def test_all_missing_names_are_reported_at_once_and_nothing_starts(
    session: ExecutionSession, main: JITDylib
) -> None:
    unit = Made("there")
    main.define(unit)
    with pytest.raises(SymbolsNotFound) as caught:
        session.lookup(main, ["there", "missing", "gone"])
    assert caught.value.symbols == ["gone", "missing"]
    assert unit.runs == 0


def test_weakly_referenced_symbols_may_be_missing(
    session: ExecutionSession, main: JITDylib
) -> None:
    main.define(Made("f", "g"))
    found = session.lookup(main, ["f"], weak=["g", "nowhere"])
    assert found.keys() == {"f", "g"}
    assert session.lookup(main, ["nowhere"], weak=["nowhere"]) == {}


def test_the_first_dylib_of_the_order_wins(session: ExecutionSession, main: JITDylib) -> None:
    other = session.create_dylib("other")
    main.define_absolute({"x": at(1)})
    other.define_absolute({"x": at(2), "y": at(3)})
    exported = LookupFlags.EXPORTED_ONLY
    assert session.lookup([(main, exported), (other, exported)], ["x"])["x"].address == 1
    assert session.lookup([(other, exported), (main, exported)], ["x"])["x"].address == 2
    main.add_to_link_order(other)
    assert {k: v.address for k, v in session.lookup(main, ["x", "y"]).items()} == {"x": 1, "y": 3}


def test_hidden_symbols_are_seen_only_from_inside_and_hide_nothing(
    session: ExecutionSession, main: JITDylib
) -> None:
    other = session.create_dylib("other")
    main.define_absolute({"x": at(1, HIDDEN)})
    main.define(Made("made", flags=HIDDEN))
    other.define_absolute({"x": at(2), "made": at(3)})
    outside = [(main, LookupFlags.EXPORTED_ONLY), (other, LookupFlags.EXPORTED_ONLY)]
    found = session.lookup(outside, ["x", "made"])
    assert (found["x"].address, found["made"].address) == (2, 3)
    assert session.lookup(main, ["x", "made"])["x"].address == 1
    with pytest.raises(SymbolsNotFound):
        session.lookup(outside[:1], ["x"])
    # What is made by now is as hidden as before.
    assert session.lookup(outside, ["made"])["made"].address == 3


def test_the_link_order_can_be_changed(session: ExecutionSession, main: JITDylib) -> None:
    one, two = session.create_dylib("one"), session.create_dylib("two")
    one.define_absolute({"x": at(1)})
    two.define_absolute({"x": at(2)})
    main.set_link_order([(one, LookupFlags.EXPORTED_ONLY)])
    assert main.link_order == [
        (main, LookupFlags.ALL_SYMBOLS),
        (one, LookupFlags.EXPORTED_ONLY),
    ]
    assert session.lookup(main, ["x"])["x"].address == 1
    main.replace_in_link_order(one, two)
    assert session.lookup(main, ["x"])["x"].address == 2
    main.remove_from_link_order(two)
    with pytest.raises(SymbolsNotFound):
        session.lookup(main, ["x"])
    main.set_link_order([(two, LookupFlags.ALL_SYMBOLS)], self_first=False)
    assert main.link_order == [(two, LookupFlags.ALL_SYMBOLS)]
    main.add_to_link_order(two)
    assert len(main.link_order) == 1


def test_a_lookup_can_be_content_with_resolved_symbols(
    session: ExecutionSession, main: JITDylib
) -> None:
    unit = Kept("f", "g")
    main.define(unit)
    resolved, ready, late = Answer(), Answer(), Answer()
    session.lookup_async(main, ["f"], SymbolState.RESOLVED, resolved)
    session.lookup_async(main, ["f"], SymbolState.READY, ready)
    unit.responsibility.notify_resolved({"f": at(7)})
    assert resolved.symbols == {"f": at(7)} and not ready.told
    session.lookup_async(main, ["f", "g"], SymbolState.RESOLVED, late)
    assert not late.told
    session.verify_session()
    unit.responsibility.notify_resolved({"g": at(8)})
    assert late.symbols == {"f": at(7), "g": at(8)}
    unit.responsibility.notify_emitted()
    assert ready.symbols == {"f": at(7)}


def test_dependences_are_registered_before_the_answer_with_what_is_not_ready(
    session: ExecutionSession, main: JITDylib
) -> None:
    other = session.create_dylib("other")
    main.add_to_link_order(other)
    main.define_absolute({"ready": at(1)})
    unit = Kept("slow")
    other.define(unit)
    told: list[object] = []
    session.lookup_async(
        main,
        ["ready", "slow"],
        SymbolState.RESOLVED,
        lambda symbols, error: told.append(symbols),
        register_dependences=told.append,
    )
    assert told == [{other: {"slow"}}]
    unit.resolve()
    assert told[1:] == [
        {"ready": at(1, EXPORTED | SymbolFlags.ABSOLUTE), "slow": at(address_of("slow"))}
    ]
    unit.emit()
    session.lookup_async(
        main,
        ["ready", "slow"],
        SymbolState.RESOLVED,
        lambda symbols, error: None,
        register_dependences=lambda dependences: pytest.fail("all are ready"),
    )


def test_a_callback_that_raises_is_reported_and_harms_nothing(
    session: ExecutionSession, main: JITDylib, reports: list[BaseException]
) -> None:
    main.define(Made("f"))
    problem = RuntimeError("mine")

    def answer(symbols: object, error: object) -> None:
        raise problem

    session.lookup_async(main, ["f"], SymbolState.READY, answer)
    assert reports == [problem]
    assert session.lookup(main, ["f"])


def test_a_chain_of_callbacks_needs_no_deep_stack(
    session: ExecutionSession, main: JITDylib
) -> None:
    main.define_absolute({"x": at(1)})
    left = [20_000]

    def again(symbols: object, error: object) -> None:
        left[0] -= 1
        if left[0]:
            session.lookup_async(main, ["x"], SymbolState.READY, again)

    session.lookup_async(main, ["x"], SymbolState.READY, again)
    assert left == [0]


def test_a_callback_may_look_up_blockingly(session: ExecutionSession, main: JITDylib) -> None:
    main.define(Made("first"))
    main.define(Made("second", needs=["third"]))
    main.define(Made("third"))
    found: list[object] = []
    session.lookup_async(
        main,
        ["first"],
        SymbolState.READY,
        lambda symbols, error: found.append(session.lookup(main, ["second"])),
    )
    assert found == [{"second": at(address_of("second"))}]


def test_flags_are_looked_up_without_making_anything(
    session: ExecutionSession, main: JITDylib
) -> None:
    unit = Made("f", flags=EXPORTED | SymbolFlags.CALLABLE)
    main.define(unit)
    main.define(Made("hidden", flags=HIDDEN))
    main.define(Raising("bad"))
    with pytest.raises(FailedToMaterialize):
        session.lookup(main, ["bad"])
    flags = session.lookup_flags(main, ["f", "hidden", "bad", "missing"])
    assert flags == {
        "f": EXPORTED | SymbolFlags.CALLABLE,
        "hidden": HIDDEN,
        "bad": EXPORTED,
    }
    assert session.lookup_flags([(main, LookupFlags.EXPORTED_ONLY)], ["hidden"]) == {}
    assert unit.runs == 0


def test_side_effects_only_symbols_are_looked_up_for_the_effect(
    session: ExecutionSession, main: JITDylib
) -> None:
    flags = EXPORTED | SymbolFlags.SIDE_EFFECTS_ONLY
    unit = Made("init", flags=flags, init_symbol="init")
    main.define(unit)
    with pytest.raises(SymbolsNotFound):
        session.lookup(main, ["init"])
    assert unit.runs == 0
    for _ in range(2):
        assert session.lookup(main, [], weak=["init"]) == {}
    assert unit.runs == 1
    with pytest.raises(SymbolsNotFound):
        session.lookup(main, ["init"])
    assert session.lookup_flags(main, ["init"]) == {"init": flags}


def test_less_urgent_work_is_hurried_by_a_demand_and_runs_once(
    slow: ExecutionSession, queue: SeededDispatcher
) -> None:
    main = slow.create_dylib("main")
    unit = Made("f")
    main.define(unit)
    slow.lookup_async(main, ["f"], SymbolState.READY, Answer(), klass=TaskClass.SPECULATION)
    slow.lookup_async(main, ["f"], SymbolState.READY, Answer())
    slow.lookup_async(main, ["f"], SymbolState.READY, Answer())
    assert [klass for _, klass in queue.queue] == [TaskClass.SPECULATION, TaskClass.DEMAND]
    queue.run()
    assert unit.runs == 1


def test_names_must_not_be_one_string(session: ExecutionSession, main: JITDylib) -> None:
    with pytest.raises(TypeError):
        session.lookup(main, "main")


def test_an_empty_lookup_is_answered(session: ExecutionSession, main: JITDylib) -> None:
    assert session.lookup(main, []) == {}
    answer = Answer()
    session.lookup_async(main, [], SymbolState.READY, answer)
    assert answer.symbols == {}


def test_dylibs_are_known_by_name(session: ExecutionSession, main: JITDylib) -> None:
    assert session.dylib("main") is main
    assert session.dylibs == [main]
    with pytest.raises(DuplicateDylib):
        session.create_dylib("main")
    with pytest.raises(DylibNotFound):
        session.dylib("other")


def test_a_removed_dylib_is_gone_from_link_orders(
    session: ExecutionSession, main: JITDylib
) -> None:
    other = session.create_dylib("other")
    other.define_absolute({"x": at(1)})
    main.add_to_link_order(other)
    assert session.lookup(main, ["x"])
    session.remove_dylib(other)
    assert session.dylibs == [main]
    with pytest.raises(SymbolsNotFound):
        session.lookup(main, ["x"])
    with pytest.raises(DylibNotFound):
        session.remove_dylib(other)


def test_addresses_at_hand_start_nothing(session: ExecutionSession, main: JITDylib) -> None:
    other = session.create_dylib("other")
    main.add_to_link_order(other)
    asked: list[str] = []
    other.add_generator(lambda names: asked.extend(names) or {})
    unit = Kept("slow")
    main.define(unit)
    other.define_absolute({"far": at(1), "hidden": at(2, HIDDEN)})
    main.define_absolute({"near": at(3)})
    assert session.find_ready(main, ["near", "far"]) == [3, 1]
    assert session.find_ready(main, ["near", "slow"]) == [3, 0]
    assert session.find_ready(main, ["hidden"]) == [0]
    assert session.find_ready(main, ["nowhere"]) == [0]
    assert not asked and not unit.runs


def test_what_a_generator_defines_at_an_address_is_at_hand(
    session: ExecutionSession, main: JITDylib
) -> None:
    def generate(names: Sequence[str]) -> dict[str, ExecutorSymbolDef]:
        if "broken" in names:
            raise ValueError("broken")
        return {name: at(7) for name in names if name == "far"}

    main.add_generator(generate)
    main.define_absolute({"near": at(3)})
    assert session.find_ready(main, ["far", "near"]) == [0, 3]
    assert session.find_ready(main, ["far", "near", "none"], generate=True) == [7, 3, 0]
    assert session.find_ready(main, ["broken", "near"], generate=True) == [0, 3]


def test_a_busy_generator_is_not_waited_for(session: ExecutionSession, main: JITDylib) -> None:
    found: list[list[int]] = []

    def generate(names: Sequence[str]) -> dict[str, ExecutorSymbolDef]:
        if not found:
            found.append([])
            thread = threading.Thread(
                target=lambda: found.append(session.find_ready(main, ["other"], generate=True))
            )
            thread.start()
            thread.join()
        return {name: at(7) for name in names}

    main.add_generator(generate)
    assert session.lookup(main, ["one"])["one"].address == 7
    assert found == [[], [0]]
    session.verify_session()
    assert session.find_ready(main, ["other"]) == [7]  # its turn came
