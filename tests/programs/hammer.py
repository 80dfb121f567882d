"""Many threads, thousands of first calls at once: run as a program, so that a crash is a finding.

    python hammer.py first|remove|close [--rounds N] [--threads N] [--functions N] [--seed N]

`first`   every thread calls every function, each in an order of its own: each result must be right,
          and each function compiled once, however many threads were waiting for it.
`remove`  the same over several modules, whose trackers are removed, and whose text is added again,
          while the calls go on: a call gives the right result or raises a LazyJITError.
`close`   the same, and the JIT is closed in the middle of it.

After each round, threads, file descriptors and memory mappings must be back where they were after
the first one. What was found is printed as JSON: resident memory after each round among it. Ends
with 1 and the reasons when something is wrong. A seed makes the orders of calls reproducible,
though not, of course, what the system's scheduler does with the threads.
"""

from __future__ import annotations

import argparse
import ctypes
import faulthandler
import gc
import json
import random
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2]))

from bench.generate import Program, generate
from lazyjit.errors import LazyJITError
from lazyjit.jit import JIT

PARTS = 10
#: Of a footprint, what must not grow by one.
KEPT = ("threads", "native_threads", "descriptors")
Call = Callable[[int], int]


class Crowd:
    """Threads that start together; what goes wrong in one of them is kept."""

    def __init__(self, count: int) -> None:
        self.problems: list[str] = []
        self.errors = 0
        self.calls = 0
        #: How many calls each thread has made so far: one writer each, so no lock.
        self.progress = [0] * count
        self._lock = threading.Lock()
        self._start = threading.Barrier(count + 1)
        self._threads: list[threading.Thread] = []

    def spawn(self, body: Callable[[], None]) -> None:
        def run() -> None:
            self._start.wait()
            try:
                body()
            except BaseException as problem:
                self.problem(f"{type(problem).__name__}: {problem}")

        thread = threading.Thread(target=run)
        self._threads.append(thread)
        thread.start()

    def problem(self, what: str) -> None:
        with self._lock:
            self.problems.append(what)

    def count(self, calls: int, errors: int) -> None:
        with self._lock:
            self.calls += calls
            self.errors += errors

    def wait_for(self, calls: int) -> None:
        """Until so many calls were made, by all threads together, or something went wrong."""
        while sum(self.progress) < calls and not self.problems:
            # Any moment will do, so this is no test of timing; it gives the processor away.
            time.sleep(0)

    def go(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Let them start, do `meanwhile` on this thread, and wait for the end of all."""
        self._start.wait()
        try:
            meanwhile()
        except BaseException as problem:
            self.problem(f"meanwhile: {type(problem).__name__}: {problem}")
        for thread in self._threads:
            thread.join()


def caller(
    crowd: Crowd, calls: Sequence[tuple[Call, int, int]], may_fail: bool, number: int = 0
) -> None:
    """Make these calls (function, argument, expected result) in order, as thread `number`."""
    errors = 0
    for call, argument, expected in calls:
        crowd.progress[number] += 1
        try:
            result = call(argument)
        except LazyJITError as error:
            if not may_fail:
                crowd.problem(f"unexpected {type(error).__name__}: {error}")
                return
            errors += 1
            continue
        if result != expected:
            crowd.problem(f"{call} of {argument} gave {result}, not {expected}")
            return
    crowd.count(len(calls), errors)


def spawn_callers(
    crowd: Crowd,
    count: int,
    calls: Sequence[tuple[Call, int, int]],
    dice: random.Random,
    may_fail: bool,
) -> None:
    for number in range(count):
        mine = list(calls)
        dice.shuffle(mine)
        crowd.spawn(partial(caller, crowd, mine, may_fail, number))


def first_round(
    options: argparse.Namespace, program: Program, expected: list[int], dice: random.Random
) -> dict[str, Any]:
    """All functions of one module, by plain addresses: no handle of ours is in the way."""
    kind = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)
    crowd = Crowd(options.threads)
    with JIT(opt_level=0, compile_threads=options.compile_threads) as jit:
        jit.add(program.text)
        calls = [
            (kind(jit.lookup(function.name)), function.index, expected[function.index])
            for function in program.functions
        ]
        spawn_callers(crowd, options.threads, calls, dice, may_fail=False)
        crowd.go()
        statistics = jit.statistics()
        compiled = int(statistics.functions_compiled)
        # main is nobody's callee, but a policy may have put it into a unit with others.
        if compiled not in (len(expected), len(expected) + 1):
            crowd.problem(f"{compiled} functions were compiled, not {len(expected)}")
    return {"calls": crowd.calls, "compiled": compiled, "problems": crowd.problems}


def handles(jit: Any, part: Program, expected: list[int]) -> list[tuple[Call, int, int]]:
    """Calls through `jit.function`, which pins what it calls and raises what went wrong."""
    return [
        (jit.function(f.name, ctypes.c_int64, ctypes.c_int64), f.index, expected[f.index])
        for f in part.functions
    ]


def remove_round(
    options: argparse.Namespace,
    parts: Sequence[Program],
    expected: Sequence[list[int]],
    dice: random.Random,
) -> dict[str, Any]:
    crowd = Crowd(options.threads)
    with JIT(opt_level=0, compile_threads=options.compile_threads) as jit:
        trackers = [jit.add(part.text) for part in parts]
        calls: list[tuple[Call, int, int]] = []
        for part, values in zip(parts, expected, strict=True):
            calls += handles(jit, part, values)
        spawn_callers(crowd, options.threads, calls, dice, may_fail=True)
        # By half of the parts: what is not removed must be untouched by what is.
        victims = dice.sample(range(len(parts)), len(parts) // 2)

        def remove_and_add_again() -> None:
            for position, victim in enumerate(victims, 1):
                crowd.wait_for(position * len(calls) * options.threads // (len(victims) + 2))
                trackers[victim].remove()
                trackers[victim] = jit.add(parts[victim].text)

        crowd.go(remove_and_add_again)
        # The names are new definitions now, and every one of them works.
        for victim in victims:
            fresh = handles(jit, parts[victim], expected[victim])
            caller(crowd, dice.sample(fresh, len(fresh) // 10), may_fail=False)
        kept = [i for i in range(len(parts)) if i not in victims]
        kept_calls = [call for i in kept for call in handles(jit, parts[i], expected[i])]
        caller(crowd, dice.sample(kept_calls, len(kept_calls) // 10), may_fail=False)
    return {"calls": crowd.calls, "errors": crowd.errors, "problems": crowd.problems}


def close_round(
    options: argparse.Namespace,
    parts: Sequence[Program],
    expected: Sequence[list[int]],
    dice: random.Random,
) -> dict[str, Any]:
    crowd = Crowd(options.threads)
    jit = JIT(opt_level=0, compile_threads=options.compile_threads)
    calls: list[tuple[Call, int, int]] = []
    for part, values in zip(parts, expected, strict=True):
        jit.add(part.text)
        calls += handles(jit, part, values)
    # Mostly early, while there is still much to compile.
    moment = int(dice.random() ** 3 * len(calls) * options.threads)

    def close_in_the_middle() -> None:
        crowd.wait_for(moment)
        jit.close()

    spawn_callers(crowd, options.threads, calls, dice, may_fail=True)
    crowd.go(close_in_the_middle)
    try:
        jit.lookup(parts[0].functions[0].name)
        crowd.problem("a closed JIT answered a lookup")
    except LazyJITError:
        pass
    return {
        "calls": crowd.calls,
        "errors": crowd.errors,
        "closed_at": moment,
        "problems": crowd.problems,
    }


def footprint(before: dict[str, int] | None = None) -> dict[str, int]:
    """What this process holds, once everything that can be let go of is gone.

    A thread that Python has joined may be on its way out of the system still, so what there is more
    of than `before` gets time to go.
    """
    deadline = time.monotonic() + 600
    while True:
        gc.collect()
        found = {
            "threads": threading.active_count(),
            "native_threads": sum(1 for _ in Path("/proc/self/task").iterdir()),
            "descriptors": sum(1 for _ in Path("/proc/self/fd").iterdir()),
            "mappings": len(Path("/proc/self/maps").read_text().splitlines()),
        }
        more = before is not None and any(found[what] > before[what] for what in KEPT)
        if not more or time.monotonic() > deadline:
            break
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {"resident": pages * 4096, **found}


def growth(footprints: Sequence[dict[str, int]]) -> list[str]:
    """What the last round holds more than the first one did."""
    problems = []
    first, last = footprints[0], footprints[-1]
    for what in KEPT:
        if last[what] > first[what]:
            problems.append(f"{what}: {first[what]} after the first round, {last[what]} at last")
    # The allocator maps as it likes; a mapping kept by each round shows as one more each time.
    rounds = len(footprints) - 1
    if rounds >= 3 and last["mappings"] - first["mappings"] >= rounds:
        problems.append(f"mappings: from {first['mappings']} to {last['mappings']}")
    if rounds >= 10:
        middle = footprints[len(footprints) // 2]["resident"]
        if last["resident"] > middle * 1.15 + (8 << 20):
            problems.append(f"resident memory: {middle} in the middle, {last['resident']} at last")
    return problems


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=["first", "remove", "close"])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--compile-threads", type=int, default=2)
    parser.add_argument("--functions", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    faulthandler.enable()
    dice = random.Random(options.seed)

    def values(program: Program) -> list[int]:
        return [program.expected(f.index, f.index) for f in program.functions]

    if options.mode == "first":
        program = generate(options.functions, local_share=0.0, seed=options.seed)
        expected = values(program)
        play = partial(first_round, options, program, expected, dice)
    else:
        size = options.functions // PARTS
        parts = [
            generate(size, local_share=0.0, seed=options.seed, prefix=f"p{i}_", with_main=False)
            for i in range(PARTS)
        ]
        all_expected = [values(part) for part in parts]
        round_of = remove_round if options.mode == "remove" else close_round
        play = partial(round_of, options, parts, all_expected, dice)

    rounds, footprints, problems = [], [], []
    for number in range(options.rounds):
        outcome = play()
        problems += [f"round {number}: {problem}" for problem in outcome.pop("problems")[:5]]
        footprints.append(footprint(footprints[0] if footprints else None))
        rounds.append({**outcome, **footprints[-1]})
    problems += growth(footprints)
    print(json.dumps({"rounds": rounds, "problems": problems}, indent=1))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
