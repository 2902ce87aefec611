"""Roots, split forms, factors and interpolation, beside brute force over all pairs of monomials in Fractions."""

import math
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tropical import (
    MAX_PLUS,
    MIN_PLUS,
    BudgetExceeded,
    InputError,
    Polynomial,
    Semiring,
    ShapeError,
    factor,
    from_roots,
    interpolate,
    is_split,
    split_form,
    variables,
)

INF = math.inf
BOTH = pytest.mark.parametrize("semiring", [MAX_PLUS, MIN_PLUS], ids=str)
fractions = st.fractions(-9, 9, max_denominator=6)
dyadic = st.integers(-40, 40).map(lambda k: k / 8)


@st.composite
def polynomials(draw, semiring, numbers=fractions, exponents=fractions):
    row = st.tuples(exponents, numbers | st.just(semiring.zero))
    rows = [*draw(st.lists(row, max_size=7)), (draw(exponents), draw(numbers))]  # one is not the zero
    slopes, coefficients = zip(*rows, strict=True)
    return Polynomial(np.array(slopes, dtype=object), np.array(coefficients, dtype=object), semiring)


def roots_by_pairs(p: Polynomial) -> list[tuple[Fraction, Fraction]]:
    """Every crossing of two monomials at which both are the value: the multiplicity is the spread of slopes there."""
    terms = [(w, b) for (w,), b in zip(p.slopes.tolist(), p.coefficients.tolist(), strict=True)]
    terms = [(Fraction(w), Fraction(b)) for w, b in terms if b != p.semiring.zero]
    better, found = max if p.semiring.sign > 0 else min, {}
    for (w, b), (v, c) in combinations(terms, 2):
        if w != v:
            x = (b - c) / (v - w)
            value = better(w * x + b for w, b in terms)
            slopes = [w for w, b in terms if w * x + b == value]
            if len(set(slopes)) > 1:
                found[x] = max(slopes) - min(slopes)
    if (lowest := min(w for w, _ in terms)) > 0:
        found[p.semiring.zero] = lowest
    return sorted(found.items())


# ---- roots -------------------------------------------------------------------------------------------

# Coefficients from degree 0. SageMath's reference manual, "Univariate Tropical Polynomials"; the third by hand.
SAGE = [
    (MAX_PLUS, [1, 4, -INF, 0], [(-3, 1), (2, 2)]),
    (MAX_PLUS, [3, 2, 1], [(1, 2)]),
    (MAX_PLUS, [-INF, 1, 0], [(-INF, 1), (1, 1)]),
    (MAX_PLUS, [4, 2, 1, 3], [(Fraction(1, 3), 3)]),
    (MIN_PLUS, [6, 3, 1, 0], [(1, 1), (2, 1), (3, 1)]),
    (MIN_PLUS, [4, 4, 2], [(1, 2)]),
]


@pytest.mark.parametrize("semiring, coefficients, expected", SAGE)
def test_known_roots(semiring, coefficients, expected):
    p = Polynomial(range(len(coefficients)), coefficients, semiring)
    exact, floats = p.to_exact().roots(), p.roots()
    assert exact == expected and floats == [(float(r), m) for r, m in expected]
    assert all(type(r) is (Fraction if math.isfinite(r) else float) and type(m) is int for r, m in exact)
    assert all(type(r) is float and type(m) is int for r, m in floats)


@BOTH
@settings(max_examples=25)
@given(data=st.data())
def test_roots_are_the_crossings_of_two_dominant_monomials(semiring, data):
    p = data.draw(polynomials(semiring))
    assert p.roots() == roots_by_pairs(p)


@BOTH
@settings(max_examples=20)
@given(data=st.data())
def test_exact_roots_round_to_those_of_floats(semiring, data):
    p = data.draw(polynomials(semiring, dyadic, dyadic))
    assert p.to_float().roots() == [(float(r), m) for r, m in p.roots()]


def test_floats_are_decided_on_their_exact_values():
    # (1, b) lies a hair above, on, and below the chord from (0, 0.1) to (3, 0.7): beyond any tolerance.
    chord = Fraction(0.1) + (Fraction(0.7) - Fraction(0.1)) / 3
    near = float(chord)
    for b in (np.nextafter(near, -1), near, np.nextafter(near, 1)):
        p = Polynomial([0, 1, 3], [0.1, b, 0.7])
        assert len(p.roots()) == (2 if Fraction(b) > chord else 1)
        assert p.roots() == [(float(r), m) for r, m in roots_by_pairs(p)]


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e150, 1e300])
def test_tiny_and_huge_floats(scale):
    p = Polynomial(np.array([0, 1, 2, 3.0]), scale * np.array([0.0, 1.0, 1.5, 1.75]))
    assert p.roots() == [(float(r), m) for r, m in roots_by_pairs(p)]


@BOTH
@settings(max_examples=20)
@given(data=st.data())
def test_roots_of_a_product_are_those_of_both(semiring, data):
    p, q = data.draw(polynomials(semiring)), data.draw(polynomials(semiring))
    merged = {}
    for root, times in p.roots() + q.roots():
        if root != semiring.zero:
            merged[root] = merged.get(root, 0) + times
    lowest = sum(min(w for (w,) in f.to_dict()) for f in (p, q))
    if lowest > 0:
        merged[semiring.zero] = lowest
    assert (p * q).roots() == sorted(merged.items())


def test_real_exponents_have_real_multiplicities():
    p = Polynomial([Fraction(1, 2), Fraction(4, 3)], np.array([Fraction(0), Fraction(5)]))
    assert p.roots() == [(-INF, Fraction(1, 2)), (-6, Fraction(5, 6))]
    assert Polynomial([0.0, 0.5, 2.5], [0, 0, 0]).roots() == [(0.0, 2.5)]


# ---- split form, factors -----------------------------------------------------------------------------


def test_known_split_form():
    assert split_form(Polynomial([0, 1, 3], [1, 4, 0])).to_dict() == {(0,): 1, (1,): 4, (2,): 2, (3,): 0}
    assert is_split(Polynomial(range(4), [6, 3, 1, 0], MIN_PLUS))
    assert not is_split(Polynomial(range(3), [4, 4, 2], MIN_PLUS))
    assert not is_split(Polynomial([0, 1, 3], [1, 4, 0]))


@BOTH
@settings(max_examples=20)
@given(data=st.data())
def test_the_split_form_is_the_fullest_with_this_function(semiring, data):
    p = data.draw(polynomials(semiring, fractions, st.integers(-4, 6).map(Fraction)))
    s = split_form(p)
    assert s.is_exact and s.equals(p) and is_split(s) and (not is_split(p) or s.same_terms(p.merge()))
    nudged = s.coefficients.tolist()
    k = data.draw(st.integers(0, len(s) - 1))
    nudged[k] += semiring.sign * Fraction(1, 10**9)  # larger changes the function
    assert not Polynomial(s.slopes, np.array(nudged), semiring).equals(p)


@BOTH
@settings(max_examples=20)
@given(data=st.data())
def test_the_product_of_the_factors_is_the_polynomial(semiring, data):
    p = data.draw(polynomials(semiring))
    lead, factors = factor(p)
    product = p**0 * lead
    for q, times in factors:
        product = product * q**times if times > 0 or len(q) == 1 else None
    assert product.equals(p)


@BOTH
@settings(max_examples=25)
@given(data=st.data())
@example(data=None)
def test_from_roots_and_back(semiring, data):
    positive = st.fractions(Fraction(1, 4), 3, max_denominator=4)
    pairs = (
        data.draw(st.dictionaries(fractions | st.just(semiring.zero), positive, max_size=5)) if data else {}
    )
    lead = data.draw(fractions) if data else Fraction(7)
    p = from_roots(list(pairs.items()), lead, semiring)
    assert p.roots() == sorted(pairs.items())
    assert factor(p)[0] == lead and len(p) == 1 + sum(math.isfinite(r) for r in pairs)


def test_repeated_roots_add_up_and_plain_numbers_are_simple():
    assert from_roots([1, (1, 2), -INF, 2.0], 5).roots() == [(-INF, 1), (1.0, 3), (2.0, 1)]
    assert from_roots([Fraction(1, 3), 1]).is_exact and not from_roots([0.5]).is_exact


# ---- interpolation -----------------------------------------------------------------------------------


def test_known_interpolation():
    # SageMath's reference manual, "Univariate Tropical Polynomials", method interpolation.
    p = interpolate([(-2, -3), (1, 3), (2, 4)], MIN_PLUS)
    assert p.to_dict() == {(0,): 4, (1,): 2, (2,): 1}


@BOTH
@settings(max_examples=25)
@given(data=st.data())
def test_interpolation_meets_its_points_with_roots_at_them_alone(semiring, data):
    p = data.draw(polynomials(semiring))
    xs = sorted(data.draw(st.sets(fractions, min_size=1, max_size=6)))
    points = [(x, p([x])) for x in xs]
    q = interpolate(data.draw(st.permutations(points)), semiring)
    assert q.is_exact and [q([x]) for x, _ in points] == [y for _, y in points]
    finite = [r for r, _ in q.roots() if math.isfinite(r)]
    assert set(finite) <= set(xs)
    last = xs[0] - 1 if semiring.sign > 0 else xs[-1] + 1  # towards the semiring's zero
    assert q.gradient([last])[0] <= 0


# ---- what is refused ---------------------------------------------------------------------------------

X = variables(1)[0]
REFUSED = {
    r"every number is a root": lambda: Polynomial([1.0], [-INF]).roots(),
    r"need eps = 0, got log-max-plus, eps = 1": lambda: (X + 1).deform(1).roots(),
    r"coefficients\[1\] is inf; a function that is infinite everywhere": lambda: (X + INF).roots(),
    r"slopes\[0, 0\] is 0.5; a split form needs whole": lambda: split_form(X**0.5),
    r"beyond the floats.*stay exact": lambda: Polynomial([0, 1e-10], [1e300, -1e300]).roots(),
    r"multiplicity -1; pass a finite number > 0": lambda: from_roots([(2, -1)]),
    r"a root is inf; pass finite numbers or the semiring's zero -inf": lambda: from_roots([INF]),
    r"a root must not be NaN": lambda: from_roots([math.nan]),
    r"lead is inf": lambda: from_roots([1], INF),
    r"roots make a polynomial at eps = 0": lambda: from_roots([1], 0, Semiring(eps=1)),
    r"two points have x = 1": lambda: interpolate([(1, 2), (1, 3)]),
    r"not convex at \(1, 5\): no polynomial over max-plus": lambda: interpolate([(0, 0), (1, 5), (2, 6)]),
    r"not concave at \(1, 1\)": lambda: interpolate([(0, 0), (1, 1), (2, 6)], MIN_PLUS),
    r"points\[0, 1\] is nan": lambda: interpolate([(0, math.nan)]),
    r"at eps = 0, got log-max": lambda: interpolate([(0, 0)], Semiring(eps=1)),
}


@pytest.mark.parametrize("message", REFUSED)
def test_refused(message):
    with pytest.raises(InputError, match=message):
        REFUSED[message]()


def test_refused_shapes_and_sizes():
    with pytest.raises(ShapeError, match="2 variables; roots and split forms are those of one"):
        variables(2)[0].roots()
    with pytest.raises(ShapeError, match=r"points have shape \(3,\)"):
        interpolate([1, 2, 3])
    with pytest.raises(ShapeError, match="pass numbers or pairs"):
        from_roots([(1, 2, 3)])
    with pytest.raises(BudgetExceeded, match="split form: 1,000,000,000,001"):
        split_form(X**10**12 + 0)
