"""Ufuncs of the JIT beside NumPy's own: the same results, shapes, types, warnings."""

import os
import warnings
from collections.abc import Iterator

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lazyjit import JIT

NUMBERS = "\n".join(
    f"""
define {kind} @{name}_{kind}({kind} %a, {kind} %b) {{
  %r = {operation} {kind} %a, %b
  ret {kind} %r
}}"""
    for name, real, whole in (
        ("add", "fadd", "add"),
        ("sub", "fsub", "sub"),
        ("mul", "fmul", "mul"),
    )
    for kind in ("i8", "i16", "i32", "i64", "float", "double")
    for operation in (real if kind[0] != "i" else whole,)
)

SOURCE = (
    NUMBERS
    + """
define double @div(double %a, double %b) {
  %r = fdiv double %a, %b
  ret double %r
}
define i1 @less(double %a, double %b) {
  %r = fcmp olt double %a, %b
  ret i1 %r
}
define double @inverse(double %x) noinline optnone {
  %zero = fcmp oeq double %x, 0.0
  br i1 %zero, label %no, label %yes
yes:
  %r = fdiv double 1.0, %x
  br label %no
no:
  %v = phi double [ 0.0, %0 ], [ %r, %yes ]
  ret double %v
}
define double @larger(double %a, double %b) {
  %more = fcmp ogt double %a, %b
  %r = select i1 %more, double %a, double %b
  ret double %r
}
declare double @llvm.maxnum.f64(double, double)
define double @clamped(double %a) {
  %r = call double @llvm.maxnum.f64(double %a, double 0.0)
  ret double %r
}
define { double, i32 } @split(double %a, i1 %b) {
  %n = zext i1 %b to i32
  %x = insertvalue { double, i32 } poison, double %a, 0
  %y = insertvalue { double, i32 } %x, i32 %n, 1
  ret { double, i32 } %y
}
define void @both(double %a, ptr %same, ptr %other) {
  store double %a, ptr %same
  %m = fneg double %a
  store double %m, ptr %other
  ret void
}
define { double, double } @swap({ double, double } %z) {
  %a = extractvalue { double, double } %z, 0
  %b = extractvalue { double, double } %z, 1
  %x = insertvalue { double, double } poison, double %b, 0
  %y = insertvalue { double, double } %x, double %a, 1
  ret { double, double } %y
}
define <2 x float> @halves(<2 x float> %z) {
  %r = fmul <2 x float> %z, <float 0.5, float 0.5>
  ret <2 x float> %r
}
define double @many(double %a, double %b, double %c, double %d, double %e) {
  %ab = fadd double %a, %b
  %cd = fadd double %c, %d
  %abcd = fadd double %ab, %cd
  %r = fsub double %abcd, %e
  ret double %r
}
"""
)

TYPES = ("i8", "i16", "i32", "i64", "float", "double")
DTYPES = {"i8": "i1", "i16": "i2", "i32": "i4", "i64": "i8", "float": "f4", "double": "f8"}
ORACLES = {"add": np.add, "sub": np.subtract, "mul": np.multiply}

SETTINGS = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def module() -> Iterator[JIT]:
    with JIT(compile_threads=2, opt_level=0, speculate=False) as jit:
        jit.add(SOURCE)
        yield jit
        jit.session.verify_session()


@pytest.fixture(scope="module")
def ours(module: JIT) -> dict[str, np.ufunc]:
    return {
        name: module.ufunc(
            [f"{name}_{kind}" for kind in TYPES], identity=0 if name == "add" else None
        )
        for name in ORACLES
    }


def elements(dtype: np.dtype) -> st.SearchStrategy:
    if dtype.kind == "f":
        return st.floats(-1e6, 1e6, width=8 * dtype.itemsize)
    return arrays.from_dtype(dtype)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Two arrays that broadcast, as views of any layout."""
    dtype = np.dtype(draw(st.sampled_from(sorted(DTYPES.values()))))
    shapes = draw(
        arrays.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=9, min_side=0)
    )
    both = []
    for shape in shapes.input_shapes:
        wide = tuple(2 * side for side in shape)
        whole = draw(arrays.arrays(dtype, wide, elements=elements(dtype), fill=elements(dtype)))
        steps = draw(
            st.tuples(*[st.sampled_from([(0, 1), (0, 2), (-1, -1), (-1, -2)])] * len(shape))
        )
        view = whole[tuple(slice(start, None, step) for start, step in steps)]
        both.append(view[tuple(slice(0, side) for side in shape)])
    return both[0], both[1]


def same(ours: object, theirs: object) -> None:
    np.testing.assert_array_equal(ours, theirs, strict=True)


@SETTINGS
@given(pair=pairs(), name=st.sampled_from(sorted(ORACLES)))
def test_results_are_numpys_for_any_types_shapes_and_layouts(
    ours: dict[str, np.ufunc], pair: tuple[np.ndarray, np.ndarray], name: str
) -> None:
    same(ours[name](*pair), ORACLES[name](*pair))


@SETTINGS
@given(pair=pairs(), data=st.data())
def test_out_and_where_are_numpys(
    ours: dict[str, np.ufunc], pair: tuple[np.ndarray, np.ndarray], data: st.DataObject
) -> None:
    a, b = pair
    shape = np.broadcast_shapes(a.shape, b.shape)
    where = data.draw(arrays.arrays(np.bool_, shape))
    mine, theirs = np.ones(shape, a.dtype), np.ones(shape, a.dtype)
    assert ours["add"](a, b, out=mine, where=where) is mine
    np.add(a, b, out=theirs, where=where)
    same(mine, theirs)


@SETTINGS
@given(
    x=arrays.arrays(np.int64, st.integers(0, 40), elements=st.integers(-99, 99)),
    shift=st.integers(0, 3),
    name=st.sampled_from(sorted(ORACLES)),
)
def test_outputs_that_lie_over_inputs_are_numpys(
    ours: dict[str, np.ufunc], x: np.ndarray, shift: int, name: str
) -> None:
    mine, theirs = x.copy(), x.copy()
    count = max(len(x) - shift, 0)
    for array, ufunc in ((mine, ours[name]), (theirs, ORACLES[name])):
        ufunc(array[:count], array[:count], out=array[shift : shift + count])
        ufunc(array, array[::-1], out=array)
        ufunc(array, 3, out=array)
    same(mine, theirs)


@SETTINGS
@given(
    x=arrays.arrays(np.int32, arrays.array_shapes(min_dims=1, max_dims=3, max_side=7)),
    name=st.sampled_from(sorted(ORACLES)),
    data=st.data(),
)
def test_reduce_accumulate_and_outer_are_numpys(
    ours: dict[str, np.ufunc], x: np.ndarray, name: str, data: st.DataObject
) -> None:
    axis = data.draw(st.integers(0, x.ndim - 1))
    ufunc, theirs = ours[name], ORACLES[name]
    with np.errstate(all="ignore"):
        same(ufunc.reduce(x, axis, np.int32), theirs.reduce(x, axis, np.int32))
        same(ufunc.accumulate(x, axis, np.int32), theirs.accumulate(x, axis, np.int32))
        same(ufunc.outer(x, x[0]), theirs.outer(x, x[0]))
        at = [0, len(x) - 1]
        same(ufunc.reduceat(x, at, 0, np.int32), theirs.reduceat(x, at, 0, np.int32))


@SETTINGS
@given(
    x=arrays.arrays(np.float64, 10, elements=st.floats(-9, 9)),
    where=st.lists(st.integers(-10, 9), max_size=30),
)
def test_at_is_numpys(ours: dict[str, np.ufunc], x: np.ndarray, where: list[int]) -> None:
    mine, theirs = x.copy(), x.copy()
    index = np.array(where, np.intp)
    ours["add"].at(mine, index, 1.5)
    np.add.at(theirs, index, 1.5)
    same(mine, theirs)


def test_a_ufunc_is_one_of_numpys_with_name_types_and_words(module: JIT) -> None:
    add = module.ufunc(["add_float", "add_double"], doc="Adds.", identity=0)
    assert type(add) is np.ufunc
    assert (add.__name__, add.nin, add.nout, add.identity) == ("add", 2, 1, 0)
    assert add.types == ["ff->f", "dd->d"]
    assert add.__doc__.endswith("Adds.")
    assert module.ufunc("div").__name__ == "div"
    assert "float64, float64 -> float64" in module.ufunc("div").__doc__
    assert module.ufunc("div", name="quotient").__name__ == "quotient"
    assert module.ufunc("larger", identity="reorderable").identity is None


def test_only_the_type_that_is_used_is_compiled(module: JIT) -> None:
    add = module.ufunc(["add_i32", "add_double"])

    def made() -> set[str]:
        with_address = {n for n, e in module.main._symbols.items() if getattr(e, "address", 0)}
        return {name.partition("$")[0] for name in with_address if "$loop." in name}

    before = made()
    add(1.0, 2.0)
    assert "add_double" in made()
    assert "add_i32" not in made() - before


def test_casting_is_numpys(ours: dict[str, np.ufunc]) -> None:
    add = ours["add"]
    assert add(np.int8(1), np.float32(2)).dtype == np.float32
    assert add(np.int32(1), np.float32(2)).dtype == np.add(np.int32(1), np.float32(2)).dtype
    assert add(True, True) == 2  # there is no loop for bools: the first that fits
    with pytest.raises(TypeError, match="Cannot cast"):
        add(1.5, 1.5, out=np.zeros((), np.int64))
    with pytest.raises(TypeError):
        add("a", "b")
    assert add(1, 2, dtype=np.float32).dtype == np.float32
    big = np.arange(5, dtype=">f8")
    same(np.asarray(add(big, 1.0)), np.arange(5) + 1.0)


def test_results_of_several_numbers_and_through_pointers(module: JIT) -> None:
    values, flags = module.ufunc("split")([1.5, 2.5, 3.5], [True, False, True])
    same(values, np.array([1.5, 2.5, 3.5]))
    same(flags, np.array([1, 0, 1], np.int32))
    one, other = module.ufunc({"both": "void(double, out double, out double)"})(np.arange(9.0)[::2])
    same(one, np.arange(9.0)[::2])
    same(other, -np.arange(9.0)[::2])


def test_complex_and_bool_numbers(module: JIT) -> None:
    z = np.array([1 + 2j, 3 - 4j])
    same(module.ufunc({"swap": "complex128(complex128)"})(z), z.imag + 1j * z.real)
    halves = module.ufunc({"halves": "complex64(complex64)"})
    same(halves(z.astype(np.complex64)), (z / 2).astype(np.complex64))
    x = np.array([1.0, 2.0, np.nan] * 7)
    same(module.ufunc("less")(x, x[::-1]), np.less(x, x[::-1]))


def test_five_operands(module: JIT) -> None:
    many = module.ufunc("many")
    x = np.arange(100.0)
    same(many(x, 1.0, x, 2.0, x[::-1]), x + 1 + (x + 2) - x[::-1])
    same(many(x, x, x, x, x), 3 * x)


# Floating-point flags


def warnings_of(call: object) -> list[str]:
    with warnings.catch_warnings(record=True) as seen, np.errstate(all="warn"):
        warnings.simplefilter("always")
        call()  # type: ignore[operator]
    return sorted(str(each.message).rpartition(" in ")[0] for each in seen)


SPECIAL = (0.0, 1.0, -1.0, np.nan, np.inf, 1e308, 1e-308)


@SETTINGS
@given(
    a=st.lists(st.sampled_from(SPECIAL), min_size=1, max_size=40),
    b=st.sampled_from(SPECIAL),
    name=st.sampled_from(["div", "mul"]),
)
def test_warnings_are_numpys(module: JIT, a: list[float], b: float, name: str) -> None:
    mine = module.ufunc("div" if name == "div" else "mul_double")
    theirs = np.divide if name == "div" else np.multiply
    x = np.array(a)
    assert warnings_of(lambda: mine(x, b)) == warnings_of(lambda: theirs(x, b))


def test_errstate_raises(module: JIT) -> None:
    div = module.ufunc("div")
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError, match="divide by zero"):
        div(np.ones(100), np.zeros(100))
    with np.errstate(all="ignore"):
        assert np.isinf(div(1.0, 0.0))


@pytest.mark.parametrize("count", [1, 7, 64, 5000, 20000])
def test_a_branch_not_taken_sets_no_flag(module: JIT, count: int) -> None:
    inverse, larger = module.ufunc("inverse"), module.ufunc("larger")
    x = np.zeros(count)
    x[::3] = 2.0
    with np.errstate(all="raise"):
        same(inverse(x), np.where(x == 0, 0.0, 0.5))
        same(inverse(x, out=x), np.where(np.arange(count) % 3, 0.0, 0.5))
        assert larger.reduce(np.arange(count, dtype=float)) == count - 1
        same(larger.accumulate(x), np.maximum.accumulate(x))
    tiny = np.full(count, 5e-324)
    with np.errstate(all="ignore", over="raise"), pytest.raises(FloatingPointError, match="over"):
        inverse(tiny)


def test_a_nan_that_is_looked_at_sets_no_flag(module: JIT) -> None:
    x = np.array([np.nan, 1.0, -1.0] * 500)
    with np.errstate(all="raise"):
        same(module.ufunc("clamped")(x), np.fmax(x, 0.0))
        same(module.ufunc("less")(x, 0.5), np.less(x, 0.5))


def test_branches_in_outputs_over_inputs(module: JIT) -> None:
    inverse = module.ufunc("inverse")
    x = np.zeros(20001)
    x[::2] = np.arange(1.0, 10002.0)
    expected = x.copy()
    expected[::2] = 1 / x[::2]
    with np.errstate(all="raise"):
        inverse(x, out=x)
    same(x, expected)


# Fast-math, by request


def test_fast_math_is_only_by_request(module: JIT) -> None:
    x = np.full(1001, 0.1)
    exact = module.ufunc("add_double").reduce(x)
    assert exact == np.add.accumulate(x)[-1]  # one after the other
    fast = module.ufunc("add_double", fast_math=True).reduce(x)
    assert fast == pytest.approx(100.1)


def test_a_loop_runs_more_than_two_to_the_31_times(module: JIT) -> None:
    ones = np.broadcast_to(np.int8(1), 2**31 + 7)  # one byte of memory
    assert module.ufunc("add_i8").reduce(ones) == 7


@pytest.mark.skipif(not os.environ.get("LAZYJIT_FULL"), reason="2 GiB of memory: LAZYJIT_FULL=1")
def test_more_than_two_gibibytes(module: JIT) -> None:
    x = np.ones(2**31 + 7, np.int8)
    module.ufunc("add_i8")(x, x, out=x)
    assert x[0] == x[-1] == 2
    assert (x == 2).all()
