"""Lua 5.4, from Debian's source package, gives under lazyjit what the native Lua gives."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import acceptance
import pytest
from acceptance import Configuration

from bench import lua

SCRIPTS = sorted((acceptance.HERE / "lua").glob("*.lua"))
ARGUMENTS = ["one", "two", "-3"]

#: Every combination; ordered so that neighbours, which a short run takes, differ in everything.
EVERY = [
    Configuration(opt_level, threads, kind, variant)
    for (kind, variant), threads, opt_level in itertools.product(
        itertools.product(("ll", "bc"), ("goto", "switch")), (1, 2, 8), (0, 2, 3)
    )
]
SHORT = [
    Configuration(0, 2, "ll", "goto"),
    Configuration(2, 8, "bc", "goto"),
    Configuration(0, 1, "bc", "switch"),
    Configuration(0, 8, "ll", "goto"),
    Configuration(3, 2, "ll", "switch"),
    Configuration(0, 2, "bc", "goto"),
    Configuration(0, 1, "ll", "goto"),
    Configuration(0, 8, "bc", "switch"),
]


def configurations(number: int) -> list[Configuration]:
    return EVERY if acceptance.FULL else acceptance.some(1, SHORT, number)


@pytest.mark.parametrize(
    ("script", "configuration"),
    [
        pytest.param(script, configuration, id=f"{script.stem}-{configuration}")
        for number, script in enumerate(SCRIPTS)
        for configuration in configurations(number)
    ],
)
def test_a_script_does_what_it_does_in_the_native_lua(
    script: Path, configuration: Configuration, tmp_path: Path
) -> None:
    jumptable = configuration.variant == "goto"
    module = acceptance.or_skip(lambda: lua.build(configuration.kind, jumptable=jumptable))
    binary = lua.build("native", jumptable=jumptable)
    native = acceptance.run_native(binary, [script, *ARGUMENTS], tmp_path / "native", name=module)
    jit = acceptance.run_jit(module, [script, *ARGUMENTS], tmp_path / "jit", configuration.options)
    acceptance.assert_same(jit, native)


@pytest.mark.skipif("LAZYJIT_RUN" in os.environ, reason="asks lazyjit itself for its statistics")
def test_few_functions_are_compiled_for_a_short_script(tmp_path: Path) -> None:
    module = acceptance.or_skip(lambda: lua.build("ll"))
    script = tmp_path / "short.lua"
    script.write_text('print("hello", 1 + 1)\n')
    times = tmp_path / "times.json"
    subprocess.run(
        [
            *(sys.executable, "-m", "bench.peers.lazyjit_peer", "--opt-level", "0"),
            *("--unit-policy", "function", "--times", str(times), str(module), str(script)),
        ],
        env={**os.environ, "PYTHONPATH": acceptance.python_path()},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    statistics = json.loads(times.read_text())["statistics"]
    assert statistics["functions_known"] >= 600
    assert 0 < statistics["functions_compiled"] < statistics["functions_known"] // 2
