"""Ranks of a matrix over max-plus and min-plus: the notions that can be computed.

Over a field all agree; here column rank, row rank, tropical rank, Kapranov rank and factor rank differ, with
tropical rank ≤ Kapranov rank ≤ factor rank (Develin, Santos, Sturmfels, "On the rank of a tropical matrix",
2005). The factor (Barvinok) rank is NP-hard and the Kapranov rank asks for solvability of polynomial systems over
a field; neither is offered.
"""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from tropical._square import as_entries, need_tropical
from tropical.determinant import optimal_assignment
from tropical.errors import BudgetExceeded, ShapeError
from tropical.residuation import is_solvable
from tropical.semiring import MAX_PLUS, Semiring

__all__ = ["column_rank", "tropical_rank"]


def column_rank(A: ArrayLike, semiring: Semiring = MAX_PLUS) -> int:
    """The least number of columns that generate the column space of A; ε = 0. `column_rank(A.T)` is the row rank.

    It is the number of extremal columns up to multiples: those which are no combination ⊕_k x_k ⊗ A_k of others.

    Raises
    ------
    InputError
        ε > 0, NaN, the infinity that is not the zero.

    Notes
    -----
    Each column is put to `is_solvable` against the rest, so the decision is exact; m n² comparisons.

    References
    ----------
    E. Wagneur, "Moduloïds and pseudomodules", Discrete Math. 98 (1991): the extremals are unique up to multiples.

    Examples
    --------
    >>> A = np.array([[0, 0, 0, 0], [0, 1, 2, 3], [0, 2, 4, 6]])    # points of a parabola
    >>> column_rank(A), column_rank(A.T), tropical_rank(A)
    (4, 3, 3)
    """
    A = _as_matrix(A, semiring)
    kept = list(range(A.shape[1]))
    for j in range(A.shape[1]):
        others = [k for k in kept if k != j]
        if is_solvable(A[:, others], A[:, j], semiring):
            kept = others
    return len(kept)


def tropical_rank(A: ArrayLike, semiring: Semiring = MAX_PLUS, *, limit: int = 10_000) -> int:
    """The largest r for which A has a tropically nonsingular r × r submatrix; ε = 0.

    Parameters
    ----------
    A : (m, n) array
    semiring : Semiring
    limit : int
        The largest number of submatrices to look at.

    Raises
    ------
    BudgetExceeded
        More submatrices of one size than `limit` would have to be tried. To decide the rank is NP-hard.
    InputError
        ε > 0, NaN, the infinity that is not the zero.

    Notes
    -----
    Sizes r = 1, 2, … in turn: by Laplace expansion a nonsingular matrix has a nonsingular minor of each smaller
    size. The decisions are exact, at the cost of `determinant` each.

    References
    ----------
    M. Develin, F. Santos, B. Sturmfels, 2005; K. H. Kim, F. W. Roush, "Factorization of polynomials in one
    variable over the tropical semiring", 2005 (complexity).

    Examples
    --------
    >>> tropical_rank([[1, 2], [3, 4]]), tropical_rank([[1, 2], [3, 5]])
    (1, 2)
    """
    A = _as_matrix(A, semiring)
    upright = semiring.sign * A
    m, n = A.shape
    rank = 0
    while rank < min(m, n) and _has_nonsingular(upright, rank + 1, limit):
        rank += 1
    return rank


def _has_nonsingular(A: np.ndarray, r: int, limit: int) -> bool:
    m, n = A.shape
    tried, total = 0, math.comb(m, r) * math.comb(n, r)
    for rows in combinations(range(m), r):
        for columns in combinations(range(n), r):
            permutation, tight = optimal_assignment(A[np.ix_(rows, columns)])
            if permutation is not None and len(tight) == r:
                return True
            tried += 1
            if tried == limit < total:
                raise BudgetExceeded(
                    f"submatrices of size {r} of a matrix of shape {A.shape}, the first {limit:,} singular",
                    total,
                    limit,
                    f"the rank is at least {r - 1}; raise limit, or take column_rank",
                )
    return False


def _as_matrix(A: ArrayLike, semiring: Semiring) -> np.ndarray:
    need_tropical("a rank", semiring, "take the rank of exp(A / eps) over the reals")
    A = as_entries("A", A, semiring)
    if A.ndim != 2:
        raise ShapeError(f"A has shape {A.shape}; pass one matrix, of shape (m, n)")
    return A
