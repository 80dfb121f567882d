"""What a program finds in the process, and how the process ends. Each in a process of its own."""

import os
import signal
import subprocess
import sys

import pytest


def python(code, **options):
    """Run code that has lazyjit.cli.process and libc at hand."""
    start = (
        "import ctypes, os, signal, sys\n"
        "from lazyjit.cli import process\n"
        "libc = ctypes.CDLL(None)\n"
    )
    return subprocess.run(
        [sys.executable, "-c", start + code], capture_output=True, text=True, timeout=600, **options
    )


def test_signals_are_as_a_program_finds_them():
    done = python(
        "process.become_plain()\n"
        "names = ('SIGPIPE', 'SIGXFSZ', 'SIGINT')\n"
        "print(all(signal.getsignal(getattr(signal, n)) == signal.SIG_DFL for n in names))"
    )
    assert done.stdout == "True\n"


def test_an_inherited_ignored_interrupt_stays_ignored():
    done = python(
        "process.become_plain()\nprint(signal.getsignal(signal.SIGINT) == signal.SIG_IGN)",
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    assert done.stdout == "True\n"


def test_the_locale_is_c_until_the_program_chooses_another():
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = python(
        "libc.setlocale.restype = ctypes.c_char_p\n"
        "process.become_plain()\n"
        "print(libc.setlocale(6, None), libc.setlocale(6, b''))",
        env=environment,
    )
    assert done.stdout == "b'C' b'C.UTF-8'\n"


@pytest.mark.parametrize("given", [None, "C.UTF-8"])
def test_the_environment_is_the_one_that_was_inherited(given):
    environment = {k: v for k, v in os.environ.items() if k[:3] != "LC_" and k[:4] != "LANG"}
    if given:
        environment["LC_CTYPE"] = given
    done = python(
        "libc.getenv.restype = ctypes.c_char_p\n"
        "process.become_plain()\n"
        "print(libc.getenv(b'LC_CTYPE'))",
        env=environment,
    )
    assert done.stdout == f"{given.encode() if given else None}\n"


def test_hooks_run_in_reverse_and_after_them_stdio_is_written_out():
    done = python(
        "for word in (b'late\\n', b'early\\n'):\n"
        "    process.at_exit(lambda word=word: libc.printf(word))\n"
        "libc.printf(b'main\\n')\n"
        "process.leave(300)"
    )
    assert (done.stdout, done.returncode) == ("main\nearly\nlate\n", 300 & 0xFF)


def test_hooks_run_when_the_program_itself_exits():
    done = python("process.at_exit(lambda: libc.printf(b'hook'))\nlibc.exit(5)")
    assert (done.stdout, done.returncode) == ("hook", 5)


def test_python_s_own_output_is_written_out():
    done = python("sys.stdout.write('x' * 10)\nprocess.leave(0)")
    assert (done.stdout, done.returncode) == ("x" * 10, 0)


def test_the_end_does_not_wait_for_other_threads():
    done = python(
        "import threading\n"
        "threading.Thread(target=threading.Event().wait).start()\n"
        "process.leave(3)"
    )
    assert done.returncode == 3


def test_arguments_are_writable_and_end_with_null():
    done = python(
        "count, vector = process.c_arguments(['a', 'bc'])\n"
        "strings = (ctypes.c_void_p * 3).from_address(vector)\n"
        "ctypes.memset(strings[1], ord('x'), 1)\n"
        "print(count, ctypes.string_at(strings[1]), strings[2])"
    )
    assert done.stdout == "2 b'xc' None\n"


def test_core_files_can_be_forbidden():
    done = python(
        "import resource\nprocess.forbid_core_files()\n"
        "print(resource.getrlimit(resource.RLIMIT_CORE))"
    )
    assert done.stdout == "(0, 0)\n"


def test_what_is_written_to_stderr_can_be_caught():
    done = python(
        "with process.captured_stderr() as text:\n"
        "    os.write(2, b'caught')\n"
        "os.write(2, b'free')\n"
        "print(bytes(text))"
    )
    assert (done.stdout, done.stderr) == ("b'caught'\n", "free")
