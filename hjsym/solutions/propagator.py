"""The solution at one time as a map of the data on a grid, and how far such maps are from a semigroup.

u_t + κ∇uᵀA∇u = ν tr(A∇²u) has u(t) = S_t g, a product of g with the kernel of entries c(x, y) = (x − y)ᵀA⁻¹(x − y)/4κt:

    ν = 0 (Hopf–Lax):   u(x) = min_y (g(y) + c(x, y)),
    ν > 0 (Hopf–Cole):  u(x) = −ε log Σ_y exp(−(g(y) + c(x, y))/ε) Π_k h_k / √((4πνt)^d det A),   ε = ν/κ,

in min-plus algebra and in its deformation. On all of space S_s S_t = S_{s+t}. On a grid of distances h the sum over
the node in the middle is that of a Gaussian; by Poisson's formula its factor is 1 + δ with |δ| ≤ Π_k(1 + δ_k) − 1,

    δ_k = 2 Σ_{n≥1} q_k^{n²},    q_k = exp(−4π²νa_kσ/h_k²),    σ = st/(s + t),

so that composing is off by ε log(1 + δ), about 2ε Σ q_k; of a minimum the middle is off by half a node, which costs
Σ h_k²/16κa_kσ. Here a_k = A_kk for diagonal A, else its least eigenvalue. Derived here; Poisson's formula as in
L. N. Trefethen, J. A. C. Weideman, SIAM Review 56 (2014), section 5.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

import tropical
from hjsym.solutions._input import as_even_nodes, as_metric, positive_numbers
from tropical import Semiring, matmul
from tropical.errors import BudgetExceeded, InputError, ShapeError

__all__ = ["Propagator"]

_MOST_PAIRS = 25_000_000


@dataclass(frozen=True, eq=False)
class Propagator:
    """S_t on an even grid, for u_t + κ∇uᵀA∇u = ν tr(A∇²u).

    Parameters
    ----------
    x : array or sequence of d arrays
        The nodes of each axis, ascending at even distances.
    t : float
        Time > 0.
    kappa : float
        κ > 0.
    nu : float
        ν ≥ 0; the temperature is ε = ν/κ.
    A : (d, d) array, optional
        Symmetric and positive definite; the identity by default.

    Raises
    ------
    InputError
        t or κ not > 0, ν < 0, A that is not positive definite, uneven nodes.
    BudgetExceeded
        A that is not diagonal on more than 5000 nodes.

    Notes
    -----
    Cost O(size) for each axis where A is diagonal (near that for ν > 0); else all pairs of nodes. Data are +∞ off the
    grid: values whose minimiser, or whose mean weight, is not well inside are those of that.

    Examples
    --------
    >>> x = np.linspace(-8, 8, 161)
    >>> half, whole = Propagator(x, 0.5, kappa=0.5, nu=0.05), Propagator(x, 1.0, kappa=0.5, nu=0.05)
    >>> g = x**2 / 2
    >>> float(whole(g)[80].round(12)), round(0.05 * math.log(2), 12)      # x²/2(1 + t) + (ε/2) log(1 + t)
    (0.034657359028, 0.034657359028)
    >>> defect = abs(half(half(g)) - whole(g))[40:121].max()
    >>> bool(defect < half.semigroup_bound(0.5) + 1e-14)
    True
    >>> half.eps, half.shape, half.costs.shape
    (0.1, (161,), (161, 161))
    """

    x: ArrayLike | Sequence[ArrayLike]
    t: float
    kappa: float = 1.0
    nu: float = 0.0
    A: ArrayLike | None = None

    def __post_init__(self):
        x, spacing = as_even_nodes(self.x)
        t, kappa = positive_numbers(t=self.t, kappa=self.kappa)
        if not (math.isfinite(self.nu) and self.nu >= 0):
            raise InputError(f"nu is {self.nu}; pass a finite viscosity ≥ 0")
        values = {
            "x": x, "t": t, "kappa": kappa, "nu": float(self.nu), "A": as_metric(self.A, len(x)),
            "spacing": tuple(spacing),
        }  # fmt: skip
        for name, value in values.items():
            object.__setattr__(self, name, value)
        if not self._is_diagonal and (pairs := math.prod(self.shape) ** 2) > _MOST_PAIRS:
            raise BudgetExceeded("pairs of nodes", pairs, _MOST_PAIRS, "pass a coarser grid or a diagonal A")

    @property
    def eps(self) -> float:
        """ε = ν/κ."""
        return self.nu / self.kappa

    @property
    def shape(self) -> tuple[int, ...]:
        """The numbers of nodes."""
        return tuple(map(len, self.x))

    @property
    def _is_diagonal(self) -> bool:
        return not (self.A - np.diag(np.diag(self.A))).any()

    def __call__(self, g: ArrayLike, normalised: bool = True) -> np.ndarray:
        """S_t g, of the shape of g.

        Parameters
        ----------
        g : (..., n_1, …, n_d) array
            Values at the nodes, +∞ where there are none; leading axes are of separate data.
        normalised : bool
            Whether sums have the weights of the heat kernel, or 1; ν > 0 only.
        """
        g = np.asarray(g, dtype=float)
        d = len(self.x)
        if g.shape[-d:] != self.shape:
            raise ShapeError(f"g has shape {g.shape}; pass (..., {', '.join(map(str, self.shape))})")
        if not self._is_diagonal:
            return self._by_pairs(g, normalised)
        axes = tuple(range(-d, 0))
        spacing = [h / math.sqrt(a) for h, a in zip(self.spacing, np.diag(self.A), strict=True)]
        if not self.nu:
            return tropical.hopf_lax(g, self.t, spacing, kappa=self.kappa, axes=axes)
        return tropical.hopf_cole(
            g, self.t, self.eps, spacing, kappa=self.kappa, axes=axes, normalised=normalised
        )

    def _by_pairs(self, g: np.ndarray, normalised: bool) -> np.ndarray:
        rows = g.reshape(-1, math.prod(self.shape))
        u = matmul(rows, self.costs, Semiring(sign=-1, eps=self.eps)).reshape(g.shape)
        return u + self._weight if normalised and self.nu else u

    @cached_property
    def costs(self) -> np.ndarray:
        """(x_i − x_j)ᵀA⁻¹(x_i − x_j)/4κt between all nodes, (N, N), in the order of ``g.ravel()``."""
        if (pairs := math.prod(self.shape) ** 2) > _MOST_PAIRS:
            raise BudgetExceeded("pairs of nodes", pairs, _MOST_PAIRS, "pass a coarser grid")
        nodes = np.stack(np.meshgrid(*self.x, indexing="ij"), axis=-1).reshape(-1, len(self.x))
        nodes = np.linalg.solve(np.linalg.cholesky(self.A), nodes.T)
        return sum(np.subtract.outer(a, a) ** 2 for a in nodes) / (4 * self.kappa * self.t)

    @property
    def _weight(self) -> float:
        """−ε log of the weight of each term."""
        cells = sum(map(math.log, self.spacing))
        spread = len(self.x) * math.log(4 * math.pi * self.nu * self.t) + np.linalg.slogdet(self.A)[1]
        return self.eps * (spread / 2 - cells)

    def semigroup_bound(self, s: float) -> float:
        """How far S_s S_t g is from S_{s+t} g at most, wherever the grid goes on for long enough.

        Both ways for ν > 0, about 2ε Σ_k exp(−4π²νa_kσ/h_k²) with σ = st/(s + t), and with weights that are normalised;
        plain sums of weight 1 differ by −ε log(√((4πνσ)^d det A)/Π h_k) besides. Above S_{s+t} g alone for ν = 0.
        """
        (s,) = positive_numbers(s=s)
        sigma = s * self.t / (s + self.t)
        a = np.diag(self.A) if self._is_diagonal else np.full(len(self.x), np.linalg.eigvalsh(self.A)[0])
        h = np.array(self.spacing)
        if not self.nu:
            return float((h**2 / (16 * self.kappa * a * sigma)).sum())
        decay = 4 * math.pi**2 * self.nu * a * sigma / h**2
        q = np.exp(-decay * np.arange(1, 40)[:, None] ** 2)  # the rest is invisible, or δ above 1
        delta = np.expm1(np.log1p(2 * q.sum(axis=0)).sum())
        return float(-self.eps * np.log1p(-delta)) if delta < 1 else math.inf
