"""Whether two piecewise-linear functions are equal on a domain: a proof, or a point where they differ."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from tropical._chart import Chart
from tropical._display import summary
from tropical._html import ShowsFields
from tropical._rails import rails
from tropical._region import Region
from tropical._region_shape import exact_array, vertices
from tropical.circuit import Circuit, evaluate_together
from tropical.domain import Domain, as_domain
from tropical.errors import BudgetExceeded, InputError, ShapeError
from tropical.polynomial import Polynomial
from tropical.rational import Rational
from tropical.regions import linear_regions

__all__ = ["Equivalence", "equivalent"]


@dataclass(frozen=True, eq=False)
class Equivalence(ShowsFields):
    """The answer of `equivalent`, true where f and g are proved equal.

    Attributes
    ----------
    equal : bool
    regions : int
        How many regions of f − g the proof went through; 0 where a point tried at random decided.
    point : (d,) array of Fractions or None
        A point of the domain where they differ; on a slice in its coordinates.
    values : pair of (m,) arrays of Fractions or None
        f and g there.

    Examples
    --------
    >>> x = Circuit.identity(1, exact=True)
    >>> found = equivalent(x + 0, x + 1)
    >>> found.equal, len(found.point), bool(found.values[0] < found.values[1])
    (False, 1, True)
    """

    equal: bool
    regions: int
    point: np.ndarray | None = None
    values: tuple[np.ndarray, np.ndarray] | None = None

    __repr__ = summary

    def __bool__(self) -> bool:
        return self.equal


def equivalent(
    f: Circuit | Polynomial | Rational,
    g: Circuit | Polynomial | Rational,
    domain: Domain | None = None,
    *,
    trials: int = 16,
    seed: int = 0,
    max_regions: int = 1_000_000,
    **options,
) -> Equivalence:
    """Whether f(x) = g(x) at every point of a domain.

    Parameters
    ----------
    f, g : Circuit, Polynomial, or Rational of either
        At ε = 0, with equally many variables and outputs. Floats are taken as the dyadic rationals they are.
    domain : Box, Polyhedron or Slice, optional
        All of R^d by default.
    trials, seed : int
        How many random rational points are tried first.
    max_regions : int
        Budget for the regions of f − g.
    **options
        As for `linear_regions`; it is ``partial`` in up to twelve dimensions.

    Raises
    ------
    BudgetExceeded
        If the regions within the budget show no difference and there are more.

    Notes
    -----
    f and g are equal exactly if f − g is the map 0 on each of its linear regions. Cost: that of the regions of f − g;
    gates that f and g have in common cut nothing twice.

    Examples
    --------
    >>> x = Circuit.identity(2)
    >>> f = (x.affine([[1, -1]]) + 0) * x.affine([[0, 1]])                # relu(x − y) + y
    >>> g = x.affine([[1, 0]]) + x.affine([[0, 1]])                       # max(x, y)
    >>> bool(equivalent(f, g))
    True
    >>> found = equivalent(f, g * 0.5)
    >>> bool(found), found.values[1] - found.values[0]
    (False, array([Fraction(1, 2)], dtype=object))
    """
    if trials < 0:
        raise InputError(f"trials is {trials}; pass how many random points to try, at least 0")
    P, Q = rails(f)
    R, S = rails(g)
    if (P.variables, P.outputs) != (R.variables, R.outputs):
        raise ShapeError(
            f"f maps R^{P.variables} to R^{P.outputs} and g R^{R.variables} to R^{R.outputs}; pass two alike"
        )
    R, S = rails(g, P.node.source)
    chart = Chart(as_domain(domain), P.variables)
    points = chart.points(trials, np.random.default_rng(seed))
    if len(points):
        found = _different(chart, (P, Q, R, S), points, 0)
        if found is not None:
            return found
    difference = (P * S) / (R * Q)
    regions = linear_regions(
        difference, domain, max_regions=max_regions, partial=not chart.is_large, **options
    )
    numbers, maps = regions._maps
    for region, number in zip(regions, numbers, strict=True):
        if any(maps[number]):
            points = exact_array(_points_of(region))
            return _different(chart, (P, Q, R, S), points, len(regions))
    if not regions.complete:
        raise BudgetExceeded(
            "regions of f − g, which is 0 on all that were found", len(regions) + 1, max_regions,
            "raise max_regions, or pass a smaller domain",
        )  # fmt: skip
    return Equivalence(True, len(regions))


def _different(chart: "Chart", circuits, points: np.ndarray, regions: int) -> Equivalence | None:
    """The first of the points at which f and g differ."""
    P, Q, R, S = evaluate_together(circuits, chart.lifted(points))
    for point, f, g in zip(points, P - Q, R - S, strict=True):
        if (f != g).any():
            return Equivalence(False, regions, point, (f, g))
    return None


def _points_of(region: Region) -> list[list[Fraction]]:
    """Interior points of which no affine map but 0 vanishes on all."""
    inside = region.witness
    corners = [(inside + exact_array(corner)) / 2 for corner in vertices(region._column("rays"))]
    return [list(p) for p in (inside, *corners, *(inside + ray for ray in region.directions))]
