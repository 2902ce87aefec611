"""The distance from a point to the decision boundary of a piecewise-linear classifier, exactly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import inf, lcm

import numpy as np
from numpy.typing import ArrayLike

from tropical._arrays import EXACT, as_points, convert, is_finite
from tropical._display import summary
from tropical._html import ShowsFields
from tropical._nearest_in_hull import dot, nearest_in_hull
from tropical._norms import as_norm, norm_bounds
from tropical._rails import compared, rails, scores
from tropical._region_program import value
from tropical._region_shape import exact_array
from tropical.circuit import Circuit, combine, evaluate_together, soft_max
from tropical.domain import Box, Domain, Polyhedron, Slice, as_domain
from tropical.errors import InputError, ShapeError
from tropical.polynomial import Polynomial
from tropical.rational import Rational
from tropical.regions import Regions, linear_regions

__all__ = ["NearestBoundary", "Start", "nearest_boundary"]


@dataclass(frozen=True, eq=False)
class NearestBoundary(ShowsFields):
    """The distance r from x to the nearest point where the decision is not the one at x alone, or bounds for it.

    Attributes
    ----------
    lower, upper : Fraction or float
        lower ≤ r ≤ upper, proved; infinite where no point is left. Equal where `exact` is true, but for norm 2: then
        they are neighbouring floats around a root.
    exact : bool
        Whether `point` is proved to be the nearest; else `lower` is only a bound.
    norm : number
        1, 2 or ∞.
    point : (d,) array of Fractions or None
        A point of the boundary at the distance `upper`: another score is exactly as large there.
    classes : (int, int or None)
        The class at x, and that which ties with it at the point. One output f has the classes 0, where f < 0, and 1.

    Examples
    --------
    >>> from tropical import variables
    >>> x, y = variables(2)
    >>> found = nearest_boundary((x + y) / 1, [3, 0], norm=1)         # the sign of max(x, y) − 1
    >>> found.distance, found.exact, found.classes
    (Fraction(2, 1), True, (1, 0))
    """

    lower: Fraction | float
    upper: Fraction | float
    exact: bool
    norm: float
    point: np.ndarray | None
    classes: tuple[int, int | None]

    __repr__ = summary

    @property
    def distance(self) -> Fraction | float:
        """`upper`, which is r itself where `exact` is true."""
        return self.upper


def nearest_boundary(
    f: Circuit | Polynomial | Rational,
    x: ArrayLike,
    norm: float = 2,
    domain: Domain | None = None,
    *,
    max_regions: int = 1_000_000,
    **options,
) -> NearestBoundary:
    """The exact distance from x to the decision boundary of f.

    Parameters
    ----------
    f : Circuit, Polynomial, or Rational of either
        At ε = 0. The class of a point is its largest output, or with one output whether that is positive.
    x : (d,) array
        Where to start; on ties the distance is 0.
    norm : 1, 2 or math.inf
    domain : Box or Polyhedron, optional
        What counts as boundary lies there; all of R^d by default.
    max_regions : int
        Budget.
    **options
        As for `linear_regions`; ``partial`` is refused.

    Raises
    ------
    BudgetExceeded
        As by `linear_regions`.

    Notes
    -----
    First some rays from x meet the boundary, exactly; the nearest of these points leaves a box around x. There the
    regions of f and of all comparisons of its scores are found, and on those of x's class the faces on which another
    score is as large. Nothing else is boundary: the way out of a class leads through a face of one of its regions.
    For norms 1 and ∞ the distance enters the regions as one more piecewise-linear function, whose smallest value over
    a face is at a vertex; for norm 2 the point of a face nearest to x is found in rational numbers. Cost: the regions
    in the box, 2^d times as many for norm 1 and up to 2d times for ∞, and a walk through the vertices of each face.

    Examples
    --------
    >>> x = Circuit.identity(2, exact=True)
    >>> f = (x + 0).affine([[1, 1]], [-1])                                # x⁺ + y⁺ − 1, the sign of that
    >>> nearest_boundary(f, [0, 0], 1).distance, nearest_boundary(f, [0, 0], float("inf")).distance
    (Fraction(1, 1), Fraction(1, 2))
    >>> near = nearest_boundary(f, [0, 0])
    >>> near.point.tolist(), near.lower**2 <= 0.5 <= near.upper**2
    ([Fraction(1, 2), Fraction(1, 2)], True)
    """
    if options.get("partial"):
        raise InputError("partial=True could leave out the nearest face; raise max_regions instead")
    start = Start(f, x, as_norm(norm), domain)
    crossing = start.crossing()
    if crossing.upper == 0:
        return crossing
    return start.nearest(crossing, max_regions=max_regions, **options)


class Start:
    """A point with its class, and the search for the boundary from there."""

    def __init__(self, f, x: ArrayLike, norm: float, domain: Domain | None = None):
        domain = as_domain(domain)
        if isinstance(domain, Slice):
            raise InputError("distances on a Slice are those of its coordinates; pass a Box or a Polyhedron")
        self.f, self.norm = f, norm
        self.P, self.Q = rails(f)
        self.branches = [self.Q, self.P] if self.P.outputs == 1 else scores(self.P, self.Q)
        self.x = as_points(x, self.P.variables, EXACT)
        if self.x.ndim != 1 or not is_finite(self.x).all():
            raise ShapeError(f"x is {x!r}; pass one point of {self.P.variables} finite coordinates")
        self.bounds = domain.inequalities(self.P.variables)
        if any(value(row, [*self.x, 1]) < 0 for row in self.bounds):
            raise InputError("x is outside the domain; pass a point of it")
        values = [v[0] for v in evaluate_together(self.branches, self.x)]
        self.winner = values.index(max(values))
        self.margins = [values[self.winner] - v for v in values]

    def found(self, point, loser: int, exact: bool) -> NearestBoundary:
        """A tie with `loser` at a point; the nearest one if `exact`."""
        low, high = norm_bounds(point - self.x, self.norm)
        return NearestBoundary(
            low if exact else Fraction(0), high, exact, self.norm, point, (self.winner, loser)
        )

    def nowhere(self, exact: bool) -> NearestBoundary:
        return NearestBoundary(
            inf if exact else Fraction(0), inf, exact, self.norm, None, (self.winner, None)
        )

    # ---- an upper bound, by rays --------------------------------------------------------------------

    def crossing(self, rounds: int = 4) -> NearestBoundary:
        """The nearest point of the boundary on some rays from x; the bound is infinite if they meet none."""
        for j, margin in enumerate(self.margins):
            if j != self.winner and margin == 0:
                return self.found(self.x, j, True)
        best = self.nowhere(False)
        others = [j for j in range(len(self.margins)) if j != self.winner]
        pending = [(self.x, j) for j in others]
        for _ in range(rounds):
            found = self._nearer(pending, best)
            if found is None and best.point is None:  # x may be on a bend, or f flat there
                found = self._nearer([(place, j) for place in self._around() for j in others], best)
            if found is None:
                break
            best = found
            pending = [(best.point, best.classes[1])]  # along the normal of the boundary that was met
        return best

    def _nearer(self, places, best: NearestBoundary) -> NearestBoundary | None:
        """The nearest of the ties on the rays, if it is nearer than the best."""
        found = [self._on_ray(direction) for direction in self._towards(places)]
        found = [near for near in found if near is not None and near.upper < best.upper]
        return min(found, key=lambda near: near.upper, default=None)

    def _around(self) -> list[np.ndarray]:
        """Some points at growing distances from x."""
        rng = np.random.default_rng(0)
        steps = (4.0**k * np.round(rng.normal(size=len(self.x)), 3) for k in range(-3, 3))
        return [self.x + convert(step, EXACT) for step in steps]

    def _towards(self, places) -> Iterator[np.ndarray]:
        """Rational directions in which score j gains the most on that of x, by the affine pieces at the places."""
        for point, j in places:
            with np.errstate(all="ignore"):
                slope = np.atleast_2d(self.f.affine_at(point.astype(float))[0]).astype(float)
            slope = np.vstack([0 * slope, slope]) if len(slope) == 1 else slope
            gain = slope[j] - slope[self.winner]
            if not np.isfinite(gain).all() or not gain.any():
                continue
            if self.norm == inf:
                gain = np.sign(gain)
            elif self.norm == 1:
                gain = gain * (abs(gain) == abs(gain).max())
            yield convert(np.round(gain / abs(gain).max() * 2**16) / 2**16, EXACT)

    def _on_ray(self, direction: np.ndarray) -> NearestBoundary | None:
        """The first tie on the ray from x within the domain."""
        rows = [[dot(row[:-1], direction), value(row, [*self.x, 1])] for row in self.bounds]
        rows = [[speed, room] for speed, room in rows if speed < 0]
        if any(room == 0 for _, room in rows):
            return None
        rows.append([Fraction(1), Fraction(0)])
        ray = Slice(self.x, [direction], _polyhedron(rows))
        ties = [
            (Fraction(corner[0], corner[-1]), j)
            for j, face in self._faces(linear_regions(self._compared, ray))
            for corner in face
        ]
        if not ties:
            return None
        length, j = min(ties)
        return self.found(self.x + length * direction, j, False)

    # ---- the nearest one, by regions ----------------------------------------------------------------

    def nearest(self, crossing: NearestBoundary, **options) -> NearestBoundary:
        """The nearest tie of all; none is farther than that of `crossing`."""
        if crossing.point is None:
            found = self._nearest_vertex(linear_regions(self._compared, _polyhedron(self.bounds), **options))
            if found is None:
                return self.nowhere(True)
            crossing = self.found(*found, False)
        radius = Fraction(crossing.upper)  # of a ball, and so of a box that contains it
        rows = self.bounds + Box(self.x - radius, self.x + radius).inequalities(len(self.x))
        function = self._compared if self.norm == 2 else self._with_distance()
        regions = linear_regions(function, _polyhedron(rows), **options)
        search = self._nearest_point if self.norm == 2 else self._nearest_vertex
        return self.found(*search(regions), True)

    def _nearest_point(self, regions: Regions) -> tuple[np.ndarray, int]:
        """Over faces as hulls of their corners, near ones first; most are seen to be farther than the best."""
        faces = {}
        for j, rays in self._faces(regions):
            corners = [[Fraction(a, r[-1]) - x for a, x in zip(r[:-1], self.x, strict=True)] for r in rays]
            faces.setdefault(tuple(sorted(map(tuple, corners))), j)
        ordered = sorted(faces, key=lambda face: min(dot(p, p) for p in face))
        best, loser = None, None
        for face in ordered:
            if best is not None and min(dot(p, best) for p in face) >= dot(best, best):
                continue
            point = nearest_in_hull(face)
            if best is None or dot(point, point) < dot(best, best):
                best, loser = point, faces[face]
        return self.x + exact_array(best), loser

    def _nearest_vertex(self, regions: Regions) -> tuple[np.ndarray, int] | None:
        """The vertex of a face nearest to x: the nearest point of all where regions have an affine distance."""
        ties = {tuple(corner): j for j, face in self._faces(regions) for corner in face}
        best = None
        for corner, j in ties.items():
            point = exact_array([Fraction(a, corner[-1]) for a in corner[:-1]])
            size = norm_bounds(point - self.x, self.norm)[0]
            if best is None or size < best[0]:
                best = size, point, j
        return best and best[1:]

    def _faces(self, regions: Regions) -> Iterator[tuple[int, list]]:
        """(j, corners) of the faces of regions of x's class on which score j ties with it, in whole numbers."""
        numbers, maps = regions._maps
        width = regions.variables + 1
        whole = [self._whole(form, width) for form in maps]
        for number, rays in zip(numbers, regions._table.rays, strict=True):
            forms = whole[number]
            if any(forms[self.winner]):
                continue
            for j, form in enumerate(forms):
                if j != self.winner:
                    face = [ray for ray in rays if ray[-1] > 0 and value(form, ray) == 0]
                    if face:
                        yield j, face

    def _whole(self, form, width: int) -> list[list[int]]:
        """The rows s_j − max_k s_k of a map as whole numbers."""
        rows = [form[width * j : width * (j + 1)] for j in range(len(self.branches))]
        scale = lcm(*(a.denominator for row in rows for a in row))
        return [[int(a * scale) for a in row] for row in rows]

    @cached_property
    def _compared(self) -> Rational:
        return Rational(*compared(self.branches))

    def _with_distance(self) -> Rational:
        """The comparisons, and beside them ‖y − x‖ as gates whose regions are those on which it is affine."""
        space = Circuit(self.P.node.source, 0.0)
        d, eye = len(self.x), convert(np.eye(len(self.x)), EXACT)
        if self.norm == 1:
            away = soft_max([space.affine(eye, -self.x), space.affine(-eye, self.x)])
            distance = away.affine(np.ones((1, d)))
        else:
            sides = [(sign * eye[i : i + 1], sign * self.x[i : i + 1]) for i in range(d) for sign in (1, -1)]
            distance = soft_max([space.affine(unit, -place) for unit, place in sides])
        top, bottom = compared(self.branches)
        m = len(self.branches)
        top = combine([(np.eye(m + 1)[:, :m], top), (np.eye(m + 1)[:, m:], distance)])
        return Rational(top, bottom.affine(np.eye(m + 1)[:, :m]))


def _polyhedron(rows) -> Polyhedron | None:
    """From rows (a, b) of a·y + b ≥ 0."""
    if not rows:
        return None
    array = exact_array(rows)
    return Polyhedron(-array[:, :-1], array[:, -1])
