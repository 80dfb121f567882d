"""A first call that can't be served raises in the Python call that led to it."""

import ctypes
import threading
import traceback

import pytest

from lazyjit.call import NativeFunction
from lazyjit.errors import CompileError, FailedToMaterialize

LONG = ctypes.c_long
BINARY = ctypes.CFUNCTYPE(LONG, LONG, LONG)


def address(function: object) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0


def through(library, function, times=1):
    """Calls `function` by way of a C function."""
    call = NativeFunction(address(library.probe_through), LONG, [ctypes.c_void_p, LONG, LONG])
    return lambda: call(function, 1, 2)


def test_a_direct_call_raises(failing):
    function = NativeFunction(failing(KeyError("why")), LONG, [LONG] * 2)
    with pytest.raises(KeyError, match="why"):
        function(1, 2)


def test_a_call_deep_in_native_code_raises_and_the_process_goes_on(probe, failing):
    call = through(probe, failing(KeyError("why")))
    for _ in range(100):
        with pytest.raises(KeyError, match="why"):
            call()
    assert through(probe, address(probe.probe_add))() == 4


def test_stack_arguments_do_not_confuse_the_way_back(probe, failing):
    function = NativeFunction(failing(KeyError("why")), LONG, [LONG] * 17)
    with pytest.raises(KeyError):
        function(*range(17))


@pytest.mark.parametrize("restype", [None, LONG, ctypes.c_double, ctypes.c_char_p, ctypes.c_bool])
def test_any_result_type_gives_way_to_the_exception(failing, restype):
    with pytest.raises(KeyError):
        NativeFunction(failing(KeyError("why")), restype)()


def test_the_exception_keeps_its_data_and_cause(failing):
    cause = CompileError("LLVM said no", unit="f.o", file="f.ll")
    error = FailedToMaterialize({"main": ["f"]}, cause)
    function = NativeFunction(failing(error), None)
    with pytest.raises(FailedToMaterialize) as caught:
        function()
    assert caught.value.symbols == {"main": ["f"]}
    assert caught.value.__cause__ is cause
    assert str(caught.value) == str(error)


def test_each_raise_has_a_traceback_of_its_own(failing):
    error = ValueError("why")
    function = NativeFunction(failing(error), None)
    lengths = set()
    for _ in range(5):
        with pytest.raises(ValueError) as caught:
            function()
        lengths.add(len(traceback.extract_tb(caught.value.__traceback__)))
    assert len(lengths) == 1
    assert error.__traceback__ is None


def test_destructors_of_the_frames_between_run(probe_cxx, failing):
    call = NativeFunction(address(probe_cxx.probe_cxx_through), LONG, [ctypes.c_void_p, LONG])
    destroyed = ctypes.c_int.in_dll(probe_cxx, "probe_destroyed")
    destroyed.value = 0
    with pytest.raises(KeyError):
        call(failing(KeyError("why")), 10)
    assert destroyed.value == 10


def test_catch_all_may_take_the_failure(probe_cxx, failing):
    call = NativeFunction(address(probe_cxx.probe_cxx_swallow), LONG, [ctypes.c_void_p])
    caught = ctypes.c_int.in_dll(probe_cxx, "probe_caught")
    caught.value = 0
    assert call(failing(KeyError("why"))) == -7
    assert caught.value == 1


def test_catch_all_may_throw_the_failure_on(probe_cxx, failing):
    call = NativeFunction(address(probe_cxx.probe_cxx_rethrow), LONG, [ctypes.c_void_p])
    caught = ctypes.c_int.in_dll(probe_cxx, "probe_caught")
    caught.value = 0
    with pytest.raises(KeyError):
        call(failing(KeyError("why")))
    assert caught.value == 1


def test_frames_without_unwind_information_are_jumped_over(probe_blind, failing):
    call = through(probe_blind, failing(KeyError("why")))
    for _ in range(20):
        with pytest.raises(KeyError, match="why"):
            call()


def test_blind_frames_below_seeing_ones(probe, probe_blind, failing):
    inner = address(probe_blind.probe_through)
    outer = NativeFunction(address(probe.probe_through), LONG, [ctypes.c_void_p, LONG, LONG])
    assert outer(address(probe.probe_add), 1, 2) == 4
    stub = failing(KeyError("why"))

    def python_between(a, b):
        return NativeFunction(inner, LONG, [ctypes.c_void_p, LONG, LONG])(stub, a, b)

    seen = []

    def callback(a, b):
        try:
            return python_between(a, b)
        except KeyError as error:
            seen.append(error)
            return 30

    kept = BINARY(callback)
    assert outer(address(kept), 1, 2) == 31
    assert len(seen) == 1


def test_the_nearest_of_nested_calls_raises(probe, failing):
    stub = failing(KeyError("inner"))
    inner = through(probe, stub)
    seen = []

    def callback(a, b):
        try:
            inner()
        except KeyError as error:
            seen.append(str(error))
        return a + b

    kept = BINARY(callback)
    outer = through(probe, address(kept))
    for _ in range(10):
        assert outer() == 4
    assert seen == ["'inner'"] * 10


def test_an_outer_call_may_fail_after_an_inner_one_did(probe, failing):
    stub = failing(KeyError("both"))
    inner = through(probe, stub)

    def callback(a, b):
        with pytest.raises(KeyError):
            inner()
        return stub_call(a, b)

    def stub_call(a, b):
        return NativeFunction(stub, LONG, [LONG] * 2)(a, b)

    errors = []

    def catching(a, b):
        try:
            return callback(a, b)
        except KeyError as error:
            errors.append(error)
            return 0

    kept = BINARY(catching)
    assert through(probe, address(kept))() == 1
    assert len(errors) == 1
    with pytest.raises(KeyError):
        through(probe, stub)()


def test_threads_get_their_own_failures(probe, failing):
    stubs = [failing(KeyError(i)) for i in range(8)]
    outcomes = [None] * 8
    barrier = threading.Barrier(8)

    def work(i):
        call = through(probe, stubs[i])
        barrier.wait()
        seen = set()
        for _ in range(50):
            try:
                call()
            except KeyError as error:
                seen.add(error.args[0])
        outcomes[i] = seen

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [{i} for i in range(8)]


@pytest.mark.parametrize("library", ["probe", "probe_blind"])
def test_guards_that_a_longjmp_skipped_are_not_returned_to(request, library, failing):
    native = request.getfixturevalue(library)
    # A guard calls probe_jump, which leaves for a frame above the guard's.
    skipped = NativeFunction(address(native.probe_jump), None)
    call = NativeFunction(
        address(native.probe_after_jump), LONG, [ctypes.c_void_p, ctypes.c_void_p]
    )
    assert call(skipped._guard.address, address(native.probe_add)) == 3
    for _ in range(20):
        with pytest.raises(KeyError, match="why"):
            call(skipped._guard.address, failing(KeyError("why")))
    assert call(skipped._guard.address, address(native.probe_add)) == 3


def test_a_call_holding_the_gil_still_holds_it_when_it_fails(probe, failing):
    guarded = NativeFunction(failing(KeyError("why")), LONG, [LONG] * 2)
    holding = ctypes.PYFUNCTYPE(LONG, LONG, LONG)(guarded._guard.address)
    assert holding(1, 2) == 0
    with pytest.raises(KeyError):  # the failure waits for whoever looks for it next
        NativeFunction(address(probe.probe_add), LONG, [LONG] * 2)(1, 2)


@pytest.mark.parametrize("depth", [3, 200])
def test_calls_nest_deeply_and_fail_at_the_bottom(probe_blind, failing, depth):
    """Python and native code alternate; each level catches and raises again."""
    stub = failing(KeyError("bottom"))
    caught = []

    def descend(level, unused):
        below = address(kept) if level > 1 else stub
        call = NativeFunction(
            address(probe_blind.probe_through), LONG, [ctypes.c_void_p] + [LONG] * 2
        )
        try:
            return call(below, level - 1, 0)
        except KeyError as error:
            caught.append((level, error))
            return call(address(probe_blind.probe_add), 0, 0)

    kept = BINARY(descend)
    descend(depth, 0)
    assert [level for level, _ in caught] == [1]


@pytest.mark.parametrize("fresh_thread", [False, True])
@pytest.mark.parametrize("mode", [0, 1, 2], ids=["sse", "avx", "avx512"])
def test_a_guard_passes_every_argument_register_and_the_stack(probe, mode, fresh_thread):
    if mode > probe.probe_vector_mode():
        pytest.skip("this processor has no such registers")
    guarded = NativeFunction(address(probe.probe_callee), LONG, [LONG] * 8)
    probe.probe_registers.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]
    where, different = ctypes.c_int(-1), []

    def call():
        different.append(probe.probe_registers(guarded._guard.address, mode, ctypes.byref(where)))

    if fresh_thread:  # whose list of guards has yet to be made
        thread = threading.Thread(target=call)
        thread.start()
        thread.join()
    else:
        call()
    # All but rbp, the guard's own frame pointer, which no convention passes arguments in.
    assert different[0] <= 8
    assert where.value // 8 == 5


def test_errno_survives_a_guard(probe):
    guarded = NativeFunction(address(probe.probe_add), LONG, [LONG] * 2)
    results, thunk = [], guarded._guard.address
    thread = threading.Thread(
        target=lambda: results.append(probe.probe_errno(ctypes.c_void_p(thunk), 11))
    )
    thread.start()
    thread.join()
    assert results == [11]
