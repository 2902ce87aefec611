"""Data made ready for descent: equal rows joined, in one order, with mean 0 and spread 1."""

from dataclasses import dataclass

import numpy as np

from tropical.errors import InputError, ShapeError

__all__ = ["Scaling", "check_weights", "checked", "joined"]


def check_weights(weights: np.ndarray) -> None:
    """Refuse negative weights, and all zeros."""
    if (weights < 0).any() or not (weights > 0).any():
        raise InputError("sample weights are negative, or none is positive; pass weights >= 0, not all 0")


def checked(points, targets, weights=None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (B, d), targets (B,) and weights (B,) as arrays, 1 by default; refused where they cannot be fitted."""
    points, targets = np.asarray(points, float), np.asarray(targets, float)
    weights = np.ones(len(points)) if weights is None else np.asarray(weights, float)
    if points.ndim != 2 or not points.size or not targets.shape == weights.shape == points.shape[:1]:
        raise ShapeError(
            f"points have shape {points.shape}, targets {targets.shape} and weights {weights.shape}; "
            "pass (B, d), (B,) and (B,) with B and d at least 1"
        )
    if not all(np.isfinite(a).all() for a in (points, targets, weights)):
        raise InputError("points, targets or weights have NaN or infinite entries; drop or impute these rows")
    check_weights(weights)
    return points, targets, weights


def joined(points: np.ndarray, targets: np.ndarray, weights: np.ndarray):
    """Distinct points in lexicographic order, the weighted means of their targets, and the sums of their weights.

    Squared errors change by a constant only, and no fit depends on the order of the rows or on whether a weight
    is written as repetition. Rows of weight 0 are left out.
    """
    kept = weights > 0
    rows, groups = np.unique(points[kept], axis=0, return_inverse=True)
    groups = groups.ravel()
    total = np.bincount(groups, weights[kept])
    return rows, np.bincount(groups, weights[kept] * targets[kept]) / total, total


@dataclass(frozen=True, eq=False)
class Scaling:
    """x = centre + spread·x′, y = middle + unit·y′; constants keep spread 1.

    A layer in x′, y′ is one in x, y: W = unit·W′/spread, b = unit·b′ − W·centre (+ middle), ε = unit·ε′.
    """

    centre: np.ndarray
    spread: np.ndarray
    middle: float
    unit: float

    @classmethod
    def of(cls, points, targets, weights) -> "Scaling":
        """That of weighted data."""
        centre, spread = _moments(points, weights)
        middle, unit = _moments(targets, weights)
        return cls(centre, spread, float(middle), float(unit))

    @classmethod
    def none(cls, variables: int) -> "Scaling":
        """The identity."""
        return cls(np.zeros(variables), np.ones(variables), 0.0, 1.0)

    def scale(self, points, targets) -> tuple[np.ndarray, np.ndarray]:
        """x′ and y′."""
        return (points - self.centre) / self.spread, (targets - self.middle) / self.unit

    def table_back(self, table: np.ndarray, signs) -> np.ndarray:
        """Slopes and offsets of heads for x, y; the first head takes `middle`."""
        slopes = self.unit * table[..., :-1] / self.spread
        offsets = self.unit * table[..., -1] - slopes @ self.centre
        offsets[0] += signs[0] * self.middle
        return np.concatenate([slopes, offsets[..., None]], axis=-1)

    def table_there(self, table: np.ndarray, signs) -> np.ndarray:
        """The inverse of `table_back`."""
        offsets = table[..., -1] + table[..., :-1] @ self.centre
        offsets[0] -= signs[0] * self.middle
        slopes = table[..., :-1] * self.spread
        return np.concatenate([slopes, offsets[..., None]], axis=-1) / self.unit


def _moments(values: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    share = weights / weights.sum()
    mean = share @ values
    spread = np.sqrt(share @ (values - mean) ** 2)
    # What rounding leaves of a constant is no spread.
    constant = spread <= 1e-12 * np.maximum(np.abs(mean), np.abs(values).max(axis=0, initial=0.0))
    return mean, np.where(constant, 1.0, spread)
