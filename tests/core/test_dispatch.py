"""The thread pool: order, helping, closing, fork."""

import ctypes
import os
import threading

import pytest

from lazyjit._native import ffi, lib
from lazyjit.core.dispatch import STACK_SIZE, ThreadPoolDispatcher
from lazyjit.core.tasks import Completion, TaskClass
from lazyjit.errors import ResourceError, SessionClosed, UsageError

DEMAND, PROMOTION, SPECULATION = TaskClass


@pytest.fixture
def pool():
    pool = ThreadPoolDispatcher(2)
    yield pool
    pool.close()


class Blocked:
    """A pool of one thread, kept busy until `release`."""

    def __init__(self, **options):
        self.pool = ThreadPoolDispatcher(1, **options)
        self._release = threading.Event()
        busy = threading.Event()
        self.pool.dispatch(lambda: (busy.set(), self._release.wait()))
        busy.wait()

    def finish(self):
        self._release.set()
        self.pool.close()


def post_stub(pool, payload, klass=DEMAND):
    assert lib.lj_queue_post(pool.queue, klass, lib.LJ_ITEM_STUB, payload) == 0


def test_urgent_classes_go_first_and_each_in_order():
    blocked = Blocked()
    order = []
    for klass in (SPECULATION, PROMOTION, DEMAND):
        for number in range(50):
            blocked.pool.dispatch(lambda item=(klass, number): order.append(item), klass)
    assert blocked.pool.lengths() == (50, 50, 50)
    blocked.finish()
    assert order == [(klass, number) for klass in TaskClass for number in range(50)]


def test_stub_requests_queue_with_tasks():
    order = []
    blocked = Blocked(on_stub=order.append)
    blocked.pool.dispatch(lambda: order.append("speculation"), SPECULATION)
    blocked.pool.dispatch(lambda: order.append("demand"))
    post_stub(blocked.pool, 2**64 - 1)
    blocked.finish()
    assert order == ["demand", 2**64 - 1, "speculation"]


def test_every_task_runs_once_from_many_threads(pool):
    ran = []
    threads = [
        threading.Thread(
            target=lambda base: [
                pool.dispatch(lambda n=n: ran.append(n), TaskClass(n % 3))
                for n in range(base, base + 1000)
            ],
            args=(base,),
        )
        for base in range(0, 8000, 1000)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pool.close()
    assert sorted(ran) == list(range(8000))


@pytest.mark.parametrize("threads", [1, 2])
def test_waiting_pool_threads_run_queued_demand(threads):
    """A tree of waits, far wider and deeper than the pool."""
    pool = ThreadPoolDispatcher(threads)
    leaves = []

    def node(depth, done):
        if depth:
            children = [Completion(), Completion()]
            for child in children:
                pool.dispatch(lambda child=child: node(depth - 1, child))
            for child in children:
                pool.wait_for(child)
        else:
            leaves.append(threading.get_ident())
        done.set()

    done = Completion()
    pool.dispatch(lambda: node(7, done))
    pool.wait_for(done)
    pool.close()
    assert len(leaves) == 128


def test_waiting_pool_threads_leave_speculation_alone():
    pool = ThreadPoolDispatcher(1)
    order, done, inner = [], Completion(), Completion()

    def task():
        pool.dispatch(lambda: order.append("speculation"), SPECULATION)
        pool.dispatch(lambda: (order.append("demand"), inner.set()))
        pool.wait_for(inner)
        order.append("waited")
        done.set()

    pool.dispatch(task)
    pool.wait_for(done)
    pool.close()
    assert order == ["demand", "waited", "speculation"]


def test_a_waiting_pool_thread_wakes_for_a_completion_set_elsewhere():
    pool = ThreadPoolDispatcher(1)
    inner, done, waiting = Completion(), Completion(), threading.Event()
    pool.dispatch(lambda: (waiting.set(), pool.wait_for(inner), done.set()))
    waiting.wait()
    inner.set()
    pool.wait_for(done)
    pool.close()


def test_waiting_for_what_is_set_returns_at_once(pool):
    completion = Completion()
    completion.set()
    pool.wait_for(completion)
    done = Completion()
    pool.dispatch(lambda: (pool.wait_for(completion), done.set()))
    pool.wait_for(done)


def test_what_tasks_raise_is_reported_and_the_pool_goes_on():
    reports = []
    pool = ThreadPoolDispatcher(1, on_stub=lambda payload: 1 / 0, report=reports.append)
    pool.dispatch(lambda: {}["missing"])
    pool.dispatch(lambda: exec("raise SystemExit(3)"))
    post_stub(pool, 1)
    done = Completion()
    pool.dispatch(done.set)
    pool.wait_for(done)
    pool.close()
    assert [type(error) for error in reports] == [KeyError, SystemExit, ZeroDivisionError]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_report_that_raises_does_not_end_the_thread():
    def report(error):
        raise RuntimeError("report")

    pool = ThreadPoolDispatcher(1, report=report)
    pool.dispatch(lambda: 1 / 0)
    done = Completion()
    pool.dispatch(done.set)
    pool.wait_for(done)
    pool.close()


def test_a_stub_request_without_a_server_is_reported():
    reports = []
    pool = ThreadPoolDispatcher(1, report=reports.append)
    post_stub(pool, 1)
    pool.close()
    assert isinstance(reports[0], UsageError)


def test_closing_runs_what_is_queued_and_refuses_more():
    blocked = Blocked()
    ran = []
    for number in range(100):
        blocked.pool.dispatch(lambda number=number: ran.append(number), TaskClass(number % 3))
    closer = threading.Thread(target=blocked.pool.close)
    closer.start()
    while not blocked.pool.closed:
        pass
    with pytest.raises(SessionClosed):
        while True:  # until the closer has reached the native queue
            blocked.pool.dispatch(lambda: ran.append(-1), SPECULATION)
    blocked.finish()
    closer.join()
    assert sorted(number for number in ran if number >= 0) == list(range(100))
    with pytest.raises(SessionClosed):
        blocked.pool.dispatch(lambda: None)


def test_closing_twice_and_from_its_own_thread(pool):
    done = Completion()
    pool.dispatch(lambda: (pool.close(), done.set()))
    done.wait()
    pool.close()
    pool.close()
    assert pool.closed


def test_tasks_still_wait_and_help_while_the_pool_closes():
    blocked = Blocked()
    inner, order = Completion(), []
    blocked.pool.dispatch(lambda: (blocked.pool.wait_for(inner), order.append("outer")))
    blocked.pool.dispatch(lambda: (order.append("inner"), inner.set()))
    blocked.finish()
    assert order == ["inner", "outer"]


def test_threads_have_large_stacks(pool):
    libc = ctypes.CDLL(None)
    libc.pthread_self.restype = ctypes.c_void_p
    libc.pthread_getattr_np.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    sizes = []

    def measure():
        attributes, size = ctypes.create_string_buffer(64), ctypes.c_size_t()
        libc.pthread_getattr_np(libc.pthread_self(), attributes)
        libc.pthread_attr_getstacksize(attributes, ctypes.byref(size))
        sizes.append(size.value)

    done = Completion()
    pool.dispatch(lambda: (measure(), done.set()))
    pool.wait_for(done)
    assert sizes[0] >= STACK_SIZE == 64 << 20
    assert threading.stack_size() == 0


def test_a_pool_needs_a_thread():
    with pytest.raises(UsageError):
        ThreadPoolDispatcher(0)


def test_a_forked_child_has_a_pool_of_its_own_and_inherits_the_queue():
    pool = ThreadPoolDispatcher(2)
    barrier, release = threading.Barrier(3), threading.Event()
    for _ in range(2):
        pool.dispatch(lambda: (barrier.wait(), release.wait()))
    barrier.wait()
    ran = []
    for number in range(20):
        pool.dispatch(lambda number=number: ran.append(number), SPECULATION)
    # The fork waits for the two that run; they end when it has begun to.
    paused = threading.Thread(target=release.set)
    paused.start()
    child = os.fork()
    if child == 0:
        pool.close()
        os._exit(len(ran))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 20
    pool.close()
    assert sorted(ran) == list(range(20))


def test_many_forks_under_load_lose_nothing():
    pool = ThreadPoolDispatcher(2)
    ran, stop = [], threading.Event()
    posted = []

    def feed():
        while not stop.is_set():
            pool.dispatch(lambda: ran.append(1))
            posted.append(1)

    feeder = threading.Thread(target=feed)
    feeder.start()
    codes = []
    for _ in range(20):
        child = os.fork()
        if child == 0:
            done = Completion()
            pool.dispatch(done.set)
            pool.wait_for(done)
            pool.close()
            os._exit(5)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    stop.set()
    feeder.join()
    pool.close()
    assert codes == [5] * 20
    assert len(ran) == len(posted)


def test_a_fork_from_a_task(pool):
    codes = []
    done = Completion()

    def task():
        child = os.fork()
        if child == 0:
            inner = Completion()
            pool.dispatch(inner.set)
            pool.wait_for(inner)
            os._exit(6)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        done.set()

    pool.dispatch(task)
    pool.wait_for(done)
    assert codes == [6]


# --- the native queue ----------------------------------------------------------------------------


@pytest.fixture
def queue():
    out = ffi.new("lj_queue **")
    assert lib.lj_queue_new(out) == 0
    yield out[0]
    lib.lj_queue_dispose(out[0])


def pop(queue, max_class=2, timeout=0, gate=ffi.NULL):
    item = ffi.new("lj_item *")
    return lib.lj_queue_pop(queue, max_class, timeout, gate, item), item.kind, item.payload


def test_pop_gives_nothing_when_the_time_is_up(queue):
    assert pop(queue) == (0, lib.LJ_ITEM_NONE, 0)
    assert pop(queue, timeout=1_000_000) == (0, lib.LJ_ITEM_NONE, 0)


def test_pop_leaves_classes_above_its_own(queue):
    lib.lj_queue_post(queue, SPECULATION, lib.LJ_ITEM_TASK, 7)
    assert pop(queue, max_class=1)[1] == lib.LJ_ITEM_NONE
    assert pop(queue)[2] == 7


def test_an_open_gate_goes_before_items(queue):
    gate = ffi.new("lj_gate *")
    lib.lj_queue_post(queue, DEMAND, lib.LJ_ITEM_TASK, 7)
    lib.lj_queue_open(queue, gate)
    assert pop(queue, timeout=-1, gate=gate)[1] == lib.LJ_ITEM_NONE
    assert pop(queue)[2] == 7


def test_posting_many_is_all_or_nothing(queue):
    items = ffi.new("lj_item[]", [(i % 3, lib.LJ_ITEM_TASK, i) for i in range(300)])
    assert lib.lj_queue_post_many(queue, items, 300) == 0
    items[299].klass = 3
    assert lib.lj_queue_post_many(queue, items, 300) != 0
    popped = [pop(queue)[2] for _ in range(300)]
    assert popped == sorted(range(300), key=lambda i: (i % 3, i))
    assert pop(queue)[1] == lib.LJ_ITEM_NONE


def test_a_closed_queue_gives_what_is_kept_and_tells(queue):
    for klass in TaskClass:
        lib.lj_queue_post(queue, klass, lib.LJ_ITEM_TASK, int(klass) + 1)
    assert lib.lj_queue_close(queue, PROMOTION) == 1
    assert [pop(queue)[2] for _ in range(2)] == [1, 2]
    closed = pop(queue)[0]
    assert ffi.string(lib.lj_status_name(closed)) == b"CLOSED"
    assert lib.lj_queue_post(queue, DEMAND, lib.LJ_ITEM_TASK, 1) == closed


def test_threads_that_the_system_refuses_are_an_error_that_leaves_none(monkeypatch):
    start, started = threading.Thread.start, []

    def refuse(thread):
        if threading.current_thread() is not here:
            start(thread)
            return
        if len(started) == 3:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    here = threading.current_thread()
    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(ResourceError, match="50 threads: can't start"):
        ThreadPoolDispatcher(50)
    assert [thread.is_alive() for thread in started] == [False] * 3
