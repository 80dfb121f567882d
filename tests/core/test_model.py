"""The session against a model of it: whatever is done, in whatever order, both say the same.

The model keeps units and who needs whom, and computes what is ready by following the needs; it
knows nothing of queues, trees or locks. Hypothesis looks for a sequence of steps on which the
session differs, with its invariants checked after each, and shrinks what it finds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from lazyjit.core import ExecutionSession, JITDylib, ResourceTracker, SymbolState
from lazyjit.errors import (
    DuplicateDefinition,
    FailedToMaterialize,
    LazyJITError,
    SymbolRemoved,
    SymbolsNotFound,
    UsageError,
)

from .making import EXPORTED, WEAK, Answer, Kept, SeededDispatcher, resolved

NAMES = "abcdefgh"
Name = tuple[int, str]  # dylib and symbol


@dataclass(eq=False)
class ModelUnit:
    unit: Kept
    dylib: int
    tracker: int
    weak: bool
    stage: str = "untouched"  # asked, making, resolved, emitted, ready, failed, removed
    needs: set[ModelUnit] = field(default_factory=set)

    def reaches(self) -> set[ModelUnit]:
        seen, stack = {self}, [self]
        while stack:
            for need in stack.pop().needs:
                if need.stage not in ("ready", "gone") and need not in seen:
                    seen.add(need)
                    stack.append(need)
        return seen


@dataclass(eq=False)
class ModelQuery:
    answer: Answer
    state: SymbolState
    waits: dict[Name, ModelUnit]
    outcome: str | None = None  # "found", or the error's class


class SessionMachine(RuleBasedStateMachine):
    """Two dylibs, three trackers in each, units that are moved on by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = SeededDispatcher()
        self.session = ExecutionSession(self.queue)
        self.dylibs = [self.session.create_dylib(name) for name in ("one", "two")]
        self.trackers: list[list[ResourceTracker]] = [
            [dylib.create_tracker() for _ in range(3)] for dylib in self.dylibs
        ]
        self.symbols: dict[Name, ModelUnit] = {}
        self.units: list[ModelUnit] = []
        self.queries: list[ModelQuery] = []

    def teardown(self) -> None:
        self.session.close()
        self.session.verify_session()
        assert all(query.answer.told == 1 for query in self.queries)

    # --- The model's own consequences.

    def settle(self) -> None:
        """Derive what is ready and what has failed, and what queries it answers."""
        while True:
            doomed = [
                unit
                for unit in self.units
                if unit.stage == "emitted"
                and any(need.stage in ("failed", "removed") for need in unit.reaches())
            ]
            if not doomed:
                break
            for unit in doomed:
                unit.stage = "failed"
        ready = [
            unit
            for unit in self.units
            if unit.stage == "emitted" and all(n.stage == "emitted" for n in unit.reaches())
        ]
        for unit in ready:
            unit.stage = "ready"
        enough = {
            SymbolState.RESOLVED: ("resolved", "emitted", "ready"),
            SymbolState.READY: ("ready",),
        }
        for query in self.queries:
            if query.outcome is not None:
                continue
            query.waits = {
                name: unit
                for name, unit in query.waits.items()
                if unit.stage not in enough[query.state]
            }
            stages = {unit.stage for unit in query.waits.values()}
            if "removed" in stages or "failed" in stages:
                query.outcome = "failed"
            elif not stages:
                query.outcome = "found"

    def some(self, number: int, *stages: str) -> ModelUnit | None:
        units = [unit for unit in self.units if unit.stage in stages]
        return units[number % len(units)] if units else None

    # --- What can happen.

    @initialize(groups=st.lists(st.sets(st.sampled_from(NAMES), min_size=1, max_size=2)))
    def begin_with_some_at_work(self, groups: list[set[str]]) -> None:
        """So that there are circles to be closed before the first unit is defined by chance."""
        for number, names in enumerate(groups):
            self.define(number % 2, number % 3, names, False)
        for dylib in (0, 1):
            names = {name for d, name in self.symbols if d == dylib}
            if names:
                self.look_up(dylib, names, SymbolState.READY, False)
        while self.queue.queue:
            self.run_a_task()
        for _ in groups:
            self.resolve(0)

    @rule(
        dylib=st.integers(0, 1),
        tracker=st.integers(0, 2),
        names=st.sets(st.sampled_from(NAMES), min_size=1, max_size=3),
        weak=st.booleans(),
    )
    def define(self, dylib: int, tracker: int, names: set[str], weak: bool) -> None:
        unit = Kept(*sorted(names), flags=WEAK if weak else EXPORTED)
        there = {name: self.symbols.get((dylib, name)) for name in names}
        clash = not weak and any(
            other is not None and not (other.weak and other.stage == "untouched")
            for other in there.values()
        )
        try:
            self.dylibs[dylib].define(unit, self.trackers[dylib][tracker])
            assert not clash
        except DuplicateDefinition:
            assert clash
            return
        model = ModelUnit(unit, dylib, tracker, weak)
        self.units.append(model)
        for name, other in there.items():
            if other is None or not weak:
                self.symbols[dylib, name] = model
                if other is not None:
                    assert name in other.unit.discarded
            else:
                assert name in unit.discarded

    @rule(
        first=st.integers(0, 1),
        names=st.sets(st.sampled_from(NAMES), min_size=1, max_size=4),
        state=st.sampled_from([SymbolState.READY, SymbolState.RESOLVED]),
        weak=st.booleans(),
    )
    def look_up(self, first: int, names: set[str], state: SymbolState, weak: bool) -> None:
        order = [(self.dylibs[i], dylib_flags) for i, dylib_flags in ((first, 1), (1 - first, 0))]
        found: dict[Name, ModelUnit] = {}
        missing = False
        for name in names:
            for dylib in (first, 1 - first):
                if (dylib, name) in self.symbols:
                    found[dylib, name] = self.symbols[dylib, name]
                    break
            else:
                missing = True
        query = ModelQuery(Answer(), state, found)
        self.queries.append(query)
        if missing and not weak:
            query.outcome = "missing"
        elif any(unit.stage == "failed" for unit in found.values()):
            query.outcome = "failed"
        else:
            for unit in found.values():
                if unit.stage == "untouched":
                    unit.stage = "asked"
        self.session.lookup_async(
            order,  # type: ignore[arg-type]  # plain ints do for flags
            [] if weak else names,
            state,
            query.answer,
            weak=names if weak else (),
        )
        self.settle()

    @precondition(lambda self: self.queue.queue)
    @rule()
    def run_a_task(self) -> None:
        self.queue.step()
        for unit in self.units:
            if unit.stage == "asked" and unit.unit.runs:
                unit.stage = "making"

    @rule(number=st.integers(0, 99))
    def resolve(self, number: int) -> None:
        unit = self.some(number, "making")
        if unit is not None:
            unit.unit.resolve()
            unit.stage = "resolved"
            self.settle()

    @rule(
        number=st.integers(0, 99),
        where=st.integers(0, 1),
        needs=st.sets(st.sampled_from(NAMES), max_size=3),
        reckless=st.integers(0, 9),
        split=st.booleans(),
    )
    def emit(self, number: int, where: int, needs: set[str], reckless: int, split: bool) -> None:
        model = self.some(number, "resolved")
        if model is None:
            return
        if reckless:  # mostly, only what was looked up
            usable = ("making", "asked", "resolved", "emitted", "ready")
            needs = {
                name
                for name in needs
                if (where, name) in self.symbols and self.symbols[where, name].stage in usable
            }
        needed = [self.symbols.get((where, name)) for name in sorted(needs)]
        expected: type[LazyJITError] | None = None
        if any(need is not None and need.stage == "failed" for need in needed):
            expected = FailedToMaterialize
        elif any(need is None or need.stage == "untouched" for need in needed):
            first = next(n for n in needed if n is None or n.stage == "untouched")
            expected = SymbolRemoved if first is None else UsageError
        names = list(model.unit.responsibility.symbols)
        deps: dict[JITDylib, list[str]] = {self.dylibs[where]: sorted(needs)}
        try:
            if split and len(names) > 1:
                # In two groups that need each other: the same thing to the model.
                here = self.dylibs[model.dylib]
                rest = {here: names[:1]}
                merged = {here: [names[1]]}
                for dylib, wanted in deps.items():
                    merged[dylib] = [*merged.get(dylib, []), *wanted]
                model.unit.responsibility.notify_emitted([(names[:1], merged), (names[1:], rest)])
            else:
                model.unit.responsibility.notify_emitted([(names, deps)])
            assert expected is None
            model.stage = "emitted"
            model.needs = {need for need in needed if need is not None and need.stage != "ready"}
        except LazyJITError as error:
            assert expected is not None and isinstance(error, expected)
            model.stage = "failed"
        self.settle()

    @rule(number=st.integers(0, 99))
    def fail(self, number: int) -> None:
        model = self.some(number, "making", "resolved")
        if model is not None:
            model.unit.responsibility.fail_materialization(ValueError("told to"))
            model.stage = "failed"
            self.settle()

    @rule(number=st.integers(0, 99))
    def delegate(self, number: int) -> None:
        """To itself: the waiters move along, and nothing else changes."""
        model = self.some(number, "making", "resolved")
        if model is not None:
            names = list(model.unit.responsibility.symbols)
            if names:
                model.unit.responsibility = model.unit.responsibility.delegate(names)

    @rule(dylib=st.integers(0, 1), tracker=st.integers(0, 2))
    def remove(self, dylib: int, tracker: int) -> None:
        self.trackers[dylib][tracker].remove()
        self.trackers[dylib][tracker] = self.dylibs[dylib].create_tracker()
        for unit in self.units:
            if (unit.dylib, unit.tracker) == (dylib, tracker):
                unit.stage = "removed" if unit.stage != "ready" else "gone"
        self.symbols = {
            name: unit
            for name, unit in self.symbols.items()
            if unit.stage not in ("removed", "gone")
        }
        self.settle()

    @rule(dylib=st.integers(0, 1), source=st.integers(0, 2), sink=st.integers(0, 2))
    def transfer(self, dylib: int, source: int, sink: int) -> None:
        trackers = self.trackers[dylib]
        if source == sink:
            return
        trackers[source].transfer_to(trackers[sink])
        trackers[source] = self.dylibs[dylib].create_tracker()
        for unit in self.units:
            if (unit.dylib, unit.tracker) == (dylib, source):
                unit.tracker = sink

    # --- Both say the same.

    @invariant()
    def the_session_is_sound(self) -> None:
        self.session.verify_session()

    @invariant()
    def queries_are_answered_as_the_model_says(self) -> None:
        for query in self.queries:
            assert query.answer.told == (query.outcome is not None)
            error = query.answer.error
            if query.outcome == "found":
                assert query.answer.symbols is not None
                expected = resolved(dict.fromkeys(query.answer.symbols, EXPORTED))
                assert {k: v.address for k, v in query.answer.symbols.items()} == {
                    k: v.address for k, v in expected.items()
                }
            elif query.outcome == "missing":
                assert isinstance(error, SymbolsNotFound)
            elif query.outcome == "failed":
                assert isinstance(error, (FailedToMaterialize, SymbolRemoved))

    @invariant()
    def the_same_names_are_defined(self) -> None:
        for index, dylib in enumerate(self.dylibs):
            assert dylib._symbols.keys() == {n for d, n in self.symbols if d == index}


TestSessionAgainstModel = SessionMachine.TestCase
TestSessionAgainstModel.settings = settings(
    max_examples=150,
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
