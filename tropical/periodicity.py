"""The power sequence A, A², A³, … over max-plus and min-plus: its period and where that begins."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, shortest_path

from tropical._cycles import as_integers, best_cycles
from tropical._square import as_square, identity, need_tropical
from tropical.errors import InputError
from tropical.matrix import matmul
from tropical.semiring import MAX_PLUS, Semiring

__all__ = ["cyclicity", "transient"]

_EXACT_FLOATS = 2.0**52  # sums of two integers below this are exact


def cyclicity(A: ArrayLike, semiring: Semiring = MAX_PLUS) -> int:
    """The cyclicity σ of the critical graph: the period of the powers of A up to multiples of the eigenvalue.

    σ is the least common multiple, over the components of the critical graph, of the greatest common divisor of
    the lengths of their cycles. For an irreducible A it is the least c > 0 with A^{t+c} = λ^c ⊗ A^t for all
    large t; see `transient`.

    Returns
    -------
    int
        1 if A has no cycle.

    Raises
    ------
    InputError
        ε > 0 (e^{A/ε} with a positive diagonal has period 1), NaN, the infinity that is not the zero.

    References
    ----------
    G. Cohen, D. Dubois, J.-P. Quadrat, M. Viot, IEEE Trans. Automat. Control 30 (1985), 210–220; F. Baccelli et
    al., Synchronization and Linearity, 1992, Theorem 3.109.

    Examples
    --------
    >>> inf = np.inf
    >>> cyclicity([[-inf, 1, -inf], [-inf, -inf, 1], [1, -inf, 0]])
    3
    """
    need_tropical("the cyclicity", semiring, "powers at eps > 0 converge up to multiples instead")
    A = as_square(A, semiring)
    return _cyclicity(len(A), best_cycles(semiring.sign * A))


def transient(A: ArrayLike, semiring: Semiring = MAX_PLUS) -> int:
    """The least T ≥ 0 with A^{t+σ} = λ^σ ⊗ A^t for all t ≥ T, σ the cyclicity and λ the eigenvalue; A⁰ = I.

    Returns
    -------
    int
        For a matrix without cycles, the least T with A^T zero.

    Raises
    ------
    InputError
        A is reducible and its strongly connected components have different cycle means, so that no T exists.
        ε > 0, NaN, the infinity that is not the zero.

    Notes
    -----
    Decided exactly, also for floats: the entries less λ are taken as integers times one unit. T is found by
    doubling and bisection, in O(log T) products. These are compiled while all sums stay below 2^52 units and
    run on Python integers beyond (50 nodes of random doubles: a second).

    Examples
    --------
    >>> transient([[0, 0], [0, -5]]), transient([[0, -30], [-30, -1]])
    (2, 60)
    """
    need_tropical("the transient", semiring, "powers at eps > 0 converge up to multiples instead")
    A = as_square(A, semiring)
    found = best_cycles(semiring.sign * A)
    means = {c.mean for c in found}
    if len(means) > 1:
        shown = ", ".join(f"{float(semiring.sign * m):g}" for m in sorted(means))
        raise InputError(
            f"A is reducible with cycle means {shown}, so its powers grow at several rates; "
            "pass strongly connected components one by one"
        )
    B = _integers_less(semiring.sign * A, means.pop() if means else Fraction(0))
    return _first(B, _cyclicity(len(A), found) if found else 1)


def _cyclicity(n: int, found: list) -> int:
    """lcm over the components of the critical graph of the gcd of their cycles' lengths."""
    best = max((c.mean for c in found), default=None)
    arcs = [c.arcs for c in found if c.mean == best]
    if not arcs:
        return 1
    rows, columns = np.concatenate(arcs).T
    graph = csr_array((np.ones(len(rows)), (rows, columns)), shape=(n, n))
    _, label = connected_components(graph, directed=False)
    result = 1
    for component in np.unique(label[rows]).tolist():
        inside = label[rows] == component
        level = shortest_path(graph, unweighted=True, indices=int(rows[inside][0]))
        # A cycle's length is the sum over its arcs of level(i) + 1 − level(j).
        periods = level[rows[inside]] + 1 - level[columns[inside]]
        result = math.lcm(result, int(np.gcd.reduce(periods.astype(np.int64))))
    return result


def _integers_less(A: np.ndarray, mean: Fraction) -> np.ndarray:
    """A − mean in a common unit: integers in float64 if small, else Python integers and −∞."""
    B = np.full(A.shape, -np.inf, object)
    arcs = -np.inf != A
    K, unit = as_integers(A[arcs])
    ratio = mean / unit
    B[arcs] = K.astype(object) * ratio.denominator - ratio.numerator
    return _as_floats(B)


def _as_floats(B: np.ndarray) -> np.ndarray:
    if B.dtype == object and max((abs(b) for b in B.flat if b != -np.inf), default=0) < _EXACT_FLOATS:
        return B.astype(np.float64)
    return B


def _first(B: np.ndarray, period: int) -> int:
    """The least T with B^{T+period} = B^T. That holds for T + 1 if it holds for T, so bisection finds it."""
    start = _as_floats(identity(len(B), np.dtype(np.float64), MAX_PLUS))
    cycle = _power(B, period)

    def settled(P):
        return np.array_equal(_product(P, cycle), P)

    if settled(start):
        return 0
    powers = [B]  # of exponents 1, 2, 4, …
    while not settled(powers[-1]):
        powers.append(_product(powers[-1], powers[-1]))
    T, P = 0, start  # the greatest T that is known to be too small
    for k in reversed(range(len(powers) - 1)):
        further = _product(P, powers[k])
        if not settled(further):
            T, P = T + 2**k, further
    return T + 1


def _power(B: np.ndarray, k: int) -> np.ndarray:
    result = B
    for bit in bin(k)[3:]:
        result = _product(result, result)
        if bit == "1":
            result = _product(result, B)
    return result


def _product(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """A ⊗ B, compiled if no sum can round, else on Python integers."""
    if A.dtype != object and B.dtype != object:
        largest = [np.abs(M, where=-np.inf < M, out=np.zeros_like(M)).max(initial=0.0) for M in (A, B)]
        if max(largest) < _EXACT_FLOATS:
            return matmul(A, B)
    return _product_of_integers(*(_as_python(M) for M in (A, B)))


def _product_of_integers(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """On Python integers alone: a float −∞ cannot be added to those beyond 2^1024."""
    size = max((abs(m) for M in (A, B) for m in M.flat if m != -math.inf), default=0) + 1
    A, B = (
        np.where(-math.inf == M, -5 * size, M) for M in (A, B)
    )  # entries are at least −size, sums −2 size
    C = np.array([*((row[:, None] + B).max(axis=0) for row in A)], dtype=object)
    return np.where(-3 * size > C, -math.inf, C)


def _as_python(M: np.ndarray) -> np.ndarray:
    """Python integers, and float −∞."""
    if M.dtype == object:
        return M
    return np.array([[m if m == -math.inf else int(m) for m in row] for row in M.tolist()], dtype=object)
