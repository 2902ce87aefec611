"""Closures of matrices, against SciPy, sums of powers and published examples."""

from fractions import Fraction
from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse.csgraph import shortest_path

from tropical import MAX_PLUS, MIN_PLUS, InputError, Semiring, ShapeError, matmul, plus, star

DOT = -inf


@pytest.mark.parametrize(
    ("A", "want"),
    [  # libsemigroups and Sage agree on these; recomputed by hand
        ([[DOT, 2, 3], [-2, -10, -1], [-5, -2, 0]], [[0, 2, 3], [-2, 0, 1], [-4, -2, 0]]),
        ([[-1, 2], [DOT, -3]], [[0, 2], [DOT, 0]]),
    ],
)
def test_published_stars(A, want):
    np.testing.assert_array_equal(star(A), want)


@pytest.mark.parametrize("n", [1, 2, 63, 64, 65, 150])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shortest_paths_against_scipy(n, dtype):
    rng = np.random.default_rng(n)
    weights = rng.integers(1, 50, size=(n, n)).astype(dtype)
    weights[rng.random((n, n)) < 0.8] = inf
    want = shortest_path(np.where(np.isinf(weights), 0, weights), method="D")
    got = star(weights, MIN_PLUS)
    assert got.dtype == dtype
    np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(-star(-weights, MAX_PLUS), want)


@given(st.integers(0, 1000))
def test_closure_is_the_sum_of_powers(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 6))
    A = -rng.integers(0, 9, size=(n, n)).astype(float)  # no positive cycle
    A[rng.random((n, n)) < 0.4] = -inf
    power, total = A, A
    for _ in range(n - 1):
        power = matmul(power, A)
        total = np.maximum(total, power)
    np.testing.assert_array_equal(plus(A), total)
    exact = np.vectorize(lambda v: Fraction(v) if np.isfinite(v) else v, otypes=[object])(A)
    np.testing.assert_array_equal(plus(exact).astype(float), total)
    np.testing.assert_array_equal(plus(A), matmul(A, star(A)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: plus(np.ones((2, 3))), r"shape \(2, 3\); pass a square"),
        (lambda: plus([[nan]]), "NaN or inf"),
        (lambda: star([[1, 2], [3, 4]]), "positive weight passes through node 1"),
        (lambda: star([[1.0, -2.0], [1.0, 0.5]], MIN_PLUS), "negative weight"),
        (lambda: plus([[0.0]], Semiring(eps=1.0)), "not here yet"),
    ],
)
def test_refusals(make, message):
    with pytest.raises((InputError, ShapeError), match=message):
        make()
