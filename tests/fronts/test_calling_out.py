"""Native code that calls what Python defined: values both ways, exceptions, threads, lifetimes."""

from __future__ import annotations

import ctypes
import gc
import sys
import threading
import weakref

import cffi
import numpy as np
import pytest

from lazyjit import JIT, failures
from lazyjit.errors import DuplicateDefinition, FailedToMaterialize, SymbolsNotFound, UsageError


class Odd(Exception):
    pass


DOUBLE = "declare double @f(double)\ndefine double @g(double %x) {{\n{0}\n  ret double %r\n}}\n"
CALLS = DOUBLE.format("  %y = call double @f(double %x)\n  %r = fadd double %y, 1.0")


def test_native_code_calls_a_python_function_by_its_annotations(jit):
    def f(x: float) -> float:
        return x * 10

    jit.define("f", f)
    jit.add(CALLS)
    assert jit["g"](2.0) == 21.0


def test_what_it_raises_is_raised_by_the_python_call_that_led_there(jit):
    raised = Odd("here")

    def f(x: float) -> float:
        raise raised

    jit.define("f", f)
    jit.add(CALLS)
    for call in (
        jit["g"],
        jit.callable("g", nogil=True),
        jit.function("g", *[ctypes.c_double] * 2),
    ):
        for _ in range(3):
            with pytest.raises(Odd) as caught:
                call(1.0)
            assert caught.value is raised
    assert any(entry.name == "f" for entry in caught.traceback)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, StopIteration, MemoryError])
def test_any_exception_surfaces(jit, kind):
    def f(x: float) -> float:
        raise kind

    jit.define("f", f)
    jit.add(CALLS)
    with pytest.raises(kind):
        jit["g"](1.0)


def test_it_surfaces_at_the_innermost_call_of_nested_ones(jit):
    def f(x: float) -> float:
        if x == 0:
            raise Odd
        try:
            return g(x - 1)
        except Odd:
            return 100.0

    jit.define("f", f)
    jit.add(CALLS)
    g = jit["g"]
    assert g(1.0) == 101.0
    assert g(5.0) == 105.0


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("int8", -128), ("int16", -3), ("int32", -(2**31)), ("int64", -(2**63)),
        ("uint8", 255), ("uint16", 65535), ("uint32", 2**32 - 1), ("uint64", 2**64 - 1),
        ("bool", True), ("bool", False), ("float", 0.5), ("double", 1e300),
        ("complex128", 1 - 2j), ("complex64", 0.5 + 4j), ("ptr", 4096), ("ptr", None),
        ("{double, int32}", (1.5, 7)), ("{int8, double}", (-1, 2.5)),
        ("{float, float}", (1.0, 2.0)),
        ("{double, double, double}", (1.0, 2.0, 3.0)), ("{int64, {int8, float}}", (3, (1, 0.5))),
    ],
)  # fmt: skip
def test_values_come_and_go_unchanged(jit, kind, value):
    seen = []

    def same(x):
        seen.append(x)
        return x

    jit.define("same", same, f"{kind}({kind})")
    assert jit.callable("same", f"{kind}({kind})")(value) == value
    assert seen == [value]
    assert type(seen[0]) is type(value)


def test_arguments_beyond_the_registers_arrive(jit):
    types = ["int64", "double"] * 12 + ["{double, double, double}", "complex128", "{int64, double}"]
    values = [*range(24), (1.0, 2.0, 3.0), 1j, (5, 6.0)]
    values = [float(v) if isinstance(v, int) and v % 2 else v for v in values]
    seen = []
    jit.define("many", lambda *given: seen.append(given), f"void({', '.join(types)})")
    jit.callable("many", f"void({', '.join(types)})")(*values)
    assert seen == [tuple(values)]


def test_arrays_are_views_of_the_callers_memory(jit):
    def double(x):
        x *= 2
        return x.sum()

    signature = "double(double[:, :] shape strides)"
    jit.define("double", double, signature)
    data = np.arange(12.0).reshape(3, 4)
    assert jit.callable("double", signature)(data[::2, ::-1]) == 2 * (
        0 + 1 + 2 + 3 + 8 + 9 + 10 + 11
    )
    assert data[0, 1] == 2.0
    assert data[1, 1] == 5.0


def test_fixed_and_fortran_and_const_arrays(jit):
    seen = []

    def look(a, b):
        seen.append((a.tolist(), a.flags.writeable, b.tolist()))

    signature = "void(const int32[3], double[:, 2] fortran shape)"
    jit.define("look", look, signature)
    jit.callable("look", signature)(np.arange(3, dtype="i4"), np.asfortranarray([[1.0, 2], [3, 4]]))
    assert seen == [([0, 1, 2], False, [[1.0, 2.0], [3.0, 4.0]])]


def test_out_arguments_and_blocks_are_results(jit):
    jit.define("split", lambda x: (int(x), x % 1, [1.0, 2.0]),
               "int64(double, out double, out double[2])")  # fmt: skip
    whole, rest, block = jit.callable("split", "int64(double, out double, out double[2])")(2.25)
    assert (whole, rest, block.tolist()) == (2, 0.25, [1.0, 2.0])


def test_strings_arrive_as_bytes(jit):
    jit.define("length", lambda s: -1 if s is None else len(s), "int64(char*)")
    length = jit.callable("length", "int64(char*)")
    assert (length("four"), length(None)) == (4, -1)


@pytest.mark.parametrize(
    ("signature", "value", "error"),
    [
        ("int8()", 128, OverflowError),
        ("uint64()", -1, OverflowError),
        ("int32()", 1.5, TypeError),
        ("int32()", None, TypeError),
        ("double()", "x", ValueError),
        ("double()", [1], TypeError),
        ("{double, int32}()", (1.0,), TypeError),
        ("{double, int32}()", None, TypeError),
        ("ptr()", 1.5, TypeError),
        ("int32(out double)", 1, TypeError),
        ("int32(out double)", (1, 2, 3), TypeError),
        ("double[3]()", [1.0], ValueError),
    ],
)
def test_a_wrong_result_is_an_exception(jit, signature, value, error):
    jit.define("f", lambda *given: value, signature)
    with pytest.raises(error):
        jit.callable("f", signature)()


@pytest.mark.parametrize(
    ("what", "signature"),
    [
        (lambda x: x, None),  # no annotations
        (lambda x: x, "double(double[:])"),  # no extents
        (lambda x: x, "char*()"),
        (lambda x: x, "int32(char*, ..., double)"),
        (lambda x: x, "nonsense"),
        ("text", "double()"),
        (4096, "double()"),
        (print, None),
    ],
)
def test_what_can_not_be_called_is_a_usage_error(jit, what, signature):
    with pytest.raises(UsageError):
        jit.define("f", what, signature)
    with pytest.raises(SymbolsNotFound):
        jit.lookup("f")


def test_any_name_will_do(jit):
    for name in ("with space", 'q"uote', "ü", "a\\b", "1"):
        jit.define(name, lambda: 5, "int32()")
        assert jit.callable(name, "int32()")() == 5


def test_ctypes_and_cffi_functions_are_kept_alive(jit):
    def make():
        callback = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(lambda x: x + 5)
        return callback, weakref.ref(callback)

    callback, gone = make()
    tracker = jit.define("f", callback)
    jit.add(CALLS)
    del callback
    gc.collect()
    assert jit["g"](1.0) == 7.0
    jit.remove(tracker)
    gc.collect()
    assert gone() is None

    ffi = cffi.FFI()
    ffi.cdef("double cos(double);")
    other = jit.create_dylib("other")
    jit.define("f", ffi.addressof(ffi.dlopen(None), "cos"), dylib=other)
    jit.add(CALLS, dylib=other)
    assert jit.callable("g", dylib=other)(0.0) == 2.0


def test_a_function_of_another_session_can_be_called(jit):
    with JIT(compile_threads=1) as there:
        there.add("define double @f(double %x) {\n  ret double 4.0\n}\n")
        jit.define("f", there["f"])
        jit.add(CALLS)
        assert jit["g"](1.0) == 5.0


def test_removal_lets_go_of_the_function_and_frees_the_name(jit):
    class Callable:
        def __call__(self, x: float) -> float:
            return x

    what = Callable()
    gone = weakref.ref(what)
    tracker = jit.define("f", what, "double(double)")
    del what
    assert jit.callable("f")(3.0) == 3.0
    with pytest.raises(DuplicateDefinition):
        jit.define("f", 4096)
    jit.remove(tracker)
    gc.collect()
    assert gone() is None
    jit.define("f", lambda x: 2 * x, "double(double)")
    assert jit.callable("f")(3.0) == 6.0


def test_threads_call_out_and_raise_at_once(jit):
    def f(x: float) -> float:
        if x % 2:
            raise Odd(x)
        return x

    jit.define("f", f)
    jit.add(CALLS)
    call = jit.callable("g", nogil=True)
    wrong = []

    def run(start: int) -> None:
        for i in range(start, start + 200):
            try:
                if call(float(i)) != i + 1 or i % 2:
                    wrong.append(i)
            except Odd as error:
                if error.args != (float(i),):
                    wrong.append(i)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


PTHREADS = """
declare i32 @pthread_create(ptr, ptr, ptr, ptr)
declare i32 @pthread_join(i64, ptr)
declare double @f(double)
define internal ptr @body(ptr %place) {
  %x = load double, ptr %place
  %y = call double @f(double %x)
  store double %y, ptr %place
  ret ptr null
}
define double @g(double %x) {
  %place = alloca double
  %thread = alloca i64
  store double %x, ptr %place
  %a = call i32 @pthread_create(ptr %thread, ptr null, ptr @body, ptr %place)
  %t = load i64, ptr %thread
  %b = call i32 @pthread_join(i64 %t, ptr null)
  %y = load double, ptr %place
  ret double %y
}
"""


def test_a_thread_that_python_has_not_seen_may_call(jit):
    jit.define("f", lambda x: 3 * x, "double(double)")
    jit.add(PTHREADS)
    assert jit.callable("g", nogil=True)(2.0) == 6.0


def test_an_exception_that_nobody_can_get_is_reported_and_the_result_is_zero(jit, monkeypatch):
    reports = []
    monkeypatch.setattr(sys, "unraisablehook", lambda report: reports.append(report.exc_type))

    def f(x: float) -> float:
        raise Odd

    jit.define("f", f)
    jit.add(PTHREADS)
    assert jit.callable("g", nogil=True)(2.0) == 0.0
    assert reports == [Odd]


def test_a_call_by_other_means_than_ours_reports_it_too(jit, monkeypatch):
    reports = []
    monkeypatch.setattr(sys, "unraisablehook", lambda report: reports.append(report.err_msg))

    def f(x: float) -> float:
        raise Odd

    jit.define("f", f)
    jit.add(CALLS)
    call = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(jit.lookup("g"))
    assert call(1.0) == 1.0
    assert len(reports) == 1


def test_functions_come_and_go_without_leaving_anything(jit):
    gone, kept = [], {*failures._once}
    for _ in range(50):

        def f(x: float) -> float:
            raise Odd

        gone.append(weakref.ref(f))
        tracker = jit.define("f", f)
        with pytest.raises(Odd):
            jit.callable("f")(1.0)
        jit.remove(tracker)
        del f
    gc.collect()
    assert not any(each() for each in gone)
    assert {*failures._once} <= kept


def test_a_function_may_remove_itself_while_it_runs(jit):
    def f(x: float) -> float:
        jit.remove(tracker)
        gc.collect()
        return x + 1

    tracker = jit.define("f", f)
    del f
    jit.add(CALLS)
    assert jit["g"](1.0) == 3.0


def test_an_exception_runs_no_further_native_code(jit):
    def f(x: float) -> float:
        raise Odd

    cell = ctypes.c_double(7)
    jit.define("f", f)
    jit.define("cell", cell_address := ctypes.addressof(cell), callable=False)
    jit.add(
        "@cell = external global double\n"
        + DOUBLE.format("  %r = call double @f(double %x)\n  store double 1.0, ptr @cell")
    )
    assert cell_address
    with pytest.raises(Odd):
        jit["g"](1.0)
    assert cell.value == 7


@pytest.mark.parametrize("number", [-1, 1 << 64])
def test_what_is_no_address_is_refused(jit, number):
    with pytest.raises(UsageError, match="address"):
        jit.define("it", number)


def test_what_has_no_annotations_needs_a_signature(jit):
    with pytest.raises(UsageError, match=r"log: .*print.* a signature is needed"):
        jit.define("log", print)


def test_a_bound_method_is_typed_by_its_annotations(jit):
    class Scale:
        def by_three(self, x: float) -> float:
            return 3 * x

    jit.define("f", Scale().by_three)
    jit.add(DOUBLE.format("  %r = call double @f(double %x)"))
    assert jit["g"](2.0) == 6.0


def test_a_filter_decides_which_process_symbols_there_are():
    asked = []

    def only_cosine(name: str) -> bool:
        asked.append(name)
        return name == "cos"

    source = "declare double @{0}(double)\ndefine double @my_{0}(double %x) {{\n"
    source += "  %r = call double @{0}(double %x)\n  ret double %r\n}}\n"
    with JIT(compile_threads=1, process_symbols=only_cosine, speculate=False) as jit:
        jit.add(source.format("cos"))
        jit.add(source.format("sin"))
        assert jit["my_cos"](0.0) == 1.0
        with pytest.raises(FailedToMaterialize) as caught:
            jit["my_sin"](0.0)
        assert "sin" in str(caught.value)
        jit.define("sin", lambda x: 9.0, "double(double)")
    assert {"cos", "sin"} <= set(asked)
