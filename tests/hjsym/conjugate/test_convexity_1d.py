"""Convexity of expressions, refutations with witnesses, and proximal maps as formulas."""

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from sympy import Interval, LambertW, Max, Min, Piecewise, Rational, Symbol, cos, exp, log, oo, sin, sqrt

from hjsym.conjugate import conjugate
from hjsym.conjugate.envelope import moreau_envelope, prox
from hjsym.conjugate.symbolic.isolate import isolated_zeros
from hjsym.conjugate.symbolic.prox import symbolic_prox
from hjsym.conjugate.symbolic.read import symbolic_function
from hjsym.errors import HullWarning, NotConvexError, UndecidedError
from tropical.errors import InputError

x, lam = Symbol("x", real=True), Symbol("lambda", positive=True)

CONVEX = [
    (exp(x) + x**4 - x, None),
    (x**2 + sin(x), None),
    (log(exp(x) + exp(-2 * x) + 1), None),
    (Max(x**2, 3 - x, exp(x)), Interval(-3, 2)),
    (-sqrt(x) + abs(x - 2), None),
    (x * log(x) - log(x) / 3, None),
    (-log(x) - log(3 - x), None),
    (x**4 - x**3 + x**2, None),
    (Piecewise((x**2, x < 0), (exp(x) - 1, True)), None),
    (exp(x**2), None),
    (sqrt(1 + x**2) + x**2 / 7, None),
    (-cos(x), Interval(-sympy.pi / 2, sympy.pi / 2)),
]


@pytest.mark.parametrize(("f", "domain"), CONVEX, ids=[str(f) for f, _ in CONVEX])
def test_proved(f, domain):
    verdict = symbolic_function(f, x, domain).convexity()
    assert verdict.convex is True, verdict.reason


NOT_CONVEX = [
    (Min(x, Rational(1, 2)), None),  # SymPy's is_convex says True of this and the next
    (abs(abs(x) - 1), None),
    ((x**2 - 1) ** 2, None),
    (x**4 - x**2 / 1000, None),
    (x**2 + 2 * sin(x) * Rational(101, 100), Interval(0, 3)),
    (log(1 + x**2), None),
    (Piecewise((x**2, x < 1), (x**2 + 1, True)), None),
    (Piecewise((x**2, x < 1), (3, sympy.Eq(x, 1)), (2 * x - 1, True)), None),
    (0 * x, sympy.FiniteSet(0, 1)),
    (x**2, sympy.Union(Interval(-2, -1), Interval(Rational(1, 3), 2))),
    (x**2 - abs(x - Rational(1, 7)) / 10**6, None),
    (-exp(-(x**2)), None),
]


@pytest.mark.parametrize(("f", "domain"), NOT_CONVEX, ids=[str(f) for f, _ in NOT_CONVEX])
def test_refuted_with_three_points(f, domain):
    function = symbolic_function(f, x, domain)
    verdict = function.convexity()
    assert verdict.convex is False
    a, m, b = verdict.witness
    assert a < m < b

    def at(point):
        inside = domain is None or domain.contains(point) == True  # noqa: E712  (a SymPy Boolean)
        return mpmath.mpf(str(f.subs(x, point).evalf(60))) if inside else mpmath.inf

    with mpmath.workdps(50):
        left, middle, right = map(at, (a, m, b))
        share = mpmath.mpf(str(((m - a) / (b - a)).evalf(60)))
        assert mpmath.isfinite(left) and mpmath.isfinite(right) and middle > left + share * (right - left)
    with pytest.raises(NotConvexError):
        conjugate(f, x, domain=domain, strict=True)


def test_closed_or_not():
    """Open ends do not make a function less convex, but it is not closed: f** is its closure."""
    f = symbolic_function(x**2, x, Interval.open(-1, 2))
    assert f.convexity().convex and "not closed" in f.convexity().reason
    assert f(-1.0) == np.inf and f.conjugate().conjugate()(-1.0) == 1.0
    barrier = symbolic_function(-log(x), x)
    assert "not closed" not in barrier.convexity().reason and barrier.conjugate().conjugate() is barrier


@settings(max_examples=12)
@example([-1, 3, 0, 0])  # on x < 1 this is a power
@given(st.lists(st.integers(-9, 9), min_size=3, max_size=5))
def test_polynomials_against_roots_of_the_second_derivative(coefficients):
    p = sympy.Poly(coefficients, x)
    second = p.diff(x).diff(x)
    verdict = symbolic_function(p.as_expr(), x).convexity()
    if verdict.convex:
        assert min(second.eval(Rational(k, 16)) for k in range(-400, 401)) >= 0
    else:
        a, m, b = verdict.witness
        share = (m - a) / (b - a)
        assert p.eval(m) > p.eval(a) + share * (p.eval(b) - p.eval(a))


def test_what_is_not_decided_is_unknown():
    """sin x has infinitely many inflections on the line, which are not listed; a witness is found all the same."""
    wave = symbolic_function(x**2 + sin(x) * Rational(21, 10), x)
    assert wave.convexity().convex is False
    with pytest.raises(UndecidedError, match="cannot find where"):
        wave.conjugate()
    flat = symbolic_function(x**2 / 2 + sin(x) + exp(-(x**2)) / 10**9, x)
    assert flat.convexity().convex is None and "cannot find where" in flat.convexity().reason


def test_isolated_zeros():
    found = isolated_zeros(2 * cos(x) - x * sin(x), x, sympy.Integer(0), sympy.Integer(20))
    expected = [brentq(lambda t: 2 * np.cos(t) - t * np.sin(t), a, b, xtol=1e-14) for a, b in
                ((0.5, 2), (3, 5), (6, 8), (9, 11), (12, 14), (15, 17), (18, 20))]  # fmt: skip
    np.testing.assert_allclose([float(z) for z in found], expected, rtol=1e-12)
    assert isolated_zeros(exp(x) + x**2, x, sympy.Integer(-5), sympy.Integer(5)) == []
    assert (
        isolated_zeros(x**2, x, sympy.Integer(-1), sympy.Integer(1)) is None
    )  # a double zero cannot be told from none


# ---- proximal maps ------------------------------------------------------------------------------------

shrunk = sympy.sign(x) * Max(abs(x) - lam, 0)
PROX = [
    (abs(x), None, shrunk),
    (x**2 / 2, None, x / (1 + lam)),
    (-log(x), None, (x + sqrt(x**2 + 4 * lam)) / 2),
    (exp(x), None, x - LambertW(lam * exp(x))),
    (abs(x) ** 3 / 3, None, sympy.sign(x) * (sqrt(1 + 4 * lam * abs(x)) - 1) / (2 * lam)),
    (Piecewise((x**2 / 2, abs(x) <= 1), (abs(x) - Rational(1, 2), True)), None,
     Piecewise((x / (1 + lam), abs(x) <= 1 + lam), (x - lam * sympy.sign(x), True))),
    (Max(0, 1 - x), None, Piecewise((x + lam, x < 1 - lam), (1, x < 1), (x, True))),
    (0 * x, Interval(-1, 2), Max(-1, Min(2, x))),
    (x * log(x), None, lam * LambertW(exp(x / lam - 1) / lam)),
]  # fmt: skip


@pytest.mark.parametrize(("f", "domain", "expected"), PROX, ids=[str(f) for f, _, _ in PROX])
def test_prox_formulas(f, domain, expected):
    found = symbolic_prox(symbolic_function(f, x, domain), lam)
    for point in (-2.3, -0.7, 0.0, 0.4, 1.0, 3.1):
        for step in (0.25, 2.0):
            values = {x: Rational(point), lam: Rational(step)}
            wanted = float(expected.subs(values))
            assert float(found.expr.subs({found.symbol: values[x], lam: values[lam]})) == pytest.approx(
                wanted, abs=1e-13
            )
            assert found.subs({lam: Rational(step)})(point) == pytest.approx(wanted, abs=1e-13)


SMOOTH = [
    (-log(x), None, 1e-9, 60),
    (exp(x), None, -60, 5),
    (log(1 + exp(x)), None, -60, 60),
    (sqrt(1 + x**2), None, -60, 60),
    (x**4 / 4 - x, None, -60, 60),
    (1 / x, Interval.open(0, oo), 1e-6, 60),
    (x * log(x) + (1 - x) * log(1 - x), None, 1e-15, 1 - 1e-15),
]


@pytest.mark.parametrize(("f", "domain", "low", "high"), SMOOTH, ids=[str(case[0]) for case in SMOOTH])
def test_prox_is_stationary(f, domain, low, high):
    """p + λf'(p) = x, and the same p from a bracketing solver that knows f' alone."""
    slope = sympy.lambdify(x, sympy.diff(f, x), "math")
    function = symbolic_function(f, x, domain)
    found = symbolic_prox(function, 0.5)
    for point in (-3.0, 0.2, 2.5):
        p = found(point)
        assert p + 0.5 * slope(p) == pytest.approx(point, abs=1e-11)
        residual = lambda t, at=point: t + 0.5 * slope(t) - at  # noqa: E731
        assert p == pytest.approx(brentq(residual, low, high, xtol=1e-14), abs=1e-11)
        envelope = float(found.envelope.subs(found.symbol, Rational(point)).evalf())
        assert envelope == pytest.approx(function(p) + (point - p) ** 2, abs=1e-11)
    assert prox(function, 0.5, 2.5) == pytest.approx(found(2.5), abs=1e-13)
    assert moreau_envelope(function, 0.5)(2.5) == pytest.approx(envelope, abs=1e-11)


def test_prox_of_what_is_not_convex():
    """Moreau's identity would give the proximal map of the hull."""
    f = symbolic_function((x**2 - 1) ** 2, x)
    found = symbolic_prox(f, Rational(1, 10))
    grid = np.linspace(-3, 3, 600_001)
    for point in (-1.4, -0.3, 0.2, 0.9, 2.0):
        best = grid[np.argmin((grid**2 - 1) ** 2 + 5 * (point - grid) ** 2)]
        assert found(point) == pytest.approx(best, abs=2e-5)
    jumps = symbolic_prox(f, 10)
    assert jumps(0.01) == -jumps(-0.01) > 0.9
    with pytest.raises(NotConvexError):
        prox(f, 0.1, 0.5)


def test_errors():
    f = symbolic_function(abs(x), x)
    with pytest.raises(InputError, match="positive"):
        symbolic_prox(f, -1)
    with pytest.raises(InputError, match="finite"):
        symbolic_prox(f, float("nan"))
    with pytest.warns(HullWarning):
        g = conjugate(-(x**2), x)
    with pytest.raises(InputError, match="no proximal map"):
        symbolic_prox(g)
    with pytest.raises(InputError, match="depends on lambda"):
        symbolic_prox(f)(1.0)
