"""Symbol tables: names that cost nothing until somebody asks for them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from lazyjit.core import (
    ExecutionSession,
    Found,
    JITDylib,
    LookupFlags,
    MaterializationResponsibility,
    SymbolState,
)
from lazyjit.errors import (
    DuplicateDefinition,
    FailedToMaterialize,
    InternalError,
    MissingDefinitions,
    SymbolsNotFound,
)
from lazyjit.symbols import SymbolFlags

from .making import (
    EXPORTED,
    HIDDEN,
    WEAK,
    Answer,
    Kept,
    Made,
    SeededDispatcher,
    Table,
    address_of,
    at,
    finish,
)

READY = SymbolState.READY


def lazily(*units: Made) -> dict[str, Found]:
    """Each unit's symbols, made by it."""
    found = {}
    for unit in units:
        make = _Giving(unit)
        for name, flags in unit.symbols.items():
            found[name] = Found(flags, None, make)
    return found


class _Giving:
    def __init__(self, unit: Made) -> None:
        self.unit = unit

    def __call__(self) -> Made:
        return self.unit


def test_adding_a_table_asks_it_nothing_and_makes_nothing(
    session: ExecutionSession, main: JITDylib
) -> None:
    unit = Made("f")
    table = Table(lazily(unit))
    main.add_table(table)
    assert table.asked == [] and unit.runs == 0
    assert main._symbols == {}


def test_a_symbol_at_an_address_is_ready_at_once(session: ExecutionSession, main: JITDylib) -> None:
    table = Table({"stub": Found(EXPORTED, 7), "hidden": Found(HIDDEN, 8)})
    main.add_table(table)
    assert session.lookup(main, ["stub", "hidden"]) == {"stub": at(7), "hidden": at(8, HIDDEN)}
    asked = len(table.asked)
    session.lookup(main, ["stub", "hidden"])
    assert len(table.asked) == asked
    with pytest.raises(SymbolsNotFound):
        session.lookup([(main, LookupFlags.EXPORTED_ONLY)], ["hidden"])


def test_names_that_no_table_has_are_asked_for_once(
    session: ExecutionSession, main: JITDylib
) -> None:
    process = session.create_dylib("process")
    process.define_absolute({"printf": at(1)})
    main.add_to_link_order(process)
    table = Table({"f": Found(EXPORTED, 7)})
    main.add_table(table)
    for _ in range(3):
        assert session.lookup(main, ["printf"])["printf"].address == 1
    assert table.asked == ["printf"]
    # ... until another table is added, which may have them.
    main.add_table(Table({"printf": Found(EXPORTED, 9)}, "second"))
    assert session.lookup(main, ["printf"])["printf"].address == 9


def test_a_tables_unit_is_made_on_demand_with_the_wanted_name(
    session: ExecutionSession, main: JITDylib
) -> None:
    f, g = Kept("f"), Kept("g")
    main.add_table(Table(lazily(f, g)))
    answer = Answer()
    session.lookup_async(main, ["f"], READY, answer)
    assert f.responsibility.symbols == {"f": EXPORTED} and g.runs == 0
    assert f.responsibility.requested_symbols == {"f"}
    f.resolve()
    f.emit()
    assert answer.symbols == {"f": at(address_of("f"))}


def test_names_of_one_unit_in_one_lookup_are_made_together(
    session: ExecutionSession, main: JITDylib
) -> None:
    unit = Kept("f", "g", "h")
    main.add_table(Table(lazily(unit)))
    session.lookup_async(main, ["f", "g"], READY, Answer())
    assert unit.responsibility.symbols.keys() == {"f", "g"}
    assert unit.responsibility.claim(dict.fromkeys("fgh", EXPORTED)) == {"f", "g", "h"}
    session.verify_session()
    unit.resolve()
    unit.emit()
    assert unit.runs == 1
    assert session.lookup(main, ["h"])


def test_a_claim_gets_only_what_nobody_else_has(session: ExecutionSession, main: JITDylib) -> None:
    f, g = Kept("f", "shared"), Kept("g", "shared")
    table = Table(lazily(f, g))
    main.add_table(table)
    for unit in (f, g):
        session.lookup_async(main, [unit.name[0]], READY, Answer())
    assert f.responsibility.claim({"shared": EXPORTED}) == {"shared"}
    assert g.responsibility.claim({"shared": EXPORTED, "f": EXPORTED}) == set()
    assert g.responsibility.claim({"fresh": EXPORTED}) == {"fresh"}
    for unit in (f, g):
        unit.resolve()
        unit.emit()
    assert session.lookup(main, ["f", "g", "shared", "fresh"])


def test_a_claim_takes_over_what_has_not_begun_with_whoever_waits(
    slow: ExecutionSession, queue: SeededDispatcher
) -> None:
    main = slow.create_dylib("main")
    first, second = Kept("f", "g"), Made("g")
    found = lazily(first, second)
    main.add_table(Table(found))
    user = Kept("user")
    main.define(user)
    answers = [Answer() for _ in range(4)]
    slow.lookup_async(main, ["user"], READY, answers[0])
    queue.run()
    slow.lookup_async(main, ["f"], READY, answers[1])
    slow.lookup_async(main, ["g"], READY, answers[2])
    slow.lookup_async(main, ["g"], SymbolState.RESOLVED, answers[3])
    user.resolve()
    user.emit("g")
    task, _ = queue.queue.pop(0)  # f's; g's is queued behind it
    found["f"]  # both come of one table
    task()
    assert first.responsibility.claim({"g": EXPORTED}) == {"g"}
    slow.verify_session()
    queue.run()
    assert second.runs == 0
    first.resolve()
    assert answers[3].symbols
    first.emit()
    assert all(answer.symbols for answer in answers)


def test_a_tables_unit_that_does_not_make_the_name_fails_it(
    session: ExecutionSession, main: JITDylib
) -> None:
    other = Made("other")
    main.add_table(Table({"f": Found(EXPORTED, None, lambda: other)}))
    with pytest.raises(FailedToMaterialize) as caught:
        session.lookup(main, ["f"])
    assert isinstance(caught.value.__cause__, MissingDefinitions)


def test_a_table_that_fails_to_make_a_unit_fails_the_name(
    session: ExecutionSession, main: JITDylib
) -> None:
    problem = ValueError("malformed")

    def make() -> Made:
        raise problem

    main.add_table(Table({"f": Found(EXPORTED, None, make)}))
    for _ in range(2):
        with pytest.raises(FailedToMaterialize) as caught:
            session.lookup(main, ["f"])
        assert caught.value.__cause__ is problem


def test_a_table_that_breaks_its_contract_fails_the_lookup_only(
    session: ExecutionSession, main: JITDylib
) -> None:
    class Broken(Table):
        def find_many(self, names: Sequence[str]) -> list[Found | None]:
            raise KeyError("broken")

    main.add_table(Broken({}))
    answer = Answer()
    session.lookup_async(main, ["f"], READY, answer)
    assert isinstance(answer.error, InternalError)
    with pytest.raises(InternalError):
        session.lookup(main, ["f"])
    other = session.create_dylib("other")
    other.define(Made("f"))
    assert session.lookup(other, ["f"])


def test_flags_come_from_tables_without_making_entries(
    session: ExecutionSession, main: JITDylib
) -> None:
    unit = Made("f", flags=WEAK)
    main.add_table(Table({**lazily(unit), "stub": Found(EXPORTED, 1)}))
    assert session.lookup_flags(main, ["f", "stub", "x"]) == {"f": WEAK, "stub": EXPORTED}
    assert main._symbols == {} and unit.runs == 0


# --- Clashes with tables.


def test_tables_may_not_have_a_strong_name_in_common(
    session: ExecutionSession, main: JITDylib
) -> None:
    main.add_table(Table({"a": Found(EXPORTED, 1), "b": Found(EXPORTED, 2)}))
    with pytest.raises(DuplicateDefinition) as caught:
        main.add_table(Table({"b": Found(EXPORTED, 3), "a": Found(EXPORTED, 4)}, "second"))
    assert (caught.value.symbol, caught.value.by) == ("a", "second")
    assert session.lookup(main, ["a"])["a"].address == 1


def test_a_table_is_compared_with_all_others_at_once(main: JITDylib) -> None:
    """Thousands of modules in a dylib are common where each kernel is one."""

    asked_of: list[Sequence[object]] = []

    class Asked(Table):
        def conflicts(self, others: Sequence[object]) -> list[str]:
            asked_of.append(others)
            return super().conflicts(others)

    tables = [Asked({f"name{i}": Found(EXPORTED, i)}) for i in range(5)]
    for table in tables:
        main.add_table(table)
    assert asked_of == [tables[:i] for i in range(5)]


def test_a_table_that_comes_during_a_comparison_is_compared_too(main: JITDylib) -> None:
    class Late(Table):
        def conflicts(self, others: Sequence[object]) -> list[str]:
            if self.found and not others:
                main.add_table(Table({"a": Found(EXPORTED, 1)}, "first"))
            return super().conflicts(others)

    with pytest.raises(DuplicateDefinition) as caught:
        main.add_table(Late({"a": Found(EXPORTED, 2)}, "late"))
    assert caught.value.by == "late"


def test_among_tables_a_strong_name_beats_a_weak_one_and_else_the_first_wins(
    session: ExecutionSession, main: JITDylib
) -> None:
    main.add_table(Table({"a": Found(WEAK, 1), "b": Found(WEAK, 2)}))
    main.add_table(Table({"a": Found(EXPORTED, 3), "b": Found(WEAK, 4)}))
    found = session.lookup(main, ["a", "b"])
    assert (found["a"].address, found["b"].address) == (3, 2)
    # Asked for, a weak one stays: now a strong one is too late.
    with pytest.raises(DuplicateDefinition):
        main.add_table(Table({"b": Found(EXPORTED, 5)}))


def test_units_and_tables_follow_the_same_rules(session: ExecutionSession, main: JITDylib) -> None:
    weak, strong = Made("u_weak", "other", flags=WEAK), Made("u_strong")
    main.define(weak)
    main.define(strong)
    with pytest.raises(DuplicateDefinition):
        main.add_table(Table({"u_strong": Found(EXPORTED, 1)}))
    main.add_table(
        Table(
            {
                "u_weak": Found(EXPORTED, 1),
                "u_strong": Found(WEAK, 2),
                "t_strong": Found(EXPORTED, 3),
                "t_weak": Found(WEAK, 4),
                "t_first": Found(WEAK, 5),
            }
        )
    )
    assert weak.discarded == ["u_weak"]
    with pytest.raises(DuplicateDefinition):
        main.define(Made("t_strong"))
    loser, winner = Made("t_strong", "t_first", flags=WEAK), Made("t_weak")
    main.define(loser)
    main.define(winner)
    assert loser.discarded == ["t_strong", "t_first"]
    main.define_absolute({"t_strong": at(99), "new": at(6)}, only_missing=True)
    found = session.lookup(main, ["u_weak", "t_strong", "t_first", "new", "other"])
    assert [found[n].address for n in ("u_weak", "t_strong", "t_first", "new")] == [1, 3, 5, 6]
    session.lookup(main, ["u_strong", "t_weak"])
    assert (strong.runs, winner.runs, weak.runs) == (1, 1, 1)


def test_weak_names_are_claimed_by_the_table_that_wins(
    session: ExecutionSession, main: JITDylib
) -> None:
    first = Kept("f", "w", flags=WEAK)
    second = Kept("g", "w", flags=WEAK)
    third = Kept("h", "s", flags=WEAK)
    main.add_table(Table(lazily(first), "first"))
    main.add_table(Table({**lazily(second)}, "second"))
    main.add_table(Table({**lazily(third), "s": Found(WEAK, None, lambda: third)}, "third"))
    main.add_table(Table({"s": Found(EXPORTED, 1)}, "fourth"))
    for name in "fgh":
        session.lookup_async(main, [name], READY, Answer())
    assert second.responsibility.claim({"w": WEAK}) == set()
    assert first.responsibility.claim({"w": WEAK}) == {"w"}
    assert third.responsibility.claim({"s": WEAK}) == set()
    for unit in (first, second, third):
        finish(unit.responsibility)
    assert session.lookup(main, ["w", "s"])["s"].address == 1


def test_a_tables_unit_with_an_init_symbol_keeps_it(
    session: ExecutionSession, main: JITDylib
) -> None:
    seen: list[str | None] = []

    class Initialized(Made):
        def materialize(self, responsibility: MaterializationResponsibility) -> None:
            seen.append(responsibility.init_symbol)
            super().materialize(responsibility)

    unit = Initialized("init", flags=SymbolFlags.SIDE_EFFECTS_ONLY, init_symbol="init")
    main.add_table(Table(lazily(unit)))
    assert session.lookup(main, [], weak=["init"]) == {}
    assert seen == ["init"]
