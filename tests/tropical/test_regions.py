"""Linear regions: published examples and golden counts."""

from fractions import Fraction
from math import comb, inf

import numpy as np
import pytest

from tropical import (
    Box,
    BudgetExceeded,
    Circuit,
    InputError,
    Polyhedron,
    Polynomial,
    Semiring,
    ShapeError,
    Slice,
    essential,
    linear_regions,
    variables,
)
from tropical.circuit import soft_max

KINDS = ("activation", "convex", "open", "closed", "maps")

# L. Zhang, G. Naitzat, L.-H. Lim, "Tropical geometry of deep neural networks", ICML 2018, the example of section 6.
LIM = [
    ([[-1, 1], [1, -3], [1, 2], [-4, 1], [3, 2]], [1, -1, 2, 0, -2]),
    ([[1, 2, 1, -1, -3]], [0]),
]
LIM_G = {(1, 7): 0, (5, 6): 0, (10, 13): -6, (14, 12): -6}
LIM_H = {(4, 7): 1, (5, 9): 3, (6, 1): -1, (6, 8): 2, (7, 0): -2, (7, 3): 1, (8, 2): 0}


def monomials(p: Polynomial) -> dict:
    return {tuple(s): c for s, c in zip(p.slopes.tolist(), p.coefficients.tolist(), strict=True)}


def kinds(regions) -> list[int]:
    return [regions.count(kind) for kind in KINDS]


def shifted(p: Polynomial) -> set:
    """Monomials up to a common linear function, which P and Q may share."""
    low = p.slopes.min(axis=0)
    return {(*s, c) for s, c in zip((p.slopes - low).tolist(), p.coefficients.tolist(), strict=True)}


def test_the_example_of_zhang_naitzat_and_lim():
    """With G_1 = A⁻x, H_1 = A⁺x + b as in the paper, so that F and G are theirs and not up to a linear function."""
    x = Circuit.identity(2, exact=True)
    A, b = np.array(LIM[0][0]), LIM[0][1]
    H1, G1 = x.affine(np.maximum(A, 0), b), x.affine(np.maximum(-A, 0))
    F1 = H1 + G1
    a = np.array(LIM[1][0])
    plus, minus = np.maximum(a, 0), np.maximum(-a, 0)
    H, G = F1.affine(plus) * G1.affine(minus), G1.affine(plus) * F1.affine(minus)
    assert monomials(essential(H)) == LIM_H
    assert monomials(essential(G)) == LIM_G
    F, G = (H + G) / G, G
    P, Q = essential(F)
    together = LIM_H | LIM_G
    assert len(P) == 8 and monomials(Q) == LIM_G
    assert monomials(P).items() < together.items()
    assert len(linear_regions(H / G)) == 16
    assert len(linear_regions(F)) == 23
    points = [(0, 0), (1, 1), (-1, 2), (3, -1), (-2, -3)]
    assert P(points).tolist() == [3, 20, 16, 24, -16]
    assert Q(points).tolist() == [0, 20, 13, 24, -23]


def test_the_same_example_as_rails(networks):
    f = networks.rails(LIM, final_relu=True)
    P, Q = essential(f)
    assert (len(P), len(Q)) == (8, 4)
    assert len(linear_regions(f)) == 23
    assert len(linear_regions(networks.rails(LIM))) == 16


FAN = [[1, 0], [0, 1], [1, 1], [1, -1], [2, 1], [1, 2]]


@pytest.mark.parametrize(
    ("layers", "counts", "sizes"),
    [  # counts by KINDS; recomputed by hand from the arrangements
        ([([[1, -1], [0, 1], [0, -1]], [0] * 3), ([[1, 1, -1]], [0])], [4, 4, 2, 2, 2], (4, 2)),
        ([([[1, 0], [0, 1], [1, 1]], [0, 0, -1]), ([[1, 1, -2]], [0])], [7] * 5, (4, 2)),
        ([([[1, 0], [1, 0], [2, 0], [0, 1]], [0] * 4), ([[1, -1, 1, 1]], [0])], [4] * 5, (4, 2)),
        ([([[1, 0]] * 3 + [[0, 1]], [0, -1, -2, 0]), ([[1, -2, 1, 1]], [0])], [8, 8, 8, 8, 6], (6, 2)),
        ([(FAN, [0] * 6), ([[1] * 6], [0])], [12] * 5, (12, 1)),
    ],
    ids=["max", "ridge", "duplicates", "parallel", "fan"],
)
def test_small_networks(networks, layers, counts, sizes):
    f = networks.rails(layers)
    assert kinds(linear_regions(f)) == counts
    P, Q = essential(f)
    assert (len(P), len(Q)) == sizes


def test_the_maximum_of_two_numbers(networks):
    f = networks.rails([([[1, -1], [0, 1], [0, -1]], [0] * 3), ([[1, 1, -1]], [0])])
    P, Q = essential(f)
    # up to x_2, which this form has in neither: x2² ⊕ x2³ ⊕ x1x2 ⊕ x1x2² over x2 ⊕ x2²
    assert shifted(P) == shifted(Polynomial([[0, 2], [0, 3], [1, 1], [1, 2]], [0] * 4))
    assert shifted(Q) == shifted(Polynomial([[0, 1], [0, 2]], [0, 0]))


@pytest.mark.parametrize(
    ("k", "pieces", "sizes"),
    [(1, 3, (2, 2)), (2, 6, (4, 4)), (3, 10, (6, 8)), (4, 18, (10, 16)), (5, 34, (18, 32))],
)
def test_the_tent_map_composed(networks, k, pieces, sizes):
    """M. Telgarsky, "Benefits of depth in neural networks" (2016): 2^k slopes inside [0, 1], and two outside."""
    half = Fraction(1, 2)
    layers = [([[1], [1]], [0, -half])] + [([[2, -4], [2, -4]], [0, -half])] * (k - 1)
    f = networks.rails([*layers, ([[2, -4]], [0])])
    regions = linear_regions(f)
    assert len(regions) == pieces
    P, Q = essential(f)
    assert (len(P), len(Q)) == sizes
    inside = linear_regions(f, Box(0, 1))
    assert len(inside) == 2**k
    assert {abs(region.slope[0, 0]) for region in inside} == {2**k}
    assert {region.volume for region in inside} == {Fraction(1, 2**k)}


# regions, |P|, |Q|, distinct maps of networks.seeded(shape); P and Q by expansion and exact pruning, where that was
# possible, or by the same lemma in Fractions
SEEDED = [
    ([2, 4, 1], 11, 7, 2, 11),
    ([2, 8, 1], 37, 11, 11, 37),
    ([2, 32, 1], 513, 105, 168, 513),
    ([2, 3, 3, 1], 21, 6, 13, 21),
    ([2, 4, 4, 1], 33, 24, 13, 33),
    ([2, 6, 6, 1], 75, 36, 53, 75),
    ([2, 16, 16, 1], 481, 248, 319, 480),
    ([2, 32, 32, 1], 2054, 1095, 1233, 2050),
    ([2, 16, 16, 16, 1], 1334, 728, 1156, 1328),
    ([3, 16, 1], 693, 175, 42, None),
    ([3, 4, 4, 1], 79, 47, 26, None),
    ([3, 6, 6, 1], 263, 195, 66, None),
    ([4, 8, 1], 163, 16, 16, None),
    ([4, 4, 4, 1], 109, 30, 40, None),
    ([4, 8, 8, 1], 2755, 1147, 586, None),
]


@pytest.mark.parametrize(("shape", "regions", "p", "q", "maps"), SEEDED, ids=str)
def test_seeded_networks(networks, shape, regions, p, q, maps):
    f = networks.rails(networks.seeded(shape))
    found = linear_regions(f)
    assert len(found) == regions
    assert [len(part) for (part,) in found.monomials()] == [p, q]
    assert maps is None or found.count("maps") == maps
    assert len(found) <= networks.serra_bound(shape[0], shape[1:-1])
    facets = 2 * found.graph.number_of_edges() / len(found)
    assert facets <= 2 * shape[0]  # the average number of neighbours, as for arrangements


@pytest.mark.parametrize(
    ("shape", "count"),
    [([2, 10, 5, 1], 124), ([2, 16, 16, 1], 572), ([2, 32, 32, 1], 2268), ([4, 10, 10, 1], 7040)],
)
def test_networks_of_torch(networks, shape, count):
    """Counts on which an exact clipper, a splitter by linear programs and relucent 0.2 agree."""
    assert len(linear_regions(networks.rails(networks.torch_default(shape)))) == count


def breakpoints(layers) -> list[Fraction]:
    """Where a network of one variable bends: unit by unit, the zeros within each piece of what comes before it."""
    ends = [None]  # right end of each piece, None for infinity
    pieces = [[(Fraction(1), Fraction(0))]]
    for W, b in layers[:-1]:
        split_ends, split = [], []
        left = None
        for right, forms in zip(ends, pieces, strict=True):
            z = [
                (sum(Fraction(w) * p for w, (p, _) in zip(row, forms, strict=True)),
                 sum((Fraction(w) * q for w, (_, q) in zip(row, forms, strict=True)), Fraction(c)))
                for row, c in zip(W, b, strict=True)
            ]  # fmt: skip
            zeros = {-q / p for p, q in z if p}
            inner = sorted(x for x in zeros if (left is None or x > left) and (right is None or x < right))
            for start, end in zip([left, *inner], [*inner, right], strict=True):
                if start is None and end is None:
                    x = Fraction(0)
                else:
                    x = end - 1 if start is None else start + 1 if end is None else (start + end) / 2
                split.append([(p, q) if p * x + q > 0 else (Fraction(0), Fraction(0)) for p, q in z])
                split_ends.append(end)
            left = right
        ends, pieces = split_ends, split
    return ends[:-1]


@pytest.mark.parametrize("shape", [[1, 100, 1], [1, 24, 24, 1], [1, 8, 8, 8, 1]])
def test_one_variable(networks, shape):
    layers = networks.torch_default(shape)
    regions = linear_regions(networks.rails(layers))
    places = breakpoints(layers)
    assert len(regions) == len(places) + 1
    assert sorted({v for region in regions for (v,) in region.vertices.tolist()}) == places
    assert regions.graph.number_of_edges() == len(places)


def zero_bias(layers):
    return [(W, [0] * len(b)) for W, b in layers]


def test_networks_without_biases(networks):
    """All is homogeneous: cones, as many as regions on the faces of a box around the origin, counted without seams."""
    layers = zero_bias(networks.seeded([3, 6, 5, 1]))
    f = networks.rails(layers)
    regions = linear_regions(f)
    assert all(region.vertices.tolist() == [[0, 0, 0]] for region in regions)
    # of the same patterns there is a region on one of the faces at least
    seen = set()
    for axis, side in ((a, s) for a in range(3) for s in (-1, 1)):
        origin, others = [side * (i == axis) for i in range(3)], [k for k in range(3) if k != axis]
        directions = [[int(i == k) for i in range(3)] for k in others]
        face = linear_regions(f, Slice(origin, directions, within=Box(-1, 1)))
        seen |= {tuple(region.signs.tolist()) for region in face}
    assert {tuple(region.signs.tolist()) for region in regions} == seen


def test_units_that_repeat_others(networks):
    """Duplicates, opposites and constants of units of the first layer cut nothing more."""
    W, b = networks.seeded([3, 5, 1])[0]
    plain = [(W, b), ([[1, 2, 3, 4, 5]], [0])]
    twice = [
        (
            W + [[2 * w for w in row] for row in W] + [[-w for w in row] for row in W] + [[0, 0, 0]] * 2,
            b + [2 * c for c in b] + [-c for c in b] + [1, -1],
        ),
        ([[1] * 17], [0]),
    ]
    assert len(linear_regions(networks.rails(twice))) == len(linear_regions(networks.rails(plain)))


def test_bound_of_serra(networks):
    assert networks.serra_bound(2, [4, 4]) == 121
    assert networks.serra_bound(2, [4, 4, 4]) == 1331
    assert networks.serra_bound(3, [7]) == sum(comb(7, i) for i in range(4))


@pytest.mark.parametrize(("n", "d"), [(9, 1), (8, 2), (7, 3), (6, 4), (4, 6)])
def test_generic_arrangements(networks, n, d):
    """Schläfli: Σ_{i ≤ d} C(n, i); in general position, as points of the moment curve are."""
    normals = [[(k + 1) ** i for i in range(d)] for k in range(n)]
    layers = [(normals, [(k + 1) ** (d + 1) for k in range(n)]), ([[1] * n], [0])]
    regions = linear_regions(networks.rails(layers))
    assert len(regions) == sum(comb(n, i) for i in range(d + 1))
    bounded = sum(region.is_bounded for region in regions)
    assert bounded == (comb(n - 1, d) if n > d else 0)


def test_one_map_twice():
    """max(0, x, 2x − 2) − max(0, 2x − 2): 0 to the left, x up to 1, 2 − x up to 2, and 0 again."""
    f = Polynomial([0, 1, 2], [0, 0, -2]) / Polynomial([0, 2], [0, -2])
    regions = linear_regions(f)
    assert kinds(regions) == [4, 4, 4, 4, 3]
    assert sorted(v for region in regions for (v,) in region.vertices.tolist()) == [0, 0, 1, 1, 2, 2]
    assert regions[regions.locate([-1])].slope == regions[regions.locate([3])].slope == 0


def test_pieces_that_touch_in_a_point():
    """max(min(−x, y), 0) − max(min(x, −y), 0) is 0, −x and y, each on two opposite sectors that touch at the origin."""
    x = Circuit.identity(2, exact=True)
    low, high = x.affine([[-1, 0]]) + x.affine([[0, 1]]), x.affine([[1, 0]]) + x.affine([[0, -1]])
    # max(min(a, b), 0) = max(a + b, max(a, b)) − max(a, b)
    f = (x.affine([[-1, 1]]) + low) * high / (low * (x.affine([[1, -1]]) + high))
    assert kinds(linear_regions(f)) == [6, 6, 6, 3, 3]
    # the same in the plane x3 = 0 of space, where the origin becomes a line
    y = Circuit.identity(3, exact=True)
    u = y.affine([[1, 1, 1], [1, -1, 0]])  # two functions that do not tell points of a line apart
    low, high = u.affine([[1, 0]]) + 0, u.affine([[0, 1]]) + 0
    assert kinds(linear_regions(low * high)) == [4] * 5


def test_essential_monomials_of_a_polynomial():
    """x + y is a mean of x and y with twice them: never alone the largest."""
    p = Polynomial([[1, 0], [0, 1], [2, 2], [1, 1], [2, 0], [0, 2]], [0] * 6)
    assert set(monomials(essential(p))) == {(1, 0), (0, 1), (2, 2), (2, 0), (0, 2)}
    x, y = variables(2)
    assert monomials(essential(x * y + x + x)) == {(1, 1): 0, (1, 0): 0}


def test_a_slope_through_eight_layers_is_exact(networks):
    w = 1 + 2.0**-52
    f = networks.rails([([[w]], [0])] * 9)
    slopes = {region.slope[0, 0] for region in linear_regions(f)}
    assert slopes == {0, Fraction(w) ** 9}


def test_minima_are_mirrored():
    p = Polynomial([[1, 0], [0, 1], [0, 0]], [0, 0, 1], Semiring(-1))
    regions = linear_regions(p)
    assert len(regions) == 3
    assert regions[regions.locate([-3, 5])].slope.tolist() == [1, 0]
    q = essential(Polynomial([0, 1, 2], [0, 0, 0], Semiring(-1)))
    assert q.semiring.sign == -1 and monomials(q) == {(0,): 0, (2,): 0}


def test_several_outputs_and_floats():
    x = Circuit.identity(2)
    f = (x + 0).affine([[1.0, 1.0], [1.0, 0.0]]) / (x + 0).affine([[0.0, 0.0], [0.0, 0.1]])
    pairs = essential(f)
    assert [[len(part) for part in pair] for pair in pairs] == [[4, 1], [2, 2]]
    assert pairs[1][1].dtype == float and pairs[1][1].slopes.max() == 0.1
    regions = linear_regions(f)
    assert kinds(regions) == [4] * 5
    assert regions[0].slope.shape == (2, 2) and regions[0].intercept.shape == (2,)
    assert {Fraction(0.1)} < {-a for region in regions for a in region.slope.ravel().tolist()}


def test_gates_of_many_branches_are_not_split_further():
    x = Circuit.identity(2, exact=True)
    parts = [
        x.affine([[a, b]], [c]) for a, b, c in [(1, 0, 0), (0, 1, 0), (-1, -1, 3), (1, 0, 0), (0, 0, -5)]
    ]
    regions = linear_regions(soft_max(parts))
    assert len(regions) == 3
    assert sorted(region.winners.tolist() for region in regions) == [[0], [1], [2]]
    assert regions.graph.number_of_edges() == 3


def test_domains(networks):
    f = networks.rails([(FAN, [0] * 6), ([[1] * 6], [0])])
    assert len(linear_regions(f, Box([1, 1], [2, 2]))) == 2  # only x1 = x2 goes through
    assert len(linear_regions(f, Box(0, inf))) == 2
    triangle = Polyhedron([[-1, 0], [0, -1], [1, 1]], [1, 1, 1])
    inside = linear_regions(f, triangle)
    assert len(inside) == 12
    assert sum(region.volume for region in inside) == Fraction(9, 2)
    line = linear_regions(f, Slice([0, 1], [[1, 0]]))
    assert len(line) == 6  # x2 = 1 meets all lines but x2 = 0
    assert sorted({v for region in line for (v,) in region.vertices.tolist()}) == [
        -2,
        -1,
        Fraction(-1, 2),
        0,
        1,
    ]
    short = linear_regions(f, Slice([0, 1], [[1, 0]], within=Box(-2, 1)))
    assert len(short) == 4
    assert short.locate([[-3], [0.5]]).tolist()[0] == -1
    P, _ = essential(f, Slice([0, 1], [[1, 0]]))
    assert P.variables == 1 and len(P) == 6


def test_networks_that_see_part_of_the_space(networks):
    """Two directions of five: all regions have a common space of three dimensions."""
    W = [[1, 0, 2, 0, 1], [0, 1, 0, -1, 0], [1, 1, 2, -1, 1]]
    regions = linear_regions(networks.rails([(W, [0, 0, -1]), ([[1, 1, -2]], [0])]))
    assert kinds(regions) == [7] * 5
    assert all(len(region.vertices) == 0 and region.volume == inf for region in regions)
    for k, region in enumerate(regions):
        assert regions.locate(region.witness) == k


def test_a_dead_unit_has_no_sign(networks):
    f = networks.rails([([[1], [0]], [0, 0]), ([[-1, 0]], [0]), ([[1]], [0])])
    regions = linear_regions(f)
    assert sorted(region.signs.tolist() for region in regions) == [[-1, 0, 0], [1, 0, -1]]
    assert list(regions.graph.edges(data="gates")) == [(0, 1, [0, 2])]


def test_no_gate_at_all():
    regions = linear_regions(Circuit.identity(3).affine([[1, 2, 3]], [4]))
    assert len(regions) == 1
    assert regions[0].slope.tolist() == [[1, 2, 3]] and [4, 5, 6] in regions[0]
    assert regions.locate([1.0, 2.0, 3.0]) == 0


def test_budget(networks):
    f = networks.rails(networks.seeded([2, 8, 1]))
    with pytest.raises(BudgetExceeded, match="linear regions: 37, the limit is 36") as caught:
        linear_regions(f, max_regions=36)
    assert caught.value.limit == 36
    some = linear_regions(f, max_regions=10, partial=True)
    assert len(some) == 10 and not some.complete
    whole = linear_regions(f, max_regions=37, partial=True)
    assert whole.complete and len(whole) == 37
    assert {tuple(r.signs) for r in some} < {tuple(r.signs) for r in whole}


def test_progress_and_interruption(networks):
    f = networks.rails(networks.seeded([2, 32, 1]))
    seen = []
    linear_regions(f, progress=seen.append)
    assert seen == sorted(seen) and 0 < seen[-1] <= 513

    def stop(count):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        linear_regions(f, progress=stop)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda c: linear_regions(c.deform(0.5)), InputError, "deform"),
        (lambda c: linear_regions(lambda x: x), InputError, "function"),
        (lambda c: linear_regions(c, Box(1, 1)), InputError, "no interior"),
        (lambda c: linear_regions(c, Box([0, 0, 0], 1)), ShapeError, r"\(3,\)"),
        (lambda c: linear_regions(c, Polyhedron([[1, 0], [-1, 0]], [0, 0])), InputError, "interior"),
        (lambda c: linear_regions(c, Polyhedron([[0, 0]], [-1])), InputError, "interior"),
        (lambda c: linear_regions(c, Polyhedron([[1]], [0])), ShapeError, r"\(k, 2\)"),
        (lambda c: linear_regions(c, Slice([0, 0], [[1, 1], [2, 2]])), InputError, "dependent"),
        (lambda c: linear_regions(c, max_regions=0), InputError, "max_regions"),
        (lambda c: linear_regions(c).count("colourful"), InputError, "colourful"),
        (lambda c: linear_regions(Polynomial([[1.0]], [0.0], Semiring(eps=1))), InputError, "eps = 1"),
        (lambda c: linear_regions(Polynomial([[1.0]], [-inf])), InputError, "zero"),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call(Circuit.identity(2) + 0)
