"""What is recognised in what users pass, what is refused, and Toland's duality."""

import math
from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize as scipy_minimize

from hjsym import hopf
from hjsym.conjugate import (
    EntropyOnHull,
    LogSumExp,
    MaxAffine,
    PolyhedralConjugate,
    Quadratic,
    Radial,
    Separable,
    as_function,
    biconjugate,
    conjugate,
    convexity,
    toland_dual,
)
from hjsym.errors import HullWarning, NotConvexError
from hjsym.symbols import LogSumExp as Lse
from tropical import Box, Circuit, InputError, Polynomial, minimize, variables

x, y, z = sympy.symbols("x y z", real=True)
DYADIC = st.integers(-8, 8).map(lambda k: k / 4)


def test_polynomials_and_layers():
    p = Polynomial([[1.0, 0.0], [0.0, 1.0]], [0.0, 1.0])
    assert isinstance(conjugate(p), PolyhedralConjugate)
    assert isinstance(conjugate(p.deform(0.5)), EntropyOnHull)
    layer = hopf.LSELayer(p.slopes, p.coefficients, 0.5)
    point = [0.25, 0.75]
    assert conjugate(layer)(point) == conjugate(p.deform(0.5))(point)
    f = as_function(p)
    assert f.polynomial is p and as_function(f) is f


# ---- expressions in several variables ------------------------------------------------------------------

POINTS = np.random.default_rng(0).normal(size=(6, 2))
FORMS = [
    (x**2 + x * y + y**2 - 3 * x + sympy.Rational(1, 3), Quadratic),
    (sympy.Max(x, y, 0), MaxAffine),
    (sympy.Max(2 * x, abs(x - y)) + 3 * abs(y) + 1, MaxAffine),
    (sympy.log(sympy.exp(x) + 2 * sympy.exp(y - x) + 1), LogSumExp),
    (sympy.log(sympy.exp(2 * x) + sympy.exp(2 * y)) / 2, LogSumExp),
    (Lse(sympy.Rational(1, 2), x, 2 * y), LogSumExp),
    (sympy.sqrt(1 + x**2 + y**2), Radial),
    (sympy.cosh(sympy.sqrt(x**2 + y**2)), Radial),
    (sympy.exp(x) + y**4, Separable),
    (abs(x) + sympy.cosh(y), Separable),
]


@pytest.mark.parametrize(("expr", "kind"), FORMS)
def test_expressions_are_recognised(expr, kind):
    f = as_function(expr)
    assert isinstance(f, kind)
    spelled = sympy.lambdify((x, y), expr.rewrite(sympy.log) if expr.has(Lse) else expr, "numpy")
    np.testing.assert_allclose(f(POINTS), spelled(*POINTS.T), rtol=1e-12, atol=1e-12)
    g, slope = conjugate(expr), f.argmax(POINTS)
    np.testing.assert_allclose(g(slope), (slope * POINTS).sum(axis=1) - f(POINTS), rtol=1e-9, atol=1e-9)


def test_rational_coefficients_stay_rational():
    third = sympy.Rational(1, 3)
    f = conjugate(third * x**2 + (y - third) ** 2 + x)
    point = np.array([[Fraction(2), Fraction(1, 7)]], dtype=object)
    assert f(point)[0] == Fraction(3, 4) * (2 - 1) ** 2 + Fraction(1, 4) * Fraction(1, 7) ** 2 + Fraction(
        1, 21
    )
    g = conjugate(sympy.Max(third * x, y, 0))
    assert g(np.array([[Fraction(1, 6), Fraction(1, 2)]], dtype=object))[0] == 0
    assert g(np.array([[Fraction(1, 6), Fraction(5001, 10000)]], dtype=object))[0] == math.inf


def test_minus_a_sum_of_logarithms():
    f = conjugate(-sympy.log(x) - sympy.log(y) - sympy.log(z))
    points = -np.random.default_rng(0).random((4, 3)) - 0.1
    np.testing.assert_allclose(f(points), -3 - np.log(-points).sum(axis=1), rtol=1e-13)
    assert f([0.0, -1.0, -1.0]) == np.inf


def test_the_order_of_the_variables_and_boxes():
    f = conjugate(x**2 + 4 * y**2, (y, x))
    assert f([8.0, 2.0]) == 5.0
    boxed = as_function(x**2 + y**2, (x, y), domain=Box(0, 1))
    assert boxed([0.5, 0.5]) == 0.5 and boxed([0.5, 1.5]) == np.inf
    with pytest.raises(InputError, match="beside x ="):
        as_function(x * y + z, (x, y))
    with pytest.raises(InputError, match="FromCallable"):
        as_function(sympy.sin(x * y))


# ---- refusals ------------------------------------------------------------------------------------------


def test_what_has_no_conjugate_is_said_with_what_to_do():
    a, b = variables(2)
    refused = [
        (a / b, "toland_dual"),
        (Circuit.identity(2), "toland_dual"),
        (Box(0, 1), "indicator"),
        (sympy.Interval(0, 1), "indicator"),
        (np.exp, "FromCallable"),
        ("x**2", "pass a SymPy expression"),
    ]
    for f, advice in refused:
        with pytest.raises(InputError, match=advice):
            conjugate(f)


def test_hulls_are_announced_once_and_refused_if_strict():
    saddle = x**2 - y**2
    with pytest.warns(HullWarning, match="not convex") as caught:
        f = conjugate(saddle)
    assert len(caught) == 1 and f.of_hull and f([0.0, 0.0]) == np.inf
    with pytest.raises(NotConvexError) as error:
        conjugate(saddle, strict=True)
    p, m, q = (np.asarray(v, float) for v in error.value.witness)
    spelled = sympy.lambdify((x, y), saddle)
    assert spelled(*m) > (spelled(*p) + spelled(*q)) / 2
    assert biconjugate(saddle)([1.0, 1.0]) == -np.inf


def test_verdicts_on_convexity():
    a, b = variables(2)
    assert convexity(a + b).convex is True
    bent = convexity(a / (a + b))
    assert bent.convex is False
    p, m, q = bent.witness
    f = (a / (a + b)).to_exact() if hasattr(a / (a + b), "to_exact") else a / (a + b)
    assert f(m) > (f(p) + f(q)) / 2
    assert convexity(x**2 + x * y + y**2).convex is True
    assert convexity(x**2 + 3 * x * y + y**2).convex is False


# ---- differences ---------------------------------------------------------------------------------------


@st.composite
def polynomials(draw, terms):
    rows = np.array(draw(st.lists(st.tuples(DYADIC, DYADIC, DYADIC), min_size=terms[0], max_size=terms[1])))
    return Polynomial(rows[:, :2], rows[:, 2])


@settings(max_examples=25)
@given(polynomials((1, 6)), polynomials((1, 4)))
def test_toland_duality(P, Q):
    """The least P − Q, by the linear regions of P ⊘ Q."""
    dual, least = toland_dual(P / Q), minimize(P / Q)
    if dual.infimum == -math.inf:
        assert least.value == -math.inf
        return
    assert dual.infimum == least.value
    exact = np.array([Fraction(v) for v in dual.point.tolist()], dtype=object)
    assert float(P.to_exact()(exact) - Q.to_exact()(exact)) == pytest.approx(float(dual.infimum), abs=1e-12)
    assert dual(dual.slope) == pytest.approx(float(dual.infimum), abs=1e-12)


def test_the_dual_function_lies_above_the_infimum():
    rng = np.random.default_rng(0)
    P = Polynomial(2 * rng.normal(size=(30, 2)), rng.normal(size=30))
    Q = Polynomial(rng.normal(size=(5, 2)) / 2, np.zeros(5))
    dual = toland_dual(P / Q)
    values = dual(rng.normal(size=(200, 2)))
    assert (values >= float(dual.infimum) - 1e-12).all()
    found = scipy_minimize(lambda v: P(v) - Q(v), dual.point, method="Nelder-Mead")
    assert found.fun == pytest.approx(float(dual.infimum), abs=1e-6)
    with pytest.raises(InputError, match="deform"):
        toland_dual(P.deform(0.1) / Q.deform(0.1))
