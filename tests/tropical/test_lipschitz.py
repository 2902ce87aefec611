"""Lipschitz constants, against finite differences, NumPy's norms and networks whose constant is known."""

from fractions import Fraction
from math import inf

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tropical import Box, BudgetExceeded, Circuit, InputError, Polynomial, Slice, linear_regions, lipschitz
from tropical._norms import definite_beyond, matrix_norm, spectral_bound, square_root

NORMS = [1, 2, inf]


@settings(max_examples=25)
@given(
    st.sampled_from([[1, 4, 1], [2, 4, 1], [2, 3, 3, 1], [2, 3, 2], [3, 3, 3], [1, 3, 2]]),
    st.sampled_from(NORMS),
    st.integers(0, 2**32),
)
def test_networks(networks, shape, norm, seed):
    layers = networks.seeded(shape, seed)
    f = networks.rails(layers)
    found = lipschitz(f, norm)
    assert found.exact and found.lower <= found.upper == found.value <= found.lower * (1 + 1e-11)
    sizes = [np.linalg.norm(r.slope.astype(float), norm) for r in linear_regions(f)]
    assert float(found.value) == pytest.approx(max(sizes), rel=1e-11)
    assert np.linalg.norm(found.slope.astype(float), norm) == pytest.approx(float(found.value), rel=1e-11)
    # attained: differences at the witness are those of the slope
    rng = np.random.default_rng(seed)
    for step in rng.integers(-8, 9, size=(3, shape[0])).tolist():
        near = found.point + np.array([Fraction(s, 2**60) for s in step])
        change = np.array(networks.forward(layers, near.tolist())) - networks.forward(
            layers, found.point.tolist()
        )
        assert (change == found.slope @ (near - found.point)).all()
    # and nowhere exceeded
    a, b = rng.normal(size=(2, 40, shape[0])) * 5
    rise = np.linalg.norm(f(a).astype(float) - f(b).astype(float), norm, axis=-1)
    assert (rise <= float(found.value) * np.linalg.norm(a - b, norm, axis=-1) * (1 + 1e-12)).all()


def test_a_smaller_domain():
    """The tent map of slope 2, composed twice, has slope 4 where both are steep; all is flat below 0."""
    x = Circuit.identity(1, exact=True)
    hidden = x.affine([[1], [1]], [0, Fraction(-1, 2)]) + 0
    once = hidden.affine([[2, 0]]) / hidden.affine([[0, 4]])
    assert lipschitz(once).value == 2 == lipschitz(once, 1, Box(-1, 1)).value
    assert lipschitz(once, inf, Box(-2, 0)).value == 0 == lipschitz(once, 2, Box(-2, 0)).value
    assert lipschitz(once, 1, Slice([0], [[3]])).value == 6


def test_the_tent_map_composed(networks):
    """h = 2 relu(x) − 4 relu(x − ½) k times over has slopes ±2^k."""
    half = Fraction(1, 2)
    for k in range(1, 6):
        middle = [([[2, -4], [2, -4]], [0, -half])] * (k - 1)
        f = networks.rails([([[1], [1]], [0, -half]), *middle, ([[2, -4]], [0])])
        assert [lipschitz(f, norm).value for norm in NORMS] == [2**k] * 3


def test_polynomials_and_budgets(networks):
    p = Polynomial([[3, 4], [0, -5], [1, 1]], [0, 0, -100])
    assert [lipschitz(p, norm).value for norm in NORMS] == [5, 5, 7]
    assert lipschitz(p / p).value == 0
    f = networks.rails(networks.seeded([2, 8, 1]))
    whole = lipschitz(f, 1)
    with pytest.raises(BudgetExceeded):
        lipschitz(f, 1, max_regions=4)
    part = lipschitz(f, 1, max_regions=4, partial=True)
    assert not part.exact and part.upper == inf and 0 < part.lower <= whole.value
    for bad in (3, "2", 0, None):
        with pytest.raises(InputError, match="pass 1, 2 or"):
            lipschitz(f, bad)
    with pytest.raises(InputError, match="deform"):
        lipschitz((Circuit.identity(2) + 0).deform(0.1))


@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 2**32))
def test_matrix_norms(rows, columns, seed):
    rng = np.random.default_rng(seed)
    W = rng.integers(-9, 10, size=(rows, columns)) * rng.integers(0, 2, size=(rows, columns))
    exact = [[Fraction(int(a), 7) for a in row] for row in W]
    for norm in NORMS:
        low, high = matrix_norm(exact, norm)
        assert low <= high <= low * (1 + 1e-12)
        assert float(high) == pytest.approx(np.linalg.norm(W / 7, norm), rel=1e-12, abs=1e-300)
    # proved from both sides: det(U² − JᵀJ) has no root above
    low, high = matrix_norm(exact, 2)
    unit = rng.normal(size=(columns, 200))
    stretch = np.linalg.norm(W @ unit / 7, axis=0) / np.linalg.norm(unit, axis=0)
    assert (stretch <= high * (1 + 1e-14)).all()


def test_definiteness_is_decided_exactly():
    """The matrix has the eigenvalues 1 and 3."""
    gram, tiny = [[Fraction(2), Fraction(1)], [Fraction(1), Fraction(2)]], Fraction(1, 2**200)
    assert definite_beyond(gram, 3 + tiny)
    assert not any(
        definite_beyond(gram, bound) for bound in (Fraction(3), 3 - tiny, Fraction(2), Fraction(0))
    )


@pytest.mark.parametrize("shape", [(1, 1), (3, 8), (40, 40), (70, 20)])
@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
def test_spectral_bound(shape, scale):
    W = np.random.default_rng(0).normal(size=shape) * scale
    top = np.linalg.norm(W, 2)
    assert top <= spectral_bound(W) <= top * (1 + 1e-9)
    assert spectral_bound(W * 0) == 0
    ones = np.full(shape, scale)  # of rank 1
    assert (
        scale * np.sqrt(ones.size) * (1 - 1e-15)
        <= spectral_bound(ones)
        <= scale * np.sqrt(ones.size) * (1 + 1e-9)
    )


@given(st.fractions(0, 10**9))
@example(Fraction(1, 10**500))
@example(Fraction(10**500))
@example(Fraction(0))
def test_square_roots(square):
    low, high = square_root(square)
    assert Fraction(low) ** 2 <= square <= Fraction(high) ** 2
    assert high <= np.nextafter(low, inf) and (low == high) == (Fraction(low) ** 2 == square)
