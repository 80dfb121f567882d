"""Closing waits for what other threads do with the session's memory."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from lazyjit.core import ExecutionSession, JITDylib, LookupFlags, SymbolState
from lazyjit.errors import SessionClosed
from lazyjit.symbols import ExecutorSymbolDef, SymbolFlags

FLAGS = SymbolFlags.EXPORTED | SymbolFlags.ABSOLUTE


class Freeing:
    """A resource manager that a thread can be held in; memory is gone at the end of `freed`."""

    def __init__(self) -> None:
        self.inside, self.go_on = threading.Event(), threading.Event()
        self.log: list[str] = []
        self.holding = True

    def handle_remove_resources(self, dylib: JITDylib, key: int) -> None:
        self.hold("removed")

    def handle_transfer_resources(self, dylib: JITDylib, destination: int, source: int) -> None:
        pass

    def hold(self, what: str) -> None:
        if self.holding:
            self.holding = False
            self.inside.set()
            assert self.go_on.wait(600)
        self.log.append(what)


def closing_meanwhile(
    session: ExecutionSession, work: Callable[[], object], freeing: Freeing
) -> list[str]:
    """What was done in which order, when the session is closed while `work` is held."""
    worker = threading.Thread(target=work)
    worker.start()
    assert freeing.inside.wait(600)
    closer = threading.Thread(target=lambda: (session.close(), freeing.log.append("closed")))
    closer.start()
    # It waits, and says so: nothing else begins any more.
    while not session._under_way._over:
        assert closer.is_alive()
    freeing.go_on.set()
    worker.join()
    closer.join()
    return freeing.log


def test_closing_waits_for_a_removal() -> None:
    session, freeing = ExecutionSession(), Freeing()
    session.register_resource_manager(freeing)
    dylib = session.create_dylib("main")
    tracker = dylib.create_tracker()
    assert closing_meanwhile(session, tracker.remove, freeing) == ["removed", "closed"]


def test_closing_waits_for_a_callback() -> None:
    session, freeing = ExecutionSession(), Freeing()
    dylib = session.create_dylib("main")
    dylib.define_absolute({"a": ExecutorSymbolDef(1, FLAGS)})

    def look_up() -> None:
        session.lookup_async(
            [(dylib, LookupFlags.ALL_SYMBOLS)],
            ["a"],
            SymbolState.READY,
            lambda result, error: freeing.hold("called back"),
        )

    assert closing_meanwhile(session, look_up, freeing) == ["called back", "closed"]


def test_closing_waits_for_who_keeps_it_open() -> None:
    session, freeing = ExecutionSession(), Freeing()

    def work() -> None:
        with session.kept_open():
            freeing.hold("worked")

    assert closing_meanwhile(session, work, freeing) == ["worked", "closed"]
    with pytest.raises(SessionClosed), session.kept_open():
        pass


def test_a_session_may_be_closed_by_what_it_would_wait_for() -> None:
    session = ExecutionSession()
    dylib = session.create_dylib("main")
    dylib.define_absolute({"a": ExecutorSymbolDef(1, FLAGS)})
    session.lookup_async(
        [(dylib, LookupFlags.ALL_SYMBOLS)],
        ["a"],
        SymbolState.READY,
        lambda result, error: session.close(),
    )
    assert session.closed
