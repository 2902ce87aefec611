"""Conjugates as formulas: the literature's pairs both ways, their shifted, scaled and tilted relatives, hulls, traps.

Golden formulas: R. T. Rockafellar, Convex Analysis (1970), section 12; J. M. Borwein, A. S. Lewis, Convex Analysis and
Nonlinear Optimization (2006), section 3.3; S. Boyd, L. Vandenberghe, Convex Optimization (2004), section 3.3; A. Beck,
First-Order Methods in Optimization (2017), chapter 4.
"""

import math

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sympy import (
    E,
    FiniteSet,
    Interval,
    LambertW,
    Max,
    Min,
    Piecewise,
    Rational,
    S,
    Symbol,
    acosh,
    asinh,
    atan,
    cos,
    cosh,
    exp,
    log,
    oo,
    pi,
    sin,
    sqrt,
)  # fmt: skip

from hjsym.conjugate import conjugate
from hjsym.conjugate.symbolic.read import symbolic_function
from hjsym.errors import HullWarning, NotConvexError, UndecidedError
from tropical.errors import InputError

x, y = Symbol("x", real=True), Symbol("y", real=True)
R, open_, positive = S.Reals, Interval.open, Interval(0, oo)
size = abs(y)

# (name, f, its domain, f*, its domain): both are closed and convex, so each is the conjugate of the other
PAIRS = [
    ("zero", 0 * x, R, 0 * y, FiniteSet(0)),
    ("line", 3 * x + 2, R, -2 + 0 * y, FiniteSet(3)),
    ("absolute value", abs(x), R, 0 * y, Interval(-1, 1)),
    ("half-line", 0 * x, positive, 0 * y, Interval(-oo, 0)),
    ("relu", Max(x, 0), R, 0 * y, Interval(0, 1)),
    ("square", x**2 / 2, R, y**2 / 2, R),
    ("cube", abs(x) ** 3 / 3, R, size ** Rational(3, 2) * Rational(2, 3), R),
    ("power 5/4", abs(x) ** Rational(5, 4) * Rational(4, 5), R, size**5 / 5, R),
    ("half cube", x**3 / 3, positive, Max(y, 0) ** Rational(3, 2) * Rational(2, 3), R),
    ("root", -2 * sqrt(x), positive, -1 / y, open_(-oo, 0)),
    ("root of power 1/3", -3 * x ** Rational(1, 3), positive, 2 / sqrt(-y), open_(-oo, 0)),
    ("hyperbola", sqrt(1 + x**2), R, -sqrt(1 - y**2), Interval(-1, 1)),
    ("half circle", -sqrt(4 - x**2), Interval(-2, 2), 2 * sqrt(1 + y**2), R),
    ("logarithm", -log(x), open_(0, oo), -1 - log(-y), open_(-oo, 0)),
    ("self-conjugate logarithm", -log(x) - S.Half, open_(0, oo), -log(-y) - S.Half, open_(-oo, 0)),
    ("entropy", x * log(x) - x, positive, exp(y), R),
    ("plain entropy", x * log(x), positive, exp(y - 1), R),
    ("softplus", log(1 + exp(x)), R, y * log(y) + (1 - y) * log(1 - y), Interval(0, 1)),
    ("Bose", -log(1 - exp(x)), open_(-oo, 0), y * log(y) - (1 + y) * log(1 + y), positive),
    ("log cos", -log(cos(x)), open_(-pi / 2, pi / 2), y * atan(y) - log(1 + y**2) / 2, R),
    ("cosh", cosh(x), R, y * asinh(y) - sqrt(1 + y**2), R),
    ("log cosh", log(cosh(x)), R, ((1 + y) * log(1 + y) + (1 - y) * log(1 - y)) / 2, Interval(-1, 1)),
    ("inverse", 1 / x, open_(0, oo), -2 * sqrt(-y), Interval(-oo, 0)),
    ("Huber", Piecewise((x**2 / 2, abs(x) <= 2), (2 * abs(x) - 2, True)), R, y**2 / 2, Interval(-2, 2)),
    ("pseudo-Huber", 9 * (sqrt(1 + (x / 3) ** 2) - 1), R, 9 * (1 - sqrt(1 - (y / 3) ** 2)), Interval(-3, 3)),
    ("hinge", Max(0, 1 - x), R, y, Interval(-1, 0)),
    ("squared hinge", Max(0, 1 - x) ** 2 / 2, R, y + y**2 / 2, Interval(-oo, 0)),
    ("logistic loss", log(1 + exp(-x)), R, -y * log(-y) + (1 + y) * log(1 + y), Interval(-1, 0)),
    ("distance to an interval", Max(0, abs(x) - 1) ** 2 / 2, R, y**2 / 2 + size, R),
    ("elastic net", abs(x) + x**2 / 2, R, Max(size - 1, 0) ** 2 / 2, R),
    ("square on an interval", x**2 / 2, Interval(-1, 1), Piecewise((y**2 / 2, size <= 1), (size - S.Half, True)), R),
    ("pinball", Max(x / 4, -3 * x / 4), R, 0 * y, Interval(-Rational(3, 4), Rational(1, 4))),
    ("exponential of |x|", exp(abs(x)), R, Piecewise((-1, size <= 1), (size * log(size) - size, True)), R),
    ("barrier", -log(1 - x**2), open_(-1, 1), sqrt(1 + y**2) - 1 - log((1 + sqrt(1 + y**2)) / 2), R),
    ("Itakura–Saito", x / 3 - log(x / 3) - 1, open_(0, oo), -log(1 - 3 * y), open_(-oo, Rational(1, 3))),
    ("x exp x", x * exp(x), positive,
     Piecewise((0, y <= 1), ((LambertW(E * y) - 1) ** 2 * y / LambertW(E * y), True)), R),
    ("exp and square", exp(x) + x**2 / 2, R, y**2 / 2 - LambertW(exp(y)) - LambertW(exp(y)) ** 2 / 2, R),
    ("two lines", Max(-x, 2 * x - 1), R, (y + 1) / 3, Interval(-1, 2)),
    ("|x| − log(1 + |x|)", abs(x) - log(1 + abs(x)), R, -size - log(1 - size), open_(-1, 1)),
    ("exp beyond its tangent", exp(x) - 1 - x, R, (1 + y) * log(1 + y) - y, Interval(-1, oo)),
    ("quartic", x**4 / 4, R, Rational(3, 4) * size ** Rational(4, 3), R),
    ("support of an interval", 2 * Max(x, 0) + Max(-x, 0), R, 0 * y, Interval(-1, 2)),
    ("sinh", sympy.sinh(x), positive, Piecewise((0, y <= 1), (y * acosh(y) - sqrt(y**2 - 1), True)), R),
]  # fmt: skip
BOTH_WAYS = [
    pytest.param(*sides, id=f"{name}{way}")
    for name, f, d, g, e in PAIRS
    for way, sides in (("", (f, d, g, e)), (" reversed", (g.subs(y, x), e, f.subs(x, y), d)))
]


def points_of(domain: sympy.Set) -> list[float]:
    """Points inside, at the ends and outside."""
    low, high = (float(e) if e not in (oo, -oo) else None for e in (domain.inf, domain.sup))
    lo, hi = -3.1 if low is None else low, 3.3 if high is None else high
    lo, hi = (
        (lo if high is None or low is not None else hi - 4),
        (hi if low is None or high is not None else lo + 4),
    )
    inside = [lo + (hi - lo) * k / 7 for k in range(1, 7)]
    return inside + [e for e in (low, high) if e is not None] + [lo - 1, hi + 1]


def value(f: sympy.Expr, symbol: Symbol, domain: sympy.Set, at: float) -> float:
    """f by SymPy's own evaluation, limits at the ends, +∞ outside."""
    at = sympy.Rational(at)
    near = [e for e in (domain.inf, domain.sup) if e not in (oo, -oo) and float(e) == float(at)]
    at = near[0] if near else at
    if domain.contains(at) != True:  # noqa: E712  (a SymPy Boolean)
        return math.inf
    v = f.subs(symbol, at).evalf(25)
    if v.is_number and v.is_finite:
        return float(v)
    side = "+" if at == domain.inf else "-"
    return float(sympy.limit(f, symbol, at, side))


@pytest.mark.parametrize(("f", "domain", "expected", "expected_domain"), BOTH_WAYS)
def test_pair(f, domain, expected, expected_domain):
    g = symbolic_function(f, x, domain, y=y).conjugate()
    assert g.domain == expected_domain and not g.of_hull and g.exact
    for at in points_of(expected_domain):
        wanted = value(expected, y, expected_domain, at)
        assert g(at) == wanted or abs(g(at) - wanted) <= 4e-14 * (1 + abs(wanted)), at
    gaps = g.gap(np.array(points_of(expected_domain)))
    assert np.nanmax(np.abs(gaps), initial=0) < 1e-12


@pytest.mark.parametrize(("f", "domain", "expected", "expected_domain"), BOTH_WAYS[::3])
def test_convexity_of_pairs_is_proved(f, domain, expected, expected_domain):
    verdict = symbolic_function(f, x, domain).convexity()
    assert verdict.convex is True, verdict.reason


@pytest.mark.parametrize(
    ("f", "domain", "shown"),
    [
        (sqrt(1 + x**2), None, -sqrt(1 - y**2)),
        (x * log(x), None, exp(y - 1)),
        (log(1 + exp(x)), None, y * log(y) + (1 - y) * log(1 - y)),
        (abs(x) ** 3 / 3, None, 2 * abs(y) ** Rational(3, 2) / 3),
        (-log(cos(x)), open_(-pi / 2, pi / 2), y * atan(y) - log(1 + y**2) / 2),
        (exp(x) + x**2 / 2, None, y**2 / 2 - LambertW(exp(y)) ** 2 / 2 - LambertW(exp(y))),
        (exp(2 * x - 3), None, y * log(y / 2) / 2 + y),
    ],
)  # fmt: skip
def test_formulas_are_those_of_the_books(f, domain, shown):
    got = symbolic_function(f, x, domain, y=y).conjugate().expr
    assert got == shown or sympy.simplify(sympy.expand_log(got - shown, force=True)) == 0


# ---- the definition, by maximisation that knows no formula -----------------------------------------------


def supremum(f, low: float, high: float, slope: float) -> mpmath.mpf:
    """sup of slope·x − f(x) on a bracket of its maximum, by golden section in 40 digits."""
    with mpmath.workdps(40):
        ratio = (mpmath.sqrt(5) - 1) / 2
        a, b = mpmath.mpf(low), mpmath.mpf(high)
        gain = lambda t: slope * t - f(t)  # noqa: E731
        p, q = b - ratio * (b - a), a + ratio * (b - a)
        left, right = gain(p), gain(q)
        for _ in range(110):
            if left < right:
                a, p, left = p, q, right
                q = a + ratio * (b - a)
                right = gain(q)
            else:
                b, q, right = q, p, left
                p = b - ratio * (b - a)
                left = gain(p)
        return max(left, right)


UNSEEN = [
    (
        x**2 * log(x) + 3 * x,
        Interval(exp(-Rational(3, 2)), oo),
        lambda t: t**2 * mpmath.log(t) + 3 * t,
        math.exp(-1.5),
        60,
    ),
    (exp(x**2 / 2), None, lambda t: mpmath.exp(t**2 / 2), -4, 4),
    (exp(2 * x) + exp(-x), None, lambda t: mpmath.exp(2 * t) + mpmath.exp(-t), -6, 6),
    (-log(x) - 2 * log(1 - x), None, lambda t: -mpmath.log(t) - 2 * mpmath.log(1 - t), 1e-9, 1 - 1e-9),
    (x**2 + 1 / x, open_(0, oo), lambda t: t**2 + 1 / t, 1e-3, 40),
    (x**4 + x**2 - 3 * x, None, lambda t: t**4 + t**2 - 3 * t, -9, 9),
    (x - log(x) / 2 + x**2, None, lambda t: t - mpmath.log(t) / 2 + t**2, 1e-6, 30),
    (x * log(x) - 2 * log(x), None, lambda t: t * mpmath.log(t) - 2 * mpmath.log(t), 1e-6, 300),
    (x**2 / (x + 1), open_(-1, oo), lambda t: t**2 / (t + 1), -1 + 1e-9, 300),
    (sqrt(x**2 + 2 * x + 5) + x**2, None, lambda t: mpmath.sqrt(t**2 + 2 * t + 5) + t**2, -20, 20),
    (x**6 / 6 + abs(x), None, lambda t: t**6 / 6 + abs(t), -4, 4),
    (sympy.tan(x), Interval(0, Rational(3, 2)), mpmath.tan, 0, 1.5),
    (
        log(exp(2 * x) + exp(-3 * x)),
        None,
        lambda t: mpmath.log(mpmath.exp(2 * t) + mpmath.exp(-3 * t)),
        -90,
        90,
    ),
]


@pytest.mark.parametrize(
    ("f", "domain", "oracle", "low", "high"), UNSEEN, ids=[str(case[0]) for case in UNSEEN]
)
def test_functions_of_no_table(f, domain, oracle, low, high):
    g = symbolic_function(f, x, domain).conjugate()
    for slope in (-1.25, 0.3, 1.5):
        if g.domain.contains(sympy.Rational(slope)) == False:  # noqa: E712  (a SymPy Boolean)
            assert g(slope) == math.inf
            continue
        assert g(slope) == pytest.approx(float(supremum(oracle, low, high, slope)), rel=3e-14, abs=3e-14)
        assert abs(g.gap(slope)) < 1e-12


NUMBER = st.integers(-12, 12).map(lambda k: Rational(k, 4))
FACTOR = NUMBER.filter(bool)
PARTS = [p for p in PAIRS if p[3].free_symbols and p[1].free_symbols]


@settings(max_examples=10)
@example(7, Rational(1), Rational(-1), Rational(0), Rational(1, 4), Rational(0))
@given(st.integers(0, len(PARTS) - 1), FACTOR.map(abs), FACTOR, NUMBER, NUMBER, NUMBER)
def test_relatives_follow_the_calculus(k, c, alpha, beta, d, e):
    """(c f(αx + β) + d x + e)* = c f*((y − d)/cα) − β(y − d)/α − e, the f* being the golden one."""
    _, f, domain, golden, golden_domain = PARTS[k]
    relative = c * f.subs(x, alpha * x + beta) + d * x + e
    moved = sympy.ImageSet(sympy.Lambda(x, (x - beta) / alpha), domain).doit() if domain != R else R
    g = symbolic_function(relative, x, moved).conjugate()
    for at in points_of(golden_domain)[:6]:
        slope = float(alpha * c) * at + float(d)
        wanted = float(c) * value(golden, y, golden_domain, at) - float(beta * c) * at - float(e)
        assert g(slope) == pytest.approx(wanted, rel=1e-10, abs=1e-10)


# ---- functions that are not convex --------------------------------------------------------------------


def quartic_conjugate(a: float, b: float, slope: float) -> float:
    """max over the real roots of 4ax³ + 2bx = slope of slope·x − ax⁴ − bx²."""
    roots = np.roots([4 * a, 0, 2 * b, -slope])
    real = roots[abs(roots.imag) < 1e-9].real
    return max(slope * t - a * t**4 - b * t**2 for t in real)


@pytest.mark.parametrize(("f", "shift"), [((x**2 - 1) ** 2, 1), (x**4 - 2 * x**2, 0)])
def test_double_well(f, shift):
    g = symbolic_function(f, x).conjugate()
    assert g.of_hull and g.conjugate().domain == R
    for slope in (-20.0, -1.5, -0.1, 0.0, 0.4, 1.54, 8.0):
        assert g(slope) == pytest.approx(quartic_conjugate(1, -2, slope) - shift, abs=1e-12)
    hull = g.conjugate()
    at = np.array([-2.0, -1, -0.5, 0, 0.75, 1, 1.5])
    np.testing.assert_allclose(
        hull(at), np.where(abs(at) <= 1, shift - 1, (at**2 - 1) ** 2 + shift - 1), atol=1e-14
    )


def test_hull_of_a_shallow_well():
    g = symbolic_function(x**4 - x**2, x).conjugate()
    assert g(0.0) == 0.25
    hull = g.conjugate()
    assert (hull(np.array([-0.7, 0.0, 0.3])) == -0.25).all() and hull(1.0) == 0.0


@pytest.mark.parametrize(
    ("f", "domain", "low", "high"),
    [
        (sin(x), Interval(0, 2 * pi), 0, 2 * math.pi),
        (cos(x), Interval(-5, 6), -5, 6),
        (Min(exp(x), x**2 + 1), Interval(-3, 5), -3, 5),
        (x**3 - x, Interval(-2, 2), -2, 2),
        (Min(x**2, (x - 3) ** 2 + 1, 2 * (x + 2) ** 2), None, -30, 30),
        (x * sin(x), Interval(0, 6), 0, 6),
        (Max(exp(-2 * x) - 1, sin(x) * Rational(4, 3)) - x**2 / 9, Interval(-2, 3), -2, 3),
        (Min(6 * x + (x**2 - 2) ** 2 / 4, -sin(x) * Rational(3, 2)), Interval(-S.Half, 3), -0.5, 3),
        (Max(-(x**2) / 3, 5 * x / 2 + (x**2 - Rational(1, 3)) ** 2 / 4), Interval(-1.5, 2.5), -1.5, 2.5),
        (Piecewise((x**2, x < 1), (x**2 + 1, True)), None, -30, 30),
        (abs(abs(x) - 1), None, -3, 3),
        (x**2 * log(x), positive, 0, 30),
        (0 * x, FiniteSet(-1, 2, 3), -1, 3),
        (x**2, sympy.Union(Interval(-3, -1), Interval(2, 4)), -3, 4),
    ],
)
def test_hulls_against_a_grid(f, domain, low, high):
    """f* ≥ x y − f(x) on a fine grid, and no more above its maximum than the grid is coarse."""
    given_ = symbolic_function(f, x, domain)
    g = given_.conjugate()
    assert g.of_hull and g.convexity().convex
    grid = np.unique(np.concatenate([np.linspace(low, high, 40_001), [-1.0, 1.0, 2.0, 3.0, 4.0, low, high]]))
    grid = grid[(grid >= low) & (grid <= high)]
    values = given_(grid)
    slopes = np.linspace(-0.95, 0.9, 12)
    brute = (slopes[:, None] * grid - values).max(axis=1)
    assert (g(slopes) >= brute - 1e-12).all() and (g(slopes) <= brute + 3e-4).all()
    hull = g.conjugate()
    assert (hull(grid) <= values + 1e-9).all()
    rises = np.diff(hull(grid)) / np.diff(grid)
    assert (np.diff(rises) >= -1e-7 * (1 + abs(rises[1:]))).all()


def check_witness(f):
    verdict = f.convexity()
    assert verdict.convex is False
    a, m, b = verdict.witness
    left, middle, right = (f(float(t)) for t in (a, m, b))
    assert a < m < b and middle > left + float((m - a) / (b - a)) * (right - left)


@pytest.mark.parametrize(
    ("f", "value_of_conjugate"),
    [(-(x**2), oo), (x**3, oo), (log(x), oo), (Min(x, S.Half), oo), (-abs(x), oo)],
)
def test_hull_that_is_nowhere_finite(f, value_of_conjugate):
    f = symbolic_function(f, x)
    g = f.conjugate()
    assert g.of_hull and g.domain is S.EmptySet and (g(np.array([-1.0, 0.0, 2.0])) == math.inf).all()
    assert (g.conjugate()(np.array([-1.0, 0.0, 2.0])) == -math.inf).all()
    check_witness(f)


@pytest.mark.parametrize(
    ("f", "infimum"),
    [
        (log(1 + x**2), 0.0),
        (-exp(-(x**2)), -1.0),
        (exp(-(x**2)), 0.0),
        (sqrt(abs(x)), 0.0),
        (x**2 / (1 + x**2), 0.0),
    ],
)
def test_hull_that_is_constant(f, infimum):
    g = symbolic_function(f, x).conjugate()
    assert g.domain == FiniteSet(0) and g(0.0) == -infimum and g(0.1) == math.inf
    assert (g.conjugate()(np.array([-3.0, 0.0, 40.0])) == infimum).all()


def test_two_points():
    g = symbolic_function(0 * x, x, FiniteSet(-1, 1), y=y).conjugate()
    assert g.expr == abs(y) and g.of_hull and g.conjugate().domain == Interval(-1, 1)


@pytest.mark.parametrize(("value", "other"), [(oo, -math.inf), (-oo, math.inf)])
def test_improper(value, other):
    g = conjugate(value, x)
    assert g(3.0) == other and g.conjugate()(3.0) == -other
    assert symbolic_function(x, x, S.EmptySet).conjugate()(0.0) == -math.inf


def test_warning_and_refusal():
    with pytest.warns(HullWarning, match="not convex"):
        g = conjugate((x**2 - 1) ** 2, x, y)
    assert g.of_hull
    with pytest.raises(NotConvexError) as caught:
        conjugate(abs(abs(x) - 1), x, strict=True)
    a, m, b = caught.value.witness
    assert a < m < b


# ---- parameters -----------------------------------------------------------------------------------------


def test_parameters():
    a, delta, p = sympy.symbols("a delta p", positive=True)
    huber = Piecewise((x**2 / 2, abs(x) <= delta), (delta * (abs(x) - delta / 2), True))
    g = symbolic_function(huber, x, y=y).conjugate()
    assert g.expr == y**2 / 2 and g.domain == Interval(-delta, delta)
    assert g.subs({delta: 2})([1.0, 3.0]).tolist() == [0.5, math.inf]
    g = symbolic_function(x / a - log(x / a) - 1, x, y=y).conjugate()
    assert g.expr == -log(1 - a * y) and g.domain == open_(-oo, 1 / a)
    g = symbolic_function(a * log(1 + exp(x / a)), x, y=y).conjugate()
    assert sympy.expand(g.expr - a * (y * log(y) + (1 - y) * log(1 - y))) == 0
    g = symbolic_function(abs(x) ** p / p, x, y=y).conjugate()
    assert g.conditions == (p > 1,)
    assert sympy.simplify(g.expr - abs(y) ** (p / (p - 1)) * (p - 1) / p) == 0
    g = symbolic_function(-(x**p) / p, x, positive, y=y).conjugate()
    assert g.conditions == (p < 1,) and g.domain == open_(-oo, 0)
    assert g.subs({p: S.Half})(-0.5) == pytest.approx(2.0)
    tau = Symbol("tau")
    pinball = symbolic_function(Max(tau * x, (tau - 1) * x), x).conjugate()
    assert pinball.domain == Interval(tau - 1, tau)


def test_floats_are_decimals():
    g = symbolic_function(0.5 * x**2 + 0.1 * abs(x), x, y=y).conjugate()
    assert g(0.1) == 0.0 and g.expr.subs(y, 3) == Rational(29, 10) ** 2 / 2
    g = symbolic_function(log(1 + exp(2.5 * x)), x, Interval(-oo, 0.5), y=y).conjugate()
    assert g.method == "rule" and g.conjugate().domain == Interval(-oo, Rational(1, 2))
    assert symbolic_function(abs(x) ** 1.5, x, y=y).conjugate().expr == 4 * y**2 * abs(y) / 27
    with pytest.raises(InputError, match="not real"):
        symbolic_function(sympy.I * x, x)
    with pytest.raises(InputError, match="SymPy set"):
        symbolic_function(x, x, (0, 1))


def test_plain_symbols():
    z, c = sympy.symbols("z c")
    g = conjugate(c * exp(z), z)
    assert g.symbol.name == "y" and sympy.simplify(g.expr - (y * log(y / c) - y)) == 0
    with pytest.raises(InputError, match="depends on c"):
        g(1.0)
    with pytest.raises(InputError, match="say which is the variable"):
        symbolic_function(c * z)


def test_what_depends_on_parameters_is_said():
    a, b = sympy.symbols("a b", positive=True)
    with pytest.raises(UndecidedError, match="cannot order"):
        symbolic_function(Max(0, x - a) + Max(0, x - b), x).conjugate()
    with pytest.raises(UndecidedError, match="replace them by numbers"):
        symbolic_function(Min((x - a) ** 2, (x + a) ** 2), x).conjugate()


# ---- values -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("f", "at", "expected"), [
    (log(1 + exp(x)), 1000.0, 1000.0),
    (log(cosh(x)), 800.0, 800.0 - math.log(2)),
    (log(1 + exp(x)), -60.0, 8.75651076269652e-27),
    (x * log(x), 0.0, 0.0),
    (exp(x), 800.0, math.inf),
])  # fmt: skip
def test_values_where_floats_fail(f, at, expected):
    assert symbolic_function(f, x)(at) == pytest.approx(expected, rel=1e-14)


def test_removable_point():
    """log(2(√(1 + y²) − 1)/y²) is 0/0 at 0, and loses all digits near it in floats."""
    f = symbolic_function(sqrt(1 + x**2) - 1 + log(2 * (sqrt(1 + x**2) - 1) / x**2), x)
    at = np.array([0.0, 1e-12, 1e-9, 3e-8, 1e-5])
    np.testing.assert_allclose(f(at), at**2 / 4, rtol=1e-9)


def test_no_nan():
    at = np.array([-math.inf, -1e308, -1.0, 0.0, 0.5, 1.0, 1e308, math.inf, math.nan])
    for _, f, domain, _, _ in PAIRS[::2]:
        g = symbolic_function(f, x, domain).conjugate()
        for h in (g, g.conjugate()):
            values = h(at)
            assert not np.isnan(values[:-1]).any() and np.isnan(values[-1])


def test_separable():
    u, v = sympy.symbols("u v", real=True)
    g = conjugate(u**2 / 2 + exp(v) - v, (u, v))
    np.testing.assert_allclose(g([[1.0, 1.0], [2.0, -1.0]]), [0.5 + 2 * math.log(2) - 2, 2.0])
    with pytest.raises(InputError, match="sum of functions of separate variables"):
        conjugate(sympy.exp(u * v), (u, v))


def test_printing():
    g = symbolic_function(log(1 + exp(x)), x).conjugate()
    assert str(g) == "y*log(y) + (1 - y)*log(1 - y) for y in Interval(0, 1)"
    assert g.latex().startswith(r"y \log{\left(y \right)}") and r"\left[0, 1\right]" in g.latex()
    assert g.piecewise.subs(g.symbol, 0) == 0 and g.piecewise.subs(g.symbol, 2) == oo
