"""How long kernels run, in one process that has them all, by all ways in turns.

    python -m bench.peers.kernel_times KERNEL --ways WAY ... [--quick] --times FILE

First each way's result is compared with NumPy's. Then the ways are called in turns, on the very
same arrays, so that neither where arrays lie nor what else the machine does falls on one of them
alone. The report has under "seconds" a list for each way: one call, turn by turn.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

# One thread for everybody: read when NumPy's BLAS library is loaded.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

from bench.kernels import NAMES, copies, kernel
from bench.kernels.ways import FIRST, extension_ready

TURNS, LEAST_SECONDS = 40, 0.004
#: Enough for what takes ten times as long.
SLOW_TURNS = 5


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kernel", choices=NAMES)
    parser.add_argument("--ways", nargs="+", choices=FIRST, required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--times", type=Path, required=True)
    options = parser.parse_args()
    what = kernel(options.kernel)
    arguments = what.arguments(what.sizes[1 if options.quick else 0])
    expected = copies(arguments)
    what.numpy(*expected)
    ways = {}
    for way in options.ways:
        ways[way] = (extension_ready if way == "extension" else FIRST[way])(what)
        own = copies(arguments)
        ways[way](own)()
        what.check(own, expected)
    calls, numbers = {}, {}
    for way, prepare in ways.items():
        calls[way] = prepare(arguments)
        start = time.perf_counter()
        calls[way]()
        once = time.perf_counter() - start
        numbers[way] = max(1, int(LEAST_SECONDS / once)) if not options.quick else 1
    seconds: dict[str, list[float]] = {way: [] for way in calls}
    turns = 3 if options.quick else TURNS
    order = list(calls)
    for turn in range(turns):
        first = turn % len(order)
        for way in [*order[first:], *order[:first]]:
            if way in ("numpy", "numexpr") and turn >= SLOW_TURNS:
                continue
            call, number = calls[way], numbers[way]
            start = time.perf_counter()
            for _ in range(number):
                call()
            seconds[way].append((time.perf_counter() - start) / number)
    options.times.write_text(json.dumps({"start": 0.0, "seconds": seconds}))
    os._exit(0)


if __name__ == "__main__":
    main()
