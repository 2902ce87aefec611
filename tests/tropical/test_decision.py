"""Decision regions, extrema and pictures from linear regions."""

from fractions import Fraction
from itertools import pairwise
from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from tropical import (
    MIN_PLUS,
    Box,
    Circuit,
    InputError,
    Polynomial,
    Rational,
    Slice,
    decision_regions,
    linear_regions,
    maximize,
    minimize,
    variables,
)


def test_three_linear_scores():
    """max(x, y, 0): three sectors, three rays of boundary from the origin."""
    x = Circuit.identity(2, exact=True)
    decided = decision_regions(x.affine([[1, 0], [0, 1], [0, 0]]))
    assert decided.components() == {0: 1, 1: 1, 2: 1}
    assert decided([[1, 0], [0, 1], [-1, -1]]).tolist() == [0, 1, 2]
    pieces = decided.facets()
    assert sorted(tuple(ray) for _, rays in pieces for ray in rays.tolist()) == [(-1, 0), (0, -1), (1, 1)]
    assert all(corners.tolist() == [[0, 0]] for corners, _ in pieces)


def test_two_islands():
    """1 − |x ± 3| − |y| against 0: two diamonds of one class in the other."""
    x = Circuit.identity(2, exact=True)

    def absolute(row, shift=0):
        return x.affine([row], [shift]) + x.affine([[-a for a in row]], [-shift])

    near, far = (absolute([1, 0], s) * absolute([0, 1]) for s in (3, -3))
    # 1 − min(near, far) = 1 + max(near, far) − near − far
    score = Rational((near + far) * 1, near * far)
    zero = score / score
    both = Rational(
        score.P.affine([[1], [0]]) * zero.P.affine([[0], [1]]),
        score.Q.affine([[1], [0]]) * zero.Q.affine([[0], [1]]),
    )
    decided = decision_regions(both)
    assert decided.components() == {0: 2, 1: 1}
    area = sum(region.volume for region, c in zip(decided.regions, decided.classes, strict=True) if c == 0)
    assert area == 4
    corners = {tuple(v) for vertices, _ in decided.facets() for v in vertices.tolist()}
    assert corners >= {(-4, 0), (-2, 0), (-3, 1), (-3, -1), (4, 0), (2, 0), (3, 1), (3, -1)}


@settings(max_examples=20)
@given(st.integers(0, 2**32))
def test_classes_are_those_of_the_network(networks, seed):
    layers = networks.seeded([2, 4, 3], seed)
    decided = decision_regions(networks.rails(layers))
    rng = np.random.default_rng(seed)
    for x in rng.integers(-20, 20, (10, 2)).tolist() + [r.witness.tolist() for r in decided.regions]:
        scores = networks.forward(layers, x)
        assert scores[decided(x)] == max(scores)
    for (corners, rays), (a, b) in zip(decided.facets(), decided.boundary.edges, strict=True):
        assert len(corners) + len(rays) == 2  # a segment or a ray
        for corner in corners:
            scores = networks.forward(layers, corner.tolist())
            assert scores[decided.classes[a]] == scores[decided.classes[b]] == max(scores)


@settings(max_examples=20)
@given(st.sampled_from([[1, 4, 1], [2, 3, 3, 1], [3, 4, 1]]), st.integers(0, 2**32))
def test_extrema_in_a_box_against_linear_programs(networks, shape, seed):
    layers = networks.seeded(shape, seed)
    f, box = networks.rails(layers), Box(-2, 3)
    high, low = maximize(f, box), minimize(f, box)
    assert networks.forward(layers, high.point.tolist()) == [high.value]
    assert networks.forward(layers, low.point.tolist()) == [low.value]
    assert high.direction is None
    best = []
    for region in linear_regions(f, box):
        G, h = region.halfspaces
        slope = region.slope[0].astype(float)
        values = [
            linprog(s * slope, G.astype(float), h.astype(float), bounds=(None, None)).fun for s in (-1, 1)
        ]
        best.append([region.intercept[0] - values[0], region.intercept[0] + values[1]])
    assert float(max(b[0] for b in best)) == pytest.approx(float(high.value), abs=1e-7)
    assert float(min(b[1] for b in best)) == pytest.approx(float(low.value), abs=1e-7)


def test_unbounded_extrema(networks):
    p = Polynomial([[1, 0], [0, 1]], [0, 5])
    top, bottom = maximize(p), minimize(p)
    assert (top.value, bottom.value) == (inf, -inf)
    step = bottom.point + bottom.direction
    assert p(step) < p(bottom.point)
    assert minimize(p / p).value == 0
    ridge = maximize(Circuit.identity(2) + 0, Slice([0, 0], [[1, 1]], Box(-1, 7)), output=1)
    assert (ridge.value, ridge.point.tolist()) == (7, [7])
    along = minimize(Circuit.identity(3, exact=True).affine([[1, 1, 0]]) + 0)  # constant along lines
    assert along.value == 0
    with pytest.raises(InputError, match="partial"):
        maximize(p, partial=True)
    with pytest.raises(InputError, match="output 1 of 1"):
        maximize(p, output=1)


@pytest.mark.parametrize("kind", ["circuit", "rational", "polynomial", "min"])
def test_one_score_decides_by_its_sign(kind):
    """Class 1 where f > 0; a tie, here a whole line, is of class 0."""
    x, y = variables(2)
    f = {
        "circuit": (Circuit.identity(2) + 0).affine([[2, 1]], [-1]),
        "rational": (x**2 + y) / (x + 1),
        "polynomial": x + y + -1,
        "min": Polynomial([[1, 0], [0, 2]], [0, -1], MIN_PLUS),
    }[kind]
    points = np.random.default_rng(0).normal(size=(300, 2)) * 2
    values = np.ravel(f(points))
    assert 20 < (values > 0).sum() < 280
    np.testing.assert_array_equal(decision_regions(f)(points), values > 0)


def test_a_tie_everywhere_is_of_the_first_class():
    assert decision_regions(Circuit.identity(1).affine([[0]])).components() == {0: 1}


def test_picture(networks, tmp_path):
    pytest.importorskip("matplotlib")
    regions = linear_regions(networks.rails(networks.seeded([2, 6, 4, 1])))
    ax = regions.plot(window=((-2, 2), (-3, 3)), kind="maps")
    (collection,) = ax.collections
    shapes = [path.vertices[:-1] for path in collection.get_paths()]
    assert len(shapes) == len(regions)

    def area(corners):
        return abs(sum(a[0] * b[1] - a[1] * b[0] for a, b in pairwise([*corners, corners[0]]))) / 2

    for shape, region in zip(shapes, regions, strict=True):
        if region.is_bounded:
            assert area(shape) == pytest.approx(float(region.volume), rel=1e-9)
    # together they cover the window: each point of a grid lies in one polygon
    from matplotlib.path import Path

    grid = np.stack(np.meshgrid(np.linspace(-1.93, 1.97, 9), np.linspace(-2.91, 2.87, 9)), -1).reshape(-1, 2)
    inside = sum(Path(shape).contains_points(grid).astype(int) for shape in shapes)
    assert (inside == 1).all()
    ax.figure.savefig(tmp_path / "regions.png")
    assert (tmp_path / "regions.png").stat().st_size > 1000
    with pytest.raises(InputError, match="3 variables"):
        linear_regions(Circuit.identity(3) + 0).plot()
    assert len(linear_regions(Circuit.identity(2)).plot().collections) == 1


def test_picture_of_classes(networks, tmp_path):
    pytest.importorskip("matplotlib")
    layers = networks.seeded([2, 5, 3])
    decided = decision_regions(networks.rails(layers))
    ax = decided.plot(window=((-2, 2), (-3, 3)), names="abc")
    faces, lines = ax.collections
    assert len(faces.get_paths()) == len(decided.regions)
    assert len({tuple(c) for c in faces.get_facecolors()}) == len(decided.components()) == 3
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list("abc")
    segments = lines.get_segments()
    assert len(segments) == decided.boundary.number_of_edges()
    for segment in segments:
        scores = networks.forward(layers, [Fraction(v) for v in segment.mean(axis=0).tolist()])
        top = sorted(map(float, scores))
        assert top[-1] - top[-2] < 1e-9 * max(1, abs(top[-1]))
    ax.figure.savefig(tmp_path / "classes.png")
    assert decided.plot().get_xlim()[0] < decided.plot().get_xlim()[1]
    plane = decision_regions(
        Circuit.identity(2, exact=True).affine([[1, 0], [0, 0]])
    ).plot()  # one line, no vertex
    (segment,) = plane.collections[1].get_segments()
    assert (segment[:, 0] == 0).all() and segment[0, 1] * segment[1, 1] < 0
    with pytest.raises(InputError, match="3 variables"):
        decision_regions(Circuit.identity(3)).plot()
