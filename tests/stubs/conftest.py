"""Fixtures of the stub tests: machine code to call, and stubs with threads to serve them."""

import ctypes
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lazyjit.core.dispatch import ThreadPoolDispatcher
from lazyjit.link.arena import Arena
from lazyjit.stubs import StubPool

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def probe_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("probe") / "probe.so"
    source = HERE / "probe.c"
    subprocess.run(["gcc", "-O2", "-shared", "-fPIC", source, "-o", out, "-lpthread"], check=True)
    return out


@pytest.fixture(scope="session")
def probe(probe_path: Path) -> ctypes.CDLL:
    return ctypes.CDLL(str(probe_path))


@pytest.fixture(scope="session")
def probe_cxx(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    out = tmp_path_factory.mktemp("probe") / "probe_cxx.so"
    source = HERE / "probe.cpp"
    subprocess.run(["g++", "-O1", "-shared", "-fPIC", source, "-o", out], check=True)
    return ctypes.CDLL(str(out))


class Machine:
    """An arena, a thread pool and a stub pool; requests are served by `serve(payload)`."""

    def __init__(self, threads: int = 2) -> None:
        self.arena = Arena()
        self.reports: list[BaseException] = []
        self.dispatcher = ThreadPoolDispatcher(threads, self._on_stub, report=self.reports.append)
        self.stubs = StubPool(self.arena, self.dispatcher.queue)
        self.requests: list[int] = []
        self.serve: Callable[[int], None] = lambda payload: None

    def _on_stub(self, payload: int) -> None:
        self.requests.append(payload)
        self.serve(payload)

    def stub(self, outcome: int | BaseException, payload: int = 1) -> int:
        """A stub whose first call resolves it to an address, or fails it."""
        stub = int(self.stubs.create([payload])[0])

        def serve(payload: int) -> None:
            if isinstance(outcome, int):
                self.stubs.resolve([stub], [outcome])
            else:
                self.stubs.fail([stub], outcome)

        self.serve = serve
        return stub

    def close(self) -> None:
        self.dispatcher.close()
        self.stubs.close()
        self.stubs.dispose()
        self.arena.close()


@pytest.fixture
def make_machine() -> type[Machine]:
    return Machine


@pytest.fixture
def machine() -> Iterator[Machine]:
    machine = Machine()
    yield machine
    machine.close()
    assert not machine.reports
