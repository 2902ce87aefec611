"""Betti numbers of decision regions: shapes drawn by hand, pixels of scipy.ndimage, and what does not change them."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given, settings
from hypothesis import strategies as st

from tropical import (
    Box,
    Circuit,
    InputError,
    Polynomial,
    Rational,
    Slice,
    betti_numbers,
    decision_regions,
    variables,
)
from tropical.circuit import combine

PLANE = Circuit.identity(2, exact=True)


def absolute(*row, shift=0):
    return PLANE.affine([row], [shift]) + PLANE.affine([[-a for a in row]], [-shift])


def zigzag(axis: int, teeth: int) -> tuple[Circuit, Circuit]:
    """P − Q is −1 at 0, 2, …, 2·teeth and 1 at the odd numbers between, with slopes ±2; further out it falls."""
    unit = [[Fraction(2 * (axis == k)) for k in range(2)]]
    beyond = [(PLANE.affine(unit, [-2 * k]) + 0) ** 2 for k in range(1, 2 * teeth)]
    P, Q = PLANE.affine(unit, [-1]), PLANE.affine(unit, [0]) ** 0
    for k, part in enumerate(beyond, start=1):
        P, Q = (P, Q * part) if k % 2 else (P * part, Q)
    return P, Q


def both(f, domain=None, label=1):
    """Of the closed set of a class and of the open one."""
    return tuple(betti_numbers(f, domain, closed=closed)[label] for closed in (True, False))


def betti(f, domain=None, label=1):
    return betti_numbers(f, domain)[label]


@pytest.mark.parametrize("teeth", [1, 2, 3])
def test_checkerboard(teeth):
    """Diamonds of radius 1 around points of odd coordinates, which touch in their corners."""
    (P, Q), (R, S) = zigzag(0, teeth), zigzag(1, teeth)
    board = (P * R) / (Q * S)
    assert both(board) == ((1, (teeth - 1) ** 2), (teeth**2, 0))
    assert both(board, label=0) == ((1, teeth**2), (1 + (teeth - 1) ** 2, 1))
    shrunk = (P * R) / (Q * S * Fraction(1, 2))
    assert both(shrunk) == ((teeth**2, 0),) * 2
    assert both(shrunk, label=0) == ((1, teeth**2),) * 2
    assert both(P / Q) == ((teeth, 0),) * 2  # strips
    assert both(P / Q, label=0) == ((teeth + 1, 0),) * 2
    row = Slice([0, 1], [[1, 0]])
    assert (
        betti_numbers(P / Q, row) == {0: (teeth + 1,), 1: (teeth,)} == betti_numbers(P / Q, row, closed=False)
    )


def test_thin_sets():
    x, y, size = absolute(1, 0), absolute(0, 1), absolute(1, 1) + absolute(1, -1)
    far = size.affine([[2]], [-2]) + 0  # 2(|x| + |y| − 1)⁺
    bow_tie = x / y
    assert both(bow_tie) == ((1, 0), (2, 0))
    line, point = (x**0) / x, (x**0) / size
    assert both(line) == both(point) == ((1, 0), (0, 0))
    assert both(line, label=0) == ((1, 0), (2, 0)) and both(point, label=0) == ((1, 0), (1, 1))
    circle = size.affine([[1]], [-1]) / far  # −| |x| + |y| − 1 |
    assert both(circle) == ((1, 1), (0, 0))
    assert both(circle, label=0) == ((1, 0), (2, 1))
    everywhere = x / x
    assert both(everywhere) == both(everywhere, label=0) == ((1, 0), (0, 0))
    assert both(everywhere * -1) == ((0, 0), (0, 0))
    assert both(everywhere * -1, label=0) == ((1, 0), (1, 0))


def test_what_the_domain_cuts_off():
    size = absolute(1, 1) + absolute(1, -1)
    ring = size.affine([[1]], [1]) / (size.affine([[2]], [-2]) + 2)  # 1 ≤ |x| + |y| ≤ 3
    assert betti(ring, Box(-4, 4)) == betti(ring, Box(-3, 3)) == (1, 1)
    assert betti(ring, Box([-4, -1], [4, 1])) == (1, 1)  # joined in two points
    assert betti(ring, Box([-4, -0.5], [4, 0.5])) == (2, 0)
    assert betti(ring, Box([-4, 0], [4, 4])) == (1, 0)
    assert betti(ring, Slice([0, 0], [[1, 2]])) == (2,)
    assert betti(ring, Slice([0, 2], [[1, 1]])) == (1,)


def test_several_outputs_and_polynomials():
    third = PLANE.affine([[1, 0], [0, 1], [-1, -1]])
    assert [both(third, label=c) for c in range(3)] == [((1, 0), (1, 0))] * 3
    same = PLANE.affine([[1, 0], [1, 0], [0, 0]])  # the first two tie wherever they win
    assert both(same, label=0) == ((1, 0), (0, 0))
    x, y = variables(2)
    assert betti((x + y) / (x * y + 0)) == (1, 0)
    assert betti(Polynomial([[1], [-1]], [-1, -1])) == (2,)  # |x| ≥ 1


def pixels(values: np.ndarray, label: int) -> tuple[int, int]:
    """Components of pixels that touch, and holes: components of the others that touch in edges."""
    mask = (values[..., 0] >= 0) == bool(label) if values.shape[-1] == 1 else values.argmax(axis=-1) == label
    components = scipy.ndimage.label(mask, np.ones((3, 3)))[1]
    return components, scipy.ndimage.label(np.pad(~mask, 1, constant_values=True))[1] - 1


@pytest.mark.parametrize("seed", range(4))
def test_against_pixels(networks, seed):
    rng = np.random.default_rng(seed)
    outputs = 1 + seed % 2
    shape = [2, 12, 12, outputs]
    layers = [(rng.normal(size=(b, a)), rng.normal(size=b)) for a, b in pairwise(shape)]
    grid = np.stack(np.meshgrid(*[np.linspace(-3, 3, 801)] * 2), axis=-1)

    def forward(x):
        for k, (W, b) in enumerate(layers):
            x = x @ W.T + b
            x = np.maximum(x, 0) if k < 2 else x
        return x

    layers[-1][1][...] -= np.median(
        forward(grid)[..., :1] - (outputs - 1) * forward(grid)[..., -1:], axis=(0, 1)
    )
    f, values = networks.rails(layers), forward(grid)
    for label in range(2):
        assert both(f, domain=Box(-3, 3), label=label) == (pixels(values, label),) * 2


@settings(max_examples=8)
@given(st.integers(0, 2**32))
def test_laws(networks, seed):
    """Open pieces are counted by neighbours as well; invertible maps of the plane change nothing."""
    layers = networks.seeded([2, 5, 4, 3], seed)
    f = networks.rails(layers)
    pieces = decision_regions(f).components()
    for label in range(3):
        assert betti_numbers(f, closed=False)[label][0] == pieces.get(label, 0)
    moved = Slice([1, Fraction(2, 3)], [[2, 1], [Fraction(-1, 3), 5]])
    assert both(f, label=1) == both(f, domain=moved, label=1)
    flipped = Rational(
        combine([([[0, 1, 0], [1, 0, 0], [0, 0, 1]], f.P)]),
        combine([([[0, 1, 0], [1, 0, 0], [0, 0, 1]], f.Q)]),
    )
    assert both(flipped, label=0) == both(f, label=1)


def test_refused():
    with pytest.raises(InputError, match="3 dimensions; pass a Slice"):
        betti_numbers(Circuit.identity(3))
    with pytest.raises(InputError, match="partial"):
        betti_numbers(PLANE, partial=True)
