"""Where training starts: tables of slopes and offsets (heads, N, d + 1) for standardised data."""

import numpy as np

from hjsym.training.partition import fit_planes, voronoi_cells
from tropical import Polynomial, Semiring
from tropical.errors import InputError

__all__ = ["starting_table"]

_JITTER = 0.01  # keeps slopes apart, since equal ones would get equal gradients for ever

# Of the mean square of the data. Planes of cells with few points are steep; 1e-8 and 1e-2 ended in errors up to twenty
# and ten times as large, for 20 to 500 neurons in 1 to 4 variables.
_RIDGE = 1e-4


def starting_table(kind: str, data, signs, neurons: int, eps: float, rng: np.random.Generator) -> np.ndarray:
    """Starting slopes and offsets of the heads of a sum Σ_h sign_h LSE_h.

    "partition" takes the planes of a random Voronoi partition of the data for one head, and for a difference
    paraboloids c|x|²/2 touched at random points, whose difference is flat, plus the plane of all data. "random"
    draws all from normal distributions. Both shift one head so that the mean error is 0.
    """
    points, targets, weights = data
    if kind not in ("partition", "random"):
        raise InputError(f"init is {kind!r}; pass 'partition' or 'random'")
    if kind == "random":
        table = rng.normal(size=(len(signs), neurons, points.shape[1] + 1))
        table[..., -1] *= 0.1
    elif len(signs) == 1:
        cells = voronoi_cells(points, neurons, rng)
        table = fit_planes(points, signs[0] * targets, weights, cells, neurons, _RIDGE)[None]
    else:
        table = np.stack([_paraboloid(points, neurons, rng) for _ in signs])
        table[0] += fit_planes(points, targets, weights, np.zeros(len(points), int), 1)
    table[..., :-1] += _JITTER * rng.normal(size=table[..., :-1].shape)
    values = sum(
        s * Polynomial(part[:, :-1], part[:, -1], Semiring(eps=eps))(points)
        for s, part in zip(signs, table, strict=True)
    )
    table[0, :, -1] -= signs[0] * (weights @ (values - targets)) / weights.sum()
    return table


def _paraboloid(points: np.ndarray, neurons: int, rng: np.random.Generator) -> np.ndarray:
    """Planes that touch |x|²/2d at random points."""
    touched = points[rng.choice(len(points), neurons, replace=neurons > len(points))]
    d = points.shape[1]
    return np.column_stack([touched / d, -(touched**2).sum(axis=1) / (2 * d)])
