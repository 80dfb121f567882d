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

NAMED_TUPLE = """
from __future__ import annotations
from typing import NamedTuple
class Pair(NamedTuple):
    a: int
"""
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


PROGRAM = "define i32 @main() { ret i32 0 }"


def modules_of(*words: str) -> set[str]:
    """What an interpreter that is started with these words imports, up to its end."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *words],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines[1:]}


@pytest.fixture(scope="module")
def bare() -> set[str]:
    """What Python itself imports here: site hooks and coverage tools too; and, from 3.14 on, `ast`,
    by way of `annotationlib`, for the first NamedTuple with annotations.
    """
    return modules_of("-c", NAMED_TUPLE)


@pytest.mark.parametrize("script", [PACKAGE, JIT, KERNEL, EVERY_POLICY])
def test_no_heavy_module_is_imported(script: str, bare: set[str]) -> None:
    found = modules_of("-c", script) - bare
    assert "lazyjit" in found
    assert found & {*HEAVY} == set(), "import it in the function that needs it"
    assert found & {*SELDOM} == set(), "import it in the function that needs it"


def test_the_package_alone_loads_nothing_native(bare: set[str]) -> None:
    found = modules_of("-c", PACKAGE) - bare
    assert {name for name in found if name.startswith(("lazyjit.", "_cffi", "ctypes"))} == set()


@pytest.mark.parametrize("options", [(), ("--eager",), ("--tiered", "-O3")], ids=" ".join)
def test_running_a_program_imports_no_more(
    options: tuple[str, ...], tmp_path: Path, bare: set[str]
) -> None:
    (tmp_path / "p.ll").write_text(PROGRAM)
    found = modules_of("-m", "lazyjit", "run", *options, str(tmp_path / "p.ll")) - bare
    assert "lazyjit.jit" in found
    assert found & {*HEAVY, "difflib", "shlex", "textwrap"} == set()
    assert found & {*SELDOM} == set()


def test_linking_an_object_needs_no_numpy_and_no_checks(tmp_path: Path, bare: set[str]) -> None:
    from lazyjit.codegen import LLVMCompiler

    with LLVMCompiler().compile(PROGRAM.encode()) as compiled:
        (tmp_path / "p.o").write_bytes(compiled.bytes)
    found = modules_of("-m", "lazyjit", "link", str(tmp_path / "p.o")) - bare
    assert "lazyjit.layers.plugins.gdb" in found  # debuggers are told, as by default
    assert found & {*HEAVY} == set()
    assert found & {"lazyjit.link.check", "lazyjit.link.linker_script", "lazyjit.c_source"} == set()
