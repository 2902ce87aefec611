"""Rational functions compared and simplified; zeros, poles and decision boundaries beside brute force."""

import math
from fractions import Fraction
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tropical import (
    MAX_PLUS,
    MIN_PLUS,
    BudgetExceeded,
    Circuit,
    InputError,
    Polynomial,
    Rational,
    Semiring,
    ShapeError,
    variables,
)

INF = math.inf
over_tropical = pytest.mark.parametrize("semiring", [MAX_PLUS, MIN_PLUS], ids=str)
fractions = st.fractions(-3, 3, max_denominator=3)
dyadic = st.integers(-16, 16).map(lambda k: k / 4)


@st.composite
def polynomials(draw, semiring=MAX_PLUS, d=1, max_terms=4, numbers=fractions):
    row = st.lists(numbers.map(Fraction), min_size=d + 1, max_size=d + 1)
    *slopes, b = np.array(draw(st.lists(row, min_size=1, max_size=max_terms)), dtype=object).T
    return Polynomial(np.stack(slopes, axis=1), b, semiring)


def crossings(f: Rational) -> list[Fraction]:
    """Every point of the line where f may bend or vanish: all crossings of two monomials of P and Q."""
    terms = [
        (w, b) for p in (f.P, f.Q) for (w,), b in zip(p.slopes.tolist(), p.coefficients.tolist(), strict=True)
    ]
    return sorted({(b - c) / (v - w) for (w, b), (v, c) in combinations(terms, 2) if v != w} | {Fraction(0)})


def bends(f: Rational) -> dict[Fraction, Fraction]:
    """The change of slope, as a sum of terms bends, from values beside each crossing."""
    cuts = crossings(f)
    steps = [b - a for a, b in pairwise(cuts)]
    h = min([*steps, Fraction(1)]) / 2
    at = {x: f.P.semiring.sign * (f([x + h]) - 2 * f([x]) + f([x - h])) / h for x in cuts}
    return {x: m for x, m in at.items() if m}


def inside(h, cell):
    """A point in the relative interior of a maximal cell."""
    rays = np.array([*cell.rays], dtype=object).reshape(-1, h.variables)
    return h.vertices[list(cell.vertices)].sum(axis=0) / Fraction(len(cell.vertices)) + rays.sum(axis=0)


# ---- zeros, poles, boundaries --------------------------------------------------------------------------


@over_tropical
@settings(max_examples=25)
@given(data=st.data())
def test_zeros_and_poles_are_the_bends(semiring, data):
    f = Rational(data.draw(polynomials(semiring)), data.draw(polynomials(semiring)))
    zeros, poles = dict(f.zeros()), dict(f.poles())
    end = f.gradient([min(crossings(f)) - 1 if semiring.sign > 0 else max(crossings(f)) + 1])[0]
    expected = bends(f) | ({semiring.zero: end} if end else {})
    assert zeros == {x: m for x, m in expected.items() if m > 0}
    assert poles == {x: -m for x, m in expected.items() if m < 0}
    assert f.zeros() == sorted(f.zeros()) and (1 / f).zeros() == f.poles()


@over_tropical
@settings(max_examples=25)
@given(data=st.data())
@example(data=None)
def test_the_decision_boundary_is_where_both_are_equal(semiring, data):
    if data is None:
        x = variables(1, semiring)[0].to_exact()
        assert (x / x).decision_boundary() == [(-INF, INF)] and (x / (x * 2)).decision_boundary() == []
        f = Rational(x + 0, x + 0 + x**2 * 3)  # equal on a half-line
        assert f.decision_boundary() == ([(-INF, Fraction(-3, 2))] if semiring.sign > 0 else [(-3, INF)])
        return
    P, Q = data.draw(polynomials(semiring)), data.draw(polynomials(semiring))
    f = Rational(P, Q + P if data.draw(st.booleans()) else Q)
    found = f.decision_boundary()
    flat = [v for pair in found for v in pair]
    assert flat == sorted(flat) and all(a < b for (_, a), (b, _) in pairwise(found))
    cuts = crossings(f)
    between = [(a + b) / 2 for a, b in pairwise(cuts)]
    for x in [cuts[0] - 1, *cuts, *between, cuts[-1] + 1]:
        assert any(a <= x <= b for a, b in found) == (f([x]) == 0)
    assert all(v in cuts for v in flat if math.isfinite(v))


@over_tropical
@settings(max_examples=20)
@given(data=st.data())
def test_floats_give_the_rounded_exact_answers(semiring, data):
    f = Rational(*(data.draw(polynomials(semiring, numbers=dyadic)).to_float() for _ in range(2)))
    e = f.to_exact()
    rounded = [[(float(a), float(b)) for a, b in g] for g in (e.zeros(), e.poles(), e.decision_boundary())]
    assert [f.zeros(), f.poles(), f.decision_boundary()] == rounded
    assert e.is_exact and not e.to_float().is_exact and e.to_float().equals(f)


def test_the_boundary_polynomial_has_the_terms_of_both():
    x, y = variables(2)
    f = (x + 1) / (x * y)
    assert f.boundary_polynomial().same_terms(x + 1 + x * y)
    assert np.array_equal(f.boundary_polynomial().slopes[: len(f.P)], f.P.slopes)


@over_tropical
@settings(max_examples=25)
@given(data=st.data())
def test_decision_cells_are_those_on_which_both_are_equal(semiring, data):
    """P and Q at a point inside every maximal cell of the hypersurface of P ⊕ Q, some monomials shared."""
    d = data.draw(st.integers(2, 3))
    P, Q, R = (data.draw(polynomials(semiring, d, 3)) for _ in range(3))
    f = Rational(P + R, Q + R) if data.draw(st.booleans()) else Rational(P, Q)
    h, found = f.boundary_polynomial().hypersurface(), f.decision_cells()
    for cell in h.cells:
        assert (cell in found) == (f(inside(h, cell)) == 0)


@over_tropical
@settings(max_examples=25)
@given(data=st.data())
def test_the_divisor_is_how_f_bends_across_each_cell(semiring, data):
    """Beside second differences of f, and beside zeros and poles in one variable."""
    d = data.draw(st.integers(1, 3))
    P, Q, R = (data.draw(polynomials(semiring, d, 3)) for _ in range(3))
    f = (P * R) / (Q * R)
    h, multiplicities = f.divisor()
    for cell, m in zip(h.cells, multiplicities, strict=True):
        x, normal = inside(h, cell), np.array([Fraction(v) for v in cell.normal], dtype=object)
        step = normal / 10**15  # nearer than any other cell: numbers here have small denominators
        assert semiring.sign * (f(x + step) - 2 * f(x) + f(x - step)) == m * (normal @ step)
    if d == 1:
        found = dict(zip(h.vertices[:, 0].tolist(), multiplicities, strict=True))
        finite = {x: m for x, m in f.zeros() if x != semiring.zero}
        finite |= {x: -m for x, m in f.poles() if x != semiring.zero}
        assert {x: m for x, m in found.items() if m} == finite


def test_divisors_of_floats_and_at_positive_temperature():
    x, y = variables(2)
    h, multiplicities = ((x + 0.1) * (y + 0.1) / (x + 0.1)).divisor()
    assert h.subdivision.is_exact and sorted(multiplicities) == [0, 0, 1, 1]
    with pytest.raises(InputError, match="divisor needs eps = 0"):
        (x / (y + 0)).deform(1).divisor()


# ---- equality ------------------------------------------------------------------------------------------


@over_tropical
@settings(max_examples=6)
@given(data=st.data())
def test_expanding_a_fraction_changes_nothing_and_a_shift_does(semiring, data):
    d = data.draw(st.integers(1, 2))
    p, q, r = (data.draw(polynomials(semiring, d, 2)) for _ in range(3))
    f = p / q
    assert f.equals((p * r) / (q * r)) and ((p * r) / r).equals(p) and (f / f).equals(0)
    assert (f * q).equals(p) and (f + f).equals(f) and (f**2 / f).equals(f)
    assert not f.equals(f * Fraction(1, 10**12))


def test_equality_at_positive_temperature_is_that_of_terms():
    x, y = variables(2, Semiring(eps=0.7))
    f = (x + y) / (x + 1)
    assert f.equals(((x + y) * (y + 2)) / ((y + 2) * (x + 1)))
    assert not f.equals(((x + y) * 2.0**-50) / (x + 1)) and not ((x + x) / x).equals(0)
    assert ((x + 0.1) * 0.2 / ((x + 0.1) * 0.3)).equals((x * 0.2) / (x * 0.3))


# ---- simplification ------------------------------------------------------------------------------------


@over_tropical
@settings(max_examples=25)
@given(data=st.data())
def test_in_one_variable_all_common_roots_cancel(semiring, data):
    p, q, r = (data.draw(polynomials(semiring, max_terms=3)) for _ in range(3))
    f = (p * r) / (q * r)
    g = f.simplify()
    assert g.is_exact and g.equals(p / q)
    assert g.P.roots() == f.zeros() and g.Q.roots() == f.poles()
    assert len(g.P) <= len(p) and len(g.Q) <= len(q)
    assert g.Q.coefficients[-1] == 0 and min(*g.P.slopes.flat, *g.Q.slopes.flat) == 0


@over_tropical
@settings(max_examples=6)
@given(data=st.data())
def test_in_several_variables_multiples_cancel(semiring, data):
    p, q = (data.draw(polynomials(semiring, 2, 2)) for _ in range(2))
    f = ((p * q) / q).simplify()
    assert len(f.Q) == 1 and f.equals(p) and len(f.P) == len(p.normal_form())
    g = (p / (p * q)).simplify()
    assert len(g.P) == 1 and (g * q).equals(0)
    h = (p / q).simplify()
    assert h.equals(p / q) and len(h.P) <= len(p) and len(h.Q) <= len(q)


@settings(max_examples=20)
@given(data=st.data())
@example(data=None)
def test_floats_are_simplified_only_where_nothing_rounds(data):
    if data is None:
        x = variables(1)[0]
        f = ((x + 0.1) * (x + 0.3)) / (x + 0.1)
        g = f.simplify()
        assert not g.is_exact and g.to_exact().equals(f.to_exact())
        assert ((x + 1) * (x + 3) / (x + 1)).simplify().Q.to_dict() == {(0,): 0}
        return
    p, q, r = (data.draw(polynomials(numbers=dyadic)).to_float() for _ in range(3))
    f = (p * r) / (q * r)
    g = f.simplify()
    assert not g.is_exact and g.to_exact().equals(f.to_exact())


def test_the_zero_simplifies_to_zero_over_one():
    x = variables(1)[0]
    f = ((x * -INF) / (x + 1)).simplify()
    assert len(f.P) == 0 and f.Q.to_dict() == {(0,): 0}


# ---- what is refused -----------------------------------------------------------------------------------

X, Y = variables(2)
RELU = Circuit.identity(2) + 0
REFUSED = {
    r"Q is the zero polynomial": lambda: X / (Y * -INF),
    r"zeros needs polynomials, and these are circuits": lambda: (RELU / RELU).zeros(),
    r"simplify needs eps = 0": lambda: (X / Y).deform(1).simplify(),
    r"P is infinite everywhere": lambda: ((X + INF) / Y).simplify(),
    r"need eps = 0, got log": lambda: (variables(1)[0] / 1).deform(1).zeros(),
    r"power -1 of the zero|Q is the zero": lambda: ((X * -INF) / Y) ** -1,
}


@pytest.mark.parametrize("message", REFUSED)
def test_refused(message):
    with pytest.raises(InputError, match=message):
        REFUSED[message]()


def test_shapes_and_sizes():
    with pytest.raises(ShapeError, match=r"decision_boundary\(\) is for one.*decision_cells"):
        (X / Y).decision_boundary()
    with pytest.raises(ShapeError, match=r"2 variables; poles\(\) is for one.*divisor"):
        (X / Y).poles()
    many = Polynomial(np.arange(4000.0), -(np.arange(4000.0) ** 2))
    with pytest.raises(BudgetExceeded, match="product of polynomials"):
        (many / many).equals((many * 1) / many)
