"""What every function of convex analysis here is: extended-real values, a domain, maximisers, a certificate."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hjsym.conjugate.extended import add, inner
from tropical._arrays import as_array, is_exact, is_finite, is_number, to_floats
from tropical._html import ShowsItself
from tropical.errors import ShapeError

__all__ = ["ConvexFunction", "Convexity"]


@dataclass(frozen=True)
class Convexity:
    """Whether a function is convex: proved, refuted with a witness, or unknown.

    Attributes
    ----------
    convex : bool or None
        None where neither was proved.
    reason : str
        What proves it.
    witness : (a, m, b) or None
        Points with m between a and b, at which f(m) is above the chord: f is not convex.

    Examples
    --------
    >>> import sympy
    >>> from hjsym.conjugate import convexity
    >>> x = sympy.Symbol("x", real=True)
    >>> found = convexity((x**2 - 1) ** 2)
    >>> found.convex, len(found.witness), convexity(x**2).convex
    (False, 3, True)
    """

    convex: bool | None
    reason: str
    witness: tuple[Any, Any, Any] | None = None

    def __bool__(self) -> bool:
        """Whether convexity is proved."""
        return self.convex is True


@dataclass(frozen=True, eq=False)
class ConvexFunction(ShowsItself, ABC):
    """An extended-real function on R^d that knows its conjugate f*(y) = sup_x ⟨x, y⟩ − f(x).

    In one variable points are numbers: arrays of any shape, taken entry by entry. In more they have shape (..., d).
    Values are float64 in [−∞, +∞], Fractions where the function is `rational` and the points are Fractions. A point
    with NaN has the value NaN, and nothing else has; a point with an infinite coordinate is in no domain.

    Attributes
    ----------
    variables : int
        d.
    domain
        Where the value is below +∞: a SymPy set, or an object with ``contains(y)``.
    method : str
        How this was found: "given", "known pair", "rule", "closed form", "plq", "polyhedral", "lp", "sympy",
        "newton", "grid" or "numeric".
    exact : bool
        Whether values are those of f but for rounding; else `gap` bounds the error.
    of_hull : bool
        Whether this is the transform of a function that is not convex, and so that of its closed convex hull.
    rational : bool
        Whether Fractions give Fractions.

    Examples
    --------
    >>> import sympy
    >>> from hjsym.conjugate import conjugate
    >>> x = sympy.Symbol("x", real=True)
    >>> f = conjugate(sympy.exp(x))                                       # y log y − y
    >>> f(1.0), f.domain, f.expr, f.variables, f.method, f.exact
    (np.float64(-1.0), Interval(0, oo), y*log(y) - y, 1, 'known pair', True)
    >>> f.argmax(2.0).round(6), f.subgradient(2.0).round(6), f.gap(2.0) < 1e-14, f.contains([-1.0, 0.0])
    (np.float64(0.693147), np.float64(0.693147), np.True_, array([False,  True]))
    >>> f.shift(1.0)(2.0), f.tilt(3.0)(1.0), f.dilate(2.0)(0.5), f.convexity().convex
    (np.float64(-1.0), np.float64(2.0), np.float64(-1.0), True)
    >>> (f + f)(1.0), (2 * f)(1.0), f.conjugate()(0.0)
    (np.float64(-2.0), np.float64(-2.0), np.float64(1.0))
    >>> from hjsym.conjugate import norm
    >>> norm(2).compose([[3.0, 0.0], [0.0, 4.0]])([1.0, 1.0]), norm(2).of_hull, f.rational
    (np.float64(5.0), False, False)
    """

    __array_ufunc__ = None  # lets NumPy scalars on the left leave the operators to us

    method = "given"
    exact = True
    of_hull = False
    rational = False

    # ---- what a final class gives ----------------------------------------------------------------

    @property
    @abstractmethod
    def variables(self) -> int:
        """d, the number of variables."""

    @property
    @abstractmethod
    def domain(self):
        """Where the value is below +∞."""

    @abstractmethod
    def _values(self, y: np.ndarray) -> np.ndarray:
        """(n,) values at finite points (n, d), of float64 or, where `rational`, of Fractions."""

    @abstractmethod
    def _argmax(self, y: np.ndarray) -> np.ndarray:
        """(n, d) maximisers at finite points (n, d), rows of NaN where there are none."""

    @abstractmethod
    def conjugate(self) -> ConvexFunction:
        """f*; of a conjugate, the closed convex hull of what it came from, in the same form where possible."""

    def convexity(self) -> Convexity:
        """Whether this is convex: proved, refuted with a witness, or unknown."""
        return Convexity(True, "convex by construction")

    @property
    def expr(self):
        """The SymPy expression where there is one, of y, or of y1 … yd: +∞ off the domain.

        Raises InputError for functions that are numbers only.
        """
        from hjsym.conjugate.formulas import formula
        from hjsym.expr import default_symbols

        return formula(self, default_symbols(self.variables, "y"))

    # ---- what all of them share ------------------------------------------------------------------

    def __call__(self, y: ArrayLike) -> np.ndarray | float:
        """f at points (..., d), or at numbers of any shape in one variable."""
        points, shape = self._points(y)
        values = self._everywhere(points, self._values, ()) + 0  # no −0
        if not is_exact(values):  # ∞ − ∞ after an overflow, which a convex function has where it is large
            values[(values != values) & (points == points).all(axis=1)] = np.inf
        return values.reshape(shape)[()]

    def argmax(self, y: ArrayLike) -> np.ndarray:
        """A maximiser x of ⟨x, y⟩ − f*(x), which is a subgradient of f at y; of the shape of y.

        NaN where there is none: outside of the domain, and at points of its boundary where f is infinitely steep.
        """
        points, shape = self._points(y)
        tail = () if self.variables == 1 else (self.variables,)
        return self._everywhere(points, self._argmax, (self.variables,)).reshape(shape + tail)[()]

    def subgradient(self, y: ArrayLike) -> np.ndarray:
        """An element of ∂f(y): the same as `argmax`."""
        return self.argmax(y)

    def gap(self, y: ArrayLike) -> np.ndarray:
        """The Fenchel–Young residual f(y) + f*(x) − ⟨x, y⟩ at x = argmax(y): ≥ 0, and 0 exactly for a maximiser.

        NaN where there is no maximiser.
        """
        points, shape = self._points(y)
        return self._everywhere(points, self._gap, ()).reshape(shape)[()]

    def contains(self, y: ArrayLike) -> np.ndarray:
        """Whether points are in the domain of f."""
        return self(y) < np.inf

    # ---- calculus --------------------------------------------------------------------------------

    def __add__(self, other) -> ConvexFunction:
        """f + g, or f + c for a number c."""
        from hjsym.conjugate.rules import transformed
        from hjsym.conjugate.sums import Sum

        if isinstance(other, ConvexFunction):
            return Sum([self, other])
        return transformed(self, 1.0, 1.0, 0.0, 0.0, other) if is_number(other) else NotImplemented

    def __radd__(self, other) -> ConvexFunction:
        return self.__add__(other)

    def __mul__(self, scale) -> ConvexFunction:
        """λ f for a number λ > 0."""
        from hjsym.conjugate.rules import transformed

        return transformed(self, scale, 1.0, 0.0, 0.0, 0.0) if is_number(scale) else NotImplemented

    __rmul__ = __mul__

    def shift(self, a: ArrayLike) -> ConvexFunction:
        """x ↦ f(x − a)."""
        from hjsym.conjugate.rules import transformed

        return transformed(self, 1.0, 1.0, a, 0.0, 0.0)

    def tilt(self, v: ArrayLike) -> ConvexFunction:
        """x ↦ f(x) + ⟨v, x⟩."""
        from hjsym.conjugate.rules import transformed

        return transformed(self, 1.0, 1.0, 0.0, v, 0.0)

    def dilate(self, mu: float) -> ConvexFunction:
        """x ↦ f(μ x)."""
        from hjsym.conjugate.rules import transformed

        return transformed(self, 1.0, mu, 0.0, 0.0, 0.0)

    def compose(self, A: ArrayLike) -> ConvexFunction:
        """x ↦ f(A x)."""
        from hjsym.conjugate.rules import Precomposed

        return Precomposed(self, A)

    # ---- reading ---------------------------------------------------------------------------------

    def _repr_latex_(self) -> str | None:
        from hjsym.conjugate._shown import latex_of

        return latex_of(self)

    def _html(self) -> str | None:
        from hjsym.conjugate._shown import html_of

        return html_of(self) if self._repr_latex_() is None else None

    # ---- for other modules -----------------------------------------------------------------------

    def _prox(self, x: np.ndarray, lam: float) -> np.ndarray:
        """argmin_p f(p) + ‖x − p‖²/2λ for points (n, d); see `prox`."""
        from hjsym.conjugate.envelope import prox_by_search

        return prox_by_search(self, x, lam)

    def _envelope(self, x: np.ndarray, lam: float) -> np.ndarray:
        """min_p f(p) + ‖x − p‖²/2λ at points (n, d)."""
        p = self._prox(x, lam)
        return add(self._values(p), ((x - p) ** 2).sum(axis=1) / (2 * lam))

    def _anchor(self) -> np.ndarray:
        """Some point of the domain (d,)."""
        from hjsym.conjugate.envelope import find_anchor

        return find_anchor(self)

    def _gap(self, y: np.ndarray) -> np.ndarray:
        x, gaps = self._argmax(y), np.full(len(y), np.nan)
        some = (x == x).all(axis=1)
        x, y = x[some], y[some]
        gaps[some] = add(add(self._values(y), self.conjugate()._values(x)), -inner(x, y))
        return gaps

    def _points(self, y: ArrayLike) -> tuple[np.ndarray, tuple[int, ...]]:
        """Points as a matrix (n, d), and the shape of the values."""
        y, d = as_array("y", y), self.variables
        if d != 1 and (y.ndim == 0 or y.shape[-1] != d):
            raise ShapeError(
                f"y has shape {y.shape} but there are {d} variables; pass points of shape (..., {d})"
            )
        shape = y.shape if d == 1 else y.shape[:-1]
        y = y.reshape(-1, d) if d else np.empty((int(np.prod(shape)), 0))
        if is_exact(y) and not self.rational:
            y = to_floats(y)
        return (y if is_exact(y) else y.astype(np.float64, copy=False)), shape

    def _everywhere(self, y: np.ndarray, function, tail: tuple[int, ...]) -> np.ndarray:
        """`function` at the finite points; elsewhere NaN, but +∞ as a value at points with infinite coordinates."""
        finite = is_finite(y).all(axis=1)
        with np.errstate(all="ignore"):  # overflow is +∞, as it should be
            inside = function(y if finite.all() else y[finite])
        if is_exact(inside) and not is_exact(y):
            inside = to_floats(inside)
        if finite.all():
            return inside
        out = np.full((len(y), *tail), np.nan, dtype=inside.dtype)
        if function == self._values:
            out[(y == y).all(axis=1)] = np.inf
        out[finite] = inside
        return out
