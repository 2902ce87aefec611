"""The upper hull of points in the plane, decided exactly: the monomials that count in one variable."""

import math
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tropical.polynomial import Polynomial

__all__ = ["hull_rows"]

# An orientation of three points in floats has the right sign beyond this times the sum of its two products, if those
# are far from underflow: J. R. Shewchuk, "Adaptive precision floating-point arithmetic and fast robust geometric
# predicates", Discrete Comput. Geom. 18 (1997), ccwerrboundA.
_ORIENTATION_ERROR = (3 + 16 * 2.0**-53) * 2.0**-53
_FAR_FROM_UNDERFLOW = 1e-280

Number = float | Fraction


def hull_rows(p: "Polynomial") -> list[int]:
    """Rows of p, in one variable at ε = 0, that alone are the value on some interval; by ascending slope.

    Andrew's chain over (W_j, b_j), lower instead of upper for min. Of equal monomials the first counts. Cost
    N log N; floats whose orientation is too close to call are compared in Fractions. Coefficients are finite or the
    semiring's zero.
    """
    slopes, heights = p.slopes[:, 0].tolist(), (p.semiring.sign * p.coefficients).tolist()
    points = [(w, h, -row) for row, (w, h) in enumerate(zip(slopes, heights, strict=True)) if h != -math.inf]
    chain: list[tuple[Number, Number, int]] = []
    for point in sorted(points):
        if chain and chain[-1][0] == point[0]:
            chain.pop()  # the lower of two with one slope
        while len(chain) > 1 and not _stands_out(*chain[-2][:2], *chain[-1][:2], *point[:2]):
            chain.pop()
        chain.append(point)
    return [-row for _, _, row in chain]


def _stands_out(w0: Number, h0: Number, w1: Number, h1: Number, w2: Number, h2: Number) -> bool:
    """Whether (w1, h1) lies above the chord from (w0, h0) to (w2, h2), for w0 < w1 < w2."""
    rise, fall = (h1 - h0) * (w2 - w1), (h2 - h1) * (w1 - w0)
    if isinstance(rise, Fraction):
        return rise > fall
    size = abs(rise) + abs(fall)
    if _FAR_FROM_UNDERFLOW < size < math.inf and abs(rise - fall) > _ORIENTATION_ERROR * size:
        return rise > fall
    return _stands_out(*map(Fraction, (w0, h0, w1, h1, w2, h2)))
