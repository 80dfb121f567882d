"""Signatures out of ctypes types and annotated functions."""

import ctypes
from typing import Any

import numpy as np
import pytest

from lazyjit.call.annotations import describe
from lazyjit.call.signature import parse
from lazyjit.errors import UsageError


class Point(ctypes.Structure):
    _fields_ = (("x", ctypes.c_double), ("n", ctypes.c_int))


class Packed(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"  # what packing implies, and 3.14 wants to have said
    _fields_ = (("n", ctypes.c_char), ("x", ctypes.c_double))


class Bits(ctypes.Structure):
    _fields_ = (("n", ctypes.c_int, 3),)


class Rows(ctypes.Structure):
    _fields_ = (("x", ctypes.c_float * 2 * 2), ("p", ctypes.c_void_p))


@pytest.mark.parametrize(
    ("result", "arguments", "text"),
    [
        (None, [], "void()"),
        (ctypes.c_double, [ctypes.c_float, ctypes.c_bool], "double(float, bool)"),
        (ctypes.c_long, (ctypes.c_uint, ctypes.c_byte), "int64(uint32, int8)"),
        (ctypes.c_size_t, [ctypes.c_int16, ctypes.c_ulonglong], "uint64(int16, uint64)"),
        (ctypes.c_void_p, [ctypes.c_char_p], "ptr(char*)"),
        (None, [ctypes.POINTER(ctypes.c_double)], "void(double*)"),
        (None, [ctypes.POINTER(ctypes.c_void_p), ctypes.CFUNCTYPE(None)], "void(ptr, ptr)"),
        (Point, [ctypes.POINTER(Point)], "{double, int32}({double, int32}*)"),
        (None, [Rows], "void({float, float, float, float, ptr})"),
    ],
)
def test_ctypes_types(result, arguments, text):
    assert str(describe((result, arguments)).signature) == text
    assert str(describe(ctypes.CFUNCTYPE(result, *arguments)).signature) == text


@pytest.mark.parametrize(
    "kind", [Packed, Bits, ctypes.Union, ctypes.py_object, ctypes.c_longdouble, 5, int]
)
def test_ctypes_types_that_can_not_be_passed(kind):
    with pytest.raises(UsageError):
        describe((None, [kind]))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (np.ctypeslib.ndpointer(float, 1, flags="C,W"), "double[:]"),
        (np.ctypeslib.ndpointer("i4", 2, flags="F"), "const int32[:, :] fortran"),
        (np.ctypeslib.ndpointer("c8", shape=(2, 3), flags="C"), "const complex64[2, 3]"),
        (np.ctypeslib.ndpointer("f4", 1), "const float[:] any"),
    ],
)
def test_what_ndpointer_made_is_an_array(kind, text):
    assert str(describe((None, [kind])).signature) == f"void({text})"


@pytest.mark.parametrize("words", [{}, {"dtype": float}, {"ndim": 1}, {"dtype": ">f8", "ndim": 1}])
def test_what_ndpointer_leaves_open_is_refused(words):
    with pytest.raises(UsageError):
        describe((None, [np.ctypeslib.ndpointer(**words)]))


def test_a_bound_method_is_a_stub_without_its_self():
    class Stubs:
        def scale(self, x: float, by: int = 2) -> float:
            """Scales."""

    found = describe(Stubs().scale)
    assert (str(found.signature), found.defaults) == ("double(double x, int64 by)", (2,))
    assert found.doc == "Scales."


def test_a_stub_of_python_types():
    def stub(
        a: float,
        b: int,
        c: bool,
        d: complex,
        e: "double[:, :] shape",  # noqa: F722  # not Python
        f: np.float32,
        g: ctypes.c_short,
        h: "char*" = b"x",  # noqa: F722
        i: str = "y",
    ) -> tuple[float, int]:
        """What it is for."""

    found = describe(stub)
    assert found.signature == parse(
        "{double, int64}(double a, int64 b, bool c, complex128 d, double[:, :] shape e, float f,"
        " int16 g, char* h, char* i)"
    )
    assert found.doc == "What it is for."
    assert found.defaults == (b"x", "y")


def test_a_stub_whose_annotations_are_text():
    code = """
from __future__ import annotations
def stub(a: float, x: "const float[:]", n: int) -> None: pass
"""
    names: dict[str, Any] = {}
    exec(code, names)
    found = describe(names["stub"])
    assert found.signature == parse("void(double a, const float[:] x, int64 n)")
    assert found.doc is None


def wrong(code):
    names: dict[str, Any] = {}
    exec(f"from __future__ import annotations\n{code}", names)
    return names["f"]


@pytest.mark.parametrize(
    "code",
    [
        "def f(a): pass",
        "def f(*a: int): pass",
        "def f(**a: int): pass",
        "def f(a: list): pass",
        "def f(a: 'no such'): pass",
        "def f(a: nothing): pass",
        "def f(a: float | None): pass",
        "def f(a: int = 1, *, b: int): pass",
        "def f() -> tuple[list]: pass",
        "def f() -> tuple[()]: pass",
    ],
)
def test_stubs_that_say_nothing_useful(code):
    with pytest.raises(UsageError):
        describe(wrong(code))


@pytest.mark.parametrize("given", [3, b"void()", object(), len, (1, 2, 3), ("x",), int])
def test_what_is_no_signature_in_any_form(given):
    with pytest.raises(UsageError, match="a signature is a str"):
        describe(given)
