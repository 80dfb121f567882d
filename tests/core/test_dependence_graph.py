"""The native graph of who waits for whom, against a model that recomputes everything each time."""

from __future__ import annotations

import gc
import random
import weakref
from collections.abc import Callable

import pytest

from lazyjit.core import ExecutionSession, JITDylib, SymbolState, TaskClass
from lazyjit.core.dependence import DependenceGraph, new_graph
from lazyjit.core.entries import Effect, Failure, Work
from lazyjit.symbols import ExecutorSymbolDef, SymbolFlags

from .making import EXPORTED, Answer, Kept


class Thing:
    """What a node stands for in these tests."""


class Model:
    """Nodes with what they need, as (target, label) in order; ready is a question of reach."""

    def __init__(self) -> None:
        self.needs: dict[Thing, list[tuple[Thing, int]] | None] = {}  # None: not emitted
        self.edges: list[
            tuple[Thing, Thing, int]
        ] = []  # in the order in which they came to their targets

    def reached(self, start: Thing) -> set[Thing]:
        seen = {start}
        stack = [start]
        while stack:
            for target, _ in self.needs.get(stack.pop()) or ():
                if target in self.needs and target not in seen:
                    seen.add(target)
                    stack.append(target)
        return seen

    def emit(self, thing: Thing, needs: list[tuple[Thing, int]]) -> set[Thing]:
        self.needs[thing] = needs
        self.edges += [(thing, target, label) for target, label in needs if target is not thing]
        return {
            each
            for each, known in self.needs.items()
            if known is not None and all(self.needs[t] is not None for t in self.reached(each))
        }

    def failed_with(self, things: list[Thing]) -> set[Thing]:
        return {each for each in self.needs if not self.reached(each).isdisjoint(things)}

    def wanted(self, thing: Thing) -> list[int]:
        return [label for source, to, label in self.edges if to is thing and source in self.needs]

    def move(self, thing: Thing, needs: list[tuple[Thing, int]]) -> None:
        moved = [edge for edge in self.edges if edge[1] is thing and edge[0] in self.needs]
        self.edges = [edge for edge in self.edges if edge[1] is not thing]
        self.edges += [(edge[0], *need) for edge, need in zip(moved, needs, strict=True)]
        for source, known in self.needs.items():
            if known is not None:
                self.needs[source] = [(to, n) for s, to, n in self.edges if s is source]
        self.end({thing})

    def end(self, things: set[Thing]) -> None:
        for thing in things:
            del self.needs[thing]


class Pair:
    """A graph and its model, which take each step together."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.graph: DependenceGraph = new_graph()
        self.model = Model()
        self.numbers: dict[Thing, int] = {}

    def add(self) -> Thing:
        thing = Thing()
        self.numbers[thing] = self.graph.add(thing)  # type: ignore[arg-type]  # any object will do
        self.model.needs[thing] = None
        return thing

    def need(self, target: Thing, label: int) -> int:
        return self.numbers[target] | label << 32

    def unemitted(self) -> list[Thing]:
        return [thing for thing, needs in self.model.needs.items() if needs is None]

    def edges_to(self, targets: list[Thing], count: int) -> list[tuple[Thing, int]]:
        labels = (0, 1, 2, 2**32 - 1)
        return [(self.rng.choice(targets), self.rng.choice(labels)) for _ in range(count)]

    def emit(self, thing: Thing, needs: list[tuple[Thing, int]]) -> set[Thing]:
        numbers = [self.need(target, label) for target, label in needs]
        ready: list[Thing] = self.graph.emit(self.numbers[thing], numbers)  # type: ignore[assignment]
        assert set(ready) == self.model.emit(thing, needs)
        assert len(ready) == len(set(ready))
        for place, each in enumerate(ready):
            reached = self.model.reached(each)
            for later in ready[place + 1 :]:
                assert later not in reached or each in self.model.reached(later), "out of order"
        self.end(set(ready))
        return set(ready)

    def fail(self, things: list[Thing]) -> None:
        failed: list[Thing] = self.graph.fail([self.numbers[t] for t in things])  # type: ignore[assignment]
        assert set(failed) == self.model.failed_with(things)
        assert len(failed) == len(set(failed))
        self.end(set(failed))

    def move(self, thing: Thing, targets: list[Thing]) -> None:
        needs = self.edges_to(targets, len(self.model.wanted(thing)))
        moved = self.graph.move(self.numbers[thing], [self.need(*need) for need in needs])
        assert moved == [thing]
        self.model.move(thing, needs)
        del self.numbers[thing]

    def end(self, things: set[Thing]) -> None:
        self.model.end(things)
        for thing in things:
            del self.numbers[thing]

    def check(self) -> None:
        assert self.graph.check() is None
        held = {each for each in gc.get_referents(self.graph) if isinstance(each, Thing)}
        assert held == self.model.needs.keys()
        assert len(set(self.numbers.values())) == len(self.numbers)
        for thing in self.unemitted():
            assert self.graph.wanted(self.numbers[thing]) == self.model.wanted(thing)


def steps(pair: Pair, count: int, most: int) -> None:
    """Random steps on a graph of up to `most` nodes; few emissions keep it blocked for long."""
    rng = pair.rng
    for _ in range(count):
        nodes, unemitted = list(pair.model.needs), pair.unemitted()
        dice = rng.random()
        if not unemitted or (dice < 0.4 and len(nodes) < most):
            pair.add()
        elif dice < 0.85:
            pair.emit(rng.choice(unemitted), pair.edges_to(nodes, rng.choice((0, 1, 1, 2, 3, 40))))
        elif dice < 0.93 and len(unemitted) > 1:
            moved = unemitted.pop(rng.randrange(len(unemitted)))
            pair.move(moved, unemitted)
        elif dice < 0.97:
            pair.fail([rng.choice(nodes)])
        else:
            pair.fail(rng.sample(nodes, min(2, len(nodes))))
        pair.check()


@pytest.mark.parametrize("seed", range(150))
def test_every_step_gives_what_the_model_gives(seed: int) -> None:
    rng = random.Random(seed)
    steps(Pair(rng), 120, rng.choice([3, 6, 12, 30]))


@pytest.mark.parametrize("seed", range(2))
def test_a_graph_that_was_large_and_came_to_rest_goes_on(seed: int) -> None:
    pair = Pair(random.Random(seed))
    for _ in range(2):
        things = [pair.add() for _ in range(300)]
        for thing in things[1:]:
            pair.emit(thing, [(things[0], 0), (pair.rng.choice(things), 0)])
        if seed % 2:
            assert pair.emit(things[0], [(things[1], 0)]) == set(things)
        else:
            pair.fail([things[0]])
        pair.check()
        assert pair.numbers == {}
        steps(pair, 30, 10)
        pair.fail(list(pair.model.needs))


def test_numbers_are_given_anew() -> None:
    graph = new_graph()
    first, other = graph.add(Thing()), graph.add(Thing())  # type: ignore[arg-type]
    graph.fail([first])
    assert graph.add(Thing()) == first  # type: ignore[arg-type]
    assert graph.check() is None
    graph.fail([first, other])


@pytest.mark.parametrize("end", ["emit", "move", "fail", ""])
def test_what_is_over_is_let_go_of(end: str) -> None:
    graph = new_graph()
    thing = Thing()
    gone = weakref.ref(thing)
    number = graph.add(thing)  # type: ignore[arg-type]
    del thing
    assert gone() is not None
    if end == "fail":
        graph.fail([number])
    elif end:
        getattr(graph, end)(number, [])
    else:
        del graph
    assert gone() is None


@pytest.mark.parametrize(
    "misuse",
    [
        lambda graph, raw, emitted: graph.emit(0, []),
        lambda graph, raw, emitted: graph.emit(99, []),
        lambda graph, raw, emitted: graph.emit(2**32 + raw, []),
        lambda graph, raw, emitted: graph.emit(emitted, []),
        lambda graph, raw, emitted: graph.emit(raw, [emitted, 99]),
        lambda graph, raw, emitted: graph.move(emitted, []),
        lambda graph, raw, emitted: graph.move(raw, []),
        lambda graph, raw, emitted: graph.move(raw, [raw]),
        lambda graph, raw, emitted: graph.move(raw, [emitted]),
        lambda graph, raw, emitted: graph.fail([raw, 0]),
    ],
)
def test_wrong_numbers_are_refused_and_change_nothing(
    misuse: Callable[[DependenceGraph, int, int], object],
) -> None:
    graph = new_graph()
    raw, emitted = graph.add(Thing()), graph.add(Thing())  # type: ignore[arg-type]
    graph.emit(emitted, [raw | 7 << 32])
    with pytest.raises(ValueError):
        misuse(graph, raw, emitted)
    assert graph.check() is None
    assert graph.wanted(raw) == [7] and graph.wanted(emitted) == graph.wanted(99) == []
    assert len(graph.emit(raw, [])) == 2


@pytest.mark.parametrize(
    "misuse",
    [
        ("emit", 1),
        ("emit", 1, (1,)),
        ("emit", "1", []),
        ("fail", [1.5]),
        ("fail", [-1]),
        ("needs", 1, 2, 3, 4),
    ],
)
def test_other_arguments_are_refused(misuse: tuple[object, ...]) -> None:
    graph = new_graph()
    graph.add(Thing())  # type: ignore[arg-type]
    with pytest.raises((TypeError, OverflowError)):
        getattr(graph, str(misuse[0]))(*misuse[1:])
    assert graph.check() is None


# --- Names that are depended on.


def work_of(dylib: JITDylib, *names: str) -> Work:
    tracker = dylib.default_tracker
    return Work(dylib, tracker, "+".join(names), dict.fromkeys(names, EXPORTED))


@pytest.mark.parametrize("collection", [list, tuple, set, dict.fromkeys, iter])
def test_needs_are_found_by_name(
    session: ExecutionSession, main: JITDylib, collection: Callable[[list[str]], list[str]]
) -> None:
    own, one, many = work_of(main, "own"), work_of(main, "one"), work_of(main, "a", "b", "c")
    table = {
        "own": own,
        "one": one,
        **dict.fromkeys("abc", many),
        "ready": ExecutorSymbolDef(1, EXPORTED),
        "effect": Effect(SymbolFlags.SIDE_EFFECTS_ONLY),
        "failed": Failure(main, {"failed": EXPORTED}, None),
    }
    needs: list[int] = []
    others = session._graph.needs(own, table, collection([*table, "missing"]), needs)
    assert sorted(others) == ["failed", "missing"]
    assert set(needs) == {one.node, *(many.node | place << 32 for place in range(3))}
    assert one.places is None and many.places == {"a": 0, "b": 1, "c": 2} and own.node == 0
    session._graph.fail([one.node, many.node])


def test_a_name_that_can_not_be_looked_up_raises(session: ExecutionSession, main: JITDylib) -> None:
    with pytest.raises(TypeError):
        session._graph.needs(work_of(main, "own"), {}, [[]], [])  # type: ignore[list-item]
    with pytest.raises(TypeError):
        session._graph.needs(work_of(main, "own"), {}, None, [])  # type: ignore[arg-type]


def test_labels_stay_when_a_work_grows(session: ExecutionSession, main: JITDylib) -> None:
    """What one depended on when the work had that name alone is still that name later."""
    maker, early, late, rest = Kept("x"), Kept("early"), Kept("late"), Kept("rest")
    for unit in (maker, early, late, rest):
        main.define(unit)
    answers = {name: Answer() for name in ("early", "late", "x")}
    for name, answer in answers.items():
        session.lookup_async(main, [name], SymbolState.READY, answer)
    for unit in (maker, early, late):
        unit.resolve()
    early.emit("x")
    maker.responsibility.claim({"y": EXPORTED, "z": EXPORTED})
    late.emit("z")
    assert maker.responsibility.requested_symbols == {"x", "z"}
    session.verify_session()
    part = maker.responsibility.delegate(["z"])
    assert part.requested_symbols == {"z"} and maker.responsibility.requested_symbols == {"x"}
    session.verify_session()
    part.notify_resolved({"z": ExecutorSymbolDef(1, EXPORTED)})
    part.notify_emitted()
    assert answers["late"].symbols and not answers["early"].told


def test_a_session_with_blocked_units_is_garbage_like_any_other() -> None:
    class Hoarder:
        """Runs what it is told to, and keeps the rest."""

        def __init__(self) -> None:
            self.tasks: list[Callable[[], None]] = []

        def dispatch(self, task: Callable[[], None], klass: TaskClass = TaskClass.DEMAND) -> None:
            self.tasks.append(task)

        def wait_for(self, completion: object) -> None: ...

        def close(self) -> None: ...

    dispatcher = Hoarder()
    session = ExecutionSession(dispatcher)
    main = session.create_dylib("main")
    blocked, never = Kept("blocked"), Kept("never")
    main.define(blocked)
    main.define(never)
    session.lookup_async(main, ["blocked", "never"], SymbolState.READY, Answer())
    dispatcher.tasks.pop(0)()
    blocked.resolve()
    blocked.emit("never")
    assert len(gc.get_referents(session._graph)) > 2
    gone = weakref.ref(session)
    del session, main, blocked, never, dispatcher
    gc.collect()
    assert gone() is None
