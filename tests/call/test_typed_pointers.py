"""Addresses, pointers of ctypes and cffi, strings."""

import ctypes

import cffi
import numpy as np
import pytest

SOURCE = """
define ptr @where(ptr %p) { ret ptr %p }
define i64 @number(i64 %p) { ret i64 %p }
define double @call(ptr %f, double %x) {
  %r = call double %f(double %x)
  ret double %r
}
define double @half(double %x) {
  %r = fmul double %x, 0.5
  ret double %r
}
"""


@pytest.fixture
def where(jit):
    jit.add(SOURCE)

    def where(kind="ptr"):
        return jit.callable("where", f"ptr({kind} p)")

    return where


def test_addresses_pass_as_they_are(where):
    for address in (1, 4096, 2**63, 2**64 - 1, np.int64(77)):
        assert where()(address) == address
    assert where()(None) is None
    assert where()(0) is None
    for address in (-1, 2**64):
        with pytest.raises(OverflowError, match=r"where\(\) argument 'p'"):
            where()(address)


def test_an_untyped_pointer_is_what_ir_alone_says(jit):
    jit.add(SOURCE)
    assert str(jit["where"].signature) == "ptr(ptr p)"
    assert jit["where"](8) == 8
    with pytest.raises(
        TypeError,
        match=r"where\(\) argument 'p' must be an address, a pointer or None, not numpy.ndarray",
    ):
        jit["where"](np.zeros(2))


def test_pointers_of_ctypes(where):
    number = ctypes.c_double(1.5)
    row = (ctypes.c_double * 3)()
    place = ctypes.addressof
    for kind in ("ptr", "double*"):
        assert where(kind)(ctypes.pointer(number)) == place(number)
        assert where(kind)(ctypes.byref(number)) == place(number)
        assert where(kind)(ctypes.byref(row, 8)) == place(row) + 8 if kind == "ptr" else True
        assert where(kind)(row) == place(row)
        assert where(kind)(ctypes.c_void_p(16)) == 16
        assert where(kind)(ctypes.c_void_p()) is None
        assert where(kind)(ctypes.POINTER(ctypes.c_double)()) is None
        with pytest.raises(TypeError, match="must be"):
            where(kind)(number)
    callback = ctypes.CFUNCTYPE(None)(lambda: None)
    assert where()(callback) == ctypes.cast(callback, ctypes.c_void_p).value
    for wrong in (ctypes.pointer(ctypes.c_int()), (ctypes.c_float * 2)(), callback):
        with pytest.raises(TypeError, match=r"must be a pointer to double, an address or None"):
            where("double*")(wrong)
    assert where("int64*")(ctypes.pointer(ctypes.c_long(1)))
    with pytest.raises(TypeError):
        where("uint64*")(ctypes.pointer(ctypes.c_long(1)))


def test_pointers_of_cffi(where):
    ffi = cffi.FFI()
    ffi.cdef("typedef struct { int x; } S;")
    number, row, thing = ffi.new("double *"), ffi.new("double[3]"), ffi.new("S *")
    for kind in ("ptr", "double*"):
        assert where(kind)(number) == int(ffi.cast("uintptr_t", number))
        assert where(kind)(row) == int(ffi.cast("uintptr_t", row))
        assert where(kind)(ffi.NULL) is None
        with pytest.raises(TypeError):
            where(kind)(ffi.cast("double", 1.0))
    assert where()(thing) == int(ffi.cast("uintptr_t", thing))
    for wrong in (thing, ffi.new("int *"), ffi.new("float[2]")):
        with pytest.raises(TypeError, match="must be a pointer to double"):
            where("double*")(wrong)
    assert where("uint8*")(ffi.new("char[]", b"x"))
    assert where("int64*")(ffi.new("long *"))


def test_functions_of_ours_pass_as_pointers_to_functions(jit):
    jit.add(SOURCE)
    call = jit.callable("call", "double(ptr, double)")
    assert call(jit["half"], 3) == 1.5
    twice = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(lambda x: 2 * x)
    assert call(twice, 3) == 6


def test_strings_pass_as_c_has_them(jit):
    length = jit.callable("strlen", "size_t(char* text)")
    assert length(b"four") == 4 and length("déjà") == 6
    for wrong in (b"a\0b", "a\0b"):
        with pytest.raises(ValueError, match=r"strlen\(\) argument 'text' has an embedded null"):
            length(wrong)
    with pytest.raises(TypeError, match=r"must be bytes, str or None, not int"):
        length(5)
    with pytest.raises(UnicodeEncodeError):
        length("\ud800")
    find = jit.callable("strchr", "char*(char*, int)")
    assert find(b"key=value", ord("=")) == b"=value"
    assert find(b"key", ord("=")) is None
    jit.add(SOURCE)
    assert jit.callable("where", "ptr(char*)")(None) is None


def test_an_address_may_be_an_integer_in_ir(jit):
    jit.add(SOURCE)
    values = np.zeros(1)
    assert jit.callable("number", "int64(double[:])")(values) == values.ctypes.data
    assert jit.callable("number", "ptr(ptr)")(16) == 16
