"""What every test may use: the report's header, and the outside tools that some tests need.

Hypothesis tries the same examples in each run, however long they take: what a run finds must not
depend on chance, nor on what else the machine does. `LAZYJIT_FULL=1` makes them others each time.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from lazyjit import JIT

hypothesis.settings.register_profile(
    "lazyjit",
    deadline=None,
    derandomize=os.environ.get("LAZYJIT_FULL", "") in ("", "0"),
    suppress_health_check=[
        hypothesis.HealthCheck.too_slow,
        hypothesis.HealthCheck.function_scoped_fixture,
    ],
)
hypothesis.settings.load_profile("lazyjit")


def pytest_configure() -> None:
    """A shell's background job ignores interrupts, and so would every process of a test."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header() -> str:
    from lazyjit import llvmlib

    version = ".".join(map(str, llvmlib.version()))
    return f"lazyjit on LLVM {version} for {llvmlib.host().cpu}"


@pytest.fixture
def jit() -> Iterator[JIT]:
    """A JIT on two threads that do only what is asked; at the end its session must be in order."""
    with JIT(compile_threads=2, opt_level=1, speculate=False) as jit:
        yield jit
        jit.session.verify_session()


if "LAZYJIT_SANITIZED" in os.environ:
    #: Threads of libraries, which stay.
    _settled: set[str] = set()

    @pytest.fixture(autouse=True)
    def _threads_have_left() -> None:
        """Before each test: a thread that Python has joined may be on its way out of the system.

        It gives memory back with the sanitizer's lock held, and a child that is forked just then
        would wait for that lock for ever: the C library's allocator minds forks, this one doesn't.
        """
        deadline = time.monotonic() + 5
        while True:
            known = {str(thread.native_id) for thread in threading.enumerate()} | _settled
            leaving = {task.name for task in Path("/proc/self/task").iterdir()} - known
            if not leaving:
                return
            if time.monotonic() > deadline:
                _settled.update(leaving)
            os.sched_yield()


#: `compile_object(source, *flags, language="c")` -> the bytes of an ELF object.
ObjectCompiler = Callable[..., bytes]


@pytest.fixture
def compile_object(tmp_path: Path) -> ObjectCompiler:
    """Makes objects from C, C++ or assembly with gcc or clang; skips when there is neither."""
    made = iter(range(10**6))

    def compile_object(source: str, *flags: str, language: str = "c") -> bytes:
        names = ("g++", "clang++-22", "clang++") if language == "c++" else ("gcc", "clang-22", "cc")
        compiler = next(filter(None, map(shutil.which, names)), None)
        if compiler is None:
            pytest.skip(f"needs a compiler: {' or '.join(names)}")
        out = tmp_path / f"unit{next(made)}.o"
        command = [compiler, "-x", language, "-O1", "-fPIC", *flags, "-c", "-", "-o", out]
        done = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return out.read_bytes()

    return compile_object


@pytest.fixture
def make_archive(tmp_path: Path) -> Callable[[dict[str, bytes]], Path]:
    """Makes a static library of members by name, with a symbol index; skips without `ar`."""

    def make_archive(members: dict[str, bytes], name: str = "lib.a") -> Path:
        ar = shutil.which("ar") or shutil.which("llvm-ar-22")
        if ar is None:
            pytest.skip("needs ar (binutils)")
        folder = tmp_path / "members"
        folder.mkdir(exist_ok=True)
        for member, data in members.items():
            (folder / member).write_bytes(data)
        path = tmp_path / name
        subprocess.run([ar, "rcs", path, *(folder / member for member in members)], check=True)
        return path

    return make_archive


def _clang_of_llvm_22() -> str | None:
    """A clang whose IR the bound LLVM reads: older IR is upgraded, newer is refused."""
    for name in ("clang-22", "clang"):
        path = shutil.which(name)
        if path is None:
            continue
        words = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
        found = re.search(r"version (\d+)\.", words)
        if found and int(found.group(1)) == 22:
            return path
    return None


@pytest.fixture(scope="session")
def clang() -> str:
    """The path of a clang 22; without one, the test is skipped."""
    path = _clang_of_llvm_22()
    if path is None:
        pytest.skip("needs clang 22 (Debian's package clang-22)")
    return path
