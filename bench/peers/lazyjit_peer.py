"""lazyjit as a subject beside its peers: one process, one program, one report.

    python -m bench.peers.lazyjit_peer [--opt-level 0..3] [--codegen-level 0..3] [--threads N]
           [--eager] [--unit-policy P] [--tiered] [--all-bodies] --times FILE INPUT [argument ...]

The report is the one that llvm_peer.cpp describes, with lazyjit's own statistics under
"statistics". Importing lazyjit is process start and left out, as the loading of LLVM's library is
for the others. `--all-bodies` runs nothing: it has every function of the module compiled, by one
lookup.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import time
from pathlib import Path
from typing import Any

from bench import face


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--opt-level", type=int, default=2)
    parser.add_argument("--codegen-level", type=int)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--eager", action="store_true")
    parser.add_argument("--unit-policy", default="cluster")
    parser.add_argument("--tiered", action="store_true")
    parser.add_argument("--all-bodies", action="store_true")
    parser.add_argument("--times", type=Path, required=True)
    parser.add_argument("input", type=Path)
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()

    # The names are not lazyjit's work to find: a user who asks for all bodies has them.
    names = face.function_names(options.input) if options.all_bodies else []

    import lazyjit.jit  # noqa: F401  # before the clock starts

    start = time.clock_gettime(time.CLOCK_MONOTONIC)
    report: dict[str, Any] = {"start": start, "exit_code": 0}

    def mark(step: str) -> None:
        report[step] = time.clock_gettime(time.CLOCK_MONOTONIC) - start

    jit = face.new_jit(
        opt_level=options.opt_level,
        codegen_level=options.codegen_level,
        compile_threads=options.threads,
        lazy=not options.eager,
        unit_policy=options.unit_policy,
        tiered=options.tiered,
    )
    mark("created")
    created = resident_bytes()
    jit.add(options.input)
    mark("added")
    report["added_rss"] = resident_bytes() - created
    if options.all_bodies:
        face.materialize_bodies(jit, names)
    else:
        jit.initialize()
        mark("initialized")
        entry = jit.function("main", ctypes.c_int, ctypes.c_int, ctypes.c_void_p)
        mark("found")
        words = [os.fsencode(word) for word in (str(options.input), *options.arguments)]
        argv = (ctypes.c_char_p * (len(words) + 1))(*words, None)
        report["exit_code"] = entry(len(words), ctypes.addressof(argv))
    mark("returned")
    report["max_rss"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    report["statistics"] = face.statistics(jit)
    ctypes.CDLL(None).fflush(None)
    options.times.write_text(json.dumps(report))
    # As in the other peers: the end of the process is not measured.
    os._exit(report["exit_code"])


if __name__ == "__main__":
    main()
