"""Piecewise quadratic functions given by breakpoints and coefficients, convex or not."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from functools import cached_property

import numpy as np
import sympy
from numpy.typing import ArrayLike

from hjsym.conjugate.base import ConvexFunction, Convexity
from hjsym.conjugate.improper import Improper
from hjsym.conjugate.plq.graph import PLQ
from hjsym.conjugate.plq.hull import conjugate_of_pieces
from tropical._arrays import EXACT, as_array, convert, frozen, is_exact
from tropical.errors import InputError, ShapeError

__all__ = ["PiecewiseQuadratic", "piecewise_quadratic"]

_ROUNDING = 16 * 2.0**-52  # of the terms of a value or slope, below which float pieces are taken to meet


def piecewise_quadratic(breaks: ArrayLike, coefficients: ArrayLike) -> ConvexFunction:
    """a_i x² + b_i x + c_i on [t_i, t_{i+1}], +∞ before t_0, after t_n and on pieces with c_i = ∞.

    Parameters
    ----------
    breaks : (n + 1,) array
        Nondecreasing; the outer ones may be infinite. Equal neighbours hold a single point.
    coefficients : (n, 3) array
        Rows a, b, c. Where two pieces meet, the lower value counts.

    Returns
    -------
    PLQ or PiecewiseQuadratic
        `PLQ` if f is convex. Exact data are decided exactly; pieces of floats are taken to meet where they do up to the
        rounding of their values, 16 units in the last place of the terms.

    Raises
    ------
    InputError, ShapeError
        Breakpoints that fall, coefficients that are not finite, shapes that do not fit.

    Examples
    --------
    >>> inf = math.inf
    >>> f = piecewise_quadratic([-inf, 0, inf], [[0, -1, 0], [0, 1, 0]])     # |x|
    >>> f
    <PLQ with 2 vertices on Interval(-oo, oo)>
    >>> w = piecewise_quadratic([-inf, 0, inf], [[1, 2, 1], [1, -2, 1]])     # min((x − 1)², (x + 1)²)
    >>> w.convexity().convex, w.hull()([0.0, 3.0])
    (False, array([0., 4.]))
    """
    f = PiecewiseQuadratic(breaks, coefficients)
    hull = f._if_convex()
    return f if hull is None else hull


class PiecewiseQuadratic(ConvexFunction):
    """A piecewise quadratic function as it was given; see `piecewise_quadratic`."""

    def __init__(self, breaks: ArrayLike, coefficients: ArrayLike):
        t, c = as_array("breaks", breaks), as_array("coefficients", coefficients)
        if t.ndim != 1 or c.ndim != 2 or c.shape != (len(t) - 1, 3) or len(t) < 2:
            raise ShapeError(
                f"breaks has shape {t.shape} and coefficients {c.shape}; pass n + 1 breaks and (n, 3) coefficients"
            )
        exact = any(is_exact(v) for v in (t, c))
        dtype = EXACT if exact else np.dtype(np.float64)
        t, c = convert(t, dtype), convert(c, dtype)
        if (
            any(math.isnan(e) for e in t)
            or (t[1:] < t[:-1]).any()
            or math.inf in t[:-1]
            or -math.inf in t[1:]
        ):
            raise InputError("breaks are to be numbers that do not fall, only the outer ones infinite")
        if not all(math.isfinite(e) for e in c[:, :2].ravel()) or not all(e > -math.inf for e in c[:, 2]):
            raise InputError("coefficients are to be finite, but c = inf where f is +inf")
        self.breaks, self.coefficients = frozen(t), frozen(c)
        self._conjugate = None

    @property
    def rational(self) -> bool:
        return is_exact(self.breaks)

    @property
    def variables(self) -> int:
        return 1

    @cached_property
    def _parts(self) -> list[tuple]:
        """(t, t', a, b, c) of the pieces that are finite, points as constants where no piece is as low there."""
        rows = zip(self.breaks, self.breaks[1:], self.coefficients, strict=False)
        rows = [(lo, hi, *row) for lo, hi, row in rows if row[2] != math.inf]
        wide = [row for row in rows if row[0] < row[1]]
        lowest: dict = {}
        for t, _, a, b, c in (row for row in rows if row[0] == row[1]):
            value = (a * t + b) * t + c
            beside = [(p * t + q) * t + r for lo, hi, p, q, r in wide if t in (lo, hi)]
            if min(beside, default=math.inf) > value:
                lowest[t] = min(value, lowest.get(t, math.inf))
        points = [(t, t, 0 * v, 0 * v, v) for t, v in lowest.items()]
        return sorted([*wide, *points], key=lambda row: (row[0], row[1]))

    @property
    def domain(self) -> sympy.Set:
        from hjsym.conjugate.plq.graph import _symbolic

        return sympy.Union(*(sympy.Interval(_symbolic(p[0]), _symbolic(p[1])) for p in self._parts))

    def _values(self, y: np.ndarray) -> np.ndarray:
        at = y[:, 0]
        out = np.full(len(at), math.inf, object if is_exact(y) else float)
        for lo, hi, a, b, c in self._parts:
            inside = (lo <= at) & (at <= hi)
            out[inside] = np.minimum(out[inside], (a * at[inside] + b) * at[inside] + c)
        return out

    def _argmax(self, y: np.ndarray) -> np.ndarray:
        """Subgradients of the hull where it touches f, NaN elsewhere."""
        hull = self.hull()
        if isinstance(hull, Improper):
            return np.full(y.shape, np.nan)
        touching = self._values(y) == hull._values(y)
        return np.where(touching[:, None], hull._argmax(y), np.nan)

    def hull(self) -> ConvexFunction:
        """The closed convex hull."""
        return self.conjugate().conjugate()

    def conjugate(self) -> ConvexFunction:
        """f*, that of the hull."""
        if self._conjugate is None:
            self._conjugate = conjugate_of_pieces(self._parts)
        return self._conjugate

    # ---- convexity -------------------------------------------------------------------------------

    def _if_convex(self) -> PLQ | None:
        """f as a graph, where its pieces meet and its slopes rise."""
        parts = self._parts
        if not parts:
            return None
        x, s = [], []
        for k, part in enumerate(parts):
            lo, hi, a, b, _ = part
            if a < 0 or (k > 0 and not _meet(parts[k - 1], part, self.rational)):
                return None
            ends = [e for e in (lo, hi) if math.isfinite(e)] or [0 * a]
            x += ends
            s += [2 * a * e + b for e in ends]
        left = math.inf if parts[0][0] != -math.inf else 2 * parts[0][2]
        right = math.inf if parts[-1][1] != math.inf else 2 * parts[-1][2]
        first = parts[0]
        value = (first[2] * x[0] + first[3]) * x[0] + first[4]
        dtype = EXACT if self.rational else float
        s = np.array(s, dtype)
        return PLQ(np.array(x, dtype), s if self.rational else np.maximum.accumulate(s), value, left, right)

    def convexity(self) -> Convexity:
        if not self._parts:
            return Convexity(True, "f is +inf everywhere")
        if self._if_convex() is not None:
            return Convexity(True, "pieces meet, bend up and their slopes rise")
        witness = self._witness()
        if witness is None:
            return Convexity(None, "no three points above a chord were found")
        return Convexity(False, f"it lies above its chord at {witness[1]}", witness)

    def _witness(self) -> tuple | None:
        """Exact points a < m < b with f(m) above the chord."""
        exact = PiecewiseQuadratic(convert(self.breaks, EXACT), convert(self.coefficients, EXACT))
        nodes = sorted({Fraction(e) for p in self._parts for e in p[:2] if math.isfinite(e)})
        centers = [*nodes, *((p + q) / 2 for p, q in itertools.pairwise(nodes))]
        centers += [nodes[0] - 1, nodes[-1] + 1] if nodes else [Fraction(0)]
        spans = [q - p for p, q in itertools.pairwise(nodes)] or [Fraction(1)]
        for w in [v / 2**k for k in range(40) for v in {max(spans), min(spans), Fraction(1)}]:
            for m in centers:
                for points in ((m - w, m, m + w), (m - 2 * w, m - w, m), (m, m + w, m + 2 * w)):
                    f = exact._values(np.array(points, object)[:, None])
                    if f[0] < math.inf and f[2] < math.inf and 2 * f[1] > f[0] + f[2]:
                        return points
        for p, q in itertools.pairwise(nodes):  # a gap
            f = exact._values(np.array([p, (p + q) / 2, q], object)[:, None])
            if f[1] == math.inf and f[0] < math.inf and f[2] < math.inf:
                return p, (p + q) / 2, q
        return None

    def __repr__(self) -> str:
        return (
            f"<PiecewiseQuadratic with {len(self.coefficients)} pieces{', exact' if self.rational else ''}>"
        )


def _meet(left: tuple, right: tuple, exact: bool) -> bool:
    """Whether two pieces share an end, a value there, and slopes that do not fall."""
    if left[1] != right[0]:
        return False
    t = left[1]
    values = [(a * t + b) * t + c for _, _, a, b, c in (left, right)]
    slopes = [2 * a * t + b for _, _, a, b, _ in (left, right)]
    if exact:
        return values[0] == values[1] and slopes[0] <= slopes[1]
    sizes = [abs(a) * t * t + abs(b * t) + abs(c) for _, _, a, b, c in (left, right)]
    steep = [2 * abs(a * t) + abs(b) for _, _, a, b, _ in (left, right)]
    return bool(
        abs(values[0] - values[1]) <= _ROUNDING * sum(sizes)
        and slopes[0] - slopes[1] <= _ROUNDING * sum(steep)
    )
