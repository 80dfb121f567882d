"""Eight calls of a kernel by one thread, and the same eight by four threads, in turns.

    python -m bench.peers.kernel_threads KERNEL --way WAY [--quick] --times FILE

Each of the eight has arrays of its own. The threads are there before the clock starts, and wait for
it at a barrier. The report has "one" and "four", lists of seconds, turn by turn.
"""

from __future__ import annotations

import argparse
import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.kernels import NAMES, copies, kernel
from bench.kernels.ways import FIRST, extension_ready

TURNS, CALLS, THREADS = 15, 8, 4
#: What one of the eight calls should take at least: beside it, waking threads is nothing.
LEAST_SECONDS = 0.01


def seconds(work: list[Callable[[], Any]], threads: int, rounds: int) -> float:
    """Do each of `work` `rounds` times on so many threads, each with its share."""
    gate = threading.Barrier(threads + 1)

    def run(own: list[Callable[[], Any]]) -> None:
        gate.wait()
        for each in own:
            for _ in range(rounds):
                each()
        gate.wait()

    workers = [threading.Thread(target=run, args=(work[i::threads],)) for i in range(threads)]
    for worker in workers:
        worker.start()
    gate.wait()
    start = time.perf_counter()
    gate.wait()
    taken = time.perf_counter() - start
    for worker in workers:
        worker.join()
    return taken


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kernel", choices=NAMES)
    parser.add_argument("--way", choices=FIRST, required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--times", type=Path, required=True)
    options = parser.parse_args()
    what = kernel(options.kernel)
    arguments = what.arguments(what.sizes[1 if options.quick else 0])
    make = extension_ready if options.way == "extension" else FIRST[options.way]
    prepare = make(what)
    expected = copies(arguments)
    what.numpy(*expected)
    own = [copies(arguments) for _ in range(CALLS)]
    work = [prepare(each) for each in own]
    seconds(work, THREADS, 1)
    for each in own:
        what.check(each, expected)
    once = seconds(work[:1], 1, 1)
    rounds = 1 if options.quick else max(1, int(LEAST_SECONDS / once))
    report: dict[str, Any] = {"start": 0.0, "one": [], "four": []}
    for _ in range(2 if options.quick else TURNS):
        report["one"].append(seconds(work, 1, rounds) / rounds)
        report["four"].append(seconds(work, THREADS, rounds) / rounds)
    options.times.write_text(json.dumps(report))
    os._exit(0)


if __name__ == "__main__":
    main()
