"""Quadratic functions on affine subspaces, a class that conjugation maps to itself.

f(x) = ½xᵀQx + b·x + c on {x : E x = e}. With x = x₀ + N s, E N = 0, M = NᵀQN ⪰ 0 and s₀ = b + Qx₀,
f*(y) = ½(y − s₀)ᵀ N M⁺ Nᵀ (y − s₀) + x₀·y − f(x₀) where Nᵀ(y − s₀) is in the range of M, +∞ elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from hjsym.conjugate._semidefinite import Factor, exact_factor, float_factor, null_space
from hjsym.conjugate.base import ConvexFunction, Convexity
from hjsym.conjugate.domains import AffineSubspace, Space
from hjsym.conjugate.improper import Improper
from tropical._arrays import as_array, common_dtype, convert, frozen, is_exact, is_finite, refuse_where
from tropical.errors import InputError, ShapeError

__all__ = ["Quadratic"]


@dataclass(frozen=True, eq=False)
class Quadratic(ConvexFunction):
    """f(x) = ½xᵀQx + b·x + c, +∞ off {x : E x = e}; Q may be singular.

    Parameters
    ----------
    Q : (d, d) array
        Its symmetric part counts. Fractions are exact: rank, range and values. Of floats, eigenvalues within
        rounding of 0 count as 0.
    b : (d,) array, optional
    c : number
    E, e : (k, d) and (k,) arrays, optional
        Equations, with a solution.

    Notes
    -----
    If f is not convex on the subspace, f* ≡ +∞. Cost d³ once, d² for each point.

    Examples
    --------
    >>> f = Quadratic([[1, 1], [1, 1]])                                  # (x + y)²/2
    >>> f.conjugate()([[1.0, 1.0], [1.0, 2.0]])
    array([0.5, inf])
    >>> float(Quadratic([[2.0]], [1.0], 3.0).conjugate()(5.0))           # (y − 1)²/4 − 3
    1.0
    >>> float(f.compose([[1.0], [1.0]])(3.0)), f.rational
    (18.0, False)
    """

    Q: ArrayLike
    b: ArrayLike | None = None
    c: float = 0.0
    E: ArrayLike | None = None
    e: ArrayLike | None = None
    method: str = "given"
    of_hull: bool = False
    _rounding: float = field(default=0.0, repr=False)  # relative error of E and e where they were computed

    def __post_init__(self):
        Q = as_array("Q", self.Q)
        if Q.ndim != 2 or Q.shape[0] != Q.shape[1]:
            raise ShapeError(f"Q has shape {Q.shape}; pass a square matrix")
        d = len(Q)
        b = as_array("b", np.zeros(d, int) if self.b is None else self.b, default=Q.dtype)
        E = as_array("E", np.zeros((0, d), int) if self.E is None else self.E, default=Q.dtype)
        e = as_array("e", np.zeros(len(E), int) if self.e is None else self.e, default=Q.dtype)
        c = as_array("c", self.c, default=Q.dtype)
        if b.shape != (d,) or E.ndim != 2 or E.shape[1] != d or e.shape != E.shape[:1] or c.shape != ():
            raise ShapeError(
                f"Q, b, c, E, e have shapes {Q.shape}, {b.shape}, {c.shape}, {E.shape}, {e.shape}; "
                f"pass ({d}, {d}), ({d},), (), (k, {d}) and (k,)"
            )
        dtype = common_dtype(np.dtype(np.float64), *(a.dtype for a in (Q, b, c, E, e)))
        for name, array in (("Q", Q), ("b", b), ("c", c.reshape(1)), ("E", E), ("e", e)):
            array = convert(array, dtype)
            refuse_where(~is_finite(array), name, array, f"{name} must be finite")
            if name == "Q":
                array = (array + array.T) / 2
            object.__setattr__(self, name, frozen(array) if name != "c" else array.reshape(-1)[0])

    @property
    def rational(self) -> bool:
        return is_exact(self.Q)

    @property
    def variables(self) -> int:
        return len(self.Q)

    @property
    def domain(self):
        return AffineSubspace(self.E, self.e, self._rounding) if len(self.E) else Space(self.variables)

    # ---- the subspace and the matrix on it -------------------------------------------------------

    @cached_property
    def _subspace(self) -> tuple[np.ndarray, np.ndarray]:
        """(x₀, N): a point and, as columns, directions of the subspace."""
        if not len(self.E):
            return self.b * 0, convert(np.eye(self.variables), self.Q.dtype)
        found = null_space(self.E, self.e)
        if found is None:
            raise InputError("the equations E x = e have no solution, so f is +inf; pass Improper(inf, d)")
        return found

    @cached_property
    def _factor(self) -> Factor:
        _, N = self._subspace
        M = N.T @ self.Q @ N
        return exact_factor(M) if self.rational else float_factor(M)

    def convexity(self) -> Convexity:
        factor = self._factor
        if factor.direction is None:
            return Convexity(True, factor.reason)
        x0, N = self._subspace
        step = N @ factor.direction
        return Convexity(False, factor.reason, (x0 - step, x0, x0 + step))

    # ---- values ----------------------------------------------------------------------------------

    def _values(self, y: np.ndarray) -> np.ndarray:
        values = (y * (y @ self.Q)).sum(axis=1) / 2 + y @ self.b + self.c
        return np.where(self.domain.contains(y), values, np.inf) if len(self.E) else values

    def _argmax(self, y: np.ndarray) -> np.ndarray:
        gradient = y @ self.Q + self.b
        return np.where(self.domain.contains(y)[:, None], gradient, np.nan) if len(self.E) else gradient

    def conjugate(self) -> ConvexFunction:
        return self._conjugate

    @cached_property
    def _conjugate(self) -> ConvexFunction:
        factor = self._factor
        if factor.direction is not None:
            return Improper(np.inf, self.variables, of_hull=True)
        x0, N = self._subspace
        s = self.b + self.Q @ x0
        Q = N @ factor.inverse @ N.T
        E = (N @ factor.kernel).T
        c = s @ Q @ s / 2 - (x0 @ self.Q @ x0 / 2 + self.b @ x0 + self.c)
        return Quadratic(Q, x0 - Q @ s, c, E, E @ s, "closed form", self.of_hull, factor.rounding)

    def __add__(self, other):
        """The sum of two quadratic functions is one on the intersection of their subspaces."""
        if not isinstance(other, Quadratic):
            return super().__add__(other)
        if other.variables != self.variables:
            raise ShapeError(
                f"functions of {self.variables} and {other.variables} variables; give both the same"
            )
        E, e = (np.concatenate([getattr(self, n), getattr(other, n)]) for n in ("E", "e"))
        return Quadratic(self.Q + other.Q, self.b + other.b, self.c + other.c, E, e, "rule")

    def compose(self, A: ArrayLike) -> Quadratic:
        """x ↦ f(A x)."""
        A = as_array("A", A, default=self.Q.dtype)
        return Quadratic(A.T @ self.Q @ A, A.T @ self.b, self.c, self.E @ A, self.e, "rule", self.of_hull)

    def _prox(self, x: np.ndarray, lam: float) -> np.ndarray:
        """On x₀ + N s: (NᵀQN + NᵀN/λ) s = Nᵀ((x − x₀)/λ − b − Qx₀)."""
        x0, N = (a.astype(float) for a in self._subspace)
        Q, b = self.Q.astype(float), self.b.astype(float)
        right = ((x - x0) / lam - b - Q @ x0) @ N
        s = np.linalg.solve(N.T @ Q @ N + N.T @ N / lam, right.T).T
        return x0 + s @ N.T
