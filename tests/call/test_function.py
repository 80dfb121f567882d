"""NativeFunction passes arguments and results on, whatever their types."""

import ctypes
import gc
import threading
import weakref

import pytest

from lazyjit.call import NativeFunction
from lazyjit.call.function import stack_bytes

LONG, DOUBLE = ctypes.c_long, ctypes.c_double


def address(function: object) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0


class Pair(ctypes.Structure):
    _fields_ = (("a", LONG), ("b", LONG))


class Big(ctypes.Structure):
    _fields_ = (("v", DOUBLE * 5),)


def test_integers_in_registers_and_on_the_stack(probe):
    function = NativeFunction(address(probe.probe_ten), LONG, [LONG] * 10)
    assert function(*range(1, 11)) == sum(i * i for i in range(1, 11))


def test_vectors_long_doubles_and_chars_on_the_stack(probe):
    types = [DOUBLE, LONG, ctypes.c_float, *[DOUBLE] * 7, ctypes.c_longdouble, ctypes.c_char]
    function = NativeFunction(address(probe.probe_mixed), DOUBLE, types)
    arguments = [*range(1, 12), b"\x0c"]
    assert function(*arguments) == sum(i * i for i in range(1, 13))


def test_structures_by_value(probe):
    function = NativeFunction(address(probe.probe_structs), LONG, [Pair] * 4 + [LONG])
    assert function(Pair(1, 2), Pair(3, 4), Pair(5, 6), Pair(7, 8), 9) == 285


def test_large_structures_in_and_out(probe):
    function = NativeFunction(address(probe.probe_big), Big, [Big, DOUBLE])
    result = function(Big((DOUBLE * 5)(1, 2, 3, 4, 5)), 2.0)
    assert list(result.v) == [2, 4, 6, 8, 10]


@pytest.mark.parametrize(
    ("types", "needed"),
    [
        ([], 0),
        ([LONG] * 6, 0),
        ([LONG] * 8, 16),
        ([DOUBLE] * 8 + [LONG] * 6, 0),
        ([DOUBLE] * 9, 8),
        ([ctypes.c_char_p, ctypes.POINTER(LONG), ctypes.py_object, ctypes.c_void_p], 0),
        ([Pair] * 4, 16),
        ([ctypes.c_longdouble], 16),
    ],
)
def test_the_bound_of_stack_bytes_covers_what_the_abi_needs(types, needed):
    bound = stack_bytes(LONG, types)
    assert bound >= needed
    assert bound == 0 or needed > 0 or any(issubclass(kind, Pair) for kind in types)


def test_a_hidden_result_pointer_takes_a_register():
    assert stack_bytes(Big, [LONG] * 6) == 8


@pytest.mark.parametrize("arguments", [(), (1,), (1, 2, 3)])
def test_a_wrong_number_of_arguments_is_an_error(probe, arguments):
    with pytest.raises(TypeError, match="takes 2 arguments"):
        NativeFunction(address(probe.probe_add), LONG, [LONG] * 2, name="add")(*arguments)


def test_a_wrong_type_is_an_error(probe):
    with pytest.raises(ctypes.ArgumentError):
        NativeFunction(address(probe.probe_add), LONG, [LONG] * 2)(1, "two")


def test_thousands_of_functions_live_and_die(probe):
    add = address(probe.probe_add)
    functions = [NativeFunction(add, LONG, [LONG] * 2) for _ in range(2000)]
    assert all(function(i, 1) == i + 1 for i, function in enumerate(functions))
    del functions[::2]
    gc.collect()
    functions += [NativeFunction(add, LONG, [LONG] * 2) for _ in range(1000)]
    assert all(function(i, 1) == i + 1 for i, function in enumerate(functions))


def test_keepalive_lives_as_long_as_the_function(probe):
    class Pin:
        pass

    pin = Pin()
    alive = weakref.ref(pin)
    function = NativeFunction(address(probe.probe_add), LONG, [LONG] * 2, keepalive=pin)
    del pin
    gc.collect()
    assert alive() is not None
    del function
    gc.collect()
    assert alive() is None


def test_calls_run_in_parallel(probe):
    """Two calls meet at a barrier inside, so neither holds the GIL."""
    libc = ctypes.CDLL(None)
    barrier = ctypes.create_string_buffer(64)
    libc.pthread_barrier_init(barrier, None, 2)
    wait = NativeFunction(address(libc.pthread_barrier_wait), ctypes.c_int, [ctypes.c_void_p])
    thread = threading.Thread(target=wait, args=(ctypes.addressof(barrier),))
    thread.start()
    wait(ctypes.addressof(barrier))
    thread.join()
