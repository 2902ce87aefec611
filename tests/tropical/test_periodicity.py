"""Cyclicity and transient of power sequences, against the powers themselves and networkx."""

import math
from fractions import Fraction
from math import inf

import networkx as nx
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tropical import (
    MIN_PLUS,
    InputError,
    Semiring,
    critical_graph,
    cyclicity,
    eigenvalue,
    power,
    transient,
)


def exactly(A):
    return np.array([[Fraction(a) if np.isfinite(a) else a for a in row] for row in A], dtype=object)


def smallest(A, limit=400):
    """T and c by comparing powers of Fractions, one after the other."""
    shifted = exactly(A) - eigenvalue(exactly(A))
    powers = [power(shifted, 0)]
    for _ in range(limit):
        powers.append(power_step(powers[-1], shifted))
        for t, earlier in enumerate(powers[:-1]):
            if np.array_equal(earlier, powers[-1]):
                return t, len(powers) - 1 - t
    raise AssertionError("no period found")


def power_step(P, A):
    return np.array([[max(P[i] + A[:, j]) for j in range(len(A))] for i in range(len(A))], dtype=object)


@given(st.integers(0, 3000), st.booleans())
@example(0, True)
def test_against_the_powers(seed, integers):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 6))
    A = rng.integers(-3, 3, size=(n, n)).astype(float) if integers else rng.normal(size=(n, n)).round(1)
    A[rng.random((n, n)) < 0.5] = -inf
    A[np.arange(n), (np.arange(n) + 1) % n] = rng.integers(-3, 3, size=n)  # irreducible
    T, c = smallest(A)
    assert (transient(A), cyclicity(A)) == (T, c)
    assert (transient(-A, MIN_PLUS), cyclicity(-A, MIN_PLUS)) == (T, c)
    assert (transient(exactly(A)), cyclicity(exactly(A))) == (T, c)


@given(st.integers(0, 1000))
def test_cyclicity_is_that_of_all_cycles(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 7))
    A = np.where(rng.random((n, n)) < 0.35, 0.0, -inf)
    G = critical_graph(A)
    want = 1
    for component in nx.strongly_connected_components(G):
        lengths = [len(c) for c in nx.simple_cycles(G.subgraph(component))]
        want = math.lcm(want, math.gcd(*lengths))
    assert cyclicity(A) == want


def test_known_transients():
    """[[0, −M], [−M, −1]]: two steps through the critical node cost 2M, t steps at the other cost t."""
    for M in (1, 30, 10**6, 10**9):
        assert transient([[0.0, -M], [-M, -1.0]]) == 2 * M
    for M, N, P in ((3, 2, 4), (2**52 - 1, 2**52 - 2, 2**52 - 4)):  # in the end sums past 2^53, which are odd
        A = [[0.0, -inf, -P], [-M, -inf, -inf], [-inf, -N, -1.0]]
        assert transient(A) == M + N + P + 1
    assert smallest(np.array([[0.0, -inf, -4], [-3, -inf, -inf], [-inf, -2, -1.0]]))[0] == 10
    cycles = np.full((5, 5), -inf)
    cycles[[0, 1], [1, 0]] = 0.0
    cycles[[2, 3, 4], [3, 4, 2]] = 0.0
    assert (cyclicity(cycles), transient(cycles)) == (6, 0)
    cycles[0, 2] = -1.0  # reducible, with one cycle mean
    T, c = smallest(cycles)
    assert (transient(cycles), cyclicity(cycles)) == (T, c)


def test_floats_are_taken_as_they_are():
    """0.1 + 0.2 > 0.3 as doubles: the second loop falls short by 2^-54, which takes 2^56 times as long."""
    gap = Fraction(0.1) + Fraction(0.2) - 2 * Fraction(0.15)
    A = [[-inf, 0.1, -inf], [0.2, -inf, -1.0], [-inf, -1.0, 0.15]]
    assert eigenvalue(exactly(A)) == (Fraction(0.1) + Fraction(0.2)) / 2
    assert gap > 0
    T = transient(A)
    assert T > 2**53
    shifted = exactly(A) - eigenvalue(exactly(A))
    assert np.array_equal(power(shifted, T + 2), power(shifted, T))
    assert not np.array_equal(power(shifted, T + 1), power(shifted, T - 1))


def test_without_cycles():
    A = np.where(np.triu(np.ones((4, 4)), 1) > 0, 1.0, -inf)
    assert (transient(A), cyclicity(A)) == (4, 1)
    assert (transient(np.zeros((0, 0))), cyclicity(np.zeros((0, 0)))) == (0, 1)
    assert (transient([[-inf]]), transient([[5.0]])) == (1, 0)


@pytest.mark.parametrize("function", [transient, cyclicity])
def test_refusals(function):
    with pytest.raises(InputError, match="eps = 0, got 1"):
        function([[0.0]], Semiring(eps=1.0))
    with pytest.raises(InputError, match="shape"):
        function(np.zeros((2, 2, 2)))
    with pytest.raises(InputError, match="several rates"):
        transient([[1.0, 0.0], [-inf, 2.0]])
