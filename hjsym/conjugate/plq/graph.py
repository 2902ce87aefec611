"""Convex piecewise linear-quadratic functions of one variable, kept as the graph of their subdifferential.

The graph of ∂f is a polyline that rises: vertices (x_k, s_k), nondecreasing in both coordinates, and a ray at either
end. Corners of f are vertical edges, lines of f horizontal ones, parabolas sloped ones; a vertical ray ends the domain.
With f at one vertex this is all of f, and nothing can be inconsistent in it: there are no jumps to round. Conjugation
swaps the coordinates; sums add s at equal x, infimal convolution x at equal s, Moreau's envelope shears, the proximal
average is a mean along x + λs. Every one of these is O(n), and exact over Fractions.

Sources: Y. Lucet, H. H. Bauschke, M. Trienis, "The piecewise linear-quadratic model for computational convex analysis",
Comput. Optim. Appl. 43 (2009); B. Gardiner, Y. Lucet, "Computing the conjugate of convex piecewise linear-quadratic
bivariate functions" (2013) for the graph of the subdifferential as data.
"""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import sympy
from numpy.typing import ArrayLike

from hjsym.conjugate.base import ConvexFunction, Convexity
from tropical._arrays import EXACT, as_array, convert, frozen, is_exact
from tropical.errors import InputError, ShapeError

__all__ = ["PLQ"]


class PLQ(ConvexFunction):
    """A closed proper convex piecewise linear-quadratic function of one variable.

    Parameters
    ----------
    x, s : (n,) arrays
        Vertices of the graph of ∂f, nondecreasing; n ≥ 1. Exact (Fractions) if one of them is.
    value : number
        f(x_0).
    left, right : number
        f'' beyond the first and last vertex, ≥ 0: 0 goes on as a line, inf ends the domain there.

    Raises
    ------
    InputError, ShapeError
        Vertices that fall, no vertex, NaN, a negative curvature.

    Examples
    --------
    >>> f = PLQ([0, 0], [-1, 1], value=0)                                 # |x|: one vertical edge
    >>> f([-2.0, 3.0]), f.conjugate()([0.5, 1.5])
    (array([2., 3.]), array([ 0., inf]))
    >>> huber = f.moreau_envelope(1)
    >>> huber([0.5, 3.0])
    array([0.125, 2.5  ])
    >>> f.prox(1)([-3.0, 0.5, 2.0])
    array([-2.,  0.,  1.])
    >>> f.expr, f.ends, f.convexity().convex, f.rational
    (Piecewise((-x, x <= 0), (x, True)), (-inf, inf), True, False)
    >>> breaks, coefficients = f.pieces()
    >>> breaks, coefficients.tolist()
    (array([-inf,   0.,  inf]), [[0.0, -1.0, 0.0], [0.0, 1.0, 0.0]])
    >>> f.slopes(np.array([0.0, 1.0]))
    (array([-1.,  1.]), array([1., 1.]))
    """

    method = "plq"

    def __init__(self, x: ArrayLike, s: ArrayLike, value=0, left=0, right=0, *, of_hull: bool = False):
        x, s = as_array("x", x), as_array("s", s)
        if x.ndim != 1 or x.shape != s.shape or not len(x):
            raise ShapeError(f"x has shape {x.shape} and s {s.shape}; pass two vectors of one length >= 1")
        exact = any(map(is_exact, (x, s))) or isinstance(value, Fraction)
        dtype = EXACT if exact else np.dtype(np.float64)
        x, s = convert(x, dtype), convert(s, dtype)
        for name, v in (("x", x), ("s", s)):
            if not all(math.isfinite(e) for e in v):
                raise InputError(
                    f"{name} has entries that are not finite; ends of the domain are told by left and right"
                )
            if (v[1:] < v[:-1]).any():
                k = int(np.argmax(v[1:] < v[:-1]))
                raise InputError(
                    f"{name} falls from {v[k]} to {v[k + 1]}: no convex function; piecewise_quadratic makes its hull"
                )
        self.x, self.s = frozen(x), frozen(s)
        self.left, self.right = (_curvature(n, e, exact) for n, e in (("left", left), ("right", right)))
        self.value = Fraction(value) if exact else float(value)
        if not math.isfinite(self.value):
            raise InputError(f"value is {value}; pass a finite number")
        self.of_hull = of_hull
        self._heights = _cumulated(self.x, self.s, self.value)
        self._conjugate = None

    # ---- what it is ------------------------------------------------------------------------------

    @property
    def rational(self) -> bool:
        return is_exact(self.x)

    @property
    def variables(self) -> int:
        return 1

    @property
    def ends(self) -> tuple:
        """The ends of the domain, infinite or not."""
        return (
            self.x[0] if self.left == math.inf else -math.inf,
            self.x[-1] if self.right == math.inf else math.inf,
        )

    @property
    def domain(self) -> sympy.Set:
        return sympy.Interval(*map(_symbolic, self.ends))

    def pieces(self) -> tuple[np.ndarray, np.ndarray]:
        """Breakpoints (m + 1,), the outer ones infinite or not, and coefficients (m, 3) of a x² + b x + c.

        A single point has the breakpoints p, p and the piece 0, 0, f(p).
        """
        first, last = self.ends
        cuts = [first, *_distinct(self.x[(self.x > first) & (self.x < last)]), last]
        if first == last:
            return np.array(cuts, self.x.dtype), np.array([[0 * first, 0 * first, self.value]], self.x.dtype)
        rows = [self._parabola(_edge(self.x, a, b)) for a, b in itertools.pairwise(cuts)]
        same = [k for k in range(1, len(rows)) if rows[k] == rows[k - 1]]
        cuts, rows = ([v for k, v in enumerate(values) if k not in same] for values in (cuts, rows))
        return np.array(cuts, self.x.dtype if self.rational else float), np.array(rows, self.x.dtype)

    def _parabola(self, k: int) -> tuple:
        """Coefficients on the edge after vertex k (−1: the left ray)."""
        j = max(k, 0)
        x, s, f = self.x[j], self.s[j], self._heights[j]
        a = self._curvatures[k + 1] / 2
        return a, s - 2 * a * x, f - s * x + a * x * x

    @property
    def _curvatures(self) -> np.ndarray:
        """f'' on the left ray, the edges and the right ray; inf on vertical ones."""
        dx, ds = np.diff(self.x), np.diff(self.s)
        inner = [d / w if w > 0 else math.inf for d, w in zip(ds, dx, strict=True)]
        return np.array([self.left, *inner, self.right], object if self.rational else float)

    @property
    def expr(self) -> sympy.Expr:
        """f as a SymPy Piecewise in x, where it is finite."""
        breaks, rows = self.pieces()
        x = sympy.Symbol("x", real=True)
        formulas = [sum(_symbolic(c) * x**k for c, k in zip(row, (2, 1, 0), strict=True)) for row in rows]
        cases = [(f, x <= _symbolic(b)) for f, b in zip(formulas[:-1], breaks[1:-1], strict=True)]
        return sympy.Piecewise(*cases, (formulas[-1], True))

    def convexity(self) -> Convexity:
        return Convexity(True, "the graph of its subdifferential rises")

    def __repr__(self) -> str:
        n = len(self.x)
        counted = f"{n} {'vertex' if n == 1 else 'vertices'}"
        return f"<PLQ with {counted} on {self.domain}{', exact' if self.rational else ''}>"

    # ---- values ----------------------------------------------------------------------------------

    def slopes(self, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """One-sided derivatives at points (m,) of the domain; −inf and inf at its ends."""
        first = np.searchsorted(self.x, at, "left")
        last = np.searchsorted(self.x, at, "right")
        low, high = (np.empty(len(at), self.x.dtype if self.rational else float) for _ in range(2))
        hit = first < last
        low[hit], high[hit] = self.s[first[hit]], self.s[last[hit] - 1]
        low[at == self.ends[0]] = -math.inf
        high[at == self.ends[1]] = math.inf
        if (~hit).any():
            k = last[~hit] - 1
            j = np.maximum(k, 0)
            bend = self._curvatures[k + 1]
            low[~hit] = high[~hit] = self.s[j] + bend * (at[~hit] - self.x[j])
        return low, high

    def _inside(self, at: np.ndarray) -> np.ndarray:
        first, last = self.ends
        return (at >= first) & (at <= last)

    def _values(self, y: np.ndarray) -> np.ndarray:
        at = y[:, 0]
        out = np.full(len(at), math.inf, object if is_exact(y) else float)
        inside = self._inside(at)
        at = at[inside]
        k = np.searchsorted(self.x, at, "right") - 1
        j = np.maximum(k, 0)
        w = at - self.x[j]
        bend = np.where(w == 0, 0, self._curvatures[k + 1])
        out[inside] = self._heights[j] + w * (self.s[j] + bend * w / 2)
        return out

    def _argmax(self, y: np.ndarray) -> np.ndarray:
        """The subgradient of least size."""
        at = y[:, 0]
        out = np.full(len(at), math.nan, object if is_exact(y) else float)
        inside = self._inside(at)
        low, high = self.slopes(at[inside])
        out[inside] = np.where(low > 0, low, np.where(high < 0, high, 0 * self.value))
        return out[:, None]

    # ---- convex analysis -------------------------------------------------------------------------

    def conjugate(self) -> PLQ:
        """f*, by swapping the coordinates of the graph; O(n)."""
        if self._conjugate is None:
            value = self.s[0] * self.x[0] - self.value
            self._conjugate = PLQ(
                self.s, self.x, value, _inverse(self.left), _inverse(self.right), of_hull=self.of_hull
            )
            self._conjugate._conjugate = self
        return self._conjugate

    def moreau_envelope(self, lam) -> PLQ:
        """e_λf(z) = min_x f(x) + (z − x)²/2λ: the graph sheared by z = x + λs; O(n)."""
        lam = self._positive(lam)
        ends = ((1 / lam if k == math.inf else k / (1 + lam * k)) for k in (self.left, self.right))
        return PLQ(
            self.x + lam * self.s, self.s, self.value + lam * self.s[0] ** 2 / 2, *ends, of_hull=self.of_hull
        )

    def prox(self, lam):
        """prox_{λf} as a function of arrays: the graph seen along z = x + λs; O(n), then O(log n) a point."""
        lam = self._positive(lam)
        z = self.x + lam * self.s
        rates = [0 * lam if k == math.inf else 1 / (1 + lam * k) for k in (self.left, self.right)]

        def proximal(points: ArrayLike):
            """The proximal points, of the shape of `points`."""
            at, shape = self._points(points)
            return _interpolated(at[:, 0], z, self.x, *rates).reshape(shape)[()]

        return proximal

    def _prox(self, x: np.ndarray, lam: float) -> np.ndarray:
        return np.asarray(self.prox(lam)(x[:, 0])).reshape(-1, 1)

    def _positive(self, lam):
        value = Fraction(lam) if self.rational else float(lam)
        if not value > 0 or not math.isfinite(value):
            raise InputError(f"lam is {lam}; pass a finite number > 0")
        return value

    def __mul__(self, scale) -> PLQ:
        c = self._positive(scale)
        return PLQ(self.x, c * self.s, c * self.value, c * self.left, c * self.right, of_hull=self.of_hull)

    __rmul__ = __mul__

    def __add__(self, other) -> ConvexFunction:
        from hjsym.conjugate.plq.calculus import plq_sum

        if isinstance(other, PLQ):
            return plq_sum(self, other)
        if isinstance(other, (int, float, Fraction)):
            return PLQ(self.x, self.s, self.value + other, self.left, self.right, of_hull=self.of_hull)
        return super().__add__(other)


def _curvature(name: str, value, exact: bool):
    if not value >= 0:
        raise InputError(f"{name} is {value}; pass a curvature >= 0, inf where the domain ends")
    return math.inf if value == math.inf else (Fraction(value) if exact else float(value))


def _inverse(k):
    return 0.0 if k == math.inf else math.inf if k == 0 else 1 / k


def _cumulated(x: np.ndarray, s: np.ndarray, value) -> np.ndarray:
    """f at the vertices: s is linear in x between them, so trapezia are exact."""
    steps = (s[1:] + s[:-1]) * (x[1:] - x[:-1]) / 2
    return np.concatenate([[value], value + np.cumsum(steps)]) if len(steps) else np.array([value], x.dtype)


def _distinct(x: np.ndarray) -> list:
    return [x[k] for k in range(len(x)) if k == 0 or x[k] != x[k - 1]]


def _edge(x: np.ndarray, a, b) -> int:
    """The vertex whose edge covers the open interval (a, b), −1 for the left ray."""
    return (
        int(np.searchsorted(x, b, "left")) - 1 if a == -math.inf else int(np.searchsorted(x, a, "right")) - 1
    )


def _interpolated(at: np.ndarray, z: np.ndarray, x: np.ndarray, left, right) -> np.ndarray:
    """x as a function of z, linear between vertices, with rates beyond them."""
    k = np.searchsorted(z, at, "right") - 1
    j = np.maximum(k, 0)
    dz, dx = np.diff(z), np.diff(x)
    rates = np.array(
        [left, *(d / w if w > 0 else 0 * left for d, w in zip(dx, dz, strict=True)), right], z.dtype
    )
    return x[j] + rates[k + 1] * (at - z[j])


def _symbolic(value) -> sympy.Expr:
    if value in (math.inf, -math.inf):
        return sympy.oo if value > 0 else -sympy.oo
    if isinstance(value, (Fraction, int)):
        return sympy.Rational(value.numerator, value.denominator)
    return sympy.Integer(int(value)) if float(value).is_integer() else sympy.Float(float(value))
