"""Weights μ ≥ 0 of sum 1 that minimise λ‖Wᵀμ‖²/2 − c·μ: dual to the proximal point of a max-affine function.

Wolfe's method with a linear term: a set of affinely independent rows is kept, with positive weights that are optimal
for it; the row that is violated most joins, and rows whose weight falls to 0 leave. The objective falls with each
round, so there are finitely many (P. Wolfe, "Finding the nearest point in a polytope", Math. Programming 11, 1976).
"""

import numpy as np

from hjsym.conjugate._exact import UNIT
from tropical.errors import InputError

__all__ = ["proximal_weights"]


def proximal_weights(
    W: np.ndarray, b: np.ndarray, x: np.ndarray, lam: float
) -> tuple[np.ndarray, np.ndarray]:
    """(rows, weights) with argmin_p max_j(W_j·p + b_j) + ‖x − p‖²/2λ = x − λ Σ weights·W_rows."""
    c = W @ x + b
    rows, mu = [int(c.argmax())], np.ones(1)
    size = np.abs(W)
    for _ in range(100 + 20 * len(b)):
        p = x - lam * (mu @ W[rows])
        scores = W @ p + b
        rounding = (2 * len(x) + 8) * UNIT * (size @ (np.abs(x) + lam * (mu @ size[rows])) + np.abs(b))
        excess = scores - scores[rows].max() - 2 * rounding
        excess[rows] = -np.inf
        entering = int(excess.argmax())
        if not excess[entering] > 0:
            return np.array(rows), mu
        rows, mu = _settled(W, c, lam, [*rows, entering], np.append(mu, 0.0))
    raise InputError(
        "the quadratic program of a proximal point did not end: slopes differ too much in size; rescale them"
    )


def _settled(
    W: np.ndarray, c: np.ndarray, lam: float, rows: list[int], mu: np.ndarray
) -> tuple[list[int], np.ndarray]:
    """From feasible weights to the optimal ones of a subset of the rows."""
    while True:
        kept = W[rows]
        lifted = np.column_stack([kept - kept[0], np.ones(len(rows))])
        flat = _kernel(lifted)
        if flat is None:
            target = _equal(kept, c[rows], lam)
            if (target > 0).all():
                return rows, target
            direction = target - mu
        else:
            direction = flat if c[rows] @ flat >= 0 else -flat
        falling = direction < 0
        steps = np.where(falling, mu / np.where(falling, -direction, 1.0), np.inf)
        leaving = int(steps.argmin())
        mu = np.maximum(mu + steps[leaving] * direction, 0.0)
        keep = np.arange(len(rows)) != leaving
        rows, mu = [r for r, k in zip(rows, keep, strict=True) if k], mu[keep] / mu[keep].sum()


def _kernel(lifted: np.ndarray) -> np.ndarray | None:
    """δ with δ·lifted = 0, if the rows are dependent."""
    u, values, _ = np.linalg.svd(lifted)
    full = len(lifted) <= lifted.shape[1] and values[-1] > 16 * max(lifted.shape) * UNIT * values[0]
    return None if full else u[:, -1]


def _equal(kept: np.ndarray, c: np.ndarray, lam: float) -> np.ndarray:
    """Weights of sum 1 at which all rows have the same score."""
    k = len(kept)
    system = np.zeros((k + 1, k + 1))
    system[:k, :k] = lam * kept @ kept.T
    system[:k, k] = system[k, :k] = 1.0
    return np.linalg.solve(system, np.append(c, 1.0))[:k]
