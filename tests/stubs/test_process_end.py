"""What happens when there is nobody to raise a failure to, and when Python ends."""

import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest


def address(function: object) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0


ROOT = Path(__file__).parent.parent.parent

PREAMBLE = """
import atexit, ctypes, os, sys, threading
from lazyjit.call import NativeFunction
from lazyjit.core import dispatch
from lazyjit.link.arena import Arena
from lazyjit.stubs import StubPool

probe = ctypes.CDLL(sys.argv[1])
LONG = ctypes.c_long
BINARY = ctypes.CFUNCTYPE(LONG, LONG, LONG)
arena = Arena()
pool = dispatch.ThreadPoolDispatcher(2)
stubs = StubPool(arena, pool.queue)
stub = int(stubs.create([1])[0])
add = ctypes.cast(probe.probe_add, ctypes.c_void_p).value
def resolve(payload):
    stubs.resolve([stub], [add])
def fail(payload):
    stubs.fail([stub], KeyError("f.ll:3: no such thing"))
"""


@pytest.fixture
def run(probe_path):
    def run(script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-X", "faulthandler", "-c", PREAMBLE + script, probe_path],
            capture_output=True,
            text=True,
            timeout=600,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    return run


def test_a_failure_below_unguarded_python_ends_the_process_and_says_why(run):
    result = run("pool.on_stub = fail\nBINARY(stub)(1, 2)\nprint('unreachable')")
    assert result.returncode == -signal.SIGABRT
    assert "f.ll:3: no such thing" in result.stderr
    assert "not through lazyjit.call.NativeFunction" in result.stderr
    assert result.stdout == ""


def test_a_failure_on_a_foreign_thread_ends_the_process_and_says_why(run):
    result = run("pool.on_stub = fail\nprobe.probe_small_stack(ctypes.c_void_p(stub), 1, 2, 65536)")
    assert result.returncode == -signal.SIGABRT
    assert "f.ll:3: no such thing" in result.stderr
    assert "no Python call led here" in result.stderr


def test_python_called_back_without_a_guard_is_not_unwound(run):
    """The outer call is guarded, but unwinding to it would cut through the interpreter."""
    result = run(
        "pool.on_stub = fail\n"
        "callback = BINARY(lambda a, b: BINARY(stub)(a, b))\n"
        "NativeFunction(ctypes.cast(callback, ctypes.c_void_p).value, LONG, [LONG] * 2)(1, 2)"
    )
    assert result.returncode == -signal.SIGABRT
    assert "not through lazyjit.call.NativeFunction" in result.stderr


def test_the_failure_address_is_called_in_the_functions_place(run):
    result = run(
        "pool.on_stub = fail\n"
        "stubs.set_failure_address(ctypes.cast(probe.probe_add, ctypes.c_void_p).value)\n"
        "print(BINARY(stub)(40, 2))\n"
        "stubs.set_failure_address(ctypes.cast(ctypes.CDLL(None)._exit, ctypes.c_void_p).value)\n"
        "sys.stdout.flush()\n"
        "BINARY(stub)(33, 2)"
    )
    assert (result.returncode, result.stdout, result.stderr) == (33, "42\n", "")


def test_a_guarded_call_goes_before_the_failure_address(run):
    result = run(
        "pool.on_stub = fail\n"
        "stubs.set_failure_address(add)\n"
        "try: NativeFunction(stub, LONG, [LONG] * 2)(40, 2)\n"
        "except KeyError as error: print(error)"
    )
    assert result.stdout == "'f.ll:3: no such thing'\n"


def test_a_pool_that_nobody_closed_does_not_keep_the_process(run):
    result = run("pool.on_stub = resolve\nprint(BINARY(stub)(40, 2))")
    assert (result.returncode, result.stdout, result.stderr) == (0, "42\n", "")


def test_exit_handlers_can_make_first_calls(run):
    result = run(
        "pool.on_stub = resolve\natexit.register(lambda: print(BINARY(stub)(40, 2), flush=True))"
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "42\n", "")


def test_a_task_that_hangs_does_not_keep_the_process(run):
    result = run(
        "dispatch.EXIT_PATIENCE = 0.05\n"
        "started = threading.Event()\n"
        "pool.dispatch(lambda: (started.set(), threading.Event().wait()))\n"
        "started.wait()"
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_a_daemon_thread_that_waits_for_a_stub_does_not_keep_the_process(run):
    result = run(
        "asked = threading.Event()\n"
        "pool.on_stub = lambda payload: asked.set()\n"
        "threading.Thread(target=BINARY(stub), args=(1, 2), daemon=True).start()\n"
        "asked.wait()"
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_demand_that_is_queued_at_exit_is_finished_and_the_rest_dropped(run):
    result = run(
        "from lazyjit.core.tasks import TaskClass\n"
        "pool = dispatch.ThreadPoolDispatcher(1)\n"
        "busy = threading.Event()\n"
        "def until_closed():\n"
        "    busy.set()\n"
        "    while not dispatch.lib.lj_queue_closed(pool.queue): pass\n"
        "pool.dispatch(until_closed)\n"
        "busy.wait()\n"
        "pool.dispatch(lambda: print('speculation'), TaskClass.SPECULATION)\n"
        "pool.dispatch(lambda: print('demand'))\n"
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "demand\n", "")


def test_a_first_call_after_finalization_fails_loudly(run):
    result = run("pool.on_stub = resolve\nprobe.probe_at_exit(ctypes.c_void_p(stub))")
    assert result.returncode == -signal.SIGABRT
    assert "the session was closed" in result.stderr
    assert "no Python call led here" in result.stderr


def test_a_resolved_stub_works_after_finalization(run):
    result = run(
        "pool.on_stub = resolve\nBINARY(stub)(1, 2)\nprobe.probe_at_exit(ctypes.c_void_p(stub))"
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_backtraces_pass_the_call_through(machine, probe):
    """A callee that is reached by the call-through sees as many frames as one called directly."""
    stub = machine.stub(address(probe.probe_backtrace))
    first = ctypes.CFUNCTYPE(ctypes.c_long)(stub)
    assert first() == first() > 2
