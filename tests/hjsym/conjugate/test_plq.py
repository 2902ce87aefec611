"""Piecewise linear-quadratic functions: laws over Fractions, brute force on grids, hulls, formulas."""

import math
from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sympy import Max, Min, Piecewise, Rational, Symbol

from hjsym.conjugate.plq.calculus import plq_infimal_convolution, plq_proximal_average, plq_sum
from hjsym.conjugate.plq.formula import plq_from_expression
from hjsym.conjugate.plq.graph import PLQ
from hjsym.conjugate.plq.pieces import PiecewiseQuadratic, piecewise_quadratic
from hjsym.conjugate.symbolic.read import symbolic_function
from tropical import legendre
from tropical.errors import InputError, ShapeError

inf = math.inf
COORDINATE = st.fractions(-4, 4, max_denominator=6)
END = st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(3), inf])


@st.composite
def graphs(draw, exact=True) -> PLQ:
    """Random rising graphs of 1 to 5 vertices."""
    n = draw(st.integers(1, 5))
    x, s = (sorted(draw(st.lists(COORDINATE, min_size=n, max_size=n))) for _ in range(2))
    value = draw(COORDINATE)
    if not exact:
        x, s, value = [float(e) for e in x], [float(e) for e in s], float(value)
    return PLQ(x, s, value, draw(END), draw(END))


POINTS = np.array([Fraction(k, 3) for k in range(-20, 21)], object)
ABS = PLQ([0, 0], [-1, 1])
SQUARE = PLQ([0], [0], 0, 1, 1)


def finite(values) -> np.ndarray:
    return np.array([v < inf for v in values])


# ---- laws, over Fractions ---------------------------------------------------------------------------


@settings(max_examples=40)
@given(graphs())
def test_biconjugate_and_fenchel_young(f):
    g = f.conjugate()
    again = PLQ(g.x, g.s, g.value, g.left, g.right).conjugate()  # not the link back to f
    assert (again(POINTS) == f(POINTS)).all()
    table = g(POINTS)[:, None] + f(POINTS)[None, :]
    assert (table >= POINTS[:, None] * POINTS[None, :]).all()
    slopes = f.argmax(POINTS)
    inside = finite(f(POINTS))
    assert [
        s == s for s in slopes
    ] == inside.tolist()  # every point of a closed interval has a subgradient here
    at, slopes = POINTS[inside], np.array([Fraction(s) for s in slopes[inside]], object)
    assert (f(at) + g(slopes) == at * slopes).all()


@settings(max_examples=40)
@given(graphs(), st.fractions(Fraction(1, 4), 3, max_denominator=4))
def test_moreau(f, lam):
    """prox_λf(z) + λ prox_{f*/λ}(z/λ) = z and e_λf(z) + e_{1/λ}f*(z/λ) = z²/2λ, exactly."""
    g = f.conjugate()
    p = f.prox(lam)(POINTS)
    assert (p + lam * g.prox(1 / lam)(POINTS / lam) == POINTS).all()
    envelope = f.moreau_envelope(lam)(POINTS)
    assert (envelope + g.moreau_envelope(1 / lam)(POINTS / lam) == POINTS**2 / (2 * lam)).all()
    assert (envelope == f(p) + (POINTS - p) ** 2 / (2 * lam)).all()
    grid = np.array([Fraction(k, 2) for k in range(-12, 13)], object)
    assert (f(grid)[None, :] + (POINTS[:, None] - grid[None, :]) ** 2 / (2 * lam) >= envelope[:, None]).all()


@settings(max_examples=25)
@given(graphs(), graphs())
def test_sum_and_infimal_convolution(f, g):
    total = plq_sum(f, g)
    assert (total(POINTS) == f(POINTS) + g(POINTS)).all()
    h = plq_infimal_convolution(f, g)
    parts = f(POINTS)[None, :] + g((POINTS[:, None] - POINTS[None, :]).ravel()).reshape(len(POINTS), -1)
    assert (h(POINTS) <= parts.min(axis=1)).all()
    both = f.conjugate()(POINTS) + g.conjugate()(POINTS)
    assert (h.conjugate()(POINTS) == both).all()


@settings(max_examples=30)
@given(graphs(), graphs())
def test_conjugation_reverses_order(f, g):
    larger = plq_sum(f, g * Fraction(1, 2))
    least = min(g.conjugate()(np.array([Fraction(0)], object)))
    if least < inf and not hasattr(larger, "dimension"):  # g ≥ −g*(0)
        shifted = larger.conjugate()(POINTS)
        assert (shifted <= f.conjugate()(POINTS) + least / 2).all()


@settings(max_examples=30)
@given(
    st.lists(graphs(), min_size=1, max_size=3), st.sampled_from([Fraction(1), Fraction(1, 3), Fraction(5, 2)])
)
def test_proximal_average(functions, lam):
    mean = plq_proximal_average(functions, lam=lam)
    expected = sum(f.prox(lam)(POINTS) for f in functions) / len(functions)
    assert (mean.prox(lam)(POINTS) == expected).all()
    envelopes = sum(f.moreau_envelope(lam)(POINTS) for f in functions) / len(functions)
    assert (mean.moreau_envelope(lam)(POINTS) == envelopes).all()
    dual = plq_proximal_average([f.conjugate() for f in functions], lam=1 / lam)
    assert (mean.conjugate()(POINTS) == dual(POINTS)).all()


@settings(max_examples=40)
@given(graphs())
def test_pieces_and_back(f):
    breaks, coefficients = f.pieces()
    g = piecewise_quadratic(breaks, coefficients)
    assert isinstance(g, PLQ) and (g(POINTS) == f(POINTS)).all()
    assert (g.conjugate()(POINTS) == f.conjugate()(POINTS)).all()


# ---- floats -------------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(graphs(exact=False))
def test_floats_against_the_discrete_transform(f):
    low, high = max(f.ends[0], -40.0), min(f.ends[1], 40.0)
    grid = np.unique(np.concatenate([np.linspace(low, high, 2001), f.x]))
    slopes = np.linspace(-3, 3, 25)
    discrete = legendre(f(grid), grid, slopes)
    g = f.conjugate()
    inside = g.contains(slopes) & (abs(np.nan_to_num(g.argmax(slopes))) < 39)
    step = np.diff(grid).max(initial=0.0)
    bend = max([k for k in f._curvatures if k < inf], default=0.0)
    slack = 1e-9 + bend * step**2 / 8
    assert (g(slopes) >= discrete - 1e-9).all()
    assert (g(slopes)[inside] <= discrete[inside] + slack).all()
    gaps = f.gap(grid[::100])
    assert np.nanmax(abs(gaps)) < 1e-9


@settings(max_examples=30)
@given(graphs(), graphs())
def test_floats_agree_with_fractions(f, g):
    rounded = [
        PLQ(h.x.astype(float), h.s.astype(float), float(h.value), float(h.left), float(h.right))
        for h in (f, g)
    ]
    at = POINTS.astype(float)
    for operation in (lambda f, g: f.moreau_envelope(0.5), lambda f, g: plq_proximal_average([f, g])):
        exact, near = operation(f, g)(POINTS).astype(float), operation(*rounded)(at)
        same = np.isfinite(exact) & np.isfinite(near)
        np.testing.assert_allclose(near[same], exact[same], rtol=1e-11, atol=1e-11)


def test_named_functions():
    np.testing.assert_array_equal(ABS([-2.0, 0.5]), [2, 0.5])
    huber = ABS.moreau_envelope(1)
    np.testing.assert_array_equal(huber([0.5, -3]), [0.125, 2.5])
    np.testing.assert_array_equal(huber.conjugate()([0.5, 1, 1.5]), [0.125, 0.5, inf])
    elastic = ABS + SQUARE
    np.testing.assert_array_equal(elastic.conjugate()([0.5, 3]), [0, 2])
    np.testing.assert_array_equal(ABS.prox(2)([-5.0, 1, 3]), [-3, 0, 1])
    np.testing.assert_array_equal((2 * SQUARE).conjugate()([2.0]), [1.0])
    point = PLQ([2], [0], 3, inf, inf)
    assert point.domain == sympy.Interval(2, 2) and point.conjugate()(5.0) == 7.0
    line = PLQ([0], [3], 1)
    assert line(2.0) == 7.0 and line.conjugate()([3.0, 3.1]).tolist() == [-1, inf]


def test_no_common_point_and_no_common_slope():
    left = PLQ([-2, -1], [0, 0], 0, inf, inf)
    right = PLQ([1, 2], [0, 0], 0, inf, inf)
    assert (plq_sum(left, right)(np.linspace(-3, 3, 7)) == inf).all()
    up, down = PLQ([0], [1]), PLQ([0], [-1])
    assert plq_infimal_convolution(up, down)(0.0) == -inf
    touching = plq_sum(left, PLQ([-1, 2], [0, 0], 0, inf, inf))
    assert touching([-1.0, -0.9]).tolist() == [0.0, inf]


# ---- functions that are not convex --------------------------------------------------------------------


@st.composite
def pieces(draw) -> tuple[list, list]:
    n = draw(st.integers(1, 5))
    breaks = sorted(draw(st.lists(st.integers(-6, 6), min_size=n + 1, max_size=n + 1)))
    row = st.tuples(st.integers(-2, 3), st.integers(-3, 3), st.integers(-3, 3) | st.just(inf))
    rows = draw(st.lists(row, min_size=n, max_size=n))
    breaks = [float(t) for t in breaks]
    breaks[0] = draw(st.sampled_from([breaks[0], -inf]))
    breaks[-1] = draw(st.sampled_from([breaks[-1], inf]))
    return breaks, [[float(e) for e in r] for r in rows]


@settings(max_examples=80)
@example(([-inf, 0.0, inf], [[1.0, 2.0, 1.0], [1.0, -2.0, 1.0]]))
@example(([-inf, 0.0, inf], [[0.0, -1.0, 0.0], [0.0, -1.0, 3.0]]))
@example(([-2.0, -2.0, 3.0, 3.0], [[0.0, 0.0, 1.0], [0.0, 0.0, inf], [0.0, 0.0, 2.0]]))
@given(pieces())
def test_conjugate_of_pieces_by_brute_force(data):
    f = piecewise_quadratic(*data)
    g = f.conjugate()
    low, high = max(data[0][0], -60.0), min(data[0][-1], 60.0)
    grid = np.unique(np.concatenate([np.linspace(low, high, 12_001), np.arange(-6.0, 7.0)]))
    values = f(grid)
    slopes = np.linspace(-4.9, 4.9, 15)
    with np.errstate(invalid="ignore"):
        brute = (slopes[:, None] * grid - values).max(axis=1)
    got = g(slopes)
    assert (got >= brute - 1e-9).all()
    bounded = np.isfinite(got)
    inside = bounded & (abs(np.nan_to_num(g.argmax(slopes))) < 55)
    assert (got[inside] <= brute[inside] + 0.05).all()
    unbounded = (got == inf) & np.isfinite(brute)  # then the grid's own ends are what is largest
    assert not unbounded.any() or data[0][0] == -inf or data[0][-1] == inf
    if bounded.any():
        hull = g.conjugate()
        assert (hull(grid) <= values + 1e-8 * (1 + abs(np.where(np.isfinite(values), values, 0)))).all()


@settings(max_examples=40)
@given(pieces())
def test_witnesses(data):
    f = piecewise_quadratic(*data)
    verdict = f.convexity()
    if verdict.convex is False:
        exact = PiecewiseQuadratic([Fraction(t) if abs(t) < inf else t for t in data[0]],
                                   [[Fraction(e) if e < inf else e for e in r] for r in data[1]])  # fmt: skip
        a, m, b = verdict.witness
        values = exact(np.array([a, m, b], object))
        share = (m - a) / (b - a)
        assert a < m < b and values[1] > values[0] + share * (values[2] - values[0])
    else:
        assert verdict.convex and (isinstance(f, PLQ) or all(c == inf for *_, c in data[1]))


def test_exact_tangents():
    f = piecewise_quadratic([-inf, Fraction(5, 3), inf], [[1, 0, 0], [1, -6, 10]])  # min(x², (x − 3)² + 1)
    hull = f.conjugate().conjugate()
    assert hull(Fraction(1)) == Fraction(1, 3) - Fraction(1, 36)
    with pytest.raises(InputError, match="irrational"):
        piecewise_quadratic([-inf, Fraction(1), inf], [[1, 0, 0], [2, -9, 7]]).conjugate()


def test_rounded_pieces_meet():
    delta = 0.1
    f = piecewise_quadratic(
        [-inf, -delta, delta, inf], [[0, -delta, -(delta**2) / 2], [0.5, 0, 0], [0, delta, -(delta**2) / 2]]
    )
    assert isinstance(f, PLQ)
    assert not isinstance(piecewise_quadratic([-inf, 0, inf], [[0, -1, 0], [0, 1, 1e-9]]), PLQ)


# ---- formulas -----------------------------------------------------------------------------------------

x = Symbol("x", real=True)


@pytest.mark.parametrize(
    ("expression", "domain"),
    [
        (abs(x), None),
        (Max(0, abs(x) - 1) ** 2 / 2, None),
        (Piecewise((x**2 / 2, abs(x) <= 1), (abs(x) - Rational(1, 2), True)), None),
        (Max(-x, 2 * x - 1), None),
        (x**2 / 3 - x, sympy.Interval(-1, 2)),
        (Min(x**2, (x - 3) ** 2 + 1), None),
        (0 * x, sympy.FiniteSet(-1, 2)),
        (abs(abs(x) - 1), None),
    ],
)
def test_two_roads_to_the_conjugate(expression, domain):
    f = plq_from_expression(expression, x, domain)
    g = symbolic_function(expression, x, domain).conjugate()
    assert f.rational
    at = np.array([Fraction(k, 4) for k in range(-16, 17)], object)
    np.testing.assert_allclose(f.conjugate()(at).astype(float), g(at.astype(float)), atol=1e-13)
    shown = f.conjugate().expr
    inside = f.conjugate().contains(at)
    symbols = list(shown.free_symbols) or [x]
    values = [float(shown.subs(symbols[0], Rational(t.numerator, t.denominator))) for t in at[inside]]
    np.testing.assert_allclose(values, f.conjugate()(at[inside]).astype(float))


def test_irrational_numbers_become_floats():
    f = plq_from_expression(sympy.sqrt(2) * abs(x), x)
    assert not f.rational and f.conjugate()([1.4, 1.5]).tolist() == [0.0, inf]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: PLQ([0, -1], [0, 1]), InputError, "falls from"),
        (lambda: PLQ([0, 1], [1, 0]), InputError, "falls from"),
        (lambda: PLQ([0, math.nan], [0, 1]), InputError, "not finite"),
        (lambda: PLQ([], []), ShapeError, ">= 1"),
        (lambda: PLQ([0], [0, 1]), ShapeError, "one length"),
        (lambda: PLQ([0], [0], 0, -1, 1), InputError, "curvature"),
        (lambda: PLQ([0], [0], inf), InputError, "finite number"),
        (lambda: ABS.moreau_envelope(0), InputError, "finite number > 0"),
        (lambda: piecewise_quadratic([0, 1], [[1, 2]]), ShapeError, "pass n"),
        (lambda: piecewise_quadratic([1, 0], [[1, 2, 3]]), InputError, "do not fall"),
        (lambda: piecewise_quadratic([0, 1], [[1, math.nan, 3]]), InputError, "finite"),
        (lambda: plq_from_expression(x**3, x), InputError, "degree"),
        (lambda: plq_from_expression(abs(x) * Symbol("c"), x), InputError, "parameters"),
        (lambda: plq_proximal_average([ABS, SQUARE], [1, 1]), InputError, "sum 1"),
        (lambda: plq_sum(), InputError, "one or more"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
