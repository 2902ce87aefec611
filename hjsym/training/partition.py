"""Planes fitted to the cells of a partition of the data: where training starts, and the max-affine fit.

Source: A. Magnani, S. P. Boyd, "Convex piecewise-linear fitting", Optimization and Engineering 10 (2009), §3.
"""

import numpy as np
from scipy.spatial import cKDTree

__all__ = ["fit_planes", "max_affine", "voronoi_cells"]

_RIDGE = 1e-8  # of the mean square of the data: cells that do not span R^d take the slope of the whole


def voronoi_cells(points: np.ndarray, cells: int, rng: np.random.Generator) -> np.ndarray:
    """The cell of each point: that of the nearest of `cells` points drawn among them."""
    drawn = rng.choice(len(points), cells, replace=cells > len(points))
    return cKDTree(points[drawn]).query(points)[1]


def fit_planes(points, targets, weights, groups: np.ndarray, cells: int, ridge: float = _RIDGE) -> np.ndarray:
    """Least-squares planes (cells, d + 1) over the points of each group, slopes and then the offset.

    What a cell does not determine is taken from the plane of all points; an empty cell has that plane.
    """
    design = np.column_stack([points, np.ones(len(points))])
    whole = _plane(design, targets, weights, _RIDGE)
    planes = np.tile(whole, (cells, 1))
    residual = targets - design @ whole
    for k in range(cells):
        mine = groups == k
        if mine.any():
            planes[k] += _plane(design[mine], residual[mine], weights[mine], ridge)
    return planes


def _plane(design, targets, weights, ridge: float) -> np.ndarray:
    normal = design.T @ (weights[:, None] * design)
    scale = max(np.trace(normal) / len(normal), np.finfo(float).tiny)
    normal[np.diag_indices_from(normal)] += ridge * scale
    return np.linalg.solve(normal, design.T @ (weights * targets))


def max_affine(
    points, targets, weights, cells: int, rng: np.random.Generator, max_iter: int = 100
) -> tuple[np.ndarray, float, int]:
    """The fit max_k (w_k·x + b_k) of the alternating partition: planes over cells, cells of the active planes.

    Returns
    -------
    planes : (cells, d + 1) array
        Those of least error on the way; the iteration need not descend.
    error : float
        Their weighted mean squared error.
    steps : int
    """
    groups = voronoi_cells(points, cells, rng)
    best, least, steps = None, np.inf, 0
    for _ in range(max_iter):
        steps += 1
        planes = fit_planes(points, targets, weights, groups, cells)
        heights = points @ planes[:, :-1].T + planes[:, -1]
        error = float(weights @ (heights.max(axis=1) - targets) ** 2 / weights.sum())
        if best is None or error < least:
            best, least = planes, error
        active = heights.argmax(axis=1)
        if (active == groups).all():
            break
        groups = active
    return best, least, steps
