"""Networks as SymPy expressions: equal to the network, printable, differentiable, and refused when too large."""

import itertools
import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy

import hjsym
from hjsym import LogSumExp, Maximum, layers
from hjsym.expr import default_symbols
from hjsym.network import Network
from tropical.errors import BudgetExceeded, ShapeError


def random_pairs(*sizes, seed=0):
    rng = np.random.default_rng(seed)
    return [(rng.normal(size=(m, d)), rng.normal(size=m)) for d, m in itertools.pairwise(sizes)]


def points(d, count=25):
    return np.random.default_rng(d).normal(size=(count, d)) * 2


SIZES = [(2, 1), (1, 3, 1), (2, 5, 1), (3, 4, 3, 1), (2, 2, 2, 2, 1)]
EPS = [0.0, 0.5, 2.0]


@pytest.fixture(params=SIZES, ids=str)
def f(request):
    return hjsym.compile(random_pairs(*request.param))


# ---- values ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("eps", EPS)
def test_lambdify_with_numpy(f, eps):
    f = f.deform(eps)
    x = points(f.variables)
    compiled = sympy.lambdify(default_symbols(f.variables), f.expr(), "numpy")
    np.testing.assert_allclose(compiled(*x.T), f(x)[:, 0], rtol=1e-12, atol=1e-12)
    grid = np.broadcast_arrays(*x.T[:, :20].reshape(-1, 4, 5))
    assert np.shape(compiled(*grid)) == (4, 5)


@pytest.mark.parametrize("eps", EPS)
@pytest.mark.parametrize("module", ["math", "mpmath"])
def test_lambdify_of_single_points(f, eps, module):
    f = f.deform(eps)
    compiled = sympy.lambdify(default_symbols(f.variables), f.expr(), module)
    for x in points(f.variables, 5):
        assert float(compiled(*x.tolist())) == pytest.approx(f(x)[0], rel=1e-12, abs=1e-12)


def test_lambdify_does_not_overflow():
    f = hjsym.compile([([[1.0]], [0.0]), ([[1.0]], [0.0])]).deform(0.01)
    compiled = sympy.lambdify(default_symbols(1), f.expr(), "numpy")
    np.testing.assert_allclose(compiled(np.array([-100.0, 100.0])), [0.0, 100.0], atol=1e-12)


def test_several_outputs():
    f = hjsym.compile(random_pairs(2, 3, 2))
    expressions = f.expr()
    assert isinstance(expressions, list) and len(expressions) == 2
    compiled = sympy.lambdify(default_symbols(2), expressions, "numpy")
    x = points(2)
    np.testing.assert_allclose(np.transpose(compiled(*x.T)), f(x), rtol=1e-12, atol=1e-12)


def test_leaky_and_constant_parts():
    chain = [layers.Affine([[1.0, 0.0]], [0.0]), layers.LeakyRelu(0.25), layers.Affine([[0.0]], [3.0])]
    assert float(hjsym.compile(Network.sequential(2, chain)).expr()) == 3
    x1, x2 = default_symbols(2)
    expression = hjsym.compile(Network.sequential(2, chain[:2])).expr()
    assert [float(expression.subs({x1: v, x2: 9})) for v in (-4, 4)] == [-1, 4]


# ---- exact -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_exact_expressions(sizes):
    f = hjsym.compile(random_pairs(*sizes), exact=True)
    expression, symbols = f.expr(), default_symbols(f.variables)
    assert not expression.atoms(sympy.Float)
    for k in range(-3, 4):
        x = [Fraction(2 * k + 1, 3 + j) for j in range(f.variables)]
        values = {s: sympy.Rational(v.numerator, v.denominator) for s, v in zip(symbols, x, strict=True)}
        (expected,) = f(x)
        assert type(expected) is Fraction
        assert expression.subs(values) == sympy.Rational(expected.numerator, expected.denominator)


def test_exact_numbers_are_the_binary_ones():
    x = default_symbols(1)[0]
    expression = hjsym.compile([([[0.1]], [0.5])], exact=True).expr()
    assert expression == sympy.Rational(*(0.1).as_integer_ratio()) * x + sympy.Rational(1, 2)


# ---- printing and symbols ----------------------------------------------------------------------------


def test_latex_and_str(f):
    expression = f.expr()
    assert isinstance(str(expression), str)
    assert (r"\max" in sympy.latex(expression)) == bool(expression.atoms(Maximum)) == bool(f.P.gates)
    assert (r"\operatorname{LSE}_{0.5}" in sympy.latex(f.deform(0.5).expr())) == bool(f.P.gates)


def test_names_of_variables():
    f = hjsym.compile([([[1.0, -1.0]], [0.0]), ([[2.0]], [1.0])])
    assert str(f.expr()) == "-2.0*x2 + 2.0*Max(x1, x2) + 1"
    a, b = sympy.symbols("a b", real=True)
    assert f.expr((a, b)).free_symbols == {a, b} == f.expr([a, b]).free_symbols
    assert all(s.is_real for s in f.expr().free_symbols)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_wrong_number_of_symbols(count):
    with pytest.raises(ShapeError, match=f"got {count} symbols for 2 variables"):
        hjsym.compile(random_pairs(2, 1)).expr(sympy.symbols(f"a:{count}"))


# ---- size --------------------------------------------------------------------------------------------


def test_wide_layers_are_not_evaluated():
    # SymPy's own Max of 60 affine terms would take minutes; every unit here has its own.
    f = hjsym.compile(random_pairs(2, 60, 1))
    expression = f.expr()
    assert len(expression.atoms(Maximum)) == 60
    compiled = sympy.lambdify(default_symbols(2), expression, "numpy")
    x = points(2)
    np.testing.assert_allclose(compiled(*x.T), f(x)[:, 0], rtol=1e-12, atol=1e-11)


def test_maximum_of_many_terms_is_not_evaluated():
    rng = np.random.default_rng(8)
    network = Network.sequential(
        2, [layers.Affine(rng.normal(size=(80, 2)), rng.normal(size=80)), layers.LogSumExp()]
    )
    f = hjsym.compile(network).deform(0.0)
    (gate,) = f.expr().atoms(Maximum)
    assert len(gate.args) == 80


def test_budget():
    f = hjsym.compile(random_pairs(3, 40, 40, 40, 40, 1))
    with pytest.raises(
        BudgetExceeded, match=r"operations in the printed formula.*limit is 1,000,000"
    ) as caught:
        f.expr()
    assert caught.value.reached > caught.value.limit == 10**6
    small = hjsym.compile(random_pairs(2, 3, 1))
    with pytest.raises(BudgetExceeded) as caught:
        small.expr(limit=5)
    assert str(caught.value.reached) in str(caught.value)
    assert small.expr(limit=caught.value.reached) == small.expr()
    with pytest.raises(BudgetExceeded):
        small.expr(limit=caught.value.reached - 1)


# ---- temperature -------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [(2, 3, 1), (3, 4, 3, 1)])
def test_derivatives_of_log_sum_exp(sizes):
    f = hjsym.compile(random_pairs(*sizes)).deform(0.7)
    symbols, expression = default_symbols(sizes[0]), f.expr()
    assert expression.atoms(LogSumExp)
    gradient = sympy.lambdify(symbols, [expression.diff(s) for s in symbols], "numpy")
    for x in points(sizes[0], 6):
        np.testing.assert_allclose(gradient(*x), f.gradient(x)[0], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("eps", [0.125, 3.0])
def test_evalf_in_many_digits(eps):
    f = hjsym.compile([([[1.0, 2.0]], [0.5]), ([[3.0]], [1.0])]).deform(eps)
    x, y = 0.25, -1.5
    value = f.expr().subs(dict(zip(default_symbols(2), (sympy.Rational(x), sympy.Rational(y)), strict=True)))
    with mpmath.workdps(60):
        expected = 3 * eps * mpmath.log(1 + mpmath.exp(mpmath.mpf(x + 2 * y + 0.5) / eps)) + 1
        assert abs(mpmath.mpf(str(value.evalf(50))) / expected - 1) < mpmath.mpf(10) ** -14
    assert float(value) == pytest.approx(f([x, y])[0], rel=1e-14)


def test_softplus_keeps_its_temperature():
    network = Network.sequential(1, [layers.Softplus(0.5), layers.Softplus(2.0)])
    expression = hjsym.compile(network).expr()
    assert {gate.args[0] for gate in expression.atoms(LogSumExp)} == {sympy.Float(0.5), sympy.Float(2.0)}
    value = float(expression.subs(default_symbols(1)[0], sympy.Rational(1, 3)))
    inner = 0.5 * math.log(1 + math.exp(2 / 3))
    assert value == pytest.approx(2 * math.log(1 + math.exp(inner / 2)), rel=1e-14)
