"""Exit handlers: by dylib, last in, first out, those included that are registered on the way."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from linking import Build, Program

from lazyjit.errors import UsageError
from lazyjit.link.arena import Arena
from lazyjit.link.runtime import DSOHandle, runtime_symbols

SOURCE = """
#include <stdlib.h>
int count, values[100];
static void note(int n) { values[count++] = n; }
static void first(void) { note(1); }
static void late(void) { note(4); }
static void second(void) { note(2); atexit(late); }
static void third(void) { note(3); }
int enroll(void) { return atexit(first) | atexit(second) | atexit(third); }
"""


def noted(program: Program) -> list[int]:
    count = ctypes.c_int.from_address(program.symbols["count"]).value
    return list((ctypes.c_int * count).from_address(program.symbols["values"]))


def test_handlers_run_last_in_first_out_and_once(build: Build, program: Program) -> None:
    program.link(build(SOURCE, "-fPIC"))
    assert program.call("enroll", restype=ctypes.c_int) == 0
    program.dso.run_exit_handlers()
    assert noted(program) == [3, 2, 4, 1]
    program.dso.run_exit_handlers()
    assert noted(program) == [3, 2, 4, 1]


def test_handlers_belong_to_the_dylib_that_registered_them(build: Build, arena: Arena) -> None:
    data = build(SOURCE, "-fPIC")
    one, two = Program(arena).link(data), Program(arena).link(data)
    one.call("enroll")
    two.call("enroll")
    one.dso.run_exit_handlers()
    assert (noted(one), noted(two)) == ([3, 2, 4, 1], [])
    two.dso.run_exit_handlers()
    assert noted(two) == [3, 2, 4, 1]
    one.close()
    two.close()


def test_closing_forgets_what_did_not_run(build: Build, arena: Arena) -> None:
    program = Program(arena).link(build(SOURCE, "-fPIC"))
    program.call("enroll")
    program.dso.close()
    program.dso.close()
    assert noted(program) == []
    with pytest.raises(UsageError):
        program.dso.run_exit_handlers()
    with pytest.raises(UsageError):
        runtime_symbols(program.dso)
    program.close()


STATIC = """
struct Logger {
    long *at, n;
    Logger(long *at, long n) : at(at), n(n) {}
    ~Logger() { *at = *at * 10 + n; }
};
extern "C" long trace; long trace;
static Logger one(&trace, 1);
static Logger two(&trace, 2);
extern "C" long use() {
    static Logger three(&trace, 3);
    thread_local Logger four(&trace, 4);
    return four.n;
}
"""


@pytest.mark.parametrize("by", ["gcc", "clang"])
def test_static_and_thread_local_objects_are_destroyed_in_opposite_order(
    build: Build, program: Program, by: str
) -> None:
    program.link(build(STATIC, "-fPIC", language="cpp", by=by))
    for address in program.graphs[0].init_array:
        ctypes.CFUNCTYPE(None)(address)()
    assert program.call("use") == 4
    trace = ctypes.c_long.from_address(program.symbols["trace"])
    assert trace.value == 0
    program.dso.run_exit_handlers()
    assert trace.value == 4321


def test_thread_local_objects_die_with_their_thread(build: Build, program: Program) -> None:
    program.link(build(STATIC, "-fPIC", language="cpp"))
    trace = ctypes.c_long.from_address(program.symbols["trace"])
    thread = threading.Thread(target=lambda: program.call("use"))
    thread.start()
    thread.join()
    # The interpreter may let go of the thread before its last instructions: wait for the effect.
    while trace.value != 4:
        threading.Event().wait(0.001)
    program.dso.run_exit_handlers()
    assert trace.value == 43


def test_runtime_symbols_are_what_a_platform_gives(arena: Arena) -> None:
    dso = DSOHandle(arena)
    symbols = runtime_symbols(dso)
    assert {"__dso_handle", "__cxa_atexit", "atexit", "__tls_get_addr", "exit"} <= symbols.keys()
    assert all(symbols.values())
    assert symbols["__dso_handle"] in arena and symbols["atexit"] in arena
    dso.close()


SCRIPT = """
import ctypes, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from linking import Program
from lazyjit.link.arena import Arena
program = Program(Arena()).link(Path(sys.argv[1]).read_bytes())
program.call("leave", 7)
print("not reached")
"""


def test_exit_from_linked_code_runs_handlers_and_ends_the_process(
    build: Build, tmp_path: Path
) -> None:
    source = """
    #include <stdio.h>
    #include <stdlib.h>
    static void bye(void) { puts("bye"); }
    static void done(void) { puts("done"); }
    void leave(long status) { atexit(done); atexit(bye); puts("leaving"); exit(status); }
    """
    path = tmp_path / "leave.o"
    path.write_bytes(build(source, "-fPIC"))
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(path), str(Path(__file__).parent)],
        capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )  # fmt: skip
    assert (ended.stdout, ended.returncode) == ("leaving\nbye\ndone\n", 7), ended.stderr


def test_fork_handlers_end_with_their_dylib(build: Build, arena: Arena) -> None:
    source = """
    #include <pthread.h>
    int count; static void before(void) { count++; }
    int enroll(void) { return pthread_atfork(before, 0, 0); }
    """
    program = Program(arena).link(build(source, "-fPIC"))
    assert program.call("enroll", restype=ctypes.c_int) == 0

    def fork() -> int:
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        return ctypes.c_int.from_address(program.symbols["count"]).value

    assert fork() == 1
    program.dso.close()
    assert fork() == 1
    program.close()
