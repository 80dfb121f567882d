"""Fixtures of the call tests: compiled C and C++ to call, and stubs that can't be resolved."""

import ctypes
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lazyjit.core.dispatch import ThreadPoolDispatcher
from lazyjit.link.arena import Arena
from lazyjit.stubs import StubPool

SOURCES = Path(__file__).parent.parent / "stubs"


@pytest.fixture(scope="session")
def probe(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    return ctypes.CDLL(_build(tmp_path_factory, "gcc", "probe.c"))


@pytest.fixture(scope="session")
def probe_cxx(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    return ctypes.CDLL(_build(tmp_path_factory, "g++", "probe.cpp"))


@pytest.fixture(scope="session")
def probe_blind(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The C probe without unwind information."""
    flags = ["-fno-asynchronous-unwind-tables", "-fno-unwind-tables", "-fomit-frame-pointer"]
    return ctypes.CDLL(_build(tmp_path_factory, "gcc", "probe.c", *flags))


def _build(factory: pytest.TempPathFactory, compiler: str, source: str, *flags: str) -> str:
    out = factory.mktemp("probe") / "probe.so"
    command = [compiler, "-O2", "-shared", "-fPIC", *flags, SOURCES / source, "-o", out]
    subprocess.run([*command, "-lpthread"], check=True)
    return str(out)


@pytest.fixture
def failing() -> Iterator[Callable[[BaseException], int]]:
    """Makes stubs whose first call fails: failing(error) gives the address."""
    arena, dispatcher = Arena(), ThreadPoolDispatcher(2)
    stubs = StubPool(arena, dispatcher.queue)
    made: list[tuple[int, BaseException]] = []

    def make(error: BaseException) -> int:
        made.append((int(stubs.create([len(made)])[0]), error))
        return made[-1][0]

    dispatcher.on_stub = lambda payload: stubs.fail([made[payload][0]], made[payload][1])
    yield make
    dispatcher.close()
    stubs.dispose()
    arena.close()
