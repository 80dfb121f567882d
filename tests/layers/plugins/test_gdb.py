"""Debuggers: a gdb session that stops in JIT'd code, and the debug objects that it reads."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import lazyjit
from lazyjit.errors import FailedToMaterialize, ObjectFormatError
from lazyjit.layers.plugins import gdb
from lazyjit.layers.plugins.elf import ElfObject

INT = ctypes.c_int
ROOT = Path(lazyjit.__file__).resolve().parent.parent

SOURCE = """\
static __attribute__((noinline)) int inner(int x) {
  int y = x * 2;
  return y + 1;
}
__attribute__((noinline)) int middle(int x) {
  return inner(x) + 1;
}
int outer(int x) {
  int r = middle(x);
  return r + 100;
}
"""

PROGRAM = """\
import ctypes, sys, lazyjit
with lazyjit.JIT(debugger_support=True, opt_level=0, compile_threads=1) as jit:
    for path in sys.argv[1:]:
        jit.add(path)
    outer = jit.function("outer", ctypes.c_int, ctypes.c_int)
    print("outer:", outer(3), flush=True)
    if len(sys.argv) > 2:
        print("later:", jit.function("later", ctypes.c_int)(), outer(4), flush=True)
"""


@pytest.fixture(scope="module")
def debug() -> Callable[..., str]:
    """`debug(command..., program=, files=)` -> what gdb and the program print."""
    if "LAZYJIT_SANITIZED" in os.environ:
        pytest.skip("the sanitizers' libraries would be loaded into gdb too")
    path = shutil.which("gdb")
    if path is None:
        pytest.skip("needs gdb")
    probe = [path, "-q", "-batch", "-nx", "-ex", "run", "--args", "true"]
    done = subprocess.run(probe, capture_output=True, text=True, timeout=600)
    if "exited normally" not in done.stdout:
        pytest.skip(f"gdb can't run programs here: {done.stderr.strip()[-200:]}")

    def debug(*commands: str, files: list[Path]) -> str:
        commands = ("set pagination off", "set breakpoint pending on", *commands)
        line = [path, "-q", "-batch", "-nx", "-iex", "set auto-load no"]
        line += ["-iex", "set debuginfod enabled off"]
        for command in commands:
            line += ["-ex", command]
        program = files[0].parent / "program.py"
        program.write_text(PROGRAM)
        line += ["--args", sys.executable, str(program), *map(str, files)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            line, capture_output=True, text=True, timeout=600, env=environment, cwd=program.parent
        )
        return done.stdout

    return debug


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "traced.c"
    path.write_text(SOURCE)
    return path


def compiled(source: Path, *command: str) -> Path:
    if shutil.which(command[0]) is None:
        pytest.skip(f"needs {command[0]}")
    out = source.with_suffix(".ll" if "-emit-llvm" in command else ".o")
    subprocess.run([*command, source.name, "-o", out.name], cwd=source.parent, check=True)
    return out


@pytest.mark.parametrize(
    "command",
    [
        "gcc -g -c",
        "gcc -g -gz -ffunction-sections -c",
        "clang-22 -g -gdwarf-4 -c",
        "clang-22 -g -S -emit-llvm",
    ],
)
def test_gdb_stops_at_a_breakpoint_in_jitd_code_and_shows_its_lines(debug, source, command):
    shown = debug("break inner", "run", "bt", "finish", "continue", files=[
        compiled(source, *command.split())
    ])  # fmt: skip
    assert "Breakpoint 1, inner (" in shown, shown
    assert "traced.c:2\n2\t  int y = x * 2;" in shown
    lines = [line for line in shown.splitlines() if line.startswith("#")]
    assert lines[0].startswith("#0  inner (") and lines[0].endswith("traced.c:2")
    assert " in middle (" in lines[1] and lines[1].endswith("traced.c:6")
    assert " in outer (" in lines[2] and lines[2].endswith("traced.c:9")
    assert any("_start" in line or "libc_start" in line for line in lines), "the way to main"
    assert "outer: 108" in shown


def test_a_breakpoint_by_line_and_the_values_of_variables(debug, source):
    shown = debug("break traced.c:10", "run", "info locals", "print x", files=[
        compiled(source, "gcc", "-g", "-O0", "-c")
    ])  # fmt: skip
    assert "10\t  return r + 100;" in shown
    assert "r = 8" in shown and "$1 = 3" in shown


def test_code_that_comes_after_a_breakpoint_was_set_runs(debug, source, tmp_path):
    """gdb copies the pages that it writes to; later code must not be missing from them."""
    later = tmp_path / "later.c"
    later.write_text("int later(void) { return 41; }\n")
    files = [compiled(each, "gcc", "-g", "-c") for each in (source, later)]
    shown = debug("break inner", "run", "continue", "bt", "delete", "continue", files=files)
    assert shown.count("Breakpoint 1, inner (") == 2, shown
    assert "later: 41 110" in shown


@pytest.fixture
def debugged() -> Iterator[lazyjit.JIT]:
    with lazyjit.JIT(debugger_support=True, compile_threads=2, speculate=False) as jit:
        yield jit
        jit.session.verify_session()


def test_what_is_linked_is_announced_until_it_is_removed(debugged, compile_object):
    before = gdb.announced()
    trackers = [
        debugged.add(compile_object(f"int f{i}(void) {{ return {i}; }}", "-g")) for i in range(3)
    ]
    assert gdb.announced() == before
    assert [debugged.function(f"f{i}", INT)() for i in range(3)] == [0, 1, 2]
    assert gdb.announced() == before + 3
    trackers[1].remove()
    assert gdb.announced() == before + 2
    debugged.close()
    assert gdb.announced() == before


def test_a_link_that_fails_announces_nothing(debugged, compile_object):
    before = gdb.announced()
    debugged.add(compile_object("int missing(void); int f(void) { return missing(); }", "-g"))
    with pytest.raises(FailedToMaterialize):
        debugged.function("f", INT)()
    assert gdb.announced() == before


def test_debug_sections_that_lie_fail_their_own_link(debugged, compile_object):
    data = bytearray(compile_object("int f(void) { return 3; }", "-g", "-gz=none"))
    elf = ElfObject(bytes(data))
    (table,) = elf.relocations(elf.named(".debug_info")[0])
    at = elf.headers[table].offset
    data[at : at + 8] = (1 << 40).to_bytes(8, "little")  # r_offset
    debugged.add(bytes(data), name="lying.o")
    debugged.add(compile_object("int g(void) { return 4; }", "-g"))
    before = gdb.announced()
    with pytest.raises(FailedToMaterialize) as caught:
        debugged.function("f", INT)()
    assert isinstance(caught.value.__cause__, ObjectFormatError)
    assert debugged.function("g", INT)() == 4
    assert gdb.announced() == before + 1


def test_a_transferred_object_is_withdrawn_with_its_new_tracker(debugged, compile_object):
    before = gdb.announced()
    tracker = debugged.add(compile_object("int f(void) { return 3; }"))
    assert debugged.function("f", INT)() == 3
    other = debugged.main.create_tracker()
    tracker.transfer_to(other)
    assert gdb.announced() == before + 1
    other.remove()
    assert gdb.announced() == before


def test_without_the_option_nothing_is_announced(jit, compile_object):
    before = gdb.announced()
    jit.add(compile_object("int f(void) { return 3; }", "-g"))
    assert jit.function("f", INT)() == 3
    assert gdb.announced() == before
