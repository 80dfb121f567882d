"""SymPy expressions: values equal SymPy's own, for numbers and arrays."""

from __future__ import annotations

import gc
import math

import numpy as np
import pytest

sympy = pytest.importorskip("sympy", reason="needs sympy (pip install lazyjit[sympy])")

from lazyjit.sympy import UnsupportedExpression, lambdify  # noqa: E402  # after the skip

x, y = sympy.symbols("x y")
cfunctions = sympy.codegen.cfunctions

EXPRESSIONS = [
    sympy.sqrt(x**2 + y**2),
    sympy.sin(x) * sympy.cos(y) + sympy.exp(-x) - sympy.tan(x),
    x / y + y / x**3,
    x**y + x**-2 + x ** sympy.Rational(1, 3) + 1 / sympy.sqrt(x),
    sympy.log(x * x + 1) ** sympy.Rational(3, 2),
    sympy.Piecewise((x, x < y), (y**2, True)),
    sympy.Piecewise((1, sympy.And(x > 1, y > 1)), (x * y, sympy.Or(x <= 0.5, y < 2)), (0, True)),
    sympy.Piecewise((1, sympy.Eq(x, y)), (2, sympy.Not(x > y) ^ (x > 2)), (3, True)),
    sympy.Max(x, y, 1) - sympy.Min(x, y, sympy.pi),
    sympy.atan2(x, y) + sympy.asin(x / 4) + sympy.acos(y / 4) + sympy.atan(x),
    sympy.sinh(x) + sympy.cosh(x) - sympy.tanh(y) + sympy.asinh(x) + sympy.acosh(1 + x),
    sympy.erf(x) + sympy.erfc(y) + sympy.gamma(x) + sympy.loggamma(y) + sympy.atanh(x / 4),
    sympy.Abs(x - 1) * sympy.sign(y - 1) + sympy.Mod(x, y) + sympy.floor(x) + sympy.ceiling(y),
    sympy.E**x + sympy.pi + sympy.Rational(2, 7) + sympy.Float("0.1"),
    (x + y) ** 40 / (x + y + 1) ** 39,
    sympy.Integer(2),
    sympy.sec(x) + sympy.csc(x) * sympy.cot(y) - sympy.sech(x) + sympy.csch(y) / sympy.coth(x),
    sympy.asec(1 + x) + sympy.acsc(1 + y) + sympy.acot(x),
    sympy.asech(x / 4) - sympy.acsch(y) + sympy.acoth(1 + y),
    sympy.binomial(x + 3, y) + sympy.RisingFactorial(x, y) + sympy.FallingFactorial(x + 4, y),
    sympy.sinc(x) + sympy.sinc(x - x / 1) + sympy.frac(y) + sympy.erf2(x, y),
    sympy.Heaviside(x - 1) + sympy.Heaviside(y - y / 1) + sympy.SingularityFunction(x, 1, 2),
    sympy.Heaviside(sympy.sign(x - y), sympy.Rational(1, 3)),
    sympy.Piecewise((1, sympy.ITE(x > 1, y > 1, y < 2)), (2, True)),
    sympy.Piecewise(
        (1, sympy.Implies(x > 1, y > 1)), (2, sympy.Equivalent(x > 2, y > 2)), (3, True)
    ),
    sympy.Piecewise((sympy.Piecewise((x, x < y), (y, True)), x < 2), (sympy.Max(x, y), True)),
    sympy.Piecewise((x, sympy.Piecewise((x, y > 1), (y, True)) > 1), (y, True), evaluate=False),
    sympy.log(x, 3) + sympy.root(y, 3) + sympy.Catalan + sympy.EulerGamma * sympy.GoldenRatio,
]
SAMPLES = np.random.default_rng(1).uniform(0.1, 3.0, (2, 20))


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=str)
def test_values_are_sympys(jit, expression):
    ours = lambdify([x, y], expression, jit=jit)
    plain = lambdify([x, y], expression, jit=jit, cse=False)
    exact = sympy.lambdify([x, y], expression, "mpmath")
    want = [float(exact(float(a), float(b))) for a, b in SAMPLES.T]
    for result in (
        ours(*SAMPLES),
        plain(*SAMPLES),
        [ours(float(a), float(b)) for a, b in SAMPLES.T],
    ):
        np.testing.assert_allclose(result, want, rtol=1e-12)


@pytest.mark.parametrize(
    ("expression", "same"),
    [
        (cfunctions.exp2(x) + cfunctions.expm1(y), 2**x + sympy.exp(y) - 1),
        (cfunctions.log2(x) * cfunctions.log10(y), sympy.log(x, 2) * sympy.log(y, 10)),
        (cfunctions.log1p(x) + cfunctions.Cbrt(y), sympy.log(1 + x) + sympy.cbrt(y)),
        (cfunctions.Sqrt(x) - cfunctions.hypot(x, y), sympy.sqrt(x) - sympy.sqrt(x**2 + y**2)),
        (cfunctions.fma(x, y, 2), x * y + 2),
        (sympy.zeta(3) * x, 1.2020569031595942 * x),
        (sympy.CRootOf(x**5 - x - 1, 0) + y, 1.1673039782614187 + y),
        (sympy.factorial(x), sympy.gamma(x + 1)),
        (sympy.factorial2(sympy.floor(2 * x)), None),
        (sympy.beta(x, y), sympy.gamma(x) * sympy.gamma(y) / sympy.gamma(x + y)),
        (sympy.catalan(sympy.floor(3 * x)), None),
        (sympy.fibonacci(sympy.floor(10 * x)) + sympy.lucas(sympy.floor(y)), None),
    ],
    ids=str,
)
def test_what_mpmath_lacks_is_as_its_definition(jit, expression, same):
    ours = lambdify([x, y], expression, jit=jit)
    for a, b in SAMPLES.T[:5]:
        want = (expression if same is None else same).subs({x: a, y: b})
        assert ours(float(a), float(b)) == pytest.approx(float(want), rel=1e-12)


def test_arrays_are_broadcast_and_cast(jit):
    f = lambdify([x, y], x * 10 + y, jit=jit)
    rows, columns = np.arange(3)[:, None], np.arange(4, dtype=np.float32)
    np.testing.assert_array_equal(f(rows, columns), rows * 10 + columns)
    np.testing.assert_array_equal(f(np.arange(6.0)[::-2], 1), [51, 31, 11])
    assert f([1, 2], 3).tolist() == [13.0, 23.0]
    assert f(np.empty((0, 4)), 1.0).shape == (0, 4)
    assert f(np.array(2.0), 1.0) == 21.0
    assert f(np.empty((1, 1)) * 0 + 1, np.arange(3.0)).shape == (1, 3)


def test_arrays_that_do_not_fit_and_types_that_are_no_numbers_are_refused(jit):
    f = lambdify([x, y], x + y, jit=jit)
    with pytest.raises(ValueError, match="broadcast"):
        f(np.ones(3), np.ones(4))
    with pytest.raises(TypeError):
        f(np.ones(3) * 1j, 1.0)
    with pytest.raises(TypeError):
        f("1", 2.0)
    with pytest.raises(TypeError, match="takes 2 arguments, not 1"):
        f(1.0)


def test_several_expressions_share_their_subexpressions(jit):
    f = lambdify([x], [sympy.sin(x) + 1, sympy.sin(x) + 2, sympy.Integer(5)], jit=jit)
    assert f.ir.count("call double @llvm.sin.f64") == 2  # one in each of the two functions
    assert f(0.0) == [1.0, 2.0, 5.0]
    assert [each.tolist() for each in f(np.zeros(2))] == [[1.0] * 2, [2.0] * 2, [5.0] * 2]


@pytest.mark.parametrize("expressions", [[], (), [x], (x,), [x, x + 1], (x, x + 1)], ids=str)
def test_a_list_gives_a_list_and_a_tuple_a_tuple_as_in_sympy(jit, expressions):
    f = lambdify([x], expressions, jit=jit)
    assert f(2.0) == sympy.lambdify([x], expressions)(2.0)
    arrays = f(np.full(3, 2.0))
    assert type(arrays) is type(expressions)
    assert [each.tolist() for each in arrays] == [[2.0] * 3, [3.0] * 3][: len(expressions)]


def test_a_complex_part_is_none(jit):
    parts = (sympy.re(x), sympy.im(x), sympy.conjugate(x), sympy.real_root(x, 3))
    assert lambdify([x], parts, jit=jit)(8.0) == pytest.approx((8.0, 0.0, 8.0, 2.0))


@pytest.mark.parametrize("name", ["zeta", "DiracDelta", "LambertW", "erfi", "subfactorial", "Ei"])
def test_what_c_has_no_word_for_is_named(jit, name):
    with pytest.raises(UnsupportedExpression, match=rf"^{name} can't be compiled: {name}\(x\)"):
        lambdify([x], getattr(sympy, name)(x) + 1, jit=jit)


@pytest.mark.parametrize("what", [None, [None], sympy.zoo, sympy.Matrix([x])])
def test_what_is_no_real_expression_is_refused(jit, what):
    with pytest.raises(UnsupportedExpression):
        lambdify([x], what, jit=jit)


def test_no_condition_holding_is_nan(jit):
    assert math.isnan(lambdify(x, sympy.Piecewise((x, x > 1)), jit=jit)(0.0))


def test_only_what_is_called_is_compiled(jit):
    f = lambdify(x, x + 1, jit=jit)
    assert jit.statistics().functions_compiled == 0
    f(1.0)
    assert jit.statistics().functions_compiled == 1


@pytest.mark.parametrize(
    "expression", [sympy.Function("f")(x), y, sympy.zeta(x), sympy.I * x, sympy.Integral(x, x)]
)
def test_what_can_not_be_compiled_is_named(jit, expression):
    with pytest.raises(UnsupportedExpression) as caught:
        lambdify([x], expression + 1, jit=jit)
    assert caught.value.expression is not None


def test_an_argument_is_a_symbol(jit):
    with pytest.raises(UnsupportedExpression):
        lambdify([x + 1], x, jit=jit)


def test_the_code_goes_with_the_function(jit):
    for _ in range(3):
        assert lambdify(x, x + 1, jit=jit)(1.0) == 2.0
    gc.collect()
    # Removal is a compile thread's work: after that of a call that comes later, it is done.
    jit.add("define i32 @after() {\n  ret i32 1\n}\n")
    assert jit["after"]() == 1


def test_without_a_jit_they_share_one():
    assert lambdify((x, y), x - y)(3, 1) == 2.0
