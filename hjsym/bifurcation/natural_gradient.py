"""The natural gradient of the entropy of Gibbs weights, to full relative accuracy at every temperature.

With z_j = W_j·x + b_j and covariances under π = softmax(z/ε), the entropy H and the Fisher information G of x are

    ∇H = −Cov(W, z)/ε²,   G = Cov(W, W)/ε²,   n = G⁻¹∇H = −Cov(W, W)⁻¹ Cov(W, z) = X − x,

where X = −Cov(W, W)⁻¹ Cov(W, b): the natural gradient is minus the regression slope of z on W. H and n have the same
critical points, and there ∇²H = G Dn. By Cauchy–Binet X is a mean, with positive weights, of the points at which d + 1
independent terms tie: where ∇H and G are too small for a float, n is of the size of x all the same.

Phases: 1. slopes relative to the largest term, in an orthonormal basis taken greedily from the terms in falling order,
so that the k-th coordinate is exactly 0 for all terms above the k-th independent one; 2. weights relative to that term,
level by level, which is dividing row k of Cov(W, ·) by its own scale e^{(z_k − z_top)/ε}; 3. elimination in
those rows, which the grading makes stable; 4. derivatives as joint cumulants with the residual e of the
regression, which is uncorrelated with W, so that fourth cumulants lose most of their terms.

Source of the notion: S. Amari, "Natural gradient works efficiently in learning", Neural Computation 10, 1998. That
the covariance formulas reduce to a regression, and the tie points, are derived here.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

__all__ = ["NaturalGradient", "natural_gradient"]

_DEPENDENT = 2.0**-40  # what is left of a slope, relative to the largest, where it counts as dependent


@dataclass(frozen=True, eq=False)
class NaturalGradient:
    """n = G⁻¹∇H at points, with its derivatives in x and ε; all are of the size of x, x/ε and so on.

    Attributes
    ----------
    basis : (P, d, d) array
        Rows are the orthonormal basis at each point, in the order of the terms that span it.
    deviation : (P, N, d) array
        W_j − E[W] in that basis.
    height : (P, N) array
        z_j − E[z].
    graded : (P, N, d) array
        π_j (W_j − E[W]), component k divided by its scale.
    weights : (P, N) array
        π.
    eps : float or (P,) array
        ε.
    """

    basis: np.ndarray
    deviation: np.ndarray
    height: np.ndarray
    graded: np.ndarray
    weights: np.ndarray
    eps: np.ndarray

    @cached_property
    def _covariance(self) -> np.ndarray:
        return np.einsum("pnk,pnl->pkl", self.graded, self.deviation)

    def _regress(self, f: np.ndarray) -> np.ndarray:
        """Cov(W, W)⁻¹ E[(W − EW) f] for f of shape (P, N)."""
        moments = np.einsum("pnk,pn->pk", self.graded, f)
        return np.linalg.solve(self._covariance, moments[..., None])[..., 0]

    def _outward(self, v: np.ndarray) -> np.ndarray:
        return np.einsum("pk,pkd->pd", v, self.basis)

    def _along(self, v: np.ndarray) -> np.ndarray:
        """(W_j − E[W])·v for vectors (P, d) in x."""
        return np.einsum("pnk,pkd,pd->pn", self.deviation, self.basis, v)

    @cached_property
    def _slope(self) -> np.ndarray:
        return self._regress(self.height)

    @cached_property
    def residual(self) -> np.ndarray:
        """e_j, what the regression of z on W leaves, (P, N)."""
        return self.height - np.einsum("pnk,pk->pn", self.deviation, self._slope)

    @cached_property
    def value(self) -> np.ndarray:
        """n, (P, d)."""
        return -self._outward(self._slope)

    @cached_property
    def jacobian(self) -> np.ndarray:
        """Dn = −1 − Cov(W, W)⁻¹ κ(W, W, e)/ε, (P, d, d). At critical points similar to a symmetric matrix."""
        moments = np.einsum("pnk,pn,pnl->pkl", self.graded, self.residual, self.deviation)
        inner = np.linalg.solve(self._covariance, moments) / self._eps(2)
        turned = np.einsum("pkd,pkl,ple->pde", self.basis, inner, self.basis)
        return -np.eye(turned.shape[-1]) - turned

    @cached_property
    def eps_derivative(self) -> np.ndarray:
        """∂n/∂ε = Cov(W, W)⁻¹ κ(W, z, e)/ε², (P, d)."""
        return self._outward(self._regress(self.residual * self.height)) / self._eps(1) ** 2

    def second(self, v: np.ndarray, w: np.ndarray) -> np.ndarray:
        """D²n[v, w], (P, d)."""
        eps, s, t = self._eps(1), self._along(v), self._along(w)
        mixed = t * self._along(v + self._applied(v)) + s * self._along(w + self._applied(w))
        return -self._outward(self._regress(mixed)) / eps - self._outward(
            self._regress(s * t * self.residual)
        ) / (eps**2)

    def eps_jacobian(self, v: np.ndarray) -> np.ndarray:
        """∂(Dn v)/∂ε, (P, d)."""
        eps, s, e = self._eps(1), self._along(v), self.residual
        u = self._along(v + self._applied(v))
        f = u * self.height + s * e - eps * s * self._along(self.eps_derivative)
        fourth = s * e * self.height - s * self._mean(e**2)
        return self._outward(self._regress(f / eps**2 + fourth / eps**3))

    @cached_property
    def eps_second(self) -> np.ndarray:
        """∂²n/∂ε², (P, d)."""
        eps, e, z = self._eps(1), self.residual, self.height
        third = 2 * z * (self._along(self.eps_derivative) - e / eps)
        fourth = z**2 * e - 2 * z * self._mean(e**2)
        return self._outward(self._regress(third / eps**2 - fourth / eps**4))

    def _applied(self, v: np.ndarray) -> np.ndarray:
        return np.einsum("pde,pe->pd", self.jacobian, v)

    def _mean(self, f: np.ndarray) -> np.ndarray:
        return (self.weights * f).sum(axis=1, keepdims=True)

    def _eps(self, axes: int) -> np.ndarray:
        return np.reshape(self.eps, np.shape(self.eps) + (1,) * axes) if np.ndim(self.eps) else self.eps


def natural_gradient(W: np.ndarray, b: np.ndarray, x: np.ndarray, eps) -> NaturalGradient:
    """n at points x (P, d) of slopes W (N, d) that span R^d affinely; eps is a number or (P,)."""
    top = (x @ W.T + b).argmax(axis=1)
    slopes = W - W[top][:, None]
    heights = np.einsum("pnd,pd->pn", slopes, x) + (b - b[top][:, None])
    scaled = heights / (eps if np.ndim(eps) == 0 else np.asarray(eps)[:, None])
    raw = np.exp(scaled)
    weights = raw / raw.sum(axis=1, keepdims=True)
    basis, coordinates, picks = _graded_basis(slopes, heights)
    deviation, graded = np.empty_like(coordinates), np.empty_like(coordinates)
    here = np.arange(len(x))
    for k in range(W.shape[1]):
        c, below = coordinates[..., k], coordinates[..., k] != 0
        level = scaled[here, picks[:, k]][:, None]
        relative = np.where(below, np.exp(np.where(below, scaled - level, 0.0)), 0.0)
        relative /= raw.sum(axis=1, keepdims=True)
        shift = (relative * c).sum(axis=1, keepdims=True)  # of the mean, in units of e^{level}
        deviation[..., k] = c - np.exp(level) * shift
        graded[..., k] = relative * c - weights * shift
    height = heights - (weights * heights).sum(axis=1, keepdims=True)
    return NaturalGradient(basis, deviation, height, graded, weights, eps)


def _graded_basis(slopes: np.ndarray, heights: np.ndarray):
    """Gram–Schmidt on the slopes in falling order of their terms: basis (P, d, d), coordinates (P, N, d) with exact
    zeros, and the terms (P, d) that were taken."""
    P, N, d = slopes.shape
    here, rest = np.arange(P), slopes.copy()
    basis, coordinates, picks = np.empty((P, d, d)), np.zeros((P, N, d)), np.empty((P, d), dtype=int)
    floor = _DEPENDENT * np.linalg.norm(slopes, axis=2).max(axis=1, keepdims=True)
    for k in range(d):
        live = np.linalg.norm(rest, axis=2) > floor
        rest[~live] = 0.0
        picks[:, k] = np.where(live, heights, -np.inf).argmax(axis=1)
        direction = rest[here, picks[:, k]]
        basis[:, k] = direction / np.linalg.norm(direction, axis=1, keepdims=True)
        coordinates[..., k] = np.einsum("pnd,pd->pn", rest, basis[:, k])
        rest -= coordinates[..., k, None] * basis[:, None, k]
    return basis, coordinates, picks
