"""What stubs cost; bounds are loose, for machines under load. The figures are printed (-s)."""

import ctypes
import statistics
import time

import numpy as np
import pytest


def address(function: object) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0


@pytest.fixture
def timer(probe):
    probe.probe_time.argtypes = [ctypes.c_void_p, ctypes.c_long]
    probe.probe_time.restype = ctypes.c_double
    return lambda function: min(probe.probe_time(function, 2_000_000) for _ in range(9))


def test_a_resolved_stub_costs_about_a_nanosecond_at_most(machine, probe, timer):
    stub = machine.stub(address(probe.probe_add))
    machine.stubs.resolve([stub], [address(probe.probe_add)])
    direct, through = timer(address(probe.probe_add)), timer(stub)
    print(f"\ndirect {direct:.2f} ns, through a resolved stub {through:.2f} ns")
    assert through - direct < 3


def test_a_first_call_of_a_ready_function_takes_microseconds(machine, probe):
    count = 2000
    stubs = machine.stubs.create(range(count))
    add = address(probe.probe_add)
    machine.serve = lambda payload: machine.stubs.resolve([stubs[payload]], [add])
    times = (ctypes.c_double * count)()
    probe.probe_first_calls((ctypes.c_void_p * count)(*stubs), ctypes.c_long(count), times)
    median = statistics.median(times) / 1e3
    best = statistics.quantiles(times, n=10)[0] / 1e3
    print(f"\nfirst call of a ready function: median {median:.1f} us, best tenth {best:.1f} us")
    assert median < 1000


def test_resolving_a_batch_takes_a_fraction_of_a_microsecond_each(machine, probe):
    count = 10_000
    stubs = machine.stubs.create(range(count))
    targets = np.full(count, address(probe.probe_add), np.uint64)
    start = time.perf_counter()
    machine.stubs.resolve(stubs, targets)
    each = (time.perf_counter() - start) / count
    print(f"\nresolving in a batch: {each * 1e9:.0f} ns a stub")
    assert each < 20e-6
