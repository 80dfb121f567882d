"""Completions, and the dispatcher that runs everything in place."""

from __future__ import annotations

import threading

import pytest

from lazyjit.core import Completion, InPlaceDispatcher
from lazyjit.errors import SessionClosed


def test_a_completion_is_set_once_and_wakes_everybody() -> None:
    completion = Completion()
    woken: list[int] = []
    completion.add_waker(lambda: woken.append(1))
    threads = [threading.Thread(target=completion.wait) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert not completion.is_set() and not completion.wait(0)
    completion.set()
    completion.set()
    for thread in threads:
        thread.join()
    completion.add_waker(lambda: woken.append(2))
    assert completion.is_set() and completion.wait() and woken == [1, 2]


def test_tasks_run_in_place_and_those_of_tasks_run_after_them() -> None:
    dispatcher = InPlaceDispatcher()
    events: list[str] = []

    def outer() -> None:
        dispatcher.dispatch(lambda: events.append("inner"))
        events.append("outer")

    dispatcher.dispatch(outer)
    assert events == ["outer", "inner"]


def test_a_chain_of_tasks_needs_no_deep_stack() -> None:
    dispatcher = InPlaceDispatcher()
    left = [50_000]

    def again() -> None:
        left[0] -= 1
        if left[0]:
            dispatcher.dispatch(again)

    dispatcher.dispatch(again)
    assert left == [0]


def test_a_task_that_waits_runs_what_it_waits_for() -> None:
    dispatcher = InPlaceDispatcher()
    events: list[str] = []

    def outer() -> None:
        completion = Completion()
        dispatcher.dispatch(lambda: events.append("other"))
        dispatcher.dispatch(completion.set)
        dispatcher.wait_for(completion)
        events.append("outer")

    dispatcher.dispatch(outer)
    assert events == ["outer", "other"]


def test_a_wait_may_end_on_another_thread() -> None:
    dispatcher = InPlaceDispatcher()
    completion = Completion()
    thread = threading.Thread(target=completion.set)
    thread.start()
    dispatcher.wait_for(completion)
    thread.join()


def test_a_task_that_raises_is_logged_and_the_next_one_runs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    dispatcher = InPlaceDispatcher()
    events: list[str] = []

    def outer() -> None:
        dispatcher.dispatch(lambda: events.append("next"))
        raise ValueError("odd")

    dispatcher.dispatch(outer)
    assert events == ["next"] and "odd" in caplog.text


def test_a_closed_dispatcher_refuses_tasks() -> None:
    dispatcher = InPlaceDispatcher()
    dispatcher.close()
    with pytest.raises(SessionClosed):
        dispatcher.dispatch(lambda: None)
