"""Dual subdivisions, against brute force in Fractions, duality laws and published curves."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tropical import MIN_PLUS, BudgetExceeded, InputError, Polynomial, Semiring, _regular

MAX, MIN = Semiring(), MIN_PLUS


def exactly(array):
    out = np.empty(np.shape(array), dtype=object)
    for index, v in np.ndenumerate(np.asarray(array)):
        out[index] = Fraction(v.item() if isinstance(v, np.generic) else v)
    return out


def solve(rows, right):
    """The solution of a square system of Fractions, or None if it is singular."""
    n = len(rows)
    table = [[*map(Fraction, row), Fraction(v)] for row, v in zip(rows, right, strict=True)]
    for k in range(n):
        pivot = next((r for r in range(k, n) if table[r][k]), None)
        if pivot is None:
            return None
        table[k], table[pivot] = table[pivot], table[k]
        for r in range(n):
            if r != k and table[r][k]:
                factor = table[r][k] / table[k][k]
                table[r] = [a - factor * b for a, b in zip(table[r], table[k], strict=True)]
    return [row[n] / row[k] for k, row in enumerate(table)]


def cells_by_force(W, b, sign):
    """For each d + 1 monomials the point where they tie, if they do and nothing beats them: point → who ties."""
    d = W.shape[1]
    W, b = exactly(W), exactly(b)
    found = {}
    for chosen in itertools.combinations(range(len(W)), d + 1):
        first = chosen[0]
        x = solve([W[i] - W[first] for i in chosen[1:]], [b[first] - b[i] for i in chosen[1:]])
        if x is None:
            continue
        values = [sum(w * v for w, v in zip(row, x, strict=True)) + c for row, c in zip(W, b, strict=True)]
        best = max(values) if sign > 0 else min(values)
        if values[first] == best:
            found[tuple(i for i, v in enumerate(values) if v == best)] = (x, best)
    return found


def random_terms(seed, d, n=9):
    """Lattice points with few or many ties, real exponents, widely different sizes, a bowl under a lattice."""
    rng = np.random.default_rng(seed)
    kind = seed % 5
    W = rng.integers(0, 3, size=(n, d)).astype(float)
    b = rng.integers(-2, 3, size=n).astype(float)
    if kind == 1:
        b[:] = 0
    elif kind == 2:
        W, b = rng.normal(size=(n, d)), rng.normal(size=n)
    elif kind == 3:
        W, b = W * 10.0 ** rng.integers(-9, 9, size=d), b * 10.0 ** rng.integers(-9, 9, size=n)
    elif kind == 4:
        b = -(W**2).sum(axis=1) + (rng.random(n) < 0.2)
    W[-1] = W[0]
    return W, b


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from([1, 2, 3]), st.sampled_from([1, -1]))
@example(1, 2, 1)
@example(4, 3, -1)
def test_against_brute_force(seed, d, sign):
    W, b = random_terms(seed, d, 9 if d < 3 else 8)
    want = cells_by_force(W, b, sign)
    for p in (Polynomial(W, b, Semiring(sign)), Polynomial(exactly(W), exactly(b), Semiring(sign))):
        s = p.subdivision()
        if s.dim < d:
            assert not want
            continue
        assert set(s.cells) == set(want)
        assert list(s.cells) == sorted(s.cells)
        for cell, x, value in zip(s.cells, s.vertices.tolist(), s.values.tolist(), strict=True):
            if p.is_exact:
                assert (x, value) == want[cell]
            else:
                assert (x, value) == ([float(v) for v in want[cell][0]], float(want[cell][1]))


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from([1, 2, 3]))
def test_duality(seed, d):
    """Volumes add up; vertices attain p on their cells alone; edges balance; faces lie between their cells."""
    W, b = random_terms(seed, d, 12)
    p = Polynomial(exactly(W), exactly(b))
    s = p.subdivision()
    assert sum(s.volumes) == p.newton_polytope().lattice_volume
    for cell, x, value in zip(s.cells, s.vertices, s.values, strict=True):
        terms = (p.slopes @ x + p.coefficients).tolist()
        assert max(terms) == value == p(x)
        assert cell == tuple(i for i, v in enumerate(terms) if v == value)
    for ridge in s.ridges:
        inside = set(ridge.monomials)
        assert all(inside <= set(s.cells[c]) for c in ridge.cells)
        direction = exactly(ridge.direction)
        assert len(set((p.slopes[list(ridge.monomials)] @ direction).tolist())) == 1
        start = s.vertices[ridge.cells[0]]
        if len(ridge.cells) == 2:
            step = s.vertices[ridge.cells[1]] - start
            lengths = {v / w for v, w in zip(step, direction, strict=True) if w}
            assert len(lengths) == 1 and lengths.pop() > 0  # a positive multiple, at least along the pivots
            assert set(s.cells[ridge.cells[0]]) & set(s.cells[ridge.cells[1]]) == inside
        else:
            there = start + direction
            best = max((p.slopes @ there + p.coefficients).tolist())
            assert {i for i in range(len(W)) if p.slopes[i] @ there + p.coefficients[i] == best} == inside
    if d == s.dim == 2:
        for c, cell in enumerate(s.cells):
            sides = [(e, 1 if e.cells[0] == c else -1) for e in s.edges if c in e.cells]
            total = sum(sign * e.lattice_length * exactly(e.direction) for e, sign in sides)
            assert (total == 0).all()
            assert len(sides) == len(s.cell_vertices[c])
            corners = W[list(s.cell_vertices[c])]
            x, y = corners.T
            assert (x * np.roll(y, -1) - y * np.roll(x, -1)).sum() > 0  # anticlockwise
            assert set(s.cell_vertices[c]) <= set(cell)


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.sampled_from([2, 3]))
def test_edges(seed, d):
    """An edge is a maximal set of monomials on a line that tie, above all others, at some point."""
    W, b = random_terms(seed, d, 9)
    p = Polynomial(exactly(W), exactly(b))
    s = p.subdivision()
    if s.dim < d:
        return
    for edge in s.edges:
        i, j = edge.vertices
        step = p.slopes[j] - p.slopes[i]
        common = [v / edge.lattice_length for v in step]
        scale = math.lcm(*(v.denominator for v in common))
        assert scale == 1 and math.gcd(*(int(v) for v in common)) == 1
        assert set(edge.cells) == {c for c, cell in enumerate(s.cells) if {i, j} <= set(cell)}
        # Sum of the dual vertices and of all rays around the edge: inside the region where exactly these tie.
        x = sum(s.vertices[c] for c in edge.cells) / len(edge.cells)
        for ridge in s.ridges:
            if len(ridge.cells) == 1 and {i, j} <= set(ridge.monomials):
                x = x + exactly(ridge.direction)
        terms = p.slopes @ x + p.coefficients
        assert edge.monomials == tuple(np.flatnonzero(terms == max(terms)).tolist())
    if d == 3:  # Euler: vertices − edges + ridges − cells = 1 for a subdivided ball
        assert len(s.essential) - len(s.edges) + len(s.ridges) - len(s.cells) == 1


# ---- published curves --------------------------------------------------------------------------------


def dense(d):
    """Strictly concave coefficients of all monomials of degree ≤ d."""
    W = [(i, j) for i in range(d + 1) for j in range(d + 1 - i)]
    return Polynomial(W, [-(i * i + j * j + i * j) for i, j in W])


def test_sage_curve():
    """max(7, 4+x, y, 4+x+y, 3+2y, −3+2x): SageMath reference manual, tropical_variety, vertices and weights."""
    p = Polynomial([[0, 0], [1, 0], [0, 1], [1, 1], [0, 2], [2, 0]], [7, 4, 0, 4, 3, -3])
    s = p.subdivision()
    assert {tuple(x) for x in s.vertices.tolist()} == {(3, 0), (1, 2), (7, 0)}
    assert len(s.edges) == 7
    heavy = [e for e in s.edges if e.lattice_length != 1]
    assert [(e.lattice_length, e.direction) for e in heavy] == [(2, (-1, 0))]
    assert s.vertices[heavy[0].cells[0]].tolist() == [1, 2]
    at = s.vertices.tolist().index([1, 2])
    outgoing = {
        tuple((1 if e.cells[0] == at else -1) * e.lattice_length * v for v in e.direction)
        for e in s.edges
        if at in e.cells
    }
    assert outgoing == {(1, -1), (-2, 0), (1, 1)}
    assert (len(s.cells), s.is_triangulation, s.is_unimodular) == (3, True, False)
    assert 2 not in {i for cell in s.cells for i in cell}  # y lies below


def test_squares_are_not_split():
    """max(1+2x, 1+2y, 2+x+y, 2+x, 2+y, 2): SageMath reference manual, tropical_mpolynomial, dual_subdivision."""
    p = Polynomial([[2, 0], [0, 2], [1, 1], [1, 0], [0, 1], [0, 0]], [1, 1, 2, 2, 2, 2])
    s = p.subdivision()
    assert dict(zip(map(tuple, s.vertices.tolist()), map(len, s.cells), strict=True)) == {
        (0, 0): 4, (1, 0): 3, (0, 1): 3
    }  # fmt: skip
    assert sorted(s.volumes) == [1, 1, 2]
    assert [e.lattice_length for e in s.edges] == [1] * 8
    assert not s.is_triangulation


@pytest.mark.parametrize(
    ("W", "b", "semiring", "vertices", "weights", "smooth"),
    [  # polymake's tutorial on tropical hypersurfaces, SageMath's tropical_variety
        ([[2, 0], [1, 1], [0, 2], [1, 0], [0, 1], [0, 0]], [2, 0, 2, 0, -1, 3], MIN,
         {(-2, 0), (-1, -3), (-1, 0), (3, 4)}, [1] * 9, True),
        ([[0, 0], [1, 0], [0, 1], [1, 1], [1, 2]], [1, 2, 3, 6, 10], MIN,
         {(-1, -2), (-3, -4)}, [1, 1, 1, 1, 2], False),
        ([[0, 0], [1, 0], [0, 1], [1, 1], [1, 2]], [1, 2, 3, 6, 10], MAX,
         {(-1, -4), (-5, -2)}, [1, 1, 1, 1, 2], False),
    ],
)  # fmt: skip
def test_published_conics(W, b, semiring, vertices, weights, smooth):
    s = Polynomial(W, b, semiring).subdivision()
    assert {tuple(x) for x in s.vertices.tolist()} == vertices
    assert sorted(e.lattice_length for e in s.edges) == weights
    assert s.is_unimodular == smooth


def test_published_pentagon():
    """max(3, 2x, −2+y, ½+2x+y, 2+x+3y, −1+3x+4y): SageMath reference manual, tropical_variety; five cells."""
    W = [[0, 0], [2, 0], [0, 1], [2, 1], [1, 3], [3, 4]]
    p = Polynomial(W, np.array([Fraction(v) for v in (3, 0, -2, Fraction(1, 2), 2, -1)], dtype=object))
    s = p.subdivision()
    assert {tuple(x) for x in s.vertices.tolist()} == {
        (3, Fraction(-1, 2)), (Fraction(3, 2), Fraction(-1, 2)), (Fraction(13, 10), Fraction(-1, 10)),
        (-14, 5), (Fraction(3, 2), 0),
    }  # fmt: skip
    assert len(s.cells) == 5
    assert sorted(e.lattice_length for e in s.edges) == [1] * 9 + [2]


@pytest.mark.parametrize("d", [1, 2, 5, 10, 20])
def test_dense_curves(d):
    """Smooth curves of degree d have d² vertices and 3d(d+1)/2 edges, (d−1)(d−2)/2 of them independent cycles."""
    s = dense(d).subdivision()
    bounded = s.adjacency.number_of_edges()
    assert (len(s.cells), len(s.edges), s.is_unimodular) == (d * d, 3 * d * (d + 1) // 2, True)
    assert bounded - len(s.cells) + 1 == (d - 1) * (d - 2) // 2
    assert len(s.essential) == (d + 1) * (d + 2) // 2


def test_published_surface():
    """min(x, y, z, 2x, 1): two maximal cells, nine edges of length 1; polymake's tutorial."""
    p = Polynomial([[1, 0, 0], [0, 1, 0], [0, 0, 1], [2, 0, 0], [0, 0, 0]], [0, 0, 0, 0, 1], MIN)
    s = p.subdivision()
    assert sorted(s.vertices.tolist()) == [[0, 0, 0], [1, 1, 1]]
    assert len(s.cells) == 2
    assert [e.lattice_length for e in s.edges] == [1] * 9


def test_double_line():
    """x² ⊕ xy ⊕ y² is one line of weight 2: a Newton polytope of dimension 1 and invariance along (1, 1)."""
    s = Polynomial([[2, 0], [1, 1], [0, 2]], [0, 0, 0]).subdivision()
    assert (s.dim, s.cells, s.volumes, s.cell_vertices) == (1, ((0, 1, 2),), (2,), ((2, 0),))
    assert s.lineality.tolist() == [[1, 1]]
    (edge,) = s.edges
    assert (edge.monomials, edge.vertices, edge.lattice_length) == ((0, 1, 2), (0, 2), 2)
    assert (s.is_triangulation, s.is_unimodular) == (False, False)


# ---- degenerate and bad input ------------------------------------------------------------------------


@settings(max_examples=20)
@given(st.integers(0, 10**6))
def test_lower_dimensional_polytopes(seed):
    """A polynomial of A·x for an embedding A has the cells and volumes of the polynomial itself."""
    rng = np.random.default_rng(seed)
    W, b = rng.integers(0, 3, size=(8, 2)), rng.integers(-2, 3, size=8)
    inner = Polynomial(W, b).subdivision()
    A = np.column_stack(
        [rng.integers(-2, 3, size=(2, 1)), np.eye(2, dtype=int), rng.integers(-2, 3, size=(2, 1))]
    )
    p = Polynomial(exactly(W @ A + [1, 2, 3, 4]), exactly(b))
    s = p.subdivision()
    assert (s.dim, s.cells, s.volumes) == (inner.dim, inner.cells, inner.volumes)
    assert sorted((e.vertices, e.lattice_length) for e in s.edges) == sorted(
        (e.vertices, e.lattice_length) for e in inner.edges
    )
    assert len(s.lineality) == 4 - s.dim
    for cell, x in zip(s.cells, s.vertices, strict=True):
        for along in (np.zeros(4, int), *s.lineality):  # the hypersurface is invariant
            terms = (p.slopes @ (x + along) + p.coefficients).tolist()
            assert cell == tuple(i for i, v in enumerate(terms) if v == max(terms))


def test_few_monomials():
    one = Polynomial([[1, 2], [1, 2], [1, 2]], [3, 5, 5]).subdivision()
    assert (one.dim, one.cells, one.vertices.tolist(), one.values.tolist()) == (0, ((1, 2),), [[0, 0]], [5])
    assert (one.edges, one.ridges, one.essential, one.volumes) == ((), (), (1,), (1,))
    none = Polynomial(np.zeros((0, 2)), []).subdivision()
    assert (none.dim, none.cells, none.vertices.shape, none.edges, none.essential) == (-1, (), (0, 2), (), ())
    zero = Polynomial([[0, 0], [1, 0], [0, 1]], [-math.inf, 1, 2]).subdivision()
    assert (zero.dim, zero.cells) == (1, ((1, 2),))
    constant = Polynomial(np.zeros((2, 0)), [1, 2]).subdivision()
    assert (constant.cells, constant.vertices.shape) == (((1,),), (1, 0))


def test_rounding_decides_nothing():
    """A ridge that bends by 2^−60 is a ridge, and one that does not is none."""
    W = [[0, 0], [1, 0], [0, 1], [1, 1]]
    flat = Polynomial(exactly(W), exactly([0, 1, 1, 2])).subdivision()
    assert flat.cells == ((0, 1, 2, 3),)
    bent = Polynomial(exactly(W), exactly([0, 1, 1, 2]) - [0, 0, 0, Fraction(1, 2**60)]).subdivision()
    assert bent.cells == ((0, 1, 2), (1, 2, 3))
    far = 2.0**52 + np.array([0, 1, 1, 2])
    assert Polynomial(W, far).subdivision().cells == ((0, 1, 2, 3),)
    assert Polynomial(W, far - [0, 0, 0, 1]).subdivision().cells == ((0, 1, 2), (1, 2, 3))
    third = Polynomial([[0], [3]], [0.0, 1.0]).subdivision()
    assert third.vertices.tolist() == [[-1 / 3]]


@pytest.mark.parametrize("name", ["nothing", "hull without corners", "flat and doubled"])
def test_bad_proposals_are_refused(name, monkeypatch):
    """Whatever floats propose, the cells are the right ones."""

    def proposals(points):
        simplices = next(iter(original(points)))
        if name == "hull without corners":
            yield simplices[1:]
        elif name == "flat and doubled":
            yield np.concatenate([simplices, simplices])
            yield simplices[:, [0, 0, 1]]

    original = _regular._proposals
    rng = np.random.default_rng(1)
    grid = np.array(list(itertools.product(range(6), repeat=2)))
    polynomials = [
        Polynomial(grid, b)
        for b in (rng.integers(0, 3, size=36), -(grid**2).sum(axis=1), np.zeros(36), rng.normal(size=36))
    ]
    want = [p.subdivision().cells for p in polynomials]
    monkeypatch.setattr(_regular, "_proposals", proposals)
    assert [p.subdivision().cells for p in polynomials] == want


@pytest.mark.parametrize("d", [2, 3])
@pytest.mark.parametrize("seed", range(10))
def test_points_located_and_looked_at_one_by_one(seed, d, monkeypatch):
    """Points below or on the hull, by a walk to their simplex and against all planes."""
    p = Polynomial(*random_terms(seed, d, 150))
    want = p.subdivision()
    monkeypatch.setattr(_regular, "_FEW", -1)
    assert p.subdivision().cells == want.cells
    monkeypatch.setattr(_regular, "_walk", lambda base, simplices, *rest: np.zeros(len(rest[-1]), int))
    assert p.subdivision().cells == want.cells


@settings(max_examples=20)
@given(st.integers(0, 10**6))
def test_large_grids(seed):
    """Separable bowls on a grid have squares alone; a tent has its four sides; volumes add up."""
    n = int(np.random.default_rng(seed).integers(2, 30))
    grid = np.array(list(itertools.product(range(n + 1), repeat=2)))
    s = Polynomial(grid, -(grid**2).sum(axis=1)).subdivision()
    assert len(s.cells) == n * n and {len(cell) for cell in s.cells} == {4}
    assert set(s.volumes) == {2}
    tent = Polynomial(2 * grid - n, -np.abs(2 * grid - n).max(axis=1)).subdivision()
    assert len(tent.cells) == (4 if n % 2 == 0 else 5)
    assert sum(tent.volumes) == 8 * n * n


def test_plot():
    p = Polynomial([[0, 0], [2, 0], [0, 2], [1, 0], [0, 1]], [0, 0, 0, 0, -1])
    ax = p.subdivision().plot()
    assert len(ax.lines) == 3
    assert [len(c.get_offsets()) for c in ax.collections] == [3, 1, 1]
    with pytest.raises(InputError, match=r"R\^1; plot draws d = 2"):
        Polynomial([[0], [1]], [0, 0]).subdivision().plot()


def test_bad_input():
    p = Polynomial([[0.0], [1.0]], [0, 0])
    with pytest.raises(InputError, match=r"needs eps = 0, got 0\.5"):
        p.deform(0.5).subdivision()
    with pytest.raises(InputError, match=r"coefficients\[1\] is inf"):
        Polynomial([[0.0], [1.0]], [0, math.inf]).subdivision()
    with pytest.raises(InputError, match=r"coefficients\[0\] is -inf"):
        Polynomial([[0.0], [1.0]], [-math.inf, 0], MIN).subdivision()
    rng = np.random.default_rng(0)
    with pytest.raises(BudgetExceeded, match="in 6 dimensions"):
        Polynomial(rng.normal(size=(5000, 5)), rng.normal(size=5000)).subdivision()
