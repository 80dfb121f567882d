"""perf: what the two files hold, byte by byte, and a report that names JIT'd functions."""

from __future__ import annotations

import ctypes
import gc
import os
import shutil
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import lazyjit
from lazyjit.errors import FailedToMaterialize, ObjectFormatError, ResourceError
from lazyjit.layers.plugins.elf import ElfObject
from lazyjit.layers.plugins.gdb import DebuggerSupport
from lazyjit.layers.plugins.jitdump import Dump, DumpedFunction, open_dump
from lazyjit.layers.plugins.line_table import Line, line_table
from lazyjit.layers.plugins.perf import JitDump, PerfMap
from lazyjit.link.graph import LinkGraph
from lazyjit.link.memory_null import NullMemoryManager
from lazyjit.link.memory_slab import SlabMemoryManager
from lazyjit.link.model import MemProt

INT = ctypes.c_int
ROOT = Path(lazyjit.__file__).resolve().parent.parent

SOURCE = """\
static __attribute__((noinline)) int inner(int x) {
  int y = x * 2;
  return y + 1;
}
int outer(int x) {
  return inner(x) + 1;
}
"""


class Load(NamedTuple):
    """A JIT_CODE_LOAD, with the lines of the JIT_CODE_DEBUG_INFO before it."""

    name: str
    address: int
    code: bytes
    index: int
    lines: list[tuple[int, int, str]]


def parse(data: bytes) -> tuple[list[Load], bool]:
    """A dump by its specification: functions, and whether it was closed. Checks every field."""
    magic, version, size, machine, _, pid, time, flags = struct.unpack_from("<IIIIIIQQ", data)
    assert (magic, version, size, machine) == (0x4A695444, 1, 40, 62)
    assert flags == 0 and pid
    at, found, lines, closed = size, [], [], False
    while at < len(data):
        kind, size, now = struct.unpack_from("<IIQ", data, at)
        assert now >= time and not closed
        time, end, body = now, at + size, at + 16
        if kind == 0:
            owner, thread, address, again, length, index = struct.unpack_from("<IIQQQQ", data, body)
            assert owner == pid and thread and address == again
            stop = data.index(b"\0", body + 40)
            code = data[stop + 1 : end]
            assert len(code) == length
            found.append(Load(data[body + 40 : stop].decode(), address, code, index, lines))
            lines = []
        elif kind == 2:
            assert not lines
            place, count = struct.unpack_from("<QQ", data, body)
            body += 16
            for _ in range(count):
                address, line, _ = struct.unpack_from("<QII", data, body)
                stop = data.index(b"\0", body + 16)
                lines.append((address - place, line, data[body + 16 : stop].decode()))
                body = stop + 1
            assert body == end
        else:
            assert kind == 3 and size == 16
            closed = True
        at = end
    assert at == len(data) and not lines
    return found, closed


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for dumps; the map, which has its place, is removed at the end."""
    monkeypatch.setenv("JITDUMPDIR", str(tmp_path))
    yield tmp_path
    Path(f"/tmp/perf-{os.getpid()}.map").unlink(missing_ok=True)


def in_map(path: Path) -> dict[str, tuple[int, int]]:
    found = {}
    for line in path.read_text().splitlines():
        start, size, name = line.split(" ", 2)
        found[name] = int(start, 16), int(size, 16)
    return found


def test_the_map_has_every_function_also_those_that_others_do_not_see(own, jit, compile_object):
    plugin = PerfMap()
    jit.add_plugin(plugin)
    jit.add(compile_object(SOURCE, "-g"))
    assert jit.function("outer", INT, INT)(3) == 8
    found = in_map(plugin.path)
    assert found["outer"][0] == jit.lookup("outer")
    assert {"inner", "outer"} <= found.keys()
    assert all(0 < size < 200 for _, size in found.values())


def test_functions_of_modules_have_their_own_names_in_the_map(own, jit):
    plugin = PerfMap()
    jit.add_plugin(plugin)
    jit.add("define i32 @answer() {\n  ret i32 42\n}\n")
    assert jit.function("answer", INT)() == 42
    start, size = in_map(plugin.path)["answer"]
    assert start != jit.lookup("answer"), "that is the stub's"
    assert size >= 6


def test_functions_of_assembly_reach_to_the_next(own, jit, compile_object):
    plugin = PerfMap()
    jit.add_plugin(plugin)
    source = ".text\n{0}\n.globl one\n.type one,@function\none: nop\nret\n"
    source += ".globl two\n.type two,@function\ntwo: ret\n"
    jit.add(compile_object(source.format(""), language="assembler"))
    jit.lookup("one")
    found = in_map(plugin.path)
    assert found["one"][1] == 2 and found["two"][1] == 1


def test_the_dump_has_the_code_as_it_runs_and_its_lines(own, jit, compile_object):
    plugin = JitDump()
    assert plugin.path.parent == own
    jit.add_plugin(plugin)
    jit.add(compile_object(SOURCE, "-g", "-O0"))
    assert jit.function("outer", INT, INT)(3) == 8
    found, closed = parse(plugin.path.read_bytes())
    assert not closed
    outer = next(each for each in found if each.name == "outer")
    inner = next(each for each in found if each.name == "inner")
    assert outer.address == jit.lookup("outer")
    assert outer.code == ctypes.string_at(outer.address, len(outer.code))
    assert len({each.index for each in found}) == len(found)
    assert [line for _, line, _ in outer.lines][:2] == [5, 6]
    assert {2, 3} <= {line for _, line, _ in inner.lines}
    assert outer.lines[0][0] == 0
    assert all(0 <= offset < len(outer.code) for offset, _, _ in outer.lines)


@pytest.mark.parametrize("version", [2, 3, 4, 5])
def test_lines_of_every_version_of_dwarf(own, jit, compile_object, version):
    plugin = JitDump()
    jit.add_plugin(plugin)
    # -gz: compressed sections; a section for each function: a sequence for each.
    flags = ("-g", f"-gdwarf-{version}", "-gz", "-O0", "-ffunction-sections")
    jit.add(compile_object('# 1 "traced.c"\n' + SOURCE, *flags))
    jit.lookup("outer")
    found, _ = parse(plugin.path.read_bytes())
    lines = {each.name: each.lines for each in found}
    assert [line for _, line, _ in lines["outer"]][:2] == [5, 6]
    assert all(Path(file).name == "traced.c" for _, _, file in lines["inner"])


def test_lines_are_left_out_when_not_wanted(own, jit, compile_object):
    plugin = JitDump(lines=False)
    jit.add_plugin(plugin)
    jit.add(compile_object(SOURCE, "-g"))
    jit.lookup("outer")
    found, _ = parse(plugin.path.read_bytes())
    assert found and not any(each.lines for each in found)


def test_a_line_table_that_lies_fails_its_own_link(own, jit, compile_object):
    data = bytearray(compile_object("int f(void) { return 3; }", "-g", "-gz=none"))
    elf = ElfObject(bytes(data))
    at = elf.headers[elf.named(".debug_line")[0]].offset
    data[at : at + 4] = b"\xf0\xff\xff\x7f"  # unit_length
    jit.add_plugin(JitDump())
    jit.add(bytes(data), name="lying.o")
    jit.add(compile_object("int g(void) { return 4; }", "-g"))
    with pytest.raises(FailedToMaterialize) as caught:
        jit.function("f", INT)()
    assert isinstance(caught.value.__cause__, ObjectFormatError)
    assert jit.function("g", INT)() == 4


def test_a_dump_is_shared_by_its_process_and_closed_once(tmp_path):
    assert open_dump(tmp_path) is open_dump(str(tmp_path))
    dump = open_dump(tmp_path)
    row = Line(16, "a.c", 7, 0, False)
    dump.add([DumpedFunction("f", 16, b"\xc3", [row])])
    dump.close()
    dump.close()
    dump.add([DumpedFunction("g", 32, b"\xc3")])
    found, closed = parse(dump.path.read_bytes())
    assert closed
    assert found == [Load("f", 16, b"\xc3", 0, [(0, 7, "a.c")])]


def test_a_folder_that_does_not_exist_is_a_resource_error(tmp_path):
    with pytest.raises(ResourceError) as caught:
        JitDump(tmp_path / "nowhere")
    assert caught.value.errno == 2


def test_a_link_in_place_of_the_dump_is_not_followed(tmp_path):
    target = tmp_path / "precious"
    target.write_text("precious")
    (tmp_path / f"jit-{os.getpid()}.dump").symlink_to(target)
    Dump(tmp_path).close()
    assert target.read_text() == "precious"


FORK = """\
import ctypes, os, sys
from pathlib import Path
import lazyjit
with lazyjit.JIT(perf_support=True, compile_threads=1) as jit:
    jit.add("define i32 @before() {\\n  ret i32 1\\n}\\ndefine i32 @after() {\\n  ret i32 2\\n}\\n")
    assert jit.function("before", ctypes.c_int)() == 1
    child = os.fork()
    if not child:
        good = jit.function("after", ctypes.c_int)() == 2
        os._exit(0 if good else 1)
    assert os.waitpid(child, 0)[1] == 0
    print(os.getpid(), child)
"""


def test_a_child_of_fork_has_files_of_its_own(own):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", FORK], capture_output=True, text=True, env=environment, timeout=600
    )
    assert done.returncode == 0, done.stderr
    parent, child = done.stdout.split()
    maps = {pid: Path(f"/tmp/perf-{pid}.map") for pid in (parent, child)}
    names = {pid: set(in_map(path)) for pid, path in maps.items()}
    dumped = {
        pid: {each.name for each in parse((own / f"jit-{pid}.dump").read_bytes())[0]}
        for pid in (parent, child)
    }
    for path in maps.values():
        path.unlink()
    assert "after" not in names[parent] and {"before", "after"} <= names[child]
    assert dumped == names
    assert parse((own / f"jit-{parent}.dump").read_bytes())[1], "closed at the end"


HOT = """\
static __attribute__((noinline)) int spin(int x) {
  volatile int y = 0;
  for (int i = 0; i < x; i++)
    y += i;
  return y;
}
int outer(int x) {
  return spin(x) + 1;
}
"""

PROGRAM = """\
import ctypes, sys, lazyjit
with lazyjit.JIT(perf_support=True, opt_level=0, compile_threads=1) as jit:
    jit.add(sys.argv[1])
    jit.function("outer", ctypes.c_int, ctypes.c_int)(50_000_000)
"""


@pytest.fixture(scope="module")
def perf() -> str:
    """A perf that can record here, or a skip with its words."""
    if "LAZYJIT_SANITIZED" in os.environ:
        pytest.skip("the sanitizers' libraries would be loaded into perf too")
    path = shutil.which("perf")
    if path is None:
        pytest.skip("needs perf (Debian's package linux-perf)")
    probe = [path, "record", "-q", "-e", "cpu-clock", "-o", os.devnull, "true"]
    done = subprocess.run(probe, capture_output=True, text=True, timeout=600)
    if done.returncode:
        pytest.skip(f"perf can't record here: {done.stderr.strip()[-200:]}")
    return path


@pytest.mark.parametrize("language", ["object", "module"])
def test_perf_report_names_jitd_functions(perf, own, compile_object, request, language):
    if language == "object":
        hot = own / "hot.o"
        hot.write_bytes(compile_object(HOT, "-g", "-O0"))
        spin = "spin"
    else:
        clang = request.getfixturevalue("clang")
        source, hot = own / "hot.c", own / "hot.ll"
        source.write_text(HOT)
        flags = ["-g", "-O0", "-S", "-emit-llvm"]
        subprocess.run([clang, *flags, source.name, "-o", hot], check=True, cwd=own)
        spin = "spin$0"  # static: the number is its module's
    program = own / "program.py"
    program.write_text(PROGRAM)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}

    def run(*command: str) -> str:
        done = subprocess.run(
            [perf, *command], capture_output=True, text=True, env=environment, cwd=own, timeout=600
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run(
        *["record", "-q", "-k", "mono", "-e", "cpu-clock", "-o", "perf.data"],
        sys.executable,
        program,
        hot,
    )
    report = run(*["report", "--stdio", "-s", "dso,sym", "-i", "perf.data"])
    lines = [line for line in report.splitlines() if line.endswith(f"] {spin}")]
    assert lines and "[JIT]" in lines[0], report  # by the map
    run(*["inject", "--jit", "-i", "perf.data", "-o", "jitted.data"])
    report = run(*["report", "--stdio", "-s", "dso,sym", "-i", "jitted.data"])
    lines = [line for line in report.splitlines() if line.endswith(f"] {spin}")]
    assert lines and "jitted-" in lines[0], report  # by the dump
    # The files that perf has made of the dump have its lines.
    made = [ElfObject(path.read_bytes()) for path in own.glob("jitted-*.so")]
    tables = [elf.raw(number) for elf in made for number in elf.named(".debug_line")]
    rows = [row for table in tables for row in line_table(table)]
    assert {3, 4} <= {row.line for row in rows if row.file.endswith(("hot.c", "<stdin>"))}


def test_code_in_any_memory_is_dumped_beside_a_debuggers_support(own, compile_object):
    slab = SlabMemoryManager(1 << 22)
    with lazyjit.JIT(
        perf_support=True, debugger_support=True, memory_manager=slab, compile_threads=1
    ) as jit:
        jit.add(compile_object(SOURCE, "-g"))
        assert jit.function("outer", INT, INT)(3) == 8
        address = jit.lookup("outer")
    found, _ = parse((own / f"jit-{os.getpid()}.dump").read_bytes())
    assert address in {each.address for each in found}


def test_what_does_not_run_here_is_not_read(own, jit, compile_object):
    with lazyjit.JIT(
        perf_support=True, debugger_support=True, memory_manager=NullMemoryManager()
    ) as jit:
        jit.add(compile_object(SOURCE, "-g"))
        jit.lookup("outer")
        dump = own / f"jit-{os.getpid()}.dump"
        assert parse(dump.read_bytes()) == ([], False)


def test_a_graph_by_hand_is_named(own, jit):
    plugin = PerfMap()
    jit.add_plugin(plugin)
    jit.add_plugin(DebuggerSupport())
    graph = LinkGraph("by hand")
    text = graph.create_section(".text", MemProt.READ | MemProt.EXEC)
    code = graph.create_content_block(text, b"\xb8\x2a\0\0\0\xc3", align=16)
    graph.add_defined_symbol(code, 0, "answer", 6, callable=True)
    jit.add_graph(graph)
    assert jit.function("answer", INT)() == 42
    assert in_map(plugin.path)["answer"] == (jit.lookup("answer"), 6)


def pool_threads() -> set[threading.Thread]:
    return {each for each in threading.enumerate() if each.name.startswith("lazyjit-")}


def test_a_session_that_cannot_write_its_dump_says_so_and_leaves_nothing(own, monkeypatch):
    monkeypatch.setenv("JITDUMPDIR", str(own / "nowhere"))
    threads = pool_threads()
    with pytest.raises(ResourceError):
        lazyjit.JIT(perf_support=True)
    gc.collect()  # with a half-made session, this is where __del__ would complain
    assert pool_threads() <= threads
