"""The compiled enumeration of regions against its twin in plain Python, and the integers of any length below it."""

import itertools
import math
import threading
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tropical import Box, BudgetExceeded, Circuit, Polyhedron, Polynomial, Slice, linear_regions
from tropical._region_pack import to_limbs, unpack
from tropical._region_program import compile_program
from tropical._region_search import Search
from tropical._regions import Walk
from tropical.circuit import soft_max

SHAPES = [[1, 4, 3, 1], [2, 3, 3, 1], [2, 5, 1], [2, 2, 2, 2, 2], [3, 4, 2, 1], [4, 5, 1], [5, 2, 2, 1]]
DOMAINS = [
    lambda d: None,
    lambda d: Box(-2, 2),
    lambda d: Box(0, np.inf),
    lambda d: Polyhedron([[-1] * d, [1] + [0] * (d - 1), [1] + [0] * (d - 1)], [3, 2, 2]),
    lambda d: Slice([1] * d, np.eye(d, dtype=int)[: max(1, d - 1)]),
]


def compare(walk, f, domain=None):
    """Same regions with the same generators, ties, facets and forms."""
    regions = linear_regions(f, domain)
    table = regions._table
    want = {found.winners: found for found in walk(compile_program(f, domain))}
    assert {tuple(w) for w in table.winners} == want.keys()
    assert len(table.winners) == len(want)
    outputs = regions._output_forms
    for k, winners in enumerate(table.winners):
        found = want[tuple(winners)]
        assert set(table.ties[k]) == set(found.ties)
        assert len(table.rays[k]) == len(found.rays)
        assert len(table.lines[k]) == len(found.lines)
        if not found.lines:  # else they are unique up to those only
            assert set(table.rays[k]) == {tuple(ray) for ray in found.rays}
        assert {frozenset(facet) for facet in regions.facets(k)} == {frozenset(f) for f in found.facets}
        assert tuple(part[i] for part, i in zip(outputs, table.outputs[k], strict=True)) == found.outputs
    return regions


@st.composite
def layered(draw, numbers):
    shape = draw(st.sampled_from(SHAPES))
    return [
        ([[draw(numbers) for _ in range(a)] for _ in range(b)], [draw(numbers) for _ in range(b)])
        for a, b in itertools.pairwise(shape)
    ]


@settings(max_examples=60)
@given(layered(st.integers(-1, 1)), st.sampled_from(DOMAINS))
def test_degenerate_networks(walk_in_python, networks, layers, domain):
    compare(walk_in_python, networks.rails(layers), domain(len(layers[0][0][0])))


WIDE = st.one_of(
    st.integers(-3, 3),
    st.floats(-1e3, 1e3, allow_subnormal=False),
    st.fractions(-9, 9, max_denominator=10**9),
    st.integers(-(2**80), 2**80),
    st.sampled_from([2.0**-60, -(2.0**70), 1 + 2.0**-52, Fraction(1, 3)]),
)


@settings(max_examples=60)
@given(layered(WIDE), st.sampled_from(DOMAINS))
def test_numbers_of_all_sizes(walk_in_python, networks, layers, domain):
    compare(walk_in_python, networks.rails(layers), domain(len(layers[0][0][0])))


@pytest.mark.parametrize("scale", [Fraction(1), Fraction(2) ** 900, Fraction(1, 3**400)])
def test_numbers_beyond_doubles(walk_in_python, scale):
    """Lines through one point up to 2^-900 and less, which no double tells apart."""
    x = Circuit.identity(2, exact=True)
    tiny = 1 / scale if scale > 1 else scale
    W = np.array([[scale, 0], [0, 1], [1, 1], [1, 1]], dtype=object) + Fraction(0)
    f = x.affine(W, [0, 0, 0, tiny]) + 0
    regions = compare(walk_in_python, f)
    assert len(regions) == 9  # 6 sectors of three concurrent lines, and three more along the fourth
    f = x.affine(W, [0, 0, 0, 0]) + 0
    assert len(compare(walk_in_python, f)) == 6


@pytest.mark.parametrize("first", [1, 40, 70, 130])
@pytest.mark.parametrize("second", [1, 40, 70])
def test_limbs_of_all_lengths(walk_in_python, first, second):
    """Forms of 1 to 4 limbs with weights of 1 and 2, some in loops of their own."""
    x = Circuit.identity(2, exact=True)
    f = x.affine([[2**first, 1], [1, -3]], [1, 2]) + 0
    compare(walk_in_python, f.affine([[2**second, 1]]) + 1)


def test_hyperplanes_that_doubles_cannot_order(walk_in_python):
    """x ≥ 1/3 against the float nearest to it, and the other way round in the next layer."""
    x = Circuit.identity(2, exact=True)
    third = Fraction(1, 3)
    f = (
        x.affine(
            [[1, 0], [1, 0], [1, 0]], [-third, -Fraction(1 / 3), -Fraction(float(np.nextafter(1 / 3, 1)))]
        )
        + 0
    )
    regions = compare(walk_in_python, f)
    assert len(regions) == 4
    thin = [r for r in regions if 0 < abs(r.signs.sum()) < 3]
    assert [regions.locate(r.witness) for r in thin] == [r.number for r in thin]


def errors_of_rays(f, domain=None) -> np.ndarray:
    """The errors e, once checked: κ r_c lies within e + 2^-51 |v_c| of v_c for all entries of the exact ray r, with
    one κ > 0."""
    search = Search.of(compile_program(f, domain), False)
    walk = Walk(search.inputs, search.steps, search.outputs, search.branches, 10**6, False, None)
    part = walk.run(search.bounds)
    at, errors = walk.doubles()
    for k, (v, error) in enumerate(zip(at.tolist(), errors.tolist(), strict=True)):
        ray = part._generators.vector(k)
        if math.isinf(error):
            continue
        low, high = Fraction(0), None
        for r, x in zip(ray, v, strict=True):
            room = Fraction(error) + abs(Fraction(x)) / 2**51
            if r == 0:
                assert abs(x) <= room
                continue
            ends = sorted(((Fraction(x) - room) / r, (Fraction(x) + room) / r))
            low, high = max(low, ends[0]), ends[1] if high is None else min(high, ends[1])
        assert low <= high and high > 0
    return errors


@settings(max_examples=40)
@given(layered(WIDE), st.sampled_from(DOMAINS))
def test_errors_of_rays_are_bounded(networks, layers, domain):
    errors_of_rays(networks.rails(layers), domain(len(layers[0][0][0])))


def test_errors_of_rays_where_lines_are_nearly_parallel(networks):
    """Corners far away and badly conditioned: their errors come from those of the values."""
    W = [[1, 1], [1, 1 + 2.0**-18], [1, 1 - 2.0**-25], [3, 3 + 2.0**-20], [1, -1], [2, 1 / 3]]
    b = [1 / 3, 1 / 7, -1 / 9, 0.1, 0.7, -0.3]
    second = np.random.default_rng(0).normal(size=(6, 6)).tolist()
    f = networks.rails([(W, b), (second, b), ([[1] * 6], [0])])
    assert errors_of_rays(f).max() > 1e-12


def test_few_rays_take_whole_numbers(networks):
    """Of such networks; those that did have no error any more. Each cut adds to the errors of the others."""
    for shape in ([2, 32, 32, 1], [4, 6, 6, 1]):
        errors = errors_of_rays(networks.rails(networks.torch_default(shape)))
        assert (errors == 0).mean() < 0.1 and np.median(errors) < 1e-6


@settings(max_examples=30)
@given(st.integers(1, 3), st.integers(1, 9), st.integers(0, 2**32), st.booleans())
@example(2, 9, 0, True)
def test_gates_of_many_branches(walk_in_python, d, n, seed, twice):
    rng = np.random.default_rng(seed)
    x = Circuit.identity(d, exact=True)
    parts = [x.affine(rng.integers(-2, 3, (2, d)), rng.integers(-2, 3, 2)) for _ in range(n)]
    f = soft_max(parts)
    if twice:
        f = soft_max([f, f.affine([[0, 1], [1, 0]]), x.affine(np.zeros((2, d)), [1, 1])])
    compare(walk_in_python, f)


def test_more_than_256_branches():
    """Tangents to x²: each is the largest on an interval of its own."""
    slopes = np.arange(-150, 151)
    p = Polynomial(slopes, -(slopes**2) / 4).to_exact()
    regions = linear_regions(p)
    assert len(regions) == 301
    assert [regions[k].slope[0] for k in regions.locate([[0], [75], [-1.125]])] == [0, 150, -2]
    assert sorted(len(region.vertices) for region in regions) == [1, 1] + [2] * 299


@given(st.lists(st.integers(-(2**127), 2**127 - 1), min_size=1, max_size=4), st.integers(2, 5))
@example([-1, 0, 2**127 - 1, -(2**127)], 2)
def test_limbs_hold_what_they_are_given(numbers, limbs):
    assert unpack(to_limbs(numbers, limbs).tobytes(), limbs) == tuple(numbers)


def test_integers_that_are_too_long_are_refused(networks):
    layers = [([[Fraction(1, 3**900)]], [Fraction(1, 7**500)])] * 3
    with pytest.raises(BudgetExceeded, match=r"bits .* 4,096"):
        linear_regions(networks.rails(layers))


@pytest.mark.parametrize("d", [33, 65])
def test_more_hyperplanes_than_bits_of_a_word(d):
    """d units that each see one variable: orthants, with d facets and d directions."""
    x = Circuit.identity(d, exact=True)
    regions = linear_regions(x + 0, max_regions=9, partial=True)
    assert len(regions) == 9 and not regions.complete
    for region in regions:
        G, h = region.halfspaces
        assert {tuple(row) for row in (-G).tolist()} == {
            tuple(s * int(i == j) for j in range(d)) for i, s in enumerate(region.signs.tolist())
        }
        assert not h.any() and len(region.vertices) == 1
        assert {tuple(row) for row in region.directions.tolist()} == {tuple(row) for row in (-G).tolist()}


@pytest.mark.parametrize("d", [3, 7])
def test_many_hyperplanes_through_one_cell(d):
    """The cross-polytope, where all units are active: 2^d facets, more than a word has bits where d is 7."""
    signs = list(itertools.product([1, -1], repeat=d))
    f = Circuit.identity(d, exact=True).affine(signs, [1] * len(signs)) + 0
    regions = linear_regions(f, max_regions=2, partial=True)
    cell = regions[0]
    assert (cell.signs > 0).all()
    assert len(cell.halfspaces[1]) == 2**d
    assert {tuple(v) for v in cell.vertices.tolist()} == {
        tuple(s * int(i == j) for j in range(d)) for i in range(d) for s in (1, -1)
    }
    if d == 3:
        assert cell.volume == Fraction(2**d, math.factorial(d))


def test_a_cut_between_opposite_rays_is_exact():
    """The ends of the interval differ from opposite directions by less than doubles tell, and so does the cut."""
    x = Circuit.identity(1, exact=True)
    regions = linear_regions(x + 0, Box(-(2**60), 2**60))
    ends = sorted(sorted(v for (v,) in region.vertices.tolist()) for region in regions)
    assert ends == [[-(2**60), 0], [0, 2**60]]


def test_cells_with_too_many_corners_are_refused():
    x = Circuit.identity(20, exact=True)
    with pytest.raises(BudgetExceeded, match="generators of one cell") as caught:
        linear_regions(x, Box(0, 1))
    assert caught.value.limit == 4096


def test_threads_do_not_disturb_each_other(networks):
    circuits = [networks.rails(networks.seeded([2, 6, 5, 1], seed)) for seed in range(4)]
    want = [[r.signs.tolist() for r in linear_regions(f)] for f in circuits]
    got = [None] * 4

    def work(k):
        got[k] = [r.signs.tolist() for r in linear_regions(circuits[k])]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == want
