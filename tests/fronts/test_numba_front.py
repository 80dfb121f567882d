"""Functions that Numba lowered: results, exceptions and types equal Numba's own."""

from __future__ import annotations

import ctypes
import gc
import math
import threading

import pytest

numba = pytest.importorskip("numba", reason="needs numba (pip install lazyjit[numba])")

import numpy as np  # noqa: E402  # after the skip

from lazyjit import numba as front  # noqa: E402
from lazyjit.errors import DuplicateDefinition, SymbolRemoved, UsageError  # noqa: E402


@numba.njit
def helper(a, n):
    if n > 100:
        raise ValueError("too many", n)
    return a * n


def norm(x):
    return np.sqrt((x * x).sum())


def kernel(x, n):
    total = 0.0
    for each in x:
        total += helper(each, n)
    return total


def fill(n):
    out = np.empty(n)
    for i in range(n):
        out[i] = math.sin(i)
    return out


def collatz(n):
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps


def words(s):
    return s.upper() + "!", len(s), (1, 2.5)


def product(a, b):
    return a @ b


def matrix(a):
    return np.linalg.solve(a, a.sum(axis=0)), a.T.copy()


def fib(n):
    return n if n < 2 else fib_inner(n - 1) + fib_inner(n - 2)


@numba.njit
def fib_inner(n):
    return n if n < 2 else fib_inner(n - 1) + fib_inner(n - 2)


@numba.njit
def factorial(n):
    return 1 if n < 2 else n * factorial(n - 1)


DATA = np.random.default_rng(2).uniform(size=(4, 4))
CASES = [
    (norm, "float64(float64[:])", (DATA[0],)),
    (norm, "float64(float64[::1])", (np.arange(1000.0),)),
    (kernel, "float64(float64[:], int64)", (DATA[0], 3)),
    (fill, "float64[:](int64)", (100,)),
    (collatz, "int64(int64)", (27,)),
    (fib, "int64(int64)", (15,)),
    (words, (numba.types.unicode_type,), ("straße",)),
    (lambda z: abs(z) + z * 1j, "complex128(complex128)", (3 + 4j,)),
    (lambda x: x > 1, "boolean(float32)", (1.5,)),
    (lambda: None, "void()", ()),
    (lambda a: [x + 1 for x in a], (numba.float64[:],), (DATA[0],)),
    (lambda a: sum(a), (numba.types.ListType(numba.int64),), (numba.typed.List([1, 2]),)),
    (lambda a, b: a[0] + b, "float64(float64[:], float64)", (DATA[0][::2], 3)),
    (lambda x: x, "int64(int64)", (1.5,)),
    (lambda x: x if x > 0 else None, (numba.int64,), (3,)),
    (lambda x: x if x > 0 else None, (numba.int64,), (-3,)),
]


def equal(one, other):
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    return type(one) is type(other) and one == other


@pytest.mark.parametrize(("function", "signature", "arguments"), CASES)
def test_results_equal_numbas(jit, function, signature, arguments):
    ours = front.add(jit, function, signature)
    assert jit.statistics().functions_compiled == 0
    theirs = numba.njit(signature)(function)
    assert equal(ours(*arguments), theirs(*arguments))


def test_a_function_of_njit_that_calls_itself(jit):
    assert front.add(jit, factorial, "int64(int64)")(15) == factorial(15) == math.factorial(15)


@pytest.mark.parametrize(
    ("function", "signature", "arguments"),
    [
        (lambda a: a[0], "float64(float64[:])", (np.arange(3),)),
        (lambda a: a[0], "float64(float64[:])", ([1.0],)),
        (lambda a: a[0], "float64(float64[::1])", (np.arange(9.0)[::2],)),
        (lambda a: a[0], "float64(float64[:])", (np.ones((2, 2)),)),
        (lambda s: len(s), (numba.types.unicode_type,), (5,)),
        (lambda x: x, "int64(int64)", ("1",)),
        (lambda x: x, "int64(int64)", (object(),)),
    ],
)
def test_arguments_of_other_types_are_refused_as_by_numba(jit, function, signature, arguments):
    ours, theirs = front.add(jit, function, signature), numba.njit(signature)(function)
    for each in (theirs, ours, ours):
        with pytest.raises(TypeError):
            each(*arguments)


def test_an_integer_too_large_for_any_type_overflows(jit):
    ours = front.add(jit, collatz, "int64(int64)")
    for each in (ours, numba.njit("int64(int64)")(collatz)):
        with pytest.raises(OverflowError):
            each(2**70)


def test_two_functions_raise_exceptions_with_arguments_of_the_same_types(jit):
    def one(n):
        raise ValueError("one", n)

    def other(n):
        raise ValueError("other", n)

    for function in (one, other):
        with pytest.raises(ValueError, match=function.__name__):
            front.add(jit, function, "void(int64)")(1)


def test_an_optional_result_has_no_c_entry(jit):
    def maybe(x):
        return x if x > 0 else None

    ours = front.add(jit, maybe, (numba.int64,))
    assert (ours.symbol, ours.address) == (None, None)
    with pytest.raises(UsageError, match="result"):
        front.add(jit, maybe, (numba.int64,), name="maybe")


def test_linear_algebra_finds_its_library(jit):
    pytest.importorskip("scipy", reason="Numba's linear algebra needs scipy")
    signature = (numba.float64[:, ::1],)
    assert equal(front.add(jit, matrix, signature)(DATA), numba.njit(signature)(matrix)(DATA))


def test_exceptions_are_the_functions(jit):
    ours = front.add(jit, kernel, "float64(float64[:], int64)")
    for _ in range(2):
        with pytest.raises(ValueError, match="too many") as caught:
            ours(DATA[0], 300)
        assert caught.value.args == ("too many", 300)
    with pytest.raises(TypeError):
        ours(1.0)
    with pytest.raises(TypeError):
        ours("x", 1)


def test_callees_that_do_not_run_are_not_compiled(jit):
    def choose(n):
        return helper(1.0, n) if n > 0 else math.gamma(n + 0.5)

    ours = front.add(jit, choose, "float64(int64)")
    ours(3)
    statistics = jit.statistics()
    assert statistics.functions_compiled < statistics.functions_known


def test_ir_calls_the_c_entry_by_its_name(jit):
    front.add(jit, collatz, "int64(int64)", name="collatz")
    jit.add(
        "declare i64 @collatz(i64)\ndefine i64 @twice(i64 %n) {\n"
        "  %a = call i64 @collatz(i64 %n)\n  %r = mul i64 %a, 2\n  ret i64 %r\n}\n"
    )
    assert jit["twice"](27) == 222
    with pytest.raises(DuplicateDefinition):
        front.add(jit, fib, "int64(int64)", name="collatz")
    with pytest.raises(UsageError):
        front.add(jit, fib, "int64(int64)", name='"')


def test_the_c_entry_has_an_address(jit):
    ours = front.add(jit, collatz, "int64(int64)")
    assert ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(ours.address)(27) == 111


def test_one_function_by_two_signatures_and_twice(jit):
    made = [front.add(jit, lambda x: x + x, s) for s in ("int64(int64)", "float64(float64)")]
    assert [each(2) for each in made] == [4, 4.0]
    again = front.add(jit, collatz, "int64(int64)"), front.add(jit, collatz, "int64(int64)")
    assert [each(27) for each in again] == [111, 111]


def test_removal_and_closing(jit):
    ours = front.add(jit, collatz, "int64(int64)")
    assert ours(1) == 0
    jit.remove(ours._tracker)
    with pytest.raises(SymbolRemoved):
        ours(1)


def test_numbas_errors_are_its_own_and_nothing_stays(jit):
    def wrong(x):
        return x.nothing

    before = jit.statistics().modules
    with pytest.raises(numba.core.errors.NumbaError):
        front.add(jit, wrong, "float64(float64)")
    with pytest.raises(UsageError, match="parallel"):
        front.add(jit, numba.njit(parallel=True)(norm), "float64(float64[:])")
    assert jit.statistics().modules == before


def test_arrays_are_not_leaked(jit):
    from numba.core.runtime import _nrt_python, rtsys

    _nrt_python.memsys_enable_stats()
    ours = front.add(jit, fill, "float64[:](int64)")
    ours(10)
    gc.collect()
    before = rtsys.get_allocation_stats()
    for _ in range(50):
        ours(10)
    gc.collect()
    after = rtsys.get_allocation_stats()
    assert after.alloc - before.alloc == after.free - before.free


def test_threads_make_the_first_call_together(jit):
    ours = front.add(jit, numba.njit(nogil=True)(norm), "float64(float64[:])")
    results = []
    together = threading.Barrier(4)

    def run():
        together.wait()
        results.append(ours(DATA[0]))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(results)) == 1
