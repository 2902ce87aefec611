"""Boxes low ≤ x ≤ high and their support functions Σ max(low_k y_k, high_k y_k); sums of the k largest entries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hjsym.conjugate.base import ConvexFunction
from hjsym.conjugate.domains import AffineSubspace, Orthotope, Space
from hjsym.conjugate.extended import multiply
from tropical._arrays import as_array
from tropical.errors import InputError, ShapeError

__all__ = ["BoxIndicator", "BoxSupport", "LargestSum"]


def _bounds(low: ArrayLike, high: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    low, high = (np.atleast_1d(as_array(name, v)).astype(float) for name, v in (("low", low), ("high", high)))
    low, high = np.broadcast_arrays(low, high)
    if low.ndim != 1:
        raise ShapeError(f"low and high have shape {low.shape}; pass vectors")
    if not (low <= high).all() or (low == np.inf).any() or (high == -np.inf).any():
        raise InputError("low is not below high somewhere; pass low <= high, -inf and inf for no bound")
    return low.copy(), high.copy()


@dataclass(frozen=True, eq=False)
class BoxIndicator(ConvexFunction):
    """0 for low ≤ x ≤ high, +∞ elsewhere; infinite bounds are none, so orthants and half-lines are boxes.

    >>> BoxIndicator([0, -1], [np.inf, 1]).conjugate()([[-1.0, 3.0], [1.0, 3.0]])
    array([ 3., inf])
    """

    low: ArrayLike
    high: ArrayLike
    method: str = "known pair"

    def __post_init__(self):
        for name, value in zip(("low", "high"), _bounds(self.low, self.high), strict=True):
            object.__setattr__(self, name, value)

    @property
    def variables(self) -> int:
        return len(self.low)

    @property
    def domain(self) -> Orthotope:
        return Orthotope(self.low, self.high)

    def conjugate(self) -> BoxSupport:
        return BoxSupport(self.low, self.high)

    def _values(self, y: np.ndarray) -> np.ndarray:
        return np.where(self.domain.contains(y), 0.0, np.inf)

    def _argmax(self, y: np.ndarray) -> np.ndarray:
        return np.where(self.domain.contains(y)[:, None], np.zeros_like(y), np.nan)

    def _prox(self, x: np.ndarray, lam: float) -> np.ndarray:
        return np.clip(x, self.low, self.high)


@dataclass(frozen=True, eq=False)
class BoxSupport(ConvexFunction):
    """sup{⟨x, y⟩ : low ≤ x ≤ high}.

    >>> f = BoxSupport([-1.0, 0.0], [1.0, 2.0])
    >>> f([[3.0, 1.0], [-3.0, -1.0]])
    array([5., 3.])
    """

    low: ArrayLike
    high: ArrayLike
    method: str = "known pair"

    def __post_init__(self):
        for name, value in zip(("low", "high"), _bounds(self.low, self.high), strict=True):
            object.__setattr__(self, name, value)

    @property
    def variables(self) -> int:
        return len(self.low)

    @property
    def domain(self) -> Orthotope:
        return Orthotope(
            np.where(self.low == -np.inf, 0.0, -np.inf), np.where(self.high == np.inf, 0.0, np.inf)
        )

    def conjugate(self) -> BoxIndicator:
        return BoxIndicator(self.low, self.high)

    def _values(self, y: np.ndarray) -> np.ndarray:
        return np.maximum(multiply(self.low, y), multiply(self.high, y)).sum(axis=1)

    def _argmax(self, y: np.ndarray) -> np.ndarray:
        nearest = np.clip(0.0, self.low, self.high)
        x = np.where(y > 0, self.high, np.where(y < 0, self.low, nearest))
        return np.where(np.isfinite(x).all(axis=1)[:, None], x, np.nan)

    def _prox(self, x: np.ndarray, lam: float) -> np.ndarray:
        return x - lam * np.clip(x / lam, self.low, self.high)


@dataclass(frozen=True, eq=False)
class LargestSum(ConvexFunction):
    """The sum of the k largest of d entries; its conjugate is the indicator of {0 ≤ y ≤ 1, Σy = k}.

    >>> f = LargestSum(2, 3)
    >>> float(f([3.0, 1.0, 2.0])), f.conjugate()([[1.0, 0.5, 0.5], [1.0, 1.0, 1.0]])
    (5.0, array([ 0., inf]))
    """

    k: int
    dimension: int
    method: str = "known pair"

    def __post_init__(self):
        if not 1 <= self.k <= self.dimension:
            raise InputError(f"k is {self.k} of {self.dimension} entries; pass 1 <= k <= d")

    @property
    def variables(self) -> int:
        return self.dimension

    @property
    def domain(self) -> Space:
        return Space(self.dimension)

    def conjugate(self) -> HypersimplexIndicator:
        return HypersimplexIndicator(self.k, self.dimension)

    def _values(self, y: np.ndarray) -> np.ndarray:
        return np.sort(y, axis=1)[:, self.dimension - self.k :].sum(axis=1)

    def _argmax(self, y: np.ndarray) -> np.ndarray:
        x = np.zeros_like(y)
        np.put_along_axis(x, np.argsort(-y, axis=1, kind="stable")[:, : self.k], 1.0, axis=1)
        return x

    def _prox(self, x: np.ndarray, lam: float) -> np.ndarray:
        return x - lam * project_to_hypersimplex(x / lam, self.k)


@dataclass(frozen=True, eq=False)
class HypersimplexIndicator(ConvexFunction):
    """The indicator of {0 ≤ y ≤ 1, Σy = k}, for k = 1 the probability simplex."""

    k: int
    dimension: int
    method: str = "known pair"

    @property
    def variables(self) -> int:
        return self.dimension

    @property
    def domain(self):
        d = self.dimension
        return _Intersection(
            (Orthotope(np.zeros(d), np.ones(d)), AffineSubspace(np.ones((1, d)), np.array([float(self.k)])))
        )

    def conjugate(self) -> LargestSum:
        return LargestSum(self.k, self.dimension)

    def _values(self, y: np.ndarray) -> np.ndarray:
        return np.where(self.domain.contains(y), 0.0, np.inf)

    def _argmax(self, y: np.ndarray) -> np.ndarray:
        return np.where(self.domain.contains(y)[:, None], np.zeros_like(y), np.nan)

    def _prox(self, x: np.ndarray, lam: float) -> np.ndarray:
        return project_to_hypersimplex(x, self.k)


@dataclass(frozen=True, eq=False)
class _Intersection:
    parts: tuple

    @property
    def variables(self) -> int:
        return self.parts[0].variables

    def contains(self, y: ArrayLike) -> np.ndarray:
        return np.logical_and.reduce([part.contains(y) for part in self.parts])[()]


def project_to_hypersimplex(x: np.ndarray, k: int) -> np.ndarray:
    """The points of {0 ≤ p ≤ 1, Σp = k} nearest to rows of x: clip(x − s, 0, 1) for the s that sums to k.

    The sum is piecewise linear in s, and falls; its bends are sorted (P. Brucker, Oper. Res. Lett. 3, 1984).
    """
    bends = np.sort(np.concatenate([x, x - 1], axis=1), axis=1)
    sums = np.stack([np.clip(x - s[:, None], 0, 1).sum(axis=1) for s in bends.T], axis=1)  # falls from d to 0
    last = np.clip((sums >= k).sum(axis=1) - 1, 0, bends.shape[1] - 2)
    rows = np.arange(len(x))
    a, b, high, low = bends[rows, last], bends[rows, last + 1], sums[rows, last], sums[rows, last + 1]
    part = np.where(high > low, (high - k) / np.where(high > low, high - low, 1.0), 0.0)
    return np.clip(x - (a + part * (b - a))[:, None], 0, 1)
