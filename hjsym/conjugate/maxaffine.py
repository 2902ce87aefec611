"""Maxima of affine functions, which are tropical polynomials at ε = 0, and minima of them, which have no conjugate."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from hjsym.conjugate._simplex_qp import proximal_weights
from hjsym.conjugate.base import ConvexFunction, Convexity
from hjsym.conjugate.domains import Space
from hjsym.conjugate.improper import Improper
from tropical import MAX_PLUS, Polynomial
from tropical._arrays import as_array
from tropical.errors import InputError, ShapeError

__all__ = ["ConcavePolynomial", "MaxAffine", "from_polynomial"]


def from_polynomial(p: Polynomial) -> ConvexFunction:
    """A tropical polynomial, of either sign and any temperature, as a function of convex analysis."""
    if (p.coefficients == -p.semiring.zero).any():
        return Improper(-p.semiring.zero, p.variables)
    kept = p.coefficients != p.semiring.zero
    if not kept.all():
        p = Polynomial(p.slopes[kept], p.coefficients[kept], p.semiring)
    if not len(p):
        return Improper(p.semiring.zero, p.variables)
    if p.semiring.sign < 0 and (p.slopes == p.slopes[0]).all():  # affine for ε = 0 and ε > 0
        p = Polynomial(p.slopes[:1], np.atleast_1d(p(p.slopes[0] * 0)))
    if p.semiring.sign < 0:
        return ConcavePolynomial(p)
    if p.semiring.is_tropical:
        return MaxAffine(p)
    from hjsym.conjugate.entropic import LogSumExp

    return LogSumExp(p)


@dataclass(frozen=True, eq=False)
class MaxAffine(ConvexFunction):
    """f(x) = max_j (W_j·x + b_j), from a polynomial at ε = 0 with finite coefficients.

    Its conjugate is min{−b·λ : λ ∈ Δ, Wᵀλ = y} on the hull of the slopes; see `PolyhedralConjugate`.

    >>> f = MaxAffine(Polynomial([-1.0, 2.0], [0.0, -1.0]))                 # max(−x, 2x − 1)
    >>> f.conjugate()([-2.0, -1.0, 0.5, 2.0])                               # (y + 1)/3 on [−1, 2]
    array([inf, 0. , 0.5, 1. ])
    >>> f.compose([[2.0]])([1.0])
    array([3.])
    """

    polynomial: Polynomial
    method: str = "given"
    of_hull: bool = False
    rational = True

    def __post_init__(self):
        p = self.polynomial
        if p.semiring != MAX_PLUS or not len(p) or (abs(p.coefficients) == np.inf).any():
            raise InputError("a MaxAffine is a maximum of at least one term, all finite; use as_function(p)")

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

    def _prox(self, x: np.ndarray, lam: float) -> np.ndarray:
        W, b = self.polynomial.slopes.astype(float), self.polynomial.coefficients.astype(float)
        found = (proximal_weights(W, b, point, lam) for point in x)
        return np.reshape([p - lam * (mu @ W[rows]) for p, (rows, mu) in zip(x, found, strict=True)], x.shape)

    def conjugate(self) -> ConvexFunction:
        return self._conjugate

    @cached_property
    def _conjugate(self) -> ConvexFunction:
        from hjsym.conjugate.polyhedral import PolyhedralConjugate

        return PolyhedralConjugate(self.polynomial, self.of_hull)

    def compose(self, A: ArrayLike) -> MaxAffine:
        """x ↦ f(A x)."""
        p = self.polynomial
        slopes = p.slopes @ as_array("A", A, default=p.dtype)
        return MaxAffine(Polynomial(slopes, p.coefficients), "rule", self.of_hull)

    def __add__(self, other):
        """The sum of two has the sums of two terms as its terms."""
        if not isinstance(other, MaxAffine):
            return super().__add__(other)
        if other.variables != self.variables:
            raise ShapeError(
                f"functions of {self.variables} and {other.variables} variables; give both the same"
            )
        return MaxAffine(self.polynomial * other.polynomial, "rule", self.of_hull or other.of_hull)


@dataclass(frozen=True, eq=False)
class ConcavePolynomial(ConvexFunction):
    """A minimum of affine functions, or its soft version, that is not affine: f* ≡ +∞, and its hull is −∞."""

    polynomial: Polynomial
    of_hull = True

    @property
    def variables(self) -> int:
        return self.polynomial.variables

    @property
    def domain(self) -> Space:
        return Space(self.variables)

    def _values(self, y: np.ndarray) -> np.ndarray:
        return self.polynomial(y)

    def _argmax(self, y: np.ndarray) -> np.ndarray:
        return np.full(y.shape, np.nan)  # no affine function lies below

    def conjugate(self) -> Improper:
        return Improper(np.inf, self.variables, of_hull=True)

    def convexity(self) -> Convexity:
        W = self.polynomial.slopes.astype(float)
        far = int(((W - W[0]) ** 2).sum(axis=1).argmax())
        step = W[far] - W[0]
        for k in range(2000):  # along the line the function falls at both ends, so some chord is below
            a, b = -(2.0**k) * step, 2.0**k * step
            if not np.isfinite([a, b]).all():
                break
            if self.polynomial(0 * step) > (self.polynomial(a) + self.polynomial(b)) / 2:
                return Convexity(False, "a minimum of affine functions", (a, 0 * step, b))
        return Convexity(False, "a minimum of affine functions with two slopes")
