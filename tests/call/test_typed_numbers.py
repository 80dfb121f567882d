"""Numbers in and out of typed functions: every width, every kind of object, every refusal."""

import ctypes
import math
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazyjit import JIT

IDENTITIES = "\n".join(
    f"define {kind} @id_{name}({kind} {extension} %x) {{ ret {kind} %x }}"
    for name, kind, extension in [
        *((f"int{n}", f"i{n}", "signext" if n < 32 else "") for n in (8, 16, 32, 64)),
        *((f"uint{n}", f"i{n}", "zeroext" if n < 32 else "") for n in (8, 16, 32, 64)),
        ("float", "float", ""),
        ("double", "double", ""),
        ("bool", "i1", "zeroext"),
        ("complex128", "{ double, double }", ""),
        ("complex64", "<2 x float>", ""),
    ]
)

INTEGERS = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]


def bounds(name):
    bits = int(name.lstrip("uint"))
    return (0, 2**bits - 1) if name[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


@pytest.fixture(scope="module")
def identity():
    """identity(name) -> the function that returns its argument of that type."""
    with JIT(compile_threads=1, opt_level=0) as jit:
        jit.add(IDENTITIES)
        made = {
            name: jit.callable(f"id_{name}", f"{name}({name} x)")
            for name in [*INTEGERS, "float", "double", "bool", "complex128", "complex64"]
        }
        yield made.__getitem__


@pytest.mark.parametrize("name", INTEGERS)
def test_integers_at_their_bounds_pass_and_beyond_them_overflow(identity, name):
    function = identity(name)
    low, high = bounds(name)
    for value in {low, low + 1, 0, 1, high - 1, high, high // 2, 2**30 % (high + 1)}:
        assert function(value) == value
    for value in (high + 1, 2**64, 2**200):
        with pytest.raises(
            OverflowError,
            match=rf"^id_{name}\(\) argument 'x' is too large to convert to {name}$",
        ):
            function(value)
    negative = (
        rf"can't convert negative int to {name}"
        if low == 0
        else rf"is too small to convert to {name}"
    )
    for value in (low - 1, -(2**64), -(2**200)):
        with pytest.raises(OverflowError, match=rf"^id_{name}\(\) argument 'x' {negative}$"):
            function(value)


@settings(max_examples=300)
@given(name=st.sampled_from(INTEGERS), value=st.integers() | st.integers(-(2**33), 2**33))
def test_an_integer_passes_exactly_when_it_fits(identity, name, value):
    low, high = bounds(name)
    if low <= value <= high:
        assert identity(name)(value) == value
    else:
        with pytest.raises(OverflowError):
            identity(name)(value)


@settings(max_examples=300)
@given(value=st.floats())
def test_doubles_pass_bit_by_bit(identity, value):
    assert struct.pack("d", identity("double")(value)) == struct.pack("d", value)


@given(value=st.floats(width=32, allow_nan=False))
def test_floats_that_are_floats_pass_unchanged(identity, value):
    assert identity("float")(value) == value


def test_a_double_is_rounded_to_a_float_as_c_rounds_it(identity):
    assert identity("float")(0.1) == ctypes.c_float(0.1).value
    assert identity("float")(1e300) == math.inf
    assert math.isnan(identity("float")(math.nan))


@given(value=st.complex_numbers(allow_nan=False))
def test_complex_numbers_pass(identity, value):
    assert identity("complex128")(value) == value
    with np.errstate(over="ignore"):
        narrow = np.complex64(value)
    assert identity("complex64")(value) == complex(narrow)


class Floating:
    def __float__(self):
        return 2.5


class Indexing:
    def __index__(self):
        return 7


class Complicated:
    def __complex__(self):
        return 1 + 2j


class SubFloat(float):
    pass


class SubInt(int):
    pass


def test_what_converts_to_a_number_is_one(identity):
    double, integer, number = identity("double"), identity("int32"), identity("complex128")
    assert double(Floating()) == 2.5
    assert double(Indexing()) == 7.0
    assert double(3) == 3.0
    assert double(True) == 1.0
    assert double(SubFloat(1.5)) == 1.5
    assert double(np.float32(0.5)) == 0.5
    assert double(np.float64(0.5)) == 0.5
    assert integer(Indexing()) == 7
    assert integer(True) == 1
    assert integer(SubInt(5)) == 5
    assert integer(np.int64(9)) == 9
    assert identity("uint8")(np.uint8(200)) == 200
    assert number(Complicated()) == 1 + 2j
    assert number(2) == 2
    assert number(2.5) == 2.5
    assert number(np.complex64(1j)) == 1j


def test_truth_is_any_objects(identity):
    truth = identity("bool")
    assert truth(True) is True and truth(False) is False
    assert truth(np.bool_(True)) is True and truth(np.bool_(False)) is False
    assert truth([]) is False and truth("x") is True and truth(0.0) is False
    with pytest.raises(ValueError, match="ambiguous"):
        truth(np.zeros(2))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("double", "1", "must be real number, not str"),
        ("double", None, "must be real number, not None"),
        ("double", 1j, "must be real number, not complex"),
        ("double", [1.0], "must be real number, not list"),
        ("int32", 1.0, "must be int, not float"),
        ("int32", "1", "must be int, not str"),
        ("uint64", None, "must be int, not None"),
        ("int32", np.float64(1), "must be int, not numpy.float64"),
        ("complex128", "1j", "must be a number, not str"),
        ("complex128", None, "must be a number, not None"),
    ],
)
def test_the_wrong_kind_of_object_is_a_type_error_that_names_it(identity, name, value, words):
    with pytest.raises(TypeError) as told:
        identity(name)(value)
    assert str(told.value) == f"id_{name}() argument 'x' {words}"


def test_an_int_beyond_every_double_overflows(identity):
    with pytest.raises(OverflowError, match="argument 'x' is too large to convert to float"):
        identity("double")(10**400)
    with pytest.raises(OverflowError, match="argument 'x' is too large to convert to complex"):
        identity("complex128")(10**400)


class Raising:
    def __float__(self):
        raise KeyError("mine")

    def __index__(self):
        raise KeyError("mine")

    def __complex__(self):
        raise KeyError("mine")

    def __bool__(self):
        raise KeyError("mine")


@pytest.mark.parametrize("name", ["double", "int32", "uint8", "complex128", "bool"])
def test_what_an_object_raises_passes_through(identity, name):
    with pytest.raises(KeyError, match="mine"):
        identity(name)(Raising())


class Wrong:
    def __float__(self):
        return "no"

    def __index__(self):
        return 1.5


def test_conversions_that_give_something_else_are_type_errors(identity):
    with pytest.raises(TypeError):
        identity("double")(Wrong())
    with pytest.raises(TypeError):
        identity("int64")(Wrong())


def test_ten_arguments_of_each_kind_find_their_places(jit):
    names = [f"%i{n}" for n in range(10)], [f"%d{n}" for n in range(10)]
    parameters = ", ".join(f"i64 {i}, double {d}" for i, d in zip(*names, strict=True))
    steps, total = [], "0.0"
    for n in range(10):
        steps += [
            f"  %f{n} = sitofp i64 %i{n} to double",
            f"  %g{n} = fmul double %f{n}, {10.0**n}",
            f"  %h{n} = fmul double %d{n}, %g{n}",
            f"  %t{n} = fadd double {total}, %h{n}",
        ]
        total = f"%t{n}"
    body = "\n".join(steps)
    jit.add(f"define double @many({parameters}) {{\n{body}\n  ret double {total}\n}}")
    # Not self-contained, as far as anyone can tell: the guard copies the stack arguments.
    jit.add(
        f"declare double @many({parameters})\n"
        + f"""
define double @through({parameters}) {{
  %r = call double @many({parameters})
  ret double %r
}}""".replace("\n\n", "\n")
    )
    arguments = [each for n in range(1, 11) for each in (n, n / 2)]
    expected = sum(
        i * d * 10.0**n
        for n, (i, d) in enumerate(zip(arguments[::2], arguments[1::2], strict=True))
    )
    assert jit["many"](*arguments) == pytest.approx(expected)
    assert jit["through"](*arguments) == pytest.approx(expected)
