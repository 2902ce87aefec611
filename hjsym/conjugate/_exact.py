"""Square systems of equations in rational arithmetic, and a proof in floats that a solution is positive."""

import math
from fractions import Fraction

import numpy as np

from tropical._arrays import EXACT, convert

__all__ = ["UNIT", "is_surely_positive", "solve_exactly"]

UNIT = 2.0**-53


def solve_exactly(A: np.ndarray, b: np.ndarray) -> np.ndarray | None:
    """The x with A x = b as Fractions, for A of full column rank; None if there is none, or the rank is lower.

    A is (m, n), m ≥ n. Elimination without fractions (E. H. Bareiss, Math. Comp. 22, 1968) on rows made whole.
    """
    n = A.shape[1]
    table = np.column_stack([convert(A, EXACT), convert(b, EXACT)])
    rows = [_whole(row) for row in table.tolist()]
    previous = 1
    for k in range(n):
        pivot = next((r for r in range(k, len(rows)) if rows[r][k]), None)
        if pivot is None:
            return None
        rows[k], rows[pivot] = rows[pivot], rows[k]
        lead = rows[k]
        for r in range(k + 1, len(rows)):
            row = rows[r]
            rows[r] = [(lead[k] * v - row[k] * w) // previous for v, w in zip(row, lead, strict=True)]
        previous = lead[k]
    if any(row[n] for row in rows[n:]):
        return None
    x = [Fraction(0)] * n
    for k in reversed(range(n)):
        rest = sum((rows[k][i] * x[i] for i in range(k + 1, n)), Fraction(0))
        x[k] = (rows[k][n] - rest) / rows[k][k]
    return np.array([*x, None], dtype=object)[:-1]


def _whole(row: list[Fraction]) -> list[int]:
    scale = math.lcm(*(v.denominator for v in row))
    return [v.numerator * (scale // v.denominator) for v in row]


def is_surely_positive(A: np.ndarray, b: np.ndarray) -> np.ndarray | None:
    """The x with A x = b, A square, in floats, if its true entries are proved to be positive; else None.

    With R near A⁻¹ and α = ‖1 − R A‖ < 1, |x̂ − x| ≤ |R||b − A x̂| + α/(1 − α) max(|R||b − A x̂|), residuals bounded
    with their own rounding (S. M. Rump, Acta Numerica 19, 2010, section 10).
    """
    n = len(A)
    try:
        R = np.linalg.inv(A)
    except np.linalg.LinAlgError:
        return None
    x = R @ b
    slack = (n + 3) * UNIT
    residual = np.abs(b - A @ x) + slack * (np.abs(A) @ np.abs(x) + np.abs(b))
    defect = np.abs(np.eye(n) - R @ A) + slack * (np.abs(R) @ np.abs(A) + np.eye(n))
    alpha = defect.sum(axis=1).max()
    if not alpha < 0.5:
        return None
    error = np.abs(R) @ residual
    error = (error + 2 * alpha * error.max()) * (1 + 1e-9)
    return x if (x > error).all() else None
