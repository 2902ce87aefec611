"""The conjugate of a log-sum-exp: the least relative entropy of weights with a given mean.

f(x) = ε log Σ_j exp((W_j·x + b_j)/ε) has f*(y) = min{ε Σλ_j log λ_j − b·λ : λ ≥ 0, Σλ_j = 1, Σλ_j W_j = y} on
conv{W_j}, +∞ off it. Only points of the smallest face that holds y can have weight, and on that face the minimum is
λ_j ∝ exp((W_j·x + b_j)/ε) for some x. f_0* − ε log N ≤ f_ε* ≤ f_0*.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from hjsym.conjugate._exact import UNIT
from hjsym.conjugate._newton import Slopes, minimise
from hjsym.conjugate.base import ConvexFunction
from hjsym.conjugate.domains import Space
from hjsym.conjugate.extended import xlogx
from hjsym.conjugate.hull import Hull
from tropical import Polynomial
from tropical._affine import AffineHull
from tropical._arrays import as_array, to_floats
from tropical.errors import BudgetExceeded, InputError

__all__ = ["EntropyOnHull", "LogSumExp"]

_BLOCK = 1 << 20  # weights of a block of points
_LARGEST = 1 << 27  # numbers for a single point
_QUICK = 40  # steps before the face is looked for
_PATIENT = 2000  # steps on a face that is known; one for each e-fold of the smallest weight


@dataclass(frozen=True, eq=False)
class LogSumExp(ConvexFunction):
    """f(x) = ε log Σ_j exp((W_j·x + b_j)/ε), from a polynomial at ε > 0 with finite coefficients.

    >>> from tropical import Semiring
    >>> f = LogSumExp(Polynomial([1.0, 0.0], [0.0, 0.0], Semiring(eps=1.0)))     # log(1 + e^x)
    >>> f.conjugate()([0.0, 0.5, 1.0, 1.5]).round(6)                            # y log y + (1 − y) log(1 − y)
    array([ 0.      , -0.693147,  0.      ,       inf])
    >>> f.compose([[2.0]])([0.0]).round(6)
    array([0.693147])
    """

    polynomial: Polynomial
    method: str = "given"
    of_hull: bool = False

    def __post_init__(self):
        p = self.polynomial
        if (
            p.semiring.sign < 0
            or p.semiring.is_tropical
            or not len(p)
            or not np.isfinite(p.coefficients).all()
        ):
            raise InputError(
                "a LogSumExp is of at least one term, all finite, at eps > 0; use as_function(p)"
            )

    @property
    def variables(self) -> int:
        return self.polynomial.variables

    @property
    def domain(self) -> Space:
        return Space(self.variables)

    def _values(self, y: np.ndarray) -> np.ndarray:
        return self.polynomial(y)

    def _argmax(self, y: np.ndarray) -> np.ndarray:
        return self.polynomial.gradient(y)

    def compose(self, A: ArrayLike) -> LogSumExp:
        """x ↦ f(A x)."""
        p = self.polynomial
        return LogSumExp(
            Polynomial(p.slopes @ as_array("A", A), p.coefficients, p.semiring), "rule", self.of_hull
        )

    def _prox(self, x: np.ndarray, lam: float) -> np.ndarray:
        """By Newton's method, at temperatures that fall to ε, with the step of `_newton`."""
        p, eps = x, self.polynomial.semiring.eps
        slopes = self.polynomial.slopes
        hot = max(eps, float(np.abs(slopes).max(initial=0.0)) ** 2 * lam)
        while True:
            p = _proximal_points(self.polynomial.deform(hot), x, p, lam)
            if hot == eps:
                return p
            hot = max(eps, hot / 4)

    def conjugate(self) -> EntropyOnHull:
        return self._conjugate

    @cached_property
    def _conjugate(self) -> EntropyOnHull:
        return EntropyOnHull(self.polynomial, self.of_hull)


def _proximal_points(f: Polynomial, x: np.ndarray, p: np.ndarray, lam: float) -> np.ndarray:
    eye, last = np.eye(x.shape[1]) / lam, np.full(len(x), np.inf)
    for _ in range(200):
        step = np.linalg.solve(f.hessian(p) + eye, -(f.gradient(p) + (p - x) / lam)[..., None])[..., 0]
        beta = np.ptp(step @ f.slopes.T, axis=1) / f.semiring.eps
        size = np.abs(step).max(axis=1)
        going = (size > 2.0**-52 * np.abs(p).max(axis=1)) & ((beta > 0.1) | (size < 0.5 * last))
        if not going.any():
            break
        last = size
        p = p + (going * np.where(beta > 0.5, np.log1p(beta) / np.maximum(beta, 0.5), 1.0))[:, None] * step
    return p


@dataclass(frozen=True)
class _Solution:
    """What is known at some points, all on the same face: rows `at`; `x` is NaN on proper faces."""

    at: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    x: np.ndarray
    members: np.ndarray
    weights: np.ndarray

    def part(self, rows: np.ndarray) -> _Solution:
        return _Solution(
            self.at[rows], self.lower[rows], self.upper[rows], self.x[rows], self.members, self.weights[rows]
        )


@dataclass(frozen=True, eq=False)
class EntropyOnHull(ConvexFunction):
    """f* of f(x) = ε log Σ_j exp((W_j·x + b_j)/ε), finite on the hull of the slopes.

    Notes
    -----
    `gap` is that between the entropy of weights whose mean is y (corrected to be so to first order in the residual)
    and the value x·y − f(x) of the dual problem; both bound f*(y). The hull and its faces are decided exactly (see
    `Hull`); on a face the problem is solved in as many of its coordinates as it has dimensions, at vertices f* = −ε
    log Σ e^{b_j/ε} over the slopes there. `argmax` exists in the relative interior of the hull only. Cost N·d² for
    each of some ten steps, and 4 steps more for each factor of 4 in max|b_i − b_j|/ε.

    Examples
    --------
    >>> from tropical import Semiring
    >>> f = LogSumExp(Polynomial(np.eye(3), np.zeros(3), Semiring(eps=1.0)))
    >>> g = f.conjugate()                                                # Σ y log y on the simplex
    >>> g([[0.5, 0.25, 0.25], [0.5, 0.5, 0.0], [0.0, 1.0, 0.0], [0.5, 0.5, 0.5]]).round(6)
    array([-1.039721, -0.693147,  0.      ,       inf])
    >>> g.weights([0.5, 0.25, 0.25]).round(6), g.variables
    (array([0.5 , 0.25, 0.25]), 3)
    """

    polynomial: Polynomial
    of_hull: bool = False
    method = "newton"
    exact = False

    @property
    def variables(self) -> int:
        return self.polynomial.variables

    @cached_property
    def domain(self) -> Hull:
        return Hull(self.polynomial.slopes)

    def conjugate(self) -> LogSumExp:
        return LogSumExp(self.polynomial, "newton", self.of_hull)

    def _prox(self, x: np.ndarray, lam: float) -> np.ndarray:
        return x - lam * self.conjugate()._prox(x / lam, 1 / lam)

    def _envelope(self, x: np.ndarray, lam: float) -> np.ndarray:
        from hjsym.conjugate.envelope import envelope_of_conjugate

        return envelope_of_conjugate(self.conjugate(), x, lam)

    # ---- answers ---------------------------------------------------------------------------------

    def _values(self, y: np.ndarray) -> np.ndarray:
        out = np.full(len(y), np.inf)
        for s in self._solutions(y):
            out[s.at] = s.lower
        return out

    def _argmax(self, y: np.ndarray) -> np.ndarray:
        out = np.full(y.shape, np.nan)
        for s in self._solutions(y):
            out[s.at] = s.x
        return out

    def _gap(self, y: np.ndarray) -> np.ndarray:
        """Of the primal and the dual problem, on faces too; NaN outside."""
        out = np.full(len(y), np.nan)
        for s in self._solutions(y):
            out[s.at] = s.upper - s.lower
        return out

    def weights(self, y: ArrayLike) -> np.ndarray:
        """The minimising λ, shape (..., N), 0 off the face of y; NaN outside of the hull."""
        points, shape = self._points(y)
        return self._everywhere(points, self._weights, (len(self.polynomial),)).reshape(*shape, -1)

    def _weights(self, y: np.ndarray) -> np.ndarray:
        out = np.full((len(y), len(self.polynomial)), np.nan)
        for s in self._solutions(y):
            out[s.at] = 0.0
            out[np.ix_(s.at, s.members)] = s.weights
        return out

    # ---- solving ---------------------------------------------------------------------------------

    @cached_property
    def _whole(self) -> _Face:
        return _Face(self.polynomial, np.arange(len(self.polynomial)), self.domain.polytope.affine_hull)

    def _solutions(self, y: np.ndarray) -> Iterator[_Solution]:
        """One for each face that holds some of the points, in blocks; none for points outside."""
        rows = np.arange(len(y))
        if not self.domain.is_cheap:
            rows = np.flatnonzero(self.domain.on_affine_hull(y))
            for s in self._whole.solutions(y, rows, _QUICK):
                sure = np.isfinite(s.upper)
                yield s.part(sure)
                rows = np.setdiff1d(rows, s.at[sure])
        for members, some in self._by_faces(y, rows):
            if len(members) == len(self.polynomial):
                yield from self._whole.solutions(y, some, _PATIENT)
                continue
            for s in _Face(self.polynomial, members).solutions(y, some, _PATIENT):
                yield from self._on_or_off(replace(s, x=np.full_like(s.x, np.nan)), y)

    def _on_or_off(self, s: _Solution, y: np.ndarray) -> Iterator[_Solution]:
        """What was found on a face; of a flat hull, whose faces hold points up to rounding, off it where that is proved
        and the other is not."""
        proved = np.isfinite(s.upper)
        if not (proved.all() or self.domain.is_rigid(y)):
            for t in self._whole.solutions(y, s.at[~proved], _PATIENT):
                sure = np.isfinite(t.upper)
                yield t.part(sure)
                s = s.part(~np.isin(s.at, t.at[sure]))
        yield s

    def _by_faces(self, y: np.ndarray, rows: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """(points on the face, rows of y in its relative interior)."""
        hull, groups = self.domain, defaultdict(list)
        if hull.dim < 1 or not hull.is_cheap:
            for row in rows.tolist():
                groups[tuple(hull.face(y[row]).tolist())].append(row)
            yield from ((np.array(face), np.array(some)) for face, some in groups.items() if face)
            return
        rows = rows[hull.contains(y[rows])]
        for row, facets in zip(rows.tolist(), hull.facets_at(y[rows]), strict=True):
            groups[facets.tobytes()].append((row, facets))
        for some in groups.values():
            facets = some[0][1]
            yield np.flatnonzero(hull.incidence[:, facets].all(axis=1)), np.array([row for row, _ in some])


class _Face:
    """The problem on the points of one face, in coordinates that tell them apart."""

    def __init__(self, p: Polynomial, members: np.ndarray, hull: AffineHull | None = None):
        hull = hull or AffineHull(p.slopes[members])
        self.members, self.pivots, self.size = members, hull.pivots, p.variables
        self.eps = p.semiring.eps
        self.slopes = p.slopes[np.ix_(members, hull.pivots)].astype(float)
        self.coefficients = p.coefficients[members].astype(float)

    @property
    def dim(self) -> int:
        return len(self.pivots)

    def solutions(self, y: np.ndarray, rows: np.ndarray, limit: int) -> Iterator[_Solution]:
        """At y[rows], in blocks; `upper` is +∞ where y is not proved to be in the relative interior of the hull."""
        if len(self.members) * max(self.dim, 1) > _LARGEST:
            raise BudgetExceeded(
                "numbers in a step of Newton's method",
                len(self.members) * self.dim,
                _LARGEST,
                "truncate(tol) first",
            )
        step = max(1, _BLOCK // len(self.members))
        for start in range(0, len(rows), step):
            at = rows[start : start + step]
            yield from self._solve(at, to_floats(y[at][:, self.pivots]), limit)

    @cached_property
    def _unit(self) -> np.ndarray:
        """Powers of 2, which round nothing, that make the slopes of size 1."""
        return 2.0 ** -np.floor(np.log2(np.ptp(self.slopes, axis=0)))

    @cached_property
    def _scaled(self) -> Slopes:
        return Slopes(self.slopes * self._unit)

    def _solve(self, at: np.ndarray, y: np.ndarray, limit: int) -> Iterator[_Solution]:
        if not self.dim:
            yield self._at_vertex(at)
            return
        top = self.coefficients.max()
        for block, A, found in minimise(
            self._scaled, y * self._unit, (self.coefficients - top) / self.eps, limit
        ):
            x = np.zeros((len(A), self.size))
            x[:, self.pivots] = self.eps * self._unit * found.theta
            lower = -self.eps * found.value - top
            weights, upper = self._corrected(found, A)
            yield _Solution(at[block], lower, np.maximum(upper, lower), x, self.members, weights)

    def _at_vertex(self, at: np.ndarray) -> _Solution:
        b, top = self.coefficients, self.coefficients.max()
        weights = np.exp((b - top) / self.eps)
        value = np.full(len(at), -top - self.eps * math.log(weights.sum()))
        weights = np.broadcast_to(weights / weights.sum(), (len(at), len(b)))
        return _Solution(at, value, value, np.zeros((len(at), self.size)), self.members, weights)

    def _corrected(self, found, A: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weights λ_j = π_j(1 − A_j·C⁻¹m), of which y is the mean, and their entropy, an upper bound of f*(y).

        +∞ unless all stay positive for every residual that rounding could hide: then y may be outside of the hull.
        """
        size = np.abs(A)
        hidden = (math.log2(len(self.members)) + 16) * UNIT * (found.weights[:, None, :] @ size)[:, 0]
        inverse = found.inverse()
        towards = np.matmul(inverse, found.mean[:, :, None])[:, :, 0]
        rest = np.maximum(1.0 - (found.mean * towards).sum(axis=1), 2.0**-20)
        change = np.matmul(A, (towards / rest[:, None])[:, :, None])[:, :, 0]
        change -= (found.weights * change).sum(axis=1, keepdims=True)
        reach = np.matmul(np.abs(np.matmul(A, inverse)), hidden[:, :, None])[:, :, 0].max(axis=1)
        sure = np.abs(change).max(axis=1) + 2 * reach < 0.5
        weights = np.where(sure[:, None], found.weights * (1 - change), found.weights)
        upper = self.eps * xlogx(weights).sum(axis=1) - weights @ self.coefficients
        return weights, np.where(sure, upper, np.inf)
