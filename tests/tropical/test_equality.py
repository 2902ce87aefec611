"""Equality of polynomials as functions, normal forms: beside constructions that are equal or not by design."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tropical import (
    MAX_PLUS,
    MIN_PLUS,
    InputError,
    Polynomial,
    Semiring,
    SemiringMismatchError,
    ShapeError,
    variables,
)

over_tropical = pytest.mark.parametrize("semiring", [MAX_PLUS, MIN_PLUS], ids=str)
fractions = st.fractions(-3, 3, max_denominator=4)
shares = st.fractions(0, 1, max_denominator=5)


@st.composite
def polynomials(draw, semiring, d=None):
    d = draw(st.integers(1, 3)) if d is None else d
    row = st.lists(fractions, min_size=d + 1, max_size=d + 1)
    *slopes, b = np.array(draw(st.lists(row, min_size=1, max_size=5)), dtype=object).T
    return Polynomial(np.stack(slopes, axis=1), b, semiring)


def with_dominated(draw, p: Polynomial) -> Polynomial:
    """p and averages of its monomials, lowered or not, all in another order: the same function."""
    rows = list(zip(p.slopes.tolist(), p.coefficients.tolist(), strict=True))
    for _ in range(draw(st.integers(0, 3))):
        (w, b), (v, c) = draw(st.sampled_from(rows)), draw(st.sampled_from(rows))
        t, drop = draw(shares), draw(st.sampled_from([0, 0, 1]))
        slope = [t * x + (1 - t) * y for x, y in zip(w, v, strict=True)]
        rows.append((slope, t * b + (1 - t) * c - p.semiring.sign * drop))
    rows = draw(st.permutations(rows))
    return Polynomial(np.array([w for w, _ in rows]), np.array([b for _, b in rows]), p.semiring)


@over_tropical
@settings(max_examples=25)
@given(data=st.data())
def test_dominated_monomials_do_not_matter(semiring, data):
    p = data.draw(polynomials(semiring))
    q = with_dominated(data.draw, p)
    assert p.equals(q) and q.equals(p)
    assert p.normal_form().same_terms(q.normal_form())
    n = q.normal_form()
    assert n.slopes.tolist() == sorted(n.slopes.tolist()) and n.equals(p) and len(n) <= len(p)
    shift = data.draw(fractions)
    assert (q * shift).equals_up_to_scaling(p) == shift


@over_tropical
@settings(max_examples=25)
@given(data=st.data())
def test_every_monomial_of_a_normal_form_matters(semiring, data):
    p = with_dominated(data.draw, data.draw(polynomials(semiring))).normal_form()
    k = data.draw(st.integers(0, len(p) - 1))
    others = np.arange(len(p)) != k
    less = Polynomial(p.slopes[others], p.coefficients[others], semiring)
    assert not less.equals(p) and not p.equals(less)
    coefficients = p.coefficients.copy()
    coefficients[k] += Fraction(1, 10**12)
    moved = Polynomial(p.slopes, coefficients, semiring)
    assert not moved.equals(p) and (moved.equals_up_to_scaling(p) is None or len(p) == 1)


@over_tropical
@settings(max_examples=25)
@given(data=st.data())
def test_polynomials_form_a_semiring_of_functions(semiring, data):
    p, q, r = (data.draw(polynomials(semiring, d=2)) for _ in range(3))
    zero, one = Polynomial(np.zeros((0, 2)), [], semiring), p**0
    assert (p + q).equals(q + p) and (p * q).equals(q * p) and (p + p).equals(p)
    assert ((p + q) + r).same_terms(p + (q + r)) and ((p * q) * r).same_terms(p * (q * r))
    assert (p * (q + r)).equals(p * q + p * r)
    assert (p + zero).same_terms(p) and (p * one).same_terms(p) and (p * zero).equals(zero)
    assert ((p + q) ** 2).equals(p**2 + q**2)  # Frobenius' identity, which holds for functions
    assert (p * p).equals(p**2)


@settings(max_examples=25)
@given(data=st.data())
@example(data=None)
def test_floats_are_compared_as_the_dyadic_numbers_they_are(data):
    if data is None:  # 0.1 + 0.2 is not 0.3, and x/2 is below max(x, 0) but touches it
        x = variables(1)[0]
        assert not (x * (0.1 + 0.2)).equals(x * 0.3) and (x * 0.1).equals(x * Fraction(0.1))
        assert (x + 0).equals(x + 0 + x**0.5) and not (x + 0).equals(x + 0 + x**0.5 * 2.0**-60)
        return
    p = data.draw(polynomials(MAX_PLUS)).to_float()
    q = with_dominated(data.draw, p.to_exact())
    assert p.equals(q) and p.normal_form().same_terms(q.normal_form())


def test_a_large_polynomial_with_a_hidden_difference():
    rng = np.random.default_rng(0)
    W = rng.integers(-50, 50, size=(60, 3)).astype(float)
    p = Polynomial(W, -(W**2).sum(axis=1))  # strictly concave: all distinct slopes count
    inner = (W[:20] + W[20:40]) / 2
    q = p + Polynomial(inner, -(W[:20] ** 2).sum(axis=1) / 2 - (W[20:40] ** 2).sum(axis=1) / 2)
    assert p.equals(q) and q.normal_form().same_terms(p.normal_form())
    assert len(p.normal_form()) == len(np.unique(W, axis=0))
    edge = -(W[:1] ** 2).sum() / 2 - (W[20:21] ** 2).sum() / 2
    coefficient = p.to_exact()(np.zeros(3))  # the largest coefficient
    assert not p.equals(p + Polynomial(inner[:1], [max(edge, coefficient) + 2.0**-30]))


@pytest.mark.parametrize("semiring", [Semiring(1, 0.5), Semiring(-1, 2.0)], ids=str)
def test_at_positive_temperature_every_monomial_counts(semiring):
    x = variables(1, semiring)[0]
    p = x + 0 + x**2
    assert p.equals(0 + x**2 + x) and not p.equals(x**2 + 0) and not (x + x).equals(x)
    assert p.normal_form().slopes.ravel().tolist() == [0, 1, 2]
    assert (p * 3).equals_up_to_scaling(p) == 3.0 and (p * 3).equals_up_to_scaling(p + 0) is None
    assert p.equals(p + semiring.zero)


def test_no_variables_no_monomials_and_constants():
    x = variables(1)[0]
    zero = x * -math.inf
    assert (
        zero.equals(-math.inf)
        and not zero.equals(x)
        and not x.equals(zero)
        and zero.equals_up_to_scaling(zero) == 0
    )
    assert (x**0 * 3).equals(3) and not (x + 3).equals(3)
    nothing = Polynomial(np.zeros((2, 0)), [1.0, 2.0])
    assert nothing.normal_form().to_dict() == {(): 2.0} and nothing.equals(2)
    empty = Polynomial(np.zeros((0, 2)), [])
    assert len(empty.normal_form()) == 0 and empty.equals(empty.merge())


def test_refused():
    x, y = variables(2)
    with pytest.raises(ShapeError, match="give both the same"):
        x.equals(variables(3)[0])
    with pytest.raises(SemiringMismatchError):
        x.same_terms(variables(2, MIN_PLUS)[0])
    with pytest.raises(InputError):
        (x + y).equals(math.nan)
