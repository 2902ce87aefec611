"""Powers of matrices, against repeated products and published examples."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy import inf, nan

from tropical import MIN_PLUS, InputError, Semiring, ShapeError, matmul, power


def test_published_powers():
    """libsemigroups' examples of MaxPlusMat and MinPlusMat."""
    X = [[-2, 2, 2], [-1, 0, 0], [1, -3, 1]]
    np.testing.assert_array_equal(power(X, 2), [[3, 2, 3], [1, 1, 1], [2, 3, 3]])
    Z = [[0, 3, inf], [2, 0, 1], [inf, 4, 0]]
    np.testing.assert_array_equal(power(Z, 2, MIN_PLUS), [[0, 3, 4], [2, 0, 1], [6, 4, 0]])


@given(st.integers(0, 1000), st.integers(0, 40), st.sampled_from([1, -1]), st.sampled_from([0.0, 0.5]))
def test_repeated_products(seed, k, sign, eps):
    rng = np.random.default_rng(seed)
    semiring = Semiring(sign, eps)
    A = rng.integers(-5, 5, size=(2, 3, 3)).astype(float)
    A[rng.random(A.shape) < 0.3] = semiring.zero
    want = np.broadcast_to(np.where(np.eye(3) > 0, 0, semiring.zero), A.shape)
    for _ in range(k):
        want = matmul(want, A, semiring)
    got = power(A, k, semiring)
    np.testing.assert_allclose(got, want, rtol=0 if eps == 0 else 1e-12, atol=1e-12 * eps)
    assert not np.shares_memory(got, A)


def test_exact_and_large():
    A = np.array([[Fraction(1, 3), Fraction(0)], [Fraction(-1), Fraction(1, 7)]], dtype=object)
    assert power(A, 10**30)[0, 0] == Fraction(10**30, 3)
    assert power(A, 0).tolist() == [[0, -inf], [-inf, 0]]
    assert type(power(A, 0)[0, 0]) is Fraction
    assert power(np.zeros((0, 0)), 5).shape == (0, 0)
    assert power(np.float32([[2]]), np.int64(3)).dtype == np.float32


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: power([[0.0]], -1), "k is -1; pass k >= 0"),
        (lambda: power([[0.0]], 2.0), "k is 2.0; pass an integer"),
        (lambda: power([[0.0]], True), "k is True"),
        (lambda: power([[0.0, 1.0]], 2), r"A has shape \(1, 2\); pass square"),
        (lambda: power([[nan]], 2), r"A\[0, 0\] is nan"),
        (lambda: power([[[0.0]], [[inf]]], 2), r"A\[1, 0, 0\] is inf"),
        (lambda: power([[Fraction(1)]], 2, Semiring(eps=1.0)), "transcendental"),
    ],
)
def test_refusals(make, message):
    with pytest.raises((InputError, ShapeError), match=message):
        make()
