"""The conjugate of a maximum of affine functions: whole, from the dual subdivision, or a program for each point.

f(x) = max_j (W_j·x + b_j) has f*(y) = min{−b·λ : λ ≥ 0, Σλ_j = 1, Σλ_j W_j = y} on conv{W_j}, +∞ off it
(R. T. Rockafellar, Convex Analysis, 1970, theorem 19.2). The lower faces of the points (W_j, −b_j) are its graph, and
they are the cells of the polynomial's dual subdivision: over a cell with dual vertex x, f*(y) = x·y − f(x).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from hjsym.conjugate._programs import Optimum
from hjsym.conjugate.base import ConvexFunction
from hjsym.conjugate.hull import Hull
from hjsym.conjugate.maxaffine import MaxAffine
from tropical import Polynomial, Subdivision
from tropical._arrays import EXACT, convert, is_exact
from tropical._convex_hull import MAX_BOUND, facet_bound
from tropical.errors import BudgetExceeded

__all__ = ["PolyhedralConjugate"]

_CHEAP = 2 * 10**5  # cells that a conjugate in more than three variables may have to be built whole


@dataclass(frozen=True, eq=False)
class PolyhedralConjugate(ConvexFunction):
    """f* of f(x) = max_j (W_j·x + b_j), a convex piecewise-linear function on the hull of the slopes.

    Parameters
    ----------
    polynomial : Polynomial
        f, at ε = 0, with finite coefficients.

    Attributes
    ----------
    is_whole : bool
        Whether f* is built once, by the hull of lifted slopes; else each point is a linear program. By the number of
        faces that there could be.
    envelope : Polynomial
        f* = envelope on the domain, one term a cell; if `is_whole`.

    Notes
    -----
    Where f* is +∞ is decided exactly (see `Hull`), never by a solver. Fractions give Fractions. Whole: one exact
    hull of N points in d + 1 dimensions, then a maximum of affine functions for each y. Else HiGHS proposes the d +
    1 slopes whose mean y is, and they are proved: weights ≥ 0 in rational arithmetic or with a bound on rounding,
    and the gap is that between weights and prices.

    Examples
    --------
    >>> from tropical import variables
    >>> x, y = variables(2)
    >>> f = MaxAffine(x + y + 0)                                         # max(x, y, 0)
    >>> g = f.conjugate()                                                # 0 on the triangle
    >>> g([[0.25, 0.25], [0.75, 0.5]]), g.argmax([0.25, 0.25])
    (array([ 0., inf]), array([0., 0.]))
    >>> g.weights([0.25, 0.25])
    array([0.25, 0.25, 0.5 ])
    >>> print(g.conjugate().polynomial)
    x1 ⊕ x2 ⊕ 0
    >>> len(g.subdivision.cells), g.is_whole, g.method, float(g.envelope([0.25, 0.25]))
    (1, True, 'polyhedral', 0.0)
    """

    polynomial: Polynomial
    of_hull: bool = False
    rational = True

    @property
    def variables(self) -> int:
        return self.polynomial.variables

    @cached_property
    def domain(self) -> Hull:
        return Hull(self.polynomial.slopes)

    @cached_property
    def is_whole(self) -> bool:
        dim = self.domain.dim
        return facet_bound(len(self.polynomial), dim + 1) <= (MAX_BOUND if dim <= 3 else _CHEAP)

    @property
    def method(self) -> str:
        return "polyhedral" if self.is_whole else "lp"

    @cached_property
    def subdivision(self) -> Subdivision:
        """The dual subdivision of f, whose cells carry the affine pieces of f*."""
        if not self.is_whole:
            bound = facet_bound(len(self.polynomial), self.domain.dim + 1)
            raise BudgetExceeded("cells of a conjugate", bound, _CHEAP, "call it at points, or prune() first")
        return self.polynomial.subdivision()

    @cached_property
    def envelope(self) -> Polynomial:
        return Polynomial(self.subdivision.vertices, -self.subdivision.values)

    @cached_property
    def _exact_envelope(self) -> Polynomial:
        p, s = self.polynomial.to_exact(), self.subdivision
        first = [cell[0] for cell in s.cells]
        values = (p.slopes[first] * s.exact_vertices).sum(axis=1) + p.coefficients[first]
        return Polynomial(s.exact_vertices, -values)

    def conjugate(self) -> MaxAffine:
        return self._biconjugate

    @cached_property
    def _biconjugate(self) -> MaxAffine:
        """Without the terms that are nowhere the largest alone, which is the same function."""
        return MaxAffine(self.polynomial.prune(), "polyhedral", self.of_hull)

    # ---- values ----------------------------------------------------------------------------------

    def _values(self, y: np.ndarray) -> np.ndarray:
        if not self.is_whole:
            return self._from_programs(
                y, lambda point, found: -self._coefficients(y)[found.used] @ found.weights
            )
        return self._inside(y, lambda envelope, points: envelope(points), (), np.inf)

    def _argmax(self, y: np.ndarray) -> np.ndarray:
        if not self.is_whole:
            return np.reshape(self._from_programs(y, self._prices, np.full(self.variables, np.nan)), y.shape)
        return self._inside(y, lambda envelope, points: envelope.gradient(points), (self.variables,), np.nan)

    def _inside(self, y: np.ndarray, function, tail: tuple[int, ...], outside: float) -> np.ndarray:
        exact = self._is_exact_at(y)
        inside = self.domain.contains(y)
        if exact and inside.any():
            found = function(self._exact_envelope, convert(y[inside], EXACT))
        else:
            found = function(self.envelope, y[inside])
        out = np.full((len(y), *tail), outside, dtype=found.dtype)
        out[inside] = found
        return out

    def _is_exact_at(self, y: np.ndarray) -> bool:
        return is_exact(y) or self.polynomial.is_exact

    def _coefficients(self, y: np.ndarray) -> np.ndarray:
        b = self.polynomial.coefficients
        return convert(b, EXACT) if self._is_exact_at(y) else b

    def _prox(self, x: np.ndarray, lam: float) -> np.ndarray:
        return x - lam * MaxAffine(self.polynomial)._prox(x / lam, 1 / lam)

    def _envelope(self, x: np.ndarray, lam: float) -> np.ndarray:
        from hjsym.conjugate.envelope import envelope_of_conjugate

        return envelope_of_conjugate(MaxAffine(self.polynomial), x, lam)

    # ---- weights ---------------------------------------------------------------------------------

    def weights(self, y: ArrayLike) -> np.ndarray:
        """λ (..., N), at most d + 1 entries positive, Σλ_j W_j = y and f*(y) = −b·λ; NaN off the domain."""
        points, shape = self._points(y)
        return self._everywhere(points, self._weights, (len(self.polynomial),)).reshape(*shape, -1)

    def _weights(self, y: np.ndarray) -> np.ndarray:
        size = len(self.polynomial)
        if not self.is_whole or self._is_exact_at(y):
            rows = self._from_programs(y, lambda point, found: _spread(found, size), np.full(size, np.nan))
            return np.reshape(rows, (len(y), size))
        out = np.full((len(y), size), np.nan)
        inside = np.flatnonzero(self.domain.contains(y))
        if len(inside):
            out[inside] = self._barycentric(y[inside])
        return out

    def _barycentric(self, y: np.ndarray) -> np.ndarray:
        """In the simplex of y's cell that holds it."""
        s, out = self.subdivision, np.zeros((len(y), len(self.polynomial)))
        if s.dim < 1:
            out[:, s.cells[0][0]] = 1.0
            return out
        t, cell = s.triangulation, self.envelope.argmax(y)
        order = np.argsort(t.cell, kind="stable")
        starts = np.searchsorted(t.cell[order], np.arange(len(s.cells) + 1))
        counts = starts[cell + 1] - starts[cell]
        point = np.repeat(np.arange(len(y)), counts)
        nth = np.arange(len(point)) - np.repeat(np.cumsum(counts) - counts, counts)
        simplex = t.simplices[order[starts[cell[point]] + nth]]
        corners = self.domain.lifted(self.polynomial.slopes[s.kept])[simplex]
        found = np.linalg.solve(corners.transpose(0, 2, 1), self.domain.lifted(y)[point][..., None])[..., 0]
        best = np.lexsort((-found.min(axis=1), point))
        best = best[np.searchsorted(point[best], np.arange(len(y)))]
        weights = np.clip(found[best], 0.0, None)
        np.put_along_axis(out, s.kept[simplex[best]], weights / weights.sum(axis=1, keepdims=True), axis=1)
        return out

    # ---- programs --------------------------------------------------------------------------------

    @cached_property
    def _program(self):
        return self.domain.program_of(-self.polynomial.coefficients)

    def _optima(self, y: np.ndarray) -> Iterable[Optimum | None]:
        exact, at = self._is_exact_at(y), self.domain.lifted(y)
        for point, on in zip(at, self.domain.on_affine_hull(y), strict=True):
            yield self._program.solve(point, exact) if on else None

    def _from_programs(self, y: np.ndarray, read, outside=np.inf) -> np.ndarray:
        rows = [outside if f is None else read(point, f) for point, f in zip(y, self._optima(y), strict=True)]
        out = np.empty((len(rows), *np.shape(outside)), dtype=object)
        for k, row in enumerate(rows):
            out[k] = row
        return out if self._is_exact_at(y) else out.astype(float)

    def _prices(self, point: np.ndarray, found: Optimum) -> np.ndarray:
        x = convert(np.zeros(self.variables), found.prices.dtype)
        x[self.domain.polytope.affine_hull.pivots] = found.prices[:-1]
        return x


def _spread(found: Optimum, size: int) -> np.ndarray:
    out = convert(np.zeros(size), found.weights.dtype)
    out[found.used] = found.weights
    return out
