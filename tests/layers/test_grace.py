"""Grace periods: what is retired is freed after the calls before it, and not after later ones."""

import threading

from hypothesis import given
from hypothesis import strategies as st

from lazyjit.layers.grace import GracePeriods


def test_retiring_runs_at_once_when_no_call_is_under_way():
    grace, done = GracePeriods(), []
    grace.retire(lambda: done.append(1))
    assert done == [1]
    assert grace.waiting == 0


def test_retiring_waits_for_earlier_calls_and_not_for_later_ones():
    grace, done = GracePeriods(), []
    before = grace.enter()
    grace.retire(lambda: done.append("freed"))
    after = grace.enter()
    assert done == []
    grace.leave(before)
    assert done == ["freed"]
    grace.leave(after)
    assert grace.calls == 0


@given(st.lists(st.tuples(st.sampled_from(["enter", "leave", "retire"]), st.integers(0, 7))))
def test_any_order_of_calls_frees_exactly_when_the_last_earlier_call_returns(steps):
    grace = GracePeriods()
    calls: list[int] = []  # tokens
    began: dict[int, int] = {}  # serial -> token
    blockers: dict[int, set[int]] = {}  # action -> serials of calls that were under way
    freed: set[int] = set()
    for serial, (what, pick) in enumerate(steps):
        if what == "enter":
            began[serial] = grace.enter()
            calls.append(serial)
        elif what == "leave" and calls:
            call = calls.pop(pick % len(calls))
            for waiting in blockers.values():
                waiting.discard(call)
            grace.leave(began[call])
        elif what == "retire":
            blockers[serial] = set(calls)
            grace.retire(lambda action=serial: freed.add(action))
        # An action is freed once it and all that were retired before it are unblocked.
        expected, blocked = set(), False
        for action, waiting in blockers.items():
            blocked = blocked or bool(waiting)
            if not blocked:
                expected.add(action)
        assert freed == expected


def test_threads_that_enter_and_leave_while_others_retire_lose_nothing():
    grace, freed = GracePeriods(), []
    start = threading.Barrier(8)

    def call() -> None:
        start.wait()
        for _ in range(2000):
            grace.leave(grace.enter())

    def retire() -> None:
        start.wait()
        for _ in range(500):
            grace.retire(lambda: freed.append(1))

    threads = [threading.Thread(target=run) for run in [call] * 4 + [retire] * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(freed) == 2000
    assert (grace.calls, grace.waiting) == (0, 0)


def test_a_later_action_waits_for_an_earlier_one_on_another_thread() -> None:
    grace = GracePeriods()
    order: list[str] = []
    begun, go_on = threading.Event(), threading.Event()

    def free() -> None:
        begun.set()
        assert go_on.wait(600)
        order.append("free")

    first = grace.enter()
    grace.retire(free)
    second = grace.enter()
    grace.retire(lambda: order.append("unmap"))
    thread = threading.Thread(target=grace.leave, args=(first,))
    thread.start()
    assert begun.wait(600)
    grace.leave(second)  # "unmap" is due now, but "free" is still at it
    assert not order
    go_on.set()
    thread.join()
    assert order == ["free", "unmap"]
    assert grace.waiting == 0 and grace.calls == 0
