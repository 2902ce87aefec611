"""The convex hull of points as a domain: whether y lies in it, and on which face, decided exactly.

In full dimension floats are taken as the dyadic rationals that they are. A hull of lower dimension, such as the
probability simplex, holds hardly any float exactly; there a float stands for the reals within a few units of
rounding, in all directions, while Fractions are still taken exactly.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from hjsym.conjugate._exact import UNIT, solve_exactly
from hjsym.conjugate._programs import Program
from tropical import Polytope
from tropical._affine import AffineHull
from tropical._affine import _independent as independent_rows
from tropical._arrays import EXACT, as_points, convert, is_exact, is_finite, to_floats
from tropical._convex_hull import MAX_BOUND, facet_bound
from tropical._lattice import IntegerPoints

__all__ = ["Hull"]

_CHEAP = 20_000  # facets that a hull in more than three dimensions may have to be built


class Hull:
    """conv{W_j} for the rows of an (N, d) array.

    >>> square = Hull([[0, 0], [1, 0], [0, 1], [1, 1]])
    >>> square.contains([[0.5, 1.0], [0.5, np.nextafter(1, 2)]])
    array([ True, False])
    >>> square.dim, square.variables, len(square.points)
    (2, 2, 4)
    """

    def __init__(self, points: ArrayLike):
        self.polytope = Polytope(points)

    def __repr__(self) -> str:
        return f"<Hull of {len(self.points)} points, dimension {self.dim} in R^{self.variables}>"

    @property
    def points(self) -> np.ndarray:
        return self.polytope.points

    @property
    def variables(self) -> int:
        return self.polytope.variables

    @property
    def dim(self) -> int:
        return self.polytope.dim

    @cached_property
    def is_cheap(self) -> bool:
        """Whether facets are few enough to be built; else each question is a linear program."""
        bound = facet_bound(len(self.points), max(self.dim, 1))
        return bound <= (MAX_BOUND if self.dim <= 3 else _CHEAP)

    def contains(self, y: ArrayLike) -> np.ndarray:
        """Whether points of shape (..., d) lie in the hull."""
        y = as_points(y, self.variables, self.points.dtype)
        flat = y.reshape(int(np.prod(y.shape[:-1])), self.variables)
        inside = is_finite(flat).all(axis=1)
        inside[inside] = self._contains(flat[inside])
        return inside.reshape(y.shape[:-1])[()]

    def _contains(self, y: np.ndarray) -> np.ndarray:
        if self.dim < 1 or not self.is_cheap:
            inside = self.on_affine_hull(y)
            if self.dim > 0:
                inside[inside] = [self.program.solve(r, False) is not None for r in self.lifted(y[inside])]
            return inside
        if self.is_rigid(y):
            return self.polytope.contains(y)
        return self.on_affine_hull(y) & (self._sides(y) <= 0).all(axis=1)

    def is_rigid(self, y: np.ndarray) -> bool:
        """Whether y is compared without any allowance for rounding."""
        return self.dim == self.variables or is_exact(y)

    # ---- a flat hull -----------------------------------------------------------------------------

    def on_affine_hull(self, y: np.ndarray) -> np.ndarray:
        """Whether points (n, d) lie in the affine hull; floats up to rounding."""
        if self.dim < 0:
            return np.zeros(len(y), bool)
        if self.dim == self.variables:
            return np.ones(len(y), bool)
        hull = self.polytope.affine_hull
        if is_exact(y):
            return ((y - hull.origin) @ hull.lineality.T == 0).all(axis=1)
        origin, directions = hull.origin.astype(float), hull.directions.astype(float)
        step = y[:, hull.pivots] - origin[hull.pivots]
        size = (
            np.abs(y)
            + np.abs(origin)
            + (np.abs(y[:, hull.pivots]) + np.abs(origin[hull.pivots])) @ np.abs(directions)
        )
        return (np.abs(y - origin - step @ directions) <= self._allowance * size).all(axis=1)

    @property
    def _allowance(self) -> float:
        return (8 + 4 * self.variables) * UNIT

    @cached_property
    def _floats(self) -> tuple[np.ndarray, np.ndarray]:
        return tuple(a.astype(float) for a in self.polytope.halfspaces)

    def _sides(self, y: np.ndarray) -> np.ndarray:
        """Signs of G y − h, (n, F), with 0 within rounding."""
        G, h = self._floats
        value = y @ G.T - h
        size = self._allowance * (np.abs(y) @ np.abs(G).T + np.abs(h))
        return (value > size).astype(np.int8) - (value < -size).astype(np.int8)

    # ---- programs --------------------------------------------------------------------------------

    @cached_property
    def program(self) -> Program:
        """Points as columns, for the question whether weights λ ≥ 0 give y."""
        return self.program_of(np.zeros(len(self.points)))

    def program_of(self, costs: np.ndarray) -> Program:
        """min costs·λ over weights λ ≥ 0 with Σλ_j W_j = y, Σλ_j = 1, in coordinates of the affine hull."""
        return Program(self.lifted(self.points).T, costs)

    def lifted(self, y: np.ndarray) -> np.ndarray:
        """(y, 1) in coordinates of the affine hull."""
        pivots = y[:, self.polytope.affine_hull.pivots]
        return np.column_stack([pivots, convert(np.ones(len(y)), pivots.dtype)])

    # ---- faces -----------------------------------------------------------------------------------

    def facets_at(self, y: np.ndarray) -> np.ndarray:
        """Which facets hold which points of the hull, (n, F) bool; dim ≥ 1 and cheap."""
        if not self.is_rigid(y):
            return self._sides(y) == 0
        points = IntegerPoints(y[:, self.polytope.affine_hull.pivots])
        planes = self.polytope._facets[0].in_coordinates(self.polytope.base, points)
        return planes.all_signs(points, np.arange(len(y))) == 0

    @cached_property
    def incidence(self) -> np.ndarray:
        """Which of the points lie on which facet, (N, F) bool."""
        planes = self.polytope._facets[0]
        return planes.all_signs(self.polytope.base, np.arange(len(self.points))) == 0

    def face(self, y: np.ndarray) -> np.ndarray:
        """The points on the smallest face that holds y (d,), by number; none if y is outside.

        By facets where they are cheap. Else by programs in Fractions: y is a mean with positive weights of some
        points S, and as long as points off the affine hull of S can have weight, they join.
        """
        if self.dim < 1:
            return np.arange(len(self.points)) if self.on_affine_hull(y[None])[0] else np.arange(0)
        if self.is_cheap:
            if not self._contains(y[None])[0]:
                return np.arange(0)
            return np.flatnonzero(self.incidence[:, self.facets_at(y[None])[0]].all(axis=1))
        return self._face_by_programs(y) if self.on_affine_hull(y[None])[0] else np.arange(0)

    def _face_by_programs(self, y: np.ndarray) -> np.ndarray:
        target = self.lifted(y[None])[0]
        found = self.program.solve(target, False)
        if found is None:
            return np.arange(0)
        chosen = found.used[found.weights > 0]
        while True:
            on = self._spanned(chosen)
            if on.all():
                return np.flatnonzero(on)
            found = self.program_of(np.where(on, 0.0, -1.0)).solve(target, False)
            more = found.used[found.weights > 0]
            if on[more].all() and self._is_below(found.prices, on):
                return np.flatnonzero(on)
            if on[more].all():
                found = self.program_of(np.where(on, 0.0, -1.0)).solve(target, True)
                more = found.used[found.weights > 0]
                if on[more].all():
                    return np.flatnonzero(on)
            chosen = np.union1d(chosen, more)

    def _spanned(self, chosen: np.ndarray) -> np.ndarray:
        """Which points lie in the affine hull of some of them."""
        span = AffineHull(self.points[chosen])
        on = np.ones(len(self.points), bool)
        if span.dim == self.dim:
            return on
        E, X, origin = span.lineality.astype(float), self.points.astype(float), span.origin.astype(float)
        value = (X - origin) @ E.T
        size = self._allowance * (np.abs(X) + np.abs(origin)) @ np.abs(E).T
        on = (np.abs(value) <= size).all(axis=1)
        doubtful = np.flatnonzero(on)
        exact = convert(self.points[doubtful], EXACT)
        on[doubtful] = ((exact - span.origin) @ span.lineality.T == 0).all(axis=1)
        return on

    def _is_below(self, prices: np.ndarray, on: np.ndarray) -> bool:
        """Whether a plane near v·(y, 1) = 0 contains exactly the points that are `on` and has all others below it.

        v is made orthogonal to the points in rational arithmetic; then no others can have weight.
        """
        lifted = self.lifted(self.points)
        rows, _ = independent_rows(self.points[on])
        B = convert(lifted[on][[0, *rows]], EXACT)
        v = convert(prices, EXACT)
        part = solve_exactly(B @ B.T, B @ v)
        if part is None:
            return False
        v = to_floats(v - part @ B)
        others = lifted[~on].astype(float)
        return bool((others @ v < -self._allowance * (np.abs(others) @ np.abs(v))).all())
