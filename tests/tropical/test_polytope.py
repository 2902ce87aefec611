"""Polytopes and mixed volumes, against SciPy, brute force in Fractions, Pick, Bézout and published counts."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull

from tropical import MIN_PLUS, BudgetExceeded, InputError, Polynomial, Polytope, ShapeError, mixed_volume
from tropical._convex_hull import beneath_beyond, convex_hull
from tropical._lattice import IntegerPoints

SIMPLEX = [[0, 0], [1, 0], [0, 1]]


def exactly(points):
    return np.array(
        [[Fraction(v) for v in row] for row in np.array(points, dtype=object).tolist()], dtype=object
    )


def random_points(seed, d):
    """Generic, with many points on common faces, repeated, on a sphere, of widely different sizes."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(d + 2, 14))
    points = [
        rng.normal(size=(n, d)),
        rng.integers(0, 3, size=(n, d)).astype(float),
        rng.integers(-1, 2, size=(n, d)) * 10.0 ** rng.integers(-8, 8, size=d),
        rng.normal(size=(n, d)) * 10.0 ** rng.integers(-12, 12, size=(n, 1)),
    ][seed % 4]
    points[-1] = points[0]
    return points


def supporting(points):
    """Facets by brute force: the sets of points on hyperplanes through d of them that have all on one side."""
    X = exactly(points)
    d = X.shape[1]
    found = set()
    for chosen in itertools.combinations(range(len(X)), d):
        rows = [X[i] - X[chosen[0]] for i in chosen[1:]]
        normal = [
            (-1) ** k * determinant([[row[c] for c in range(d) if c != k] for row in rows]) for k in range(d)
        ]
        if not any(normal):
            continue
        side = [sum(a * b for a, b in zip(normal, x - X[chosen[0]], strict=True)) for x in X]
        if min(side) >= 0 or max(side) <= 0:
            found.add(frozenset(i for i, s in enumerate(side) if s == 0))
    return found


def determinant(rows):
    if not rows:
        return Fraction(1)
    return sum(
        (-1) ** k * rows[0][k] * determinant([r[:k] + r[k + 1 :] for r in rows[1:]]) for k in range(len(rows))
    )


@settings(max_examples=50)
@given(st.integers(0, 10**6), st.sampled_from([1, 2, 3]))
@example(1, 3)
@example(2, 3)
def test_against_brute_force(seed, d):
    points = random_points(seed, d)
    P = Polytope(points)
    if P.dim < d:
        assert P.volume == 0
        return
    facets = supporting(points)
    distinct = {tuple(p): i for i, p in reversed(list(enumerate(points.tolist())))}
    on = {frozenset(tuple(points[i]) for i in facet) for facet in facets}
    vertices = {
        v for v in distinct if frozenset.intersection(*[f for f in on if v in f] or [frozenset()]) == {v}
    }
    assert sorted(map(tuple, P.vertices.tolist())) == sorted(vertices)
    assert {frozenset(tuple(P.vertices[i].tolist()) for i in f) for f in P.facets} == {
        f & vertices for f in on
    }
    G, h = Polytope(exactly(points)).halfspaces
    assert len(G) == len(on)
    assert ((exactly(points) @ G.T) <= h).all()
    for row in G:
        assert math.gcd(*(int(v) for v in row)) == 1
    if seed % 4 != 3:
        assert math.isclose(P.volume, ConvexHull(points).volume if d > 1 else np.ptp(points), rel_tol=1e-9)


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from([3, 4]))
def test_beneath_beyond_in_any_order(seed, D):
    """The volume and the planes do not depend on the order, and floats, Fractions and a shifted copy agree."""
    rng = np.random.default_rng(seed)
    points = IntegerPoints(rng.integers(0, 3, size=(16, D)).astype(float))
    if np.linalg.matrix_rank(points.integers - points.integers[0]) < D:
        return

    def summary(simplices, planes):
        rows = np.column_stack([planes.normal, planes.offset]).tolist()
        reduced = {tuple(v // math.gcd(*row) for v in row) for row in rows}
        return reduced, sum((planes.offset - planes.normal @ points.integers[0]).tolist())

    want = summary(*convex_hull(points))
    assert summary(*beneath_beyond(points, rng.permutation(16))) == want
    signs = beneath_beyond(points, rng.permutation(16))[1].all_signs(points, np.arange(16))
    assert (signs <= 0).all()


def test_rounding_hides_a_vertex():
    """Points that bend a line by less than one unit in the last place of qhull's arithmetic."""
    x = np.arange(50.0)
    bent = np.column_stack([x, 2.0**52 + np.where((x == 0) | (x == 49), 0, 1)])
    assert sorted(Polytope(bent).vertex_indices.tolist()) == [0, 1, 48, 49]
    tiny = exactly([[0, 0], [1, 0], [2, 0], [1, -1]])
    tiny[1, 1] = Fraction(1, 10**40)
    assert len(Polytope(tiny).vertices) == 4
    tiny[1, 1] = Fraction(-1, 10**40)
    assert len(Polytope(tiny).vertices) == 3
    for power in (40, 120, 200):  # the filter's products overflow, then the normals, then the points
        corner = Polytope(exactly([[0, 0, 0], *(10**power * np.eye(3, dtype=int).astype(object)), [1, 1, 1]]))
        assert (corner.lattice_volume, len(corner.vertices)) == (10 ** (3 * power), 4)
    huge = exactly([[0, 0], [10**400, 0], [0, 10**400], [10**400, 10**400 + 1]])
    assert Polytope(huge).volume == Fraction(2 * 10**800 + 10**400, 2)


@pytest.mark.parametrize("exact", [False, True])
def test_unit_cube(exact):
    corners = np.array(list(itertools.product([0.0, 1.0], repeat=3)))
    P = Polytope(exactly(corners) if exact else corners)
    assert (P.dim, P.volume, P.lattice_volume) == (3, 1, 6)
    assert isinstance(P.volume, Fraction if exact else float)
    assert (len(P.vertices), len(P.edges), len(P.facets)) == (8, 12, 6)
    assert all(len(f) == 4 for f in P.facets)
    assert all(np.abs(P.vertices[i] - P.vertices[j]).sum() == 1 for i, j in P.edges)
    assert P.contains([[0.5, 0.5, 1.0], [0.5, 0.5, 1.0 + 2.0**-52]]).tolist() == [True, False]


def test_lower_dimensional():
    """A triangle in the plane x = y of R^3, whose lattice has the basis (1, 1, 0), (0, 0, 1)."""
    P = Polytope([[0, 0, 0], [1, 1, 0], [2, 2, 4], [1, 1, 1]])
    assert (P.dim, P.volume, P.lattice_volume) == (2, 0, 4)
    assert P.contains([[1, 1, 1], [1, 1, 2], [1, 1, 3], [1, 2, 1]]).tolist() == [True, True, False, False]
    E, e = P.equations
    assert (P.points @ E.T == e).all()
    assert len(P.facets) == len(P.edges) == 3
    wide = Polytope(np.pad([[0, 0], [2, 4], [4, 2]], ((0, 0), (0, 62))))  # a plane of R^64
    assert (wide.dim, wide.lattice_volume) == (2, 12)
    halves = Polytope([[0, 0, 0], [2, 0, 1], [0, 2, 1]])  # the plane z = (x + y)/2, one point in two of Z²
    assert (halves.lattice_volume, halves.dim) == (2, 2)
    segment = Polytope([[0, 0], [4, 6], [2, 3]])
    assert (segment.dim, segment.lattice_volume, segment.facets, segment.edges) == (
        1,
        2,
        ((0,), (1,)),
        ((0, 1),),
    )
    point = Polytope([[1, 2], [1, 2]])
    assert (point.dim, point.volume, point.lattice_volume, len(point.vertices)) == (0, 0, 1, 1)
    assert point.contains([[1, 2], [1, 3]]).tolist() == [True, False]
    none = Polytope(np.zeros((0, 2)))
    assert (none.dim, none.volume, none.lattice_volume, none.facets, none.edges) == (-1, 0, 0, (), ())
    assert not none.contains([0, 0])
    assert Polytope(np.zeros((1, 0))).dim == 0


@settings(max_examples=40)
@given(st.integers(0, 10**6))
def test_pick(seed):
    """Area = interior + boundary/2 − 1 for lattice polygons, with the points counted by `contains`."""
    rng = np.random.default_rng(seed)
    P = Polytope(rng.integers(0, 6, size=(6, 2)))
    if P.dim < 2:
        return
    grid = np.array(list(itertools.product(range(6), repeat=2)))
    inside = P.contains(grid).sum()
    boundary = sum(math.gcd(*np.abs(P.vertices[i] - P.vertices[j]).astype(int)) for i, j in P.edges)
    assert P.volume == (inside - boundary) + boundary / 2 - 1


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.sampled_from([2, 3]))
def test_exact_equals_float_and_images_of_lattices(seed, d):
    """Fractions give what floats give; a saturated embedding of Z^d in Z^{d+2} keeps the lattice volume."""
    points = np.random.default_rng(seed).integers(0, 4, size=(8, d))
    P, E = Polytope(points), Polytope(exactly(points))
    assert P.vertices.tolist() == E.vertices.tolist()
    assert (P.volume, P.lattice_volume, P.facets) == (float(E.volume), E.lattice_volume, E.facets)
    rng = np.random.default_rng(seed + 1)
    shear = np.column_stack([points, points @ rng.integers(-3, 4, size=(d, 2))])
    assert Polytope(shear[:, rng.permutation(d + 2)]).lattice_volume == P.lattice_volume
    doubled = np.column_stack([2 * points, points])  # (2, 1) and the like are primitive
    assert Polytope(doubled).lattice_volume == P.lattice_volume


def test_newton_polytope_leaves_out_zeros():
    p = Polynomial([[0, 0], [1, 0], [0, 1], [5, 5]], [0, 1, 2, -math.inf])
    assert p.newton_polytope().vertices.tolist() == [[0, 0], [1, 0], [0, 1]]
    assert len(Polynomial(p.slopes, -p.coefficients, MIN_PLUS).newton_polytope().vertices) == 3


def test_mixed_volume_counts_zeros():
    """Bézout's and Bernstein's counts; D. Cox, J. Little, D. O'Shea, Using Algebraic Geometry, section 7.5."""
    for a, b in ((1, 1), (2, 3), (4, 5)):
        assert mixed_volume(Polytope(a * np.array(SIMPLEX)), Polytope(b * np.array(SIMPLEX))) == a * b
    P = Polytope([[3, 2], [1, 0], [0, 2], [0, 0]])  # x³y² + x + y² + 1 and x⁴y + xy² + 1
    Q = Polytope([[4, 1], [1, 2], [0, 0]])
    assert mixed_volume(P, Q) == 12  # the degree in x of the resultant of both for generic coefficients
    cubes = [Polytope(list(itertools.product([0, 1], repeat=4)))] * 4
    assert mixed_volume(*cubes) == math.factorial(4)
    segments = [Polytope([[0, 0, 0], row]) for row in ([2, 1, 0], [0, 3, 1], [1, 0, 5])]
    assert mixed_volume(*segments) == 31  # |det|
    p, q = Polynomial(SIMPLEX, [0, 0, 0]), Polynomial([[0, 0], [1, 1]], [0, 0])
    assert mixed_volume(p, q) == 2 * 1


@settings(max_examples=8)
@given(st.integers(0, 10**6), st.sampled_from([2, 3]))
def test_mixed_volume_laws(seed, d):
    """Symmetric, linear in each polytope, d! vol on the diagonal, monotone; halves give halves."""
    rng = np.random.default_rng(seed)
    P, Q, R, *rest = (Polytope(rng.integers(-2, 3, size=(5, d))) for _ in range(d + 1))
    others = [R, *rest][: d - 1]
    assert mixed_volume(P, *others) == mixed_volume(*others[::-1], P)
    assert mixed_volume(P + Q, *others) == mixed_volume(P, *others) + mixed_volume(Q, *others)
    assert mixed_volume(*[P] * d) == round(math.factorial(d) * P.volume)
    both = Polytope(np.concatenate([P.points, Q.points]))
    assert mixed_volume(both, *others) >= mixed_volume(P, *others)
    half = Polytope(exactly(P.points) / 2)
    assert mixed_volume(half, *others) == Fraction(mixed_volume(P, *others), 2)


def test_minkowski_sum():
    triangle, square = Polytope(SIMPLEX), Polytope(list(itertools.product([0, 1], repeat=2)))
    total = triangle + square
    assert (total.volume, len(total.vertices)) == (3.5, 5)
    assert isinstance((total + Polytope(exactly(SIMPLEX))).volume, Fraction)


def test_plot():
    ax = Polytope(SIMPLEX).plot()
    assert len(ax.patches) == 1
    assert ax.patches[0].get_xy()[:3].tolist() == Polytope(SIMPLEX).vertices.tolist()
    with pytest.raises(InputError, match=r"R\^3; plot draws d = 2"):
        Polytope(np.eye(3)).plot()


def test_bad_input():
    with pytest.raises(ShapeError, match=r"shape \(3,\); pass points"):
        Polytope([1.0, 2, 3])
    with pytest.raises(InputError, match=r"points\[1, 0\] is inf"):
        Polytope([[0.0, 0], [math.inf, 0]])
    with pytest.raises(InputError, match="x must be finite"):
        Polytope(SIMPLEX).contains([math.nan, 0])
    with pytest.raises(ShapeError, match="2 polytopes in R\\^3; pass 3"):
        mixed_volume(Polytope(np.eye(3)), Polytope(np.eye(3)))
    with pytest.raises(ShapeError, match="give all the same"):
        mixed_volume(Polytope(np.eye(3)), Polytope(SIMPLEX))
    with pytest.raises(ShapeError, match="got no polytopes"):
        mixed_volume()
    with pytest.raises(BudgetExceeded, match="convex hull of 5,000 points in 8 dimensions"):
        Polytope(np.random.default_rng(0).normal(size=(5000, 8))).volume  # noqa: B018
    with pytest.raises(BudgetExceeded, match="Minkowski sum: 16,000,000"):
        t = np.linspace(0, 2 * math.pi, 4000, endpoint=False)
        circle = Polytope(np.column_stack([np.cos(t), np.sin(t)]))
        _ = circle + circle
    with pytest.raises(BudgetExceeded, match="mixed volume"):
        mixed_volume(*[Polytope(np.eye(11))] * 11)
