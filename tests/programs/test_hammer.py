"""Sixteen threads, 5,000 first calls in random order: each compiled once, each result right.

The work is done by hammer.py in a process of its own: a crash fails the test and shows where.
A full run (LAZYJIT_FULL=1) plays 50 rounds of each kind.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import acceptance
import pytest

MODES = ["first", "remove", "close"]
#: A round of the default run is smaller where the order of events matters more than their number.
if acceptance.FULL:
    ROUNDS = dict.fromkeys(MODES, 50)
    FUNCTIONS = dict.fromkeys(MODES, 5000)
else:
    ROUNDS = {"first": 1, "remove": 2, "close": 2}
    FUNCTIONS = {"first": 5000, "remove": 1000, "close": 1000}


@pytest.mark.parametrize("mode", MODES)
def test_racing_first_calls_give_right_results_and_compile_once(mode: str) -> None:
    seed = int(os.environ.get("LAZYJIT_SEED", "1"))
    command = [sys.executable, str(acceptance.HERE / "hammer.py"), mode]
    command += [
        "--rounds",
        str(ROUNDS[mode]),
        "--functions",
        str(FUNCTIONS[mode]),
        "--seed",
        str(seed),
    ]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=acceptance.LIMIT * (10 if acceptance.FULL else 1),
        env={**os.environ, "PYTHONPATH": acceptance.python_path()},
    )
    code = done.returncode
    ending = f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
    assert code == 0, f"seed {seed}: {ending}\n{done.stdout[-3000:]}\n{done.stderr[-6000:]}"
