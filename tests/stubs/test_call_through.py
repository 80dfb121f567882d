"""What a first call may change (r11 and the flags), and from where it can be made."""

import ctypes
import os
import threading

import pytest


def address(function: object) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0


BINARY = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_long, ctypes.c_long)


@pytest.mark.parametrize("resolved_before", [False, True])
@pytest.mark.parametrize("mode", [0, 1, 2], ids=["sse", "avx", "avx512"])
def test_every_argument_register_and_the_stack_survive(machine, probe, mode, resolved_before):
    if mode > probe.probe_vector_mode():
        pytest.skip("this processor has no such registers")
    stub = machine.stub(address(probe.probe_callee))
    if resolved_before:
        machine.stubs.resolve([stub], [address(probe.probe_callee)])
    where = ctypes.c_int(-1)
    probe.probe_registers.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]
    different = probe.probe_registers(stub, mode, ctypes.byref(where))
    assert different == 0, f"{different} bytes differ, the first at {where.value}"
    assert machine.requests == ([] if resolved_before else [1])


def test_ten_arguments_reach_the_callee(machine, probe):
    stub = machine.stub(address(probe.probe_ten))
    function = ctypes.CFUNCTYPE(ctypes.c_long, *[ctypes.c_long] * 10)(stub)
    assert function(*range(1, 11)) == sum(i * i for i in range(1, 11))


def test_variadic_calls_keep_their_vector_count(machine):
    stub = machine.stub(address(ctypes.CDLL(None).snprintf))
    snprintf = ctypes.CFUNCTYPE(ctypes.c_int)(stub)
    out = ctypes.create_string_buffer(64)
    snprintf(out, ctypes.c_size_t(64), b"%g %d %g", ctypes.c_double(1.5), 7, ctypes.c_double(2.25))
    assert out.value == b"1.5 7 2.25"


def test_errno_survives(machine, probe):
    stub = machine.stub(address(probe.probe_add))
    assert probe.probe_errno(ctypes.c_void_p(stub), 11) == 11
    assert machine.requests == [1]


@pytest.mark.parametrize("stack", [64 << 10, 32 << 10])
def test_a_thread_with_a_small_stack_makes_a_first_call(machine, probe, stack):
    stub = machine.stub(address(probe.probe_add))
    call = probe.probe_small_stack
    call.argtypes = [ctypes.c_void_p, ctypes.c_long, ctypes.c_long, ctypes.c_size_t]
    call.restype = ctypes.c_long
    assert call(stub, 40, 2, stack) == 42
    assert machine.requests == [1]


def race(probe, stubs):
    count = len(stubs)
    results = (ctypes.c_long * count)()
    assert probe.probe_race((ctypes.c_void_p * count)(*stubs), count, results) == 0
    return list(results)


def test_sixteen_foreign_threads_racing_make_one_request(machine, probe):
    for _ in range(50):
        machine.requests.clear()
        stub = machine.stub(address(probe.probe_add))
        assert race(probe, [stub] * 16) == [1000 + i for i in range(16)]
        assert machine.requests == [1]


def test_racing_calls_of_many_stubs_get_each_its_own_function(machine, probe):
    targets = [address(probe.probe_add), address(probe.probe_through)]
    stubs = machine.stubs.create(range(64))
    machine.serve = lambda payload: machine.stubs.resolve([stubs[payload]], [targets[0]])
    assert race(probe, stubs) == [1000 + i for i in range(64)]
    assert sorted(machine.requests) == list(range(64))


def test_a_call_holding_the_gil_lets_go_of_it(machine, probe):
    stub = machine.stub(address(probe.probe_add))
    assert ctypes.PYFUNCTYPE(ctypes.c_long, ctypes.c_long, ctypes.c_long)(stub)(40, 2) == 42


def test_a_python_thread_without_the_gil_calls(machine, probe):
    stub = machine.stub(address(probe.probe_add))
    results = []
    threads = [
        threading.Thread(target=lambda i=i: results.append(BINARY(stub)(i, 1))) for i in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == list(range(1, 9))
    assert machine.requests == [1]


def test_the_function_may_call_itself_by_its_stub_while_it_is_being_served(machine, probe):
    outer = int(machine.stubs.create([1])[0])
    inner = int(machine.stubs.create([2])[0])
    seen = []

    def recurse(a, b):
        seen.append((a, b))
        return BINARY(outer)(a - 1, b) if a else BINARY(inner)(b, b)

    callback = BINARY(recurse)
    targets = {1: (outer, address(callback)), 2: (inner, address(probe.probe_add))}

    def serve(payload):
        stub, target = targets[payload]
        machine.stubs.resolve([stub], [target])

    machine.serve = serve
    assert BINARY(outer)(3, 5) == 10
    assert seen == [(3, 5), (2, 5), (1, 5), (0, 5)]
    assert machine.requests == [1, 2]


def test_a_pool_thread_that_makes_a_first_call_serves_the_queue_itself(make_machine, probe):
    machine = make_machine(threads=1)
    outer, inner = machine.stubs.create([1, 2])
    results = []

    def serve(payload):
        if payload == 1:  # calls the other one, on the only thread that could serve it
            results.append(BINARY(inner)(20, 1))
        stub = outer if payload == 1 else inner
        machine.stubs.resolve([stub], [address(probe.probe_add)])

    machine.serve = serve
    assert BINARY(outer)(40, 2) == 42
    assert results == [21]
    machine.close()


def test_two_pool_threads_wait_for_stubs_that_the_other_serves(make_machine, probe):
    machine = make_machine(threads=2)
    stubs = machine.stubs.create(range(40))

    def serve(payload):
        if payload + 2 < 40:
            BINARY(stubs[payload + 2])(1, 1)
        machine.stubs.resolve([stubs[payload]], [address(probe.probe_add)])

    machine.serve = serve
    assert race(probe, stubs[:2]) == [1000, 1001]
    assert sorted(machine.requests) == list(range(40))
    machine.close()


def test_first_calls_in_a_forked_child_are_served_by_its_own_threads(machine, probe):
    stub = machine.stub(address(probe.probe_add))
    child = os.fork()
    if child == 0:
        os._exit(BINARY(stub)(40, 2))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42
    assert machine.requests == []
    assert BINARY(stub)(40, 3) == 43


def test_an_exception_passes_a_stub_that_is_being_resolved(machine, probe_cxx):
    stub = machine.stub(address(probe_cxx.probe_cxx_throw))
    assert probe_cxx.probe_cxx_catch(ctypes.c_void_p(stub)) == 17
