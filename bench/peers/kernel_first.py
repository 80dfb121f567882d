"""From a kernel's source to its first result, by one way, in a process that is new to it.

    python -m bench.peers.kernel_first KERNEL --way WAY --times FILE

The arguments are small: what is measured is the making. The report has "import", the seconds of
importing NumPy and what the way needs; "first", from the kernel's source to the return of its first
call, imports left out; and "later", the same for the kernel that follows it in the list, made next
in the same process: what no longer has in it what is done once. Both results are held against
NumPy's, off the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

clock = time.perf_counter
start = clock()
import numpy as np  # noqa: E402, F401

numpy_seconds = clock() - start

from bench.kernels import NAMES, copies, kernel  # noqa: E402
from bench.kernels.ways import FIRST, IMPORTS  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kernel", choices=NAMES)
    parser.add_argument("--way", choices=FIRST, required=True)
    parser.add_argument("--times", type=Path, required=True)
    options = parser.parse_args()
    names = [options.kernel, NAMES[(NAMES.index(options.kernel) + 1) % len(NAMES)]]
    kernels = [kernel(name) for name in names]
    start = clock()
    for module in IMPORTS.get(options.way, ()):
        __import__(module)
    report = {"start": 0.0, "import": numpy_seconds + clock() - start}
    for moment, what in zip(("first", "later"), kernels, strict=True):
        arguments = what.arguments(what.sizes[-1])
        expected = copies(arguments)
        what.numpy(*expected)
        start = clock()
        FIRST[options.way](what)(arguments)()
        report[moment] = clock() - start
        what.check(arguments, expected)
    options.times.write_text(json.dumps(report))
    os._exit(0)


if __name__ == "__main__":
    main()
