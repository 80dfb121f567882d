"""What is imported before a first result: what takes long stays out until somebody needs it.

Each case is a process of its own, asked what it has in `sys.modules`; no test asks how long it took
(`bench/workloads/startup.py` does).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent

#: What takes milliseconds to import, and how many (measured, with compiled bytecode).
HEAVY = {
    "numpy": 90,
    "llvmlite.binding": 25,
    "inspect": 4,
    "subprocess": 3.5,
    "tempfile": 3,
    "pathlib": 3,
    "logging": 2.5,
    "shutil": 2,
    "ast": 2,
    "dataclasses": 1,
    "argparse": 4,
    "traceback": 2,
}

#: Rooms of lazyjit's own that a first kernel does not enter.
SELDOM = (
    "lazyjit.c_source",
    "lazyjit.plugin",
    "lazyjit.call.annotations",
    "lazyjit.call.trampoline",
    "lazyjit.call.ufunc",
    "lazyjit.codegen.assembler",
    "lazyjit.layers.archive",
    "lazyjit.layers.assembly",
    "lazyjit.layers.calling_out",
    "lazyjit.layers.linking_passes",
    "lazyjit.layers.plugins",
    "lazyjit.layers.ufunc",
    "lazyjit.link.archive",
    "lazyjit.link.check",
    "lazyjit.link.disassembly",
    "lazyjit.link.linker_script",
    "lazyjit.link.records",
)

PACKAGE = "import lazyjit"
JIT = "import lazyjit.jit"
KERNEL = """
import lazyjit
with lazyjit.JIT() as jit:
    jit.add("define double @twice(double %x) { %y = fadd double %x, %x\\n ret double %y }")
    twice = jit["twice"]
    assert twice(4.0) == 8.0
    assert jit["twice"](5) == 10.0
    tracker = jit.add("define i64 @f(i64 %x) { ret i64 %x }")
    assert jit["f"](7) == 7
    jit.remove(tracker)
"""
EVERY_POLICY = """
import ctypes, lazyjit
TEXT = "@g = global i64 3\\ndefine i64 @f() { %x = load i64, ptr @g\\n ret i64 %x }"
for options in ({"unit_policy": "module"}, {"unit_policy": "function"}, {"tiered": True}):
    with lazyjit.JIT(**options) as jit:
        jit.add(TEXT)
        assert jit.function("f", ctypes.c_int64)() == 3
        assert jit.functions() == ["f"]
        jit.initialize()
        jit.compile()
        jit.statistics()
"""


def modules_of(script: str, *arguments: str) -> set[str]:
    """What is in sys.modules at the end of a script."""
    ask = "\nimport sys; sys.stderr.write('\\n'.join(['', '#modules', *sorted(sys.modules)]))"
    done = subprocess.run(
        [sys.executable, "-c", script + ask, *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return set(done.stderr.partition("#modules\n")[2].split())


@pytest.fixture(scope="module")
def bare() -> set[str]:
    """What Python itself imports here: site hooks and coverage tools too."""
    return modules_of("")


@pytest.mark.parametrize("script", [PACKAGE, JIT, KERNEL, EVERY_POLICY])
def test_no_heavy_module_is_imported(script: str, bare: set[str]) -> None:
    found = modules_of(script) - bare
    assert found & {*HEAVY} == set(), "import it in the function that needs it"
    assert found & {*SELDOM} == set(), "import it in the function that needs it"


def test_the_package_alone_loads_nothing_native(bare: set[str]) -> None:
    found = modules_of(PACKAGE) - bare
    assert {name for name in found if name.startswith(("lazyjit.", "_cffi", "ctypes"))} == set()
