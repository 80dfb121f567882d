"""A session in a child process."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable

import pytest

from lazyjit.core import ExecutionSession, JITDylib, SymbolState
from lazyjit.errors import FailedToMaterialize, LazyJITError, ResourceError

from .making import Answer, Kept, Made, address_of


def in_child(check: Callable[[], None]) -> None:
    """Run `check` in a forked process; fails if it raises there."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads: the subject
        pid = os.fork()
    if pid == 0:
        code = 1
        try:
            check()
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_goes_on_but_for_what_was_being_made(
    session: ExecutionSession, main: JITDylib
) -> None:
    making, user = Kept("making"), Kept("user")
    for unit in (making, user):
        main.define(unit)
        session.lookup_async(main, [unit.name], SymbolState.READY, Answer())
    user.resolve()
    user.emit("making")
    main.define(Made("ready"))
    main.define(Made("untouched"))
    session.lookup(main, ["ready"])

    def check() -> None:
        found = session.lookup(main, ["ready", "untouched"])
        assert found["untouched"].address == address_of("untouched")
        for name in ("making", "user"):
            with pytest.raises(FailedToMaterialize) as caught:
                session.lookup(main, [name])
            assert isinstance(caught.value.__cause__, ResourceError)
        with pytest.raises(LazyJITError):
            making.resolve()
        session.verify_session()

    in_child(check)
    making.resolve()
    making.emit()
    assert session.lookup(main, ["making", "user", "untouched"])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_never_finds_the_lock_taken(session: ExecutionSession, main: JITDylib) -> None:
    main.define(Made("f"))
    over = threading.Event()

    def busy() -> None:
        while not over.is_set():
            session.lookup(main, ["f"])

    threads = [threading.Thread(target=busy) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):
            in_child(lambda: session.lookup(main, ["f"]) and None)
    finally:
        over.set()
        for thread in threads:
            thread.join()
