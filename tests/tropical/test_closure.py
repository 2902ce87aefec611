"""Closures of matrices, against SciPy, sums of powers and published examples."""

from fractions import Fraction
from itertools import pairwise
from math import inf, nan

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse.csgraph import shortest_path

from tropical import (
    MAX_PLUS,
    MIN_PLUS,
    DivergenceError,
    InputError,
    Semiring,
    ShapeError,
    eigenvalue,
    matmul,
    plus,
    power,
    star,
)

DOT = -inf
# Spectral radius 1 to the last bits, though the last pivot comes out positive.
NEARLY_ONE = [[-0.3439124812188226, -0.9857663673912174], [-0.455138116329047, -1.6789135479511625]]


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


def naive_soft_closure(A, eps):
    """(I − E)⁻¹ − I in 50 digits."""
    n = len(A)
    with mpmath.workdps(50):
        E = mpmath.matrix([[mpmath.exp(mpmath.mpf(a) / eps) if a > -inf else 0 for a in row] for row in A])
        S = (mpmath.eye(n) - E) ** -1 - mpmath.eye(n)
        logs = [eps * mpmath.log(s) if s > 1e-40 else -inf for s in S]
    return np.array(logs, dtype=float).reshape(n, n)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("eps", [0.05, 1.0, 7.0])
@pytest.mark.parametrize("n", [1, 3, 12])
def test_soft_closure_against_mpmath(n, eps, sign):
    rng = np.random.default_rng(n)
    A = rng.normal(size=(n, n))
    A[rng.random((n, n)) < 0.4] = -inf
    A -= max(eigenvalue(A, Semiring(eps=eps)), -100) + 0.1 * eps  # spectral radius about 0.9
    got = sign * plus(sign * A, Semiring(sign, eps))
    np.testing.assert_allclose(got, naive_soft_closure(A, eps), rtol=1e-13, atol=1e-13 * eps)
    with_unit = np.logaddexp(got.diagonal() / eps, 0) * eps
    np.testing.assert_allclose(sign * star(sign * A, Semiring(sign, eps)).diagonal(), with_unit, rtol=1e-13)


def test_soft_closure_in_blocks_solves_its_equation():
    """S = I + E S, row by row, at a size of several blocks; E S has no cancellation."""
    n, eps = 150, 0.3
    A = np.random.default_rng(0).normal(size=(n, n))
    A -= eigenvalue(A, Semiring(eps=eps)) + 0.01
    S = star(A, Semiring(eps=eps))
    want = Semiring(eps=eps).add(matmul(A, S, Semiring(eps=eps)), np.where(np.eye(n) > 0, 0, -inf))
    np.testing.assert_allclose(S, want, rtol=1e-12, atol=1e-12)
    single = star(A.astype(np.float32), Semiring(eps=eps))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, S, atol=1e-3)


@given(st.integers(0, 1000), st.sampled_from([1, -1]))
def test_soft_closure_tends_to_the_best_paths(seed, sign):
    """0 ≤ A*_ε − A*_0 ≤ ε log(walks): acyclic, so there are at most 2^{n−2} paths between two nodes."""
    rng = np.random.default_rng(seed)
    n = 6
    A = np.where(np.triu(np.ones((n, n)), 1) > 0, rng.normal(size=(n, n)), -inf)
    A[rng.random((n, n)) < 0.3] = -inf
    hard = sign * star(sign * A, Semiring(sign))
    for eps in (1.0, 0.1, 1e-3):
        soft = sign * star(sign * A, Semiring(sign, eps))
        gap = np.where(hard > -inf, soft - np.where(hard > -inf, hard, 0), 0)
        assert (soft > -inf).tolist() == (hard > -inf).tolist()
        assert gap.min() >= -1e-14
        assert gap.max() <= eps * (n - 2) * np.log(2) + 1e-14


def test_geometric_series_of_words():
    """Edges a→a, a→b, b→a of weight w: star[a, a] = 1/(1 − w − w²), 100/61 at w = 3/10."""
    w = np.log(0.3)
    got = np.exp(star([[w, w], [w, -inf]], Semiring(eps=1.0)))
    assert got[0, 0] == pytest.approx(100 / 61, rel=1e-15)
    assert got[1, 1] == pytest.approx(0.7 * 100 / 61, rel=1e-15)


def fractions_of(A):
    return np.array([[Fraction(a) if np.isfinite(a) else a for a in row] for row in A], dtype=object)


@given(st.integers(0, 2000))
def test_divergence_is_decided_exactly(seed):
    """On cycles whose weight is 0 up to rounding, floats and Fractions agree; the cycle named does gain."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 7))
    v = rng.normal(size=n)
    A = v[:, None] - v - (rng.random((n, n)) < 0.5) * rng.random()  # zero cycles but for rounding
    A[rng.random((n, n)) < 0.3] = -inf
    try:
        exact = plus(fractions_of(A))
    except DivergenceError as error:
        cycle = error.cycle
        assert sum(Fraction(A[i, j]) for i, j in pairwise([*cycle, cycle[0]])) == error.weight > 0
        with pytest.raises(DivergenceError) as caught:
            plus(A)
        assert caught.value.weight == float(error.weight)
    else:
        got = plus(A)
        assert got.diagonal().max() <= 0
        np.testing.assert_allclose(got, exact.astype(float), atol=1e-14)
        np.testing.assert_allclose(-plus(-A, MIN_PLUS), got, atol=0)


@pytest.mark.parametrize("weights", [[3.5, -1.2, -0.4, -1.2, -0.7], [-0.8, -2.9, 2.1, 1.9, -0.3]])
def test_gains_that_rounding_hides(weights):
    """The doubles on this cycle sum to 2^-53 or 2^-54, and every order of rounded sums in the closure to 0."""
    A = np.full((5, 5), -inf)
    A[np.arange(5), (np.arange(5) + 1) % 5] = weights
    with pytest.raises(DivergenceError) as caught:
        plus(A)
    assert sorted(caught.value.cycle) == [0, 1, 2, 3, 4]
    assert caught.value.weight == float(sum(map(Fraction, weights))) > 0


def test_large_zero_cycles_do_not_grow():
    """All cycles of A have weight ≤ 0 exactly, yet sums round above 0: a closure that trusts them blows up."""
    rng = np.random.default_rng(0)
    v = rng.normal(size=130)
    A = v[:, None] - v
    A -= np.maximum(0, eigenvalue(A)) * 1.5 + np.abs(A) * 2.0**-52
    C = plus(A)
    assert C.diagonal().max() <= 0
    np.testing.assert_allclose(C, v[:, None] - v, atol=1e-12)


@given(st.integers(0, 1000), st.sampled_from([1, -1]))
def test_star_laws(seed, sign):
    rng = np.random.default_rng(seed)
    semiring = Semiring(sign)
    n = int(rng.integers(0, 6))
    A = -sign * rng.integers(0, 9, size=(n, n)).astype(float)
    A[rng.random((n, n)) < 0.3] = semiring.zero
    S = star(A, semiring)
    np.testing.assert_array_equal(matmul(S, S, semiring), S)
    np.testing.assert_array_equal(semiring.add(power(A, 0, semiring), matmul(A, S, semiring)), S)
    np.testing.assert_array_equal(star(S, semiring), S)


def test_batches_and_empty_matrices():
    rng = np.random.default_rng(0)
    A = -rng.random((2, 3, 4, 4))
    for semiring in (MAX_PLUS, Semiring(eps=0.1)):
        B = A - 2 * semiring.eps
        stack = np.array([[plus(a, semiring) for a in row] for row in B])
        np.testing.assert_array_equal(plus(B, semiring), stack)
        assert star(np.zeros((0, 0)), semiring).shape == (0, 0)
        assert star(np.zeros((5, 0, 0)), semiring).shape == (5, 0, 0)
    assert star([[-1.0]]).tolist() == [[0.0]]
    assert star([[-inf]], Semiring(eps=1.0)).tolist() == [[0.0]]
    with pytest.raises(DivergenceError) as caught:
        star([[[-1.0]], [[0.5]]])
    assert (caught.value.cycle, caught.value.weight) == ([0], 0.5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: plus(np.ones((2, 3))), r"shape \(2, 3\); pass square"),
        (lambda: plus([1.0]), r"shape \(1,\); pass square"),
        (lambda: plus([[nan]]), r"A\[0, 0\] is nan; pass finite entries, and -inf"),
        (lambda: star([[0.0, -inf], [1.0, 0]], MIN_PLUS), r"A\[0, 1\] is -inf; pass finite entries, and inf"),
        (lambda: star([[1, 2], [3, 4]]), "cycle 1 -> 1 has positive weight 4"),
        (lambda: star([[Fraction(1)]]), "cycle 0 -> 0 has positive weight 1"),
        (
            lambda: star([[1.0, -2.0], [1.0, 0.5]], MIN_PLUS),
            "cycle (0 -> 1 -> 0|1 -> 0 -> 1) has negative weight -1",
        ),
        (lambda: plus([[0.0]], Semiring(eps=1.0)), "spectral radius 1 >= 1"),
        (lambda: plus([[5.0, 1.0], [1.0, -inf]], Semiring(eps=1.0)), r"spectral radius 148\.\d+ >= 1"),
        (lambda: plus([[np.log(0.5)] * 2] * 2, Semiring(eps=1.0)), "float64 cannot tell"),
        (
            lambda: plus(NEARLY_ONE, Semiring(eps=1.0)),
            "spectral radius 1 - -?[0-9.e-]+ to .* float64 cannot tell",
        ),
        (lambda: plus([[Fraction(0)]], Semiring(eps=1.0)), "transcendental"),
    ],
)
def test_refusals(make, message):
    with pytest.raises((InputError, ShapeError), match=message):
        make()
