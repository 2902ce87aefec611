"""Tropical curves and surfaces, against all solutions of linear systems in Fractions and published examples."""

from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from math import inf

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tropical import MAX_PLUS, MIN_PLUS, InputError, Polynomial, Semiring

HALF = Fraction(1, 2)


def exact_terms(p, x):
    return [sum(Fraction(w) * v for w, v in zip(row, x, strict=True)) + Fraction(b)
            for row, b in zip(p.slopes.tolist(), p.coefficients.tolist(), strict=True)]  # fmt: skip


def active(p, x) -> set[int]:
    """The monomials that attain p at x."""
    terms = exact_terms(p, x)
    best = max(terms) if p.semiring.sign > 0 else min(terms)
    return {i for i, term in enumerate(terms) if term == best}


def solved(A, b):
    """The solution of a small square system in Fractions, None if it is singular."""
    rows = [[Fraction(v) for v in row] + [Fraction(c)] for row, c in zip(A, b, strict=True)]
    n = len(rows)
    for k in range(n):
        pivot = next((r for r in range(k, n) if rows[r][k]), None)
        if pivot is None:
            return None
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [v / rows[k][k] for v in rows[k]]
        rows = [row if i == k else [v - row[k] * w for v, w in zip(row, rows[k], strict=True)]
                for i, row in enumerate(rows)]  # fmt: skip
    return tuple(row[-1] for row in rows)


def vertices_by_force(p) -> set[tuple]:
    """Points where d + 1 monomials with independent differences of slopes tie for the best."""
    found = set()
    W, b = p.slopes.tolist(), p.coefficients.tolist()
    for first, *others in combinations(range(len(p)), p.variables + 1):
        A = [[v - w for v, w in zip(W[i], W[first], strict=True)] for i in others]
        x = solved(A, [b[first] - b[i] for i in others])
        if x is not None and first in active(p, x) and active(p, x).issuperset(others):
            found.add(x)
    return found


def exact_vertices(h) -> set[tuple]:
    return {tuple(map(Fraction, x)) for x in h.vertices.tolist()}


def inner_point(h, cell):
    mean = [sum(map(Fraction, axis)) / len(cell.vertices)
            for axis in zip(*(h.vertices[v].tolist() for v in cell.vertices), strict=True)]  # fmt: skip
    return [m + sum(r[k] for r in cell.rays) for k, m in enumerate(mean)]


def weights_of(h) -> dict:
    counts: dict = {}
    for cell in h.cells:
        counts[cell.weight] = counts.get(cell.weight, 0) + 1
    return counts


def dense(degree, sign=1):
    """Strictly concave coefficients at all exponents of a degree: a smooth curve."""
    slopes = [(i, j) for i in range(degree + 1) for j in range(degree + 1 - i)]
    lifts = [-sign * (i * i + j * j + i * j) for i, j in slopes]
    return Polynomial(slopes, lifts, Semiring(sign))


CURVES = {
    # the examples of Sage's tropical curves (sage.rings.semirings.tropical_variety), recomputed by hand
    "cubic part": (
        Polynomial([[0, 0], [1, 0], [0, 1], [1, 1], [0, 2], [2, 0]], [7, 4, 0, 4, 3, -3]),
        [(3, 0), (1, 2), (7, 0)], {1: 6, 2: 1},
    ),
    "square cell": (
        Polynomial([[2, 0], [0, 2], [1, 1], [1, 0], [0, 1], [0, 0]], [1, 1, 2, 2, 2, 2]),
        [(0, 0), (1, 0), (0, 1)], {1: 8},
    ),
    "conic, min": (
        Polynomial([[2, 0], [1, 1], [0, 2], [1, 0], [0, 1], [0, 0]], [2, 0, 2, 0, -1, 3], MIN_PLUS),
        [(-2, 0), (-1, -3), (-1, 0), (3, 4)], {1: 9},
    ),
    "five terms, min": (
        Polynomial([[0, 0], [1, 0], [0, 1], [1, 1], [1, 2]], [1, 2, 3, 6, 10], MIN_PLUS),
        [(-1, -2), (-3, -4)], {1: 4, 2: 1},
    ),
    "five terms, max": (
        Polynomial([[0, 0], [1, 0], [0, 1], [1, 1], [1, 2]], [1, 2, 3, 6, 10]),
        [(-1, -4), (-5, -2)], {1: 4, 2: 1},
    ),
    "pentagon": (
        Polynomial([[0, 0], [2, 0], [0, 1], [2, 1], [1, 3], [3, 4]], [3, 0, -2, HALF, 2, -1]),
        [(3, -HALF), (1.5, -HALF), (Fraction(13, 10), Fraction(-1, 10)), (-14, 5), (1.5, 0)], {1: 9, 2: 1},
    ),  # the only one with a bounded region, that of x²y
}  # fmt: skip


@pytest.mark.parametrize("name", CURVES)
def test_published_curves(name):
    p, vertices, weights = CURVES[name]
    h = p.to_exact().hypersurface()
    assert exact_vertices(h) == set(vertices)
    assert weights_of(h) == weights
    assert h.is_balanced()
    assert h.genus == (name == "pentagon")
    rounded = p.to_float().hypersurface()
    assert np.array_equal(rounded.vertices, h.vertices.astype(float))
    assert rounded.cells == h.cells


def test_published_shapes():
    crossing = CURVES["square cell"][0].hypersurface()
    assert sorted(map(len, crossing.subdivision.cell_vertices)) == [3, 3, 4]
    assert crossing.is_simple and not crossing.is_smooth
    around = {c.direction for c in CURVES["cubic part"][0].hypersurface().cells if 1 in c.vertices}
    assert len(around) == 3
    tripod = CURVES["cubic part"][0].hypersurface()
    at = next(k for k, x in enumerate(tripod.vertices.tolist()) if x == [1, 2])
    outward = [c.direction if c.vertices[0] == at else tuple(-v for v in c.direction)
               for c in tripod.cells if at in c.vertices for _ in range(c.weight)]  # fmt: skip
    assert sorted(outward) == [(-1, 0), (-1, 0), (1, -1), (1, 1)]
    assert tripod.is_simple and not tripod.is_smooth
    conic = CURVES["conic, min"][0].hypersurface()
    assert conic.is_smooth
    ray = next(c for c in CURVES["five terms, min"][0].hypersurface().cells if c.weight == 2)
    assert ray.direction == (-1, 0) and not ray.is_bounded
    assert CURVES["five terms, min"][0].hypersurface().vertices[ray.vertices[0]].tolist() == [-3, -4]


def test_a_double_line():
    h = Polynomial([[2, 0], [1, 1], [0, 2]], [0, 0, 0]).hypersurface()  # Sage gives genus 1
    (line,) = h.cells
    assert (line.weight, line.direction, line.is_bounded) == (2, (1, 1), True)
    assert h.genus == 0
    assert h.lineality.tolist() == [[1, 1]]
    assert h.contains([[3, 3], [3, 2]]).tolist() == [True, False]
    assert nx.number_connected_components(h.graph) == 1


@pytest.mark.parametrize("degree", [1, 2, 5, 10])
@pytest.mark.parametrize("sign", [1, -1])
def test_dense_curves(degree, sign):
    """polymake's example of a smooth curve: d² vertices, 3d(d + 1)/2 edges, genus (d − 1)(d − 2)/2."""
    h = dense(degree, sign).hypersurface()
    assert len(h.vertices) == degree**2
    assert len(h.cells) == 3 * degree * (degree + 1) // 2
    assert h.genus == (degree - 1) * (degree - 2) // 2
    assert h.is_smooth and h.is_simple and h.is_balanced()
    assert sum(not c.is_bounded for c in h.cells) == 3 * degree
    assert h.graph.number_of_edges() == len(h.cells) - 3 * degree
    assert sum(len(rays) for _, rays in h.graph.nodes(data="rays")) == 3 * degree


def test_a_published_surface():
    """polymake's min(x, y, z, 2x, 1): two maximal cells of the subdivision, nine polyhedra of weight 1."""
    p = Polynomial([[1, 0, 0], [0, 1, 0], [0, 0, 1], [2, 0, 0], [0, 0, 0]], [0, 0, 0, 0, 1], MIN_PLUS)
    h = p.hypersurface()
    assert exact_vertices(h) == {(0, 0, 0), (1, 1, 1)}
    assert [c.weight for c in h.cells] == [1] * 9
    assert h.is_balanced()
    assert list(h.graph.edges) == [(0, 1)]
    for needs_a_curve in ("genus", "is_simple"):
        with pytest.raises(InputError, match="plane curves"):
            getattr(h, needs_a_curve)
    with pytest.raises(InputError, match="normal"):
        h.cells[0].direction  # noqa: B018


def test_a_network_of_Zhang_Naitzat_and_Lim():
    """The numerator of the example of "Tropical geometry of deep neural networks" (ICML 2018), recomputed."""
    H = {(4, 7): 1, (5, 9): 3, (6, 1): -1, (6, 8): 2, (7, 0): -2, (7, 3): 1, (8, 2): 0}
    G = {(1, 7): 0, (5, 6): 0, (10, 13): -6, (14, 12): -6}
    terms = {**H, **G}
    h = Polynomial(list(terms), list(terms.values())).to_exact().hypersurface()
    sixteenth = Fraction(1, 16)
    assert exact_vertices(h) == {
        (1, 0), (16, -9), (-10 * sixteenth, -11 * sixteenth), (-HALF, -HALF), (0, -1),
        (Fraction(3, 7), Fraction(12, 7)), (-5, Fraction(17, 2)),
    }  # fmt: skip
    assert weights_of(h) == {1: 8, 2: 4, 3: 2}


def polynomials(variables, largest):
    slope = st.tuples(*[st.integers(-2, 3)] * variables)
    quarter = st.integers(-12, 12).map(lambda k: Fraction(k, 4))
    signs = st.sampled_from([MAX_PLUS, MIN_PLUS])
    terms = st.dictionaries(slope, quarter, min_size=1, max_size=largest)
    return st.builds(
        lambda t, s: Polynomial(list(t), np.array(list(t.values()), dtype=object), s), terms, signs
    )


@settings(max_examples=40)
@given(polynomials(2, 9))
def test_curves(p):
    h = p.hypersurface()
    if h.subdivision.dim == 2:
        assert exact_vertices(h) == vertices_by_force(p)
        essential = {i for corners in h.subdivision.cell_vertices for i in corners}
        assert len(essential) == len(h.cells) - len(h.vertices) + 1  # Euler, with a vertex at infinity
        assert not np.sum([np.array(r) * c.weight for c in h.cells for r in c.rays], axis=0).any()
    for cell in h.cells:
        assert active(p, inner_point(h, cell)) == set(cell.monomials)
        assert h.contains(inner_point(h, cell))
    assert h.is_balanced()


@settings(max_examples=40)
@given(polynomials(3, 7))
def test_surfaces(p):
    h = p.hypersurface()
    if h.subdivision.dim == 3:
        assert exact_vertices(h) == vertices_by_force(p)
    for cell in h.cells:
        assert active(p, inner_point(h, cell)) == set(cell.monomials)
    assert h.is_balanced()


@settings(max_examples=40)
@given(polynomials(2, 7), st.lists(st.tuples(st.integers(-8, 8), st.integers(-8, 8)), min_size=1))
def test_contains(p, points):
    half = [[Fraction(v, 2) for v in x] for x in points]
    slopes = p.slopes.tolist()
    want = [len({tuple(slopes[i]) for i in active(p, x)}) > 1 for x in half]
    assert p.hypersurface().contains(np.array(half, dtype=object)).tolist() == want


@settings(max_examples=40)
@given(polynomials(2, 8))
def test_floats_are_dyadic_rationals(p):
    rounded, h = p.to_float().hypersurface(), p.hypersurface()
    assert rounded.cells == h.cells
    assert rounded.is_balanced()
    assert np.array_equal(rounded.vertices, h.vertices.astype(float))


@pytest.mark.parametrize("variables", [2, 3])
def test_unbalanced_weights_are_noticed(variables):
    simplex = np.vstack([np.zeros(variables, int), np.eye(variables, dtype=int)])
    p = Polynomial(np.vstack([simplex, 2 * simplex[1:]]), [0, 0, 0, -1, -1, -1, -2][: 1 + 2 * variables])
    h = p.hypersurface()
    assert h.is_balanced()
    for k in range(len(h.cells)):
        heavier = tuple(replace(c, weight=c.weight + (i == k)) for i, c in enumerate(h.cells))
        assert not replace(h, cells=heavier).is_balanced()


def test_four_variables():
    simplex = Polynomial(np.vstack([np.zeros(4, int), np.eye(4, dtype=int)]), np.zeros(5))
    h = simplex.hypersurface()
    assert (len(h.vertices), len(h.cells)) == (1, 10)
    assert {len(c.rays) for c in h.cells} == {3}
    with pytest.raises(InputError, match="up to dimension 3"):
        h.is_balanced()


def test_separating_cells():
    P, Q = Polynomial([[1, 0], [0, 1]], [0, 0]), Polynomial([[0, 0], [1, 1]], [0, -3])
    boundary = (P + Q).hypersurface().separating(range(len(P)))
    both = [{m < 2 for m in c.monomials} for c in boundary]
    assert boundary and all(len(sides) == 2 for sides in both)
    h = (P + Q).hypersurface()
    for cell in boundary:
        x = np.array([inner_point(h, cell)], dtype=object)
        assert P.to_exact()(x) == Q.to_exact()(x)


def test_single_precision():
    p = Polynomial(np.float32([[1, 2], [0, 1], [0.5, 0], [0, 0]]), np.float32([0, 0.1, 0.3, 0]))
    assert p.hypersurface().cells == p.to_exact().hypersurface().cells
    assert p.hypersurface().is_balanced()


@pytest.mark.parametrize(
    ("p", "message"),
    [
        (Polynomial([[1, 0], [0, 1]], [0, 0], Semiring(eps=0.5)), "eps = 0"),
        (Polynomial([[1, 0], [0, 1]], [0, inf]), "infinite everywhere"),
    ],
)
def test_refused(p, message):
    with pytest.raises(InputError, match=message):
        p.hypersurface()


def test_degenerate_polynomials():
    for p in (
        Polynomial(np.zeros((0, 2)), []),
        Polynomial([[1, 2]], [3.0]),
        Polynomial([[1, 2], [1, 2]], [3.0, 1.0]),
        Polynomial([[1, 2], [0, 0]], [3.0, -inf]),
    ):
        h = p.hypersurface()
        assert h.vertices.shape == (0, 2) and h.cells == ()
        assert h.genus == 0 and h.is_balanced()
        assert not h.contains([0.0, 0.0])
    half = Polynomial(np.array([[HALF, 0], [0, Fraction(1, 3)]], dtype=object), np.zeros(2)).hypersurface()
    (cell,) = half.cells
    assert cell.weight == Fraction(1, 6) and cell.normal == (3, -2)
    with pytest.raises(InputError, match="finite"):
        half.contains([inf, 0.0])
