"""Sets that functions live on, besides hulls: all have ``contains(y)`` for points (..., d)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tropical._arrays import as_points, is_exact

__all__ = ["Empty", "Space"]


def points_of(y: ArrayLike, d: int) -> np.ndarray:
    """Points (..., d); a number, or an array of any shape for d = 1, are not padded."""
    return as_points(y, d, np.dtype(np.float64))


@dataclass(frozen=True)
class Space:
    """All of R^d."""

    variables: int

    def contains(self, y: ArrayLike) -> np.ndarray:
        y = points_of(y, self.variables)
        finite = np.ones(y.shape, bool) if is_exact(y) else np.isfinite(y)
        return finite.all(axis=-1)[()]


@dataclass(frozen=True)
class Empty:
    """The empty set in R^d."""

    variables: int

    def contains(self, y: ArrayLike) -> np.ndarray:
        return np.zeros(points_of(y, self.variables).shape[:-1], bool)[()]
