"""Rational functions: operators against values, exactness, derivatives, deformation."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tropical import MIN_PLUS, Circuit, Polynomial, Rational, Semiring, variables

INPUT = Circuit.identity(2)  # one for all, so that circuits may be combined
rationals = st.fractions(-4, 4, max_denominator=9)
points = st.tuples(rationals, rationals)


@st.composite
def polynomials(draw):
    row = st.tuples(rationals, rationals, rationals)
    *slopes, coefficients = np.array(draw(st.lists(row, min_size=1, max_size=3)), dtype=object).T
    return Polynomial(np.stack(slopes, axis=1), coefficients)


@st.composite
def circuits(draw, entries=rationals):
    a, b, c, d, e, f = draw(st.lists(entries, min_size=6, max_size=6))
    return (INPUT.affine(np.array([[a, b]]), [c]) + d).affine(np.array([[abs(e)]]), [f])


def fractions_of(kind):
    return st.builds(Rational, kind, kind)


KINDS = {"polynomials": fractions_of(polynomials()), "circuits": fractions_of(circuits())}
both_kinds = pytest.mark.parametrize("kind", KINDS)


def scalar(value) -> Fraction:
    """The one number in a value, whose type must be exact."""
    (number,) = np.ravel(np.asarray(value, dtype=object))
    assert type(number) is Fraction
    return number


# ---- operators, exactly ----------------------------------------------------------------------------


@both_kinds
@settings(max_examples=30)  # exact arithmetic is slow
@given(data=st.data(), x=points)
def test_operators_commute_with_evaluation(kind, data, x):
    f, g = data.draw(KINDS[kind]), data.draw(KINDS[kind])
    a, b = scalar(f(x)), scalar(g(x))
    assert scalar((f + g)(x)) == max(a, b)
    assert scalar((f * g)(x)) == a + b
    assert scalar((f / g)(x)) == a - b
    assert scalar((f**2)(x)) == 2 * a and scalar((f**-3)(x)) == -3 * a
    assert scalar((f ** Fraction(1, 2))(x)) == a / 2


def test_the_zeroth_power_is_the_exact_one():
    third = Fraction(1, 3)
    for P in (Polynomial([[third, third]], [third]), INPUT.affine([[third, third]], [third])):
        assert scalar(((P / (P * P)) ** 0)([1, 1])) == 0


@both_kinds
@settings(max_examples=30)
@given(data=st.data(), x=points, c=rationals)
def test_constants_and_parts_are_rational_functions_too(kind, data, x, c):
    f = data.draw(KINDS[kind])
    a, p = scalar(f(x)), scalar(f.P(x))
    assert scalar((f + c)(x)) == scalar((c + f)(x)) == max(a, c)
    assert scalar((f * c)(x)) == scalar((c * f)(x)) == a + c
    assert scalar((f / c)(x)) == a - c and scalar((c / f)(x)) == c - a
    assert scalar((f + f.P)(x)) == scalar((f.P + f)(x)) == max(a, p)
    assert scalar((f * f.P)(x)) == scalar((f.P * f)(x)) == a + p
    assert scalar((f / f.P)(x)) == a - p and scalar((f.P / f)(x)) == p - a


@both_kinds
@settings(max_examples=30)
@given(data=st.data(), x=points)
def test_affine_pieces_are_exact(kind, data, x):
    f = data.draw(KINDS[kind])
    slope, intercept = f.affine_at(x)
    value = np.ravel(slope) @ np.array(x, dtype=object) + scalar(intercept)
    assert value == scalar(f(x))
    assert np.ravel(f.gradient(x)).tolist() == np.ravel(slope).tolist()
    assert f.is_exact


def test_floats_and_min_plus():
    x, y = variables(2, MIN_PLUS)
    f = (x * y + 1) / (x + y)
    assert f([3.0, -1.0]) == min(3 - 1, 1) - min(3, -1)
    assert (f + 0)([3.0, -1.0]) == 0 and not f.is_exact
    assert (1 / x)([3.0, -1.0]) == -2


# ---- derivatives and deformation at temperature > 0 ------------------------------------------------


def random_rational(eps: float, seed: int = 0) -> Rational:
    rng = np.random.default_rng(seed)
    semiring = Semiring(1, eps)
    P, Q = (Polynomial(rng.normal(size=(n, 2)), rng.normal(size=n), semiring) for n in (5, 4))
    return Rational(P, Q)


@pytest.mark.parametrize("eps", [0.3, 2.0])
def test_gradient_equals_finite_differences(eps):
    f, h = random_rational(eps), 1e-4
    x = np.random.default_rng(1).normal(size=(20, 2))
    for k, step in enumerate(h * np.eye(2)):
        differences = (8 * (f(x + step) - f(x - step)) - (f(x + 2 * step) - f(x - 2 * step))) / (12 * h)
        np.testing.assert_allclose(f.gradient(x)[:, k], differences, rtol=0, atol=1e-10)


@pytest.mark.parametrize("eps", [0.3, 2.0])
def test_operators_at_positive_temperature(eps):
    f, g = random_rational(eps), random_rational(eps, seed=7)
    x = np.random.default_rng(2).normal(size=(20, 2))
    np.testing.assert_allclose((f + g)(x), np.logaddexp(f(x) / eps, g(x) / eps) * eps, rtol=0, atol=1e-13)
    np.testing.assert_allclose((f * g)(x), f(x) + g(x), rtol=0, atol=1e-13)
    np.testing.assert_allclose((f**-2)(x), -2 * f(x), rtol=0, atol=1e-13)


float_circuits = circuits(st.integers(-16, 16).map(lambda k: k / 4))
FLOAT_KINDS = {
    "polynomials": fractions_of(polynomials().map(Polynomial.to_float)),
    "circuits": fractions_of(float_circuits),
}


@both_kinds
@settings(max_examples=30)
@given(data=st.data(), x=points, eps=st.sampled_from([0.01, 1.0, 30.0]))
def test_deformation_stays_within_its_bound(kind, data, x, eps):
    f, x = data.draw(FLOAT_KINDS[kind]), np.array(x, dtype=float)
    soft = f.deform(eps)
    assert np.all(np.abs(soft(x) - f(x)) <= soft.deformation_bound() + 1e-12 * (1 + eps))


def test_deformation_bound_is_attained_where_the_numerator_ties():
    x, y = variables(2)
    soft = ((x + y + 0) / x).deform(0.5)
    assert soft.deformation_bound() == pytest.approx(0.5 * math.log(3), rel=1e-14)
    assert soft([0.0, 0.0]) == pytest.approx(0.5 * math.log(3), rel=1e-14)


# ---- sharing, shapes, text -------------------------------------------------------------------------


def test_parts_of_circuits_are_evaluated_together_and_equal_those_apart():
    hidden = Circuit.identity(2).affine([[1, -2], [3, 1]]) + 0
    f = hidden.affine([[1, 2]]) / hidden.affine([[2, 0.5]])
    x = np.random.default_rng(0).normal(size=(4, 3, 2))
    P, Q = f.parts(x)
    assert np.array_equal(P, f.P(x)) and np.array_equal(Q, f.Q(x)) and np.array_equal(f(x), P - Q)
    assert f(x).shape == (4, 3, 1) and f.gradient(x).shape == (4, 3, 1, 2)


@given(x=points)
@example(x=(0, 0))
def test_every_relu_network_is_one(x):
    # 2 relu(x − y) − 3 relu(y + 1/2), by hand
    hidden = Circuit.identity(2).affine([[1, -1], [0, 1]], [0, Fraction(1, 2)]) + 0
    f = hidden.affine([[2, 0]]) / hidden.affine([[0, 3]])
    assert scalar(f(x)) == 2 * max(x[0] - x[1], 0) - 3 * max(x[1] + Fraction(1, 2), 0)


@settings(max_examples=30)
@given(p=polynomials(), q=polynomials(), r=polynomials(), x=points)
def test_common_factors_cancel_in_value(p, q, r, x):
    assume(len(r) > 1)
    assert scalar(((p * r) / (q * r))(x)) == scalar((p / q)(x))


def test_text():
    (x,) = variables(1)
    assert repr((x + 0) / x) == f"<Rational: P = {(x + 0)!r}, Q = {x!r}>"
