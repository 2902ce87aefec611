"""Convexity, against functions that are convex by construction and against second differences."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tropical import Box, Circuit, InputError, Polynomial, Slice, is_convex, linear_regions


def check_witness(found, f, output=0):
    a, middle, b = found.points
    assert (a != b).any() and (2 * middle == a + b).all()
    values = [np.atleast_1d(f(p))[output] for p in found.points]
    assert values == found.values.tolist()
    assert 2 * values[1] > values[0] + values[2]


@settings(max_examples=30)
@given(st.sampled_from([[1, 5, 1], [2, 4, 1], [2, 3, 3, 1], [3, 4, 1]]), st.integers(0, 2**32))
def test_networks(networks, shape, seed):
    layers = networks.seeded(shape, seed)
    f = networks.rails(layers)
    found = is_convex(f)
    if found:  # then it is the largest of its pieces
        pieces = {(*r.slope[0], r.intercept[0]) for r in linear_regions(f)}
        for region in linear_regions(f):
            x = region.witness
            assert f(x)[0] == max(np.dot(w, x) + b for *w, b in pieces)
    else:
        check_witness(found, f)
        a, b = found.neighbours
        regions = linear_regions(f)
        assert (
            found.points[0] in regions[a] and found.points[2] in regions[b] and regions.graph.has_edge(a, b)
        )


@settings(max_examples=20)
@given(st.integers(0, 2**32))
def test_nonnegative_weights_behind_the_first_layer(networks, seed):
    layers = networks.seeded([2, 3, 3, 1], seed)
    f = networks.rails([layers[0], *(([[abs(w) for w in row] for row in W], b) for W, b in layers[1:])])
    assert is_convex(f)
    assert is_convex(f).regions == len(linear_regions(f))
    mirrored = f.P**0 / f
    assert bool(is_convex(mirrored)) == (linear_regions(f).count("maps") == 1)


def test_only_a_part_is_convex():
    """|x| − relu(x − 1)·3 bends down at 1."""
    x = Circuit.identity(1, exact=True)
    f = (x + x.affine([[-1]])) / (x.affine([[3]], [-3]) + 0)
    assert is_convex(f, Box(-5, 1)) and is_convex(f, Box(1, 9))
    found = is_convex(f, Box(-5, 2))
    check_witness(found, f)
    assert found.points[1, 0] == 1 and all(-5 <= p <= 2 for p in found.points[:, 0])


def test_regions_with_lines_and_several_outputs():
    x = Circuit.identity(3, exact=True)
    f = x.affine([[1, 1, 0]]) + 0
    both = f.affine([[1], [0]]) / f.affine([[0], [1]])
    assert is_convex(both) and is_convex(f, Slice([0, 0, 0], [[1, 0, 0]]))
    check_witness(is_convex(both, output=1), both, 1)
    for output in (2, -1):
        with pytest.raises(InputError, match=f"output {output} of 2"):
            is_convex(both, output=output)
    with pytest.raises(InputError, match="partial"):
        is_convex(f, partial=True)
    with pytest.raises(InputError, match="deform"):
        is_convex((Circuit.identity(2) + 0).deform(1))


def test_a_polynomial_is_convex_and_its_inverse_is_not():
    p = Polynomial([[0, 1], [1, 0], [2, 2]], [Fraction(1, 3), 0, 0])
    assert is_convex(p)
    check_witness(is_convex(1 / (p / p**0)), 1 / (p / p**0))
