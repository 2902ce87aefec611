"""Residuals and linear systems, against the definition and each other's laws."""

from fractions import Fraction
from math import inf, nan

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tropical import (
    MAX_PLUS,
    MIN_PLUS,
    DivergenceError,
    InputError,
    Semiring,
    ShapeError,
    fixed_point,
    from_graph,
    is_solvable,
    matmul,
    residual,
    solve,
)


def small_matrix(rng, m, n, zero, exact):
    M = rng.integers(-5, 5, size=(m, n)).astype(float)
    M[rng.random((m, n)) < 0.25] = zero
    if not exact:
        return M
    return np.array([Fraction(v) / 3 if np.isfinite(v) else v for v in M.flat] + [None])[:-1].reshape(m, n)


@given(st.integers(0, 10**6), st.sampled_from([MAX_PLUS, MIN_PLUS]), st.booleans())
def test_galois_connection(seed, semiring, exact):
    """A ⊗ X ≤ B ⇔ X ≤ A\\B and X ⊗ A ≤ B ⇔ X ≤ B/A, ≤ in the order of the semiring."""
    rng = np.random.default_rng(seed)
    m, k, n = rng.integers(1, 4, size=3)
    A, B, X = (small_matrix(rng, *shape, semiring.zero, exact) for shape in ((m, k), (m, n), (k, n)))

    def below(P, Q):
        return bool((semiring.sign * P <= semiring.sign * Q).all())

    R = residual(A, B, semiring)
    assert below(matmul(A, X, semiring), B) == below(X, R)
    assert below(matmul(A, R, semiring), B)
    A, X = A.T, X.T  # B.T has shape (n, m)
    R = residual(A, B.T, semiring, side="right")
    assert R.shape == (n, k)
    assert below(matmul(X, A, semiring), B.T) == below(X, R)
    assert below(matmul(R, A, semiring), B.T)


def test_residual_by_hand():
    A = [[0, -inf, -inf], [2, 1, -inf]]
    assert residual(A, [3, -inf]).tolist() == [-inf, -inf, inf]  # nothing bounds the last entry
    assert residual(A, [inf, 4]).tolist() == [2, 3, inf]
    assert residual(A, [1.0, 2.0, 3.0], side="right").tolist() == [1, -1]
    batch = residual(np.zeros((5, 2, 3)), np.ones((5, 2, 4)))
    assert batch.shape == (5, 3, 4)
    assert residual(np.zeros((0, 2)), np.zeros((0, 3))).tolist() == [[inf] * 3] * 2
    assert residual(np.zeros((2, 0)), np.zeros(2)).shape == (0,)


@given(st.integers(0, 10**6), st.sampled_from([MAX_PLUS, MIN_PLUS]), st.booleans())
def test_solve(seed, semiring, exact):
    rng = np.random.default_rng(seed)
    m, n, p = rng.integers(1, 4, size=3)
    A = small_matrix(rng, m, n, semiring.zero, exact)
    b = matmul(A, small_matrix(rng, n, p, semiring.zero, exact), semiring)
    assert is_solvable(A, b, semiring)
    np.testing.assert_array_equal(matmul(A, solve(A, b, semiring, check=True), semiring), b)
    b = small_matrix(rng, m, p, semiring.zero, exact)
    x = solve(A, b, semiring)
    reached = matmul(A, x, semiring)
    assert (semiring.sign * reached <= semiring.sign * b).all()
    assert is_solvable(A, b, semiring) == np.array_equal(reached, b)
    if not is_solvable(A, b, semiring):
        with pytest.raises(InputError, match=r"no solution: b\[\d+, \d+\] is"):
            solve(A, b, semiring, check=True)
    for column in range(p):
        assert is_solvable(A, b[:, column], semiring) == np.array_equal(reached[:, column], b[:, column])


@given(st.integers(0, 10**6))
def test_solvable_floats_as_fractions(seed):
    """Differences that agree to the last bit, and those that differ beyond it."""
    rng = np.random.default_rng(seed)
    m, n = rng.integers(1, 4, size=2)
    A, x = rng.normal(size=(m, n)), rng.normal(size=n) * 10.0 ** rng.integers(-18, 3)
    b = matmul(A, x)  # rounded, so that the system is seldom solvable
    exact = [np.array([Fraction(v) for v in M.flat], dtype=object).reshape(M.shape) for M in (A, b)]
    assert is_solvable(A, b) == is_solvable(*exact)
    assert is_solvable(*exact) == np.array_equal(matmul(exact[0], solve(*exact)), exact[1])


def test_solvable_near_ties_and_overflow():
    tiny = 2.0**-60
    A = np.array([[0.0], [1.0]])
    assert is_solvable(A, [0.0, 1.0])
    assert not is_solvable(A - [[tiny], [0]], [0.0, 1.0])  # the difference rounds to the same double
    big = 1.7e308
    assert is_solvable([[-big], [-big]], [big, big])
    assert not is_solvable([[-big], [-big]], [big, 0.9 * big])


@given(st.integers(0, 1000), st.sampled_from([1, -1]), st.sampled_from([0.0, 0.3]))
def test_fixed_point(seed, sign, eps):
    rng = np.random.default_rng(seed)
    n = 5
    semiring = Semiring(sign, eps)
    A = -sign * (rng.integers(0, 9, size=(n, n)) + 2 * eps)
    A[rng.random((n, n)) < 0.3] = semiring.zero
    b = rng.integers(-9, 9, size=n).astype(float)
    x = fixed_point(A, b, semiring)
    np.testing.assert_allclose(semiring.add(matmul(A, x, semiring), b), x, rtol=1e-13, atol=1e-13)
    iterate = np.full(n, semiring.zero)
    for _ in range(n if eps == 0 else 200):
        iterate = semiring.add(matmul(A, iterate, semiring), b)
    np.testing.assert_allclose(iterate, x, rtol=1e-12, atol=1e-12)


def test_distances_to_a_target_against_networkx():
    G = nx.gnp_random_graph(30, 0.15, seed=1, directed=True)
    for k, (i, j) in enumerate(G.edges):
        G[i][j]["weight"] = 1.0 + (7 * k) % 11
    target = np.full(30, inf)
    target[4] = 0.0
    want = nx.single_source_dijkstra_path_length(G.reverse(), 4)
    got = fixed_point(from_graph(G, semiring=MIN_PLUS), target, MIN_PLUS)
    assert got.tolist() == [want.get(i, inf) for i in range(30)]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: residual([[0.0]], [[nan]]), r"B\[0, 0\] is nan"),
        (lambda: residual([[inf]], [[0.0]]), r"A\[0, 0\] is inf; pass finite"),
        (lambda: residual([[0.0]], [0.0, 1.0]), r"A has shape \(1, 1\) and B \(2,\).*as many rows"),
        (lambda: residual([[0.0]], [0.0, 1.0], side="right"), "as many columns"),
        (lambda: residual([0.0], [0.0]), "pass a matrix"),
        (lambda: residual([[0.0]], [0.0], side="both"), "side is 'both'"),
        (lambda: residual([[0.0]], [0.0], Semiring(eps=1.0)), "eps = 0, got 1"),
        (lambda: solve([[0.0]], [0.0], Semiring(eps=1.0)), "eps = 0, got 1"),
        (lambda: solve([[0.0]], [0.0, 1.0]), r"A has shape \(1, 1\) and b \(2,\)"),
        (lambda: solve([[0.0]], [inf]), r"b\[0\] is inf"),
        (lambda: solve([[0.0], [0.0]], [1.0, 2.0], check=True), r"b\[1\] is 2.0, and 1.0 is the nearest"),
        (lambda: fixed_point([[0.0]], [0.0, 1.0]), r"pass b of shape \(1,\)"),
    ],
)
def test_refusals(make, message):
    with pytest.raises((InputError, ShapeError), match=message):
        make()


def test_divergence_passes_through():
    with pytest.raises(DivergenceError, match="cycle 0 -> 0"):
        fixed_point([[1.0]], [0.0])
