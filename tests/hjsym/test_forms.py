"""The explicit forms of a network, and of functions of `tropical`, as SymPy expressions."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
import sympy

import hjsym
from hjsym import LogSumExp, Maximum, expression, layers
from hjsym.expr import default_symbols
from hjsym.network import Network
from tropical import Box, Circuit, Polynomial, Semiring, Slice, linear_regions
from tropical.errors import BudgetExceeded, InputError, ShapeError

GRID = [Fraction(k, 3) for k in range(-9, 10, 2)]


def whole_network(*sizes, seed=0):
    """Weights in quarters, so that pieces meet in rational points of few digits."""
    rng = np.random.default_rng(seed)
    pairs = itertools.pairwise(sizes)
    return [(rng.integers(-8, 9, size=(m, d)) / 4, rng.integers(-8, 9, size=m) / 4) for d, m in pairs]


def value(expression, point):
    """By SymPy, exactly."""
    symbols = default_symbols(len(point))
    return expression.subs(dict(zip(symbols, map(sympy.Rational, point), strict=True)))


@pytest.fixture(scope="module")
def f():
    return hjsym.compile(whole_network(2, 4, 3, 2), exact=True)


# ---- maxima ------------------------------------------------------------------------------------------


def test_max_form_is_the_network_exactly(f):
    expressions = f.expr(form="max")
    for point in itertools.product(GRID[::4], repeat=2):
        assert [value(e, point) for e in expressions] == f.network(point).tolist()
    for e, (P, Q) in zip(expressions, f.essential(), strict=True):
        assert sorted(len(m.args) for m in e.atoms(Maximum)) == sorted(len(p) for p in (P, Q) if len(p) > 1)
        assert all(not z.has(Maximum) for m in e.atoms(Maximum) for z in m.args)


def test_max_form_of_floats_and_its_derivative():
    f = hjsym.compile(whole_network(3, 6, 1, seed=2))
    e, symbols = f.expr(form="max"), default_symbols(3)
    compiled = sympy.lambdify(symbols, [e, *(e.diff(s) for s in symbols)])
    points = np.random.default_rng(0).normal(size=(20, 3)) * 2
    got = np.stack(np.broadcast_arrays(*compiled(*points.T)), axis=-1)
    np.testing.assert_allclose(got[:, 0], f(points)[:, 0], rtol=0, atol=1e-13)
    slopes = f.affine_at(points)[0][:, 0]
    np.testing.assert_allclose(got[:, 1:], slopes, rtol=0, atol=1e-13)
    for k, step in enumerate(1e-6 * np.eye(3)):  # affine pieces: differences are exact but for rounding
        change = (f(points + step) - f(points - step))[:, 0] / 2e-6
        np.testing.assert_allclose(got[:, 1 + k], change, rtol=0, atol=1e-8)


# ---- pieces ------------------------------------------------------------------------------------------


def test_piecewise_form_is_the_network_exactly(f):
    expressions = f.expr(form="piecewise")
    for point in itertools.product(GRID[::4], repeat=2):
        assert [value(e, point) for e in expressions] == f.network(point).tolist()
    maps = {(tuple(r.slope[0]), r.intercept[0]) for r in linear_regions(f)}
    assert isinstance(expressions[0], sympy.Piecewise) and len(expressions[0].args) == len(maps)
    assert not expressions[0].atoms(Maximum, sympy.Float)


def test_every_boundary_belongs_to_a_piece():
    f = hjsym.compile(whole_network(2, 3, 1, seed=1), exact=True)
    e, regions = f.expr(form="piecewise"), linear_regions(f)
    corners = {tuple(v) for r in regions for v in r.vertices.tolist()}
    assert corners
    for point in corners:
        assert [value(e, point)] == f.network(point).tolist()


def test_piecewise_form_of_floats():
    f = hjsym.compile(whole_network(2, 5, 1, seed=3))
    compiled = sympy.lambdify(default_symbols(2), f.expr(form="piecewise"))
    points = np.random.default_rng(0).normal(size=(50, 2)) * 3
    np.testing.assert_allclose(compiled(*points.T), f(points)[:, 0], rtol=1e-12, atol=1e-12)


def test_forms_on_a_domain():
    f = hjsym.compile([([[1, 1], [1, -1]], [0, -1]), ([[1, -2]], [0])], exact=True)
    a, b = sympy.symbols("a b", real=True)
    assert f.expr((a, b), form="piecewise", domain=Box([1, 3], [2, 4])) == a + b
    assert f.expr((a, b), form="max", domain=Box([1, 3], [2, 4])) == a + b
    line = Slice([0, 0], [[1, 0]])
    for form in ("max", "piecewise"):
        e = f.expr((a,), form=form, domain=line)
        assert [e.subs(a, t) for t in (-1, 1, 3)] == [f([t, 0])[0] for t in (-1, 1, 3)]


def test_affine_networks_have_one_piece():
    f = hjsym.compile([([[2, -1]], [3])], exact=True)
    x1, x2 = default_symbols(2)
    assert {f.expr(form=form) for form in ("nested", "max", "piecewise")} == {2 * x1 - x2 + 3}


# ---- refusals ------------------------------------------------------------------------------------------


def test_budgets():
    f = hjsym.compile(whole_network(2, 6, 1, seed=4), exact=True)
    for form in ("max", "piecewise"):
        with pytest.raises(BudgetExceeded, match="operations in the printed formula") as caught:
            f.expr(form=form, limit=20)
        size = caught.value.reached
        assert f.expr(form=form, limit=size) is not None
        with pytest.raises(BudgetExceeded):
            f.expr(form=form, limit=size - 1)
        with pytest.raises(BudgetExceeded, match="regions"):
            f.expr(form=form, max_regions=3)


def test_what_has_no_such_form():
    f = hjsym.compile(whole_network(2, 3, 1))
    with pytest.raises(InputError, match="pass one of 'nested', 'max', 'piecewise'"):
        f.expr(form="flat")
    for form in ("max", "piecewise"):
        with pytest.raises(InputError, match=rf"form='{form}' needs every gate at eps = 0"):
            f.deform(0.5).expr(form=form)
        with pytest.raises(ShapeError, match="got 1 symbols for 2 variables"):
            f.expr(default_symbols(1), form=form)
    with pytest.raises(InputError, match="takes no domain"):
        f.expr(domain=Box(0, 1))
    with pytest.raises(InputError, match="partial=True leaves out regions"):
        f.expr(form="piecewise", max_regions=2, partial=True)


# ---- functions of tropical -------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("eps", [0.0, 0.5])
def test_polynomials(sign, eps):
    rng = np.random.default_rng(0)
    coefficients = np.array([0.5, -1.0, -sign * np.inf, 2.0])
    p = Polynomial(rng.integers(-2, 3, size=(4, 2)), coefficients, Semiring(sign, eps))
    e = expression(p)
    assert {type(g) for g in e.atoms(Maximum, LogSumExp)} == {LogSumExp if eps else Maximum}
    compiled = sympy.lambdify(default_symbols(2), e)
    points = rng.normal(size=(30, 2)) * 4
    np.testing.assert_allclose(compiled(*points.T), p(points), rtol=1e-14, atol=1e-14)


def test_rational_functions_and_circuits():
    x = Circuit.identity(2)
    P = (x.affine([[1, 2], [0, 1]], [0.5, 1]) + 0).affine([[2, 1]])
    for g in (P, P / (x.affine([[1, -1]]) + 2)):
        assert float(value(expression(g), (2, 3))) == g([2.0, 3.0])[0]
    p = Polynomial([[Fraction(1, 3), 0], [0, 1]], [0, Fraction(1, 7)])
    assert str(expression(p / p**2)) == "Max(x1/3, x2 + 1/7) - Max(2*x1/3, 2*x2 + 2/7)"
    assert expression(Polynomial(np.zeros((0, 2)), [])) == -sympy.oo
    with pytest.raises(BudgetExceeded, match="the limit is 3"):
        expression(p, limit=3)
    with pytest.raises(InputError, match="got a str"):
        expression("x")


def test_affine_terms_are_in_the_order_of_sympy():
    rng = np.random.default_rng(1)
    p = Polynomial(rng.integers(-3, 4, size=(60, 5)), rng.integers(-3, 4, size=60))
    for term in expression(p).args:
        assert term == sympy.Add(*(sympy.Mul(*m.args) if m.is_Mul else m for m in sympy.Add.make_args(term)))
        assert term == term.func(*term.args)


def test_outputs_of_several_layers():
    network = Network.sequential(2, [layers.Maximum([[0, 1], [1, 1]])])
    x1, x2 = default_symbols(2)
    assert expression(hjsym.compile(network)) == [Maximum(x1, x2), Maximum(x2, x2)]
