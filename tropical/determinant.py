"""The tropical determinant, which is the permanent: a best assignment, and how many there are."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from tropical._arrays import EXACT, convert, is_exact
from tropical._cycles import as_integers, best_from, strong_components, within_range
from tropical._square import as_square, need_tropical, round_to
from tropical.closure import reduced
from tropical.errors import BudgetExceeded
from tropical.semiring import MAX_PLUS, Semiring

__all__ = ["count_optimal_permutations", "determinant", "is_singular", "optimal_assignment"]

_SUBSETS = 1 << 20


def determinant(
    A: ArrayLike,
    semiring: Semiring = MAX_PLUS,
    *,
    return_permutation: bool = False,
    limit: int = _SUBSETS,
):
    """The tropical determinant ⊕_σ ⊗_i A_{i,σ(i)}: over max-plus max_σ Σ_i A_{i,σ(i)}, an assignment problem.

    There are no signs, so that determinant and permanent agree. At ε > 0 it is ε log perm(e^{A/ε}).

    Parameters
    ----------
    A : (n, n) array
        Fractions at ε = 0.
    semiring : Semiring
    return_permutation : bool
        Also return the permutation; ε = 0 only.
    limit : int
        At ε > 0, the largest number 2^n of sets of columns; the permanent is #P-hard. Not used at ε = 0.

    Returns
    -------
    value : scalar
        Of the dtype of A. The zero if no permutation avoids the zero entries; 0 for n = 0.
    permutation : (n,) array of integers, or None
        σ, if asked for: row i takes column σ(i). None where the value is the zero.

    Raises
    ------
    BudgetExceeded
        ε > 0 and 2^n > `limit`.
    InputError
        NaN, the infinity that is not the zero, Fractions or `return_permutation` at ε > 0.
    ShapeError
        A is not one square matrix.

    Notes
    -----
    ε = 0: `scipy.optimize.linear_sum_assignment` proposes σ, in floats. It is optimal exactly if the graph with
    weights A_{i,σ(j)} − A_{i,σ(i)} has no cycle of positive weight, which is decided exactly as for `eigenvalue`; a
    positive cycle improves σ. So the value is the right one even where rounding misleads SciPy, and it is rounded
    once. O(n³) at worst.

    ε > 0: dynamic programming over sets of columns, n 2^{n−1} sums without cancellation (Ryser's formula, of the
    same cost, has it). 0 ≤ det_ε − det_0 ≤ ε log n! for sign +1.

    References
    ----------
    P. Butkovič, Max-linear Systems, 2010, section 1.6.4; J. Richter-Gebert, B. Sturmfels, T. Theobald, "First steps
    in tropical geometry", 2005.

    Examples
    --------
    >>> A = [[0, 5, 2], [1, 0, 7], [4, 3, 0]]
    >>> value, permutation = determinant(A, return_permutation=True)
    >>> float(value), permutation
    (16.0, array([1, 2, 0]))
    >>> float(determinant(np.zeros((3, 3)), Semiring(eps=1.0)).round(4))    # log 3!
    1.7918
    """
    A = as_square(A, semiring)
    if return_permutation:
        need_tropical("return_permutation", semiring, "every permutation contributes")
    if not semiring.is_tropical:
        upright = (semiring.sign * A).astype(np.float64)
        return round_to(A.dtype, semiring.sign * _soft_permanent(upright, semiring, limit))
    permutation, _ = optimal_assignment(semiring.sign * A)
    if permutation is None:
        value = semiring.zero
    else:
        K, unit = as_integers(A[np.arange(len(A)), permutation])
        value = sum(K.tolist()) * unit
    value = round_to(A.dtype, value)
    return (value, permutation) if return_permutation else value


def is_singular(A: ArrayLike, semiring: Semiring = MAX_PLUS) -> bool:
    """Whether A is tropically singular: two permutations attain the determinant, or it is the zero; ε = 0.

    Decided exactly for the matrix as given, at the cost of `determinant`.

    Examples
    --------
    >>> is_singular([[1, 2], [3, 4]]), is_singular([[1, 2], [3, 5]])
    (True, False)
    """
    need_tropical("tropical singularity", semiring, "no sum of exponentials is attained twice")
    A = as_square(A, semiring)
    permutation, tight = optimal_assignment(semiring.sign * A)
    return permutation is None or len(tight) > len(A)


def count_optimal_permutations(A: ArrayLike, semiring: Semiring = MAX_PLUS, *, limit: int = _SUBSETS) -> int:
    """How many permutations attain the determinant; ε = 0. Exact; 0 if the determinant is the zero.

    Parameters
    ----------
    A : (n, n) array
        Fractions too.
    semiring : Semiring
    limit : int
        The largest 2^k, see below.

    Returns
    -------
    int

    Raises
    ------
    BudgetExceeded
        k nodes hang together through optimal permutations and 2^k > `limit`: the count is that of perfect
        matchings, which is #P-hard. `is_singular` tells one from several at any size.

    Examples
    --------
    >>> count_optimal_permutations(np.zeros((4, 4)))
    24
    """
    need_tropical("a count of optimal permutations", semiring, "every permutation contributes")
    A = as_square(A, semiring)
    permutation, tight = optimal_assignment(semiring.sign * A)
    if permutation is None:
        return 0
    arcs = np.zeros(A.shape, dtype=bool)
    arcs[tuple(tight.T)] = True
    count = 1
    for nodes in strong_components(arcs):
        _check_subsets(len(nodes), limit)
        ones = arcs[np.ix_(nodes, nodes)].astype(np.int64)  # 20! < 2^63
        count *= int(
            _over_subsets(ones if len(nodes) <= 20 else ones.astype(object), 1, 0, np.add, np.multiply)
        )
    return count


def optimal_assignment(A: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
    """A permutation σ with the largest Σ A_{i,σ(i)}, and the pairs (i, j) such that some best one maps i to σ(j).

    Without finite permutation, None and no pairs.
    """
    from scipy.optimize import linear_sum_assignment  # half of the time to import this package

    if not is_exact(A):
        A = A.astype(np.float64)
        if np.abs(A, where=-np.inf < A, out=np.zeros_like(A)).max(initial=0.0) > 2.0**1000:
            A = convert(A, EXACT)  # differences could overflow
    A, _ = within_range(A)
    try:
        _, permutation = linear_sum_assignment(A.astype(np.float64), maximize=True)
    except ValueError:  # what it says of an infeasible problem; there is no NaN and no +∞ here
        return None, np.empty((0, 2), int)
    if not len(A):
        return permutation, np.empty((0, 2), int)
    while True:
        taken = A[:, permutation]
        gains = (taken - taken.diagonal()[:, None]).astype(np.float64)
        _, value = reduced(gains)
        mean, cycle, tight = best_from(
            gains, _differences(taken), value, np.array([0])
        )  # a loop has weight 0
        if mean == 0:
            return permutation, tight
        permutation[cycle] = permutation[np.roll(cycle, -1)]


def _differences(taken: np.ndarray):
    """The gains A_{i,σ(j)} − A_{i,σ(i)} of given arcs i → j, exactly."""

    def exact(rows, columns) -> tuple[np.ndarray, Fraction]:
        K, unit = as_integers(np.stack([taken[rows, columns], taken[rows, rows]]))
        return K[0] - K[1], unit

    return exact


def _check_subsets(n: int, limit: int) -> None:
    if 1 << n > limit:
        raise BudgetExceeded(
            f"sum over the permutations of {n} rows, by sets of columns",
            1 << n,
            limit,
            "take eps = 0, or raise limit",
        )


def _soft_permanent(A: np.ndarray, semiring: Semiring, limit: int) -> float:
    _check_subsets(len(A), limit)
    soft = Semiring(eps=semiring.eps)
    return float(_over_subsets(A, 0.0, -np.inf, soft.add, np.add))


def _over_subsets(A: np.ndarray, one, zero, add, mul):
    """The permanent: total[S] sums over the ways to give the first |S| rows the columns of S."""
    n = len(A)
    subsets = np.arange(1 << n)
    size = sum(((subsets >> j) & 1 for j in range(n)), np.zeros(1 << n, int))
    total = np.full(1 << n, zero, A.dtype)
    total[0] = one
    for row in range(n):
        filled = subsets[size == row]
        for j in range(n):
            before = filled[(filled >> j) & 1 == 0]
            after = before | (1 << j)
            total[after] = add(total[after], mul(total[before], A[row, j]))
    return total[-1]
