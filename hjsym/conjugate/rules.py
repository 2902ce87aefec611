"""The calculus of conjugates: scaling, shifting, tilting, linear maps.

R. T. Rockafellar, Convex Analysis, 1970, section 16.

g(x) = λ f(μ(x − a)) + ⟨v, x⟩ + c    has    g*(y) = λ f*((y − v)/λμ) + ⟨a, y⟩ − ⟨a, v⟩ − c,
h(x) = f(A x), A of full row rank,    has    h*(y) = f*(z) where Aᵀz = y, +∞ if there is no such z.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from hjsym.conjugate.base import ConvexFunction, Convexity
from hjsym.conjugate.derived import Derived
from hjsym.conjugate.domains import AffineSubspace
from hjsym.conjugate.extended import add
from tropical._arrays import as_array
from tropical.errors import InputError, ShapeError

__all__ = ["LinearImage", "Precomposed", "Transformed"]


@dataclass(frozen=True, eq=False)
class Transformed(Derived):
    """g(x) = λ f(μ(x − a)) + ⟨v, x⟩ + c for numbers λ > 0 and μ ≠ 0.

    Made by ``3 * f``, ``f + 2``, ``f.shift(a)``, ``f.tilt(v)`` and ``f.dilate(mu)``.

    >>> from hjsym.conjugate.radial import Power
    >>> g = (2 * Power(2)).shift(1.0) + 5                                 # (x − 1)² + 5
    >>> float(g.conjugate()(2.0))                                         # y²/4 + y − 5
    -2.0
    """

    function: ConvexFunction
    scale: float = 1.0
    dilation: float = 1.0
    offset: ArrayLike = 0.0
    slope: ArrayLike = 0.0
    constant: float = 0.0

    def __post_init__(self):
        d = self.function.variables
        for name in ("scale", "dilation", "constant"):
            value = float(getattr(self, name))
            if (
                not np.isfinite(value)
                or (name == "scale" and value <= 0)
                or (name == "dilation" and value == 0)
            ):
                need = {"scale": "a finite number > 0", "dilation": "a finite number ≠ 0"}.get(
                    name, "a finite number"
                )
                raise InputError(f"{name} is {value}; pass {need}")
            object.__setattr__(self, name, value)
        for name in ("offset", "slope"):
            value = as_array(name, getattr(self, name)).astype(float)
            if value.shape not in ((), (d,)) or not np.isfinite(value).all():
                raise ShapeError(
                    f"{name} has shape {value.shape}; pass a finite number or vector of length {d}"
                )
            object.__setattr__(self, name, np.broadcast_to(value, (d,)))

    def convexity(self) -> Convexity:
        inner = self.function.convexity()
        if inner.witness is None:
            return inner
        moved = tuple(np.asarray(p, float) / self.dilation + self.offset for p in inner.witness)
        return Convexity(inner.convex, inner.reason, moved)

    def _inside(self, x: np.ndarray) -> np.ndarray:
        return self.dilation * (x - self.offset)

    def _values(self, y: np.ndarray) -> np.ndarray:
        return add(self.scale * self.function._values(self._inside(y)), y @ self.slope + self.constant)

    def _argmax(self, y: np.ndarray) -> np.ndarray:
        return self.scale * self.dilation * self.function._argmax(self._inside(y)) + self.slope

    def conjugate(self) -> ConvexFunction:
        return self._conjugate

    @cached_property
    def _conjugate(self) -> ConvexFunction:
        f, a, v = self.function.conjugate(), self.offset, self.slope
        return transformed(f, self.scale, 1 / (self.scale * self.dilation), v, a, -(a @ v) - self.constant)

    def _prox(self, x: np.ndarray, lam: float) -> np.ndarray:
        """p = a + q/μ with q = prox of f at μ(x − λv − a), for λμ² times the scale."""
        inside = self._inside(x - lam * self.slope)
        return self.offset + self.function._prox(inside, lam * self.scale * self.dilation**2) / self.dilation


def transformed(f: ConvexFunction, scale, dilation, offset, slope, constant) -> ConvexFunction:
    """λ f(μ(x − a)) + ⟨v, x⟩ + c, of an f that may be of this form itself."""
    if not isinstance(f, Transformed):
        return Transformed(f, scale, dilation, offset, slope, constant)
    # λ[λ'f(μ'(μ(x − a) − a')) + ⟨v', μ(x − a)⟩ + c'] + ⟨v, x⟩ + c
    inner_slope = scale * dilation * f.slope
    return Transformed(
        f.function,
        scale * f.scale,
        dilation * f.dilation,
        np.asarray(offset, float) + f.offset / dilation,
        np.asarray(slope, float) + inner_slope,
        constant + scale * f.constant - inner_slope @ np.broadcast_to(offset, inner_slope.shape),
    )


@dataclass(frozen=True, eq=False)
class Precomposed(Derived):
    """h(x) = f(A x) for a matrix A (m, d) of full row rank.

    >>> from hjsym.conjugate.radial import norm
    >>> h = Precomposed(norm(1), [[1.0, 2.0]])                            # |x + 2y|
    >>> h.conjugate()([[0.5, 1.0], [0.5, 0.9]])
    array([ 0., inf])
    """

    function: ConvexFunction
    A: ArrayLike

    def __post_init__(self):
        A = as_array("A", self.A).astype(float)
        if A.ndim != 2 or A.shape[0] != self.function.variables or not np.isfinite(A).all():
            raise ShapeError(f"A has shape {A.shape}; pass a finite matrix ({self.function.variables}, d)")
        if np.linalg.matrix_rank(A) < len(A):
            raise InputError(
                f"A of shape {A.shape} has dependent rows: f*(z) has to be minimised over the z with Aᵀz = y; "
                "compose a MaxAffine, LogSumExp or Quadratic, or wrap x ↦ f(A x) in FromCallable"
            )
        object.__setattr__(self, "A", A)

    @property
    def variables(self) -> int:
        return self.A.shape[1]

    def convexity(self) -> Convexity:
        inner = self.function.convexity()
        return inner if inner.convex else Convexity(inner.convex, inner.reason)

    def _values(self, y: np.ndarray) -> np.ndarray:
        return self.function._values(y @ self.A.T)

    def _argmax(self, y: np.ndarray) -> np.ndarray:
        return self.function._argmax(y @ self.A.T) @ self.A

    def conjugate(self) -> "LinearImage":
        return LinearImage(self.function.conjugate(), self.A)


@dataclass(frozen=True, eq=False)
class LinearImage(Derived):
    """h*(y) = f*(z) for the z with Aᵀz = y, +∞ where there is none; A (m, d) of full row rank."""

    function: ConvexFunction
    A: np.ndarray

    @property
    def variables(self) -> int:
        return self.A.shape[1]

    @cached_property
    def _inverse(self) -> np.ndarray:
        return np.linalg.pinv(self.A)

    @cached_property
    def _range(self) -> AffineSubspace:
        """Of Aᵀ, by the null space of A."""
        kernel = np.linalg.svd(self.A)[2][len(self.A) :]
        return AffineSubspace(kernel, np.zeros(len(kernel)))

    def _values(self, y: np.ndarray) -> np.ndarray:
        return np.where(self._range.contains(y), self.function._values(y @ self._inverse), np.inf)

    def _argmax(self, y: np.ndarray) -> np.ndarray:
        x = self.function._argmax(y @ self._inverse) @ self._inverse.T
        return np.where(self._range.contains(y)[:, None], x, np.nan)

    def conjugate(self) -> Precomposed:
        return Precomposed(self.function.conjugate(), self.A)
