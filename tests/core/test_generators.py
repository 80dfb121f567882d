"""Generators: definitions that come during a lookup, also when several lookups meet there."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import pytest

from lazyjit.core import (
    CallableGenerator,
    DefinitionGenerator,
    ExecutionSession,
    JITDylib,
    LookupFlags,
    LookupKind,
    ProcessSymbols,
    SharedLibrary,
    SymbolState,
)
from lazyjit.errors import FailedToMaterialize, LibraryNotFound, SymbolsNotFound, UsageError
from lazyjit.symbols import ExecutorSymbolDef, SymbolFlags

from .making import HIDDEN, Answer, Made, SeededDispatcher, Stage, address_of, at

READY = SymbolState.READY


class Inventing(DefinitionGenerator):
    """Defines every name that it is asked for, and remembers the questions."""

    def __init__(self, *known: str) -> None:
        self.known = known
        self.asked: list[list[str]] = []

    def try_to_generate(
        self, kind: LookupKind, dylib: JITDylib, lookup_flags: LookupFlags, names: Sequence[str]
    ) -> None:
        self.asked.append(sorted(names))
        for name in names:
            if not self.known or name in self.known:
                dylib.define(Made(name))


def test_a_generator_is_asked_for_what_is_missing_and_once(
    session: ExecutionSession, main: JITDylib
) -> None:
    generator = main.add_generator(Inventing())
    assert isinstance(generator, Inventing)
    main.define(Made("there"))
    for _ in range(2):
        assert session.lookup(main, ["there", "x", "y"]).keys() == {"there", "x", "y"}
    assert generator.asked == [["x", "y"]]


def test_what_no_generator_knows_is_missing(session: ExecutionSession, main: JITDylib) -> None:
    one, two = Inventing("a"), Inventing("b")
    main.add_generator(one)
    main.add_generator(two)
    with pytest.raises(SymbolsNotFound) as caught:
        session.lookup(main, ["a", "b", "c"])
    assert caught.value.symbols == ["c"]
    assert (one.asked, two.asked) == ([["a", "b", "c"]], [["b", "c"]])
    assert session.lookup(main, ["a", "b"], weak=["d"]).keys() == {"a", "b"}
    main.remove_generator(one)
    with pytest.raises(SymbolsNotFound):
        session.lookup(main, ["other"])
    assert len(one.asked) == 2


def test_generators_of_earlier_dylibs_go_before_later_dylibs(
    session: ExecutionSession, main: JITDylib
) -> None:
    other = session.create_dylib("other")
    main.add_to_link_order(other)
    main.add_generator(lambda names: {"x": at(1)} if "x" in names else {})
    other.define_absolute({"x": at(2), "y": at(3)})
    found = session.lookup(main, ["x", "y"])
    assert (found["x"].address, found["y"].address) == (1, 3)


def test_a_hidden_symbol_is_not_generated_anew(session: ExecutionSession, main: JITDylib) -> None:
    main.define_absolute({"x": at(1, HIDDEN)})
    generator = main.add_generator(Inventing())
    assert isinstance(generator, Inventing)
    with pytest.raises(SymbolsNotFound):
        session.lookup([(main, LookupFlags.EXPORTED_ONLY)], ["x"])
    assert generator.asked == []


def test_flags_lookups_run_generators_too(session: ExecutionSession, main: JITDylib) -> None:
    main.add_generator(Inventing("x"))
    assert session.lookup_flags(main, ["x", "y"]) == {"x": SymbolFlags.EXPORTED}


def test_a_generator_that_raises_fails_that_lookup_only(
    session: ExecutionSession, main: JITDylib
) -> None:
    problems: list[Exception] = [ValueError("odd"), UsageError("mine")]

    def find(names: Sequence[str]) -> dict[str, ExecutorSymbolDef]:
        if problems:
            raise problems[0]
        return {name: at(address_of(name)) for name in names}

    main.add_generator(CallableGenerator(find))
    with pytest.raises(FailedToMaterialize) as caught:
        session.lookup(main, ["x"])
    assert caught.value.__cause__ is problems.pop(0)
    with pytest.raises(UsageError, match="mine"):
        session.lookup(main, ["x"])
    problems.clear()
    assert session.lookup(main, ["x"])["x"].address == address_of("x")


def test_an_interrupted_generator_lets_others_in(session: ExecutionSession, main: JITDylib) -> None:
    class Interrupted(Inventing):
        def try_to_generate(
            self, kind: LookupKind, dylib: JITDylib, lookup_flags: LookupFlags, names: Sequence[str]
        ) -> None:
            if not self.asked:
                self.asked.append([])
                raise KeyboardInterrupt
            super().try_to_generate(kind, dylib, lookup_flags, names)

    main.add_generator(Interrupted())
    with pytest.raises(KeyboardInterrupt):
        session.lookup(main, ["x"])
    assert session.lookup(main, ["x"])


def test_a_generators_own_lookups_pass_it_by(session: ExecutionSession, main: JITDylib) -> None:
    main.define(Made("there"))

    class Looking(Inventing):
        def try_to_generate(
            self, kind: LookupKind, dylib: JITDylib, lookup_flags: LookupFlags, names: Sequence[str]
        ) -> None:
            assert session.lookup(dylib, ["there"], weak=["nowhere"]).keys() == {"there"}
            assert session.lookup_flags(dylib, names) == {}
            super().try_to_generate(kind, dylib, lookup_flags, names)

    main.add_generator(Looking())
    assert session.lookup(main, ["x"])


def test_a_lookup_says_what_it_is_for(session: ExecutionSession, main: JITDylib) -> None:
    kinds = []

    class Noting(Inventing):
        def try_to_generate(
            self, kind: LookupKind, dylib: JITDylib, lookup_flags: LookupFlags, names: Sequence[str]
        ) -> None:
            kinds.append((kind, lookup_flags))
            super().try_to_generate(kind, dylib, lookup_flags, names)

    main.add_generator(Noting())
    session.lookup(main, ["x"])
    session.lookup([(main, LookupFlags.EXPORTED_ONLY)], ["y"], kind=LookupKind.DLSYM)
    assert kinds == [
        (LookupKind.STATIC, LookupFlags.ALL_SYMBOLS),
        (LookupKind.DLSYM, LookupFlags.EXPORTED_ONLY),
    ]


@pytest.mark.parametrize("seed", range(30))
def test_lookups_that_meet_take_turns_and_define_nothing_twice(seed: int) -> None:
    stage = Stage(seed)
    session = stage.session
    main = session.create_dylib("main")
    inside = [0]
    asked: list[str] = []

    class Exclusive(DefinitionGenerator):
        def try_to_generate(
            self, kind: LookupKind, dylib: JITDylib, lookup_flags: LookupFlags, names: Sequence[str]
        ) -> None:
            inside[0] += 1
            assert inside[0] == 1, "two lookups are in one generator"
            stage.pause()
            if "bad" in names:
                inside[0] -= 1
                raise ValueError("bad")
            for name in names:
                asked.append(name)
                dylib.define(Made(name))
                stage.pause()
            inside[0] -= 1

    main.add_generator(Exclusive())
    answers = [Answer() for _ in range(3)]

    def blocking() -> None:
        assert session.lookup(main, ["x", "y"]).keys() == {"x", "y"}

    def failing() -> None:
        with pytest.raises(FailedToMaterialize):
            session.lookup(main, ["bad"])

    def queued() -> None:
        for answer, names in zip(answers, (["x"], ["z"], ["y", "w"]), strict=True):
            session.lookup_async(main, names, READY, answer)

    stage.run(blocking, failing, queued, blocking)
    assert all(answer.symbols for answer in answers)
    assert sorted(asked) == ["w", "x", "y", "z"]
    session.verify_session()


def test_closing_fails_lookups_that_wait_for_their_turn(
    slow: ExecutionSession, queue: SeededDispatcher
) -> None:
    main = slow.create_dylib("main")
    answers = [Answer(), Answer()]

    class Closing(Inventing):
        def try_to_generate(
            self, kind: LookupKind, dylib: JITDylib, lookup_flags: LookupFlags, names: Sequence[str]
        ) -> None:
            if len(names) == 1:
                slow._stage.generating = ()  # so that the next meets this one, as from elsewhere
                slow.lookup_async(main, ["x", "y"], READY, answers[1])
                assert not answers[1].told
                slow.close()

    main.add_generator(Closing())
    slow.lookup_async(main, ["x"], READY, answers[0])
    queue.run()
    assert all(answer.error is not None for answer in answers)


def test_process_symbols_are_those_of_the_process(
    session: ExecutionSession, main: JITDylib
) -> None:
    main.add_generator(ProcessSymbols(filter=lambda name: name != "free"))
    found = session.lookup(main, ["malloc", "strlen"], weak=["no_such_symbol", "nul\0name"])
    assert found.keys() == {"malloc", "strlen"}
    assert found["malloc"].flags == SymbolFlags.EXPORTED | SymbolFlags.ABSOLUTE
    strlen = ctypes.CFUNCTYPE(ctypes.c_size_t, ctypes.c_char_p)(found["strlen"].address)
    assert strlen(b"four") == 4
    with pytest.raises(SymbolsNotFound):
        session.lookup(main, ["free"])


def test_a_shared_library_gives_its_symbols(session: ExecutionSession, main: JITDylib) -> None:
    generator = SharedLibrary("libm.so.6", filter=lambda name: name.startswith("co"))
    main.add_generator(generator)
    cos = session.lookup(main, ["cos"])["cos"].address
    assert ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(cos)(0.0) == 1.0
    with pytest.raises(SymbolsNotFound):
        session.lookup(main, ["sin"])
    assert generator.path == "libm.so.6"


def test_a_library_that_is_not_there_is_a_typed_error() -> None:
    with pytest.raises(LibraryNotFound, match="no/such/library"):
        SharedLibrary("no/such/library.so")
