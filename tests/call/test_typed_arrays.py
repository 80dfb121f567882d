"""Arrays lent to typed functions: whatever holds them, checked for what the signature says."""

import array
import ctypes
import gc
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazyjit import JIT

SOURCE = """
define double @sum(ptr %x, i64 %n) {
entry:
  %any = icmp sgt i64 %n, 0
  br i1 %any, label %loop, label %done
loop:
  %i = phi i64 [ 0, %entry ], [ %j, %loop ]
  %s = phi double [ 0.0, %entry ], [ %t, %loop ]
  %p = getelementptr double, ptr %x, i64 %i
  %v = load double, ptr %p
  %t = fadd double %s, %v
  %j = add i64 %i, 1
  %more = icmp slt i64 %j, %n
  br i1 %more, label %loop, label %done
done:
  %r = phi double [ 0.0, %entry ], [ %t, %loop ]
  ret double %r
}
define double @sum2(ptr %x, i64 %n0, i64 %n1, i64 %s0, i64 %s1) {
entry:
  %any0 = icmp sgt i64 %n0, 0
  %any1 = icmp sgt i64 %n1, 0
  %any = and i1 %any0, %any1
  br i1 %any, label %outer, label %done
outer:
  %i = phi i64 [ 0, %entry ], [ %i1, %next ]
  %s = phi double [ 0.0, %entry ], [ %t, %next ]
  %row = mul i64 %i, %s0
  br label %inner
inner:
  %j = phi i64 [ 0, %outer ], [ %j1, %inner ]
  %u = phi double [ %s, %outer ], [ %t, %inner ]
  %column = mul i64 %j, %s1
  %at = add i64 %row, %column
  %p = getelementptr i8, ptr %x, i64 %at
  %v = load double, ptr %p
  %t = fadd double %u, %v
  %j1 = add i64 %j, 1
  %morej = icmp slt i64 %j1, %n1
  br i1 %morej, label %inner, label %next
next:
  %i1 = add i64 %i, 1
  %morei = icmp slt i64 %i1, %n0
  br i1 %morei, label %outer, label %done
done:
  %r = phi double [ 0.0, %entry ], [ %t, %next ]
  ret double %r
}
define ptr @where(ptr %x) { ret ptr %x }
define void @set(ptr %x) {
  store i8 1, ptr %x
  ret void
}
define ptr @shape(ptr %x, i64 %n) {
  %p = inttoptr i64 %n to ptr
  ret ptr %p
}
"""


@pytest.fixture(scope="module")
def shared():
    with JIT(compile_threads=1) as jit:
        jit.add(SOURCE)
        yield jit


@pytest.fixture
def total(shared):
    return shared.callable("sum", "double(const double[:] x, int64 n)")


def where(shared, kind):
    """A function that tells the address that it got for an array of this type."""
    return shared.callable("where", f"ptr({kind} x)")


class Holder:
    """Something with an array interface and nothing else."""

    def __init__(self, values):
        self.values = values
        self.__array_interface__ = values.__array_interface__


class ByClass:
    def __init__(self, values):
        self.values = values

    @property
    def __array_interface__(self):
        return self.values.__array_interface__


def test_arrays_of_every_make(total):
    values = [1.0, 2.0, 3.5]
    for made in (
        np.array(values),
        np.array(values).view(type("Mine", (np.ndarray,), {})),
        array.array("d", values),
        memoryview(array.array("d", values)),
        (ctypes.c_double * 3)(*values),
        Holder(np.array(values)),
        ByClass(np.array(values)),
        memoryview(np.array(values).tobytes()).cast("d"),
    ):
        assert total(made, 3) == 6.5
    assert total(np.zeros(0), 0) == 0
    assert total(array.array("d"), 0) == 0


@pytest.mark.parametrize(
    "name",
    [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
    + ["float32", "float64", "complex64", "complex128", "bool"],
)
def test_elements_must_be_of_the_type_that_the_signature_says(shared, name):
    function = where(shared, f"{name}[:]")
    kinds = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
    kinds += ["float16", "float32", "float64", "longdouble", "complex64", "complex128", "bool"]
    kinds += ["S8", "U2", "O", "M8[s]", "V8", [("a", "f8")]]
    for kind in kinds:
        values = np.zeros(4, kind)
        if kind == name:
            assert function(values) == values.ctypes.data
        else:
            with pytest.raises(
                (TypeError, ValueError),
                match=r"argument 'x' must be an array of|cannot include dtype 'M'",
            ):
                function(values)
    swapped = np.zeros(4, np.dtype(name).newbyteorder(">"))
    if swapped.dtype.itemsize > 1:
        with pytest.raises(TypeError, match="must be an array of"):
            function(swapped)


def test_other_names_of_a_dtype_are_the_same_type(shared):
    for code in "lq":
        values = np.zeros(2, code)
        assert where(shared, "int64[:]")(values) == values.ctypes.data
    for code in "lq":
        values = array.array(code, [1, 2])
        assert where(shared, "int64[:]")(values) == values.buffer_info()[0]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([1.0], "must be an array of double, not list"),
        (None, "must be an array of double, not None"),
        (1.0, "must be an array of double, not float"),
        ("abc", "must be an array of double, not str"),
        (b"12345678", "must be an array of double, not of format 'B'"),
        (np.zeros(2, "f4"), "must be an array of double, not of format 'f'"),
        (array.array("i", [1]), "must be an array of double, not of format 'i'"),
        (Holder(np.zeros(2, "i8")), "must be an array of double, not of format 'l'"),
    ],
)
def test_what_is_no_such_array_is_a_type_error(total, value, words):
    with pytest.raises(TypeError) as told:
        total(value, 1)
    assert str(told.value) == f"sum() argument 'x' {words}"


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("double[:]", np.zeros((2, 2)), "must have 1 dimension, not 2"),
        ("double[:, :]", np.zeros(2), "must have 2 dimensions, not 1"),
        ("double[:]", np.zeros(()), "must have 1 dimension, not 0"),
        ("double[:]", np.zeros(4)[::2], "must be C-contiguous"),
        ("double[:, :]", np.zeros((2, 3), order="F"), "must be C-contiguous"),
        ("double[:, :] fortran", np.zeros((2, 3)), "must be Fortran-contiguous"),
        ("double[3]", np.zeros(4), "must have 3 elements in dimension 0, not 4"),
        ("double[:, 2]", np.zeros((2, 3)), "must have 2 elements in dimension 1, not 3"),
        ("double[:]", np.broadcast_to(1.0, 3), "must be C-contiguous"),
        ("uint8[:]", b"abc", "must be writable, and is read-only"),
        ("double[:] any", np.zeros(17, "u1")[1:].view("f8"), "must be aligned"),
        ("double[:] any", memoryview(np.zeros(17, "u1")[1:].view("f8")), "must be aligned"),
        ("double[:]", memoryview(np.zeros(4))[::2], "must be C-contiguous"),
        ("double[:, :]", memoryview(np.zeros(4)), "must have 2 dimensions, not 1"),
    ],
)
def test_the_wrong_shape_or_layout_is_a_value_error(shared, kind, value, words):
    with pytest.raises(ValueError) as told:
        where(shared, kind)(value)
    assert str(told.value) == f"where() argument 'x' {words}"


def test_read_only_arrays_pass_where_the_signature_says_const(shared):
    frozen = np.zeros(3)
    frozen.flags.writeable = False
    for value in (frozen, memoryview(frozen), Holder(frozen)):
        with pytest.raises(ValueError, match="must be writable, and is read-only"):
            where(shared, "double[:]")(value)
        assert where(shared, "const double[:]")(value) == frozen.ctypes.data
    assert where(shared, "const uint8[:]")(b"abc")


def test_the_callee_writes_into_the_array(shared):
    values = np.zeros(3, "u1")
    assert shared.callable("set", "void(uint8[:])")(values) is None
    assert values.tolist() == [1, 0, 0]
    buffer = bytearray(2)
    shared.callable("set", "void(uint8[:])")(buffer)
    assert buffer == b"\1\0"


def test_layouts_pass_where_the_signature_asks_for_strides(shared):
    total = shared.callable("sum2", "double(const double[:, :] shape strides)")
    values = np.arange(24.0).reshape(4, 6)
    for view in (
        values,
        values.T,
        values[::2, ::3],
        values[::-1],
        values[:, ::-2],
        values[:0],
        np.broadcast_to(values[0], (3, 6)),
        np.asfortranarray(values),
    ):
        assert total(view) == view.sum()
        assert total(memoryview(view)) == view.sum()
    assert where(shared, "double[:, :] fortran")(values.T) == values.ctypes.data
    assert where(shared, "double[:] any")(values[:, 1]) == values.ctypes.data + 8
    assert shared.callable("shape", "ptr(double[:] shape)")(np.zeros(5)) == 5


@settings(max_examples=60)
@given(data=st.data())
def test_any_view_is_summed_as_numpy_sums_it(shared, data):
    shape = data.draw(st.tuples(st.integers(0, 5), st.integers(0, 5)))
    values = np.arange(float(shape[0] * shape[1])).reshape(shape)
    if data.draw(st.booleans()):
        values = values.T
    steps = [data.draw(st.sampled_from([1, 2, -1, -2])) for _ in range(2)]
    view = values[:: steps[0], :: steps[1]]
    total = shared.callable("sum2", "double(const double[:, :] shape strides)")
    assert total(view) == view.sum()
    assert total(memoryview(view)) == view.sum()
    contiguous = shared.callable("where", "ptr(const double[:, :])")
    if view.flags.c_contiguous:
        contiguous(view)
    else:
        with pytest.raises(ValueError, match="C-contiguous"):
            contiguous(view)


def test_none_is_a_null_pointer_where_the_signature_lets_it(shared):
    assert where(shared, "double[:]?")(None) is None
    values = np.zeros(2)
    assert where(shared, "double[:]?")(values) == values.ctypes.data
    assert shared.callable("sum2", "double(double[:, :]? shape strides)")(None) == 0


def test_eight_dimensions_are_as_good_as_one(shared):
    values = np.zeros((1,) * 8)
    assert where(shared, "double[:,:,:,:,:,:,:,:]")(values) == values.ctypes.data


def test_buffers_are_given_back_whatever_happens(shared, total):
    values = array.array("d", [1, 2, 3])
    total(values, 3)
    values.append(4.0)  # BufferError while somebody has the buffer
    for arguments in ((values, "x"), (values,), (values, 2**70)):
        with pytest.raises((TypeError, OverflowError)):
            total(*arguments)
        values.append(5.0)
    with pytest.raises(ValueError):
        where(shared, "double[:, :]")(values)
    values.append(6.0)
    with pytest.raises(TypeError):
        where(shared, "float[:]")(values)
    values.append(7.0)


def test_references_are_where_they_were(total):
    frozen = np.zeros(3)
    for make in (lambda: np.zeros(3), lambda: array.array("d", [1.0]), lambda: Holder(frozen)):
        value = make()
        total(value, 1)
        before = sys.getrefcount(value), sys.getrefcount(frozen)
        for _ in range(100):
            total(value, 1)
            with pytest.raises(TypeError):
                total(value, "x")
        gc.collect()
        assert (sys.getrefcount(value), sys.getrefcount(frozen)) == before
