"""Lipschitz constants of piecewise-linear functions, exactly, by their linear regions."""

from dataclasses import dataclass
from fractions import Fraction
from math import inf

import numpy as np

from tropical._display import summary
from tropical._html import ShowsFields
from tropical._norms import Bounds, Matrix, as_norm, definite_beyond, gram_matrix, matrix_norm
from tropical._region_shape import exact_array
from tropical.circuit import Circuit
from tropical.domain import Domain
from tropical.polynomial import Polynomial
from tropical.rational import Rational
from tropical.regions import budget_error, linear_regions

__all__ = ["Lipschitz", "lipschitz"]


@dataclass(frozen=True, eq=False)
class Lipschitz(ShowsFields):
    """A Lipschitz constant L, the smallest with ‖f(x) − f(y)‖ ≤ L‖x − y‖, or bounds for it.

    Attributes
    ----------
    lower, upper : Fraction or float
        lower ≤ L ≤ upper, proved. Equal where `exact` is true, but for norm 2: then they are floats around a root, or
        around a singular value to within a relative 1e-12.
    exact : bool
        Whether all regions were seen; else `upper` is only a bound.
    norm : number
        On both sides: 1, 2 or ∞.
    point : (d,) array of Fractions or None
        A point around which f is affine and the constant is at least `lower`.
    slope : (m, d) array of Fractions or None
        The slope of f there.

    Examples
    --------
    >>> from tropical import variables
    >>> x, y = variables(2)
    >>> found = lipschitz(x**3 * y**4 + 0, norm=1)
    >>> found.value, found.exact, found.slope.tolist()
    (Fraction(4, 1), True, [[Fraction(3, 1), Fraction(4, 1)]])
    """

    lower: Fraction | float
    upper: Fraction | float
    exact: bool
    norm: float
    point: np.ndarray | None = None
    slope: np.ndarray | None = None

    __repr__ = summary

    @property
    def value(self) -> Fraction | float:
        """`upper`: a constant that f surely has."""
        return self.upper


def lipschitz(
    f: Circuit | Polynomial | Rational, norm: float = 2, domain: Domain | None = None, **options
) -> Lipschitz:
    """The Lipschitz constant of f on a domain, in one norm for points and values.

    Parameters
    ----------
    f : Circuit, Polynomial, or Rational of either
        At ε = 0.
    norm : 1, 2 or math.inf
        On R^d and on R^m.
    domain : Box, Polyhedron or Slice, optional
        All of R^d by default. On a slice the norm is that of its coordinates.
    **options
        As for `linear_regions`; with ``partial`` and the budget spent, ``upper`` is infinite.

    Notes
    -----
    The domain is convex, so L is the largest operator norm of a slope over the regions. For one output that is the
    dual norm of the slope, ∞, 2 or 1 for 1, 2 or ∞. Norms 1 and ∞ are computed in rational numbers. For norm 2 and
    several outputs the largest singular value is enclosed: a Rayleigh quotient from below, from above a positive
    definite matrix by rational elimination, which costs min(m, d)³ a map.

    Examples
    --------
    >>> x = Circuit.identity(2)
    >>> f = (x.affine([[3, 4]]) + 0) * (x.affine([[0, -4]]) + 0)          # relu(3x + 4y) + relu(−4y)
    >>> lipschitz(f).value, lipschitz(f, 1).value, lipschitz(f, float("inf")).value
    (5.0, Fraction(4, 1), Fraction(7, 1))
    >>> lipschitz(f).slope.tolist()
    [[Fraction(3, 1), Fraction(4, 1)]]
    """
    as_norm(norm)
    regions = linear_regions(f, domain, **options)
    numbers, maps = regions._maps
    if not maps:  # with partial=True, and no cell was small enough
        raise budget_error(regions, 0)
    width = regions.variables + 1
    slopes = [[form[k : k + width - 1] for k in range(0, len(form), width)] for form in maps]
    best, (lower, upper) = (_by_singular_value if norm == 2 else _by_norm)(slopes, norm)
    point = regions[numbers.index(best)].witness
    upper = upper if regions.complete else inf
    return Lipschitz(lower, upper, regions.complete, norm, point, exact_array(slopes[best]))


def _by_norm(slopes: list[Matrix], norm: float) -> tuple[int, Bounds]:
    norms = [matrix_norm(slope, norm) for slope in slopes]
    best = max(range(len(norms)), key=lambda k: norms[k])
    return best, norms[best]


def _by_singular_value(slopes: list[Matrix], norm: float) -> tuple[int, Bounds]:
    """From the slope that looks largest on; most others are then seen to be smaller."""
    squares = [_square_sum(slope) for slope in slopes]
    if min(len(slopes[0]), len(slopes[0][0])) == 1:
        best = max(range(len(slopes)), key=squares.__getitem__)
        return best, matrix_norm(slopes[best], norm)
    order = _likely(slopes)
    best = order[0]
    lower, upper = matrix_norm(slopes[best], norm)
    for k in order[1:]:
        known = Fraction(lower) ** 2
        if squares[k] <= known or definite_beyond(gram_matrix(slopes[k]), known):
            continue
        bounds = matrix_norm(slopes[k], norm)
        upper = max(upper, bounds[1])
        if bounds[0] > lower:
            best, lower = k, bounds[0]
    return best, (lower, upper)


def _square_sum(slope: Matrix) -> Fraction:
    return sum((a * a for row in slope for a in row), Fraction(0))


def _likely(slopes: list[Matrix]) -> list[int]:
    """Indices by computed spectral norm, largest first."""
    sizes = np.linalg.norm(np.array(slopes, dtype=float), 2, axis=(1, 2))
    return np.argsort(-sizes, kind="stable").tolist()
