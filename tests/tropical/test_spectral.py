"""Eigenvalues, eigenvectors and critical graphs, against enumeration of cycles, mpmath and published examples."""

from fractions import Fraction
from itertools import pairwise
from math import inf, nan

import mpmath
import networkx as nx
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tropical import (
    MAX_PLUS,
    MIN_PLUS,
    InputError,
    Semiring,
    critical_graph,
    eigenvalue,
    eigenvalues,
    eigenvectors,
    matmul,
)
from tropical._cycles import as_integers, best_from
from tropical._perron import perron

DOT = -inf


def exactly(A):
    return np.array([[Fraction(a) if np.isfinite(a) else a for a in row] for row in A], dtype=object)


def random_matrix(seed, kind=None):
    """Few values, generic, of widely different size, or with all cycles 0 up to rounding; with gaps."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 7))
    v = rng.normal(size=n)
    A = [
        rng.integers(-4, 4, size=(n, n)).astype(float),
        rng.normal(size=(n, n)),
        rng.normal(size=(n, n)) * 10.0 ** rng.integers(-12, 12, size=(n, n)),
        v[:, None] - v,
    ][seed % 4]
    A[rng.random((n, n)) < 0.8 * rng.random()] = -inf
    return A


def all_cycles(A):
    """The largest mean of all cycles, as a Fraction, and the arcs of those that have it."""
    n = len(A)
    G = nx.DiGraph((i, j) for i in range(n) for j in range(n) if A[i][j] > -inf)
    best, arcs = None, set()
    for cycle in nx.simple_cycles(G):
        steps = list(pairwise([*cycle, cycle[0]]))
        mean = sum(Fraction(A[i][j]) for i, j in steps) / len(steps)
        if best is None or mean > best:
            best, arcs = mean, set()
        if mean == best:
            arcs.update(steps)
    return best, arcs


@pytest.mark.parametrize(
    ("A", "value", "vector"),
    [  # recomputed by hand; the first is Butkovič's, the others are examples of Sage and MaxPlus.jl
        ([[1, 2], [3, 4]], 4, (2, 4)),
        ([[3, 7], [2, 4]], Fraction(9, 2), (Fraction(13, 2), 4)),
        ([[3, 7], [2, DOT]], Fraction(9, 2), (Fraction(9, 2), 2)),
        ([[DOT, 2], [1, DOT]], Fraction(3, 2), (0, Fraction(-1, 2))),
        ([[5, DOT, 5], [DOT, 6, 3], [6, 6, 3]], 6, None),
    ],
)
def test_published_eigenvalues(A, value, vector):
    A = np.array(A, dtype=float)
    for matrix in (A, A.astype(np.float32), exactly(A)):
        assert eigenvalue(matrix) == value
        assert eigenvalue(-matrix, MIN_PLUS) == -value
        v = eigenvectors(matrix)
        assert v.shape[1] == 1
        np.testing.assert_array_equal(matmul(matrix, v), v + eigenvalue(matrix))
        if vector is not None:
            assert v[0, 0] - v[1, 0] == vector[0] - vector[1]
    assert type(eigenvalue(exactly(A))) is Fraction
    assert eigenvalue(A.astype(np.float32)).dtype == np.float32


@given(st.integers(0, 10**6))
@example(3)
def test_eigenvalue_and_critical_graph_by_enumeration(seed):
    A = random_matrix(seed)
    best, arcs = all_cycles(A)
    for matrix, semiring in ((A, MAX_PLUS), (-A, MIN_PLUS), (exactly(A), MAX_PLUS)):
        G, value = critical_graph(matrix, semiring), eigenvalue(matrix, semiring)
        assert set(G.edges) == arcs
        if best is None:
            assert value == G.graph["eigenvalue"] == semiring.zero
        else:
            assert (
                value
                == G.graph["eigenvalue"]
                == semiring.sign * (best if matrix.dtype == object else float(best))
            )
        assert all(matrix[i, j] == w for i, j, w in G.edges(data="weight"))


def test_one_long_integer():
    """2^61 − 2^8 and 1 fit into int64, and five times the first does not."""
    A = np.full((6, 6), -inf)
    A[np.arange(6), (np.arange(6) + 1) % 6] = (2.0**53 - 1) * 2**8, 1.0, 1.0, 1.0, 1.0, 1.0
    assert eigenvalue(A) == float(Fraction(2**61 - 2**8 + 5, 6))
    assert critical_graph(A).number_of_edges() == 6


@given(st.integers(0, 10**6))
def test_sums_that_leave_int64(seed):
    """Doubles whose common unit is so small that sums over paths need more than 64 bits."""
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(6, 6)) * 2.0 ** rng.integers(0, 9, size=(6, 6))
    best, arcs = all_cycles(A)
    assert eigenvalue(A) == float(best)
    assert set(critical_graph(A).edges) == arcs


@given(st.integers(0, 10**6))
def test_a_bad_guess_costs_time_only(seed):
    """The proof starts from any potentials and any cycle."""
    A = random_matrix(seed)
    best, arcs = all_cycles(A)
    if best is None:
        return
    cycle = next(nx.simple_cycles(nx.DiGraph((i, j) for i, j in np.argwhere(-inf < A).tolist())))
    value = np.random.default_rng(seed).normal(size=len(A))
    mean, found, got = best_from(A, lambda i, j: as_integers(A[i, j]), value, np.array(cycle))
    assert mean == best
    assert set(map(tuple, got.tolist())) == arcs
    assert set(pairwise([*found.tolist(), int(found[0])])) <= arcs


def test_fractions_outside_the_range_of_floats():
    huge = Fraction(10) ** 400
    A = np.array([[huge, huge + 1], [huge + 2, -huge]], dtype=object)
    assert eigenvalue(A) == huge + Fraction(3, 2)
    assert set(critical_graph(A).edges) == {(0, 1), (1, 0)}
    assert eigenvalue(A / huge**2) == (huge + Fraction(3, 2)) / huge**2
    assert eigenvalue([[1e308, 1.7e308], [1.6e308, 0.0]]) == float(
        (Fraction(1.7e308) + Fraction(1.6e308)) / 2
    )


@given(st.integers(0, 10**6), st.sampled_from([1, -1]))
def test_eigenvectors(seed, sign):
    """Exactly: A ⊗ v = λ ⊗ v, one column per critical component, none a combination of the others."""
    semiring = Semiring(sign)
    A = sign * exactly(random_matrix(seed))
    V = eigenvectors(A, semiring)
    G = critical_graph(A, semiring)
    assert V.shape == (len(A), nx.number_strongly_connected_components(G))
    for k, v in enumerate(V.T):
        assert (sign * v).max() == 0
        np.testing.assert_array_equal(
            matmul(A, v, semiring), semiring.mul(v, np.array(eigenvalue(A, semiring), dtype=object))
        )
        # Distinct extremals: each is the sole one that is largest at its own critical component.
        others = [
            semiring.mul(np.array(v[c] - w[c], dtype=object), w)
            for w in np.delete(V, k, axis=1).T
            for c in G
            if w[c] != semiring.zero and v[c] != semiring.zero
        ]
        assert not any(np.array_equal(v, w) for w in others)


@given(st.integers(0, 10**6))
def test_float_eigenvectors_are_near_exact_ones(seed):
    A = random_matrix(4 * (seed // 4) + (seed % 4) % 2)
    V, W = eigenvectors(A), eigenvectors(exactly(A)).astype(float)
    np.testing.assert_allclose(V, W, atol=1e-13)


@given(st.integers(0, 10**6))
def test_eigenvalues_of_reducible_matrices(seed):
    """Each value listed has eigenvectors; no other cycle mean of a component has: it is refused."""
    A = exactly(random_matrix(4 * seed))
    listed = eigenvalues(A).tolist()
    assert listed == sorted(set(listed), reverse=True)
    assert (listed[0] if listed else -inf) == eigenvalue(A)
    for value in listed:
        V = eigenvectors(A, value=value)
        assert V.shape[1] > 0
        for v in V.T:
            assert v.max() == 0
            np.testing.assert_array_equal(matmul(A, v), MAX_PLUS.mul(v, np.array(value, dtype=object)))
    # By definition: λ is an eigenvalue iff the greatest candidate, the nodes whose paths never exceed λ, works.
    G = nx.DiGraph((i, j) for i in range(len(A)) for j in range(len(A)) if A[i, j] != -inf)
    G.add_nodes_from(range(len(A)))
    for component in nx.strongly_connected_components(G):
        nodes = sorted(component)
        mean, _ = all_cycles(A[np.ix_(nodes, nodes)])
        if mean is None:
            continue
        above = sorted(component.union(*(nx.ancestors(G, i) for i in nodes)))
        spectral = all_cycles(A[np.ix_(above, above)])[0] == mean
        assert not spectral or mean in listed
        if mean not in listed:
            with pytest.raises(InputError, match="no eigenvalue"):
                eigenvectors(A, value=mean)


def test_larger_matrices_against_networkx():
    """λ is the least number for which λ − A has no negative cycle: Bellman and Ford's algorithm says which."""
    A = np.random.default_rng(5).normal(size=(40, 40))
    value = eigenvalue(A)
    assert not nx.negative_edge_cycle(nx.DiGraph(value + 1e-12 - A))
    assert nx.negative_edge_cycle(nx.DiGraph(value - 1e-12 - A))


# ---- eps > 0 -------------------------------------------------------------------------------------------------


def perron_root(A, eps):
    size = np.abs(A[np.isfinite(A)]).max() / eps
    with mpmath.workdps(int(60 + size)):
        E = mpmath.matrix(
            [[mpmath.exp(mpmath.mpf(a) / eps) if a > -inf else 0 for a in row] for row in A.tolist()]
        )
        roots = mpmath.eig(E, left=False, right=False)
        return eps * mpmath.log(max(abs(r) for r in roots))


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("eps", [0.05, 1.0, 30.0])
@pytest.mark.parametrize("n", [2, 3, 5])  # mpmath 1.3 fails on 1
def test_soft_eigenvalue_against_mpmath(n, eps, sign):
    rng = np.random.default_rng(n)
    A = 3 * rng.normal(size=(n, n))
    A[rng.random((n, n)) < 0.3] = -inf
    A[np.arange(n), (np.arange(n) + 1) % n] = rng.normal(size=n)
    semiring = Semiring(sign, eps)
    got, want = sign * eigenvalue(sign * A, semiring), perron_root(A, eps)
    assert abs(got - want) < 1e-13 * (1 + abs(want) + eps)
    low, high, _ = perron(A, eps)
    assert low <= want <= high
    v = eigenvectors(sign * A, semiring)
    assert (sign * v).max() == 0
    np.testing.assert_allclose(matmul(sign * A, v, semiring), v + sign * got, atol=1e-12 * (1 + eps))


@given(st.integers(0, 1000), st.sampled_from([1e-280, 1e-3, 0.1, 1.0, 100.0]))
def test_soft_eigenvalue_tends_to_the_cycle_mean(seed, eps):
    """0 ≤ λ_ε − λ_0 ≤ ε log n."""
    A = random_matrix(4 * seed + 1)
    hard, soft = eigenvalue(A), eigenvalue(A, Semiring(eps=eps))
    if hard == -inf:
        assert soft == -inf
    else:
        assert -1e-14 * (1 + abs(hard)) <= soft - hard <= eps * np.log(len(A)) + 1e-13 * (1 + abs(hard) + eps)


def test_weak_links_that_decide():
    """Loops of weight 0 on a path that closes with −L: ρ = 1 + e^{−L/n}, though e^{−L} underflows."""
    n, L = 40, 1000.0
    A = np.full((n, n), -inf)
    A[np.arange(n), np.arange(n)] = A[np.arange(n - 1), np.arange(1, n)] = 0.0
    A[-1, 0] = -L
    assert eigenvalue(A, Semiring(eps=1.0)) == pytest.approx(np.log1p(np.exp(-L / n)), rel=1e-3)


def test_soft_reducible():
    semiring = Semiring(eps=1.0)
    A = np.array([[0.0, 1.0, DOT], [DOT, 2.0, 3.0], [DOT, DOT, 1.0]])  # triangular: roots are the diagonal
    assert eigenvalue(A, semiring) == 2.0
    v = eigenvectors(A, semiring)
    E = np.exp(A)
    np.testing.assert_allclose(E @ np.exp(v), np.exp(2.0) * np.exp(v), rtol=1e-14)
    assert v[2, 0] == -inf
    with pytest.raises(InputError, match="cannot tell the spectral radii of the components of nodes"):
        eigenvectors([[0.0, DOT], [DOT, 0.0]], semiring)
    assert eigenvectors([[DOT, 1.0], [DOT, DOT]], semiring).shape == (2, 0)
    assert eigenvectors(A.astype(np.float32), semiring).dtype == np.float32


# ---- special cases and refusals ------------------------------------------------------------------------------


def test_empty_and_acyclic():
    for semiring in (MAX_PLUS, MIN_PLUS, Semiring(eps=1.0)):
        none = np.full((2, 2), semiring.zero)
        assert eigenvalue(np.zeros((0, 0)), semiring) == semiring.zero
        assert eigenvalue(none, semiring) == semiring.zero
        assert eigenvectors(np.zeros((0, 0)), semiring).shape == (0, 0)
        assert eigenvectors(none, semiring).shape == (2, 0)
    assert eigenvalues(np.full((2, 2), -inf)).tolist() == []
    assert critical_graph(np.zeros((0, 0))).number_of_nodes() == 0
    assert eigenvectors([[3.0]]).tolist() == [[0.0]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: eigenvalue([[1.0, 2.0]]), r"A has shape \(1, 2\); pass one square matrix"),
        (lambda: eigenvalue(np.zeros((2, 2, 2))), "one square matrix"),
        (lambda: eigenvectors([[nan]]), r"A\[0, 0\] is nan"),
        (lambda: critical_graph([[inf]]), r"A\[0, 0\] is inf; pass finite entries, and -inf"),
        (lambda: eigenvalue([[-inf]], MIN_PLUS), r"A\[0, 0\] is -inf; pass finite entries, and inf"),
        (lambda: eigenvalue([[Fraction(1)]], Semiring(eps=1.0)), "transcendental"),
        (lambda: critical_graph([[0.0]], Semiring(eps=1.0)), "eps = 0, got 1"),
        (lambda: eigenvalues([[0.0]], Semiring(eps=1.0)), "eps = 0, got 1"),
        (lambda: eigenvalue([[0.0]], Semiring(eps=1e300)), r"eps is 1e\+300, outside"),
        (lambda: eigenvalue([[1e300]], Semiring(eps=1.0)), r"A\[0, 0\] is 1e\+300; at eps > 0 pass"),
        (lambda: eigenvectors([[0.0]], Semiring(eps=1.0), value=0.0), "eps = 0, got 1"),
        (lambda: eigenvectors([[0.0]], value=1.0), r"value 1.0 is no eigenvalue; the eigenvalues are: 0.0"),
    ],
)
def test_refusals(make, message):
    with pytest.raises(InputError, match=message):
        make()
