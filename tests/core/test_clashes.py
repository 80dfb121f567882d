"""Second definitions of a name: which is an error, which gives way, and who is told."""

from __future__ import annotations

import pytest

from lazyjit.core import (
    ExecutionSession,
    JITDylib,
    MaterializationResponsibility,
    SymbolState,
)
from lazyjit.errors import DuplicateDefinition, SymbolsNotFound
from lazyjit.symbols import SymbolFlags

from .making import EXPORTED, WEAK, Kept, Made, SeededDispatcher, at

COMMON = EXPORTED | SymbolFlags.COMMON


def test_a_second_strong_definition_is_refused_with_nothing_changed(
    session: ExecutionSession, main: JITDylib
) -> None:
    first, second = Made("f"), Made("g", "f")
    main.define(first)
    with pytest.raises(DuplicateDefinition) as caught:
        main.define(second)
    assert (caught.value.symbol, caught.value.dylib, caught.value.by) == ("f", "main", "g+f")
    with pytest.raises(SymbolsNotFound):
        session.lookup(main, ["g"])
    assert session.lookup(main, ["f"]) and first.runs == 1
    with pytest.raises(DuplicateDefinition):
        main.define_absolute({"f": at(1)})


@pytest.mark.parametrize("flags", [WEAK, COMMON])
def test_a_strong_definition_overrides_a_weak_one_that_nobody_asked_for(
    session: ExecutionSession, main: JITDylib, flags: SymbolFlags
) -> None:
    weak, strong = Made("f", "g", flags=flags), Made("f")
    main.define(weak)
    main.define(strong)
    assert weak.discarded == ["f"]
    assert weak.symbols == {"g": flags}
    session.lookup(main, ["f", "g"])
    assert (weak.runs, strong.runs) == (1, 1)


def test_a_weak_definition_loses_to_any_that_is_there(
    session: ExecutionSession, main: JITDylib
) -> None:
    first, second, third = Made("f", flags=WEAK), Made("f", "g", flags=WEAK), Made("g", flags=WEAK)
    for unit in (first, second, third):
        main.define(unit)
    assert (first.discarded, second.discarded, third.discarded) == ([], ["f"], ["g"])
    session.lookup(main, ["f", "g"])
    assert (first.runs, second.runs, third.runs) == (1, 1, 0)


def test_a_weak_definition_that_was_asked_for_stays(
    session: ExecutionSession, main: JITDylib
) -> None:
    main.define(Made("f", flags=WEAK))
    session.lookup(main, ["f"])
    with pytest.raises(DuplicateDefinition):
        main.define(Made("f"))
    late = Made("f", flags=WEAK)
    main.define(late)
    assert late.discarded == ["f"]


def test_a_weak_definition_being_made_stays(
    slow: ExecutionSession, queue: SeededDispatcher
) -> None:
    main = slow.create_dylib("main")
    main.define(Made("f", "g", flags=WEAK))
    slow.lookup_async(main, ["g"], SymbolState.READY, lambda symbols, error: None)
    with pytest.raises(DuplicateDefinition):
        main.define(Made("f"))
    queue.run()


def test_weak_absolute_symbols_can_be_overridden_until_asked_for(
    session: ExecutionSession, main: JITDylib
) -> None:
    main.define_absolute({"f": at(1, WEAK), "g": at(2, WEAK)})
    main.define(Made("f"))
    assert session.lookup(main, ["g"])["g"].address == 2
    assert session.lookup(main, ["f"])["f"].address != 1
    with pytest.raises(DuplicateDefinition):
        main.define_absolute({"g": at(3)})


def test_a_generator_leaves_alone_what_is_there_by_now(
    session: ExecutionSession, main: JITDylib
) -> None:
    main.define_absolute({"f": at(1)})
    main.define_absolute({"f": at(2), "g": at(3)}, only_missing=True)
    found = session.lookup(main, ["f", "g"])
    assert [found[name].address for name in "fg"] == [1, 3]


def test_a_unit_hears_of_discards_before_it_materializes(
    slow: ExecutionSession, queue: SeededDispatcher
) -> None:
    """Here the lookup comes while `discard` runs, which nothing but the session can put off."""
    main = slow.create_dylib("main")
    events: list[str] = []

    class Weak(Made):
        def discard(self, dylib: JITDylib, name: str) -> None:
            slow.lookup_async(main, ["g"], SymbolState.READY, lambda symbols, error: None)
            queue.run()
            events.append(f"discard {name}")

        def materialize(self, responsibility: MaterializationResponsibility) -> None:
            events.append("materialize " + " ".join(responsibility.symbols))
            super().materialize(responsibility)

    main.define(Weak("f", "g", flags=WEAK))
    main.define(Made("f"))
    queue.run()
    assert events == ["discard f", "materialize g"]


def test_a_discard_that_raises_is_reported(
    session: ExecutionSession, main: JITDylib, reports: list[BaseException]
) -> None:
    class Weak(Made):
        def discard(self, dylib: JITDylib, name: str) -> None:
            raise RuntimeError(name)

    main.define(Weak("f", "g", flags=WEAK))
    main.define(Made("f"))
    assert [str(error) for error in reports] == ["f"]
    assert session.lookup(main, ["f", "g"])


def test_claiming_follows_the_same_rules(session: ExecutionSession, main: JITDylib) -> None:
    unit, weak, strong = Kept("f"), Made("weak", flags=WEAK), Made("strong")
    for each in (unit, weak, strong):
        main.define(each)
    session.lookup_async(main, ["f"], SymbolState.READY, lambda symbols, error: None)
    with pytest.raises(DuplicateDefinition):
        unit.responsibility.claim({"new": EXPORTED, "weak": EXPORTED, "strong": EXPORTED})
    assert unit.responsibility.symbols == {"f": EXPORTED}
    assert unit.responsibility.claim({"strong": WEAK, "new": WEAK}) == {"new"}
    assert unit.responsibility.claim({"weak": EXPORTED, "new": WEAK}) == {"weak", "new"}
    assert weak.discarded == ["weak"]
    assert unit.responsibility.symbols.keys() == {"f", "weak", "new"}
    unit.resolve()
    unit.emit()
    assert session.lookup(main, ["f", "new", "weak", "strong"])
    assert (weak.runs, strong.runs) == (0, 1)
