"""Equality of functions on a domain, against constructions that keep or change a function."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tropical import (
    MIN_PLUS,
    Box,
    BudgetExceeded,
    Circuit,
    InputError,
    Polyhedron,
    Polynomial,
    Rational,
    ShapeError,
    Slice,
    equivalent,
    linear_regions,
)


def check_difference(found, f, g, domain_rows=()):
    """The counterexample is one: f and g have these values there, and they differ."""
    assert not found and found.regions >= 0
    at_f, at_g = found.values
    assert (f(found.point) == at_f).all() and (g(found.point) == at_g).all() and (at_f != at_g).any()
    for *slope, intercept in domain_rows:
        assert np.dot(slope, found.point) + intercept >= 0


def widened(layers, rng):
    """The same function: hidden units in another order, one of them split into two halves."""
    (W, b), (V, c) = layers
    order = rng.permutation(len(W)).tolist()
    W, b = [W[i] for i in order], [b[i] for i in order]
    V = [[row[i] for i in order] for row in V]
    W, b = [*W, [a / 3 for a in W[0]]], [*b, b[0] / 3]
    V = [[row[0] / 2, *row[1:], 3 * row[0] / 2] for row in V]
    return [(W, b), (V, c)]


@settings(max_examples=20)
@given(st.sampled_from([[1, 4, 1], [2, 4, 1], [2, 3, 2], [3, 3, 1]]), st.integers(0, 2**32))
def test_one_function_in_two_ways(networks, shape, seed):
    layers = networks.seeded(shape, seed)
    f, g = networks.rails(layers), networks.rails(widened(layers, np.random.default_rng(seed)))
    same = equivalent(f, g)
    assert same and same.point is None and same.regions == len(linear_regions(f))
    (W, b), (V, c) = layers
    V[-1][0] += Fraction(1, 2**60)
    changed = networks.rails([(W, b), (V, c)])
    check_difference(equivalent(f, changed), f, changed)
    check_difference(equivalent(f, changed, trials=0), f, changed)


def test_a_difference_far_away():
    """relu(x − 2^40)/2^40 is found by regions, not by points, and only where the domain reaches it."""
    x = Circuit.identity(1, exact=True)
    f = x + 0
    g = f * (x.affine([[Fraction(1, 2**40)]], [-1]) + 0)
    found = equivalent(f, g)
    check_difference(found, f, g)
    assert found.regions == 3 and found.point[0] > 2**40
    assert equivalent(f, g, Box(-np.inf, 2**40))
    check_difference(equivalent(f, g, Box(-np.inf, 2**40 + 1)), f, g, [(-1, 2**40 + 1)])


@pytest.mark.parametrize(
    ("domain", "rows"),
    [
        (Box([3, -np.inf], [5, 2]), [(1, 0, -3), (-1, 0, 5), (0, -1, 2)]),
        (Box([1000, -np.inf], [np.inf, 7]), [(1, 0, -1000), (0, -1, 7)]),
        (Polyhedron([[1, 1], [-1, -1]], [1, 0]), [(-1, -1, 1), (1, 1, 0)]),
    ],
)
def test_points_lie_in_the_domain(domain, rows):
    x = Circuit.identity(2, exact=True)
    f, g = x.affine([[1, 0]]) + 0, x.affine([[1, 0]]) + Fraction(1, 7)
    g = g * x.affine([[0, Fraction(1, 9)]])
    for trials in (0, 16):
        check_difference(equivalent(f, g, domain, trials=trials), f, g, rows)


def test_known_networks(networks):
    """max(x, y) by three ReLU units; duplicates that cancel; max(0, x, 2x − 2) − max(0, 2x − 2), once a line."""
    x = Circuit.identity(2, exact=True)
    three = networks.rails([([[1, -1], [0, 1], [0, -1]], [0] * 3), ([[1, 1, -1]], [0])])
    assert equivalent(three, x.affine([[1, 0]]) + x.affine([[0, 1]]))
    twice = networks.rails([([[1, 0], [1, 0], [2, 0], [0, 1]], [0] * 4), ([[1, -1, 1, 1]], [0])])
    assert equivalent(twice, networks.rails([([[2, 0], [0, 1]], [0, 0]), ([[1, 1]], [0])]))
    t = Circuit.identity(1, exact=True)
    steep = t.affine([[2]], [-2]) + 0
    f = (steep + t) / steep
    assert equivalent(f, t + 0, Box(-np.inf, 1)) and not equivalent(f, t + 0)
    assert equivalent(f, t / t, Box(2, 9))


def test_on_a_slice():
    x = Circuit.identity(2, exact=True)
    f, g = x.affine([[1, 0]]) + 0, x.affine([[0, 1]]) + 0
    assert equivalent(f, g, Slice([1, 1], [[2, 2]]))
    found = equivalent(f, g, Slice([0, 0], [[2, 1]], Box(0, 1)))
    s = found.point[0]
    assert 0 < s <= 1 and found.values[0] == 2 * s and found.values[1] == s


def test_a_difference_on_lines():
    """Regions without a vertex; the interior points of both are on the zero set of the difference."""
    x = Circuit.identity(2, exact=True)
    flat = x.affine([[0, 0]])
    check_difference(equivalent(flat, x.affine([[1, 1]]), trials=0), flat, x.affine([[1, 1]]))
    assert equivalent(flat, x.affine([[1, 1]]) / x.affine([[1, 1]]))


def test_polynomials_of_either_sign():
    p = Polynomial([[1], [0]], [0, 0])
    low = Polynomial([[1], [0]], [0, 0], MIN_PLUS)
    x = Circuit.identity(1)
    assert equivalent(p, x + 0)
    assert equivalent(low, x / (x + 0))  # min(x, 0) = x − max(x, 0)
    assert equivalent(Rational(low, low), x**0)
    assert not equivalent(p, low)


def test_budgets_and_bad_input(networks):
    f = networks.rails(networks.seeded([2, 8, 1]))
    with pytest.raises(BudgetExceeded, match="f − g"):
        equivalent(f, f, max_regions=5)
    with pytest.raises(ShapeError, match=r"R\^2 to R\^1 and g R\^1"):
        equivalent(f, Circuit.identity(1))
    with pytest.raises(ShapeError, match=r"R\^2 to R\^2"):
        equivalent(Circuit.identity(2), f)
    with pytest.raises(InputError, match="deform"):
        equivalent(f, (Circuit.identity(2).affine([[1, 0]]) + 0).deform(0.5))
    with pytest.raises(InputError, match="trials"):
        equivalent(f, f, trials=-1)
    with pytest.raises(InputError, match="pass a Circuit"):
        equivalent(f, lambda x: x)
