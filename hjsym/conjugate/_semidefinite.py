"""Whether a symmetric matrix is positive semidefinite, a generalised inverse and its kernel; null spaces.

In Fractions by symmetric elimination: pivots are positive, and where a pivot is 0 its row is, or the matrix is
indefinite. In floats by eigenvalues, with those within rounding of 0 taken as 0.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from hjsym.conjugate._exact import UNIT, solve_exactly
from tropical._arrays import EXACT, convert

__all__ = ["Factor", "exact_factor", "float_factor", "null_space"]


@dataclass(frozen=True, eq=False)
class Factor:
    """What is known of a matrix M.

    Attributes
    ----------
    inverse : (k, k) array or None
        A symmetric G with M G g = g for g in the range of M.
    kernel : (k, m) array or None
        A basis of the null space, as columns.
    direction : (k,) array or None
        Some v with v·Mv < 0, where there is one; then the others are None.
    reason : str
    rounding : float
        Relative error of the kernel.
    """

    inverse: np.ndarray | None
    kernel: np.ndarray | None
    direction: np.ndarray | None
    reason: str
    rounding: float = 0.0


def float_factor(M: np.ndarray) -> Factor:
    """Of a matrix of floats."""
    values, vectors = np.linalg.eigh(M)
    zero = 16 * max(len(M), 1) * UNIT * np.abs(values).max(initial=0.0)
    if (values < -zero).any():
        return Factor(None, None, vectors[:, 0], f"eigenvalue {values[0]:.3g} of the quadratic form")
    used = values > zero
    inverse = (vectors[:, used] / values[used]) @ vectors[:, used].T
    certain = "positive definite" if used.all() else "semidefinite to within rounding"
    rounding = zero / values[used].min() if used.any() and not used.all() else 0.0
    return Factor(
        (inverse + inverse.T) / 2, vectors[:, ~used], None, f"the quadratic form is {certain}", rounding
    )


def exact_factor(M: np.ndarray) -> Factor:
    """Of a matrix of Fractions."""
    k, left = len(M), convert(M, EXACT).copy()
    pivots: list[int] = []
    while True:
        negative = next((i for i in range(k) if i not in pivots and left[i, i] < 0), None)
        if negative is not None:
            return _indefinite(M, pivots, negative, None)
        pivot = next((i for i in range(k) if i not in pivots and left[i, i] > 0), None)
        if pivot is None:
            break
        pivots.append(pivot)
        left = left - np.outer(left[:, pivot], left[pivot]) / left[pivot, pivot]
    rest = [i for i in range(k) if i not in pivots]
    for i in rest:
        other = next((j for j in rest if left[i, j] != 0), None)
        if other is not None:
            return _indefinite(M, pivots, i, (other, left[i, other]))
    block = M[np.ix_(pivots, pivots)]
    inverse, kernel = convert(np.zeros((k, k)), EXACT), convert(np.zeros((k, len(rest))), EXACT)
    for i in pivots:
        inverse[pivots, i] = solve_exactly(block, (np.array(pivots) == i).astype(int))
    for n, j in enumerate(rest):
        kernel[j, n] = Fraction(1)
        if pivots:
            kernel[pivots, n] = -solve_exactly(block, M[pivots, j])
    return Factor(inverse, kernel, None, "elimination in rational arithmetic finds no negative pivot")


def _indefinite(M: np.ndarray, pivots: list[int], i: int, pair) -> Factor:
    """v = e_i (minus s e_j for a pair with a 0 on the diagonal), made M-orthogonal to the pivots."""
    v = convert(np.zeros(len(M)), EXACT)
    v[i] = Fraction(1)
    if pair is not None:
        other, entry = pair
        v[other] = Fraction(-1 if entry > 0 else 1)
    if pivots:
        v[pivots] = -solve_exactly(M[np.ix_(pivots, pivots)], (M @ v)[pivots])
    return Factor(None, None, v, "elimination in rational arithmetic finds a negative direction")


def null_space(E: np.ndarray, e: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """A solution of E x = e and, as columns, a basis of the null space of E; None if there is none."""
    if E.dtype == EXACT:
        return _exact_null_space(E, e)
    u, values, vectors = np.linalg.svd(E)
    rank = int((values > 16 * max(E.shape) * UNIT * values.max(initial=0.0)).sum())
    x = vectors[:rank].T @ ((u[:, :rank].T @ e) / values[:rank])
    size = np.abs(E) @ np.abs(x) + np.abs(e)
    if (np.abs(E @ x - e) > 64 * max(E.shape) * UNIT * size.max(initial=0.0)).any():
        return None
    return x, vectors[rank:].T


def _exact_null_space(E: np.ndarray, e: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """By reduction to row echelon form."""
    d, rows, pivots = E.shape[1], np.column_stack([E, e]), []
    for column in range(d):
        r = next((r for r in range(len(pivots), len(rows)) if rows[r, column] != 0), None)
        if r is None:
            continue
        k = len(pivots)
        rows[[k, r]] = rows[[r, k]]
        rows[k] = rows[k] / rows[k, column]
        others = np.arange(len(rows)) != k
        rows[others] = rows[others] - np.outer(rows[others, column], rows[k])
        pivots.append(column)
    if (rows[len(pivots) :, -1] != 0).any():
        return None
    free = [k for k in range(d) if k not in pivots]
    x, N = convert(np.zeros(d), EXACT), convert(np.zeros((d, len(free))), EXACT)
    x[pivots] = rows[: len(pivots), -1]
    N[free, np.arange(len(free))] = Fraction(1)
    N[pivots] = -rows[: len(pivots)][:, free]
    return x, N
