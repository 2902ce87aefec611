"""Stable intersections, against pairs of edges one by one, small shifts, and Bernstein's count."""

from fractions import Fraction
from itertools import product
from math import inf

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tropical import (
    MIN_PLUS,
    InputError,
    Polynomial,
    Semiring,
    SemiringMismatchError,
    ShapeError,
    mixed_volume,
    stable_intersection,
    variables,
)


def line(cell, vertices):
    """Start, step and largest parameter of an edge: start + t·step, 0 ≤ t ≤ largest."""
    start = vertices[cell.vertices[0]]
    if cell.rays:
        return start, [Fraction(v) for v in cell.rays[0]], inf
    end = vertices[cell.vertices[1]]
    return start, [b - a for a, b in zip(start, end, strict=True)], 1


def crossings(p, q) -> dict:
    """Transversal meets of edges of two curves in general position, by Cramer's rule in Fractions."""
    found: dict = {}
    g, h = p.hypersurface(), q.hypersurface()
    for a, b in product(g.cells, h.cells):
        (x, u, most), (y, v, least) = line(a, g.vertices.tolist()), line(b, h.vertices.tolist())
        det = u[1] * v[0] - u[0] * v[1]
        if det == 0:
            continue
        dx, dy = y[0] - x[0], y[1] - x[1]
        s, t = (v[0] * dy - v[1] * dx) / det, (u[0] * dy - u[1] * dx) / det
        if 0 <= s <= most and 0 <= t <= least:
            assert s > 0 and s != most and t > 0 and t != least  # else the position is not general
            n, m = a.direction, b.direction
            meets = a.weight * b.weight * abs(n[0] * m[1] - n[1] * m[0])
            point = (x[0] + s * u[0], x[1] + s * u[1])
            found[point] = found.get(point, 0) + meets
    return found


def curves(largest=6):
    slope = st.tuples(st.integers(0, 3), st.integers(0, 3))
    terms = st.dictionaries(slope, st.integers(-9, 9), min_size=3, max_size=largest)
    return terms.map(lambda t: Polynomial(list(t), list(t.values())).to_exact())


def shifted(p, by):
    """p moved by a vector."""
    return Polynomial(p.slopes, p.coefficients - p.slopes @ np.array(by, dtype=object))


def spans_the_plane(p):
    return p.hypersurface().subdivision.dim == 2


@settings(max_examples=25)
@given(curves(), curves())
def test_curves_in_general_position(p, q):
    assume(spans_the_plane(p) and spans_the_plane(q))
    q = shifted(
        q, [Fraction(1, 1009), Fraction(5, 10007)]
    )  # no vertex lies on an edge of the other, by denominators
    assert {tuple(x): m for x, m in stable_intersection(p, q)} == crossings(p, q)


@settings(max_examples=40)
@given(curves(), curves())
def test_multiplicities_add_up_to_the_mixed_volume(p, q):
    assert sum(m for _, m in stable_intersection(p, q)) == mixed_volume(p, q)


@settings(max_examples=25)
@given(curves(5), curves(5))
def test_the_limit_of_small_shifts(p, q):
    """Points of general position that come together add up to the stable ones."""
    assume(spans_the_plane(p) and spans_the_plane(q))
    tiny = Fraction(1, 10**9)
    near = crossings(p, shifted(q, [tiny / 1009, tiny * 5 / 10007]))
    gathered: dict = {}
    stable = [(tuple(x), m) for x, m in stable_intersection(p, q)]
    for point, meets in near.items():
        close = [
            x for x, _ in stable if max(abs(a - b) for a, b in zip(x, point, strict=True)) < 10**4 * tiny
        ]
        assert len(close) == 1
        gathered[close[0]] = gathered.get(close[0], 0) + meets
    assert gathered == dict(stable)


@pytest.mark.parametrize(("d", "e"), [(1, 1), (2, 3), (4, 4)])
def test_Bezout(d, e):
    def dense(n, lift):
        slopes = [(i, j) for i in range(n + 1) for j in range(n + 1 - i)]
        return Polynomial(slopes, [lift(i, j) for i, j in slopes])

    p, q = dense(d, lambda i, j: -(i * i + j * j)), dense(e, lambda i, j: -(i * i + i * j + 2 * j * j))
    assert sum(m for _, m in stable_intersection(p, q)) == d * e
    assert sum(m for _, m in stable_intersection(p, p)) == d * d
    mirrored = [Polynomial(r.slopes, -r.coefficients, MIN_PLUS) for r in (p, q)]
    assert [(x.tolist(), m) for x, m in stable_intersection(*mirrored)] == sorted(
        ((-x).tolist(), m) for x, m in stable_intersection(p, q)
    )


def test_three_planes():
    x, y, z = variables(3)
    found = stable_intersection(x + y + z + 0, x + 1 * y + 0, z**2 + 3 * z + 4)
    assert sum(m for _, m in found) == mixed_volume(x + y + z + 0, x + 1 * y + 0, z**2 + 3 * z + 4) == 2
    for point, _ in found:
        for p in (x + y + z + 0, x + 1 * y + 0, z**2 + 3 * z + 4):
            assert p.hypersurface().contains(point)


def test_one_variable_gives_the_roots():
    p = Polynomial([[0], [1], [3]], [1, 4, 0])
    assert [(x.tolist(), m) for x, m in stable_intersection(p)] == [([-3.0], 1), ([2.0], 2)]


def test_nothing_to_meet():
    x, y = variables(2)
    assert stable_intersection(x + 0, x + 1) == []
    assert stable_intersection(x + y + 0, x * y) == []
    assert stable_intersection(Polynomial(np.zeros((0, 2)), []), x + y) == []


def test_refused():
    x, y = variables(2)
    with pytest.raises(ShapeError, match="pass d of them"):
        stable_intersection()
    with pytest.raises(ShapeError, match="2 polynomials and one in 1 variables"):
        stable_intersection(x + y, variables(1)[0] + 0)
    with pytest.raises(SemiringMismatchError, match="min-plus"):
        stable_intersection(x + y, Polynomial([[0, 0]], [0], MIN_PLUS))
    with pytest.raises(InputError, match="eps = 0"):
        stable_intersection(x.deform(1.0), Polynomial([[0, 0]], [0], Semiring(eps=1.0)))
