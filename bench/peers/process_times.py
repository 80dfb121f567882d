"""How long a process takes, from its start to its end: runs a command some times, writes the least.

    python process_times.py --rounds 5 --times FILE -- COMMAND [ARGUMENT ...]

The command runs once before, so that files are in memory and bytecode is compiled. Its output goes
nowhere; ending with anything but `--code` (default 0) is an error. The least of all rounds is what
counts: nothing makes a process faster than it is, and much makes it slower.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path


def once(command: list[str], code: int) -> tuple[float, float]:
    """Seconds on the clock, and seconds of processors, of one run."""
    null = os.open(os.devnull, os.O_RDWR)
    redirected = [(os.POSIX_SPAWN_DUP2, null, descriptor) for descriptor in (0, 1)]
    start = time.perf_counter()
    child = os.posix_spawnp(command[0], command, os.environ, file_actions=redirected)
    _, status, used = os.wait4(child, 0)
    wall = time.perf_counter() - start
    os.close(null)
    ended = os.waitstatus_to_exitcode(status)
    if ended != code:
        sys.exit(f"{command[0]} ended with {ended}, not {code}")
    return wall, used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--code", type=int, default=0)
    parser.add_argument("--times", type=Path, required=True)
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    once(options.command, options.code)
    runs = [once(options.command, options.code) for _ in range(options.rounds)]
    report = {
        "start": 0.0,
        "wall": min(wall for wall, _ in runs),
        "cpu": min(cpu for _, cpu in runs),
    }
    options.times.write_text(json.dumps(report))


main()
