"""Largest and smallest values of piecewise-linear functions over a domain, exactly, by their linear regions."""

from dataclasses import dataclass
from fractions import Fraction
from math import inf

import numpy as np

from tropical._display import summary
from tropical._html import ShowsFields
from tropical._region_program import value
from tropical._region_shape import exact_array, interior_point
from tropical.circuit import Circuit
from tropical.domain import Domain
from tropical.errors import InputError
from tropical.polynomial import Polynomial
from tropical.rational import Rational
from tropical.regions import Regions, linear_regions

__all__ = ["Extremum", "maximize", "minimize", "one_output"]


@dataclass(frozen=True, eq=False)
class Extremum(ShowsFields):
    """An extreme value and where it is, or a value and a bound that the extreme one lies between.

    Attributes
    ----------
    value : Fraction or float
        What f is at `point`, exactly; infinite if there is no extreme value.
    point : (d,) array of Fractions
        Where f has the value; if that is infinite, the foot of a ray along which f runs away.
    direction : (d,) array of Fractions or None
        The direction of that ray.
    bound : Fraction or float
        f does not go beyond it, which is proved; `value` itself by default.
    solver_bound : float or None
        The bound that a solver in floats gave, to its tolerances; nothing proves it.

    Examples
    --------
    >>> from tropical import Box, variables
    >>> x, y = variables(2)
    >>> top = maximize(x + y + 0, Box([0, 0], [1, 3]))
    >>> top.value, top.point.tolist(), top.exact, top.gap
    (Fraction(3, 1), [Fraction(1, 1), Fraction(3, 1)], True, 0)
    """

    value: Fraction | float
    point: np.ndarray
    direction: np.ndarray | None = None
    bound: Fraction | float | None = None
    solver_bound: float | None = None

    __repr__ = summary

    def __post_init__(self):
        if self.bound is None:
            object.__setattr__(self, "bound", self.value)

    @property
    def exact(self) -> bool:
        """Whether `value` is proved to be the extreme one."""
        return self.value == self.bound

    @property
    def gap(self) -> Fraction | float:
        """How far the extreme value can be from `value`."""
        return 0 if self.exact else abs(self.bound - self.value)


def maximize(
    f: Circuit | Polynomial | Rational, domain: Domain | None = None, *, output: int = 0, **options
) -> Extremum:
    """The largest value of one output of f over a closed domain.

    Parameters
    ----------
    f : Circuit, Polynomial, or Rational of either
        At ε = 0.
    domain : Box, Polyhedron or Slice, optional
        All of R^d by default. On a slice, points are in its coordinates.
    output : int
        Which output, where there are several.
    **options
        As for `linear_regions`; ``partial`` is refused, as a region left out could have the extremum.

    Notes
    -----
    f is affine on each region, so it has its extremum in a vertex, or runs away along a ray. Cost: that of the
    regions.

    Examples
    --------
    >>> from tropical import Box
    >>> x = Circuit.identity(2, exact=True)
    >>> f = x.affine([[1, 1]]) / (x.affine([[3, 0]]) + x.affine([[0, 3]]))        # x + y − 3 max(x, y)
    >>> maximize(f, Box(-1, [1, 2])).value
    Fraction(1, 1)
    >>> minimize(f).value                                                 # without a bound
    -inf
    """
    return _extreme(f, domain, output, 1, options)


def minimize(
    f: Circuit | Polynomial | Rational, domain: Domain | None = None, *, output: int = 0, **options
) -> Extremum:
    """The smallest value of one output of f over a closed domain; see `maximize`.

    >>> from tropical import Box, variables
    >>> x, y = variables(2)
    >>> minimize((x**2 + x**-2) * y, Box(-1, 2)).value        # 2|x| + y
    Fraction(-1, 1)
    """
    return _extreme(f, domain, output, -1, options)


def _extreme(f, domain, output: int, sign: int, options: dict) -> Extremum:
    if options.get("partial"):
        raise InputError("partial=True could leave out the region of the extremum; raise max_regions instead")
    regions = linear_regions(f, domain, **options)
    forms = [[sign * a for a in form] for form in one_output(regions, output)]
    best = None
    for k, number in enumerate(regions._maps[0]):
        form = forms[number]
        rays, lines = regions._table.rays[k], regions._table.lines[k]
        away = [ray for ray in rays if ray[-1] == 0] + [
            [s * a for a in line] for line in lines for s in (1, -1)
        ]
        direction = next((ray for ray in away if value(form, ray) > 0), None)
        if direction is not None:
            return Extremum(sign * inf, exact_array(interior_point(rays)), _fractions(direction))
        here = max((value(form, ray) / ray[-1], ray) for ray in rays if ray[-1] > 0)
        if best is None or here[0] > best[0]:
            best = here
    top, ray = best
    return Extremum(sign * top, _fractions(ray, ray[-1]))


def one_output(regions: Regions, output: int) -> list[tuple[Fraction, ...]]:
    """(slope…, intercept) of one output in each of the maps of f."""
    width, maps = regions.variables + 1, regions._maps[1]
    if not 0 <= output < len(maps[0]) // width:
        raise InputError(f"output {output} of {len(maps[0]) // width}; outputs count from 0")
    return [form[width * output : width * (output + 1)] for form in maps]


def _fractions(ray, denominator: int = 1) -> np.ndarray:
    return exact_array([Fraction(a, denominator) for a in ray[:-1]])
