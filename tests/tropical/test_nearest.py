"""Distances to decision boundaries, against quadratic and linear programs over regions and against grids."""

from fractions import Fraction
from math import inf, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, nnls

from tropical import (
    Box,
    BudgetExceeded,
    Circuit,
    InputError,
    Polyhedron,
    Polynomial,
    Rational,
    ShapeError,
    Slice,
    linear_regions,
    nearest_boundary,
)
from tropical._nearest_in_hull import nearest_in_hull

NORMS = [1, 2, inf]


def programs(f, x, norm, domain=None):
    """The distance by one float program for each region of f and each other class, the domain's rows among them."""
    x, best = np.array(x, dtype=float), inf
    regions = linear_regions(f, domain)
    scores = np.append(f(x), 0.0).astype(float) if f.P.outputs == 1 else f(x).astype(float)
    winner = int(np.argmax(scores))
    for region in regions:
        A, b = region.slope.astype(float), region.intercept.astype(float)
        if len(A) == 1:
            A, b = np.vstack([A, 0 * A]), np.append(b, 0.0)
        G, h = (part.astype(float) for part in region.halfspaces)
        for j in range(len(A)):
            if j != winner:
                rows = np.vstack([G.reshape(-1, len(x)), A[winner] - A[j]])
                best = min(best, distance_to(rows, np.append(h, b[j] - b[winner]), x, norm))
    return best


def distance_to(G, h, x, norm):
    """min ‖y − x‖ over Gy ≤ h."""
    d, k = len(x), len(h)
    if (
        norm == 2
    ):  # least distance programming by nonnegative least squares; Lawson and Hanson (1974), chapter 23
        residual = np.vstack([-G.T, (G @ x - h)[None]])
        residual = residual @ nnls(residual, np.append(np.zeros(d), 1.0))[0] - np.append(np.zeros(d), 1.0)
        return np.linalg.norm(residual[:d] / residual[d]) if abs(residual[d]) > 1e-12 else inf
    eye, sizes = np.eye(d), (np.eye(d) if norm == 1 else np.ones((d, 1)))
    rows = np.block([[G, np.zeros((k, sizes.shape[1]))], [eye, -sizes], [-eye, -sizes]])
    cost = np.append(np.zeros(d), np.ones(sizes.shape[1]))
    found = linprog(cost, rows, np.concatenate([h, x, -x]), bounds=(None, None))
    return found.fun if found.status == 0 else inf


def check_tie(found, f, x):
    """The point is a tie with the class at x, at the distance that is claimed."""
    scores = f(found.point).tolist()
    scores = scores if len(scores) > 1 else [0, *scores]
    a, b = found.classes
    assert a != b and scores[a] == scores[b] == max(scores)
    step = found.point - np.array(x)
    if found.norm == 2:
        assert Fraction(found.lower) ** 2 <= sum(s * s for s in step) <= Fraction(found.upper) ** 2
    else:
        assert found.lower == found.upper == (sum if found.norm == 1 else max)(map(abs, step))


@settings(max_examples=25)
@given(
    st.sampled_from([[1, 4, 1], [2, 4, 1], [2, 3, 3], [2, 3, 3, 2], [3, 3, 2]]),
    st.sampled_from(NORMS),
    st.integers(0, 2**32),
)
def test_networks(networks, shape, norm, seed):
    f = networks.rails(networks.seeded(shape, seed))
    x = [Fraction(k, 8) for k in np.random.default_rng(seed).integers(-30, 31, size=shape[0]).tolist()]
    found = nearest_boundary(f, x, norm)
    assert found.exact
    expected = programs(f, x, norm)
    if found.point is None:
        assert found.lower == found.upper == found.distance == expected == inf and found.classes[1] is None
    else:
        check_tie(found, f, x)
        assert float(found.upper) == pytest.approx(expected, rel=1e-5, abs=1e-6)


@settings(max_examples=15)
@given(st.sampled_from(NORMS), st.integers(0, 2**32))
def test_in_a_domain(networks, norm, seed):
    f, x = networks.rails(networks.seeded([2, 4, 2], seed)), [Fraction(1, 2), Fraction(-1, 4)]
    domain = Polyhedron([[1, 1], [-1, 0], [0, -1]], [1, 2, 2])
    found = nearest_boundary(f, x, norm, domain)
    expected = programs(f, x, norm, domain)
    if found.point is None:
        assert expected == inf
    else:
        check_tie(found, f, x)
        assert (np.array(domain.G) @ found.point <= domain.h).all()
        assert float(found.upper) == pytest.approx(expected, rel=1e-5, abs=1e-6)
    assert found.upper >= nearest_boundary(f, x, norm).upper


def test_a_diamond():
    """1 − |x| − |y| from a point inside, in every norm."""
    x = Circuit.identity(2, exact=True)
    sides = [x.affine([row]) + x.affine([[-a for a in row]]) for row in ([1, 0], [0, 1])]
    f = Rational(x.affine([[0, 0]], [1]), sides[0] * sides[1])
    start = [Fraction(1, 4), Fraction(1, 8)]
    assert nearest_boundary(f, start, 1).distance == Fraction(5, 8)
    assert nearest_boundary(f, start, inf).distance == Fraction(5, 16)
    near = nearest_boundary(f, start)
    assert near.point.tolist() == [Fraction(9, 16), Fraction(7, 16)] and near.classes == (1, 0)
    assert near.lower == pytest.approx(5 / 8 / sqrt(2)) and near.exact
    outside = nearest_boundary(f, [3, 0])
    assert (outside.point.tolist(), outside.classes, outside.upper) == ([1, 0], (0, 1), 2)
    assert nearest_boundary(f, [0, 1]).distance == 0
    assert nearest_boundary(f, start, 2, Box([0, -1], [Fraction(1, 2), 1])).point.tolist() == [
        Fraction(1, 2), Fraction(1, 2)
    ]  # fmt: skip
    assert (
        nearest_boundary(f, start, 2, Box([0, Fraction(-1, 4)], [Fraction(1, 2), Fraction(1, 4)])).point
        is None
    )
    assert nearest_boundary(f, start, 1, Box([0, -1], [Fraction(1, 4), 1])).distance == Fraction(5, 8)


def test_a_single_point_of_boundary():
    """|x| + |y| against 0 touches in one point, which no facet of regions shows."""
    x = Circuit.identity(2, exact=True)
    f = (x.affine([[1, 0]]) + x.affine([[-1, 0]])) * (x.affine([[0, 1]]) + x.affine([[0, -1]]))
    for norm, distance in ((1, 7), (2, 5), (inf, 4)):
        found = nearest_boundary(f, [-3, 4], norm)
        assert found.distance == distance and found.point.tolist() == [0, 0]
    assert nearest_boundary(f * 1, [-3, 4]).point is None


def test_rays_that_miss():
    """1 − min(‖y‖₁, 2) is flat around x, so no gradient shows the way; the regions find it."""
    x = Circuit.identity(2, exact=True)
    size = (x.affine([[1, 0]]) + x.affine([[-1, 0]])) * (x.affine([[0, 1]]) + x.affine([[0, -1]]))
    f = Rational(size + 2, size * 1)  # 1 − min(a, 2) = max(a, 2) − a − 1
    for norm in NORMS:
        found = nearest_boundary(f, [10, 0], norm)
        assert found.exact and found.distance == 9 and found.classes == (0, 1)
        assert found.point.tolist() == [1, 0]
    assert nearest_boundary(f, [10, 0], 2, Box([2, -9], 20)).point is None


def test_polynomials_and_bad_input(networks):
    p = Polynomial([[3, 4], [0, 0]], [-5, -1])
    found = nearest_boundary(p, [0, 0])
    assert (found.point.tolist(), found.distance) == ([Fraction(3, 5), Fraction(4, 5)], 1)
    f = networks.rails(networks.seeded([2, 8, 2]))
    with pytest.raises(InputError, match="pass 1, 2 or"):
        nearest_boundary(f, [0, 0], 3)
    with pytest.raises(ShapeError, match="2 variables"):
        nearest_boundary(f, [0, 0, 0])
    for bad in ([[0, 0]], [np.nan, 0], [np.inf, 0]):
        with pytest.raises(ShapeError, match="one point"):
            nearest_boundary(f, bad)
    with pytest.raises(InputError, match="outside"):
        nearest_boundary(f, [0, 3], 2, Box(-1, 1))
    with pytest.raises(InputError, match="Slice"):
        nearest_boundary(f, [0, 0], 2, Slice([0, 0], [[1, 0]]))
    with pytest.raises(InputError, match="partial"):
        nearest_boundary(f, [0, 0], partial=True)
    with pytest.raises(InputError, match="deform"):
        nearest_boundary((Circuit.identity(2) + 0).deform(1), [0, 0])
    with pytest.raises(BudgetExceeded):
        nearest_boundary(f, [0, 100], max_regions=1)


@given(st.integers(1, 4), st.integers(1, 8), st.integers(0, 2**32))
def test_nearest_in_hull(d, count, seed):
    """y is in the hull, and the plane through it across y has all points on its far side."""
    points = np.random.default_rng(seed).integers(-3, 6, size=(count, d)) + Fraction(0)
    y = np.array(nearest_in_hull(points.tolist()))
    assert (points @ y >= y @ y).all()
    rows = np.vstack([points.T.astype(float), np.ones(count)])
    inside = linprog(np.zeros(count), A_eq=rows, b_eq=np.append(y.astype(float), 1.0), bounds=(0, None))
    assert inside.status == 0
