"""The least-squares fit of one layer that studies take where they are given no other."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, spatial

from hjsym.hopf import LSELayer
from tropical import Polynomial, Semiring

__all__ = ["fit_layer"]

_STEPS = 300


def fit_layer(points: ArrayLike, targets: ArrayLike, *, n_neurons: int, eps: float, seed=None) -> LSELayer:
    """L-BFGS over (W, b) from planes fitted to the Voronoi cells of n_neurons of the points.

    The gradients are ∂f/∂b_j = π_j and ∂f/∂W_j = π_j x.
    """
    points, targets = np.asarray(points, dtype=float), np.asarray(targets, dtype=float)
    d, semiring = points.shape[1], Semiring(eps=eps)

    def loss(parameters):
        table = parameters.reshape(n_neurons, d + 1)
        p = Polynomial(table[:, :d], table[:, d], semiring)
        gap = p(points) - targets
        pulled = p.weights(points) * (2 * gap / len(gap))[:, None]
        return (gap**2).mean(), np.column_stack([pulled.T @ points, pulled.sum(axis=0)]).ravel()

    start = _planes(points, targets, n_neurons, np.random.default_rng(seed))
    found = optimize.minimize(loss, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": _STEPS})
    table = found.x.reshape(n_neurons, d + 1)
    return LSELayer(table[:, :d], table[:, d], eps)


def _planes(points: np.ndarray, targets: np.ndarray, cells: int, rng: np.random.Generator) -> np.ndarray:
    """Slopes and offsets (cells, d + 1): the plane of all points, bent to each cell as far as its points tell."""
    design = np.column_stack([points, np.ones(len(points))])
    whole, *_ = np.linalg.lstsq(design, targets, rcond=None)
    centres = points[rng.choice(len(points), cells, replace=cells > len(points))]
    nearest = spatial.KDTree(centres).query(points)[1]
    table = np.tile(whole, (cells, 1))
    for j in range(cells):
        rows = design[nearest == j]
        if len(rows):
            rest = targets[nearest == j] - rows @ whole
            table[j] += np.linalg.solve(rows.T @ rows + np.eye(rows.shape[1]), rows.T @ rest)
    return table
