"""Quadratic data and their minima, hard or soft, which Hamilton–Jacobi equations keep in closed form.

With H(p) = κ pᵀAp and viscosity ν, the equation u_t + κ ∇uᵀA∇u = ν tr(A∇²u) takes a quadratic
q = ½xᵀQx + b·x + c to a quadratic, with M = I + 2κtQA:

    Q(t) = M⁻¹Q,   b(t) = M⁻¹b,   c(t) = c − κt bᵀA M⁻¹b + (ν/2κ) log det M,

and by Hopf–Cole (ν > 0) or Hopf–Lax (ν = 0) a soft minimum at temperature ε = ν/κ to that of the results.

Sources: L. C. Evans, *Partial Differential Equations*, 2nd ed., sections 3.3.2 and 4.4.1; for the quadratic the
Riccati equation Q' = −2κQAQ.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hjsym.solutions._input import as_metric, positive_numbers
from tropical import Polynomial, Semiring
from tropical._arrays import as_points, frozen, refuse_where
from tropical.errors import InputError, ShapeError
from tropical.hypersurface import Hypersurface

__all__ = ["Mixture"]


@dataclass(frozen=True, eq=False)
class Mixture:
    """u(x) = −ε log Σ_i exp(−q_i(x)/ε) with q_i = ½xᵀQ_ix + b_i·x + c_i, and min_i q_i at ε = 0.

    Parameters
    ----------
    Q : (N, d, d) array
        Symmetric matrices, not necessarily definite.
    b : (N, d) array
    c : (N,) array
    eps : float
        Temperature ε ≥ 0. The equation that keeps the form has viscosity ν = κε.

    Raises
    ------
    InputError
        Matrices that are not symmetric, numbers that are not finite, ε < 0, no quadratic at all.
    ShapeError
        Shapes that do not fit.

    Examples
    --------
    >>> u = Mixture.of_distances([[-1.0], [1.0]], [0.0, 0.5], weight=1.0)      # min |x ∓ 1|²/2 + (0, ½)
    >>> later = u.at(t=1.0, kappa=0.5)                                         # u_t + ½u_x² = 0
    >>> later([[0.0], [1.0]])                                                  # min |x ∓ 1|²/4 + (0, ½)
    array([0.25, 0.5 ])
    >>> later.gradient([[0.0]])
    array([[0.5]])
    >>> concave = Mixture([[[-1.0]]], [[0.0]], [0.0])
    >>> concave.blow_up_time(kappa=0.5)                                        # −x²/2(1 − t)
    1.0
    >>> u.variables, later.hessian([[0.0]])
    (1, array([[[0.5]]]))
    """

    Q: ArrayLike
    b: ArrayLike
    c: ArrayLike
    eps: float = 0.0

    def __post_init__(self):
        Q, b, c = (np.array(a, dtype=float) for a in (self.Q, self.b, self.c))
        if Q.ndim != 3 or b.shape != Q.shape[:2] or Q.shape[1] != Q.shape[2] or c.shape != Q.shape[:1]:
            raise ShapeError(
                f"Q, b and c have shapes {Q.shape}, {b.shape}, {c.shape}; pass (N, d, d), (N, d) and (N,)"
            )
        if not len(c):
            raise InputError("the mixture has no quadratics; pass at least one")
        for name, array in (("Q", Q), ("b", b), ("c", c)):
            refuse_where(~np.isfinite(array), name, array, "data must be finite")
        if (np.swapaxes(Q, 1, 2) != Q).any():
            raise InputError("a matrix in Q is not symmetric; pass (Q + Qᵀ)/2, which has the same values")
        if not (math.isfinite(self.eps) and self.eps >= 0):
            raise InputError(f"eps is {self.eps}; pass a finite temperature ≥ 0")
        for name, value in (("Q", frozen(Q)), ("b", frozen(b)), ("c", frozen(c)), ("eps", float(self.eps))):
            object.__setattr__(self, name, value)

    @classmethod
    def of_distances(
        cls, centres: ArrayLike, heights: ArrayLike, weight: float = 1.0, eps: float = 0.0
    ) -> Mixture:
        """The quadratics weight·|x − a_i|²/2 + g_i, of centres a (N, d) and heights g (N,)."""
        a, g = np.asarray(centres, dtype=float), np.asarray(heights, dtype=float)
        if a.ndim != 2 or g.shape != a.shape[:1]:
            raise ShapeError(f"centres have shape {a.shape} and heights {g.shape}; pass (N, d) and (N,)")
        Q = np.broadcast_to(weight * np.eye(a.shape[1]), (len(a), a.shape[1], a.shape[1]))
        return cls(Q, -weight * a, g + weight * (a**2).sum(axis=1) / 2, eps)

    @property
    def variables(self) -> int:
        """d."""
        return self.b.shape[1]

    # ---- values ----------------------------------------------------------------------------------

    def __call__(self, x: ArrayLike) -> np.ndarray:
        """u at points of shape (..., d)."""
        return Semiring(sign=-1, eps=self.eps).sum(self._parts(self._points(x)))

    def gradient(self, x: ArrayLike) -> np.ndarray:
        """∇u, shape (..., d); at a tie of the minimum (a shock) that of the first quadratic."""
        x = self._points(x)
        return np.einsum("...n,...nd->...d", self._weights(x), self._slopes(x))

    def hessian(self, x: ArrayLike) -> np.ndarray:
        """∇²u = E[Q] − Cov(∇q)/ε, shape (..., d, d); at ε = 0 the matrix of the smallest quadratic."""
        x = self._points(x)
        weights, slopes = self._weights(x), self._slopes(x)
        mean = np.einsum("...n,nde->...de", weights, self.Q)
        if not self.eps:
            return mean
        spread = slopes - np.einsum("...n,...nd->...d", weights, slopes)[..., None, :]
        return mean - np.einsum("...n,...nd,...ne->...de", weights, spread, spread) / self.eps

    def _points(self, x: ArrayLike) -> np.ndarray:
        return as_points(x, self.variables, np.dtype(np.float64))

    def _parts(self, x: np.ndarray) -> np.ndarray:
        """q_i(x), shape (..., N)."""
        return np.einsum("...d,nde,...e->...n", x, self.Q, x) / 2 + x @ self.b.T + self.c

    def _slopes(self, x: np.ndarray) -> np.ndarray:
        """∇q_i(x), shape (..., N, d)."""
        return np.einsum("nde,...e->...nd", self.Q, x) + self.b

    def _weights(self, x: np.ndarray) -> np.ndarray:
        """Gibbs weights of the quadratics, shape (..., N)."""
        parts = self._parts(x)
        if not self.eps:
            return np.eye(len(self.c))[parts.argmin(axis=-1)]
        weights = np.exp((parts.min(axis=-1, keepdims=True) - parts) / self.eps)
        return weights / weights.sum(axis=-1, keepdims=True)

    def shock_set(self) -> Hypersurface:
        """Where the minimum is attained twice: the shocks of a mixture at ε = 0 whose matrices are all equal.

        The differences of the quadratics are then affine, so that shocks are a tropical hypersurface; in one
        variable its `vertices` are the places of the shocks.

        Examples
        --------
        >>> Mixture.of_distances([[-1.0], [1.0]], [0.0, 0.5]).shock_set().vertices
        array([[0.25]])
        """
        if self.eps or (self.Q[:1] != self.Q).any():
            raise InputError("shock_set needs eps = 0 and equal matrices Q; other shocks are not polyhedral")
        return Polynomial(-self.b, -self.c).hypersurface()

    # ---- time ------------------------------------------------------------------------------------

    def blow_up_time(self, kappa: float = 1.0, A: ArrayLike | None = None) -> float:
        """The time at which the first quadratic ceases to exist: min 1/(2κ λ) over the eigenvalues λ > 0 of
        −QA; ∞ if all Q are positive semidefinite."""
        (kappa,), A = positive_numbers(kappa=kappa), as_metric(A, self.variables)
        root = np.linalg.cholesky(A) if len(A) else A
        worst = max(0.0, -float(np.linalg.eigvalsh(root.T @ self.Q @ root).min(initial=0.0)))
        return 1 / (2 * kappa * worst) if worst else math.inf

    def at(self, t: float, kappa: float = 1.0, A: ArrayLike | None = None) -> Mixture:
        """The solution at time t ≥ 0 of u_t + κ ∇uᵀA∇u = κε tr(A∇²u) from this mixture, again a mixture.

        Parameters
        ----------
        t : float
            From 0 up to, and without, `blow_up_time`.
        kappa : float
            κ > 0.
        A : (d, d) array, optional
            Symmetric and positive definite; the identity by default.

        Raises
        ------
        InputError
            A time past the blow-up, saying when that is; κ ≤ 0; A that is not positive definite.

        Examples
        --------
        >>> soft = Mixture([[[1.0]]], [[0.0]], [0.0], eps=0.2).at(1.0, kappa=0.5)
        >>> bool(np.isclose(soft([[2.0]])[0], 2.0**2 / 4 + 0.1 * np.log(2)))   # x²/2(1 + t) + (ε/2) log(1 + t)
        True
        """
        (kappa,), A = positive_numbers(kappa=kappa), as_metric(A, self.variables)
        end = self.blow_up_time(kappa, A)
        if not 0 <= t < end:
            raise InputError(f"t is {t}; the solution from these data exists for 0 ≤ t < {end:.6g}")
        M = np.eye(self.variables) + 2 * kappa * t * self.Q @ A
        Q, b = np.linalg.solve(M, self.Q), np.linalg.solve(M, self.b[..., None])[..., 0]
        spent = kappa * t * np.einsum("nd,de,ne->n", self.b, A, b)
        spread = self.eps / 2 * np.linalg.slogdet(M)[1]
        return Mixture((Q + np.swapaxes(Q, 1, 2)) / 2, b, self.c - spent + spread, self.eps)
