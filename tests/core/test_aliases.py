"""Aliases, reexports and lazy reexports."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from lazyjit.core import (
    Body,
    ExecutionSession,
    JITDylib,
    LookupFlags,
    MaterializationResponsibility,
    ReExportsGenerator,
    SymbolAlias,
    SymbolState,
    lazy_reexports,
    reexports,
    simple_aliases,
    symbol_aliases,
)
from lazyjit.errors import FailedToMaterialize, LazyJITError, LinkError, SymbolsNotFound
from lazyjit.symbols import SymbolFlags

from .making import EXPORTED, HIDDEN, Answer, Kept, Made, Raising, address_of, at

READY = SymbolState.READY


def alias(aliasee: str, flags: SymbolFlags = EXPORTED) -> SymbolAlias:
    return SymbolAlias(aliasee, flags)


@pytest.fixture
def other(session: ExecutionSession) -> JITDylib:
    return session.create_dylib("other")


def test_an_alias_has_its_aliasees_address_and_flags_of_its_own(
    session: ExecutionSession, main: JITDylib
) -> None:
    main.define(Made("f", flags=HIDDEN))
    main.define(symbol_aliases({"g": alias("f", EXPORTED | SymbolFlags.CALLABLE)}))
    assert session.lookup(main, ["g"]) == {
        "g": at(address_of("f"), EXPORTED | SymbolFlags.CALLABLE)
    }


def test_only_wanted_aliases_look_up_what_they_stand_for(
    session: ExecutionSession, main: JITDylib, other: JITDylib
) -> None:
    f, g = Made("f"), Made("g")
    other.define(f)
    other.define(g)
    main.define(reexports(other, {"my_f": alias("f"), "my_g": alias("g")}))
    session.lookup(main, ["my_f"])
    assert (f.runs, g.runs) == (1, 0)
    assert session.lookup(main, ["my_g"])["my_g"].address == address_of("g")


def test_reexports_see_only_exported_symbols_unless_told_otherwise(
    session: ExecutionSession, main: JITDylib, other: JITDylib
) -> None:
    other.define(Made("f", flags=HIDDEN))
    main.define(reexports(other, {"no": alias("f")}))
    main.define(reexports(other, {"yes": alias("f")}, LookupFlags.ALL_SYMBOLS))
    assert session.lookup(main, ["yes"])
    with pytest.raises(FailedToMaterialize) as caught:
        session.lookup(main, ["no"])
    assert isinstance(caught.value.__cause__, SymbolsNotFound)


def test_a_chain_of_aliases_resolves_from_its_end(
    session: ExecutionSession, main: JITDylib
) -> None:
    main.define(Made("a0"))
    main.define(symbol_aliases({f"a{i + 1}": alias(f"a{i}") for i in range(200)}))
    assert session.lookup(main, ["a200"])["a200"].address == address_of("a0")
    # All in one lookup, where aliasees are wanted as well.
    main.define(symbol_aliases({f"b{i + 1}": alias(f"b{i}") for i in range(50)}))
    main.define(Made("b0"))
    found = session.lookup(main, [f"b{i}" for i in range(51)])
    assert {symbol.address for symbol in found.values()} == {address_of("b0")}


@pytest.mark.parametrize("names", [["a"], ["b"], ["a", "b", "c"]])
def test_a_circle_of_aliases_is_an_error_that_shows_it(
    session: ExecutionSession, main: JITDylib, names: list[str]
) -> None:
    main.define(symbol_aliases({"a": alias("b"), "b": alias("c"), "c": alias("a")}))
    with pytest.raises(FailedToMaterialize) as caught:
        session.lookup(main, names)
    assert isinstance(caught.value.__cause__, LinkError)
    assert "main:a -> main:b" in str(caught.value.__cause__)


def test_a_circle_of_reexports_across_dylibs_is_an_error(
    session: ExecutionSession, main: JITDylib, other: JITDylib
) -> None:
    main.define(reexports(other, {"x": alias("y")}))
    other.define(reexports(main, {"y": alias("x")}))
    with pytest.raises(FailedToMaterialize) as caught:
        session.lookup(other, ["y"])
    assert "main:x -> other:y -> main:x" in str(caught.value.__cause__)
    assert session._alias_steps == {}


def test_an_alias_of_itself_is_a_circle(session: ExecutionSession, main: JITDylib) -> None:
    main.define(symbol_aliases({"a": alias("a")}))
    with pytest.raises(FailedToMaterialize, match="main:a -> main:a"):
        session.lookup(main, ["a"])


def test_one_bad_aliasee_does_not_spoil_the_other_aliases(
    session: ExecutionSession, main: JITDylib
) -> None:
    main.define(Made("f"))
    main.define(Raising("bad"))
    main.define(
        symbol_aliases({"good": alias("f"), "lost": alias("nowhere"), "broken": alias("bad")})
    )
    answers = {name: Answer() for name in ("good", "lost", "broken")}
    session.lookup_async(main, [], READY, lambda symbols, error: None, weak=list(answers))
    for name, answer in answers.items():
        session.lookup_async(main, [name], READY, answer)
    assert answers["good"].symbols and answers["lost"].error and answers["broken"].error
    assert isinstance(answers["lost"].error.__cause__, SymbolsNotFound)
    assert isinstance(answers["broken"].error.__cause__, ValueError)


def test_an_alias_is_resolved_and_ready_with_its_aliasee(
    session: ExecutionSession, main: JITDylib
) -> None:
    unit, need = Kept("f"), Kept("need")
    for each in (unit, need):
        main.define(each)
    main.define(symbol_aliases({"g": alias("f")}))
    resolved, ready = Answer(), Answer()
    session.lookup_async(main, ["need"], READY, Answer())
    session.lookup_async(main, ["g"], SymbolState.RESOLVED, resolved)
    session.lookup_async(main, ["g"], READY, ready)
    unit.resolve()
    assert resolved.symbols == {"g": at(address_of("f"))} and not ready.told
    unit.emit("need")
    assert not ready.told
    need.resolve()
    need.emit()
    assert ready.symbols


def test_an_alias_fails_with_its_aliasee(session: ExecutionSession, main: JITDylib) -> None:
    unit = Kept("f")
    main.define(unit)
    main.define(symbol_aliases({"g": alias("f")}))
    ready = Answer()
    session.lookup_async(main, ["g"], READY, ready)
    unit.resolve()
    problem = ValueError("late")
    unit.responsibility.fail_materialization(problem)
    assert isinstance(ready.error, FailedToMaterialize) and ready.error.__cause__ is problem


def test_simple_aliases_take_their_flags_from_the_source(
    session: ExecutionSession, main: JITDylib, other: JITDylib
) -> None:
    unit = Made("f", flags=EXPORTED | SymbolFlags.CALLABLE)
    other.define(unit)
    main.define(reexports(other, simple_aliases(other, ["f"])))
    assert unit.runs == 0
    assert session.lookup(main, ["f"])["f"].flags == EXPORTED | SymbolFlags.CALLABLE
    with pytest.raises(SymbolsNotFound):
        simple_aliases(other, ["nowhere"])


def test_a_generator_reexports_what_the_other_dylib_has(
    session: ExecutionSession, main: JITDylib, other: JITDylib
) -> None:
    for name in ("f", "g", "unwanted"):
        other.define(Made(name))
    main.add_generator(ReExportsGenerator(other, filter=lambda name: name != "unwanted"))
    assert session.lookup(main, ["f", "g"])["g"].address == address_of("g")
    with pytest.raises(SymbolsNotFound):
        session.lookup(main, ["unwanted"])


# --- Lazy reexports.


class Manager:
    """Stubs that are numbers, called by hand."""

    def __init__(self) -> None:
        self.bodies: dict[int, Body] = {}
        self.targets: dict[int, int | LazyJITError | None] = {}
        self.keys: list[int] = []

    def create_stubs(
        self, responsibility: MaterializationResponsibility, bodies: Mapping[str, Body]
    ) -> dict[str, int]:
        stubs = {}
        for name, body in bodies.items():
            stubs[name] = 0x100 + len(self.bodies)
            self.bodies[stubs[name]] = body
            responsibility.with_resource_key(self.keys.append)
        return stubs

    def call(self, stub: int) -> None:
        def landed(address: int | None, error: LazyJITError | None) -> None:
            self.targets[stub] = address if error is None else error

        self.bodies[stub].find(landed)


def test_a_lazy_reexport_is_ready_before_its_body_is_made(
    session: ExecutionSession, main: JITDylib, other: JITDylib
) -> None:
    body, unused, manager = Made("f$body", flags=HIDDEN), Made("g$body"), Manager()
    other.define(body)
    other.define(unused)
    main.define(lazy_reexports(manager, other, {"f": alias("f$body"), "g": alias("g$body")}))
    stub = session.lookup(main, ["f"])["f"].address
    assert list(manager.bodies) == [stub] and manager.keys == [main.default_tracker.key]
    assert body.runs == 0
    manager.call(stub)
    assert manager.targets == {stub: address_of("f$body")}
    manager.call(stub)
    assert (body.runs, unused.runs) == (1, 0)
    assert session.lookup(main, ["f", "g"])["f"].address == stub
    assert len(manager.bodies) == 2


def test_a_first_call_learns_why_there_is_no_body(
    session: ExecutionSession, main: JITDylib, other: JITDylib
) -> None:
    manager = Manager()
    other.define(Raising("bad"))
    main.define(lazy_reexports(manager, other, {"f": alias("bad"), "g": alias("nowhere")}))
    found = session.lookup(main, ["f", "g"])
    for name, kind in (("f", FailedToMaterialize), ("g", SymbolsNotFound)):
        manager.call(found[name].address)
        assert isinstance(manager.targets[found[name].address], kind)


def test_a_manager_that_raises_fails_the_names(
    session: ExecutionSession, main: JITDylib, other: JITDylib
) -> None:
    class Full(Manager):
        def create_stubs(
            self, responsibility: MaterializationResponsibility, bodies: Mapping[str, Body]
        ) -> dict[str, int]:
            raise MemoryError

    main.define(lazy_reexports(Full(), other, {"f": alias("f")}))
    with pytest.raises(FailedToMaterialize):
        session.lookup(main, ["f"])
