"""Coordinates of a domain: its points in R^d, and rational points of it at random."""

import numpy as np

from tropical._arrays import EXACT, convert
from tropical._region_shape import exact_array
from tropical.domain import Domain

__all__ = ["Chart"]

_DIMENSIONS = 12


class Chart:
    """Points of a domain and where they lie in R^d."""

    def __init__(self, domain: Domain, d: int):
        rows = exact_array(domain.chart(d), 1)
        self.directions, self.origin = rows[:, :-1], rows[:, -1]
        bounds = domain.inequalities(d)
        self.bounds = exact_array(bounds, self.directions.shape[1] + 1)

    @property
    def is_large(self) -> bool:
        """Whether most cells have too many corners to be held, so that leaving them out one by one would not end."""
        return self.directions.shape[1] > _DIMENSIONS

    def lifted(self, points: np.ndarray) -> np.ndarray:
        return points @ self.directions.T + self.origin

    def points(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Up to `count` random rational points: uniform between bounds of one coordinate, else of growing size."""
        size = self.directions.shape[1]
        low, high = np.full(size, -np.inf), np.full(size, np.inf)
        for row in self.bounds:
            used = np.flatnonzero(row[:-1])
            if len(used) == 1:
                (i,), bound = used, float(-row[-1] / row[used[0]])
                low[i], high[i] = (
                    (max(low[i], bound), high[i]) if row[i] > 0 else (low[i], min(high[i], bound))
                )
        far = rng.normal(size=(count, size)) * 4.0 ** rng.integers(-1, 4, size=(count, 1))
        bounded = np.isfinite(low) & np.isfinite(high)
        from_low, from_high = np.isfinite(low) & ~bounded, np.isfinite(high) & ~bounded
        far[:, from_low] = low[from_low] + abs(far[:, from_low])
        far[:, from_high] = high[from_high] - abs(far[:, from_high])
        far = np.round(far * 1024) / 1024
        share = rng.integers(1, 1024, size=(count, bounded.sum())) / 1024
        far[:, bounded] = low[bounded] + share * (high - low)[bounded]
        points = convert(far, EXACT)
        return points[np.array([p in self for p in points], dtype=bool)]

    def __contains__(self, point: np.ndarray) -> bool:
        return bool((self.bounds[:, :-1] @ point + self.bounds[:, -1] >= 0).all())
