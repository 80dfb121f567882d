"""Links whose memory manager answers late: nothing waits for it, and nothing is gone by then."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator

import pytest

from lazyjit import JIT
from lazyjit.core import MaterializationUnit, SymbolState
from lazyjit.layers.plugin import Plugin
from lazyjit.link.memory_slab import SlabMemoryManager
from lazyjit.symbols import SymbolFlags

INT = ctypes.c_int
F = "int counter = 4; const int table[3] = {1, 2, 3}; int f(int i) { return counter + table[i]; }"


@pytest.fixture
def slab() -> Iterator[SlabMemoryManager]:
    slab = SlabMemoryManager(4 << 20)
    yield slab
    assert slab.used == 0
    slab.close()


class Late:
    """Another manager's answers, on threads of their own, when told to or at once."""

    def __init__(self, inner, *, held: bool = False) -> None:
        self.inner = inner
        self.page_size = inner.page_size
        self.runs_here = inner.runs_here
        self.waiting: list[Callable[[], None]] = []
        self.arrived = threading.Semaphore(0)
        self.held = held
        self.threads: list[threading.Thread] = []

    def later(self, answer: Callable[..., None]) -> Callable[..., None]:
        def take(*values) -> None:
            if self.held:
                self.waiting.append(lambda: answer(*values))
                self.arrived.release()
                return
            thread = threading.Thread(target=answer, args=values)
            self.threads.append(thread)
            thread.start()

        return take

    def allocate(self, request, on_allocated) -> None:
        def answer(allocation, error) -> None:
            on_allocated(allocation and LateAllocation(self, allocation), error)

        self.inner.allocate(request, self.later(answer))

    def deallocate(self, allocations, on_deallocated) -> None:
        self.inner.deallocate(allocations, on_deallocated)


class LateAllocation:
    def __init__(self, manager: Late, inner) -> None:
        self.manager, self.inner = manager, inner
        self.segments = inner.segments

    def finalize(self, actions, on_finalized) -> None:
        self.inner.finalize(actions, self.manager.later(on_finalized))

    def abandon(self, on_abandoned) -> None:
        self.inner.abandon(self.manager.later(on_abandoned))


def test_answers_may_come_on_other_threads(slab, compile_object):
    late = Late(slab)
    with JIT(memory_manager=late, compile_threads=2, speculate=False) as jit:
        jit.add(compile_object("int down(int); int up(int x) { return x > 4 ? x : down(x); }"))
        jit.add(compile_object("int up(int); int down(int x) { return up(x + 1); }"))
        assert jit.function("up", INT, INT)(1) == 5
    for thread in late.threads:
        thread.join()
    assert len(late.threads) == 4


def test_no_thread_waits_for_a_manager(slab, compile_object):
    """More links are under way than there are threads, and all the threads are free."""
    late = Late(slab, held=True)
    with JIT(memory_manager=late, compile_threads=2, speculate=False) as jit:
        names = [f"f{i}" for i in range(8)]
        for i, name in enumerate(names):
            jit.add(compile_object(f"int {name}(void) {{ return {i}; }}"))
        answers: list = []
        done = threading.Event()

        def on_complete(result, error) -> None:
            answers.append(error or result)
            done.set()

        jit.session.lookup_async(jit.main, names, SymbolState.READY, on_complete)
        for _ in range(2):  # allocate, finalize
            for _ in names:
                assert late.arrived.acquire(timeout=600)
            waiting, late.waiting = late.waiting, []
            for answer in waiting:
                answer()
        assert done.wait(600)
        assert answers[0].keys() == set(names)
        late.held = False


def test_code_removed_while_a_manager_thinks_is_given_back(slab, compile_object):
    for steps in (0, 1):
        late = Late(slab, held=True)
        with JIT(memory_manager=late, compile_threads=2, speculate=False) as jit:
            tracker = jit.add(compile_object("int f(void) { return 1; }"))
            failed = threading.Event()
            jit.session.lookup_async(
                jit.main, ["f"], SymbolState.READY, lambda *answer, failed=failed: failed.set()
            )
            for _ in range(steps):
                assert late.arrived.acquire(timeout=600)
                late.waiting.pop()()
            assert late.arrived.acquire(timeout=600)
            tracker.remove()
            assert failed.wait(600)
            late.held = False
            late.waiting.pop()()
            for thread in late.threads:
                thread.join()
            assert slab.used == 0


@pytest.mark.parametrize("plugins", [(), (Plugin(),)])
def test_a_manager_may_answer_when_the_objects_bytes_are_gone(slab, compile_object, plugins):
    late = Late(slab, held=True)
    with JIT(memory_manager=late, compile_threads=1) as jit:
        for plugin in plugins:
            jit.add_plugin(plugin)
        data = bytearray(compile_object(F))
        raw = (ctypes.c_char * len(data)).from_buffer(data)
        done = threading.Event()

        class Borrowed(MaterializationUnit):
            """Hands out the address of bytes that it overwrites right after."""

            def materialize(self, responsibility):
                place = ctypes.addressof(raw), len(data)
                jit._objects.emit(responsibility, place, file="borrowed.o")
                raw.value = b"\xcc" * (len(data) - 1)
                done.set()

        flags = SymbolFlags.EXPORTED | SymbolFlags.CALLABLE
        jit.main.define(Borrowed("borrowed", {"f": flags}))
        found: list[int] = []
        asker = threading.Thread(target=lambda: found.append(jit.function("f", INT, INT)(1)))
        asker.start()
        assert done.wait(600)
        late.held = False
        while late.waiting:
            late.waiting.pop()()
        asker.join()
        assert found == [6]
