"""Sets that functions live on, besides hulls: all have ``contains(y)`` for points of shape (..., d).

Comparisons of numbers are exact. Where the test itself rounds, as with a norm or an equation, a float stands for the
reals within a few units of rounding, since hardly any float lies on a sphere; Fractions are taken exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hjsym.conjugate._exact import UNIT
from tropical._arrays import EXACT, as_points, convert, is_exact, is_finite

__all__ = [
    "AffineSubspace",
    "Ball",
    "Empty",
    "Halfspaces",
    "Orthotope",
    "Product",
    "Space",
    "Sublevel",
    "dual_exponent",
    "norm_of",
]


def points_of(y: ArrayLike, d: int) -> np.ndarray:
    """Points (..., d); a number is one for d = 1."""
    return as_points(y, d, np.dtype(np.float64))


@dataclass(frozen=True)
class Space:
    """All of R^d."""

    variables: int

    def contains(self, y: ArrayLike) -> np.ndarray:
        return is_finite(points_of(y, self.variables)).all(axis=-1)[()]


@dataclass(frozen=True)
class Empty:
    """The empty set in R^d."""

    variables: int

    def contains(self, y: ArrayLike) -> np.ndarray:
        return np.zeros(points_of(y, self.variables).shape[:-1], bool)[()]


@dataclass(frozen=True, eq=False)
class Orthotope:
    """The box low ≤ y ≤ high of vectors, which may be infinite.

    >>> Orthotope(np.array([0.0, -1.0]), np.array([np.inf, 1.0])).contains([[5.0, 1.0], [5.0, 1.5]])
    array([ True, False])
    """

    low: np.ndarray
    high: np.ndarray

    @property
    def variables(self) -> int:
        return len(self.low)

    def contains(self, y: ArrayLike) -> np.ndarray:
        y = points_of(y, self.variables)
        return ((self.low <= y) & (y <= self.high) & is_finite(y)).all(axis=-1)[()]


@dataclass(frozen=True, eq=False)
class AffineSubspace:
    """{y : E y = e} for E of shape (k, d), whose entries may be off by `rounding` times their size."""

    E: np.ndarray
    e: np.ndarray
    rounding: float = 0.0

    @property
    def variables(self) -> int:
        return self.E.shape[1]

    def contains(self, y: ArrayLike) -> np.ndarray:
        y = points_of(y, self.variables)
        finite = is_finite(y).all(axis=-1)
        y = np.where(finite[..., None], y, 0)
        if is_exact(y) and is_exact(self.E):
            return (finite & (y @ self.E.T == self.e).all(axis=-1))[()]
        y, E, e = (a.astype(float) for a in (y, self.E, self.e))
        size = np.abs(y) @ np.abs(E).T + np.abs(e)
        close = np.abs(y @ E.T - e) <= ((8 + 4 * self.variables) * UNIT + self.rounding) * size
        return (finite & close.all(axis=-1))[()]


def dual_exponent(p: float) -> float:
    """q with 1/p + 1/q = 1."""
    if p == 1:
        return np.inf
    return 1.0 if p == np.inf else p / (p - 1)


def norm_of(y: np.ndarray, p: float) -> np.ndarray:
    """‖y‖_p over the last axis, without overflow; a Fraction for p = 1, ∞."""
    size = np.abs(y)
    if p == np.inf:
        return size.max(axis=-1, initial=0)
    if p == 1:
        return size.sum(axis=-1)
    size = size.astype(float)
    top = size.max(axis=-1, initial=0.0, keepdims=True)
    scaled = size / np.where((top > 0) & (top < np.inf), top, 1.0)
    total = np.sqrt((scaled**2).sum(axis=-1)) if p == 2 else (scaled**p).sum(axis=-1) ** (1 / p)
    return np.where((top > 0) & (top < np.inf), top, 1.0)[..., 0] * total


@dataclass(frozen=True, eq=False)
class Ball:
    """{y : ‖y − centre‖_p ≤ radius}, 1 ≤ p ≤ ∞.

    >>> Ball(2, 1.0, np.zeros(2)).contains([[0.6, 0.8], [0.6, 0.81]])
    array([ True, False])
    >>> Ball(2, 1.0, np.zeros(2)).variables
    2
    """

    p: float
    radius: float
    centre: np.ndarray

    @property
    def variables(self) -> int:
        """d, the number of variables."""
        return len(self.centre)

    def contains(self, y: ArrayLike) -> np.ndarray:
        """Whether points (..., d) lie in the ball, its boundary included."""
        y = points_of(y, self.variables)
        finite = is_finite(y).all(axis=-1)
        y = np.where(finite[..., None], y, convert(np.zeros(1), y.dtype)[0])
        slack = 0 if self.p == np.inf or (self.p == 1 and is_exact(y)) else (4 + self.variables) * UNIT
        moved = norm_of(y - self.centre, self.p)
        if slack and self.centre.any():
            moved = moved - slack * (norm_of(y, self.p) + norm_of(self.centre, self.p))
        return (finite & (moved <= self.radius * (1 + slack)))[()]


@dataclass(frozen=True, eq=False)
class Halfspaces:
    """{y : G y ≤ h}; exact, floats being the dyadic rationals that they are.

    >>> Halfspaces(np.array([[1.0, 1.0]]), np.array([0.3])).contains([[0.1, 0.2], [0.1, 0.19]])
    array([False,  True])
    """

    G: np.ndarray
    h: np.ndarray

    @property
    def variables(self) -> int:
        return self.G.shape[1]

    def contains(self, y: ArrayLike) -> np.ndarray:
        y = points_of(y, self.variables)
        finite = is_finite(y).all(axis=-1)
        flat = y[finite]
        G, h, x = self.G.astype(float), self.h.astype(float), flat.astype(float)
        value = x @ G.T - h
        size = (8 + 2 * self.variables) * UNIT * (np.abs(x) @ np.abs(G).T + np.abs(h))
        outside = (value > size).any(axis=1)
        doubtful = np.flatnonzero(~outside & ~(value < -size).all(axis=1))
        if len(doubtful):
            rows, G, h = (convert(a, EXACT) for a in (flat[doubtful], self.G, self.h))
            outside[doubtful] = (rows @ G.T > h).any(axis=1)
        inside = np.zeros(y.shape[:-1], bool)
        inside[finite] = ~outside
        return inside[()]


@dataclass(frozen=True, eq=False)
class Product:
    """The product of sets, the coordinates taken in order."""

    parts: tuple

    @property
    def variables(self) -> int:
        return sum(sizes_of(self.parts))

    def contains(self, y: ArrayLike) -> np.ndarray:
        y = points_of(y, self.variables)
        cuts = np.cumsum(sizes_of(self.parts))[:-1]
        inside = [p.contains(part) for p, part in zip(self.parts, np.split(y, cuts, axis=-1), strict=True)]
        return np.logical_and.reduce(inside)[()]


def sizes_of(parts) -> list[int]:
    return [part.variables for part in parts]


@dataclass(frozen=True, eq=False)
class Sublevel:
    """{y : f(y) ≤ level} for a convex function; level = None asks for f(y) < ∞."""

    function: object
    level: float | None = None

    @property
    def variables(self) -> int:
        return self.function.variables

    def contains(self, y: ArrayLike) -> np.ndarray:
        y = points_of(y, self.variables)
        values = self.function(y[..., 0] if self.variables == 1 else y)
        return (values < np.inf if self.level is None else values <= self.level)[()]
