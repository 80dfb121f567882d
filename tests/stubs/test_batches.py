"""Many stubs at once. What they cost is measured in bench/ (`calls`, `resolve`)."""

from __future__ import annotations

import ctypes

import numpy as np


def address(function: object) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0


def test_a_batch_of_stubs_is_resolved_each_to_its_own_target(machine, probe):
    count = 10_000
    stubs = machine.stubs.create(range(count))
    targets = address(probe.probe_add) + np.arange(count, dtype=np.uint64)
    machine.stubs.resolve(stubs, targets)
    assert [machine.stubs.target(stub) for stub in stubs] == targets.tolist()


def test_each_first_call_resolves_the_stub_that_was_called(machine, probe):
    count = 2000
    stubs = machine.stubs.create(range(count))
    add = address(probe.probe_add)
    served = []

    def serve(payload: int) -> None:
        served.append(payload)
        machine.stubs.resolve([stubs[payload]], [add])

    machine.serve = serve
    probe.probe_first_calls((ctypes.c_void_p * count)(*stubs), ctypes.c_long(count))
    assert served == list(range(count))
    assert {machine.stubs.target(stub) for stub in stubs} == {add}
