"""A session for each test, whose invariants are checked when the test is over."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lazyjit.core import ExecutionSession, JITDylib

from .making import SeededDispatcher


@pytest.fixture
def reports() -> list[BaseException]:
    """What the session reports for want of anybody to tell."""
    return []


@pytest.fixture
def session(reports: list[BaseException]) -> Iterator[ExecutionSession]:
    """Runs tasks in place."""
    session = ExecutionSession()
    session.report_error = reports.append
    yield session
    session.verify_session()
    session.close()
    session.verify_session()


@pytest.fixture
def main(session: ExecutionSession) -> JITDylib:
    return session.create_dylib("main")


@pytest.fixture
def queue() -> SeededDispatcher:
    """Of `slow`: runs tasks when told to."""
    return SeededDispatcher()


@pytest.fixture
def slow(queue: SeededDispatcher, reports: list[BaseException]) -> Iterator[ExecutionSession]:
    """A session whose tasks wait until they are told to run."""
    session = ExecutionSession(queue)
    session.report_error = reports.append
    yield session
    session.verify_session()
    session.close()
    session.verify_session()
