"""Where functions are looked at: boxes, polyhedra, and affine slices of the space; None stands for all of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf

import numpy as np
from numpy.typing import ArrayLike

from tropical._arrays import EXACT, as_array, convert, is_finite, refuse_where
from tropical.errors import InputError, ShapeError

__all__ = ["Box", "Domain", "Polyhedron", "Slice", "as_box", "as_domain", "as_polyhedron"]


class Domain:
    """A polyhedron, in coordinates s with x = origin + directions·s; all of R^d."""

    def chart(self, d: int) -> list[list[Fraction]]:
        """Rows (directions_i, origin_i) of x in the coordinates s."""
        return [[Fraction(i == j) for j in range(d + 1)] for i in range(d)]

    def inequalities(self, d: int) -> list[list[Fraction]]:
        """Rows (a, b) of a·s + b ≥ 0."""
        return []


@dataclass(frozen=True)
class Box(Domain):
    """The box low ≤ x ≤ high; numbers stand for vectors of equal entries, infinite ones for no bound.

    >>> Box(-1, 1).inequalities(1)
    [[Fraction(1, 1), Fraction(1, 1)], [Fraction(-1, 1), Fraction(1, 1)]]
    """

    low: ArrayLike
    high: ArrayLike

    def bounds(self, d: int) -> tuple[np.ndarray, np.ndarray]:
        """low and high as vectors, as they were given.

        >>> Box(-1, [1, 2]).bounds(2)
        (array([-1., -1.]), array([1., 2.]))
        """
        low, high = (_vector(name, getattr(self, name), d) for name in ("low", "high"))
        empty = (low > high) | (low == inf) | (high == -inf)
        if empty.any():
            i = int(np.flatnonzero(empty)[0])
            raise InputError(f"the box has low = {low[i]} and high = {high[i]} in x{i + 1}; give low <= high")
        return low, high

    def inequalities(self, d: int) -> list[list[Fraction]]:
        rows = []
        for i, (a, b) in enumerate(zip(*(bound.tolist() for bound in self.bounds(d)), strict=True)):
            unit = [Fraction(i == j) for j in range(d)]
            rows += [] if a == -inf else [[*unit, -Fraction(a)]]
            rows += [] if b == inf else [[*(-u for u in unit), Fraction(b)]]
        return rows


@dataclass(frozen=True)
class Polyhedron(Domain):
    """The polyhedron {x : G x ≤ h}, G of shape (k, d) and h of shape (k,), finite.

    >>> len(Polyhedron([[-1, 0], [0, -1], [1, 1]], [0, 0, 1]).inequalities(2))
    3
    """

    G: ArrayLike
    h: ArrayLike

    def inequalities(self, d: int) -> list[list[Fraction]]:
        G, h = as_array("G", self.G), as_array("h", self.h)
        if G.ndim != 2 or G.shape[1] != d or h.shape != G.shape[:1]:
            raise ShapeError(f"G has shape {G.shape} and h {h.shape}; pass (k, {d}) and (k,)")
        G, h = _finite("G", G), _finite("h", h)
        return [[*(-a for a in row), b] for row, b in zip(G.tolist(), h.tolist(), strict=True)]


@dataclass(frozen=True)
class Slice(Domain):
    """The affine slice x = origin + s_1·directions_1 + … + s_k·directions_k; answers are in coordinates s.

    Parameters
    ----------
    origin : (d,) array
    directions : (k, d) array
        Linearly independent.
    within : Box or Polyhedron, optional
        A part of the slice, in coordinates s; all of it by default.

    Examples
    --------
    >>> Slice([0, 0, 1], [[1, 0, 0], [0, 1, 0]]).chart(3)[2]
    [Fraction(0, 1), Fraction(0, 1), Fraction(1, 1)]
    """

    origin: ArrayLike
    directions: ArrayLike
    within: Domain | None = None

    @classmethod
    def through(cls, points: ArrayLike, within: Domain | None = None) -> Slice:
        """The slice through points (k + 1, d), without rounding: s = 0 is the first and unit vectors are the others.

        >>> Slice.through([[0, 0, 1], [2, 0, 1], [0, 1, 1]]).directions.tolist() == [[2, 0, 0], [0, 1, 0]]
        True
        """
        points = as_array("points", points)
        if points.ndim != 2 or len(points) < 2:
            raise ShapeError(f"points have shape {points.shape}; pass two or more, (k + 1, d)")
        points = _finite("points", points)
        return cls(points[0], points[1:] - points[0], within)

    def chart(self, d: int) -> list[list[Fraction]]:
        directions = as_array("directions", self.directions)
        if directions.ndim != 2 or directions.shape[1] != d:
            raise ShapeError(f"directions have shape {directions.shape}; pass (k, {d})")
        directions = _finite("directions", directions)
        if _rank(directions.tolist()) < len(directions):
            raise InputError(
                "directions of the slice are linearly dependent; leave some out (of three points: they lie on one line)"
            )
        origin = _finite("origin", _vector("origin", self.origin, d))
        return [[*column, o] for column, o in zip(directions.T.tolist(), origin.tolist(), strict=True)]

    def inequalities(self, d: int) -> list[list[Fraction]]:
        if isinstance(self.within, Slice):
            raise InputError("within is a Slice; compose the directions, or pass a Box or a Polyhedron")
        return self.within.inequalities(len(self.directions)) if self.within else []


def as_domain(domain) -> Domain:
    """A domain as users pass it: one of the above, None for all of R^d, or a pair (low, high) or (G, h)."""
    if domain is None or isinstance(domain, Domain):
        return domain or Domain()
    try:
        first, second = domain
        matrix = as_array("domain", first).ndim == 2
    except (TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise ShapeError(
            "domain is no pair; pass a Box, a Polyhedron, (low, high) for a box, or (G, h) for G x <= h"
        ) from None
    return Polyhedron(first, second) if matrix else Box(first, second)


def as_box(box) -> Box:
    """A Box, or the one of a pair (low, high)."""
    domain = as_domain(box)
    if not isinstance(domain, Box):
        raise InputError("box is no box; pass a Box, or (low, high) with numbers or (d,) arrays")
    return domain


def as_polyhedron(domain, d: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Fractions (G, h) with domain = {x : G x ≤ h}, None for R^d; of a box −x_k ≤ −low_k before x_k ≤ high_k."""
    domain = as_domain(domain)
    if isinstance(domain, Slice):
        raise InputError(
            "the domain is a Slice, and what is asked for lies in R^d; pass a Box or a Polyhedron"
        )
    if type(domain) is Domain:
        return None
    rows = domain.inequalities(d)
    out = np.array([*rows, [None] * (d + 1)], dtype=object)[:-1]
    return -out[:, :-1], out[:, -1]


def _vector(name: str, value: ArrayLike, d: int) -> np.ndarray:
    array = as_array(name, value)
    if array.shape not in ((), (d,)):
        raise ShapeError(f"{name} has shape {array.shape}; pass a number or a vector of length {d}")
    refuse_where(array != array, name, array, f"{name} must not be NaN")
    return np.broadcast_to(array, (d,))


def _finite(name: str, array: np.ndarray) -> np.ndarray:
    refuse_where(~is_finite(array), name, array, f"{name} must be finite")
    return convert(array, EXACT)


def _rank(rows: Sequence[Sequence[Fraction]]) -> int:
    """Rank by elimination."""
    rows, rank = [list(row) for row in rows], 0
    for column in range(len(rows[0]) if rows else 0):
        pivot = next((r for r in range(rank, len(rows)) if rows[r][column]), None)
        if pivot is None:
            continue
        rows[rank], rows[pivot] = rows[pivot], rows[rank]
        for r in range(rank + 1, len(rows)):
            factor = rows[r][column] / rows[rank][column]
            rows[r] = [a - factor * b for a, b in zip(rows[r], rows[rank], strict=True)]
        rank += 1
    return rank
