"""Linear regions: laws, against the network itself, linear programs, Whitney's theorem and scipy's hulls."""

import itertools
from fractions import Fraction
from math import comb

import networkx as nx
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull

from tropical import Box, Circuit, Slice, essential, linear_regions

SHAPES = [[1, 3, 2, 1], [2, 4, 1], [2, 3, 3, 1], [2, 2, 2, 2, 2], [3, 4, 1], [3, 3, 2, 1], [4, 4, 2, 1]]


@st.composite
def layered(draw, shapes=SHAPES, low=-2, high=2, zero_bias=False):
    """Weights so small that parallel, equal, concurrent and dead units are common."""
    shape = draw(st.sampled_from(shapes))
    number = st.integers(low, high)
    return [
        (
            [[draw(number) for _ in range(a)] for _ in range(b)],
            [0 if zero_bias else draw(number) for _ in range(b)],
        )
        for a, b in itertools.pairwise(shape)
    ]


def rational_points(seed, d, count=8):
    rng = np.random.default_rng(seed)
    return [
        [Fraction(int(p), int(q)) for p, q in rng.integers(1, 200, (d, 2)) - [100, 0]] for _ in range(count)
    ]


@settings(max_examples=40)
@given(layered(), st.integers(0, 2**32))
def test_regions_cover_the_space_and_carry_the_network(networks, layers, seed):
    """At random points: the region that `locate` gives, and no region with other signs, holds the point."""
    regions = linear_regions(networks.rails(layers))
    d = regions.variables
    for x in [*rational_points(seed, d), [Fraction(0)] * d, [Fraction(1)] * d]:
        home = regions.locate(x)
        assert home >= 0
        region = regions[home]
        assert x in region
        assert list(region.slope @ np.array(x) + region.intercept) == networks.forward(layers, x)
        inside = [r for r in regions if x in r]
        assert region.number in [r.number for r in inside]
        values = [tuple(r.slope @ np.array(x) + r.intercept) for r in inside]
        assert len(set(values)) == 1  # continuous across boundaries
        if len(inside) > 1:
            G, h = region.halfspaces
            assert (G @ np.array(x) == h).any()  # closures meet only in their boundaries


@settings(max_examples=40)
@given(layered(), st.integers(0, 2**32))
def test_witnesses_vertices_and_facets(networks, layers, seed):
    regions = linear_regions(networks.rails(layers))
    for k, region in enumerate(regions):
        G, h = region.halfspaces
        assert (G @ region.witness < h).all()
        assert regions.locate(region.witness) == k
        for vertex in region.vertices:
            slack = h - G @ vertex
            assert (slack >= 0).all() and (slack == 0).sum() >= regions.variables
        for direction in region.directions:
            assert (G @ direction <= 0).all()


@settings(max_examples=30)
@given(layered())
def test_neighbours_share_a_facet(networks, layers):
    """Each edge: one facet of each side, on one hyperplane; the affine maps agree on it and nowhere else."""
    regions = linear_regions(networks.rails(layers))
    graph, d = regions.graph, regions.variables
    facets = sum(len(region.halfspaces[1]) for region in regions)
    assert facets == 2 * graph.number_of_edges()  # without a domain no facet is without a neighbour
    assert nx.is_connected(graph)
    for a, b in graph.edges:
        rows = [
            {(*g, c) for g, c in zip(G.tolist(), h.tolist(), strict=True)}
            for G, h in (regions[a].halfspaces, regions[b].halfspaces)
        ]
        common = rows[0] & {tuple(-v for v in row) for row in rows[1]}
        (*normal, offset) = next(iter(common))
        plane = [*normal, -offset]
        jump = np.column_stack(
            [regions[a].slope - regions[b].slope, regions[a].intercept - regions[b].intercept]
        )
        for row in jump:
            assert all(row[i] * plane[j] == row[j] * plane[i] for i in range(d + 1) for j in range(d + 1))


@settings(max_examples=25)
@given(layered([[1, 3, 1], [2, 3, 1], [2, 3, 2, 1], [3, 3, 1], [3, 2, 2, 1]], -3, 3))
def test_patterns_against_linear_programs(networks, layers):
    regions = linear_regions(networks.rails(layers))
    if any(len(region.signs) and (region.signs == 0).any() for region in regions):
        return  # a unit that is 0 on a region has no sign there, and the oracle wants one
    assert {tuple(region.signs.tolist()) for region in regions} == networks.patterns_by_programs(layers)


@settings(max_examples=50)
@given(st.integers(1, 4), st.integers(1, 6), st.integers(0, 2**32))
@example(2, 6, 12)
def test_degenerate_arrangements_against_whitney(networks, d, n, seed):
    rng = np.random.default_rng(seed)
    normals, offsets = rng.integers(-1, 2, (n, d)).tolist(), rng.integers(-1, 2, n).tolist()
    x = Circuit.identity(d, exact=True)
    regions = linear_regions(x.affine(normals, offsets) + 0)
    assert len(regions) == networks.arrangement_count(normals, offsets)
    assert len(regions) <= sum(comb(n, i) for i in range(d + 1))


@settings(max_examples=20)
@given(layered([[2, 4, 1], [2, 3, 2, 1], [3, 3, 1], [3, 2, 2, 1]]))
def test_volumes_of_a_box_add_up(networks, layers):
    d = len(layers[0][0][0])
    box = Box(-3, [Fraction(5, 2)] * d)
    regions = linear_regions(networks.rails(layers), box)
    assert sum(region.volume for region in regions) == Fraction(11, 2) ** d
    for region in regions:
        if d > 1:
            hull = ConvexHull(region.vertices.astype(float))
            assert hull.volume == pytest.approx(float(region.volume), rel=1e-9)
            assert len(hull.vertices) == len(region.vertices)


@settings(max_examples=30)
@given(layered([[1, 2, 2, 1], [2, 3, 1], [2, 2, 2, 1], [3, 3, 1]]), st.integers(0, 2**32))
def test_essential_monomials_against_expansion(networks, layers, seed):
    """P is its essential monomials, of which none can go, and they are among those of the expansion."""
    f = networks.rails(layers)
    regions = linear_regions(f)
    for part, whole in zip(essential(f), (f.P, f.Q), strict=True):
        expanded = whole.expand(10**6)
        rows = {(*s, c) for s, c in zip(part.slopes.tolist(), part.coefficients.tolist(), strict=True)}
        assert len(rows) == len(part)
        assert rows <= {
            (*s, c) for s, c in zip(expanded.slopes.tolist(), expanded.coefficients.tolist(), strict=True)
        }
        points = rational_points(seed, regions.variables) + [region.witness.tolist() for region in regions]
        assert (part(points) == expanded(points)).all()
        # on the witness of each region one monomial wins alone, and each wins on some
        z = np.array([part.slopes @ region.witness + part.coefficients for region in regions])
        alone = (z == z.max(axis=1, keepdims=True)).sum(axis=1)
        assert (alone == 1).all()
        assert set(z.astype(float).argmax(axis=1)) == set(range(len(part)))


@settings(max_examples=20)
@given(layered([[3, 3, 1], [3, 2, 2, 1], [4, 3, 1]]), st.integers(0, 2**32))
def test_a_slice_is_the_restriction(networks, layers, seed):
    d = len(layers[0][0][0])
    rng = np.random.default_rng(seed)
    origin, directions = rng.integers(-3, 4, d), np.eye(d, dtype=int)[:2] + rng.integers(0, 2, (2, d))
    if np.linalg.matrix_rank(directions) < 2:
        return
    f = networks.rails(layers)
    flat = linear_regions(f, Slice(origin, directions))
    for region in flat:
        s = region.witness
        x = [Fraction(int(o)) + v for o, v in zip(origin, s @ directions, strict=True)]
        assert list(region.slope @ s + region.intercept) == networks.forward(layers, x)
    assert len(flat) <= len(linear_regions(f))


@settings(max_examples=20)
@given(st.sampled_from([[2, 5, 1], [2, 4, 3, 1], [3, 4, 2, 1]]), st.integers(0, 2**32))
def test_floats_are_taken_exactly(networks, shape, seed):
    """A float circuit has the regions of its Fractions, whatever its weights are."""
    rng = np.random.default_rng(seed)
    layers = [(rng.normal(size=(b, a)), rng.normal(size=b)) for a, b in itertools.pairwise(shape)]
    exact = linear_regions(networks.rails([(W.tolist(), b.tolist()) for W, b in layers]))
    x = Circuit.identity(shape[0])
    hidden = x.affine(*layers[0]) + 0
    single = linear_regions(hidden)
    assert len(single) <= len(exact)
    again = linear_regions(Circuit.identity(shape[0], exact=True).affine(*layers[0]) + 0)
    assert [r.signs.tolist() for r in single] == [r.signs.tolist() for r in again]
    assert all((a.witness == b.witness).all() for a, b in zip(single, again, strict=True))
    assert len(exact) <= networks.serra_bound(shape[0], shape[1:-1])


@pytest.mark.parametrize("shape", [[2, 6, 6, 1], [3, 5, 4, 1]])
def test_kinds_get_coarser(networks, shape):
    regions = linear_regions(networks.rails(networks.seeded(shape, 3)))
    labels = [regions.labels(kind) for kind in ("activation", "convex", "open", "closed", "maps")]
    for fine, coarse in itertools.pairwise(labels):
        of = dict(zip(fine.tolist(), coarse.tolist(), strict=True))
        assert [of[k] for k in fine.tolist()] == coarse.tolist()
    maps = {(*r.slope.ravel(), *r.intercept) for r in regions}
    assert len(maps) == regions.count("affine")


def test_euler_characteristic_of_the_plane(networks):
    """V − E + F = 1 for a complex of unbounded cells in the plane: rays count as edges without an end."""
    regions = linear_regions(networks.rails(networks.seeded([2, 6, 4, 1])))
    corners = {tuple(v) for region in regions for v in region.vertices.tolist()}
    assert len(corners) - regions.graph.number_of_edges() + len(regions) == 1
