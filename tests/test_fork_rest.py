"""fork: what comes to rest before it, and what a child does without the parent's threads."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

from lazyjit import JIT, forking


class Witness:
    """A participant that looks around when its turn has come."""

    def __init__(self, phase: forking.Phase, look: Callable[[], object]) -> None:
        self.look = look
        self.seen: list[object] = []
        forking.join(phase, self)

    def before_fork(self) -> None:
        self.seen.append(self.look())

    def after_fork(self, in_child: bool) -> None:
        self.seen.append("after")


def status_of_child(work: Callable[[], object]) -> int:
    """The exit status of a child of fork that does `work`: 0 unless it raises or hangs."""
    child = os.fork()
    if child == 0:
        status = 1
        signal.alarm(600)
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1]


def test_a_session_s_locks_are_held_during_a_fork() -> None:
    with JIT(compile_threads=1) as jit:
        locks = [jit._door, jit._lock, jit._platform._lock, jit.session._lock]
        witness = Witness(forking.Phase.MEMORY, lambda: [lock.locked() for lock in locks])
        assert status_of_child(lambda: jit.add("define void @f() {\n  ret void\n}")) == 0
        assert witness.seen == [[True] * 4, "after"]


def test_what_joins_while_others_come_to_rest_takes_part() -> None:
    late: list[Witness] = []
    first = Witness(
        forking.Phase.MEMORY, lambda: late.append(Witness(forking.Phase.POOL, lambda: "rested"))
    )
    assert status_of_child(lambda: None) == 0
    assert first.seen == [None, "after"]
    assert late[0].seen == ["rested", "after"]


def test_who_came_to_rest_late_goes_on_in_order() -> None:
    order: list[str] = []

    class Noting(Witness):
        def __init__(self, name: str, phase: forking.Phase, look: Callable[[], object]) -> None:
            super().__init__(phase, look)
            self.name = name

        def after_fork(self, in_child: bool) -> None:
            order.append(self.name)

    late: list[Noting] = []
    memory = Noting(
        "memory",
        forking.Phase.MEMORY,
        lambda: late.append(Noting("table", forking.Phase.TABLE, lambda: None)),
    )
    assert status_of_child(lambda: None) == 0
    assert memory.seen == [None]
    assert order == ["memory", "table"]


def test_who_has_gone_takes_no_part() -> None:
    witness = Witness(forking.Phase.TABLE, lambda: "rested")
    seen = witness.seen
    del witness
    assert status_of_child(lambda: None) == 0
    assert seen == []


def test_a_child_may_deinitialize_what_a_thread_of_the_parent_was_initializing() -> None:
    inside, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        inside.set()
        assert go_on.wait(600)

    with JIT(compile_threads=1) as jit:
        jit.define("hold", hold, "void()")
        jit.add("""
@llvm.global_ctors = appending global [1 x { i32, ptr, ptr }]
  [{ i32, ptr, ptr } { i32 65535, ptr @construct, ptr null }]
declare void @hold()
define internal void @construct() {
  call void @hold()
  ret void
}
""")
        initializer = threading.Thread(target=jit.initialize)
        initializer.start()
        assert inside.wait(600)
        status = status_of_child(jit.deinitialize)
        go_on.set()
        initializer.join()
        assert status == 0
