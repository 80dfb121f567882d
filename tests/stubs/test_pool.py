"""Making, resolving, failing and freeing stubs."""

import ctypes
import random
import threading

import numpy as np
import pytest

from lazyjit._native import check, ffi, lib
from lazyjit.call import NativeFunction
from lazyjit.errors import InternalError, SessionClosed, SymbolRemoved
from lazyjit.link.arena import Arena
from lazyjit.stubs import StubPool


def address(function: object) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0


BINARY = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_long, ctypes.c_long)
LONGS = [ctypes.c_long] * 2


def test_stubs_are_sixteen_bytes_apart_and_distinct(machine):
    stubs = machine.stubs.create(range(1000))
    assert len(np.unique(stubs)) == 1000
    assert all(int(stub) % 16 == 0 for stub in stubs)
    assert int(stubs[1]) - int(stubs[0]) == 16
    statistics = machine.stubs.statistics()
    assert statistics.live == 1000
    assert statistics.chunks == 4


def test_targets_are_told(machine, probe):
    stub = machine.stub(address(probe.probe_add))
    assert machine.stubs.target(stub) is None
    BINARY(stub)(1, 2)
    assert machine.stubs.target(stub) == address(probe.probe_add)
    assert machine.stubs.target(stub + 1) is None
    assert machine.stubs.target(12345) is None


def test_resolving_before_any_call_posts_nothing(machine, probe):
    stubs = machine.stubs.create(range(600))
    machine.stubs.resolve(stubs, [address(probe.probe_add)] * 600)
    assert {BINARY(int(stub))(2, 3) for stub in stubs} == {5}
    assert machine.stubs.statistics().requests == 0


def test_a_stub_can_be_retargeted_and_reset(machine, probe):
    stub = machine.stub(address(probe.probe_add))
    assert BINARY(stub)(2, 3) == 5
    machine.stubs.resolve([stub], [address(probe.probe_callee)])
    assert BINARY(stub)(2, 3) == 42
    machine.stubs.reset([stub])
    assert machine.stubs.target(stub) is None
    assert BINARY(stub)(2, 3) == 5
    assert machine.requests == [1, 1]


def test_resetting_an_unresolved_stub_changes_nothing(machine, probe):
    stub = machine.stub(address(probe.probe_add))
    machine.stubs.reset([stub])
    assert BINARY(stub)(2, 3) == 5
    assert machine.requests == [1]


def test_a_failed_stub_can_be_resolved_later(machine, probe):
    stub = machine.stub(ValueError("not now"))
    function = NativeFunction(stub, ctypes.c_long, LONGS)
    with pytest.raises(ValueError, match="not now"):
        function(1, 2)
    machine.stubs.resolve([stub], [address(probe.probe_add)])
    assert function(1, 2) == 3


def test_a_resolved_stub_can_fail_later(machine, probe):
    stub = machine.stub(address(probe.probe_add))
    function = NativeFunction(stub, ctypes.c_long, LONGS)
    assert function(1, 2) == 3
    machine.stubs.fail([stub], KeyError("removed"))
    with pytest.raises(KeyError, match="removed"):
        function(1, 2)


def test_freed_stubs_fail_and_are_reused(machine):
    stubs = machine.stubs.create(range(300))
    machine.stubs.free(stubs[:200])
    with pytest.raises(SymbolRemoved, match="removed"):
        NativeFunction(int(stubs[0]), None)()
    again = machine.stubs.create(range(200))
    assert set(again) == set(stubs[:200])
    assert machine.stubs.statistics().live == 300


def test_freeing_twice_is_an_error(machine):
    stub = machine.stubs.create([1])
    machine.stubs.free(stub)
    with pytest.raises(InternalError):
        machine.stubs.free(stub)


@pytest.mark.parametrize("stub", [0, 16, 1 << 63])
def test_addresses_that_are_no_stubs_are_refused(machine, stub):
    machine.stubs.create([1])
    for change in (machine.stubs.reset, machine.stubs.free):
        with pytest.raises(InternalError):
            change([stub])
    with pytest.raises(InternalError):
        machine.stubs.resolve([stub], [1])
    with pytest.raises(InternalError):
        machine.stubs.fail([stub], KeyError())


def test_closing_fails_waiting_and_later_calls(machine):
    waiting = threading.Event()
    stub = int(machine.stubs.create([1])[0])
    other = int(machine.stubs.create([2])[0])
    machine.serve = lambda payload: waiting.set()  # never resolves it
    errors = []

    def call():
        try:
            NativeFunction(stub, None)()
        except SessionClosed as error:
            errors.append(error)

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    waiting.wait()
    machine.stubs.close()
    for thread in threads:
        thread.join()
    assert len(errors) == 4
    with pytest.raises(SessionClosed):
        NativeFunction(other, None)()
    with pytest.raises(SessionClosed):
        machine.stubs.create([3])


def test_a_closed_dispatcher_fails_first_calls(make_machine, probe):
    machine = make_machine()
    stub = machine.stub(address(probe.probe_add))
    machine.dispatcher.close()
    with pytest.raises(SessionClosed):
        NativeFunction(stub, ctypes.c_long, LONGS)(1, 2)
    machine.close()


def test_a_full_arena_is_an_error_and_makes_no_stub(make_machine):
    machine = make_machine()
    arena = Arena(size=3 * 4096 * 4)
    pool = StubPool(arena, machine.dispatcher.queue)
    with pytest.raises(Exception, match="full"):
        pool.create(range(100_000))
    assert pool.statistics().live == 0
    assert len(pool.create(range(254))) == 254
    pool.dispose()
    arena.close()
    machine.close()


def test_changes_race_with_calls_without_losing_one(machine, probe):
    """Calls get a result or the failure, whatever the order; and none hangs."""
    add = address(probe.probe_add)
    stubs = machine.stubs.create(range(8))
    machine.serve = lambda payload: machine.stubs.resolve([stubs[payload]], [add])
    stop = threading.Event()
    outcomes = []

    def call(seed):
        rng = random.Random(seed)
        functions = [NativeFunction(stub, ctypes.c_long, LONGS) for stub in stubs]
        while True:  # once at least, however late this thread comes to it
            try:
                outcomes.append(rng.choice(functions)(40, 2) == 42)
            except KeyError:
                outcomes.append(True)
            if stop.is_set():
                return

    threads = [threading.Thread(target=call, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    rng = random.Random(0)
    for _ in range(3000):
        stub = [rng.choice(stubs)]
        rng.choice(
            [
                lambda stub: machine.stubs.reset(stub),
                lambda stub: machine.stubs.resolve(stub, [add]),
                lambda stub: machine.stubs.fail(stub, KeyError("failed")),
            ]
        )(stub)
    machine.stubs.reset(stubs)
    stop.set()
    for thread in threads:
        thread.join()
    assert len(outcomes) >= 4 and all(outcomes)


def test_a_pool_that_is_disposed_of_outlives_who_has_its_handle(machine, probe):
    # As another thread does that has taken the handle and is about to call native code with it.
    pool = StubPool(machine.arena, machine.dispatcher.queue)
    [stub] = pool.create([1])
    handle = pool.handle
    pool.close()
    pool.dispose()
    del pool
    count, words = 1, ffi.new("uint64_t[]", [stub])
    assert lib.lj_stubs_target(handle, stub) == 0
    for status in (
        lib.lj_stubs_create(handle, count, words, words),
        lib.lj_stubs_resolve(handle, count, words, words),
        lib.lj_stubs_fail(handle, count, words, 16, b"why"),
        lib.lj_stubs_reset(handle, count, words),
        lib.lj_stubs_free(handle, count, words),
    ):
        with pytest.raises(SessionClosed):
            check(status)
    statistics = ffi.new("lj_stubs_statistics *")
    lib.lj_stubs_statistics_get(handle, statistics)
    assert (statistics.live, statistics.chunks) == (0, 0)
