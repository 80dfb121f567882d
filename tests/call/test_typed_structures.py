"""Structures by value, compared with what a C compiler does; tuples and arrays of results."""

import ctypes
import itertools

import numpy as np
import pytest

KINDS = {
    "c": ("int8", "signed char"),
    "i": ("int32", "int"),
    "l": ("int64", "long"),
    "f": ("float", "float"),
    "d": ("double", "double"),
    "p": ("ptr", "void *"),
}


def value_of(kind, seed):
    return {"c": seed % 100, "i": -seed * 1000, "l": seed << 40, "f": seed / 4, "d": seed / 3}.get(
        kind, seed * 4096
    )


def structure(kinds):
    return "{" + ", ".join(KINDS[kind][0] for kind in kinds) + "}"


def c_structure(name, kinds):
    fields = " ".join(f"{KINDS[kind][1]} f{i};" for i, kind in enumerate(kinds))
    return f"typedef struct {{ {fields} }} {name};"


SHAPES = [
    *map("".join, itertools.product("cifd", repeat=1)),
    *map("".join, itertools.product("ifdl", repeat=2)),
    "fff", "ffff", "iff", "ffi", "cif", "ccc", "cd", "dc", "pf", "ddd", "lll", "ffffff", "cildfp",
    "fffff", "iiii", "fid", "pp", "cccccccc", "ccccccccc",
]  # fmt: skip


@pytest.mark.parametrize("kinds", SHAPES)
def test_structures_travel_as_a_c_compiler_lets_them(jit, compile_object, kinds):
    jit.add_object(
        compile_object(
            f"""{c_structure("S", kinds)}
            S pass(S s) {{ return s; }}
            S third(S a, S b, double x, S c, long n, S d) {{ return n ? d : x > 0 ? c : b; }}"""
        )
    )
    spelled = structure(kinds)
    values = [
        tuple(value_of(kind, 7 * n + i + 1) for i, kind in enumerate(kinds)) for n in range(4)
    ]
    assert jit.callable("pass", f"{spelled}({spelled})")(values[0]) == values[0]
    third = jit.callable(
        "third", f"{spelled}({spelled}, {spelled}, double, {spelled}, int64, {spelled})"
    )
    assert third(values[0], values[1], 1.0, values[2], 1, values[3]) == values[3]
    assert third(values[0], values[1], 1.0, values[2], 0, values[3]) == values[2]
    assert third(values[0], values[1], -1.0, values[2], 0, values[3]) == values[1]


def test_registers_run_out_as_in_c(jit, compile_object):
    jit.add_object(
        compile_object(
            """typedef struct { long a, b; } L; typedef struct { double a; long b; } M;
            long f(long a, long b, long c, long d, long e, L l, long g, M m, long h) {
                return a + 2*b + 3*c + 4*d + 5*e + 6*l.a + 7*l.b + 8*g + 9*(long)m.a + 10*m.b
                    + 11*h;
            }
            _Complex double z(double a, double b, double c, double d, double e, double f, double g,
                              _Complex double z, double h) { return z * h + a + g; }"""
        )
    )
    f = jit.callable(
        "f",
        "long(long, long, long, long, long, {long, long}, long, {double, long}, long)",
    )
    assert f(1, 2, 3, 4, 5, (6, 7), 8, (9.0, 10), 11) == sum(n * n for n in range(1, 12))
    z = jit.callable("z", f"complex128({'double, ' * 7}complex128, double)")
    assert z(1, 0, 0, 0, 0, 0, 2, 3 + 4j, 10) == 33 + 40j


def test_complex_numbers_travel_as_in_c(jit, compile_object):
    jit.add_object(
        compile_object(
            """_Complex float narrow(_Complex float z) { return z * 2; }
            _Complex double wide(_Complex double z, _Complex float y) { return z + y; }
            typedef struct { _Complex float z; int n; } Z;
            Z both(Z z) { z.z += z.n; return z; }"""
        )
    )
    assert jit.callable("narrow", "complex64(complex64)")(1 + 2j) == 2 + 4j
    assert jit.callable("wide", "complex128(complex128, complex64)")(1j, 0.5) == 0.5 + 1j
    both = jit.callable("both", "{complex64, int}({complex64, int})")
    assert both((1 + 2j, 3)) == (4 + 2j, 3)


class Point(ctypes.Structure):
    _fields_ = (("x", ctypes.c_double), ("y", ctypes.c_double))


class Line(ctypes.Structure):
    _fields_ = (("a", Point), ("b", Point), ("width", ctypes.c_int))


class Inherited(Point):
    _fields_ = (("z", ctypes.c_float),)


def test_ctypes_structures_come_and_go_as_themselves(jit, compile_object):
    jit.add_object(
        compile_object(
            """typedef struct { double x, y; } P; typedef struct { P a, b; int width; } L;
            P swap(P p) { P q = {p.y, p.x}; return q; }
            L turn(L l) { L m = {l.b, l.a, -l.width}; return m; }
            double third(struct { P p; float z; } s) { return s.z; }"""
        )
    )
    swap = jit.callable("swap", (Point, [Point]))
    result = swap(Point(1, 2))
    assert type(result) is Point and (result.x, result.y) == (2, 1)
    with pytest.raises(TypeError, match=r"swap\(\) argument 1 must be Point, not tuple"):
        swap((1, 2))
    turned = jit.callable("turn", (Line, [Line]))(Line(Point(1, 2), Point(3, 4), 5))
    assert (turned.a.x, turned.b.y, turned.width) == (3, 2, -5)
    assert jit.callable("third", (ctypes.c_double, [Inherited]))(Inherited(1, 2, 2.5)) == 2.5


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (1, TypeError, "must be tuple, not int"),
        ((1.0,), ValueError, "must have 2 items, not 1"),
        ((1.0, 2, 3), ValueError, "must have 2 items, not 3"),
        (("x", 2), TypeError, "field 1 must be real number, not str"),
        ((1.0, 2**40), OverflowError, "field 2 is too large to convert to int32"),
        (None, TypeError, "must be tuple, not None"),
    ],
)
def test_what_is_wrong_with_a_structure_is_told_with_the_field(jit, value, error, words):
    jit.add("define double @f({ double, i32 } %pair) {\n  ret double 1.0\n}")
    with pytest.raises(error) as told:
        jit["f"](value)
    assert str(told.value) == f"f() argument 'pair' {words}"
    assert jit["f"]([1.0, 2]) == 1.0


def test_aggregates_of_ir_are_tuples_and_arrays(jit):
    jit.add(
        """
        %pair = type { float, float }
        define %pair @swap(%pair %p) {
          %a = extractvalue %pair %p, 0
          %b = extractvalue %pair %p, 1
          %q = insertvalue %pair poison, float %b, 0
          %r = insertvalue %pair %q, float %a, 1
          ret %pair %r
        }
        define { i1, { i64, double }, ptr, i8 } @nested(i1 %x, { i64, double } %y) {
          %a = insertvalue { i1, { i64, double }, ptr, i8 } zeroinitializer, i1 %x, 0
          %b = insertvalue { i1, { i64, double }, ptr, i8 } %a, { i64, double } %y, 1
          ret { i1, { i64, double }, ptr, i8 } %b
        }
        define [3 x double] @three(double %x) {
          %a = insertvalue [3 x double] zeroinitializer, double %x, 1
          ret [3 x double] %a
        }
        define { double, double } @z({ double, double } %z) { ret { double, double } %z }
        define { i1, i1 } @flags({ i1, i1 } %f) { ret { i1, i1 } %f }
        """
    )
    assert jit["swap"]((1, 2)) == (2, 1)
    assert jit.callable("swap", "{float, float}({float, float})")((1, 2)) == (2, 1)
    assert jit["nested"](True, (2**40, 0.5)) == (True, (2**40, 0.5), None, 0)
    three = jit["three"](2.5)
    assert three.dtype == np.float64 and three.tolist() == [0, 2.5, 0]
    three[0] = 1  # it is the caller's
    assert jit.callable("three", "double[3](double)")(1).tolist() == [0, 1, 0]
    assert jit["z"]((1, 2)) == (1, 2)
    assert jit.callable("z", "complex128(complex128)")(1 + 2j) == 1 + 2j
    for flags in itertools.product([False, True], repeat=2):
        assert jit["flags"](flags) == flags


def test_out_arguments_are_results(jit, compile_object):
    jit.add_object(
        compile_object(
            """typedef struct { double x; int n; } S;
            int split(double v, double *whole, double *part, S *s, int out[3], const char **name) {
                *whole = (long)v; *part = v - *whole; s->x = v; s->n = 2; *name = "split";
                for (int i = 0; i < 3; i++) out[i] = i * i;
                return 7;
            }
            void one(double *x) { *x = 2.5; }
            void none(char **x) { }"""
        )
    )
    split = jit.callable(
        "split",
        "int(double v, out double w, out double, out {double, int}, out int[3], out char*)",
    )
    code, whole, part, both, squares, name = split(3.25)
    assert (code, whole, part, both, name) == (7, 3.0, 0.25, (3.25, 2), b"split")
    assert squares.dtype == np.int32 and squares.tolist() == [0, 1, 4]
    assert jit.callable("one", "void(out double)")() == 2.5
    assert jit.callable("none", "void(out char*)")() is None
    with pytest.raises(TypeError, match=r"split\(\) takes exactly 1 argument \(2 given\)"):
        split(1.0, 2.0)
