"""Best paths and sums over paths, against networkx, inverses and counts by hand."""

from fractions import Fraction
from itertools import pairwise
from math import inf, nan

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tropical import (
    MIN_PLUS,
    DivergenceError,
    InputError,
    Semiring,
    best_paths,
    from_graph,
    path_sums,
    power,
    star,
)


@given(st.integers(0, 10**6), st.sampled_from([1, -1]), st.booleans())
def test_paths_have_the_weights(seed, sign, exact):
    """Also through cycles of weight 0, which must not trap the walk back."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 7))
    semiring = Semiring(sign)
    A = -sign * rng.integers(0, 3, size=(n, n)).astype(float)
    A[rng.random((n, n)) < 0.5] = semiring.zero
    v = rng.integers(-9, 9, size=n)
    A = A + v[:, None] - v
    if exact:
        A = np.array([Fraction(a) if np.isfinite(a) else a for a in A.flat] + [None])[:-1].reshape(n, n)
    found = best_paths(A, semiring)
    np.testing.assert_array_equal(found.weights, star(A, semiring))
    for i in range(n):
        for j in range(n):
            path = found.path(i, j)
            if found.weights[i, j] == semiring.zero:
                assert path == []
            else:
                assert (path[0], path[-1], len(set(path))) == (i, j, len(path))
                assert sum(A[a, b] for a, b in pairwise(path)) == found.weights[i, j]


def test_float_cycles_that_round_to_a_gain():
    v = np.random.default_rng(0).normal(size=20)
    A = v[:, None] - v
    A -= np.abs(A) * 2.0**-52  # exactly below 0 around each cycle, but not once rounded
    found = best_paths(A)
    for i in range(20):
        path = found.path(i, (7 * i) % 20)
        assert sum(A[a, b] for a, b in pairwise(path)) == pytest.approx(
            found.weights[i, (7 * i) % 20], abs=1e-14
        )


def test_against_networkx():
    G = nx.gnp_random_graph(40, 0.1, seed=2, directed=True)
    nx.set_edge_attributes(G, {e: float(1 + (5 * k) % 13) for k, e in enumerate(G.edges)}, "weight")
    found = best_paths(from_graph(G, semiring=MIN_PLUS), MIN_PLUS)
    lengths = dict(nx.all_pairs_dijkstra_path_length(G))
    for i in G:
        for j in G:
            path = found.path(i, j)
            assert found.weights[i, j] == lengths[i].get(j, inf)
            assert not path or nx.path_weight(G, path, "weight") == lengths[i][j]


def test_sum_over_words():
    """Edges a→a, a→b, b→a of weight w: 1/(1 − w − w²), 100/61 at w = 3/10."""
    for w in (Fraction(3, 10), Fraction(1, 7), Fraction(0)):
        assert path_sums([[w, w], [w, 0]])[0, 0] == 1 / (1 - w - w**2)
    assert path_sums([[0.3, 0.3], [0.3, 0.0]])[0, 0] == pytest.approx(100 / 61, rel=1e-15)


@given(st.integers(0, 10**6))
def test_sums_are_inverses(seed):
    """(I − W) S = I for Fractions; divergence exactly where a row scaling shows ρ ≥ 1."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 5))
    W = np.array([Fraction(int(v), 12) for v in rng.integers(0, 8, size=n * n)] + [None])[:-1].reshape(n, n)
    radius = max(abs(np.linalg.eigvals(W.astype(float))))
    try:
        S = path_sums(W)
    except DivergenceError:
        assert radius > 1 - 1e-9
        return
    assert radius < 1 + 1e-9
    eye = np.array([[Fraction(i == j) for j in range(n)] for i in range(n)], dtype=object)
    np.testing.assert_array_equal((eye - W).dot(S), eye)
    if radius < 0.99:
        np.testing.assert_allclose(path_sums(W.astype(float)), S.astype(float), rtol=1e-10)
        with np.errstate(divide="ignore"):
            soft = star(np.log(W.astype(float)), Semiring(eps=1.0))
        np.testing.assert_allclose(np.exp(soft), S.astype(float), rtol=1e-10)


def test_counts():
    """Monotone lattice paths: binomial coefficients. Walks of k steps: powers over the log-semiring."""
    grid = nx.grid_2d_graph(5, 5, create_using=nx.DiGraph)
    grid.remove_edges_from([(u, v) for u, v in grid.edges if sum(u) > sum(v)])
    A = nx.to_numpy_array(grid)
    assert path_sums(A)[0, -1] == 70
    C = nx.to_numpy_array(nx.cycle_graph(5))
    with np.errstate(divide="ignore"):
        walks = np.exp(power(np.log(C), 6, Semiring(eps=1.0)))
    np.testing.assert_allclose(walks, np.linalg.matrix_power(C, 6), atol=1e-12)


def test_empty():
    assert path_sums(np.zeros((0, 0))).shape == (0, 0)
    assert best_paths(np.zeros((0, 0))).weights.shape == (0, 0)
    assert best_paths([[-inf]]).path(0, 0) == [0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: path_sums([[Fraction(1)]]), r"nodes 0 … 0 diverges: W has spectral radius >= 1"),
        (lambda: path_sums([[0, 1], [1, 0]]), "nodes 0 … 1 diverges"),
        (lambda: path_sums([[-0.5]]), r"W\[0, 0\] is -0.5; pass finite weights >= 0"),
        (lambda: path_sums([[nan]]), "is nan"),
        (lambda: path_sums([[inf]]), "is inf"),
        (lambda: path_sums([[1.0, 2.0]]), r"W has shape \(1, 2\)"),
        (lambda: best_paths([[1.0]]), "cycle 0 -> 0 has positive weight 1"),
        (lambda: best_paths([[0.0]], Semiring(eps=1.0)), "`star` sums over all paths"),
        (lambda: best_paths([[0.0]]).path(0, 1), r"nodes are 0 and 1; pass two of 0 … 0"),
    ],
)
def test_refusals(make, message):
    with pytest.raises(InputError, match=message):
        make()
