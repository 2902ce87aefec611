"""Whether a piecewise-linear function is convex on a domain, with three points that show it where it is not."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from tropical._display import summary
from tropical._html import ShowsFields
from tropical._region_program import difference, value
from tropical._region_shape import exact_array, interior_point
from tropical.circuit import Circuit
from tropical.domain import Domain
from tropical.errors import InputError
from tropical.extremum import one_output
from tropical.polynomial import Polynomial
from tropical.rational import Rational
from tropical.regions import Regions, linear_regions

__all__ = ["Convexity", "is_convex"]


@dataclass(frozen=True, eq=False)
class Convexity(ShowsFields):
    """The answer of `is_convex`, true where f is proved convex.

    Attributes
    ----------
    convex : bool
    regions : int
        How many regions f has on the domain.
    points : (3, d) array of Fractions or None
        Two points of the domain, and between them their midpoint, where f lies above the chord.
    values : (3,) array of Fractions or None
        f at the points.
    neighbours : (int, int) or None
        Numbers of the regions of the outer points in the order of `linear_regions`; they share a facet.

    Examples
    --------
    >>> x = Circuit.identity(1, exact=True)
    >>> bent = is_convex(x**0 / (x + 0))                                  # −relu(x)
    >>> bent.convex, bent.regions, bent.neighbours
    (False, 2, (0, 1))
    """

    convex: bool
    regions: int
    points: np.ndarray | None = None
    values: np.ndarray | None = None
    neighbours: tuple[int, int] | None = None

    __repr__ = summary

    def __bool__(self) -> bool:
        return self.convex


def is_convex(
    f: Circuit | Polynomial | Rational, domain: Domain | None = None, *, output: int = 0, **options
) -> Convexity:
    """Whether one output of f is convex on a domain.

    Parameters
    ----------
    f : Circuit, Polynomial, or Rational of either
        At ε = 0.
    domain : Box, Polyhedron or Slice, optional
        All of R^d by default. On a slice, points are in its coordinates.
    output : int
        Which output, where there are several.
    **options
        As for `linear_regions`; ``partial`` is refused.

    Notes
    -----
    A continuous piecewise-linear function on a convex domain is convex exactly if it is so across each facet
    between two regions: there the map of either is the smaller one on the other's side. Cost: the regions, and one
    comparison of maps a facet.

    Examples
    --------
    >>> x = Circuit.identity(1, exact=True)
    >>> bool(is_convex(x + 0))
    True
    >>> bent = is_convex(x**0 / (x + 0))                                  # −relu(x)
    >>> bent.points.ravel().tolist(), bent.values.tolist()
    ([Fraction(1, 1), Fraction(0, 1), Fraction(-1, 1)], [Fraction(-1, 1), Fraction(0, 1), Fraction(0, 1)])
    """
    if options.get("partial"):
        raise InputError("partial=True could leave out the facet of a bend; raise max_regions instead")
    regions = linear_regions(f, domain, **options)
    forms, numbers = one_output(regions, output), regions._maps[0]
    for a, b in regions.graph.edges:
        first, second = forms[numbers[a]], forms[numbers[b]]
        if first != second:
            bend = difference(first, second)
            inside = interior_point(regions._table.rays[b])
            if value(bend, [*inside, 1]) > 0:
                return _bent(regions, (a, b), bend, (first, second))
    return Convexity(True, len(regions))


def _bent(regions: Regions, pair: tuple[int, int], bend: list[Fraction], forms) -> Convexity:
    """Three points across the facet, on which `bend` vanishes: along the line between points inside both regions."""
    first, second = (interior_point(regions._table.rays[k]) for k in pair)
    middle = interior_point([ray for ray in regions._table.rays[pair[0]] if value(bend, ray) == 0])
    step = difference(second, first)
    length = min(_reach(regions, k, middle, s, step) for k, s in zip(pair, (-1, 1), strict=True)) / 2
    points = [[m + s * length * v for m, v in zip(middle, step, strict=True)] for s in (-1, 0, 1)]
    low, high = forms
    values = [value(form, [*p, 1]) for form, p in zip((low, low, high), points, strict=True)]
    return Convexity(False, len(regions), exact_array(points), exact_array(values), pair)


def _reach(regions: Regions, k: int, start, sign: int, step) -> Fraction:
    """How far, at most 1, one can go from a point of a facet inside region k."""
    reach = Fraction(1)
    for form in regions[k]._facet_forms:
        speed = sign * value(form[:-1], step)
        if speed < 0:
            reach = min(reach, Fraction(value(form, [*start, 1])) / -speed)
    return reach
